"""What a panel of a chart may hold: lines, points, areas, bars, arrows, images, guides, notes.

A mark is data: labelled arrays and the look that they ask for. `Chart` gives every label a style of
its own (colour, dashes, marker), so that no information is in colour alone. A `tone` chooses the
category itself, or `"text"` or `"muted"` for what is no category.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import (
    BoundaryNorm,
    Colormap,
    LinearSegmentedColormap,
    ListedColormap,
    LogNorm,
    Normalize,
    to_rgba,
)
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lab.plots.layout import halo, keywords
from lab.plots.styles import Style
from lab.plots.text import plain
from lab.plots.themes import current, scalars

HATCHES = ("", "//", "..", "xx", "\\\\", "--", "++", "oo")
SOLID, DASHED = (0, ()), (0, (4, 2))


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something drawn in a panel; marks with the same label look alike in all panels."""

    label: str = ""
    tone: int | str | None = None

    def color(self, style: Style) -> str:
        """The colour in the theme that is chosen now."""
        return getattr(current(), self.tone) if isinstance(self.tone, str) else style.color

    def draw(self, axes: Axes, style: Style) -> None:
        """Put it on the axes."""
        raise NotImplementedError

    def handle(self, style: Style) -> Artist:
        """What stands for it in the legend."""
        return Patch(color=self.color(style), label=plain(self.label))

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The numbers drawn: (label, x, y)."""
        return iter(())


@dataclass(frozen=True, kw_only=True)
class Line(Mark):
    """A curve through points, with an optional band around it.

    Attributes:
        x: horizontal coordinates.
        y: vertical coordinates; NaN breaks the line.
        band: lower and upper edge of a shaded band.
        marked: a marker at every so many points; 0: none.
        dashes: matplotlib's, instead of those of the style.
        width: of the line, in points.
    """

    x: Any
    y: Any
    band: tuple[Any, Any] | None = None
    marked: int = 0
    dashes: Any = None
    width: float = 2.4

    def look(self, style: Style) -> dict[str, Any]:
        """Keywords of matplotlib's line."""
        dashes = self.dashes
        if dashes is None:
            dashes = SOLID if isinstance(self.tone, str) else style.linestyle
        marker = keywords(marker=style.marker, markevery=self.marked, ms=7) if self.marked else {}
        return keywords(color=self.color(style), linestyle=dashes, lw=self.width, **marker)

    def draw(self, axes: Axes, style: Style) -> None:
        """The line over its band."""
        if self.band is not None:
            look = keywords(color=self.color(style), alpha=0.22, lw=0)
            axes.fill_between(self.x, *self.band, **look)
        axes.plot(self.x, self.y, zorder=3, **self.look(style))

    def handle(self, style: Style) -> Artist:
        """A piece of the line."""
        return Line2D([], [], **self.look(style), label=plain(self.label))

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Its points; with a band, its edges too."""
        edges = () if self.band is None else self.band
        for x, *values in zip(self.x, self.y, *edges, strict=True):
            yield (self.label, x, *values)


@dataclass(frozen=True, kw_only=True)
class Points(Mark):
    """Single points, rimmed so that they stand out from lines."""

    x: Any
    y: Any
    marker: str = ""
    size: float = 9.0
    hollow: bool = False

    def look(self, style: Style) -> dict[str, Any]:
        """Keywords of matplotlib's line."""
        color, background = self.color(style), current().background
        face = background if self.hollow else color
        edge = color if self.hollow else background
        return keywords(
            ls="", marker=self.marker or style.marker, ms=self.size, mfc=face, mec=edge, mew=1.6
        )

    def draw(self, axes: Axes, style: Style) -> None:
        """The points, above lines."""
        axes.plot(np.atleast_1d(self.x), np.atleast_1d(self.y), zorder=5, **self.look(style))

    def handle(self, style: Style) -> Artist:
        """One point."""
        return Line2D([], [], **self.look(style), label=plain(self.label))

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The points."""
        for x, y in zip(np.atleast_1d(self.x), np.atleast_1d(self.y), strict=True):
            yield self.label, x, y


@dataclass(frozen=True, kw_only=True)
class Area(Mark):
    """The area between two curves over the same x."""

    x: Any
    low: Any
    high: Any

    def draw(self, axes: Axes, style: Style) -> None:
        """Shaded, hatched as its style says."""
        look = keywords(color=self.color(style), alpha=0.3, lw=0, zorder=1.5)
        axes.fill_between(self.x, self.low, self.high, **look)

    def handle(self, style: Style) -> Artist:
        """A patch of the shade."""
        return Patch(color=self.color(style), alpha=0.3, lw=0, label=plain(self.label))


@dataclass(frozen=True, kw_only=True)
class Polygon(Mark):
    """A shaded area between corners, in order."""

    x: Any
    y: Any

    def draw(self, axes: Axes, style: Style) -> None:
        """Shaded lightly, with an edge."""
        color = self.color(style)
        axes.fill(self.x, self.y, facecolor=to_rgba(color, 0.3), edgecolor=color, zorder=1.5)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """The corners."""
        yield from ((self.label, *at) for at in zip(self.x, self.y, strict=True))


@dataclass(frozen=True, kw_only=True)
class Bars(Mark):
    """Rectangles from a base to a height, side by side: a Riemann sum, a histogram.

    Attributes:
        edges: one more than the heights.
        heights: signed, from `base`.
        base: where they stand.
    """

    edges: Any
    heights: Any
    base: float = 0.0

    def draw(self, axes: Axes, style: Style) -> None:
        """Filled lightly, edges in full."""
        color, edges = self.color(style), np.asarray(self.edges, float)
        at = keywords(x=edges[:-1], height=self.heights, width=np.diff(edges), bottom=self.base)
        look = keywords(facecolor=color, alpha=0.3, align="edge", zorder=1.5)
        axes.bar(**at, **look)
        axes.bar(**at, facecolor="none", edgecolor=color, lw=0.9, align="edge", zorder=2)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Left edges and heights."""
        yield from ((self.label, *at) for at in zip(self.edges, self.heights, strict=False))


@dataclass(frozen=True, kw_only=True)
class Arrows(Mark):
    """Vectors (u, v) from points (x, y), in data units times `scale`."""

    x: Any
    y: Any
    u: Any
    v: Any
    scale: float = 1.0
    width: float = 0.005

    def draw(self, axes: Axes, style: Style) -> None:
        """Arrows with a rim."""
        u, v = np.asarray(self.u) * self.scale, np.asarray(self.v) * self.scale
        look = keywords(color=self.color(style), width=self.width, zorder=4)
        frame = keywords(angles="xy", scale_units="xy", scale=1)
        axes.quiver(self.x, self.y, u, v, **frame, **look, path_effects=halo(1.5))

    def handle(self, style: Style) -> Artist:
        """An arrow's head."""
        look = keywords(ls="-", marker=">", ms=8, color=self.color(style))
        return Line2D([], [], **look, label=plain(self.label))

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Where they start and what they are."""
        parts = (np.ravel(part) for part in (self.x, self.y, self.u, self.v))
        yield from ((self.label, *at) for at in zip(*parts, strict=True))


@dataclass(frozen=True, kw_only=True)
class Image(Mark):
    """Values over a rectangle: a scalar field, a signed one, or a map of categories.

    Attributes:
        x: columns' coordinates, increasing.
        y: rows' coordinates, increasing.
        values: (y, x); for categories whole numbers, -1 for none.
        kind: `linear`, `log`, `signed` (white at zero) or `categories`.
        names: of the categories, in order of their numbers.
        limits: lowest and highest value of the scale.
        behind: something is drawn over it, so it is pale.
    """

    x: Any
    y: Any
    values: Any
    kind: str = "linear"
    names: Sequence[str] = ()
    limits: tuple[float, float] | None = None
    behind: bool = False

    def extent(self) -> tuple[float, float, float, float]:
        """The edges of the outer pixels."""
        ends = []
        for axis in (np.asarray(self.x, float), np.asarray(self.y, float)):
            half = (axis[-1] - axis[0]) / (2 * max(len(axis) - 1, 1))
            ends += [axis[0] - half, axis[-1] + half]
        return tuple(ends)  # type: ignore[return-value]

    def colours(self) -> tuple[Colormap, Normalize]:
        """The map of colours, and how values lie on it."""
        if self.kind == "categories":
            tints = [Style(index).color for index in range(len(self.names))]
            borders = np.arange(len(tints) + 1) - 0.5
            return ListedColormap(tints), BoundaryNorm(borders, len(tints))
        values = np.asarray(self.values, float)
        finite = values[np.isfinite(values)]
        low, high = self.limits or (finite.min(), finite.max())
        if self.kind == "signed":
            top = max(abs(low), abs(high))
            return signed(), Normalize(-top, top)
        strength = None if self.behind else 1.0
        if self.kind == "log":
            low = self.limits[0] if self.limits else finite[finite > 0].min()
            return scalars(strength), LogNorm(low, high, clip=True)
        return scalars(strength), Normalize(low, high)

    def draw(self, axes: Axes, style: Style) -> None:
        """Pixels; categories are hatched too, so that they can be told apart without colour."""
        colours, norm = self.colours()
        values = np.asarray(self.values)
        shown = np.ma.masked_where(values < 0, values) if self.kind == "categories" else values
        shown = np.ma.masked_invalid(shown)
        axes.set_facecolor(current().void)
        axes.grid(False)
        step = max(1, max(values.shape) // 1000)
        frame = keywords(origin="lower", extent=self.extent(), aspect="auto", zorder=0.5)
        look = keywords(cmap=colours, norm=norm, interpolation="nearest", alpha=self._strength())
        axes.imshow(shown[::step, ::step], **look, **frame)
        if self.kind == "categories":
            self._hatch(axes, np.ma.filled(shown.astype(float), -1))

    def _strength(self) -> float | None:
        """How opaque the pixels of categories are; other kinds have pale colours of their own."""
        return 0.45 if self.behind and self.kind == "categories" else None

    def _hatch(self, axes: Axes, values: np.ndarray) -> None:
        step = max(1, max(values.shape) // 250)
        x, y = np.asarray(self.x)[::step], np.asarray(self.y)[::step]
        for index, hatch in enumerate(HATCHES[: len(self.names)]):
            inside = (values[::step, ::step] == index).astype(float)
            if hatch and inside.any():
                made = axes.contourf(x, y, inside, [0.5, 1.5], colors="none", hatches=[hatch])
                # An alpha of its own would fill the areas, which have no colour, with black.
                made.set(edgecolor=to_rgba(current().background, 0.55), linewidth=0)

    def handles(self) -> list[Artist]:
        """A patch for each category."""
        rim = current().background
        return [
            Patch(facecolor=to_rgba(Style(index).color, self._strength()), edgecolor=rim,
                  hatch=HATCHES[index % len(HATCHES)], label=plain(name))
            for index, name in enumerate(self.names)
        ]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Contours(Mark):
    """Lines along which values are equal."""

    x: Any
    y: Any
    values: Any
    levels: Any = 12
    width: float = 1.2
    numbered: bool = False
    dashes: str = "solid"

    def draw(self, axes: Axes, style: Style) -> None:
        """Thin lines, numbered if asked for."""
        color = current().muted if self.tone is None else self.color(style)
        look = keywords(colors=color, linewidths=self.width, zorder=1.8)
        look["linestyles"] = self.dashes
        made = axes.contour(self.x, self.y, self.values, self.levels, **look)
        if self.numbered:
            axes.clabel(made, fontsize=11, colors=current().text)

    def handle(self, style: Style) -> Artist:
        """A piece of a line."""
        color = current().muted if self.tone is None else self.color(style)
        look = keywords(color=color, lw=self.width, linestyle=self.dashes)
        return Line2D([], [], **look, label=plain(self.label))


@dataclass(frozen=True, kw_only=True)
class Guide(Mark):
    """A straight line right across: at `x`, or at `y`, or through `at` with `slope`.

    On two logarithmic axes, the slope is the power.
    """

    x: float | None = None
    y: float | None = None
    at: tuple[float, float] | None = None
    slope: float = 0.0
    tone: int | str | None = "text"

    def look(self, style: Style) -> dict[str, Any]:
        """Keywords of matplotlib's line."""
        return keywords(color=self.color(style), lw=1.6, linestyle=DASHED)

    def draw(self, axes: Axes, style: Style) -> None:
        """Dashed."""
        look = self.look(style) | keywords(zorder=2)
        if self.x is not None:
            axes.axvline(self.x, **look)
        if self.y is not None:
            axes.axhline(self.y, **look)
        if self.at is not None:
            (x, y), ends = self.at, np.array(axes.get_xlim())
            log = axes.get_xscale() == axes.get_yscale() == "log"
            values = y * (ends / x) ** self.slope if log else y + self.slope * (ends - x)
            axes.plot(ends, values, scalex=False, scaley=False, **look)

    def handle(self, style: Style) -> Artist:
        """A piece of the line."""
        return Line2D([], [], **self.look(style), label=plain(self.label))


@dataclass(frozen=True, kw_only=True)
class Note(Mark):
    """Words at a place (data coordinates), with a rim."""

    text: str
    x: float
    y: float
    across: str = "left"
    up: str = "bottom"
    tone: int | str | None = "text"

    def draw(self, axes: Axes, style: Style) -> None:
        """The words, a little off the place."""
        nudge = {"left": 6, "right": -6, "center": 0}[self.across]
        lift = {"bottom": 6, "top": -6, "center": 0}[self.up]
        offset = keywords(xytext=(nudge, lift), textcoords="offset points")
        look = keywords(color=self.color(style), path_effects=halo(), zorder=8)
        axes.annotate(
            plain(self.text), (self.x, self.y), ha=self.across, va=self.up, **offset, **look
        )


def signed() -> Colormap:
    """Blue below zero, orange above, the background at zero: safe for the colour-blind."""
    theme = current()
    ends = ("#0b5aa6", theme.background, "#b5500b") if theme.name == "light" else (
        "#5aa9f5", theme.background, "#ff9a4d")  # fmt: skip
    return LinearSegmentedColormap.from_list("signed", ends)

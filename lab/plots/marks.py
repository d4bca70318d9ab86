"""What a panel may hold: lines, points, areas, bars, arrows (see also `images` and `guides`).

A mark is data: labelled arrays and the look that they ask for. `chart` gives every label a style of
its own (colour, dashes, marker), so that no information is in colour alone. A `tone` chooses the
category itself, or `"text"` or `"muted"` for what is no category.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lab.plots.layout import halo, keywords
from lab.plots.styles import Style
from lab.plots.text import plain
from lab.plots.themes import current

SOLID, DASHED = (0, ()), (0, (4, 2))


@dataclass(frozen=True, kw_only=True)
class Mark(ABC):
    """Something drawn in a panel; marks with the same label look alike in all panels."""

    label: str = ""
    tone: int | str | None = None

    def color(self, style: Style) -> str:
        """The colour in the theme that is chosen now."""
        return getattr(current(), self.tone) if isinstance(self.tone, str) else style.color

    @abstractmethod
    def draw(self, axes: Axes, style: Style) -> None:
        """Put it on the axes."""

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

"""Marks that show values over a rectangle: images of numbers or categories, and contours."""

from collections.abc import Sequence
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

from lab.plots.layout import keywords
from lab.plots.marks import Mark
from lab.plots.styles import Style
from lab.plots.text import plain
from lab.plots.themes import current, scalars

HATCHES = ("", "//", "..", "xx", "\\\\", "--", "++", "oo")


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


def signed() -> Colormap:
    """Blue below zero, orange above, the background at zero: safe for the colour-blind."""
    theme = current()
    ends = ("#0b5aa6", theme.background, "#b5500b") if theme.name == "light" else (
        "#5aa9f5", theme.background, "#ff9a4d")  # fmt: skip
    return LinearSegmentedColormap.from_list("signed", ends)

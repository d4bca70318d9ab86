"""Marks that help to read a panel: straight lines right across, and words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lab.plots.layout import halo, keywords
from lab.plots.marks import DASHED, Mark
from lab.plots.styles import Style
from lab.plots.text import plain


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

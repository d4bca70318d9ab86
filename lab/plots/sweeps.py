"""One optimizer along one swept key: its losses, its success, and where it is good."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from lab.compare import GOOD, good_decades
from lab.plots.layout import Scale
from lab.plots.selection import along, quantile, success
from lab.plots.styles import Style, style_of


@dataclass(frozen=True)
class Sweep:
    """One optimizer along the axis.

    Attributes:
        label: Of the optimizer.
        style: Its look.
        scale: The swept values and where they stand.
        others: The other swept keys, in words.
        best: Place of the best value.
        lower: First quartile of the final excess loss.
        median: Its median.
        upper: Its third quartile.
        share: The share of successes.
        share_low: Lower end of its interval.
        share_high: Upper end of its interval.
        good: Which values are good.
        decades: How wide the good region is, for a logarithmic scale.
    """

    label: str
    style: Style
    scale: Scale
    others: str
    best: int
    lower: np.ndarray
    median: np.ndarray
    upper: np.ndarray
    share: np.ndarray
    share_low: np.ndarray
    share_high: np.ndarray
    good: np.ndarray
    decades: float

    @property
    def width(self) -> str:
        """The width of the good region in words."""
        if not self.good.any():
            return "no success"
        if self.scale.kind == "log" and self.decades > 0:
            return f"{self.decades:.1f} decades"
        return f"{self.good.sum()} of {len(self.good)} good"

    def regions(self) -> list[tuple[float, float]]:
        """Where the good values are, as intervals of the axis."""
        edges = self.scale.edges()
        edges[[0, -1]] = self.scale.positions[[0, -1]] if len(self.good) > 1 else edges[[0, -1]]
        change = np.flatnonzero(np.diff(np.concatenate([[0], self.good.astype(int), [0]])))
        return [(edges[first], edges[last]) for first, last in change.reshape(-1, 2)]


def sweep_of(
    label: str,
    summary: xr.Dataset,
    axis: str,
    summaries: Mapping[str, xr.Dataset],
    styles: Mapping[str, Style] | None,
) -> Sweep:
    """The line through a summary along the axis, other keys at their best."""
    summary = summary.sortby(axis)
    line, best, others = along(summary, axis)
    lower, median, upper = (quantile(line, "final_loss_quantile", at) for at in (0.25, 0.5, 0.75))
    hits = success(line)
    share, low, high = (hits[name].values for name in ("share", "low", "high"))
    scale = Scale(axis, line[axis].values)
    good = (share >= GOOD * share.max()) & (share > 0)
    decades = good_decades(summary, axis) if scale.kind == "log" else 0.0
    look = style_of(label, summaries, styles)
    losses, shares = (lower, median, upper), (share, low, high)
    return Sweep(label, look, scale, others, best, *losses, *shares, good, decades)

"""Where things stand on a figure: panels, axes that suit their values, and one legend below."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator

from lab.plots.figure import PADS, SIZE, Figure
from lab.plots.text import number, plain, short, words
from lab.plots.themes import current

TINY, HUGE = 1e-300, 1e300
BEHIND = 0.5  # opacity of what is drawn behind for comparison


def keywords(**given: Any) -> dict[str, Any]:
    """Arguments that several calls share."""
    return given


def halo(width: float = 3.0) -> list[AbstractPathEffect]:
    """A rim in the background's colour, so that text and marks stand out from lines."""
    return [withStroke(linewidth=width, foreground=current().background)]


def grid(count: int) -> tuple[int, int]:
    """Rows and columns for so many panels: one row up to four, at most five columns."""
    rows = 1 if count <= 4 else max(2, math.ceil(count / 5))
    return rows, math.ceil(count / rows)


def height(rows: int, of_a_row: float = 2.4) -> float:
    """The height of a figure in inches: 16:9, and more only if more than two rows need it."""
    return SIZE[1] + of_a_row * max(0, rows - 2)


def square_height(rows: int) -> float:
    """The height of a figure of images, which shrink with their height: more for each row."""
    return SIZE[1] + 1.9 * (rows - 1)


def panels(figure: Figure, count: int) -> list[Axes]:
    """So many axes with shared scales, labelled only at the outside of their grid."""
    rows, columns = grid(count)
    made: list[Axes] = []
    for index in range(count):
        shared = made[0] if made else None
        axes = figure.add_subplot(rows, columns, index + 1, sharex=shared, sharey=shared)
        made.append(axes)
        inside(axes, index, count)
    return made


def inside(axes: Axes, index: int, count: int) -> None:
    """Tick labels only in the first column and below the last panel of each column."""
    _, columns = grid(count)
    axes.tick_params(labelleft=index % columns == 0, labelbottom=index + columns >= count)


def entitle(axes: Axes, label: str, *lines: str, columns: int = 1) -> None:
    """The label in bold above the axes, and under it further lines as they fit."""
    kept = [short(line, 80 // columns) for line in lines if line]
    size = float(axes.title.get_fontsize())
    axes.set_title(short(label, 60 // columns), pad=6 + 1.25 * size * len(kept))
    if kept:
        place = keywords(
            xycoords="axes fraction", textcoords="offset points", annotation_clip=False
        )
        axes.annotate("\n".join(kept), (0, 1), xytext=(0, 5), va="bottom", **place)


def legend(figure: Figure, handles: Sequence[Any], columns: int | None = None, **more: Any) -> None:
    """One legend below everything (or where `loc` says), over no data."""
    labels = sum(len(handle.get_label()) + 6 for handle in handles)
    columns = columns or math.ceil(len(handles) / math.ceil(labels / 88))
    where = {"loc": "outside lower center"} | more
    figure.legend(handles=handles, ncols=columns, **where)


def compress(figure: Figure) -> None:
    """Close the gaps that a fixed aspect leaves between panels."""
    figure.set_layout_engine(ConstrainedLayoutEngine(**PADS, compress=True, rect=(0, 0, 1, 0.985)))


class Scale:
    """How swept values lie on an axis: logarithmic, linear, or one place a word.

    Attributes:
        kind: `log` (positive values over more than a decade), `linear` or `words`.
        positions: Where each value stands.
    """

    def __init__(self, key: str, values: Any):
        """The scale that suits the values of a swept key."""
        self.key = key
        self.values = np.asarray(values)
        numeric = self.values.dtype.kind in "iuf"
        wide = numeric and self.values.min() > 0 and self.values.max() >= 10 * self.values.min()
        self.kind = ("log" if wide else "linear") if numeric else "words"
        self.positions = self.values.astype(float) if numeric else np.arange(len(self.values)) * 1.0

    def apply(self, axes: Axes, ticks: int = 5) -> None:
        """Give the x axis of the axes this scale, with about so many ticks."""
        low, high = self.edges()[[0, -1]]
        if self.kind == "log":
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(numticks=ticks))
            axes.xaxis.set_minor_locator(NullLocator())
        elif self.kind == "linear":
            axes.xaxis.set_major_locator(MaxNLocator(ticks - 1))
        else:
            axes.xaxis.set_major_locator(FixedLocator(self.positions.tolist()))
            axes.set_xticks(self.positions, [plain(number(v)) for v in self.values.tolist()])
        axes.set_xlim(low, high)

    def edges(self) -> np.ndarray:
        """The borders between the values, halfway on this scale: one more than the values."""
        at = np.log10(self.positions) if self.kind == "log" else self.positions
        step = np.diff(at) if len(at) > 1 else np.array([1.0])
        edges = np.concatenate([[at[0] - step[0] / 2], at[:-1] + step / 2, [at[-1] + step[-1] / 2]])
        half = 0.5 * (abs(at[0]) if self.kind == "linear" and at[0] else 1.0)
        edges = edges if len(at) > 1 else np.array([at[0] - half, at[0] + half])
        return 10**edges if self.kind == "log" else edges

    @property
    def label(self) -> str:
        """The axis label."""
        return plain(words(self.key))


def within_reach(values: Any, medians: Any) -> np.ndarray:
    """Positive values moved to within reach of the medians, so that they do not press these flat.

    Within reach is, on either side, half as far as the medians themselves spread (in decades), a
    factor of 2 at least and of 30 at most.
    """
    values, medians = (np.asarray(given, float) for given in (values, medians))
    known = medians[np.isfinite(medians) & (medians > TINY) & (medians < HUGE)]
    if not known.size:
        return values
    low, high = np.log10(known.min()), np.log10(known.max())
    reach = np.clip((high - low) / 2, math.log10(2), math.log10(30))
    ends = 10.0 ** np.clip([low - reach, high + reach], -307, 307)
    return np.where(np.isfinite(values) & (values > 0), np.clip(values, *ends), values)


def near(others: Sequence[float], values: Any) -> list[float]:
    """The others that are no further from the positive values than these spread, in decades.

    An axis over both then has at least a third of its length for the values.
    """
    values = np.asarray(values, float)
    kept = values[np.isfinite(values) & (values > TINY) & (values < HUGE)]
    if not kept.size:
        return list(others)
    low, high = np.log10(kept.min()), np.log10(kept.max())
    reach = max(high - low, math.log10(2))
    return [each for each in others if low - reach <= np.log10(each) <= high + reach]


def log_limits(
    axes: Axes, values: Any, also: Sequence[float] = (), below: float = 0.06, ticks: int = 6
) -> tuple[float, float]:
    """A logarithmic y axis over the positive finite values: a factor of 2 at least, with air."""
    values = np.concatenate([np.ravel(np.asarray(values, float)), np.asarray(also, float)])
    kept = values[np.isfinite(values) & (values > TINY) & (values < HUGE)]
    low, high = (np.log10(kept.min()), np.log10(kept.max())) if kept.size else (-1.0, 0.0)
    lacking = max(0.0, math.log10(2) - (high - low))
    low, high = low - lacking / 2, high + lacking / 2
    room = high - low
    limits = (10.0 ** max(low - below * room, -307), 10.0 ** min(high + 0.12 * room, 307))
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(NullLocator())
    _log_ticks(axes, limits, ticks)
    axes.set_ylim(*limits)
    if not kept.size:
        axes.yaxis.set_major_locator(NullLocator())
    return limits


def _log_ticks(axes: Axes, limits: tuple[float, float], ticks: int) -> None:
    """Powers of ten where there are three; else what is round between the limits, in numbers."""
    # LogLocator overflows near the largest floats; these ticks stay within the limits.
    powers = np.arange(np.ceil(np.log10(limits[0])), np.floor(np.log10(limits[1])) + 1)
    if len(powers) > 2:
        every = max(1, math.ceil(len(powers) / (ticks - 1)))
        axes.yaxis.set_major_locator(FixedLocator((10.0 ** powers[powers % every == 0]).tolist()))
        return
    decades = 10.0 ** np.arange(np.floor(np.log10(limits[0])), np.ceil(np.log10(limits[1])))
    choices = [np.outer(decades, heads).ravel() for heads in ((1, 2, 5), (1, 3), (1,))]
    choices = [at[(at >= limits[0]) & (at <= limits[1])] for at in choices]
    fitting = [at for at in choices if 2 <= len(at) < ticks]
    even = np.asarray(MaxNLocator(ticks - 2).tick_values(*limits))[1:-1]
    chosen = fitting[0] if fitting else even
    axes.set_yticks(chosen, [number(value) for value in chosen.tolist()])


def shown(values: Any, limits: tuple[float, float]) -> np.ndarray:
    """Values fit to be drawn: +inf is missing (the line breaks), zero is at the bottom edge."""
    values = np.asarray(values, float)
    return np.where(np.isfinite(values), np.clip(values, limits[0], None), np.nan)

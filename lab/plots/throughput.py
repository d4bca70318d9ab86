"""Who is how fast: ratios to the lab with their quartiles, and shares of the arithmetic peak."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
)

from lab.plots.figure import Figure
from lab.plots.layout import height, keywords, legend
from lab.plots.styles import Style, styles
from lab.plots.text import number, percent, plain, short
from lab.plots.themes import current, themed

ROW_HEIGHT = 0.42  # inches
STEPS = (1.0, 2.0, 5.0)
"""Ticks of each decade."""


@themed
def ratios(ratios: xr.DataArray, *, title: str | None = None) -> Figure:
    """One dot a task and peer: how many times the lab's time it takes; bars are quartiles.

    Args:
        ratios: (task, contender, quantile) with the quantiles 0.25, 0.5 and 0.75; NaN is not drawn.
        title: What the figure shows, if not the general words.
    """
    tasks, names = ratios.task.values.tolist(), ratios.contender.values.tolist()
    looks = styles(names)
    figure = Figure(title or "How many times as fast the lab is", height=_height(len(tasks)))
    axes = figure.add_subplot()
    for index, name in enumerate(names):
        shift = 0.6 * ((index + 0.5) / len(names) - 0.5)
        _dots(axes, ratios.sel(contender=name).values, shift, looks[name])
    axes.axvline(1, color=current().text, linewidth=1.2, zorder=1)
    _ticks(axes, ratios.values)
    _name_rows(axes, tasks)
    axes.set_xlabel("time a lane-step over the lab's (right of 1 the lab is faster)")
    legend(figure, [_handle(name, looks[name]) for name in names])
    return _tell_ratios(figure, ratios)


def _height(rows: int) -> float:
    return max(height(1), 2.0 + ROW_HEIGHT * rows)


def _dots(axes: Axes, quartiles: np.ndarray, shift: float, style: Style) -> None:
    places = np.arange(len(quartiles))[::-1] - shift
    low, middle, high = quartiles.T
    axes.hlines(places, low, high, color=style.color, linewidth=2.4)
    axes.plot(middle, places, style.marker, color=style.color, linestyle="none")


def _ticks(axes: Axes, values: np.ndarray) -> None:
    """A logarithmic axis with plain numbers, 1 always in it."""
    kept = values[np.isfinite(values)]
    low, high = min(1.0, *kept, 1.0) / 1.3, max(1.0, *kept, 1.0) * 1.3
    decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    steps = STEPS if high / low < 300 else STEPS[:1]
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(value)}×"))
    axes.set_xlim(low, high)


def _name_rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(np.arange(len(names))[::-1], [short(name, 44) for name in names])
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(False, axis="y")


def _handle(name: str, style: Style) -> Line2D:
    look = keywords(color=style.color, marker=style.marker, linestyle="none")
    return Line2D([], [], label=plain(name), **look)


def _tell_ratios(figure: Figure, ratios: xr.DataArray) -> Figure:
    rows = [
        (task, name, *(number(v) for v in ratios.sel(task=task, contender=name).values))
        for task in ratios.task.values.tolist()
        for name in ratios.contender.values.tolist()
        if np.isfinite(ratios.sel(task=task, contender=name)).all()
    ]
    said = [f"{task}: {name} {middle} ({low} to {high})" for task, name, low, middle, high in rows]
    caption = (
        "One dot is one contender on one task: its time a lane-step over the lab's in the same "
        "round, median over rounds; the bar joins the quartiles. Compiling is not counted."
    )
    return figure.tell(
        caption=caption,
        alt="Ratios of time to the lab's. " + "; ".join(said) + ".",
        columns=("task", "contender", "lower quartile", "median", "upper quartile"),
        rows=rows,
    )


@themed
def shares(shares: Mapping[str, float], *, title: str | None = None) -> Figure:
    """One bar a task: the lab's arithmetic as a share of what the cores can do.

    Args:
        shares: task -> share.
        title: What the figure shows, if not the general words.
    """
    names, values = list(shares), np.array(list(shares.values()))
    figure = Figure(title or "Share of the arithmetic peak", height=_height(len(names)))
    axes = figure.add_subplot()
    places = np.arange(len(names))[::-1]
    axes.barh(places, values, 0.62, color=Style(0).color)
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            percent(float(value)),
            (value, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
        )
    _name_rows(axes, names)
    axes.set_xlim(0, 1.18 * max(values, default=1.0))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("share of the peak of multiply-adds")
    said = [f"{name} {percent(float(value))}" for name, value in shares.items()]
    return figure.tell(
        caption="One bar is one task: operations a step, as XLA counts them before it optimizes "
        "(sines and exponentials not counted), times lane-steps a second, over the rate of a "
        "loop of multiply-adds in registers on the same cores.",
        alt="Shares of the arithmetic peak. " + "; ".join(said) + ".",
        columns=("task", "share"),
        rows=list(shares.items()),
    )

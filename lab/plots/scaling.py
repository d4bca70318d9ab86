"""How speed and memory go with size: lane-steps a second against lanes, steps, dimension, cores."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lab.plots.figure import Figure
from lab.plots.layout import Scale, entitle, grid, height, keywords, legend, log_limits, panels
from lab.plots.styles import Style, styles
from lab.plots.text import number, plain
from lab.plots.themes import themed

BAND = 0.2  # opacity of the quartiles
MEGABYTE = 1e6


@themed
def scaling(lines: Mapping[str, xr.DataArray], axis: str, *, title: str | None = None) -> Figure:
    """Lane-steps a second against one size; one panel a kind of task, one line a contender.

    Args:
        lines: kind -> (contender, axis, quantile) with the quantiles 0.25, 0.5 and 0.75; NaN where
            a contender did not take part.
        axis: The size on the x axis: lanes, steps, dimension, cores.
        title: What the figure shows, if not the general words.
    """
    names = list(dict.fromkeys(n for line in lines.values() for n in line.contender.values))
    looks, (rows, columns) = styles(names), grid(len(lines))
    figure = Figure(title or f"How speed goes with {axis}", height=height(rows))
    everything = np.concatenate([line.values.ravel() for line in lines.values()])
    kinds = zip(panels(figure, len(lines)), lines.items(), strict=True)
    for index, (axes, (kind, line)) in enumerate(kinds):
        for name in line.contender.values.tolist():
            _line(axes, line.sel(contender=name).transpose("quantile", axis), axis, looks[name])
        Scale(axis, line[axis].values).apply(axes)
        log_limits(axes, everything)
        entitle(axes, kind, columns=columns)
        if index % columns == 0:
            axes.set_ylabel("lane-steps a second")
        if index + columns >= len(lines):
            axes.set_xlabel(axis)
    legend(figure, [_handle(name, looks[name]) for name in names])
    return _tell(figure, lines, axis)


def _line(axes: Axes, quartiles: xr.DataArray, axis: str, style: Style) -> None:
    low, middle, high = quartiles.values
    x = quartiles[axis].values
    axes.fill_between(x, low, high, color=style.color, alpha=BAND, linewidth=0)
    look = keywords(color=style.color, linestyle=style.linestyle, marker=style.marker)
    axes.plot(x, middle, **look)


def _handle(name: str, style: Style) -> Line2D:
    look = keywords(color=style.color, linestyle=style.linestyle, marker=style.marker)
    return Line2D([], [], label=plain(name), **look)


def _tell(figure: Figure, lines: Mapping[str, xr.DataArray], axis: str) -> Figure:
    rows, said = [], []
    for kind, line in lines.items():
        for name in line.contender.values.tolist():
            one = line.sel(contender=name).transpose(axis, "quantile").dropna(axis)
            sizes = one[axis].values.tolist()
            rows += [(kind, name, n, *v) for n, v in zip(sizes, one.values.tolist(), strict=True)]
            ends = [f"{number(one.values[i, 1])} at {sizes[i]}" for i in (0, -1)] if sizes else []
            said.append(f"{kind}, {name}: {' and '.join(ends)}")
    caption = (
        f"One dot is one contender at one number of {axis}: lane-steps a second, median over "
        "rounds; the band joins the quartiles. Compiling is not counted."
    )
    return figure.tell(
        caption=caption,
        alt=f"Lane-steps a second against {axis}. " + "; ".join(said) + ".",
        columns=("task", "contender", axis, "lower quartile", "median", "upper quartile"),
        rows=rows,
    )


@themed
def memory(peak: xr.DataArray, *, title: str | None = None) -> Figure:
    """Peak memory of a process against its lanes.

    Args:
        peak: (lanes) in bytes.
        title: What the figure shows, if not the general words.
    """
    lanes, megabytes = peak.lanes.values, peak.values / MEGABYTE
    figure = Figure(title or "Memory stays as lanes grow")
    axes = figure.add_subplot()
    axes.plot(lanes, megabytes, color=Style(0).color, marker=Style(0).marker)
    Scale("lanes", lanes).apply(axes)
    axes.set_ylim(0, 1.2 * megabytes.max())
    axes.set_xlabel("lanes")
    axes.set_ylabel("peak memory, MB")
    rows = list(zip(lanes.tolist(), megabytes.tolist(), strict=True))
    said = ", ".join(f"{number(mb)} MB at {n:,} lanes" for n, mb in rows)
    return figure.tell(
        caption="One dot is one process that runs so many lanes and keeps counts across starts "
        "only: the most memory it held, libraries included.",
        alt=f"Peak memory against lanes: {said}.",
        columns=("lanes", "peak memory, MB"),
        rows=rows,
    )

"""How much the choice of a hyperparameter matters: final loss and success along one swept key."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from lab.plots.figure import Figure
from lab.plots.layout import (
    BEHIND,
    Scale,
    entitle,
    grid,
    halo,
    height,
    inside,
    keywords,
    legend,
    log_limits,
    shown,
    within_reach,
)
from lab.plots.styles import Style
from lab.plots.sweeps import GOOD, Sweep, sweep_of
from lab.plots.text import listed, number, percent, plain, short, words
from lab.plots.themes import current, themed

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)  # where the share axis may end


@themed
def sensitivity(
    summaries: Mapping[str, xr.Dataset],
    axis: str = "learning_rate",
    *,
    title: str | None = None,
    styles: Mapping[str, Style] | None = None,
) -> Figure:
    """Final loss and success share along a swept key, one panel an optimizer.

    Args:
        summaries: One a label, as `lab.compare.summarize` makes them. Those that do not sweep
            the axis are left out and named in the caption.
        axis: The swept key. Other swept keys are held at their best values.
        title: What the figure shows, if not the general words.
        styles: The look of each label; by order if not given.
    """
    sweeps = [
        sweep_of(k, v, axis, summaries, styles) for k, v in summaries.items() if axis in v.dims
    ]
    if not sweeps:
        raise ValueError(f"no optimizer sweeps {axis!r}")
    rows, columns = grid(len(sweeps))
    figure = Figure(title or f"How much the {words(axis)} matters", height=height(rows))
    cells = figure.add_gridspec(
        2 * rows, columns, height_ratios=([3, 1.2] if rows == 1 else [3, 1.7]) * rows
    )
    top: Axes | None = None
    highest = max(float(np.max(sweep.share_high)) for sweep in sweeps)
    top_share = next(share for share in SHARES if share >= min(highest, 1.0))
    for index, sweep in enumerate(sweeps):
        row, column = divmod(index, columns)
        upper = figure.add_subplot(cells[2 * row, column], sharex=top, sharey=top)
        top = top or upper
        lower = figure.add_subplot(cells[2 * row + 1, column], sharex=top)
        _common_x(upper, sweeps, columns)
        _losses(upper, sweep, sweeps, rows)
        _shares(lower, sweep, top_share)
        entitle(upper, sweep.label, sweep.others, columns=columns)
        width = sweep.width.replace("decades", "dec.") if columns > 3 else sweep.width
        upper.set_title(plain(width), loc="right", fontweight="normal", pad=6)
        upper.tick_params(labelbottom=False, labelleft=column == 0)
        inside(lower, index, len(sweeps))
        if column == 0:
            upper.set_ylabel("excess loss" if rows == 1 else "loss")
            lower.set_ylabel("success")
        if index + columns >= len(sweeps):
            lower.set_xlabel(short(sweep.scale.label, 70 // columns))
    legend(figure, _handles(sweeps))
    return _tell(figure, sweeps, axis, summaries)


def _common_x(axes: Axes, sweeps: list[Sweep], columns: int) -> None:
    """One x axis over all that is swept."""
    values = [sweep.scale.values for sweep in sweeps]
    union = np.unique(np.concatenate(values)) if sweeps[0].scale.kind != "words" else values[0]
    Scale(sweeps[0].scale.key, union).apply(axes, ticks=5 if columns < 3 else 4)


def _losses(axes: Axes, sweep: Sweep, sweeps: list[Sweep], rows: int) -> None:
    x = sweep.scale.positions
    finite = np.concatenate([np.concatenate([s.lower, s.median, s.upper]) for s in sweeps])
    medians = np.concatenate([s.median for s in sweeps])
    limits = log_limits(
        axes, within_reach(finite, medians), below=0.14 if rows == 1 else 0.25, ticks=7 - rows
    )
    for other in sweeps:
        if other is not sweep:
            line = shown(other.median, limits)
            axes.plot(
                other.scale.positions, line, color=current().muted, lw=2, alpha=BEHIND, zorder=1.5
            )
    upper = np.where(np.isfinite(sweep.upper), sweep.upper, limits[1])
    band = keywords(alpha=0.28, linewidth=0, zorder=2)
    axes.fill_between(
        x,
        shown(sweep.lower, limits),
        np.clip(upper, *limits),
        where=np.isfinite(sweep.lower),
        color=sweep.style.color,
        **band,
    )
    axes.plot(x, shown(sweep.median, limits), color=sweep.style.color, zorder=3, **_single(x))
    lost = ~np.isfinite(sweep.median)
    high = axes.get_xaxis_transform()
    some = x[lost][:: max(1, len(x) * grid(len(sweeps))[1] // 40)]
    axes.plot(some, np.full(len(some), 0.96), "x", color=current().text, ms=6, transform=high)
    if lost.all():
        said = keywords(transform=axes.transAxes, ha="center", path_effects=halo())
        axes.text(0.5, 0.5, "diverged", **said)
    else:
        _mark_best(axes, sweep, limits)


def _single(x: np.ndarray) -> dict[str, Any]:
    """A line of one point needs a marker to be seen."""
    return {"marker": "o"} if len(x) == 1 else {}


def _across(axes: Axes, x: float) -> float:
    """How far across the axes a value stands: 0 at the left, 1 at the right."""
    return axes.transAxes.inverted().transform(axes.get_xaxis_transform().transform((x, 0)))[0]


def _mark_best(axes: Axes, sweep: Sweep, limits: tuple[float, float]) -> None:
    x, y = sweep.scale.positions[sweep.best], shown(sweep.median, limits)[sweep.best]
    y = y if np.isfinite(y) else limits[1]  # at the top: the median run diverged
    face = keywords(color=sweep.style.color, mec=current().text, mew=1.2, ms=11, zorder=5)
    axes.plot([x], [y], sweep.style.marker, clip_on=False, **face)
    across = _across(axes, x)
    side = "left" if across < 0.15 else "right" if across > 0.85 else "center"
    said = keywords(textcoords="offset points", ha=side, va="top", fontweight="bold", zorder=6)
    value = number(sweep.scale.values[sweep.best])
    axes.annotate(value, (x, y), xytext=(0, -8), path_effects=halo(), **said)


def _shares(axes: Axes, sweep: Sweep, top: float) -> None:
    x, color = sweep.scale.positions, sweep.style.color
    regions = sweep.regions()
    for low, high in regions:
        axes.axvspan(low, high, color=current().grid, lw=0, zorder=0.5)
    band = keywords(color=color, alpha=0.3, linewidth=0)
    axes.fill_between(x, sweep.share_low, sweep.share_high, **band)
    axes.plot(x, sweep.share, color=color, **_single(x))
    axes.set_ylim(-0.06 * top, 1.12 * top)
    axes.set_yticks([0, top])
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _handles(sweeps: list[Sweep]) -> list[Artist]:
    text = current().text
    lost = [Line2D([], [], ls="", marker="x", color=text, ms=7, label="diverged")]
    others = [Line2D([], [], color=current().muted, alpha=BEHIND, lw=2, label="others")]
    return [
        Line2D([], [], color=text, label="median"),
        Patch(color=text, alpha=0.28, lw=0, label="middle half"),
        Line2D([], [], ls="", marker="o", color=text, ms=10, label="best"),
        Patch(color=current().grid, label="good"),
        *(lost if any(not np.isfinite(sweep.median).all() for sweep in sweeps) else []),
        *(others if len(sweeps) > 1 else []),
    ]


def _tell(
    figure: Figure, sweeps: list[Sweep], axis: str, given: Mapping[str, xr.Dataset]
) -> Figure:
    name = words(axis)
    targets = [data["target"].values for data in given.values() if data.sizes.get("target", 0)]
    reached = f"came within {number(targets[0].min())} of the minimum" if targets else "converged"
    left_out = [label for label in given if label not in {sweep.label for sweep in sweeps}]
    caption = (
        f"One point of a line is one {name}, over all its starts and seeds. Above: the final loss "
        "over the known minimum, median and middle half; the line breaks off where the median run "
        "diverged or left the domain (x at the top); what is lower lies on the lower edge. Below: "
        f"the share of runs that {reached}, with its 95 % Wilson interval. Best is the "
        "fastest, in expected steps, of the rates whose share lies within the interval of the "
        "largest; without success, the lowest median. Good (shaded) "
        f"is every {name} whose share is at least {GOOD} of the best one."
    )
    caption += f" Not swept, so not shown: {listed(left_out)}." if left_out else ""
    rows = [row for sweep in sweeps for row in _rows(sweep)]
    columns = (
        *("label", axis, "others", "median", "quartile 1", "quartile 3"),
        *("success", "success low", "success high", "good"),
    )
    alt = f"Final excess loss, and share of runs that {reached}, against the {name}. "
    return figure.tell(
        caption=caption, alt=alt + " ".join(map(_said, sweeps)), columns=columns, rows=rows
    )


def _said(sweep: Sweep) -> str:
    name = words(sweep.scale.key)
    if not np.isfinite(sweep.median).any():
        return f"{sweep.label}: the median run diverged at every {name}."
    best = number(sweep.scale.values[sweep.best])
    text = f"{sweep.label}: best {name} {best}"
    text += f" with {sweep.others}" if sweep.others else ""
    text += f", median excess loss {number(sweep.median[sweep.best])}"
    if not sweep.good.any():
        return text + ", no success."
    first, last = (number(value) for value in sweep.scale.values[sweep.good][[0, -1]])
    text += f", success {percent(float(sweep.share[sweep.best]))}, "
    width = f"good over {sweep.width}" if sweep.scale.kind == "log" else sweep.width
    return f"{text}{width} ({f'{first} to {last}' if first != last else f'only {first}'})."


def _rows(sweep: Sweep) -> list[tuple[object, ...]]:
    values = (sweep.median, sweep.lower, sweep.upper)
    shares = (sweep.share, sweep.share_low, sweep.share_high)
    rows = []
    for i, value in enumerate(sweep.scale.values):
        measured = (v[i] for v in (*values, *shares))
        good = "yes" if sweep.good[i] else "no"
        rows.append((sweep.label, value, sweep.others or "-", *measured, good))
    return rows

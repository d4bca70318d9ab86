"""How runs end: the shares of the six outcomes, along one swept key or side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from lab.plots.figure import Figure
from lab.plots.layout import Scale, entitle, grid, height, keywords, legend, panels
from lab.plots.selection import along
from lab.plots.styles import OUTCOMES, Style
from lab.plots.text import number, percent, short, words
from lab.plots.themes import current, themed


@themed
def outcomes(
    summaries: Mapping[str, xr.Dataset],
    axis: str | None = "learning_rate",
    *,
    title: str | None = None,
) -> Figure:
    """Shares of the outcomes, stacked, over a swept key; one panel an optimizer.

    Args:
        summaries: One a label, as `lab.compare.summarize` makes them. Those that do not sweep
            the axis show one share throughout.
        axis: The swept key; None, or a key that nobody sweeps, gives one bar an optimizer.
        title: What the figure shows, if not the general words.
    """
    lines = {label: along(data, axis or "") for label, data in summaries.items()}
    swept = [line[axis].values for line, _, _ in lines.values() if axis in line.dims]
    rows = grid(len(lines))[0] if swept else 1
    figure = Figure(title or "How the runs end", height=height(rows))
    if swept:
        scale = _union(str(axis), swept)
        _areas(figure, lines, scale)
    else:
        _bars(figure, {label: line for label, (line, _, _) in lines.items()})
    legend(figure, [_patch(name) for name in _occurring(lines)])
    return _tell(figure, lines, axis if swept else None)


def _union(axis: str, values: list[np.ndarray]) -> Scale:
    kinds = {Scale(axis, value).kind for value in values}
    return Scale(axis, values[0] if "words" in kinds else np.unique(np.concatenate(values)))


def _shares(line: xr.Dataset) -> dict[str, np.ndarray]:
    """The shares of each outcome, along the axis if there is one."""
    shares = line["outcome_share"].transpose("outcome", ...)
    kept = {str(name): shares.sel(outcome=name).values for name in shares["outcome"].values}
    return {name: np.atleast_1d(kept.get(name, 0.0 * shares.values[0])) for name in OUTCOMES}


def _occurring(lines: Mapping[str, tuple[xr.Dataset, int, str]]) -> list[str]:
    """The outcomes that some run has, in the order in which they are stacked."""
    shares = [_shares(line) for line, _, _ in lines.values()]
    return [name for name in OUTCOMES if any(share[name].any() for share in shares)]


def _look(outcome: str) -> dict[str, Any]:
    category, hatch = OUTCOMES[outcome]
    face = Style(category).color
    lines = 0.5 * np.array(to_rgb(face)) + 0.5 * np.array(to_rgb(current().background))
    return keywords(facecolor=face, hatch=hatch, edgecolor=tuple(lines.tolist()), linewidth=0)


def _patch(outcome: str) -> Patch:
    return Patch(label=words(outcome), **_look(outcome))


def _areas(figure: Figure, lines: Mapping[str, tuple[xr.Dataset, int, str]], scale: Scale) -> None:
    columns = grid(len(lines))[1]
    drawn = zip(panels(figure, len(lines)), lines.items(), strict=True)
    for index, (axes, (label, (line, _, others))) in enumerate(drawn):
        _stack(axes, line, scale)
        scale.apply(axes, ticks=5 if columns < 3 else 4)
        axes.set_ylim(0, 1)
        axes.set_yticks([0, 0.5, 1])
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.grid(False)
        entitle(axes, label, others, columns=columns)
        if index % columns == 0:
            axes.set_ylabel("share of runs")
        if index + columns >= len(lines):
            axes.set_xlabel(short(scale.label, 70 // columns))


def _stack(axes: Axes, line: xr.Dataset, scale: Scale) -> None:
    """Steps from edge to edge, so that each setting is one column of its own width."""
    ours = Scale(scale.key, line[scale.key].values) if scale.key in line.dims else None
    edges = ours.edges() if ours else scale.edges()[[0, -1]]
    floor = np.zeros(len(edges))
    for name, share in _shares(line).items():
        top = floor + np.append(share, share[-1])
        if share.any():
            axes.fill_between(edges, floor, top, step="post", **_look(name))
        floor = top


def _bars(figure: Figure, lines: Mapping[str, xr.Dataset]) -> None:
    axes = figure.add_subplot()
    places = np.arange(len(lines))[::-1]
    left = np.zeros(len(lines))
    for name in OUTCOMES:
        share = np.array([_shares(line)[name][0] for line in lines.values()])
        axes.barh(places, share, 0.66, left=left, **_look(name))
        for place, start, width in zip(places, left, share, strict=True):
            if width > 0.12:
                box = keywords(
                    boxstyle="round,pad=0.2", fc=current().background, ec="none", alpha=0.9
                )
                said = keywords(ha="center", va="center", bbox=box)
                axes.text(start + width / 2, place, percent(float(width)), **said)
        left = left + share
    axes.set_yticks(places, [short(label, 26) for label in lines])
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlabel("share of runs")
    axes.set_ylabel("optimizer")
    axes.grid(False)


def _tell(
    figure: Figure, lines: Mapping[str, tuple[xr.Dataset, int, str]], axis: str | None
) -> Figure:
    what = f"One column of an area is one {words(axis)}" if axis else "One bar is one optimizer"
    caption = f"{what}; its parts are the shares of its runs that ended in each way."
    if any(others for _, _, others in lines.values()):
        caption += " Other swept settings are held at their best values."
    rows, said = [], []
    for label, (line, best, _) in lines.items():
        shares = _shares(line)
        values = line[axis].values if axis in line.dims else ["-"]
        rows += [(label, v, *(s[i] for s in shares.values())) for i, v in enumerate(values)]
        at = best if axis in line.dims else 0
        where = f" at its best {words(str(axis))}, {number(values[at])}" if len(values) > 1 else ""
        parts = [f"{words(k)} {percent(float(v[at]))}" for k, v in shares.items() if v[at] > 0]
        said.append(f"{label}{where}: {', '.join(parts)}.")
    alt = "Shares of the ways in which runs end. " + " ".join(said)
    return figure.tell(
        caption=caption, alt=alt, columns=("label", axis or "setting", *OUTCOMES), rows=rows
    )

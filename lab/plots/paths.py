"""The ways that optimizers take: replayed paths over the loss that they descend."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lab.plots.clipping import clip
from lab.plots.fields import Field, star
from lab.plots.figure import Figure
from lab.plots.layout import (
    compress,
    entitle,
    grid,
    halo,
    height,
    keywords,
    legend,
    panels,
    square_height,
)
from lab.plots.styles import Style, style_of
from lab.plots.text import number, position
from lab.plots.themes import current, themed

DOTS = 40  # a path of at most so many steps shows each of them
HEAVY = 20_000  # more vertices than this are drawn as an image inside the SVG


@themed
def paths(
    landscape: xr.Dataset,
    paths: Mapping[str, xr.Dataset],
    *,
    title: str | None = None,
    styles: Mapping[str, Style] | None = None,
) -> Figure:
    """Paths over the contours of a loss of two variables, or along the curve of one.

    Args:
        landscape: `loss` (y, x) with coordinates x and y, or `loss` (x); optionally `minima`
            (minimum, dim); an attribute `names` names the variables.
        paths: One Dataset a label: `point` (lane, step, dim), `loss` (lane, step), `steps` (lane).
            An attribute `setting` is named with the label.
        title: What the figure shows, if not the general words.
        styles: The look of each label; by order if not given.
    """
    dimension = next(iter(paths.values())).sizes["dim"]
    if dimension > 2:
        raise ValueError(f"paths are drawn for one or two variables, not for {dimension}")
    field = Field(landscape)
    rows, columns = grid(len(paths))
    figure = Figure(
        title or "The paths down the loss",
        height=square_height(rows) if dimension == 2 else height(rows),
    )
    made = panels(figure, len(paths))
    for index, (axes, (label, data)) in enumerate(zip(made, paths.items(), strict=True)):
        field.draw(axes, columns)
        _lanes(axes, field, data, style_of(label, paths, styles))
        entitle(axes, label, str(data.attrs.get("setting", "")), columns=columns)
        if index + columns >= len(paths):
            axes.set_xlabel(field.names[0])
        if index % columns == 0:
            axes.set_ylabel(field.names[1] if dimension == 2 else "loss")
    if dimension == 2:
        compress(figure)
        field.colorbar(figure, made)
    alone = len(made) == 1 and dimension == 2
    beside: dict[str, Any] = {"loc": "outside right center", "columns": 1} if alone else {}
    legend(figure, _handles(field), **beside)
    return _tell(figure, field, paths)


def steps_of(data: xr.Dataset) -> list[np.ndarray]:
    """The points of each lane, up to the step at which it ended."""
    points = data["point"].transpose("lane", "step", "dim").values
    taken = data["steps"].values.astype(int)
    return [lane[: steps + 1] for lane, steps in zip(points, taken, strict=True)]


def _drawn(data: xr.Dataset) -> list[np.ndarray]:
    """Lanes as curves on the page: (x, y), or (x, loss) for one variable."""
    lanes = steps_of(data)
    if data.sizes["dim"] == 2:
        return lanes
    loss = data["loss"].transpose("lane", "step").values
    return [np.stack([x[:, 0], f[: len(x)]], -1) for x, f in zip(lanes, loss, strict=True)]


def _lanes(axes: Axes, field: Field, data: xr.Dataset, style: Style) -> None:
    lanes = _drawn(data)
    box = np.array([axes.get_xlim(), axes.get_ylim()]).T
    clipped = [clip(lane, *box) for lane in lanes]
    heavy = sum(len(line) for line, _ in clipped) > HEAVY
    ink = keywords(solid_joinstyle="round", rasterized=heavy)
    for lane, (line, exits) in zip(lanes, clipped, strict=True):
        axes.plot(*line.T, color=current().background, lw=4.2, alpha=0.8, zorder=3, **ink)
        axes.plot(*line.T, color=style.color, lw=2.2, zorder=4, **ink)
        if len(lane) <= DOTS:
            dots = lane[((lane >= box[0]) & (lane <= box[1])).all(-1)]
            axes.plot(*dots.T, ls="", marker="o", ms=4.5, color=style.color, mec="none", zorder=4.5)
        _ends(axes, lane, exits, style, box)
    if field.dimension == 2:
        star(axes, *field.minima.T)
    else:
        heights = np.interp(field.minima[:, 0], field.axes[0], field.loss)
        star(axes, field.minima[:, 0], heights)


def _ends(axes: Axes, lane: np.ndarray, exits: np.ndarray, style: Style, box: np.ndarray) -> None:
    text, background = current().text, current().background
    mark = keywords(ls="", zorder=6)
    axes.plot(*lane[:1].T, marker="o", mfc=background, mec=text, mew=1.8, ms=8, **mark)
    last = lane[-1:]
    if np.isfinite(last).all() and (last >= box[0]).all() and (last <= box[1]).all():
        axes.plot(*last.T, marker=style.marker, color=style.color, mec=text, mew=1.2, ms=9, **mark)
    if len(exits):  # an unclipped line without points would count as one at the figure's corner
        cross = keywords(marker="x", color=text, mew=2.6, ms=9, clip_on=False, path_effects=halo(3))
        axes.plot(*exits[:1].T, **cross, **mark)


def _handles(field: Field) -> list[Line2D]:
    text, background = current().text, current().background
    handles = [
        Line2D([], [], color=text, label="path"),
        Line2D([], [], ls="", marker="o", mfc=background, mec=text, mew=1.8, label="start"),
        Line2D([], [], ls="", marker="o", color=text, ms=9, label="end"),
        Line2D([], [], ls="", marker="x", color=text, mew=2.6, ms=9, label="leaves the box"),
    ]
    if len(field.minima):
        look = keywords(marker="*", color=background, mec=text, mew=1.4, ms=15)
        handles.append(Line2D([], [], ls="", label="known minimum", **look))
    return handles


def _tell(figure: Figure, field: Field, paths: Mapping[str, xr.Dataset]) -> Figure:
    what = "contours of the loss" if field.dimension == 2 else "the curve of the loss"
    caption = (
        f"One line is one run over {what}: each corner is the point after one step, from its start "
        "(ring) to its end (filled mark). A path that leaves the box is cut at its edge and marked "
        "with an x where it first leaves."
    )
    if field.dimension == 2:
        caption += " Shading: loss above its lowest value in the box; grey: no finite loss."
    rows, said = [], []
    for label, data in paths.items():
        ours = _ended(label, data, field)
        rows += ours
        left = sum(row[-1] == "yes" for row in ours)
        losses = [float(row[-2]) for row in ours]
        setting = f" ({data.attrs['setting']})" if data.attrs.get("setting") else ""
        text = f"{label}{setting}: {len(ours)} {'path' if len(ours) == 1 else 'paths'}"
        text += f", median final loss {number(np.median(losses))}"
        said.append(text + (f", {left} left the box." if left else "."))
    minima = [position(point) for point in field.minima[:6]]
    at = f" Known minima at {', '.join(minima)}." if minima else ""
    alt = f"Paths over {what}.{at} " + " ".join(said)
    columns = ("label", "lane", "start", "end", "steps", "final loss", "left the box")
    return figure.tell(caption=caption, alt=alt, columns=columns, rows=rows)


def _ended(label: str, data: xr.Dataset, field: Field) -> list[tuple[Any, ...]]:
    loss = data["loss"].transpose("lane", "step").values
    rows: list[tuple[Any, ...]] = []
    for index, lane in enumerate(steps_of(data)):
        steps = len(lane) - 1
        inside = np.isfinite(lane) & (lane >= field.low) & (lane <= field.high)
        left = "no" if inside.all() else "yes"
        final = float(loss[index, steps])
        final = final if np.isfinite(final) else np.inf
        rows.append((label, index, position(lane[0]), position(lane[-1]), steps, final, left))
    return rows

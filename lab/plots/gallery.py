"""Many losses of two variables side by side, each over its own box, with its known minima."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lab.plots.fields import Field, star
from lab.plots.figure import SIZE, Figure
from lab.plots.layout import entitle, halo, keywords, legend
from lab.plots.styles import Style
from lab.plots.text import listed, position
from lab.plots.themes import current, themed

COLUMNS = 3
SIDE = 2.4  # inches of a panel's square; between two of them stand ticks and a name
PITCH = SIZE[0] / COLUMNS, SIDE + 0.85
TOP, BOTTOM, LEFT = 0.5, 0.8, 0.8


@themed
def gallery(landscapes: Mapping[str, xr.Dataset], *, title: str | None = None) -> Figure:
    """Shaded contours of several losses: one panel each, with scales and shades of its own.

    Args:
        landscapes: One Dataset a loss: `loss` (y, x) with coordinates x and y; optionally `minima`
            (minimum, dim) with `minima_loss` (minimum), of which the lowest are starred. An
            attribute `note` stands under the name.
        title: What the figure shows, if not the general words.
    """
    rows = -(-len(landscapes) // COLUMNS)
    figure = Figure(title or "Losses of two variables", height=TOP + BOTTOM + PITCH[1] * rows)
    figure.set_layout_engine("none")  # all panels are alike; nothing is to be solved
    fields = {name: Field(landscape) for name, landscape in landscapes.items()}
    local = False
    for index, (name, field) in enumerate(fields.items()):
        axes = figure.add_axes(_place(figure, index))
        local |= _panel(axes, field, lowest_of(landscapes[name], field))
        entitle(axes, name, str(landscapes[name].attrs.get("note", "")), columns=2)
        if index % COLUMNS == 0:
            axes.set_ylabel(field.names[1])
        if index + COLUMNS >= len(fields):
            axes.set_xlabel(field.names[0])
    legend(figure, _handles(local), loc="lower center")
    return _tell(figure, landscapes, fields)


def _place(figure: Figure, index: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of a panel, as shares of the figure."""
    row, column = divmod(index, COLUMNS)
    wide, high = figure.get_size_inches()
    bottom = high - TOP - PITCH[1] * (row + 1) + 0.35
    return (LEFT + PITCH[0] * column) / wide, bottom / high, SIDE / wide, SIDE / high


def lowest_of(landscape: xr.Dataset, field: Field) -> np.ndarray:
    """Which of the known minima are the lowest; all of them where their losses are not given."""
    if "minima_loss" not in landscape or not len(field.minima):
        return np.ones(len(field.minima), bool)
    loss = landscape["minima_loss"].values.astype(float)
    return loss <= loss.min() + 1e-9 * max(1.0, float(np.ptp(loss)))


def _panel(axes: Axes, field: Field, lowest: np.ndarray) -> bool:
    """Draw one loss; whether it has known minima that are not the lowest."""
    field.draw(axes, COLUMNS, alone=True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(2))
    inside = np.all((field.low <= field.minima) & (field.minima <= field.high), axis=1)
    stars, others = field.minima[inside & lowest], field.minima[inside & ~lowest]
    if len(stars):
        star(axes, *stars.T, ms=13, mew=1.2, clip_on=False)
    if len(others):
        axes.plot(*others.T, ls="", path_effects=halo(2), clip_on=False, **_diamond())
    return bool(len(others))


def _diamond() -> dict[str, Any]:
    return keywords(marker="D", ms=6.5, color=Style(1).color, mec=current().text, mew=1.0, zorder=6)


def _handles(local: bool) -> list[Line2D]:
    look = keywords(color=current().background, mec=current().text, mew=1.2, ms=13)
    made = [Line2D([], [], ls="", marker="*", label="lowest known minimum", **look)]
    if local:
        made.append(Line2D([], [], ls="", label="other known minimum", **_diamond()))
    return made


def _tell(figure: Figure, landscapes: Mapping[str, xr.Dataset], fields: dict[str, Field]) -> Figure:
    rows, said = [], []
    for name, field in fields.items():
        highest = field.lowest + float(np.nanmax(field.above))
        stars = field.minima[lowest_of(landscapes[name], field)]
        places = listed([position(point) for point in stars[:4]])
        more = f" and {len(stars) - 4} more" if len(stars) > 4 else ""
        rows.append((name, len(field.minima), field.lowest, highest, places + more or "-"))
        said.append(f"{name} lowest at {places}{more}" if len(stars) else f"{name} without minimum")
    return figure.tell(
        caption="One panel is one loss over its box, drawn as a square: blue is lowest and yellow "
        "highest there, each panel for itself. The scale is logarithmic where the loss above its "
        "lowest value spans more than a factor of 100.",
        alt=f"Contours of {len(fields)} losses. " + "; ".join(said) + ".",
        columns=("loss", "known minima", "lowest shown", "highest shown", "lowest at"),
        rows=rows,
    )

"""Where each start ends up: the basins of attraction, one image an optimizer."""

import math
from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from lab.plots.fields import names, points
from lab.plots.figure import Figure
from lab.plots.layout import compress, entitle, grid, keywords, legend, panels, square_height
from lab.plots.styles import Style
from lab.plots.text import percent, position
from lab.plots.themes import current, themed

PIXELS = 900  # an image is thinned to about so many pixels a side
NAMED = 6  # so many minima are named beside the images
NUMBERED = 30  # so many minima are numbered in them


@themed
def basins(basins: Mapping[str, xr.Dataset], *, title: str | None = None) -> Figure:
    """The minimum that each start reached, as colours; one panel an optimizer.

    Args:
        basins: One Dataset a label: `minimum` (y, x) or (x), -1 where none was reached, with
            coordinates; optionally `steps` (shaded: darker is slower), and `minima` (one a row, dim
            last) in the order of the indices. An attribute `setting` is named with the label.
        title: What the figure shows, if not the general words.
    """
    first = next(iter(basins.values()))
    flat = "y" not in first["minimum"].dims
    minima = points(first, 1 if flat else 2)
    count = max([len(minima), *(int(data["minimum"].max()) + 1 for data in basins.values())])
    shares = {label: share_of(data, count) for label, data in basins.items()}
    rows, columns = (len(basins), 1) if flat else grid(len(basins))
    figure = Figure(title or "Which minimum each start reaches", height=_height(flat, rows))
    made = _strips(figure, rows) if flat else panels(figure, len(basins))
    said = _largest(np.sum(list(shares.values()), 0)[:count], NAMED if len(basins) < 3 else 4)
    called = names(first, 1 if flat else 2)
    for index, (axes, (label, data)) in enumerate(zip(made, basins.items(), strict=True)):
        _image(axes, data, flat)
        _number(axes, minima, flat)
        setting = str(data.attrs.get("setting", ""))
        beside = "" if len(basins) == 1 else _shares(shares[label], said, columns)
        entitle(axes, label, setting, beside, columns=columns)
        if flat or index % columns == 0:
            axes.set_ylabel("" if flat else called[1])
        if index + columns >= len(basins):
            axes.set_xlabel(called[0])
    handles = _handles(minima, shares, said, count)
    if not flat:
        compress(figure)
    if len(basins) == 1 and not flat:
        legend(figure, handles, columns=1, loc="outside right center")
    else:
        legend(figure, handles, title="shares above each image, in this order:")
    return _tell(figure, basins, minima, shares, flat)


def share_of(data: xr.Dataset, count: int) -> np.ndarray:
    """The share of each of `count` minima, and last that of no minimum."""
    values = data["minimum"].values.ravel()
    found = np.bincount(np.where(values < 0, count, values), minlength=count + 1)
    return found / values.size


def _largest(total: np.ndarray, most: int) -> np.ndarray:
    """The indices of the largest basins, in order; of all minima if none was reached."""
    order = np.argsort(-total, kind="stable")
    reached = order[total[order] > 0]
    return np.sort((reached if len(reached) else order)[:most])


def _step(data: xr.Dataset) -> int:
    """Every how many-th start is drawn, each way."""
    return max(1, math.ceil(max(data["minimum"].shape) / PIXELS))


def _height(flat: bool, rows: int) -> float:
    return max(5.6, 1.6 + 1.0 * rows) if flat else square_height(rows)


def _strips(figure: Figure, rows: int) -> list[Axes]:
    made: list[Axes] = []
    for row in range(rows):
        axes = figure.add_subplot(rows, 1, row + 1, sharex=made[0] if made else None)
        axes.tick_params(labelbottom=row == rows - 1, left=False, labelleft=False)
        made.append(axes)
    return made


def _colours(count: int) -> np.ndarray:
    """One row a minimum, and last the colour of no minimum."""
    cycle = [to_rgb(Style(index).color) for index in range(count)]
    return np.array([*cycle, to_rgb(current().void)])


def _image(axes: Axes, data: xr.Dataset, flat: bool) -> None:
    values = data["minimum"].transpose(..., "x").values
    values = values[None] if flat else values
    step = _step(data)
    values = values[:: 1 if flat else step, ::step]
    picture = _colours(max(int(values.max()) + 1, 1))[values]
    if "steps" in data:
        steps = np.atleast_2d(data["steps"].transpose(..., "x").values.astype(float))
        shade = _shade(steps[:: 1 if flat else step, ::step], values >= 0)[..., None]
        picture = (1 - shade) * picture + shade * np.array(to_rgb(current().background))
    x = _border(data["x"].values)
    y = (0.0, 1.0) if flat else _border(data["y"].values)
    where = keywords(origin="lower", extent=(*x, *y), aspect="auto", interpolation="nearest")
    axes.imshow(picture, **where)
    axes.grid(False)
    wide, high = x[1] - x[0], y[1] - y[0]
    if not flat and 0.25 < wide / high < 4:
        axes.set_aspect("equal", adjustable="box")


def _border(values: np.ndarray) -> tuple[float, float]:
    half = (values[-1] - values[0]) / max(1, len(values) - 1) / 2 or 0.5
    return float(values[0] - half), float(values[-1] + half)


def _shade(steps: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """0 where arrival was quickest to 0.45 (towards the background) where it was slowest."""
    rank = np.log1p(np.maximum(steps, 0))
    if not reached.any():
        return np.zeros_like(rank)
    low, high = np.quantile(rank[reached], [0.01, 0.99])
    scaled = np.clip((rank - low) / (high - low or 1.0), 0, 1)
    return np.where(reached, 0.45 * scaled, 0.0)


def _number(axes: Axes, minima: np.ndarray, flat: bool) -> None:
    box = keywords(boxstyle="circle,pad=0.22", fc=current().background, ec=current().text, lw=1.2)
    xlim, ylim = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    for index, point in enumerate(minima[:NUMBERED]):
        x, y = (point[0], 0.5) if flat else point
        if xlim[0] <= x <= xlim[1] and ylim[0] <= y <= ylim[1]:
            said = keywords(ha="center", va="center", bbox=box, zorder=5)
            axes.text(x, y, str(index + 1), fontweight="bold", **said)


def _shares(share: np.ndarray, said: np.ndarray, columns: int) -> str:
    """The shares of the named minima and of none, in the order of the legend."""
    named = [*(share[i] for i in said), *([share[-1]] if share[-1] > 0 else [])]
    between = " / " if columns < 4 and len(named) < 5 else "/"
    return between.join(f"{100 * value:.0f}" for value in named) + " %"


def _handles(
    minima: np.ndarray, shares: Mapping[str, np.ndarray], said: np.ndarray, count: int
) -> list[Patch]:
    alone = next(iter(shares.values())) if len(shares) == 1 else None
    colours = _colours(count)

    def patch(index: int, name: str) -> Patch:
        share = "" if alone is None else f": {percent(float(alone[index]))}"
        return Patch(color=colours[index], label=name + share)

    handles = []
    for index in said:
        at = f" at {position(minima[index])}" if index < len(minima) else ""
        handles.append(patch(index, f"minimum {index + 1}{at}"))
    if any(share[-1] > 0 for share in shares.values()):
        handles.append(patch(-1, "none"))
    return handles


def _tell(
    figure: Figure,
    basins: Mapping[str, xr.Dataset],
    minima: np.ndarray,
    shares: Mapping[str, np.ndarray],
    flat: bool,
) -> Figure:
    count = len(next(iter(shares.values()))) - 1
    what = "One column of a strip" if flat else "One point of an image"
    every = max(_step(data) for data in basins.values())
    caption = f"{what} is one start of a uniform grid; its colour is the minimum that it led to."
    if any("steps" in data for data in basins.values()):
        caption += " Fainter: more steps."
    caption += f" Drawn is every {every}th start each way." if every > 3 else ""
    caption += " Shares are of this grid."
    rows, said = [], []
    for label, share in shares.items():
        parts: list[str] = []
        for index in range(count + 1):
            name = f"minimum {index + 1}" if index < count else "none"
            at = position(minima[index]) if index < min(count, len(minima)) else ""
            rows.append((label, name, at or "-", float(share[index])))
            if share[index] > 0 and (len(parts) < 8 or index == count):
                parts.append(f"{name}{' at ' + at if at else ''} {percent(float(share[index]))}")
        said.append(f"{label}: {', '.join(parts)}.")
    alt = "The minimum reached from each start. " + " ".join(said)
    return figure.tell(
        caption=caption, alt=alt, columns=("label", "minimum", "at", "share"), rows=rows
    )

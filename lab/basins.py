"""Basins of attraction on a grid: what each start reached, what area that is, how sure, up to when.

Arrays come from a sweep's lanes that kept `outcome` and `minimum`; nothing here evaluates a loss.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from lab.descent import Outcome


class Share(NamedTuple):
    """How much of a grid's area each category takes: an estimate between two bounds."""

    estimate: Float[np.ndarray, " category"]
    low: Float[np.ndarray, " category"]
    high: Float[np.ndarray, " category"]


def shares(image: Int[np.ndarray, "row column"], categories: int) -> Share:
    """The share of each category, counted over the cells between the grid's points.

    A cell whose four corners agree is taken as theirs; one whose corners differ is shared out by
    corners, and may in truth be anyone's of those that touch it: hence the bounds. They hold as
    far as no cell hides a basin that none of its corners sees.

    Args:
        image: the category of each point of a grid, at least two each way.
        categories: how many there are: 0 ... categories - 1.
    """
    found = []
    for category in range(categories):
        mine = (image == category).astype(np.int8)
        corners = mine[1:, 1:] + mine[1:, :-1] + mine[:-1, 1:] + mine[:-1, :-1]
        found.append((corners.mean() / 4, np.mean(corners == 4), np.mean(corners > 0)))
    return Share(*np.array(found).T)


def reached(lanes: xr.Dataset, settled: bool = True) -> xr.DataArray:
    """The known minimum that each lane reached, -1 for none.

    Args:
        lanes: with `minimum` and `outcome`.
        settled: whether only lanes that converged there count, or all that ended close to it.
    """
    came = lanes.outcome == Outcome.CONVERGED if settled else lanes.minimum >= 0
    return lanes.minimum.where(came, -1).astype(np.int8)


def image(
    found: xr.DataArray,
    none: int,
    low: Sequence[float],
    high: Sequence[float],
    shape: Sequence[int],
) -> xr.DataArray:
    """The lanes of a grid of starts as (y, x), with coordinates.

    Args:
        found: what `reached` gives, over the grid's starts.
        none: the category that stands for -1.
        low: lower corner of the grid.
        high: upper corner.
        shape: its points along x and y.
    """
    values = found.values.reshape(shape).T
    ticks = {name: np.linspace(low[i], high[i], shape[i]) for i, name in enumerate("xy")}
    return xr.DataArray(np.where(values < 0, none, values), ticks, ("y", "x"))


def differing(values: Int[np.ndarray, "row column"], mirror: int) -> float:
    """The share of points whose category is not that of their mirror image along an axis."""
    return float(np.mean(values != np.flip(values, mirror)))

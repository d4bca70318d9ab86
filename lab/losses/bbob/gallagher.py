"""Functions 21 and 22 of the suite: the upper envelope of Gaussian peaks at random places."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar
from lab.losses.bbob import draws
from lab.losses.bbob.parts import Instance, like, oscillated, penalty, times

HIGHEST, HEIGHTS = 10.0, (1.1, 9.1)


class Peaks(NamedTuple):
    """Centres and scales, one peak a row, in the rotated space; heights; the best in x."""

    centres: np.ndarray
    scales: np.ndarray
    heights: np.ndarray
    best: np.ndarray


def peaks(c: Instance) -> Peaks:
    """The peaks of an instance: 101 or (22) 21, of conditions up to 1000 in random order."""
    count, width, first = (101, 10.0, 1000**0.5) if c.number == 21 else (21, 9.8, 1000.0)
    order = np.argsort(draws.uniform(count - 1, c.seed), kind="stable")
    conditions = np.concatenate([[first], 1000 ** (order / (count - 2))])
    orders = [_order(c, peak) for peak in range(count)]
    scales = conditions[:, None] ** (np.array(orders) / (c.dimension - 1) - 0.5)
    places = draws.uniform(count * c.dimension, c.seed).reshape(count, -1)
    places = width * places - width / 2
    places[0] *= 0.8
    heights = np.concatenate([[HIGHEST], np.linspace(*HEIGHTS, count - 1)])
    return Peaks(places @ c.Q.T, scales, heights, places[0])


def _order(c: Instance, peak: int) -> np.ndarray:
    return np.argsort(draws.uniform(c.dimension, c.seed + 1000 * peak), kind="stable")


def gallagher_optimum(c: Instance) -> np.ndarray:
    """The place of the highest peak."""
    return peaks(c).best


def gallagher(x: Point, c: Instance) -> Scalar:
    """f(x) = T_osz(10 - max_k w_k exp(-1/(2n) (x - y_k)^T Q^T C_k Q (x - y_k)))^2 + f_pen.

    The heights w are 10 for the best of the peaks, and 1.1 to 9.1 for the others.
    """
    p = peaks(c)
    squares = like(x, p.scales) * (times(c.Q, x)[None, :] - like(x, p.centres)) ** 2
    bells = like(x, p.heights) * jnp.exp(-jnp.sum(squares, axis=1) / (2 * c.dimension))
    return oscillated(10 - jnp.max(bells)) ** 2 + penalty(x)

"""More equations than unknowns, in any dimension: polynomials, penalties, degenerate lines."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, least_squares
from lab.losses.points import indices, ones

WATSON = {
    6: (
        0.0022876700535524363,
        *(-0.015725086401458456, 1.0124348693691099, -0.2329916259567377),
        *(1.2604300877996084, -1.5137289227222797, 0.9929964324311346),
    ),
    9: (
        1.39976013809902e-06,
        *(-1.5307036521394342e-05, 0.9997897039319483, 0.014763963693556958),
        *(0.14634232829936222, 1.0008211030047092, -2.617731140519015),
        *(4.104403164478857, -3.1436122785564424, 1.0526264080101668),
    ),
    12: (
        4.722381105891757e-10,
        *(-6.638060464520687e-09, 1.000001644117862, -0.0005639322103423058),
        *(0.34782054050404243, -0.15673150409616513, 1.0528151772071777),
        *(-3.2472711534596677, 7.288434897938061, -10.271848241321724),
        *(9.074113647075317, -4.541375466692512, 1.0120118885528104),
    ),
}
PENALTY_2 = {
    4: (
        9.376293007355442e-06,
        *(0.1999993333503804, 0.19131670099277245, 0.48010148533262315, 0.5188454043902005),
    ),
    10: (
        0.00029366053745674594,
        *(0.1999836051978236, 0.010350648471292297, 0.019604934480438402, 0.03208906722068565),
        *(0.049932677399641294, 0.07651399515399361, 0.11862407286950417, 0.19214487233557667),
        *(0.34732058694184365, 0.3691643741593508),
    ),
}


def _known(table: dict[int, Any]) -> dict[str, Any]:
    """Minima and minimum by dimension, as far as they are tabulated."""
    return {
        "minima": lambda n: np.array([table[n][1:]]) if n in table else np.empty((0, n)),
        "minimum": lambda n: table[n][0] if n in table else None,
    }


@least_squares(
    low=lambda n: -float(n),
    high=lambda n: float(n),
    least_dimension=2,
    start=np.zeros,
    source="Kowalik & Osborne 1968, Methods for Unconstrained Optimization; MGH 1981, no. 20",
    **_known(WATSON),
)
def watson(x: Point) -> Point:
    """f(x) = sum_{i=1..29} (p'(t_i) - p(t_i)^2 - 1)^2 + x_1^2 + (x_2 - x_1^2 - 1)^2, t_i = i/29.

    p(t) = sum_j x_j t^(j-1), a polynomial that should solve p' = p^2 + 1, p(0) = 0, as the tangent
    does. Minima are tabulated for n = 6, 9 and 12.
    """
    t, j = np.arange(1, 30)[:, None] / 29, np.arange(x.shape[0])[None, :]
    powers, slopes = jnp.asarray(t**j, x.dtype), jnp.asarray(j * t ** np.maximum(j - 1, 0), x.dtype)
    p, dp = jnp.sum(powers * x[None, :], axis=1), jnp.sum(slopes * x[None, :], axis=1)
    return jnp.concatenate([dp - p**2 - 1, jnp.stack([x[0], x[1] - x[0] ** 2 - 1])])


def _penalty_1_minima(n: int) -> np.ndarray:
    """All coordinates are equal; Newton on the slope 1e-5 (t - 1) + 2 t (n t^2 - 1/4)."""
    t = 0.5 / np.sqrt(n)
    for _ in range(50):
        t = t - (1e-5 * (t - 1) + 2 * n * t**3 - t / 2) / (1e-5 + 6 * n * t**2 - 0.5)
    return np.full((1, n), t)


def _penalty_1_minimum(n: int) -> float:
    t = _penalty_1_minima(n)[0, 0]
    return float(1e-5 * n * (t - 1) ** 2 + (n * t**2 - 0.25) ** 2)


@least_squares(
    low=lambda n: -float(n),
    high=lambda n: float(n),
    start=lambda n: np.arange(1.0, n + 1),
    minima=_penalty_1_minima,
    minimum=_penalty_1_minimum,
    source="Gill, Murray & Pitfield 1972, NPL Report NAC 11; MGH 1981, no. 23",
)
def penalty_1(x: Point) -> Point:
    """f(x) = 10^-5 sum_i (x_i - 1)^2 + (sum_i x_i^2 - 1/4)^2.

    A steep sphere with hardly a slope along it.
    """
    return jnp.append(1e-5**0.5 * (x - 1), jnp.sum(x**2) - 0.25)


@least_squares(
    low=-2.0,
    high=2.0,
    least_dimension=2,
    start=lambda n: np.full(n, 0.5),
    source="Gill, Murray & Pitfield 1972, NPL Report NAC 11; MGH 1981, no. 24",
    **_known(PENALTY_2),
)
def penalty_2(x: Point) -> Point:
    """f(x) = (x_1 - 1/5)^2 + a sum_{i>1} [(e_i + e_{i-1} - y_i)^2 + (e_i - exp(-1/10))^2] + s^2.

    a = 10^-5, e_i = exp(x_i/10), y_i = exp(i/10) + exp((i-1)/10), s = sum_j (n - j + 1) x_j^2 - 1.
    Minima are tabulated for n = 4 and 10.
    """
    e, i = jnp.exp(x / 10), np.arange(1, x.shape[0] + 1)
    y = jnp.asarray(np.exp(i / 10)[1:] + np.exp(i / 10)[:-1], x.dtype)
    sphere = jnp.sum(jnp.asarray(i[::-1], x.dtype) * x**2) - 1
    weak = 1e-5**0.5 * jnp.concatenate([e[1:] + e[:-1] - y, e[1:] - math.exp(-0.1)])
    return jnp.concatenate([x[:1] - 0.2, weak, sphere[None]])


@least_squares(
    low=-2.0,
    high=2.0,
    start=lambda n: 1 - np.arange(1.0, n + 1) / n,
    minima=ones,
    minimum=0.0,
    source="More, Garbow & Hillstrom 1981, no. 25",
)
def variably_dimensioned(x: Point) -> Point:
    """f(x) = sum_i (x_i - 1)^2 + s^2 + s^4, s = sum_i i (x_i - 1).

    A round bowl with steep walls along one direction.
    """
    s = jnp.sum(indices(x) * (x - 1))
    return jnp.append(x - 1, jnp.stack([s, s**2]))


@least_squares(
    low=-10.0,
    high=10.0,
    start=np.ones,
    minima=lambda n: -np.ones((1, n)),
    minimum=float,
    source="More, Garbow & Hillstrom 1981, no. 32 (m = 2n)",
)
def linear_full_rank(x: Point) -> Point:
    """f(x) = sum_{i<=n} (x_i - s - 1)^2 + sum_{n<i<=m} (s + 1)^2, s = 2/m sum_j x_j, m = 2n.

    A round quadratic in disguise; the least value is m - n.
    """
    s = jnp.sum(x) / x.shape[0]
    return jnp.concatenate([x - s - 1, -(s + 1) * jnp.ones_like(x)])


def _shortest(weights: np.ndarray, total: float) -> np.ndarray:
    """The shortest x with sum_j w_j x_j = total."""
    return (weights * total / np.sum(weights**2))[None]


@least_squares(
    low=-2.0,
    high=2.0,
    start=np.ones,
    minima=lambda n: _shortest(np.arange(1.0, n + 1), 3 / (4 * n + 1)),
    minimum=lambda n: n * (2 * n - 1) / (4 * n + 1),
    source="More, Garbow & Hillstrom 1981, no. 33 (m = 2n)",
)
def linear_rank_1(x: Point) -> Point:
    """f(x) = sum_{i=1..m} (i s - 1)^2, s = sum_j j x_j, m = 2n.

    The minima are the whole plane s = 3/(2m + 1), of which the point nearest to 0 is listed.
    """
    i = jnp.arange(1, 2 * x.shape[0] + 1, dtype=x.dtype)
    return i * jnp.sum(indices(x) * x) - 1


def _inner(n: int) -> np.ndarray:
    weights = np.arange(1.0, n + 1)
    weights[[0, -1]] = 0.0
    return weights


@least_squares(
    low=-2.0,
    high=2.0,
    least_dimension=3,
    start=np.ones,
    minima=lambda n: _shortest(_inner(n), 3 / (4 * n - 3)),
    minimum=lambda n: (4 * n**2 + 6 * n - 6) / (8 * n - 6),
    source="More, Garbow & Hillstrom 1981, no. 34 (m = 2n)",
)
def linear_rank_1_zero(x: Point) -> Point:
    """f(x) = 2 + sum_{i=1..m-2} (i s - 1)^2, s = sum_{1<j<n} j x_j, m = 2n.

    As before, with rows and columns of zeros: the first and last coordinate do nothing.
    """
    i = np.arange(2.0 * x.shape[0])
    i[-1] = 0.0
    return jnp.asarray(i, x.dtype) * jnp.sum(indices(x)[1:-1] * x[1:-1]) - 1

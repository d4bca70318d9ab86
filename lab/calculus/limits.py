"""Limits of a function of one number, from its values alone: two-sided, at infinity, epsilon-delta.

Every function here is of one point, pure, and made of JAX: `jax.vmap` takes it to many. Nothing
knows the formula of what it studies; what is not a number (0/0) counts as having no value there.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lab.losses.base import Scalar

Curve = Callable[[Any], Scalar]

RINGS = 512
"""Distances at which `delta` looks for the first one that is too far, before it closes in."""

NEAREST = -24.0
"""The power of 2 of the first of them: nearer, float64 rounds away what f does."""


def approach(f: Curve, at: float, h: Scalar) -> tuple[Scalar, Scalar]:
    """(f(at - h), f(at + h)): the values on either side of a point, at a distance h > 0.

    At infinity h is the distance of 1/x from 0, so that the two are f(-1/h) and f(1/h). All is
    computed in the precision of h: where at + h rounds to `at`, the value is that at the point.

    Args:
        f: the function.
        at: the point, or infinity.
        h: the distance.
    """
    if math.isinf(at):
        return f(-1 / h), f(1 / h)
    point = jnp.asarray(at, h.dtype)
    return f(point - h), f(point + h)


def extrapolate(values: Any) -> tuple[Scalar, Scalar]:
    """The limit of f(h_k) as h_k = h_0 2^-k goes to 0, and an estimate of its error.

    Richardson's table T[k, j] = T[k, j-1] + (T[k, j-1] - T[k-1, j-1]) / (2^j - 1) removes the
    powers h, h^2, ... one after another; of all its entries, the one is taken that differs least
    from its neighbours, since rounding spoils later ones.

    Args:
        values: f(h_0), f(h_1), ...: at least 2.

    Source: Ridders 1982, Adv. Eng. Softw. 4, 75-76.
    """
    before: list[Scalar] = [values[0]]
    best, doubt = values[0], jnp.asarray(jnp.inf, values.dtype)
    for k in range(1, len(values)):
        row: list[Scalar] = [values[k]]
        for j in range(1, k + 1):
            row.append(row[-1] + (row[-1] - before[j - 1]) / (2**j - 1))
            error = jnp.maximum(jnp.abs(row[j] - row[j - 1]), jnp.abs(row[j] - before[j - 1]))
            better = error < doubt
            best, doubt = jnp.where(better, row[j], best), jnp.where(better, error, doubt)
        before = row
    return best, doubt


def delta(
    f: Curve, at: Scalar | float, limit: Scalar | float, epsilon: Scalar, farthest: float
) -> Scalar:
    """The largest delta with |f(x) - limit| < epsilon wherever 0 < |x - at| < delta.

    Distances grow from 2^-24 to 1 of the farthest by a constant factor; between the last at which
    both sides are close enough and the first at which one is not, bisection finds the border. A
    place that is left and entered again between two distances is not seen.

    Args:
        f: the function.
        at: the point.
        limit: what it is said to tend to there.
        epsilon: how close the values must be.
        farthest: where the search ends; the answer if all values are close enough.

    Returns:
        delta, or 0 if even at the smallest distance the values are not close: no limit.
    """

    def close(distance: Scalar) -> Any:
        left, right = f(at - distance), f(at + distance)
        return (jnp.abs(left - limit) < epsilon) & (jnp.abs(right - limit) < epsilon)

    def halve(_: int, ends: tuple[Scalar, Scalar]) -> tuple[Scalar, Scalar]:
        middle = (ends[0] + ends[1]) / 2
        inside = close(middle)
        return jnp.where(inside, middle, ends[0]), jnp.where(inside, ends[1], middle)

    rings = farthest * 2.0 ** jnp.linspace(NEAREST, 0.0, RINGS, dtype=epsilon.dtype)
    far = ~jax.vmap(close)(rings)
    first = jnp.argmax(far)
    low, _ = jax.lax.fori_loop(0, 60, halve, (rings[jnp.maximum(first - 1, 0)], rings[first]))
    return jnp.where(far.any(), jnp.where(first == 0, 0.0, low), rings[-1])

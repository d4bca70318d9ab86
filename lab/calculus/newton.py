"""Newton's method seen from outside: a loss with three roots, bracketed critical points, orders."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lab.losses.base import Family, Loss, Point, least_squares

ROOTS = np.stack([np.cos(2 * np.pi * np.arange(3) / 3), np.sin(2 * np.pi * np.arange(3) / 3)], 1)
"""The three cube roots of 1 as points of the plane."""


def cube_roots() -> Loss:
    """|z^3 - 1|^2 as a loss of z = x + iy, whose minima are the three cube roots of 1.

    Its residuals are the real and the imaginary part of z^3 - 1. Their Jacobian is that of a
    complex function, so Gauss-Newton on this loss is Newton's map z - (z^3 - 1) / (3 z^2)
    (Cayley 1879, American Journal of Mathematics 2, asked for its basins).
    """

    @least_squares(
        low=-1.5, high=1.5, dimension=2, minima=ROOTS, minimum=0.0,
        source="Cayley 1879, Amer. J. Math. 2",
    )  # fmt: skip
    def cube_roots(point: Point) -> Point:
        """f(z) = |z^3 - 1|^2."""
        x, y = point
        return jnp.stack([x**3 - 3 * x * y**2 - 1, 3 * x**2 * y - y**3])

    family: Family = cube_roots
    return family()


def orders(errors: Float[np.ndarray, " step"]) -> Float[np.ndarray, " step"]:
    """How convergence speeds up: q_k = ln(e_{k+1} / e_k) / ln(e_k / e_{k-1}).

    1 for errors that shrink by the same factor at each step, 2 for errors that square.

    Args:
        errors: positive e_0, e_1, ..., each smaller than the one before.
    """
    ratios = np.diff(np.log(errors))
    return ratios[1:] / ratios[:-1]


def bracketed_roots(
    f: Callable[[Float[np.ndarray, " n"]], Float[np.ndarray, " n"]],
    x: Float[np.ndarray, " point"],
) -> Float[np.ndarray, " root"]:
    """The places between neighbours of x where f changes its sign, by bisection to rounding.

    Roots where it does not, or two between the same neighbours, are missed.
    """
    sign = np.sign(f(x))
    places = np.flatnonzero(sign[:-1] * sign[1:] < 0)
    low, high, below = x[places], x[places + 1], sign[places]
    for _ in range(60):
        middle = (low + high) / 2
        same = np.sign(f(middle)) == below
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return (low + high) / 2


def nearest(points: Float[Array, "n dim"], places: Float[np.ndarray, "k dim"]) -> Int[Array, " n"]:
    """For each point, which of the places is closest."""
    apart = np.linalg.norm(points[:, None, :] - places[None], axis=-1)
    return np.argmin(apart, axis=1)

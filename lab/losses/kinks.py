"""Kinks: losses whose slope or curvature jumps."""

import jax.numpy as jnp

from lab.losses.base import Point, Scalar, surface
from lab.losses.points import origin, root


@surface(
    low=-1.0,
    high=1.0,
    minima=origin,
    minimum=0.0,
    kinks=True,
    source="Shor 1985, Minimization Methods for Non-Differentiable Functions",
)
def absolute(x: Point) -> Scalar:
    """f(x) = sum_i |x_i|.

    The slope is 1 up to the kink: a constant step ends in a cycle around it.
    """
    return jnp.sum(jnp.abs(x))


@surface(
    low=-1.0,
    high=1.0,
    minima=origin,
    minimum=0.0,
    positive=("p",),
    kinks=True,
    source="Ma, Kunin, Wu & Ying 2022, J. Machine Learning 1 (arXiv 2204.11326), p < 2",
)
def power(x: Point, p: float = 1.5) -> Scalar:
    """f(x) = sum_i |x_i|^p / p.

    For 1 < p < 2 the curvature is infinite at the minimum: at any constant rate, descent ends in a
    cycle around it, where the slope is steep enough to lead across.
    """
    away = jnp.where(x == 0, 1, jnp.abs(x))
    return jnp.sum(jnp.where(x == 0, 0, away**p)) / p


@surface(
    low=-3.0,
    high=3.0,
    minima=origin,
    minimum=0.0,
    positive=("delta",),
    source="Huber 1964, Ann. Math. Stat. 35; worst case: Drori & Teboulle 2014, Math. Program.",
)
def huber(x: Point, delta: float = 1.0) -> Scalar:
    """f(x) = |x|^2/2 where |x| <= delta, delta |x| - delta^2/2 beyond.

    Convex, with curvature up to 1; with delta = 1/(2N + 1) times the distance of the start it is
    the worst case of N steps of rate 1.
    """
    square = jnp.sum(x**2)
    near = square <= delta**2
    far = delta * jnp.sqrt(jnp.where(near, 1, square)) - delta**2 / 2
    return jnp.where(near, square / 2, far)


@surface(
    low=-4.0,
    high=4.0,
    minima=[[0.0]],
    minimum=0.0,
    source="Lessard, Recht & Packard 2016, SIAM J. Optim. 26",
)
def lessard_recht_packard(point: Point) -> Scalar:
    """f'(x) = 25x for x < 1, x + 24 for 1 <= x < 2, 25x - 24 for x >= 2; f(0) = 0.

    Curvature jumps between 1 and 25. The heavy ball with the best parameters for quadratics of
    these curvatures, rate 1/9 and momentum 4/9, runs into a cycle of three points.
    """
    (x,) = point
    left, middle, right = 12.5 * x**2, x**2 / 2 + 24 * x - 12, 12.5 * x**2 - 24 * x + 36
    return jnp.where(x < 1, left, jnp.where(x < 2, middle, right))


@surface(
    low=-100.0,
    high=100.0,
    minima=origin,
    minimum=0.0,
    kinks=True,
    source="Salomon 1996, BioSystems 39",
)
def salomon(x: Point) -> Scalar:
    """f(x) = 1 - cos(2 pi r) + r/10, r = |x|.

    Rings around a cone, whose tip is the minimum.
    """
    radius = root(jnp.sum(x**2))
    return 2 * jnp.sin(jnp.pi * radius) ** 2 + radius / 10

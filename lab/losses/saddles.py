"""Saddles and plateaus: places where the gradient vanishes, or nearly so, without a minimum."""

import jax.numpy as jnp

from lab.losses.base import Point, Scalar, surface
from lab.losses.points import origin


@surface(
    low=-1.0,
    high=1.0,
    dimension=2,
    source="Hilbert & Cohn-Vossen 1932, Anschauliche Geometrie",
)
def saddle(point: Point) -> Scalar:
    """f(x, y) = x^2 - y^2.

    Unbounded below: only starts on the axis y = 0 descend to the saddle at the origin.
    """
    x, y = point
    return x**2 - y**2


@surface(
    low=-1.0,
    high=1.0,
    dimension=2,
    source="Hilbert & Cohn-Vossen 1932, Anschauliche Geometrie",
)
def monkey_saddle(point: Point) -> Scalar:
    """f(x, y) = x^3 - 3 x y^2.

    Three ways down and three up; at the saddle all curvatures are 0. Unbounded below.
    """
    x, y = point
    return x**3 - 3 * x * y**2


@surface(
    low=-2.0,
    high=2.0,
    minima=[[0.0, -1.0], [0.0, 1.0]],
    minimum=-0.25,
    source="Nesterov 2004, Introductory Lectures on Convex Optimization, section 1.2.3",
)
def two_valleys(point: Point) -> Scalar:
    """f(x, y) = x^2/2 + y^4/4 - y^2/2.

    A saddle at the origin between two minima: starts with y = 0 are caught by it.
    """
    x, y = point
    return x**2 / 2 + y**4 / 4 - y**2 / 2


@surface(
    low=-10.0,
    high=10.0,
    minima=origin,
    minimum=0.0,
    source="Geman & McClure 1987, Bull. Int. Stat. Inst. 52",
)
def plateau(x: Point) -> Scalar:
    """f(x) = sum_i x_i^2 / (1 + x_i^2).

    A narrow bowl in a plain of height n, whose slope fades as 2/|x|^3.
    """
    return jnp.sum(x**2 / (1 + x**2))


@surface(
    low=-10.0,
    high=10.0,
    minima=origin,
    minimum=0.0,
    source="Black & Anandan 1996, Computer Vision and Image Understanding 63",
)
def cauchy(x: Point) -> Scalar:
    """f(x) = sum_i log(1 + x_i^2/2).

    A bowl of curvature 1 whose walls flatten, without an end, to a slope of 2/|x|.
    """
    return jnp.sum(jnp.log1p(x**2 / 2))


@surface(
    low=-100.0,
    high=100.0,
    minima=[[3.141592653589793, 3.141592653589793]],
    minimum=-1.0,
    source="Easom 1990, A Survey of Global Optimization Techniques, University of Louisville",
)
def easom(point: Point) -> Scalar:
    """f(x, y) = -cos x cos y exp(-(x - pi)^2 - (y - pi)^2).

    One narrow well in a plain that is flat to rounding.
    """
    x, y = point
    well = jnp.exp(-((x - jnp.pi) ** 2) - (y - jnp.pi) ** 2)
    return -jnp.cos(x) * jnp.cos(y) * well

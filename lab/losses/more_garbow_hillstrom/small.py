"""Small systems of equations: curved, helical, badly scaled, or with a local minimum."""

import jax.numpy as jnp

from lab.losses.base import Point, least_squares
from lab.losses.points import root


@least_squares(
    low=[-5.0, -5.0],
    high=[15.0, 6.0],
    start=[0.5, -2.0],
    minima=[[5.0, 4.0], [11.412778986902094, -0.8968052532744765]],
    minimum=0.0,
    source="Freudenstein & Roth 1963, J. ACM 10; More, Garbow & Hillstrom 1981, no. 2",
)
def freudenstein_roth(x: Point) -> Point:
    """f(x) = (x_1 - 13 + ((5 - x_2) x_2 - 2) x_2)^2 + (x_1 - 29 + ((x_2 + 1) x_2 - 14) x_2)^2.

    From the standard start, descent ends in the local minimum of value 48.98425.
    """
    u, v = x
    return jnp.stack([u - 13 + ((5 - v) * v - 2) * v, u - 29 + ((v + 1) * v - 14) * v])


@least_squares(
    low=-1.0,
    high=10.0,
    start=[0.0, 1.0],
    minima=[
        [1.0981593296998175e-05, 9.106146739866524],
        [9.106146739866524, 1.0981593296998175e-05],
    ],
    minimum=0.0,
    source="Powell 1970, Numerical Methods for Nonlinear Algebraic Equations; MGH 1981, no. 3",
)
def powell_badly_scaled(x: Point) -> Point:
    """f(x) = (10^4 x_1 x_2 - 1)^2 + (exp(-x_1) + exp(-x_2) - 1.0001)^2.

    A hyperbola, hardly wider than rounding, and a floor along it that falls by 10^-4.
    """
    return jnp.stack([1e4 * x[0] * x[1] - 1, jnp.sum(jnp.exp(-x)) - 1.0001])


@least_squares(
    low=[0.0, -1.0],
    high=[2e6, 2.0],
    start=[1.0, 1.0],
    minima=[[1e6, 2e-6]],
    minimum=0.0,
    source="Brown, unpublished; More, Garbow & Hillstrom 1981, no. 4",
)
def brown_badly_scaled(x: Point) -> Point:
    """f(x) = (x_1 - 10^6)^2 + (x_2 - 2 10^-6)^2 + (x_1 x_2 - 2)^2.

    Twelve decades between the coordinates of the minimum.
    """
    return jnp.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


@least_squares(
    low=[-2.0, -2.0, -10.0],
    high=[2.0, 2.0, 10.0],
    start=[-1.0, 0.0, 0.0],
    minima=[[1.0, 0.0, 0.0]],
    minimum=0.0,
    source="Fletcher & Powell 1963, The Computer Journal 6; MGH 1981, no. 7",
)
def helical_valley(x: Point) -> Point:
    """f(x) = 100 (x_3 - 10 theta)^2 + 100 (r - 1)^2 + x_3^2, (r, 2 pi theta) polar in (x_1, x_2).

    A spiral stair. The angle lies between -1/4 and 3/4 of a turn: f jumps across the half-line
    x_1 = 0, x_2 < 0.
    """
    a, b, c = x
    square = a**2 + b**2
    # The angle of (a, b) with its jump at a = 0, b < 0; on the axis any angle will do.
    theta = jnp.arctan2(-a, jnp.where(square > 0, b, 1)) / (2 * jnp.pi) + 0.25
    return jnp.stack([10 * (c - 10 * theta), 10 * (root(square) - 1), c])


@least_squares(
    low=-10.0,
    high=10.0,
    start=[-3.0, -1.0, -3.0, -1.0],
    minima=[[1.0, 1.0, 1.0, 1.0]],
    minimum=0.0,
    source="Colville 1968, IBM Rep. 320-2949 (Wood's function); MGH 1981, no. 14",
)
def wood(x: Point) -> Point:
    """f(x) = r(a, b, 100) + r(c, d, 90) + 10 (b + d - 2)^2 + (b - d)^2/10, x = (a, b, c, d).

    r(a, b, k) = k (b - a^2)^2 + (1 - a)^2: two of Rosenbrock's valleys, coupled, with a saddle of
    value 7.88 near (-1, 1, -1, 1), where methods stall.
    """
    a, b, c, d = x
    root90, root10 = 90**0.5, 10**0.5
    valleys = [10 * (b - a**2), 1 - a, root90 * (d - c**2), 1 - c]
    return jnp.stack([*valleys, root10 * (b + d - 2), (b - d) / root10])

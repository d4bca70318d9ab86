"""Functions 1 to 14 of the suite: separable, and with one basin (but for 3 and 4)."""

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar
from lab.losses.bbob import draws
from lab.losses.bbob.parts import (
    Instance,
    asymmetric,
    like,
    oscillated,
    penalty,
    power,
    times,
)


def sphere(x: Point, c: Instance) -> Scalar:
    """f(x) = |x - x_opt|^2."""
    return jnp.sum((x - like(x, c.x_opt)) ** 2)


def ellipsoid_separable(x: Point, c: Instance) -> Scalar:
    """f(x) = sum_i 10^(6 (i-1)/(n-1)) z_i^2, z = T_osz(x - x_opt)."""
    return jnp.sum(like(x, 1e6**c.ramp) * oscillated(x - like(x, c.x_opt)) ** 2)


def waves(z: Point) -> Scalar:
    """10 (n - sum_i cos(2 pi z_i)), without loss of digits at 0."""
    return 20 * jnp.sum(jnp.sin(np.pi * z) ** 2)


def rastrigin_separable(x: Point, c: Instance) -> Scalar:
    """f(x) = 10 (n - sum_i cos(2 pi z_i)) + |z|^2, z = Lambda^10 T_asy^0.2(T_osz(x - x_opt))."""
    z = like(x, c.scales(10)) * asymmetric(oscillated(x - like(x, c.x_opt)), 0.2)
    return waves(z) + jnp.sum(z**2)


def bueche_rastrigin_optimum(c: Instance) -> np.ndarray:
    """The drawn one, with every other coordinate positive."""
    return np.where(np.arange(c.dimension) % 2 == 0, np.abs(c.x_opt), c.x_opt)


def bueche_rastrigin(x: Point, c: Instance) -> Scalar:
    """f(x) = 10 (n - sum_i cos(2 pi z_i)) + |z|^2 + 100 f_pen, z_i = s_i T_osz(x_i - x_opt,i).

    s_i = 10^((i-1)/(n-1)/2), ten times as much where z_i > 0 and i is odd.
    """
    z = oscillated(x - like(x, bueche_rastrigin_optimum(c)))
    odd = like(x, np.where(np.arange(c.dimension) % 2 == 0, 10.0, 1.0))
    z = like(x, c.scales(10)) * jnp.where(z > 0, odd, 1) * z
    return waves(z) + jnp.sum(z**2) + 100 * penalty(x)


def linear_slope_optimum(c: Instance) -> np.ndarray:
    """The corner of the box that the drawn one points to."""
    return np.where(c.x_opt < 0, -5.0, 5.0)


def linear_slope(x: Point, c: Instance) -> Scalar:
    """f(x) = sum_i 5 |s_i| - s_i z_i, s_i = sign(x_opt,i) 10^((i-1)/(n-1)).

    z_i = x_i up to the corner x_opt of the box, and stays there beyond.
    """
    corner = like(x, linear_slope_optimum(c))
    slopes = like(x, 10**c.ramp)
    return jnp.sum(slopes * (5 - jnp.sign(corner) * jnp.where(x * corner < 25, x, corner)))


def attractive_sector(x: Point, c: Instance) -> Scalar:
    """f(x) = T_osz(sum_i (s_i z_i)^2)^0.9, z = R Lambda^10 Q (x - x_opt).

    s_i = 100 where z_i and x_opt,i have the same sign, else 1.
    """
    z = times(c.between(10), x - like(x, c.x_opt))
    s = jnp.where(z * like(x, c.x_opt) > 0, 100, 1)
    return power(oscillated(jnp.sum((s * z) ** 2)), 0.9)


def step_ellipsoid(x: Point, c: Instance) -> Scalar:
    """f(x) = 0.1 max(|y_1|/10^4, sum_i 100^((i-1)/(n-1)) z_i^2) + f_pen, z = R step(y).

    y = Lambda^10 Q (x - x_opt), rounded to whole numbers, or to tenths where below 1/2: plateaus.
    """
    y = like(x, c.scales(10)) * times(c.Q, x - like(x, c.x_opt))
    steps = jnp.where(jnp.abs(y) > 0.5, jnp.floor(0.5 + y), jnp.floor(0.5 + 10 * y) / 10)
    squares = like(x, 100**c.ramp) * times(c.R, steps) ** 2
    return 0.1 * jnp.maximum(jnp.abs(y[0]) / 1e4, jnp.sum(squares)) + penalty(x)


def rosenbrock_of(z: Point) -> Scalar:
    """sum_i 100 (z_i^2 - z_{i+1})^2 + (z_i - 1)^2."""
    return jnp.sum(100 * (z[:-1] ** 2 - z[1:]) ** 2 + (z[:-1] - 1) ** 2)


def rosenbrock_optimum(c: Instance) -> np.ndarray:
    """The drawn one, drawn in by a quarter."""
    return 0.75 * c.x_opt


def rosenbrock(x: Point, c: Instance) -> Scalar:
    """f(x) = sum_i 100 (z_i^2 - z_{i+1})^2 + (z_i - 1)^2, z = max(1, sqrt(n)/8)(x - x_opt) + 1."""
    return rosenbrock_of(c.stretch * (x - like(x, rosenbrock_optimum(c))) + 1)


def rotated_valley_optimum(c: Instance) -> np.ndarray:
    """Where z = (1, ..., 1)."""
    return c.Q.T @ np.full(c.dimension, 0.5) / c.stretch


def rosenbrock_rotated(x: Point, c: Instance) -> Scalar:
    """f(x) = sum_i 100 (z_i^2 - z_{i+1})^2 + (z_i - 1)^2, z = max(1, sqrt(n)/8) Q x + 1/2."""
    return rosenbrock_of(c.stretch * times(c.Q, x) + 0.5)


def ellipsoid(x: Point, c: Instance) -> Scalar:
    """f(x) = sum_i 10^(6 (i-1)/(n-1)) z_i^2, z = T_osz(R (x - x_opt))."""
    return jnp.sum(like(x, 1e6**c.ramp) * oscillated(times(c.R, x - like(x, c.x_opt))) ** 2)


def discus(x: Point, c: Instance) -> Scalar:
    """f(x) = 10^6 z_1^2 + sum_{i>1} z_i^2, z = T_osz(R (x - x_opt))."""
    z = oscillated(times(c.R, x - like(x, c.x_opt)))
    return 1e6 * z[0] ** 2 + jnp.sum(z[1:] ** 2)


def bent_cigar_optimum(c: Instance) -> np.ndarray:
    """Drawn from another seed."""
    return draws.optimum(c.dimension, c.seed + 1_000_000)


def bent_cigar(x: Point, c: Instance) -> Scalar:
    """f(x) = z_1^2 + 10^6 sum_{i>1} z_i^2, z = R T_asy^0.5(R (x - x_opt))."""
    z = times(c.R, asymmetric(times(c.R, x - like(x, bent_cigar_optimum(c))), 0.5))
    return z[0] ** 2 + 1e6 * jnp.sum(z[1:] ** 2)


def sharp_ridge(x: Point, c: Instance) -> Scalar:
    """f(x) = z_1^2 + 100 sqrt(sum_{i>1} z_i^2), z = R Lambda^10 Q (x - x_opt)."""
    z = times(c.between(10), x - like(x, c.x_opt))
    return z[0] ** 2 + 100 * power(jnp.sum(z[1:] ** 2), 0.5)


def different_powers(x: Point, c: Instance) -> Scalar:
    """f(x) = sqrt(sum_i |z_i|^(2 + 4 (i-1)/(n-1))), z = R (x - x_opt)."""
    z = times(c.R, x - like(x, c.x_opt))
    return power(jnp.sum(jnp.abs(z) ** like(x, 2 + 4 * c.ramp)), 0.5)

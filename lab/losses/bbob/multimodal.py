"""Functions 15 to 24 of the suite (but 21, 22): many minima, with or without a structure."""

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
from lab.losses.bbob.unimodal import waves


def rastrigin(x: Point, c: Instance) -> Scalar:
    """f(x) = 10 (n - sum_i cos(2 pi z_i)) + |z|^2.

    z = R Lambda^10 Q T_asy^0.2(T_osz(R (x - x_opt))).
    """
    y = asymmetric(oscillated(times(c.R, x - like(x, c.x_opt))), 0.2)
    z = times(c.between(10), y)
    return waves(z) + jnp.sum(z**2)


def weierstrass(x: Point, c: Instance) -> Scalar:
    """f(x) = 10 (1/n sum_i sum_{k<12} 2^-k cos(2 pi 3^k (z_i + 1/2)) - f_0)^3 + 10/n f_pen.

    z = R Lambda^(1/100) Q T_osz(R (x - x_opt)); f_0 is the sum at z_i = 0.
    """
    z = times(c.between(0.01), oscillated(times(c.R, x - like(x, c.x_opt))))
    k = np.arange(12)
    angles = like(x, 2 * np.pi * 3.0**k)[:, None] * (z[None, :] + 0.5)
    ripples = jnp.sum(like(x, 0.5**k)[:, None] * jnp.cos(angles)) / c.dimension
    f_0 = float(np.sum(0.5**k * np.cos(np.pi * 3.0**k)))
    return 10 * (ripples - f_0) ** 3 + 10 / c.dimension * penalty(x)


def schaffers(x: Point, c: Instance) -> Scalar:
    """f(x) = (1/(n-1) sum_i sqrt(s_i) (1 + sin(50 s_i^0.2)^2))^2 + 10 f_pen.

    s_i = sqrt(z_i^2 + z_{i+1}^2), z = Lambda^a Q T_asy^0.5(R (x - x_opt)), a = 10 or (18) 1000.
    """
    scales = c.scales(1000 if c.number == 18 else 10)
    z = like(x, scales) * times(c.Q, asymmetric(times(c.R, x - like(x, c.x_opt)), 0.5))
    square = z[:-1] ** 2 + z[1:] ** 2
    terms = power(square, 0.25) * (1 + jnp.sin(50 * power(square, 0.1)) ** 2)
    return (jnp.sum(terms) / (c.dimension - 1)) ** 2 + 10 * penalty(x)


def griewank_rosenbrock(x: Point, c: Instance) -> Scalar:
    """f(x) = 10/(n-1) sum_i (s_i/4000 - cos s_i) + 10, s_i = 100 (z_i^2 - z_{i+1})^2 + (z_i - 1)^2.

    z = max(1, sqrt(n)/8) Q x + 1/2.
    """
    z = c.stretch * times(c.Q, x) + 0.5
    s = 100 * (z[:-1] ** 2 - z[1:]) ** 2 + (z[:-1] - 1) ** 2
    return 10 / (c.dimension - 1) * jnp.sum(s / 4000 + 2 * jnp.sin(s / 2) ** 2)


SCHWEFEL = 4.2096874637


def _signs(c: Instance) -> np.ndarray:
    return np.where(draws.uniform(c.dimension, c.seed) < 0.5, -1.0, 1.0)


def schwefel_optimum(c: Instance) -> np.ndarray:
    """Half of 4.2096874637, with drawn signs."""
    return SCHWEFEL / 2 * _signs(c)


def schwefel(x: Point, c: Instance) -> Scalar:
    """f(x) = 4.189828872724339 - 1/(100 n) sum_i z_i sin(sqrt|z_i|) + 100 f_pen(z/100).

    y = 2 sign(x_opt) x; each y_{i+1} is moved by (y_i - 4.2096874637)/4, and
    z = 100 (Lambda^10 (y - 4.2096874637) + 4.2096874637).
    """
    y = 2 * like(x, _signs(c)) * x
    y = jnp.concatenate([y[:1], y[1:] + 0.25 * (y[:-1] - SCHWEFEL)])
    z = 100 * (like(x, c.scales(10)) * (y - SCHWEFEL) + SCHWEFEL)
    ripples = jnp.sum(z * jnp.sin(power(jnp.abs(z), 0.5))) / (100 * c.dimension)
    return 4.189828872724339 - ripples + 100 * penalty(z / 100)


def katsuura(x: Point, c: Instance) -> Scalar:
    """f(x) = 10/n^2 (prod_i (1 + i s(z_i))^(10/n^1.2) - 1) + f_pen, z = R Lambda^100 Q (x - x_opt).

    s(t) = sum_{j=1..32} |2^j t - [2^j t]|/2^j, [.] the nearest whole number: rugged everywhere.
    """
    z, n = times(c.between(100), x - like(x, c.x_opt)), c.dimension
    doubled = like(x, 2.0 ** np.arange(1, 33))[:, None] * z[None, :]
    rough = jnp.abs(doubled - jnp.floor(doubled + 0.5)) * like(x, 0.5 ** np.arange(1, 33))[:, None]
    factors = 1 + like(x, np.arange(1, n + 1)) * jnp.sum(rough, axis=0)
    return 10 / n**2 * jnp.expm1(10 / n**1.2 * jnp.sum(jnp.log(factors))) + penalty(x)


MU_0 = 2.5


def lunacek_optimum(c: Instance) -> np.ndarray:
    """Half of 2.5, with drawn signs."""
    return MU_0 / 2 * np.where(draws.normal(c.dimension, c.seed) < 0, -1.0, 1.0)


def lunacek(x: Point, c: Instance) -> Scalar:
    """f(x) = min(|y - m_0|^2, n + s |y - m_1|^2) + 10 (n - sum_i cos(2 pi z_i)) + 10^4 f_pen.

    y = 2 sign(x_opt) x, z = R Lambda^100 Q (y - m_0), m_0 = 2.5, m_1 = -sqrt((m_0^2 - 1)/s) and
    s = 1 - 1/(2 sqrt(n + 20) - 8.2): two funnels.
    """
    y, n = 2 * like(x, np.sign(lunacek_optimum(c))) * x, c.dimension
    s = 1 - 1 / (2 * (n + 20) ** 0.5 - 8.2)
    mu_1 = -(((MU_0**2 - 1) / s) ** 0.5)
    funnels = jnp.minimum(jnp.sum((y - MU_0) ** 2), n + s * jnp.sum((y - mu_1) ** 2))
    return funnels + waves(times(c.between(100), y - MU_0)) + 1e4 * penalty(x)

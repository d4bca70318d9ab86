"""What the functions are made of: an instance's numbers, and the suite's transformations."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar
from lab.losses.bbob import draws


@dataclass(frozen=True)
class Instance:
    """The seed, optimum and rotations of one function in one dimension."""

    number: int
    dimension: int
    instance: int

    @property
    def seed(self) -> int:
        """Two functions are variants of others, and share their seeds."""
        return {4: 3, 18: 17}.get(self.number, self.number) + 10_000 * self.instance

    @cached_property
    def x_opt(self) -> np.ndarray:
        """The optimum as it is drawn; some functions change it."""
        return draws.optimum(self.dimension, self.seed)

    @cached_property
    def f_opt(self) -> float:
        """The value of the optimum."""
        return draws.lowest_value(self.seed)

    @cached_property
    def R(self) -> np.ndarray:
        """The first rotation."""
        return draws.rotation(self.dimension, self.seed + 1_000_000)

    @cached_property
    def Q(self) -> np.ndarray:
        """The second rotation."""
        return draws.rotation(self.dimension, self.seed)

    def between(self, condition: float) -> np.ndarray:
        """R Lambda Q, Lambda the scales of that condition number; summed in COCO's order."""
        columns, rows = (self.R * self.scales(condition)).T, self.Q
        return sum(map(np.outer, columns, rows), np.zeros_like(self.Q))

    @property
    def ramp(self) -> np.ndarray:
        """(i - 1)/(n - 1), i = 1 ... n."""
        return np.arange(self.dimension) / (self.dimension - 1)

    def scales(self, condition: float) -> np.ndarray:
        """Lambda: condition^((i - 1)/(n - 1)/2)."""
        return condition ** (self.ramp / 2)

    @property
    def stretch(self) -> float:
        """max(1, sqrt(n)/8), which keeps Rosenbrock's valley in the box."""
        return max(1.0, self.dimension**0.5 / 8)


def like(x: Any, numbers: Any) -> Any:
    """Numbers in the type of x."""
    return jnp.asarray(numbers, x.dtype)


def times(matrix: np.ndarray, x: Point) -> Point:
    """A matrix times x, in full precision on every device."""
    return jnp.dot(like(x, matrix), x, precision=jax.lax.Precision.HIGHEST)


def oscillated(x: Any) -> Any:
    """T_osz: sign(x) exp(t + 0.049 (sin(c t) + sin(d t))), t = log|x|.

    c, d = 10, 7.9 where x > 0, else 5.5, 3.1.
    """
    t = jnp.log(jnp.where(x == 0, 1, jnp.abs(x)))
    c, d = jnp.where(x > 0, 10.0, 5.5), jnp.where(x > 0, 7.9, 3.1)
    c, d = c.astype(x.dtype), d.astype(x.dtype)
    wave = jnp.sign(x) * jnp.exp(t + 0.049 * (jnp.sin(c * t) + jnp.sin(d * t)))
    return jnp.where(x == 0, x, wave)


def asymmetric(x: Point, beta: float) -> Point:
    """T_asy: x_i^(1 + beta (i - 1)/(n - 1) sqrt x_i) where x_i > 0."""
    ramp = like(x, np.arange(x.shape[0]) / (x.shape[0] - 1))
    positive = jnp.where(x > 0, x, 1)
    return jnp.where(x > 0, positive ** (1 + beta * ramp * jnp.sqrt(positive)), x)


def penalty(x: Point) -> Scalar:
    """f_pen: the squared distance by which coordinates leave [-5, 5]."""
    return jnp.sum(jnp.maximum(0, jnp.abs(x) - 5) ** 2)


def power(x: Any, exponent: float) -> Any:
    """x^p of x >= 0, with the gradient 0 at 0."""
    return jnp.where(x > 0, jnp.where(x > 0, x, 1) ** exponent, 0)

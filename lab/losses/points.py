"""What several losses share: minima at special points, and roots that stay differentiable at 0."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Scalar


def origin(dimension: int, **_: Any) -> np.ndarray:
    """The minimum (0, ..., 0)."""
    return np.zeros((1, dimension))


def ones(dimension: int, **_: Any) -> np.ndarray:
    """The minimum (1, ..., 1)."""
    return np.ones((1, dimension))


def indices(x: Any) -> Any:
    """1, 2, ..., n in the type of x."""
    return jnp.arange(1, x.shape[0] + 1, dtype=x.dtype)


def root(square: Any) -> Scalar:
    """sqrt(s), with the gradient 0 at s = 0 instead of an infinite one."""
    # The inner `where` keeps the infinite slope of the root at 0 out of the gradient.
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)


def cos_root(square: Any) -> Scalar:
    """cos(sqrt(s)), which is smooth in s, with all its slopes near s = 0 (by its series there)."""
    near = square < 1e-3
    series = 1 - square / 2 * (1 - square / 12 * (1 - square / 30 * (1 - square / 56)))
    return jnp.where(near, series, jnp.cos(jnp.sqrt(jnp.where(near, 1, square))))

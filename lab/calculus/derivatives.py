"""Derivatives of a function of one number, from its values alone.

Every function here is of one point, pure, and made of JAX: `jax.vmap` takes it to many.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lab.losses.base import Scalar

Curve = Callable[[Any], Scalar]


def forward_difference(f: Curve, x: Scalar, h: Scalar) -> Scalar:
    """(f(x + h) - f(x)) / h, the slope of the secant from x to x + h.

    Its error is h f''(x) / 2 + O(h^2).

    Args:
        f: the function.
        x: the point.
        h: the step, not 0; a negative one gives the backward difference.
    """
    return (f(x + h) - f(x)) / h


def central_gradient(f: Curve, x: Any, h: float) -> Any:
    """The gradient by central differences: (f(x + h e_i) - f(x - h e_i)) / (2 h) for every i.

    Its error is h^2/6 times the third derivatives, plus rounding of about eps |f| / h.

    Args:
        f: a function of an array of n numbers.
        x: the point, n numbers.
        h: the step.
    """
    steps = h * jnp.eye(x.shape[0], dtype=x.dtype)
    return jax.vmap(lambda step: (f(x + step) - f(x - step)) / (2 * h))(steps)

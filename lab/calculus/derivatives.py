"""Derivatives of a function of one number, from its values alone.

Every function here is of one point, pure, and made of JAX: `jax.vmap` takes it to many.
"""

from collections.abc import Callable
from typing import Any

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

"""A smooth function through a narrow window is a straight line; one with a kink is not."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from lab.losses.base import Scalar

Curve = Callable[[Any], Scalar]

SAMPLES = 9
"""Points of a window at which the departure is measured, its ends among them."""


def departure(f: Curve, x: Scalar, w: Scalar) -> Scalar:
    """The largest |f(x + t) - f(x) - f'(x) t| over |t| <= w: how far the curve leaves its tangent.

    For a smooth f it is w^2 |f''(x)| / 2 + O(w^3). The maximum is over evenly spaced t.

    Args:
        f: the function.
        x: the middle of the window, where the tangent touches.
        w: half of the window's width.

    Returns:
        The departure; not a number if the window reaches beyond where f is defined.
    """
    value, slope = jax.value_and_grad(f)(x)
    t = w * jnp.linspace(-1.0, 1.0, SAMPLES, dtype=x.dtype)
    return jnp.abs(jax.vmap(f)(x + t) - value - slope * t).max()

"""Descent with noise: bowls whose gradients are disturbed, and the rates that a schedule takes."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from lab.losses.base import Point, Scalar
from lab.optimizers import Optimizer


def noisy_bowl(curvature: Float[np.ndarray, " dim"], noise: float) -> Callable[..., Scalar]:
    """f(x) = sum_i lambda_i x_i^2 / 2, and with a key f(x) + sigma <e, x>, e standard normal.

    The gradient of the second is that of f with independent noise sigma e on each component.

    Args:
        curvature: lambda_1 ... lambda_n.
        noise: sigma.
    """

    def bowl(x: Point, *, key: Array | None = None) -> Scalar:
        f = jnp.asarray(curvature, x.dtype) @ x**2 / 2
        if key is None:
            return f
        return f + noise * jax.random.normal(key, x.shape, x.dtype) @ x

    return bowl


def taken_rates(optimizer: Optimizer, steps: int) -> Float[np.ndarray, " step"]:
    """The learning rates eta_0 ... eta_{T-1} of a gradient descent, as its own steps show them.

    Its updates for a gradient of 1, in float64.
    """
    with jax.enable_x64(True):
        transformation = optimizer.build()
        x = jnp.zeros(1)

        def update(state: PyTree, _: None) -> tuple[PyTree, Array]:
            step, state = transformation.update(jnp.ones(1), state, x)
            return state, -step[0]

        _, rates = jax.lax.scan(update, transformation.init(x), length=steps)
        return np.asarray(rates, np.float64)

"""The activation functions of neural networks, each of one number, by name.

Their slopes are JAX's (`jax.grad`), as in training: so is where they vanish.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from lab.losses.base import Scalar

Curve = Callable[[Any], Scalar]

ACTIVATIONS: dict[str, Curve] = {
    "ReLU": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "GELU": partial(jax.nn.gelu, approximate=False),
    "softplus": jax.nn.softplus,
    "swish": jax.nn.swish,
}
"""max(x, 0); 1/(1 + e^-x); tanh x; x Phi(x); ln(1 + e^x); x/(1 + e^-x)."""


def activate(x: Scalar) -> dict[str, tuple[Scalar, Scalar]]:
    """Value and slope of every activation at one point, in the point's precision.

    Source: Hendrycks & Gimpel 2016, arXiv 1606.08415 (GELU); Ramachandran et al. 2017,
    arXiv 1710.05941 (swish).
    """
    return {name: jax.value_and_grad(f)(x) for name, f in ACTIVATIONS.items()}

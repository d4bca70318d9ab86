"""A small network with fixed data, as a loss of one flat vector of weights.

The data stand in the module as float64 arrays, so that others (benchmarks in other languages) can
compute the same loss from them.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar, surface

HIDDEN = 5
INPUTS = np.linspace(-2.0, 2.0, 16)
TEACHER = np.random.default_rng(3).uniform(-2.0, 2.0, 3 * HIDDEN + 1)
"""Input weights, hidden biases, output weights, output bias."""


def _network(w: Any, x: Any, tanh: Any) -> Any:
    inner, bias, outer = w[:HIDDEN], w[HIDDEN : 2 * HIDDEN], w[2 * HIDDEN : 3 * HIDDEN]
    return tanh(x[:, None] * inner[None, :] + bias[None, :]) @ outer + w[3 * HIDDEN]


OUTPUTS = _network(TEACHER, INPUTS, np.tanh)


@surface(
    low=-4.0,
    high=4.0,
    minima=TEACHER[None],
    minimum=0.0,
    source="Gardner & Derrida 1989, J. Phys. A 22 (a student network learns from its teacher)",
)
def tanh_network(w: Point) -> Scalar:
    """f(w) = mean_j (b + sum_i c_i tanh(a_i u_j + d_i) - y_j)^2, w = (a, d, c, b), 16 weights.

    Five hidden units learn, from 16 inputs u_j in [-2, 2], what a network of their own kind says.
    Listed is the teacher; the 5! 2^5 networks that compute the same (units swapped, signs flipped)
    are not.
    """
    error = _network(w, jnp.asarray(INPUTS, w.dtype), jnp.tanh) - jnp.asarray(OUTPUTS, w.dtype)
    return jnp.mean(error**2)

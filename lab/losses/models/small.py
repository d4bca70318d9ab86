"""Small models as losses of one flat vector of weights; their data are made from a seed here.

The data stand in the module as float64 arrays, so that others (benchmarks in other languages) can
compute the same loss from them.
"""

from typing import Any

import jax
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


def _examples() -> tuple[np.ndarray, np.ndarray]:
    """32 normal points of four features and a constant 1; a noisy linear rule labels them +-1."""
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(size=(32, 4)), np.ones((32, 1))], axis=1)
    score = features @ np.array([1.5, -1.0, 0.5, 0.0, 0.3]) + rng.logistic(size=32)
    return features, np.where(score > 0, 1.0, -1.0)


FEATURES, LABELS = _examples()


def _logistic_minima(dimension: int, ridge: float) -> np.ndarray:
    """The only minimum, by Newton's method from 0."""
    w = np.zeros(dimension)
    signed = LABELS[:, None] * FEATURES
    for _ in range(50):
        wrong = 1 / (1 + np.exp(signed @ w))
        gradient = ridge * w - signed.T @ wrong / len(LABELS)
        curvature = (signed.T * (wrong * (1 - wrong))) @ signed / len(LABELS)
        w = w - np.linalg.solve(curvature + ridge * np.eye(dimension), gradient)
    return w[None]


def _logistic_minimum(dimension: int, ridge: float) -> float:
    (w,) = _logistic_minima(dimension, ridge)
    margin = LABELS * (FEATURES @ w)
    return float(np.mean(np.logaddexp(0, -margin)) + ridge * (w @ w) / 2)


@surface(
    low=-4.0,
    high=4.0,
    dimension=5,
    minima=_logistic_minima,
    minimum=_logistic_minimum,
    positive=("ridge",),
    source="Cox 1958, J. R. Stat. Soc. B 20; ridge: le Cessie & van Houwelingen 1992, Appl. Stat.",
)
def logistic_regression(w: Point, ridge: float = 0.01) -> Scalar:
    """f(w) = mean_j log(1 + exp(-s_j <u_j, w>)) + r |w|^2 / 2, r the ridge.

    32 examples of four features and a constant, with labels s_j = +-1 that no plane separates.
    Strictly convex; the minimum is Newton's.
    """
    margin = jnp.asarray(LABELS, w.dtype) * (jnp.asarray(FEATURES, w.dtype) @ w)
    return jnp.mean(jax.nn.softplus(-margin)) + ridge * jnp.sum(w**2) / 2

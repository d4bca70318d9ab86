"""A line through noisy points: its loss, the normal equations, and how minibatches spread."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lab.losses.base import Loss, Point, Scalar

HIGH = 3.0
"""Inputs lie between 0 and this."""


class Line(NamedTuple):
    """Noisy points of a line, float64."""

    u: Float[np.ndarray, " sample"]
    y: Float[np.ndarray, " sample"]


def noisy_line(samples: int, slope: float, intercept: float, noise: float, seed: int) -> Line:
    """Points y = m u + b + sigma e, u uniform in [0, 3], e normal, by NumPy's generator."""
    rng = np.random.default_rng(seed)
    u = rng.uniform(0, HIGH, samples)
    return Line(u, slope * u + intercept + noise * rng.normal(size=samples))


def line_loss(data: Line, batch: int = 0) -> Loss:
    """f(m, b) = mean_j (m u_j + b - y_j)^2, over all points or a batch drawn anew at each step.

    Args:
        data: the points.
        batch: how many a step, drawn with replacement; 0 for all of them.
    """

    def error(weights: Point, u: Array, y: Array) -> Scalar:
        return jnp.mean((weights[0] * u + weights[1] - y) ** 2)

    def some(weights: Point, u: Array, y: Array, *, key: Array | None = None) -> Scalar:
        if key is None:
            return error(weights, u, y)
        drawn = jax.random.randint(key, (batch,), 0, len(y))
        return error(weights, u[drawn], y[drawn])

    given = {"u": data.u, "y": data.y}
    return Loss("line", some if batch else error, given, dimension=2, takes_key=batch > 0)


def curvature(data: Line) -> Float[np.ndarray, "2 2"]:
    """The Hessian of the loss, the same everywhere: 2 mean z z^T, z = (u, 1)."""
    first, second = data.u.mean(), np.mean(data.u**2)
    return 2 * np.array([[second, first], [first, 1.0]])


def least_squares_line(data: Line) -> Float[np.ndarray, "2"]:
    """The minimum (m, b) by the normal equations (mean z z^T) w = mean z y."""
    right = np.array([np.mean(data.u * data.y), data.y.mean()])
    return np.linalg.solve(curvature(data) / 2, right)


def minibatch_covariance(data: Line, rate: float, batch: int) -> Float[np.ndarray, "2 2"]:
    """The covariance about the minimum at which descent with minibatches comes to rest.

    A step is d' = (I - eta A) d - eta g, where A is the mean over the batch of a = 2 z z^T and g
    that of the gradients at the minimum. So C is the fixed point of
    C' = C - eta (H C + C H) + eta^2 (H C H + (E[a C a] - H C H) / B + E[g g^T] / B), H = E[a],
    exactly, for examples drawn with replacement.

    Args:
        data: the points.
        rate: eta.
        batch: B.
    """
    h, one = curvature(data), np.eye(2)
    moments = [np.mean(data.u**k) for k in range(5)]
    powers = np.array([2, 1, 1, 0])  # of u, in the entries of z (x) z
    aa = 4 * np.array([[moments[i + j] for j in powers] for i in powers])
    m, b = least_squares_line(data)
    squared = (data.y - m * data.u - b) ** 2
    cross = np.mean(squared * data.u)
    gg = 4 * np.array([[np.mean(squared * data.u**2), cross], [cross, squared.mean()]])
    hh = np.kron(h, h)
    away = rate * (np.kron(h, one) + np.kron(one, h)) - rate**2 * (hh + (aa - hh) / batch)
    return np.linalg.solve(away, rate**2 / batch * gg.ravel()).reshape(2, 2)

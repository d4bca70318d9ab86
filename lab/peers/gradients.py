"""Gradients of the losses by hand, in NumPy: x[coordinate, lane] -> g of the same shape."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from lab.losses import models
from lab.peers.examples import RIDGE, signed_examples

Rows = Float[np.ndarray, "dim lane"]


def rosenbrock(x: Rows) -> Rows:
    """-400 x_i r_i - 2 (1 - x_i) + 200 r_{i-1}, with r_i = x_{i+1} - x_i^2."""
    head, tail = x[:-1], x[1:]
    r = tail - head * head
    g = np.empty_like(x)
    g[:-1] = -400 * head * r - 2 * (1 - head)
    g[-1] = 0
    g[1:] += 200 * r
    return g


def rastrigin(x: Rows) -> Rows:
    """2 x_i + 20 pi sin(2 pi x_i)."""
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)


def three_wells(p: Rows) -> Rows:
    """Each well -p / (c + q s), s the squared distance, adds 2 p q (x - a) / (c + q s)^2."""
    g = np.zeros_like(p)
    for depth, c, q, a, b in ((10, 3, 3, 0.5, 0.5), (2, 1, 2, 3, 1.5), (3, 1, 0.5, 3.5, 4)):
        u, v = p[0] - a, p[1] - b
        slope = 2 * depth * q / (c + q * (u * u + v * v)) ** 2
        g[0] += slope * u
        g[1] += slope * v
    return g


def tanh_network(w: Rows) -> Rows:
    """Backpropagation, example after example: h = tanh(a u + d), r = b + <c, h> - y."""
    n = models.HIDDEN
    inner, bias, outer = w[:n], w[n : 2 * n], w[2 * n : 3 * n]
    g = np.zeros_like(w)
    for u, y in zip(models.INPUTS.tolist(), models.OUTPUTS.tolist(), strict=True):
        h = np.tanh(inner * u + bias)
        r = (2 / len(models.INPUTS)) * (np.sum(outer * h, axis=0) + w[-1] - y)
        back = r * outer * (1 - h * h)
        g[:n] += back * u
        g[n : 2 * n] += back
        g[2 * n : 3 * n] += r * h
        g[-1] += r
    return g


def logistic_regression(w: Rows) -> Rows:
    """-mean_j s_j u_j / (1 + exp(s_j <u_j, w>)) + r w."""
    signed = signed_examples().astype(w.dtype)
    wrong = 1 / (1 + np.exp(signed @ w))
    return RIDGE * w - signed.T @ wrong / len(signed)


GRADIENTS: dict[str, Callable[[Rows], Rows]] = {
    function.__name__: function
    for function in (rosenbrock, rastrigin, three_wells, tanh_network, logistic_regression)
}

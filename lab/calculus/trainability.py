"""Where training converges, in the plane of two learning rates: the network of the fractal picture.

One hidden layer of n tanh units, f(A, c) = mean_j (<c, tanh(A u_j / sqrt n)> / n - y_j)^2, trained
by full-batch descent with one rate for A and one for c (Sohl-Dickstein 2024, arXiv 2402.06184).
The sweep itself is the engine's; here are its optimizer, a plain loop with the gradients written
out, the rate at which the last layer alone diverges, and box counts of the boundary.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float


def two_rates(first: float, second: float, split: int) -> optax.GradientTransformation:
    """Plain descent: one rate for the first `split` coordinates, another for those after them."""

    def update(g: Array, state: Any, x: Array | None = None) -> tuple[Array, Any]:
        return -jnp.where(jnp.arange(g.shape[0]) < split, first, second).astype(g.dtype) * g, state

    return optax.GradientTransformation(lambda x: optax.EmptyState(), update)


def plain_loop(
    inputs: Float[np.ndarray, "sample n"],
    targets: Float[np.ndarray, " sample"],
    weights: Float[np.ndarray, " weights"],
    rates: Float[np.ndarray, "lane 2"],
    steps: int,
    diverged_above: float,
) -> Float[np.ndarray, " lane"]:
    """Final losses of a loop in NumPy whose gradients are written out, in float64.

    With e = <c, h> / n - y and h = tanh(A u / sqrt n):
    df/dc = 2/m sum_j e_j h_j / n and df/dA_ki = 2/m sum_j e_j c_k / n (1 - h_jk^2) u_ji / sqrt n.
    A lane whose loss exceeds `diverged_above` is left where it is.
    """
    n, lanes, m = inputs.shape[1], len(rates), len(inputs)
    first = np.repeat(weights[None, : n * n].reshape(1, n, n), lanes, axis=0)
    second = np.repeat(weights[None, n * n :], lanes, axis=0)
    for _ in range(steps + 1):
        hidden = np.tanh(np.einsum("lki,ji->ljk", first, inputs) / np.sqrt(n))
        error = np.einsum("ljk,lk->lj", hidden, second) / n - targets
        loss = np.mean(error**2, axis=1)
        live = loss <= diverged_above
        slope = 2 * error / (m * n) * live[:, None]
        back = slope[:, :, None] * second[:, None, :] * (1 - hidden**2)
        first = first - rates[:, 0, None, None] * np.einsum("ljk,ji->lki", back, inputs) / n**0.5
        second = second - rates[:, 1, None] * np.einsum("lj,ljk->lk", slope, hidden)
    return loss


def last_layer_limit(
    inputs: Float[np.ndarray, "sample n"], weights: Float[np.ndarray, " weights"]
) -> float:
    """The rate above which the second layer alone diverges: 2 / lambda_max of its Hessian.

    With A kept, f is a quadratic of c with Hessian 2 / (m n^2) H^T H, H the hidden values.
    """
    m, n = inputs.shape
    hidden = np.tanh(inputs @ weights[: n * n].reshape(n, n).T / np.sqrt(n))
    return float(2 / np.linalg.eigvalsh(2 * hidden.T @ hidden / (m * n**2))[-1])


def border(inside: Bool[np.ndarray, "row column"]) -> Bool[np.ndarray, "row column"]:
    """Pixels that differ from the one to their right or the one above."""
    found = np.zeros_like(inside)
    found[:, :-1] |= inside[:, 1:] != inside[:, :-1]
    found[:-1] |= inside[1:] != inside[:-1]
    return found


def box_counts(inside: Bool[np.ndarray, "row column"], sizes: list[int]) -> np.ndarray:
    """How many boxes of each size (pixels a side) hold a pixel of the border."""
    pixels, counts = border(inside), []
    for size in sizes:
        rows, columns = (side // size for side in inside.shape)
        boxes = pixels[: rows * size, : columns * size].reshape(rows, size, columns, size)
        counts.append(int(np.sum(boxes.any((1, 3)))))
    return np.array(counts)


def box_dimension(inside: Bool[np.ndarray, "row column"], sizes: list[int]) -> float:
    """Minus the slope of log count over log size, by least squares: 1 for a smooth boundary."""
    counts = box_counts(inside, sizes)
    return float(-np.polyfit(np.log(sizes), np.log(np.maximum(counts, 1)), 1)[0])

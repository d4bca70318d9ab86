"""Tensors: their products and contractions, and what a matrix of derivatives does to space.

Every function here is of one tensor or one point, pure, and made of JAX.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lab.losses.base import Point, Scalar

Map = Callable[[Any], Any]


def add(a: Any, b: Any) -> Any:
    """C_i.. = A_i.. + B_i.., for tensors of one shape."""
    return a + b


def hadamard(a: Any, b: Any) -> Any:
    """C_i.. = A_i.. B_i.., entry by entry, for tensors of one shape."""
    return a * b


def outer(a: Any, b: Any) -> Any:
    """C_i..j.. = A_i.. B_j..: every entry with every entry; the axes of A, then those of B."""
    return a[(..., *[None] * b.ndim)] * b[(None,) * a.ndim]


def contract(tensor: Any, first: int, second: int) -> Any:
    """C_.. = sum_k T_..k..k..: two axes of one length are set equal, then summed away.

    Contraction of an outer product is what `einsum` does: the matrix product AB is
    `contract(outer(A, B), 1, 2)`, the trace of A is `contract(A, 0, 1)`.

    Args:
        tensor: of at least two axes.
        first: one axis.
        second: another one, as long.
    """
    return jnp.trace(tensor, axis1=first, axis2=second)


def summed_products(x: Any, y: Any, stops: Any) -> Any:
    """x_0 y_0 + ... + x_{k-1} y_{k-1} for every k of `stops`, one term after another.

    Rounded after each addition in the precision of x; the error is at most
    k u / (1 - k u) sum |x_i y_i| (Higham, Accuracy and Stability of Numerical Algorithms, section
    3.1), and about 0.3 u k for independent standard normal entries, whose sum is of size sqrt(k).

    Args:
        x: shape (n,).
        y: shape (n,), in the same precision.
        stops: lengths, whole numbers from 1 to n, shape (stop,).
    """
    # XLA converts whole arrays of two-byte numbers each time it takes one out.
    wide = jnp.promote_types(x.dtype, jnp.float32)
    stops = jnp.asarray(stops)

    kind, a, b = x.dtype, jnp.asarray(x, wide), jnp.asarray(y, wide)

    def step(i: Any, state: tuple[Scalar, Any]) -> tuple[Scalar, Any]:
        total, kept = state
        total = total + a[i].astype(kind) * b[i].astype(kind)
        return total, jnp.where(stops == i + 1, total, kept)

    start = (jnp.zeros((), kind), jnp.zeros(stops.shape, kind))
    return lax.fori_loop(0, len(x), step, start)[1]


def affine(matrix: Any, shift: Any) -> Map:
    """X -> A x + b."""
    return lambda x: jnp.asarray(matrix, x.dtype) @ x + jnp.asarray(shift, x.dtype)


def tanh_layer(matrix: Any, shift: Any) -> Map:
    """X -> tanh(W x + b), one layer of a neural network."""
    inner = affine(matrix, shift)
    return lambda x: jnp.tanh(inner(x))


def jacobian(f: Map, x: Point) -> Any:
    """J_ij = df_i / dx_j, by forward differentiation."""
    return jax.jacfwd(f)(x)


def stretch(f: Map, x: Point) -> Scalar:
    """|det J|: what an infinitely small area at x is multiplied by."""
    return jnp.abs(jnp.linalg.det(jacobian(f, x)))


def area_ratio(f: Map, x: Point, side: Scalar) -> Scalar:
    """Area of the quadrilateral of the images of a square's corners, over the square's area.

    It tends to |det J(x)|, with an error of O(side^2).

    Args:
        f: a map of the plane.
        x: the square's centre.
        side: of the square.
    """
    corners = jnp.asarray([[-1, -1], [1, -1], [1, 1], [-1, 1]], x.dtype) * side / 2
    return jnp.abs(shoelace(jax.vmap(f)(x[None, :] + corners))) / side**2


def shoelace(corners: Any) -> Scalar:
    """Signed area of a polygon: half the sum of x_i y_{i+1} - x_{i+1} y_i.

    Taken about the first corner, or small polygons far out lose their digits.

    Args:
        corners: shape (corner, 2), anticlockwise for a positive area.
    """
    at = corners - corners[:1]
    after = jnp.roll(at, -1, axis=0)
    return jnp.sum(at[:, 0] * after[:, 1] - after[:, 0] * at[:, 1]) / 2


def ellipse(matrix: Any) -> tuple[Any, Any]:
    """Half-axes of the image of the unit circle: A = U S V^T sends it to U S times the circle.

    Returns:
        The singular values, shape (2,), decreasing, and the half-axes' directions U, as columns.
    """
    u, s, _ = jnp.linalg.svd(matrix)
    return s, u

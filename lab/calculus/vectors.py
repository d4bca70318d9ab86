"""Vectors of two or three numbers: dot and cross product, angle, projection, area.

Every function here is of one pair of vectors, pure, and made of JAX.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from lab.losses.base import Scalar

Vector = Float[Array, " dim"]


def dot(a: Vector, b: Vector) -> Scalar:
    """The dot product a . b = sum a_i b_i = |a| |b| cos(angle)."""
    return jnp.sum(a * b)


def norm(a: Vector) -> Scalar:
    """|a| = sqrt(a . a)."""
    return jnp.sqrt(dot(a, a))


def angle(a: Vector, b: Vector) -> Scalar:
    """arccos(a . b / |a| |b|), in radians from 0 to pi."""
    return jnp.arccos(jnp.clip(dot(a, b) / (norm(a) * norm(b)), -1, 1))


def projection(a: Vector, b: Vector) -> Vector:
    """(a . b / b . b) b: the shadow of a on the line of b."""
    return dot(a, b) / dot(b, b) * b


def cross(a: Vector, b: Vector) -> Array:
    """The cross product a x b; of two numbers each, its third component a_1 b_2 - a_2 b_1.

    It is at right angles to both, and as long as the parallelogram of a and b is large.
    """
    if a.shape == (2,):
        return a[0] * b[1] - a[1] * b[0]
    turned = [a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return jnp.stack(turned)

"""Small linear systems, written so that they can be taken apart into scalars."""

import jax.numpy as jnp
from jaxtyping import Array, Float

UNROLLED = 8
"""The largest system that is written out; larger ones are LAPACK's."""


def solve(matrix: Float[Array, "n n"], vector: Float[Array, " n"]) -> Float[Array, " n"]:
    """The x of A x = b; not finite where A is singular.

    Gaussian elimination with partial pivoting (Golub & Van Loan, *Matrix Computations*, section
    3.4), every row exchange a selection: A may be indefinite.
    """
    n = len(vector)
    if n > UNROLLED:
        wide = jnp.promote_types(matrix.dtype, jnp.float32)  # LAPACK has no bfloat16
        return jnp.linalg.solve(matrix.astype(wide), vector.astype(wide)).astype(vector.dtype)
    rows = [jnp.concatenate([matrix[i], vector[i : i + 1]]) for i in range(n)]
    for k in range(n):
        _largest_first(rows, k)
        for i in range(k + 1, n):
            rows[i] = rows[i] - (rows[i][k] / rows[k][k]) * rows[k]
    return _substituted(rows)


def _largest_first(rows: list[Float[Array, " n+1"]], k: int) -> None:
    """Bring the row with the largest entry of column k to place k."""
    for i in range(k + 1, len(rows)):
        larger = jnp.abs(rows[i][k]) > jnp.abs(rows[k][k])
        rows[k], rows[i] = (
            jnp.where(larger, rows[i], rows[k]),
            jnp.where(larger, rows[k], rows[i]),
        )


def _substituted(rows: list[Float[Array, " n+1"]]) -> Float[Array, " n"]:
    """The solution of a triangular system, the right side in the last column."""
    x: list[Float[Array, ""]] = []
    for k in reversed(range(len(rows))):
        known = sum(rows[k][k + 1 + j] * x_j for j, x_j in enumerate(x))
        x.insert(0, (rows[k][-1] - known) / rows[k][k])
    return jnp.stack(x)

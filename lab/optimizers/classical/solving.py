"""Linear systems without LAPACK, small ones so that they can be taken apart into scalars.

LAPACK's calls from a program on several CPU devices may wait for each other for ever.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

UNROLLED = 8
"""The largest system that is written out."""


def solve(matrix: Float[Array, "n n"], vector: Float[Array, " n"]) -> Float[Array, " n"]:
    """The x of A x = b; not finite where A is singular.

    Gaussian elimination with partial pivoting (Golub & Van Loan, *Matrix Computations*, section
    3.4), so that A may be indefinite; of larger systems Gauss-Jordan's, in a loop.
    """
    n = len(vector)
    rows = jnp.concatenate([matrix, vector[:, None]], axis=1)
    return _written_out(list(rows)) if n <= UNROLLED else _in_a_loop(rows)


def _written_out(rows: list[Float[Array, " n+1"]]) -> Float[Array, " n"]:
    """The solution, every row exchange a selection."""
    for k in range(len(rows)):
        _largest_first(rows, k)
        for i in range(k + 1, len(rows)):
            rows[i] = rows[i] - (rows[i][k] / rows[k][k]) * rows[k]
    return _substituted(rows)


def _in_a_loop(rows: Float[Array, "n n+1"]) -> Float[Array, " n"]:
    """The solution, by making the matrix diagonal column after column."""
    index = jnp.arange(len(rows))

    def more(carry: tuple[Array, Array]) -> Array:
        return carry[0] < len(rows)

    def cleared(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        k, rows = carry
        largest = jnp.argmax(jnp.where(index >= k, jnp.abs(rows[:, k]), -1))
        row = rows[largest]
        rows = rows.at[largest].set(rows[k]).at[k].set(row)
        factors = jnp.where(index == k, 0, rows[:, k] / row[k])
        return k + 1, rows - factors[:, None] * row[None, :]

    # Not a scan, which the kernels' compiler would write out.
    rows = lax.while_loop(more, cleared, (jnp.zeros((), jnp.int32), rows))[1]
    return rows[:, -1] / jnp.sum(jnp.where(jnp.eye(len(rows), dtype=bool), rows[:, :-1], 0), axis=1)


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

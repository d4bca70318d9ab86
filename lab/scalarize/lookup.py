"""`lookup`: a number picked from a table that is known while tracing, by an index that is not.

It is a primitive of scalars, as all others in a `Straight`, and so elementwise: rows of indices
give rows of numbers. Starts on a grid are made of it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jax.interpreters import batching, mlir
from jaxtyping import Array

MOST_NUMBERS = 2**12
"""Numbers in a table: it is written out in the code of a kernel."""


@dataclass(frozen=True)
class Table:
    """The numbers, as a parameter of an equation must be: compared by value."""

    data: bytes
    dtype: str

    @classmethod
    def of(cls, numbers: np.ndarray) -> "Table":
        """The table of a row of numbers."""
        return cls(numbers.tobytes(), numbers.dtype.name)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The row of numbers."""
        return np.frombuffer(self.data, self.dtype)

    def __repr__(self) -> str:
        return f"{len(self.numbers)} numbers"


lookup_p = core.Primitive("lookup")


def lookup(table: Table, index: Any) -> Array:
    """The table's numbers at these places, which must lie within it."""
    return lookup_p.bind(index, table=table)


def _taken(index: Any, table: Table) -> Array:
    return jnp.asarray(table.numbers).at[index].get(mode="promise_in_bounds")


def _described(index: Any, table: Table) -> Any:
    return jax.core.ShapedArray(index.shape, np.dtype(table.dtype))


def _batched(indices: Any, axes: Any, table: Table) -> tuple[Array, Any]:
    return lookup(table, indices[0]), axes[0]


lookup_p.def_impl(jax.jit(_taken, static_argnames="table"))
lookup_p.def_abstract_eval(_described)
mlir.register_lowering(lookup_p, mlir.lower_fun(_taken, multiple_results=False))
batching.primitive_batchers[lookup_p] = _batched

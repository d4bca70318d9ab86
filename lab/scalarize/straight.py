"""`Straight`: a function as a jaxpr of scalars, and what in it depends on what."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend import core
from jaxtyping import Array

from lab.scalarize.boxes import is_key
from lab.scalarize.tidy import needed


class Leaf(NamedTuple):
    """A leaf of arguments or results, before it was taken apart.

    Attributes:
        shape: of the array.
        dtype: of its scalars; those of a random key are two uint32.
        key: whether it is of random keys.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    key: bool

    @classmethod
    def like(cls, value: Any) -> "Leaf":
        """The leaf that such an array makes."""
        key = is_key(value)
        return cls(tuple(value.shape), np.dtype(np.uint32 if key else value.dtype), key)

    @property
    def size(self) -> int:
        """How many scalars it is made of."""
        return math.prod(self.shape) * (2 if self.key else 1)

    def rows(self, array: Array) -> list[Array]:
        """An array with a leading axis of lanes, as a row of lanes for each scalar."""
        data = jax.random.key_data(array) if self.key else array
        flat = data.reshape(len(array), self.size)
        return [flat[:, i] for i in range(self.size)]

    def whole(self, rows: Sequence[Array], lanes: int) -> Array:
        """Rows of lanes, or numbers that are the same for all, as one array of so many lanes."""
        columns = [jnp.broadcast_to(row, (lanes,)) for row in rows]
        stacked = jnp.stack(columns, axis=1) if columns else jnp.zeros((lanes, 0), self.dtype)
        return self.joined(stacked)

    def joined(self, numbers: Array) -> Array:
        """The scalars of lanes, [lane, scalar], as one array of so many lanes."""
        shape = (*self.shape, 2) if self.key else self.shape
        data = numbers.reshape(len(numbers), *shape)
        return jax.random.wrap_key_data(data) if self.key else data


@dataclass(frozen=True)
class Straight:
    """A function of scalars.

    Attributes:
        jaxpr: its equations, all of shape (); its results are those of the function, taken apart.
        inputs: the leaves of the arguments; `jaxpr.invars` are their scalars, in order.
    """

    jaxpr: core.Jaxpr
    inputs: tuple[Leaf, ...]

    def __call__(self, *values: Array) -> list[Array]:
        """The results for these scalars, each of shape () or, for many lanes, (lanes,)."""
        given = dict(zip(self.jaxpr.invars, values, strict=True))

        def read(atom: Any) -> Any:
            return atom.val if isinstance(atom, core.Literal) else given[atom]

        for equation in self.jaxpr.eqns:
            operands = alike([read(atom) for atom in equation.invars])
            given[equation.outvars[0]] = equation.primitive.bind(*operands, **equation.params)
        return [read(atom) for atom in self.jaxpr.outvars]

    def depends(self, given: Iterable[bool]) -> set[core.Var]:
        """The variables that depend on the scalars of the arguments that are marked."""
        marked = {var for var, mark in zip(self.jaxpr.invars, given, strict=True) if mark}
        for equation in self.jaxpr.eqns:
            if any(is_in(marked, atom) for atom in equation.invars):
                marked.update(equation.outvars)
        return marked

    def with_jaxpr(self, change: Callable[[core.Jaxpr], core.Jaxpr]) -> "Straight":
        """The same function, its equations changed."""
        return Straight(change(self.jaxpr), self.inputs)

    def only(self, results: slice) -> "Straight":
        """The function of these of its results, with the equations that they need."""
        return self.with_jaxpr(lambda jaxpr: needed(jaxpr.replace(outvars=jaxpr.outvars[results])))


def alike(values: Sequence[Any]) -> list[Any]:
    """The values as rows of lanes, if one of them is: primitives do not broadcast."""
    longest = max((np.shape(value) for value in values), key=len, default=())
    return [v if np.shape(v) == longest else lax.broadcast(v, longest) for v in values]


def is_in(variables: Iterable[core.Var], atom: Any) -> bool:
    """Whether an atom is one of the variables; literals never are."""
    return not isinstance(atom, core.Literal) and atom in variables


NESTED = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
    "checkpoint": "jaxpr",
    "remat2": "jaxpr",
}
"""Primitives that call a jaxpr, and the parameter that holds it."""


def dependent(jaxpr: core.Jaxpr, given: Sequence[bool]) -> list[bool]:
    """Which results of a jaxpr, not yet taken apart, depend on the arguments that are marked."""
    marked = {var for var, mark in zip(jaxpr.invars, given, strict=True) if mark}
    for equation in jaxpr.eqns:
        marks = [is_in(marked, atom) for atom in equation.invars]
        inner = equation.params.get(NESTED.get(equation.primitive.name, ""))
        body = getattr(inner, "jaxpr", inner)
        results = [any(marks)] * len(equation.outvars) if body is None else dependent(body, marks)
        marked.update(v for v, mark in zip(equation.outvars, results, strict=True) if mark)
    return [is_in(marked, atom) for atom in jaxpr.outvars]

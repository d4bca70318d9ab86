"""Scalars and rows of lanes packed into buffers, and back."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jaxtyping import Array

from lab.kernels.loop import Loop
from lab.scalarize import aval

ENDED = 1
"""What pads rows: read as an outcome, a lane that has ended."""


class Place(NamedTuple):
    """Of a number or a row: which of a function's buffers, which element or row there."""

    buffer: int
    row: int


def stored_as(var: core.Var, truth: np.dtype) -> np.dtype:
    """The type that a variable has in a buffer, where truth values have this one."""
    dtype = np.dtype(aval(var).dtype)
    return truth if dtype.kind == "b" else dtype


class Pack:
    """Variables and their values, all of shape () or all of shape (lanes,), in an array a type.

    Args:
        values: each variable with its value (None where only the places are asked for).
        padding: how many lanes to add to each row.
        truth: the type that holds truth values.
    """

    def __init__(
        self,
        values: Iterable[tuple[core.Var, Any]],
        padding: int = 0,
        truth: Any = np.bool_,
    ):
        self.values, self.padding, self.truth = list(values), padding, np.dtype(truth)

    @cached_property
    def groups(self) -> list[list[core.Var]]:
        """The variables that share an array."""
        groups: dict[np.dtype, list[core.Var]] = {}
        for var, _ in self.values:
            groups.setdefault(stored_as(var, self.truth), []).append(var)
        return list(groups.values())

    @cached_property
    def arrays(self) -> list[Array]:
        """The arrays: [scalar], or [row, lane] with padding after the last lane."""
        found = dict(self.values)
        stacked = [jnp.stack([self._stored(var, found[var]) for var in g]) for g in self.groups]
        if not self.padding:
            return stacked
        return [jnp.pad(a, ((0, 0), (0, self.padding)), constant_values=ENDED) for a in stacked]

    def described(self, *lanes: int) -> list[jax.ShapeDtypeStruct]:
        """The shapes and types of the arrays, for so many lanes in rows."""
        types = [stored_as(group[0], self.truth) for group in self.groups]
        sizes = [self.rows(group) for group in self.groups]
        return [
            jax.ShapeDtypeStruct((*size, *lanes), dtype)
            for size, dtype in zip(sizes, types, strict=True)
        ]

    @staticmethod
    def rows(group: Sequence[core.Var]) -> tuple[int, ...]:
        """The leading axis of the array of some variables."""
        return (len(group),)

    def places(self, first: int = 0) -> dict[core.Var, Place]:
        """Where each variable lies, if the arrays are a function's buffers from `first` on."""
        return {
            var: Place(first + number, index)
            for number, group in enumerate(self.groups)
            for index, var in enumerate(group)
        }

    def unpacked(self, arrays: Iterable[Array]) -> dict[core.Var, Array]:
        """The values in arrays like those of `arrays`."""
        pairs = zip(self.groups, arrays, strict=True)
        return {v: self._found(v, array[i]) for g, array in pairs for i, v in enumerate(g)}

    def _stored(self, var: core.Var, value: Any) -> Array:
        return jnp.asarray(value, stored_as(var, self.truth))

    def _found(self, var: core.Var, row: Array) -> Array:
        row = row.astype(aval(var).dtype)
        return row[: len(row) - self.padding] if self.padding else row


class Apart(Pack):
    """Rows of lanes, each in an array of its own: [lane], as it is, unless it must be padded."""

    @cached_property
    def groups(self) -> list[list[core.Var]]:
        """Each variable alone."""
        return [[var] for var, _ in self.values]

    @cached_property
    def arrays(self) -> list[Array]:
        """The rows."""
        rows = [self._stored(var, value) for var, value in self.values]
        if not self.padding:
            return rows
        return [jnp.pad(row, (0, self.padding), constant_values=ENDED) for row in rows]

    @staticmethod
    def rows(group: Sequence[core.Var]) -> tuple[int, ...]:
        """A row has no axis but its lanes'."""
        return ()

    def unpacked(self, arrays: Iterable[Array]) -> dict[core.Var, Array]:
        """The values in arrays like those of `arrays`."""
        return {v: self._found(v, a) for (v, _), a in zip(self.values, arrays, strict=True)}


RowPack = TypeVar("RowPack", bound=Pack)


class Packs(NamedTuple, Generic[RowPack]):
    """All that a loop's function is passed.

    Attributes:
        shared: what never changes and is the same for all lanes.
        given: what never changes and differs from lane to lane.
        alike: the state that is the same for all lanes.
        lanes: the state that differs from lane to lane.
    """

    shared: Pack
    given: RowPack
    alike: Pack
    lanes: RowPack


def packed(
    rows_as: type[RowPack],
    loop: Loop,
    shared: Sequence[Any],
    given: Sequence[Any],
    state: Sequence[Any],
    padding: int = 0,
    truth: Any = np.bool_,
) -> Packs[RowPack]:
    """The numbers of a loop, packed; those that no equation asks for are left out."""
    used, (of_shared, of_given, of_state) = loop.used, loop.variables
    constants = [*zip(of_shared, shared, strict=True)]
    rows: list[tuple[core.Var, Any]] = []
    for var, value, differs in zip(of_given, given, loop.given, strict=True):
        (rows if differs else constants).append((var, value))
    alike: list[tuple[core.Var, Any]] = []
    changing: list[tuple[core.Var, Any]] = []
    for var, value, differs in zip(of_state, state, loop.state, strict=True):
        (changing if differs else alike).append((var, value))
    return Packs(
        Pack(((var, value) for var, value in constants if var in used), truth=truth),
        rows_as(((var, value) for var, value in rows if var in used), padding, truth),
        Pack(alike, truth=truth),
        rows_as(changing, padding, truth),
    )


def lanes_of(loop: Loop, given: Sequence[Any], state: Sequence[Any]) -> int:
    """How many lanes there are."""
    marked = zip([*given, *state], [*loop.given, *loop.state], strict=True)
    return next(len(row) for row, differs in marked if differs)

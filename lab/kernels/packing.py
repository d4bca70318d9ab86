"""Scalars and rows of lanes packed into buffers, and back."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

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


class Column(NamedTuple):
    """Of a lane's number among others: which buffer, which number there, of how many a lane."""

    buffer: int
    number: int
    of: int


class Columns:
    """Variables of lanes side by side, in arrays [lane, column].

    Args:
        variables: all of them.
        columns: how many, one after the other, share each array.
    """

    def __init__(self, variables: Sequence[core.Var], columns: Sequence[int]):
        rest = iter(variables)
        self.groups = [[next(rest) for _ in range(count)] for count in columns if count]

    def described(self, lanes: int) -> list[jax.ShapeDtypeStruct]:
        """The shapes and types of the arrays that are not empty."""
        return [
            jax.ShapeDtypeStruct((lanes, len(group)), aval(group[0]).dtype) for group in self.groups
        ]

    def places(self, first: int = 0) -> dict[core.Var, Column]:
        """Where each variable lies, if the arrays are a function's buffers from `first` on."""
        return {
            var: Column(first + number, place, len(group))
            for number, group in enumerate(self.groups)
            for place, var in enumerate(group)
        }


def stored_as(var: core.Var, truth: np.dtype) -> np.dtype:
    """The type that a variable has in a buffer, where truth values have this one."""
    dtype = np.dtype(aval(var).dtype)
    return truth if dtype.kind == "b" else dtype


class Pack:
    """Variables and their values, all of shape () or all of shape (lanes,).

    Args:
        values: each variable with its value (None where only the places are asked for).
        padding: how many lanes to add to each row.
        truth: the type that holds truth values.
        apart: give each variable an array of its own, not one to all of a type.
    """

    def __init__(
        self,
        values: Iterable[tuple[core.Var, Any]],
        padding: int = 0,
        truth: Any = np.bool_,
        apart: bool = False,
    ):
        self.values, self.padding, self.truth = list(values), padding, np.dtype(truth)
        self.apart = apart

    @cached_property
    def groups(self) -> list[list[core.Var]]:
        """The variables that share an array."""
        if self.apart:
            return [[var] for var, _ in self.values]
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
        return [
            jax.ShapeDtypeStruct((len(group), *lanes), stored_as(group[0], self.truth))
            for group in self.groups
        ]

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


class Packs(NamedTuple):
    """All that a loop's function is passed.

    Attributes:
        shared: what never changes and is the same for all lanes.
        given: what never changes and differs from lane to lane.
        alike: the state that is the same for all lanes.
        lanes: the state that differs from lane to lane.
    """

    shared: Pack
    given: Pack
    alike: Pack
    lanes: Pack


def packed(
    loop: Loop,
    shared: Sequence[Any],
    given: Sequence[Any],
    state: Sequence[Any],
    padding: int = 0,
    truth: Any = np.bool_,
    apart: bool = False,
) -> Packs:
    """The numbers of a loop, packed; those that no equation asks for are left out.

    Args:
        loop: and its numbers.
        shared: likewise.
        given: likewise.
        state: likewise.
        padding: see `Pack`.
        truth: see `Pack`.
        apart: whether each row has an array of its own.
    """
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
        Pack(((var, value) for var, value in rows if var in used), padding, truth, apart),
        Pack(alike, truth=truth),
        Pack(changing, padding, truth, apart),
    )


def lanes_of(loop: Loop, given: Sequence[Any], state: Sequence[Any]) -> int:
    """How many lanes there are."""
    marked = zip([*given, *state], [*loop.given, *loop.state], strict=True)
    return next(len(row) for row, differs in marked if differs)

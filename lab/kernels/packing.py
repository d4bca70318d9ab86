"""Scalars and rows of lanes packed into one buffer for each type of number, and back."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jaxtyping import Array

from lab.kernels.loop import Loop, Rows
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
    """Variables and their values, all of shape () or all of shape (lanes,).

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
        self.groups: dict[np.dtype, list[core.Var]] = {}
        for var, _ in self.values:
            self.groups.setdefault(stored_as(var, self.truth), []).append(var)

    @cached_property
    def arrays(self) -> list[Array]:
        """One array a type: [scalar], or [row, lane] with padding after the last lane."""
        found = dict(self.values)
        stacked = [
            jnp.stack([jnp.asarray(found[var], dtype) for var in group])
            for dtype, group in self.groups.items()
        ]
        if not self.padding:
            return stacked
        return [jnp.pad(a, ((0, 0), (0, self.padding)), constant_values=ENDED) for a in stacked]

    def places(self, first: int = 0) -> dict[core.Var, Place]:
        """Where each variable lies, if the arrays are a function's buffers from `first` on."""
        return {
            var: Place(first + number, index)
            for number, group in enumerate(self.groups.values())
            for index, var in enumerate(group)
        }

    def unpacked(self, arrays: Iterable[Array]) -> dict[core.Var, Array]:
        """The values in arrays like those of `arrays`."""
        found = {}
        for group, array in zip(self.groups.values(), arrays, strict=True):
            for index, var in enumerate(group):
                row = array[index].astype(aval(var).dtype)
                found[var] = row[: len(row) - self.padding] if self.padding else row
        return found


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
) -> Packs:
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
        Pack(((var, value) for var, value in rows if var in used), padding, truth),
        Pack(alike, truth=truth),
        Pack(changing, padding, truth),
    )


def lanes_of(loop: Loop, state: Rows) -> int:
    """How many lanes there are."""
    return next(len(row) for row, differs in zip(state, loop.state, strict=True) if differs)

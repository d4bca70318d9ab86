"""What a program does with a block of lanes, by how these lie in memory.

`Backend` keeps them as a `Lane` of arrays [tiles, tile, ...]. `InRows` keeps one array
[tiles, tile] for each number of a lane, just as a kernel takes them, from their starts to their
ends; nothing is moved in between.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from lab.backends import loops
from lab.backends.loops import Ids
from lab.backends.scalars import (
    ONE,
    back,
    first_where_alike,
    lane_of,
    loop_for,
    numbers,
    one_step,
    rows_of,
    sizes,
)
from lab.descent import Lane
from lab.kernels import kernel_for, once_for
from lab.kernels.loop import Rows
from lab.scalarize import NotScalar

if TYPE_CHECKING:
    from lab.problem import Inputs, Problem

Ends = tuple[dict[str, Array], Array]
"""Stored variables of lanes [lane, ...], and their last losses."""


class Backend:
    """Blocks of lanes whose arrays are their own.

    Args:
        loop: takes steps: (problem, inputs, ids, lanes, first, until) -> lanes.
    """

    def __init__(self, loop: Callable[..., Any]):
        self.loop = loop

    def begin(self, problem: "Problem", inputs: "Inputs", ids: Ids) -> Any:
        """The lanes at their starts."""
        each = jax.vmap(jax.vmap(partial(problem.begin, inputs)))
        return each(tuple(ids))

    def advance(
        self,
        problem: "Problem",
        inputs: "Inputs",
        ids: Ids,
        lanes: Any,
        first: Int[Array, ""],
        until: Int[Array, ""],
    ) -> Any:
        """The lanes after steps first ... until-1."""
        return self.loop(problem, inputs, ids, lanes, first, until)

    def finish(
        self, problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Any, last: Int[Array, ""]
    ) -> Ends:
        """The stored variables of lanes that end at step `last`, and their last losses as such."""
        one = partial(problem.end, (inputs, last))
        return jax.vmap(one)(jax.tree.map(flat, (tuple(ids), lanes)))

    def leaves(self, problem: "Problem", lanes: Any, field: str) -> list[Array]:
        """The arrays of a `Lane`'s field: what blocks lead with, then what is a lane's own."""
        return jax.tree.leaves(getattr(lanes, field))


class InRows(Backend):
    """Blocks of lanes as a row for each number that differs, for the kernel of a platform.

    A number of the state that is the same for all lanes that run is kept as one.
    """

    def __init__(self, platform: str):
        self.run, self.once = kernel_for(platform), once_for(platform)

    def begin(self, problem: "Problem", inputs: "Inputs", ids: Ids) -> Rows:
        """The lanes at their starts."""
        tiles, rows = ids.shape[1:], [flat(row) for row in ids]
        try:
            lanes, _ = self._once(problem.begin, inputs, ONE, rows, [True] * len(rows))
        except NotScalar:
            lanes = rows_of(jax.vmap(partial(problem.begin, inputs))(tuple(rows)))
        return laid(lanes, loop_for(problem, inputs).state, tiles)

    def advance(
        self,
        problem: "Problem",
        inputs: "Inputs",
        ids: Ids,
        lanes: Rows,
        first: Int[Array, ""],
        until: Int[Array, ""],
    ) -> Rows:
        """The lanes after steps first ... until-1."""
        loop = loop_for(problem, inputs)
        given = rows_of(jax.vmap(partial(problem.lane, inputs))(tuple(map(flat, ids))))
        given = first_where_alike(given, loop.given)
        after = self.run(loop, first, until, numbers(inputs), given, as_rows(lanes))
        return laid(after, loop.state, ids.shape[1:])

    def finish(
        self, problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Rows, last: Int[Array, ""]
    ) -> Ends:
        """The stored variables of lanes that end at step `last`, and their last losses as such."""
        shared, one = (inputs, last), (ONE, lane_of(problem, inputs))
        rows = as_rows([*ids, *lanes])
        try:
            differs = [True] * len(ids) + list(loop_for(problem, inputs).state)
            found, result = self._once(problem.end, shared, one, rows, differs)
        except NotScalar:
            return jax.vmap(partial(problem.end, shared))(back(rows, one, len(rows[0])))
        return back(found, result, len(rows[0]))

    def leaves(self, problem: "Problem", lanes: Rows, field: str) -> list[Array]:
        """The arrays of a `Lane`'s field: a row for each of its numbers."""
        lane: Lane = problem.traced["lane"]
        before = Lane._fields[: Lane._fields.index(field)]
        first = sum(sum(sizes(getattr(lane, name))) for name in before)
        return lanes[first : first + sum(sizes(getattr(lane, field)))]

    def _once(
        self,
        function: Callable[..., PyTree],
        shared: PyTree,
        one: PyTree,
        rows: Rows,
        differs: Sequence[bool],
    ) -> tuple[Rows, PyTree]:
        """What a function of one lane is for all, in rows, and the shapes of one result."""
        loop, result = one_step(function, shared, one, differs)
        return self.once(loop, numbers(shared), rows), result


def laid(values: Rows, differs: Sequence[bool], tiles: tuple[int, ...]) -> Rows:
    """Rows in tiles, or one number, the first, where all lanes have the same."""
    return [
        jnp.broadcast_to(value, math.prod(tiles)).reshape(tiles) if mark else jnp.ravel(value)[0]
        for value, mark in zip(values, differs, strict=True)
    ]


def as_rows(values: Rows) -> Rows:
    """What `laid` gave, as rows of lanes and numbers again."""
    return [flat(value) if value.ndim else value for value in values]


def flat(leaf: Array) -> Array:
    """A leaf of a block's tiles as one row of lanes."""
    tiles, tile, *own = leaf.shape
    return leaf.reshape(tiles * tile, *own)


def backend_for(name: str, platform: str) -> Backend:
    """The backend of that name on a platform."""
    if name == "kernel":
        return InRows(platform)
    return Backend({"vmap": loops.vmap, "scalar": loops.scalar}[name])

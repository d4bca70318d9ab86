"""What a program does with a block of lanes, by how these lie in memory.

`InTiles` keeps them as a `Lane` of arrays [tiles, tile, ...]. `InRows` keeps one array
[tiles, tile] for each number of a lane, just as a kernel takes them, from their starts to their
ends; nothing is moved in between. Both have the same methods.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PyTree

from lab.backends import loops
from lab.backends.scalars import back, first_where_alike, numbers, one_step, rows_of, sizes, traced
from lab.blocks import PADDING
from lab.descent import Lane
from lab.kernels import kernel_for, missing, once_for, through_for
from lab.kernels.loop import Loop, Rows, Whole
from lab.problem import ONE
from lab.scalarize import NotScalar

if TYPE_CHECKING:
    from lab.problem import Inputs, LaneInputs, Problem

Ids = Int[Array, "3 tiles tile"]
"""Setting, seed and start of each lane of a block."""


class Placed(NamedTuple):
    """The ids of a block's lanes: the places of each among others, and the ids of the first.

    Most blocks of a run are alike but for their corners, so that `places` is on the devices once.

    Attributes:
        places: to which the corner is added, but for padding.
        corner: setting, seed and start.
        lanes: how many lanes there are before the padding.
    """

    places: Ids
    corner: Int[Array, "3"]
    lanes: Int[Array, ""]

    @property
    def ids(self) -> Ids:
        """Of each lane."""
        places, corner, _ = self
        return jnp.where(places == PADDING, PADDING, places + corner[:, None, None])


class Stage(NamedTuple):
    """A part of a run: steps first ... until-1, and whether lanes begin before and end after."""

    first: Int[Array, ""]
    until: Int[Array, ""]
    begins: Bool[Array, ""]
    ends: Bool[Array, ""]


Ends = tuple[dict[str, Array], Array]
"""Stored variables of lanes [lane, ...], and their last losses."""


class InTiles:
    """Blocks of lanes whose arrays are their own, worked through tile after tile.

    Args:
        loop: takes the steps of a tile: (problem, inputs, given, lanes, first, until) -> lanes.

    Attributes:
        apart: whether the lanes that `through` gives have memory of their own; else they may have
            that of those given.
    """

    apart = False

    def __init__(self, loop: Callable[..., Lane]):
        self.loop = loop

    def begin(self, problem: "Problem", inputs: "Inputs", ids: Ids) -> Lane:
        """The lanes at their starts."""
        return jax.vmap(jax.vmap(partial(problem.begin, inputs)))(tuple(ids))

    def advance(
        self,
        problem: "Problem",
        inputs: "Inputs",
        ids: Ids,
        lanes: Lane,
        first: Int[Array, ""],
        until: Int[Array, ""],
    ) -> Lane:
        """The lanes after steps first ... until-1."""

        def tile(arguments: tuple[tuple[Array, ...], Lane]) -> Lane:
            ids, lanes = arguments
            given = given_of(problem, inputs, ids)
            return self.loop(problem, inputs, given, lanes, first, until)

        return jax.lax.map(tile, (tuple(ids), lanes))

    def finish(
        self, problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Lane, last: Int[Array, ""]
    ) -> Ends:
        """The stored variables of lanes that end at step `last`, and their last losses as such."""
        one = partial(problem.end, (inputs, last))
        return jax.vmap(one)(jax.tree.map(flat, (tuple(ids), lanes)))

    def through(
        self, problem: "Problem", inputs: "Inputs", placed: Placed, lanes: Lane, stage: Stage
    ) -> tuple[Lane, Ends]:
        """The lanes after a part of their run, and what is stored of them if they end there."""
        return staged(self, problem, inputs, placed.ids, lanes, stage)

    def leaves(self, problem: "Problem", lanes: Lane, field: str) -> list[Array]:
        """The arrays of a `Lane`'s field: what blocks lead with, then what is a lane's own."""
        return jax.tree.leaves(getattr(lanes, field))


class InRows:
    """Blocks of lanes as a row for each number that differs, for the kernel of a platform.

    A number of the state that is the same for all lanes that run is kept as one.
    """

    def __init__(self, platform: str):
        self.platform = platform
        self.run, self.once = kernel_for(platform), once_for(platform)
        self.kernel = through_for(platform)
        self.apart = self.kernel is not None

    def begin(self, problem: "Problem", inputs: "Inputs", ids: Ids) -> Rows:
        """The lanes at their starts."""
        tiles, rows = ids.shape[1:], [flat(row) for row in ids]
        try:
            lanes, _ = self._once(problem.begin, inputs, ONE, rows, [True] * len(rows))
        except NotScalar:
            lanes = rows_of(jax.vmap(partial(problem.begin, inputs))(tuple(rows)))
        return laid(lanes, traced(problem, inputs).loop.state, tiles)

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
        loop = traced(problem, inputs).loop
        given = self._given(problem, inputs, list(map(flat, ids)))
        after = self.run(loop, first, until, numbers(inputs), given, as_rows(lanes))
        return laid(after, loop.state, ids.shape[1:])

    def finish(
        self, problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Rows, last: Int[Array, ""]
    ) -> Ends:
        """The stored variables of lanes that end at step `last`, and their last losses as such."""
        loop, lane = traced(problem, inputs)
        shared, one = (inputs, last), (ONE, lane)
        rows, differs = as_rows([*ids, *lanes]), [True] * len(ids) + list(loop.state)
        try:
            found, result = self._once(problem.end, shared, one, rows, differs)
        except NotScalar:
            return jax.vmap(partial(problem.end, shared))(back(rows, one, len(rows[0])))
        return back(found, result, len(rows[0]))

    def through(
        self, problem: "Problem", inputs: "Inputs", placed: Placed, lanes: Rows, stage: Stage
    ) -> tuple[Rows, Ends]:
        """The lanes after a part of their run, and what is stored of them if they end there.

        Where there is a kernel for all of it, lanes that begin and end here are in memory only as
        ids and as results, and padding is left as it comes.
        """
        if self.kernel is None:
            return staged(self, problem, inputs, placed.ids, lanes, stage)
        loop, lane = traced(problem, inputs)
        begin = self._scalars(problem.begin, inputs, ONE, [True] * len(ONE))
        marks = [True] * len(ONE) + list(loop.state)
        end = self._scalars(problem.end, (inputs, stage.until), (ONE, lane), marks)
        if begin is None:
            lanes = begun(self, problem, inputs, placed.ids, lanes, stage)
        of_edges = stage.begins & (begin is not None), stage.ends & (end is not None)
        bounds = (*stage[:2], *of_edges, *placed.corner, placed.lanes)
        ids = placed.places.reshape(len(ONE), -1)
        given = self._given(problem, inputs, list(map(flat, placed.ids)))
        after, found = self.kernel(
            Whole(loop, begin, end), bounds, ids, numbers(inputs), given, as_rows(lanes)
        )
        lanes = laid(after, loop.state, placed.places.shape[1:])
        if end is None:
            return lanes, ended(self, problem, inputs, placed.ids, lanes, stage)
        result = jax.eval_shape(problem.end, (inputs, stage.until), (ONE, lane))
        return lanes, back(found, result, ids.shape[1])

    def _given(self, problem: "Problem", inputs: "Inputs", ids: Rows) -> Rows:
        """What the lanes with these ids are given, as a kernel takes it."""
        of_lanes = rows_of(given_of(problem, inputs, ids))
        return first_where_alike(of_lanes, traced(problem, inputs).loop.given)

    def _scalars(
        self, function: Callable[..., PyTree], shared: PyTree, one: PyTree, differs: Sequence[bool]
    ) -> Loop | None:
        """A function of one lane as a loop of one step, if the kernel can do it."""
        try:
            loop, _ = one_step(function, shared, one, differs)
        except NotScalar:
            return None
        return loop if missing(loop, self.platform) is None else None

    def leaves(self, problem: "Problem", lanes: Rows, field: str) -> list[Array]:
        """The arrays of a `Lane`'s field: a row for each of its numbers."""
        lane: Lane = problem.traced["step"].lane
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


def staged(
    form: "Backend", problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Any, stage: Stage
) -> tuple[Any, Ends]:
    """`through`, made of the others."""
    lanes = begun(form, problem, inputs, ids, lanes, stage)
    lanes = form.advance(problem, inputs, ids, lanes, stage.first, stage.until)
    return lanes, ended(form, problem, inputs, ids, lanes, stage)


def begun(
    form: "Backend", problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Any, stage: Stage
) -> Any:
    """The lanes at their starts, if they begin."""
    return jax.lax.cond(stage.begins, lambda: form.begin(problem, inputs, ids), lambda: lanes)


def ended(
    form: "Backend", problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Any, stage: Stage
) -> Ends:
    """What is stored of the lanes if they end; zeros if they do not."""

    def finish() -> Ends:
        return form.finish(problem, inputs, ids, lanes, stage.until)

    def nothing() -> Ends:
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(finish))

    return jax.lax.cond(stage.ends, finish, nothing)


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


def given_of(problem: "Problem", inputs: "Inputs", ids: Sequence[Array]) -> "LaneInputs":
    """What the lanes with these settings, seeds and starts, [lane] each, are run with."""
    return jax.vmap(partial(problem.lane, inputs))(tuple(ids))


Backend = InTiles | InRows


def backend_for(name: str, platform: str) -> Backend:
    """The backend of that name on a platform."""
    if name == "kernel":
        return InRows(platform)
    return InTiles({"vmap": loops.vmap, "scalar": loops.scalar}[name])

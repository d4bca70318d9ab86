"""What a program does with a block of lanes, by how these lie in memory.

`InTiles` keeps them as a `Lane` of arrays [tiles, tile, ...]. `InRows` keeps one array
[tiles, tile] for each number of a lane, just as a kernel takes them, from their starts to their
ends; nothing is moved in between. Both have the same methods.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
from jaxtyping import Array, Int, PyTree

from lab.backends import loops
from lab.backends.scalars import (
    as_rows,
    back,
    first_where_alike,
    flat,
    joined,
    laid,
    numbers,
    one_step,
    rows_of,
    sizes,
    traced,
)
from lab.backends.stages import After, Ends, Ids, Stage, ended, staged
from lab.backends.sums import summed
from lab.descent import Lane
from lab.kernels import kernel_for, missing, once_for, through_for
from lab.kernels.loop import Loop, Rows, Whole
from lab.problem import ONE
from lab.scalarize import NotScalar, aval

if TYPE_CHECKING:
    from lab.problem import Inputs, LaneInputs, Problem


ALL = [True] * len(ONE)
"""Every id may differ from lane to lane."""


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

    def described(self, problem: "Problem", inputs: "Inputs", ids: Any) -> Lane:
        """The shapes and types of a block's lanes, by those of its ids."""
        return jax.eval_shape(partial(self.begin, problem), inputs, ids)

    def begins_within(self, problem: "Problem", inputs: "Inputs") -> bool:
        """Whether `through` can begin lanes: it is another program that does."""
        return False

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

    def through(self, problem: "Problem", inputs: "Inputs", stage: Stage, lanes: Lane) -> After:
        """The lanes after a part of their run, and what is stored of them if they end there."""
        return staged(self, problem, inputs, stage, lanes)

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

    def described(self, problem: "Problem", inputs: "Inputs", ids: Any) -> list[Any]:
        """The shapes and types of a block's lanes, by those of its ids."""
        loop = summed(problem, inputs).loop
        pairs = zip(loop.variables[2], loop.state, strict=True)
        return [
            jax.ShapeDtypeStruct(ids.shape[1:] if mark else (), aval(var).dtype)
            for var, mark in pairs
        ]

    def begins_within(self, problem: "Problem", inputs: "Inputs") -> bool:
        """Whether `through` can begin lanes: where a kernel can, in one piece with their steps."""
        return self.kernel is not None and self._beginning(problem, inputs) is not None

    def begin(self, problem: "Problem", inputs: "Inputs", ids: Ids) -> Rows:
        """The lanes at their starts."""
        tiles, rows = ids.shape[1:], [flat(row) for row in ids]
        sums = summed(problem, inputs)
        begin = sums.begin(problem)
        try:
            lanes, _ = self._once(begin, inputs, ONE, rows, ALL)
        except NotScalar:
            lanes = rows_of(jax.vmap(partial(begin, inputs))(tuple(rows)))
        return laid(lanes, sums.loop.state, tiles)

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
        loop = summed(problem, inputs).loop
        given = self._given(problem, inputs, list(map(flat, ids)))
        after = self.run(loop, first, until, numbers(inputs), given, as_rows(lanes))
        return laid(after, loop.state, ids.shape[1:])

    def finish(
        self, problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Rows, last: Int[Array, ""]
    ) -> Ends:
        """The stored variables of lanes that end at step `last`, and their last losses as such."""
        (loop, lane), end = traced(problem, inputs), summed(problem, inputs).end(problem)
        shared, one = (inputs, last), (ONE, lane)
        rows, differs = as_rows([*ids, *lanes]), [*ALL, *loop.state]
        try:
            found, result = self._once(end, shared, one, rows, differs)
        except NotScalar:
            return jax.vmap(partial(end, shared))(back(rows, one, len(rows[0])))
        return back(found, result, len(rows[0]))

    def through(self, problem: "Problem", inputs: "Inputs", stage: Stage, lanes: Rows) -> After:
        """The lanes after a part of their run, and what is stored of them if they end there.

        Where there is a kernel for all of it, no state of lanes that begin and end here is written
        to memory; what stands for it then, and for all of padding, is whatever lay there.
        """
        if self.kernel is None:
            return staged(self, problem, inputs, stage, lanes)
        sums, lane = summed(problem, inputs), traced(problem, inputs).lane
        loop, begin = sums.loop, self._beginning(problem, inputs)
        one, shared = (ONE, lane), (inputs, stage.bounds.until)
        end, result = self._scalars(sums.end(problem), shared, one, [*ALL, *loop.state])
        whole = Whole(loop, begin, end, tuple(sizes(result)))
        ids = stage.places.reshape(len(ONE), -1)
        given = self._given(problem, inputs, list(map(flat, stage.ids)))
        after, running, found = self.kernel(
            whole, stage.numbers, ids, numbers(inputs), given, as_rows(lanes)
        )
        lanes = laid(after, loop.state, stage.places.shape[1:])
        if end is None:
            return lanes, running, ended(self, problem, inputs, stage, lanes)
        return lanes, running, joined(found, result, ids.shape[1])

    def _beginning(self, problem: "Problem", inputs: "Inputs") -> Loop | None:
        """What lays lanes at their starts, if the kernel can do it."""
        kept = problem.traced.get("begin")
        if kept is None or kept[0] is not problem.starts:
            loop, _ = self._scalars(summed(problem, inputs).begin(problem), inputs, ONE, ALL)
            kept = problem.traced["begin"] = problem.starts, loop
        return kept[1]

    def _given(self, problem: "Problem", inputs: "Inputs", ids: Rows) -> Rows:
        """What the lanes with these ids are given, as a kernel takes it."""
        of_lanes = rows_of(given_of(problem, inputs, ids))
        return first_where_alike(of_lanes, traced(problem, inputs).loop.given)

    def _scalars(
        self, function: Callable[..., PyTree], shared: PyTree, one: PyTree, differs: Sequence[bool]
    ) -> tuple[Loop | None, PyTree]:
        """A function of one lane as a loop of one step, if the kernel can do it, and its result."""
        try:
            loop, result = one_step(function, shared, one, differs)
        except NotScalar:
            return None, None
        return (loop, result) if missing(loop, self.platform) is None else (None, None)

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


def given_of(problem: "Problem", inputs: "Inputs", ids: Sequence[Array]) -> "LaneInputs":
    """What the lanes with these settings, seeds and starts, [lane] each, are run with."""
    return jax.vmap(partial(problem.lane, inputs))(tuple(ids))


Backend = InTiles | InRows


def backend_for(name: str, platform: str) -> Backend:
    """The backend of that name on a platform."""
    if name == "kernel":
        return InRows(platform)
    return InTiles({"vmap": loops.vmap, "scalar": loops.scalar}[name])

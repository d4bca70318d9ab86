"""The loop over steps of each backend, for one block of lanes."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from lab.backends import rows
from lab.descent import Lane
from lab.kernels import kernel_for
from lab.kernels.loop import Loop, Rows, Run, loop_of
from lab.outcome import Outcome
from lab.scalarize import Leaf, NotScalar, dependent

if TYPE_CHECKING:
    from lab.problem import Inputs, Problem

Advance = Callable[..., Lane]
"""(problem, inputs, ids, lanes, first, until) -> lanes, each leaf [tiles, tile, ...]."""


def vmap(
    problem: "Problem",
    inputs: "Inputs",
    ids: Int[Array, "tiles tile 3"],
    lanes: Lane,
    first: Int[Array, ""],
    until: Int[Array, ""],
) -> Lane:
    """Tile after tile, under `jax.vmap`, each until all its lanes have ended."""

    def goes_on(carry: tuple[Array, Lane]) -> Array:
        t, lanes = carry
        return (t < until) & jnp.any(lanes.outcome == Outcome.RUNNING)

    def tile(arguments: tuple[Array, Lane]) -> Lane:
        ids, lanes = arguments
        given = jax.vmap(partial(problem.lane, inputs))(ids)
        one = jax.vmap(problem.step, in_axes=(None, None, 0, 0))

        def body(carry: tuple[Array, Lane]) -> tuple[Array, Lane]:
            t, lanes = carry
            return t + 1, one(t, inputs, given, lanes)

        return jax.lax.while_loop(goes_on, body, (first, lanes))[1]

    return jax.lax.map(tile, (ids, lanes))


def in_scalars(run: Run, whole_blocks: bool) -> Advance:
    """A backend from what runs a loop of scalars, on whole blocks or tile after tile."""

    def advance(
        problem: "Problem",
        inputs: "Inputs",
        ids: Int[Array, "tiles tile 3"],
        lanes: Lane,
        first: Int[Array, ""],
        until: Int[Array, ""],
    ) -> Lane:
        loop = loop_for(problem, inputs)

        def some(arguments: tuple[Array, Lane]) -> Lane:
            ids, lanes = arguments
            given = jax.vmap(partial(problem.lane, inputs))(ids)
            shared = numbers(first_axis(inputs), [False] * loop.shared)
            state = numbers(lanes, loop.state)
            after = run(loop, first, until, shared, numbers(given, loop.given), state)
            return back(after, jax.tree.map(lambda leaf: described(leaf[0]), lanes), len(ids))

        if not whole_blocks:
            return jax.lax.map(some, (ids, lanes))
        tiles, tile = ids.shape[:2]
        flat = jax.tree.map(lambda leaf: leaf.reshape(tiles * tile, *leaf.shape[2:]), (ids, lanes))
        return jax.tree.map(lambda leaf: leaf.reshape(tiles, tile, *leaf.shape[1:]), some(flat))

    return advance


def each_lane(backend: str, platform: str) -> Callable[..., PyTree]:
    """How a function of one lane is evaluated for all lanes of a block, all at once.

    Returns:
        `evaluate(function, shared, given)`: function(shared, given of one lane) for leaves
        [lane, ...] of given. On a CPU with a kernel, it is a loop of one step where it can be.
    """
    run = kernel_for(platform) if (backend, platform) == ("kernel", "cpu") else None

    def evaluate(function: Callable[..., PyTree], shared: PyTree, given: PyTree) -> PyTree:
        if run is not None:
            try:
                return _once(run, function, shared, given)
            except NotScalar:
                pass  # the way below takes every function
        return jax.vmap(partial(function, shared))(given)

    return evaluate


def _once(run: Run, function: Callable[..., PyTree], shared: PyTree, given: PyTree) -> PyTree:
    one, of_all = jax.tree.map(lambda leaf: described(leaf[0]), given), described_all(shared)
    result = jax.eval_shape(function, of_all, one)
    marks = ([True] * len(jax.tree.leaves(given)), [True] * len(jax.tree.leaves(result)))
    loop = loop_of(lambda t, s, g, r: function(s, g), of_all, one, result, marks, None)
    lanes = len(jax.tree.leaves(given)[0])
    leaves = [Leaf.like(leaf) for leaf in jax.tree.leaves(result)]
    empty = [jnp.zeros(lanes, leaf.dtype) for leaf in leaves for _ in range(leaf.size)]
    shared_numbers = numbers(first_axis(shared), [False] * loop.shared)
    of_lanes = numbers(given, loop.given)
    after = run(loop, jnp.int32(0), jnp.int32(1), shared_numbers, of_lanes, empty)
    return back(after, result, lanes)


def loop_for(problem: "Problem", inputs: "Inputs") -> Loop:
    """The loop of a problem's step in scalars.

    Raises:
        NotScalar: when something in it cannot be taken apart.
    """
    if "loop" not in problem.traced:
        inputs = described_all(inputs)
        ids = jax.ShapeDtypeStruct((3,), jnp.int32)
        given, of_given = from_ids(problem.lane, inputs, ids)
        lane, of_lane = from_ids(problem.begin, inputs, ids)
        outcome = (lambda lane: lane.outcome) if problem.watch else None
        marks = (of_given, of_lane)
        step = problem.strides if problem.watch else problem.step
        problem.traced["loop"] = loop_of(step, inputs, given, lane, marks, outcome)
    return problem.traced["loop"]


def described(leaf: Array) -> jax.ShapeDtypeStruct:
    """The shape and type of an array."""
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)


def described_all(tree: PyTree) -> PyTree:
    """The shapes and types of a tree's arrays."""
    return jax.tree.map(described, tree)


def first_axis(tree: PyTree) -> PyTree:
    """What is the same for all lanes, as if it were of one lane."""
    return jax.tree.map(lambda leaf: leaf[None], tree)


def from_ids(
    function: Callable[..., PyTree], inputs: PyTree, ids: jax.ShapeDtypeStruct
) -> tuple[PyTree, list[bool]]:
    """What a function makes of a lane's ids, and which leaves of it depend on them."""
    closed, shape = jax.make_jaxpr(function, return_shape=True)(inputs, ids)
    marks = [False] * len(jax.tree.leaves(inputs))
    return shape, dependent(closed.jaxpr, [*marks, True])


def numbers(tree: PyTree, differs: tuple[bool, ...] | list[bool]) -> Rows:
    """The scalars of lanes [lane, ...]: rows, or the first lane's number where all have the same.

    Lanes that have ended may lag behind in what is the same for all that run; the first lane of a
    block or tile is one that runs, if any does (see `lab.program.Program.compact`).
    """
    leaves = jax.tree.leaves(tree)
    rows = [row for leaf in leaves for row in Leaf.like(leaf[0]).rows(leaf)]
    return [row if mark else row[0] for row, mark in zip(rows, differs, strict=True)]


def back(values: Rows, one: PyTree, count: int) -> PyTree:
    """The inverse of `numbers`, for lanes of which each is like this one."""
    leaves, rest = [], list(values)
    for leaf in jax.tree.leaves(one):
        kind = Leaf.like(leaf)
        leaves.append(kind.whole(rest[: kind.size], count))
        rest = rest[kind.size :]
    return jax.tree.unflatten(jax.tree.structure(one), leaves)


def advance_with(backend: str, platform: str) -> Advance:
    """The loop of a backend on a platform."""
    if backend == "vmap":
        return vmap
    if backend == "scalar":
        return in_scalars(rows.run, whole_blocks=False)
    return in_scalars(kernel_for(platform), whole_blocks=True)

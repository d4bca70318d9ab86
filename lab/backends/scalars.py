"""A problem in scalars: its step as a `Loop`, lanes as rows of numbers, and back."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from lab.descent import Lane
from lab.kernels.loop import Loop, Rows, loop_of, settled
from lab.problem import ONE
from lab.scalarize import Leaf, dependent

if TYPE_CHECKING:
    from lab.problem import Inputs, Problem


class Traced(NamedTuple):
    """A problem's step in scalars, and the shapes and types of its lanes."""

    loop: Loop
    lane: Lane


def traced(problem: "Problem", inputs: "Inputs") -> Traced:
    """The step of a problem in scalars, traced once.

    Raises:
        NotScalar: when something in it cannot be taken apart.
    """
    if "step" not in problem.traced:
        inputs = described_all(inputs)
        given, of_given = from_ids(problem.lane, inputs)
        lane, of_lane = from_ids(problem.begin, inputs)
        outcome = (lambda lane: lane.outcome) if problem.watch else None
        step = problem.strides if problem.watch else problem.step
        loop = loop_of(step, inputs, given, lane, (of_given, of_lane), outcome)
        problem.traced["step"] = Traced(loop, lane)
    return problem.traced["step"]


def from_ids(function: Callable[..., PyTree], inputs: PyTree) -> tuple[PyTree, list[bool]]:
    """What a function makes of a lane's ids, and which leaves of it depend on them."""
    closed, shape = jax.make_jaxpr(function, return_shape=True)(inputs, ONE)
    marks = [False] * len(jax.tree.leaves(inputs))
    return shape, dependent(closed.jaxpr, [*marks, *[True] * len(ONE)])


def one_step(
    function: Callable[..., PyTree], shared: PyTree, given: PyTree, differs: Sequence[bool]
) -> tuple[Loop, PyTree]:
    """A loop of one step, whose state becomes function(shared, given), and that state's shapes.

    Args:
        function: of one lane.
        shared: what is the same for all lanes.
        given: the shapes and types of what one lane is given.
        differs: for each scalar of that, whether it differs from lane to lane.

    Raises:
        NotScalar: when something in the function cannot be taken apart.
    """
    shared = described_all(shared)
    result = jax.eval_shape(function, shared, given)
    marks = [False] * len(jax.tree.leaves(given)), [False] * len(jax.tree.leaves(result))
    loop = loop_of(lambda t, s, g, r: function(s, g), shared, given, result, marks, None)
    return settled(replace(loop, given=tuple(differs))), result


def described(leaf: Array) -> jax.ShapeDtypeStruct:
    """The shape and type of an array."""
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)


def described_all(tree: PyTree) -> PyTree:
    """The shapes and types of a tree's arrays."""
    return jax.tree.map(described, tree)


def of_one(tree: PyTree) -> PyTree:
    """The shapes and types of one lane, of arrays [lane, ...]."""
    return jax.tree.map(lambda leaf: described(leaf[0]), tree)


def numbers(tree: PyTree) -> Rows:
    """The scalars of what is the same for all lanes."""
    return [row[0] for row in rows_of(jax.tree.map(lambda leaf: leaf[None], tree))]


def rows_of(tree: PyTree) -> Rows:
    """The scalars of lanes [lane, ...], a row each."""
    return [row for leaf in jax.tree.leaves(tree) for row in Leaf.like(leaf[0]).rows(leaf)]


def first_where_alike(rows: Rows, differs: Sequence[bool]) -> Rows:
    """Rows as they are where lanes differ; the first lane's number where all have the same.

    Lanes that have ended may lag behind in what is the same for all that run; the first lane of a
    block or tile is one that runs, if any does (see `lab.program.Program.compact`).
    """
    return [row if mark else row[0] for row, mark in zip(rows, differs, strict=True)]


def sizes(one: PyTree) -> list[int]:
    """How many scalars each leaf has."""
    return [Leaf.like(leaf).size for leaf in jax.tree.leaves(one)]


def joined(arrays: Sequence[Array], one: PyTree, count: int) -> PyTree:
    """Lanes of which each is like `one`, from arrays [lane, number] of its leaves that have any."""
    rest = iter(arrays)
    kinds = [Leaf.like(leaf) for leaf in jax.tree.leaves(one)]
    leaves = [
        kind.joined(next(rest) if kind.size else jnp.zeros((count, 0), kind.dtype))
        for kind in kinds
    ]
    return jax.tree.unflatten(jax.tree.structure(one), leaves)


def back(values: Rows, one: PyTree, count: int) -> PyTree:
    """The inverse of `rows_of`, for lanes of which each is like this one."""
    leaves: list[Any] = []
    rest = list(values)
    for leaf in jax.tree.leaves(one):
        kind = Leaf.like(leaf)
        leaves.append(kind.whole(rest[: kind.size], count))
        rest = rest[kind.size :]
    return jax.tree.unflatten(jax.tree.structure(one), leaves)


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

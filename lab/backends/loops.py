"""The loop over steps of the backends that keep lanes as arrays of their own, tile after tile."""

from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from lab.backends import rows
from lab.backends.scalars import back, first_where_alike, loop_for, numbers, of_one, rows_of
from lab.descent import Lane
from lab.outcome import Outcome

if TYPE_CHECKING:
    from lab.problem import Inputs, Problem

Ids = Int[Array, "3 tiles tile"]
"""Setting, seed and start of each lane of a block."""


def vmap(
    problem: "Problem",
    inputs: "Inputs",
    ids: Ids,
    lanes: Lane,
    first: Int[Array, ""],
    until: Int[Array, ""],
) -> Lane:
    """Under `jax.vmap`, each tile until all its lanes have ended."""

    def goes_on(carry: tuple[Array, Lane]) -> Array:
        t, lanes = carry
        return (t < until) & jnp.any(lanes.outcome == Outcome.RUNNING)

    def tile(arguments: tuple[tuple[Array, ...], Lane]) -> Lane:
        ids, lanes = arguments
        given = jax.vmap(partial(problem.lane, inputs))(ids)
        one = jax.vmap(problem.step, in_axes=(None, None, 0, 0))

        def body(carry: tuple[Array, Lane]) -> tuple[Array, Lane]:
            t, lanes = carry
            return t + 1, one(t, inputs, given, lanes)

        return jax.lax.while_loop(goes_on, body, (first, lanes))[1]

    return jax.lax.map(tile, (tuple(ids), lanes))


def scalar(
    problem: "Problem",
    inputs: "Inputs",
    ids: Ids,
    lanes: Lane,
    first: Int[Array, ""],
    until: Int[Array, ""],
) -> Lane:
    """In rows of scalars, by XLA."""
    loop = loop_for(problem, inputs)

    def tile(arguments: tuple[tuple[Array, ...], Lane]) -> Lane:
        ids, lanes = arguments
        given = jax.vmap(partial(problem.lane, inputs))(ids)
        of_lanes = first_where_alike(rows_of(given), loop.given)
        state = first_where_alike(rows_of(lanes), loop.state)
        after = rows.run(loop, first, until, numbers(inputs), of_lanes, state)
        return back(after, of_one(lanes), len(ids[0]))

    return jax.lax.map(tile, (tuple(ids), lanes))

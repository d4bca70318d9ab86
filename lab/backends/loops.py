"""The loops over steps of `vmap` and `scalar`: a tile of lanes, whose arrays are their own."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from lab.backends import rows
from lab.backends.scalars import back, first_where_alike, numbers, of_one, rows_of, traced
from lab.descent import Lane
from lab.outcome import Outcome

if TYPE_CHECKING:
    from lab.problem import Inputs, LaneInputs, Problem


def vmap(
    problem: "Problem",
    inputs: "Inputs",
    given: "LaneInputs",
    lanes: Lane,
    first: Int[Array, ""],
    until: Int[Array, ""],
) -> Lane:
    """Under `jax.vmap`, until all lanes have ended."""
    one = jax.vmap(problem.step, in_axes=(None, None, 0, 0))

    def goes_on(carry: tuple[Array, Lane]) -> Array:
        t, lanes = carry
        return (t < until) & jnp.any(lanes.outcome == Outcome.RUNNING)

    def body(carry: tuple[Array, Lane]) -> tuple[Array, Lane]:
        t, lanes = carry
        return t + 1, one(t, inputs, given, lanes)

    return jax.lax.while_loop(goes_on, body, (first, lanes))[1]


def scalar(
    problem: "Problem",
    inputs: "Inputs",
    given: "LaneInputs",
    lanes: Lane,
    first: Int[Array, ""],
    until: Int[Array, ""],
) -> Lane:
    """In rows of scalars, by XLA."""
    loop = traced(problem, inputs).loop
    of_lanes = first_where_alike(rows_of(given), loop.given)
    state = first_where_alike(rows_of(lanes), loop.state)
    after = rows.run(loop, first, until, numbers(inputs), of_lanes, state)
    return back(after, of_one(lanes), len(lanes.outcome))

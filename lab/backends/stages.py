"""The stages of a run: parts of it that a block of lanes goes through."""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from lab.blocks import PADDING
from lab.kernels.loop import Bounds
from lab.outcome import Outcome

if TYPE_CHECKING:
    from lab.problem import Inputs, Problem

Ids = Int[Array, "3 tiles tile"]
"""Setting, seed and start of each lane of a block."""


class Stage(NamedTuple):
    """Lanes of a block, and a part of their run.

    Most blocks of a run are alike but for the ids of their first lanes, so that the places of lanes
    among others are on the devices once.

    Attributes:
        places: what is added to the ids of the first lane; PADDING where there is no lane.
        numbers: those of `bounds`, as kernels take them.
    """

    places: Ids
    numbers: Int[Array, " bound"]

    @property
    def bounds(self) -> Bounds:
        """The steps, and which lanes take them."""
        return Bounds(*self.numbers)

    @property
    def ids(self) -> Ids:
        """Of each lane."""
        first = jnp.stack([self.bounds.setting, self.bounds.seed, self.bounds.start])
        return jnp.where(self.places == PADDING, PADDING, self.places + first[:, None, None])


After = tuple[Any, Int[Array, ""], "Ends"]
"""The lanes after a part of their run, how many of them go on, and what is stored if they end."""

Ends = tuple[dict[str, Array], Array]
"""Stored variables of lanes [lane, ...], and their last losses."""


class Form(Protocol):
    """What takes lanes through the stages: from their starts, on, and to their end."""

    def begins_within(self, problem: "Problem", inputs: "Inputs") -> bool:
        """Whether `through` can begin lanes; else `begin` must have been called."""

    def begin(self, problem: "Problem", inputs: "Inputs", ids: Ids) -> Any:
        """The lanes at their starts."""

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

    def finish(
        self, problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Any, last: Int[Array, ""]
    ) -> Ends:
        """The stored variables of lanes that end at step `last`, and their last losses as such."""

    def leaves(self, problem: "Problem", lanes: Any, field: str) -> list[Array]:
        """The arrays of a `Lane`'s field."""


def staged(form: Form, problem: "Problem", inputs: "Inputs", stage: Stage, lanes: Any) -> After:
    """`through`, made of the others."""
    bounds = stage.bounds
    lanes = form.advance(problem, inputs, stage.ids, lanes, bounds.first, bounds.until)
    running = jnp.sum(running_of(form, problem, stage.places, lanes), dtype=jnp.int32)
    return lanes, running, ended(form, problem, inputs, stage, lanes)


def running_of(form: Form, problem: "Problem", places: Ids, lanes: Any) -> Bool[Array, " lane"]:
    """Which lanes are running; padding may look like anything."""
    (outcome,) = form.leaves(problem, lanes, "outcome")
    return (outcome.reshape(-1) == Outcome.RUNNING) & (places[2].reshape(-1) != PADDING)


def ended(form: Form, problem: "Problem", inputs: "Inputs", stage: Stage, lanes: Any) -> Ends:
    """What is stored of the lanes if they end; zeros if they do not."""

    def finish() -> Ends:
        return form.finish(problem, inputs, stage.ids, lanes, stage.bounds.until)

    def nothing() -> Ends:
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(finish))

    return jax.lax.cond(stage.bounds.ends > 0, finish, nothing)

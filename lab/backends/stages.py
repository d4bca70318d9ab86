"""The stages of a run: parts of it that a block of lanes goes through."""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from lab.blocks import PADDING

if TYPE_CHECKING:
    from lab.problem import Inputs, Problem

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


class Form(Protocol):
    """What takes lanes through the stages: from their starts, on, and to their end."""

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


def staged(
    form: Form, problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Any, stage: Stage
) -> tuple[Any, Ends]:
    """`through`, made of the others."""
    lanes = begun(form, problem, inputs, ids, lanes, stage)
    lanes = form.advance(problem, inputs, ids, lanes, stage.first, stage.until)
    return lanes, ended(form, problem, inputs, ids, lanes, stage)


def begun(
    form: Form, problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Any, stage: Stage
) -> Any:
    """The lanes at their starts, if they begin."""
    return jax.lax.cond(stage.begins, lambda: form.begin(problem, inputs, ids), lambda: lanes)


def ended(
    form: Form, problem: "Problem", inputs: "Inputs", ids: Ids, lanes: Any, stage: Stage
) -> Ends:
    """What is stored of the lanes if they end; zeros if they do not."""

    def finish() -> Ends:
        return form.finish(problem, inputs, ids, lanes, stage.until)

    def nothing() -> Ends:
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(finish))

    return jax.lax.cond(stage.ends, finish, nothing)

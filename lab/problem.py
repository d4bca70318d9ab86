"""What is compiled for one (loss, optimizer), whatever is swept: functions of one lane's numbers.

A lane is known by three of them: setting, seed, start. All else that it is run with, its
hyperparameters, its start, its random keys, is a function of these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from lab import descent
from lab.blocks import PADDING
from lab.descent import Descent, Lane
from lab.losses import Loss
from lab.optimizers import Optimizer
from lab.outcome import Limits, Outcome
from lab.record import Recorder, ravel
from lab.starts import Starts

Ids = Sequence[Int[Array, ""]]
"""Setting, seed and start of a lane."""

ONE = (jax.ShapeDtypeStruct((), jnp.int32),) * 3
"""The shapes and types of those."""

NOISE = 2**32 - 1
"""Keeps the noise apart from the starts, whose key is folded with an index below 2^31."""


class Inputs(NamedTuple):
    """What is traced and the same for all lanes.

    Attributes:
        key: the run's key; starts and noise derive theirs from it.
        axes: the values of each swept key.
        constants: the loss's parameters that are arrays.
        limits: when lanes end.
        minimum: the lowest known loss for each combination of the loss's swept parameters.
        minima: all known minima, likewise, [combination, minimum, dim].
        within: how close to a minimum a lane must end to have reached it.
    """

    key: Array
    axes: dict[str, PyTree]
    constants: dict[str, PyTree]
    limits: Limits
    minimum: Float[Array, " combination"]
    minima: Float[Array, "combination minimum dim"]
    within: Float[Array, ""]


class LaneInputs(NamedTuple):
    """What one lane is run with: its values of the swept keys, its minima, its keys."""

    values: dict[str, PyTree]
    minimum: Float[Array, ""]
    minima: Float[Array, "minimum dim"]
    noise: Array


@dataclass(frozen=True)
class Problem:
    """What makes one program different from another.

    Attributes:
        loss: the loss.
        optimizer: the optimizer.
        fixed: values of the swept keys that cannot be traced.
        starts: where lanes begin.
        recorders: what is kept.
        dtype: of points and losses.
        sizes: the number of values of each swept key, in the results' order.
        loss_axes: which of these keys are the loss's, and its names for them.
        watch: whether lanes are looked at, at every step, or only when they are closed.
        traced: the step in scalars, once it was traced (see `lab.backends.scalars.traced`), and as
            kernels take it (`lab.backends.sums.summed`). Problems that differ in their starts alone
            share it; `lab.backends.forms` keeps there what lays lanes at the last starts asked for.
    """

    loss: Loss
    optimizer: Optimizer
    fixed: Mapping[str, Any]
    starts: Starts
    recorders: tuple[Recorder, ...]
    dtype: np.dtype
    sizes: Mapping[str, int]
    loss_axes: Mapping[str, str]
    watch: bool = True
    traced: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def lane(self, inputs: Inputs, ids: Ids) -> LaneInputs:
        """The inputs of the lane with these (setting, seed, start)."""
        setting, seed, start = ids
        noise = jax.random.fold_in(inputs.key, NOISE)
        index = dict(
            zip(self.sizes, jnp.unravel_index(setting, tuple(self.sizes.values())), strict=True)
        )
        combination = jnp.zeros((), jnp.int32)
        for axis in self.loss_axes:
            combination = combination * self.sizes[axis] + index[axis]
        return LaneInputs(
            {
                name: jax.tree.map(lambda leaf, i=index[name]: leaf[i], axis)
                for name, axis in inputs.axes.items()
            },
            inputs.minimum[combination],
            inputs.minima[combination],
            jax.random.fold_in(jax.random.fold_in(noise, seed), start),
        )

    def descent(self, inputs: Inputs, lane: LaneInputs) -> Descent:
        """What that lane descends, and how."""
        swept = {name: lane.values[axis] for axis, name in self.loss_axes.items()}
        noise, own = jax.random.split(lane.noise)

        def loss(x: descent.Point, t: Int[Array, ""]) -> Float[Array, ""]:
            key = jax.random.fold_in(noise, t) if self.loss.takes_key else None
            return self.loss(x, step=t, key=key, **inputs.constants, **swept)

        def residuals(x: descent.Point) -> Float[Array, " residual"]:
            return self.loss.residuals(x, **inputs.constants, **swept)

        traced = {k: v for k, v in lane.values.items() if k not in self.loss_axes}
        optimizer = self.optimizer.build({**traced, **self.fixed}, key=own)
        known = residuals if self.loss.residual_function else None
        return Descent(loss, optimizer, self.recorders, inputs.limits, lane.minimum, known)

    def begin(self, inputs: Inputs, ids: Ids) -> Lane:
        """The lane at its start; padding has ended before it began."""
        x0 = self.starts(jnp.maximum(ids[2], 0), inputs.key)
        x0 = jax.tree.map(lambda leaf: leaf.astype(self.dtype), x0)
        lane = descent.init(self.descent(inputs, self.lane(inputs, ids)), x0)
        ended = jnp.where(ids[2] == PADDING, jnp.int32(Outcome.BUDGET_SPENT), lane.outcome)
        return lane._replace(outcome=ended)

    def step(self, t: Int[Array, ""], inputs: Inputs, given: LaneInputs, lane: Lane) -> Lane:
        """The lane after step t."""
        take = descent.step if self.watch else descent.march
        return take(self.descent(inputs, given), t, lane)

    def strides(
        self, t: Int[Array, ""], inputs: Inputs, given: LaneInputs, lane: Lane
    ) -> tuple[Lane, Bool[Array, ""], Lane]:
        """The lane after step t; whether something else serves as well; and that."""
        own = self.descent(inputs, given)
        stride = descent.stride(own, t, lane)
        return descent.judged(lane, stride), *descent.unhindered(own, t, lane, stride)

    def end(
        self, shared: tuple[Inputs, Int[Array, ""]], given: tuple[Ids, Lane]
    ) -> tuple[dict[str, Array], Float[Array, ""]]:
        """The stored variables of a lane whose last step this is, and its last loss as it is.

        Args:
            shared: the inputs, and the step.
            given: the lane's ids, and its state.
        """
        (inputs, last), (ids, lane) = shared, given
        closed = self.close(inputs, last, ids, lane)
        return self.finish(inputs, ids, closed), closed.loss

    def close(self, inputs: Inputs, t: Int[Array, ""], ids: Ids, lane: Lane) -> Lane:
        """The lane after a look at its point at step t, its last."""
        return descent.close(self.descent(inputs, self.lane(inputs, ids)), t, lane)

    def finish(self, inputs: Inputs, ids: Ids, lane: Lane) -> dict[str, Array]:
        """The stored variables of one ended lane."""
        point = ravel(lane.x)
        own = self.lane(inputs, ids)
        descent = self.descent(inputs, own)
        results = {
            "outcome": lane.outcome.astype(jnp.int8),
            "steps": lane.steps,
            "minimum": nearest_minimum(point, own.minima, inputs.within),
        }
        for recorder, record in zip(self.recorders, lane.records, strict=True):
            results |= recorder.results(recorder.conclude(record, lane, descent), lane)
        return results


def nearest_minimum(
    x: Float[Array, " dim"], minima: Float[Array, "minimum dim"], within: Float[Array, ""]
) -> Int[Array, ""]:
    """The index of the known minimum within Euclidean distance `within` of x; -1 if none is.

    Rows of NaN stand for no minimum: a combination of parameters may have fewer than another.
    """
    if minima.shape[0] == 0:
        return jnp.full((), -1, jnp.int32)
    distance = jnp.sqrt(jnp.sum((minima - x[None, :]) ** 2, axis=1))
    known = jnp.where(jnp.isnan(distance), jnp.inf, distance)
    return jnp.where(jnp.min(known) <= within, jnp.argmin(known).astype(jnp.int32), -1)

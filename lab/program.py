"""Blocks of lanes as compiled programs: one for each (loss, optimizer), whatever is swept.

`begin` lays a block's lanes at their starts, `advance` takes them on to a given step, `finish`
reads their records. The `vmap` backend is `lab.descent.step` under `jax.vmap`, tile after tile;
every device works on a block of its own, in one program (`jax.shard_map`).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int, PyTree

from lab import descent, reduce
from lab.blocks import PADDING
from lab.descent import Descent, Lane, Limits, Outcome
from lab.losses import Loss
from lab.optimizers import Optimizer
from lab.record import Recorder, ravel
from lab.starts import Starts

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
    """

    loss: Loss
    optimizer: Optimizer
    fixed: Mapping[str, Any]
    starts: Starts
    recorders: tuple[Recorder, ...]
    dtype: np.dtype
    sizes: Mapping[str, int]
    loss_axes: Mapping[str, str]

    def lane(self, inputs: Inputs, ids: Int[Array, "3"]) -> LaneInputs:
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

        traced = {k: v for k, v in lane.values.items() if k not in self.loss_axes}
        optimizer = self.optimizer.build({**traced, **self.fixed}, key=own)
        return Descent(loss, optimizer, self.recorders, inputs.limits, lane.minimum)

    def begin(self, inputs: Inputs, ids: Int[Array, "3"]) -> Lane:
        """The lane at its start; padding has ended before it began."""
        x0 = self.starts(jnp.maximum(ids[2], 0), inputs.key)
        x0 = jax.tree.map(lambda leaf: leaf.astype(self.dtype), x0)
        lane = descent.init(self.descent(inputs, self.lane(inputs, ids)), x0)
        ended = jnp.where(ids[2] == PADDING, jnp.int32(Outcome.BUDGET_SPENT), lane.outcome)
        return lane._replace(outcome=ended)

    def advance(
        self,
        inputs: Inputs,
        ids: Int[Array, "tile 3"],
        lanes: Lane,
        first: Int[Array, ""],
        until: Int[Array, ""],
    ) -> Lane:
        """A tile taken through steps first ... until-1, or until all its lanes have ended."""
        given = jax.vmap(partial(self.lane, inputs))(ids)

        def one(t: Int[Array, ""], given: LaneInputs, lane: Lane) -> Lane:
            return descent.step(self.descent(inputs, given), t, lane)

        def goes_on(carry: tuple[Array, Lane]) -> Array:
            t, lanes = carry
            return (t < until) & jnp.any(lanes.outcome == Outcome.RUNNING)

        def body(carry: tuple[Array, Lane]) -> tuple[Array, Lane]:
            t, lanes = carry
            return t + 1, jax.vmap(one, in_axes=(None, 0, 0))(t, given, lanes)

        return jax.lax.while_loop(goes_on, body, (first, lanes))[1]

    def finish(self, inputs: Inputs, ids: Int[Array, "3"], lane: Lane) -> dict[str, Array]:
        """The stored variables of one ended lane."""
        point = ravel(lane.x)
        minima = self.lane(inputs, ids).minima
        results = {
            "outcome": lane.outcome.astype(jnp.int8),
            "steps": lane.steps,
            "minimum": nearest_minimum(point, minima, inputs.within),
        }
        for recorder, record in zip(self.recorders, lane.records, strict=True):
            results |= recorder.results(record, lane)
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
    index = jnp.argmin(jnp.where(jnp.isnan(distance), jnp.inf, distance)).astype(jnp.int32)
    return jnp.where(distance[index] <= within, index, -1)


def flat(leaf: Array) -> Array:
    """A leaf of a block's tiles as one row of lanes."""
    tiles, tile, *own = leaf.shape
    return leaf.reshape(tiles * tile, *own)


class Ahead:
    """A function compiled at its first call; `seconds` is the time that took, 0 before."""

    def __init__(self, function: Callable[..., Any], **options: Any):
        self.function = jax.jit(function, **options)
        self.executable: Callable[..., Any] | None = None
        self.seconds = 0.0

    def __call__(self, *arguments: PyTree) -> PyTree:
        """The function's value; the first call compiles it for arguments like these."""
        if self.executable is None:
            begun = time.perf_counter()
            self.executable = self.function.lower(*arguments).compile()
            self.seconds = time.perf_counter() - begun
        return self.executable(*arguments)


class Program:
    """A `Problem` compiled for some devices.

    Lanes come and go with a leading axis of one block a device: ids [device, tiles, tile, 3],
    results [device, lane, ...]. `rows` is the number of rows of a block's reduction.
    """

    def __init__(self, problem: Problem, devices: Sequence[jax.Device], rows: int = 0):
        mesh = Mesh(np.asarray(devices), ("device",))
        each, same = PartitionSpec("device"), PartitionSpec()
        self.problem, self.rows = problem, rows
        self.each, self.same = NamedSharding(mesh, each), NamedSharding(mesh, same)

        def spread(function: Callable[..., Any], *specs: PartitionSpec, **options: Any) -> Ahead:
            def local(inputs: Inputs, *arguments: PyTree) -> PyTree:
                mine = [a if s == same else drop(a) for a, s in zip(arguments, specs, strict=True)]
                return jax.tree.map(lambda a: a[None], function(inputs, *mine))

            drop = partial(jax.tree.map, lambda a: a[0])
            shard = partial(jax.shard_map, mesh=mesh, out_specs=each, check_vma=False)
            return Ahead(shard(local, in_specs=(same, *specs)), **options)

        self._begin = spread(partial(self._begin_block, problem), each)
        self._advance = spread(self._advance_block, each, each, same, same, donate_argnums=2)
        self._finish = spread(self._finish_block, each, each)
        self._reduce = spread(self._reduce_block, each, each, each)
        self._spread = spread

    def elsewhere(self, starts: Starts) -> "Program":
        """The same program from other starts: only `begin` is compiled anew."""
        other = copy(self)
        problem = replace(self.problem, starts=starts)
        other._begin = self._spread(partial(self._begin_block, problem), PartitionSpec("device"))
        return other

    @property
    def seconds(self) -> float:
        """The time that compiling has taken."""
        return sum(part.seconds for part in self._parts)

    @property
    def compilations(self) -> int:
        """How many functions were compiled."""
        return sum(part.executable is not None for part in self._parts)

    @property
    def _parts(self) -> tuple[Ahead, ...]:
        return self._begin, self._advance, self._finish, self._reduce

    def place(self, inputs: Inputs) -> Inputs:
        """The inputs on every device."""
        return jax.device_put(inputs, self.same)

    def begin(self, inputs: Inputs, ids: np.ndarray) -> tuple[Array, Lane]:
        """The ids on their devices, and their lanes at their starts."""
        placed = jax.device_put(ids, self.each)
        return placed, self._begin(inputs, placed)

    def advance(
        self, inputs: Inputs, ids: Array, lanes: Lane, first: int, until: int
    ) -> tuple[Lane, int]:
        """The lanes after steps first ... until-1, and how many are still running.

        The lanes given are consumed: their memory is used again.
        """
        bounds = jax.device_put((np.int32(first), np.int32(until)), self.same)
        lanes, running = self._advance(inputs, ids, lanes, *bounds)
        return lanes, int(np.sum(running))

    def finish(self, inputs: Inputs, ids: Array, lanes: Lane) -> dict[str, Array]:
        """The stored variables of ended lanes."""
        return self._finish(inputs, ids, lanes)

    def reduce(
        self, inputs: Inputs, ids: Array, results: dict[str, Array], row: np.ndarray
    ) -> dict[str, Array]:
        """Counts across starts (see `lab.reduce`), from results that never leave the device."""
        return self._reduce(inputs, ids, results, jax.device_put(row, self.each))

    @staticmethod
    def _begin_block(problem: Problem, inputs: Inputs, ids: Array) -> Lane:
        return jax.vmap(jax.vmap(partial(problem.begin, inputs)))(ids)

    def _advance_block(
        self, inputs: Inputs, ids: Array, lanes: Lane, first: Array, until: Array
    ) -> tuple[Lane, Array]:
        def tile(arguments: tuple[Array, Lane]) -> Lane:
            return self.problem.advance(inputs, *arguments, first, until)

        lanes = jax.lax.map(tile, (ids, lanes))
        return lanes, jnp.sum(lanes.outcome == Outcome.RUNNING)

    def _finish_block(self, inputs: Inputs, ids: Array, lanes: Lane) -> dict[str, Array]:
        results = jax.vmap(jax.vmap(partial(self.problem.finish, inputs)))(ids, lanes)
        return jax.tree.map(flat, results)

    def _reduce_block(
        self, inputs: Inputs, ids: Array, results: dict[str, Array], row: Array
    ) -> dict[str, Array]:
        each = jax.vmap(jax.vmap(partial(self.problem.lane, inputs)))(ids)
        minima = inputs.minima.shape[1]
        return reduce.counts(results, flat(each.minimum), row, self.rows, minima)

"""Blocks of lanes as a compiled program: one for each (loss, optimizer), whatever is swept.

It takes a block's lanes through a part of their run with one of the `lab.backends`: from their
starts, or from where they were, for so many steps, and perhaps to their end, where their records
are read. Every device works on a block of its own (`jax.shard_map`).
"""

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Float, Int, PyTree

from lab import reduce
from lab.backends import Backend, Ends, Placed, Stage, backend_for, flat
from lab.blocks import PADDING
from lab.compiling import Ahead
from lab.outcome import Outcome
from lab.problem import Inputs, Problem
from lab.starts import Starts

STAGES_KEPT = 64
"""Stages that stay on the devices: all blocks end their chunks at the same few steps."""

Lanes = Any
"""The state of a block's lanes, as its backend keeps it."""

Block = tuple[Placed, Lanes]
"""The ids of a block's lanes on each device, and the lanes' state."""


class Passed(NamedTuple):
    """Lanes after a part of their run.

    Attributes:
        lanes: their state; of no use if they ended, unless no step was taken.
        running: how many go on.
        results: if they ended, what is stored of them, [device, lane, ...].
        losses: if they ended, their last losses as such.
    """

    lanes: Lanes
    running: int
    results: dict[str, Array]
    losses: Array


class Program:
    """A `Problem` compiled for some devices.

    Lanes come and go with a leading axis of one block a device.

    Args:
        problem: what is compiled.
        backend: "vmap", "scalar" or "kernel".
        devices: one block runs on each.
        rows: the number of rows of a block's reduction.
    """

    def __init__(
        self, problem: Problem, backend: str, devices: Sequence[jax.Device], rows: int = 0
    ):
        mesh = Mesh(np.asarray(devices), ("device",))
        each, same = PartitionSpec("device"), PartitionSpec()
        self.problem, self.rows = problem, rows
        self.each, self.same = NamedSharding(mesh, each), NamedSharding(mesh, same)

        def spread(function: Callable[..., Any], *specs: PartitionSpec, **options: Any) -> Ahead:
            def local(*arguments: PyTree) -> PyTree:
                mine = [a if s == same else drop(a) for a, s in zip(arguments, specs, strict=True)]
                return jax.tree.map(lambda a: a[None], function(*mine))

            drop = partial(jax.tree.map, lambda a: a[0])
            shard = partial(jax.shard_map, mesh=mesh, out_specs=each, check_vma=False)
            return Ahead(shard(local, in_specs=specs), **options)

        self.backend = backend_for(backend, devices[0].platform)
        own = (self.backend, problem)
        used_again = () if self.backend.apart else (2,)
        self._through = spread(
            partial(_through, *own), same, each, each, same, donate_argnums=used_again
        )
        self._begin = spread(partial(_begin, *own), same, each)
        self._reduce = spread(partial(_reduce, problem, rows), same, each, each, each)
        ended = partial(_running_first, *own)
        self._running_first = spread(ended, each, each, each, donate_argnums=(1, 2))
        self._as_they_were = spread(_as_they_were, each, each, each, donate_argnums=(1, 2))
        self._spread, self._each_spec, self._same_spec = spread, each, same
        self._from_elsewhere = False
        self._nothing: Lanes = None
        self._stage = lru_cache(STAGES_KEPT)(self._staged)

    def elsewhere(self, starts: Starts) -> "Program":
        """The same program from other starts: only what lays lanes at them is compiled anew."""
        other = copy(self)
        begin = partial(_begin, self.backend, replace(self.problem, starts=starts))
        other._begin = self._spread(begin, self._same_spec, self._each_spec)
        other._from_elsewhere = True
        return other

    def place(self, inputs: Inputs) -> Inputs:
        """The inputs on every device."""
        return jax.device_put(inputs, self.same)

    def place_ids(
        self, places: Array | np.ndarray, corners: np.ndarray, counts: np.ndarray
    ) -> Placed:
        """Ids on their devices: places [device, 3, tiles, tile], corners [device, 3]."""
        return Placed(*(jax.device_put(array, self.each) for array in (places, corners, counts)))

    def begin(self, inputs: Inputs, placed: Placed) -> Lanes:
        """The lanes at their starts."""
        if self._from_elsewhere:
            return self._begin(inputs, placed)
        return self.through(inputs, placed, None, 0, 0).lanes

    def through(
        self,
        inputs: Inputs,
        placed: Placed,
        lanes: Lanes | None,
        first: int,
        until: int,
        ends: bool = False,
    ) -> Passed:
        """The lanes after steps first ... until-1; closed at step `until`, if they end there.

        The lanes given are consumed.

        Args:
            inputs: on every device.
            placed: the ids of the lanes.
            lanes: None to begin with these steps.
            first: the first step.
            until: the step that is not taken any more.
            ends: whether this is where lanes end.
        """
        if lanes is None and self._from_elsewhere:
            lanes = self._begin(inputs, placed)
        stage = self._stage(first, until, lanes is None, ends)
        before = self._unused(inputs, placed) if lanes is None else lanes
        after, running, (results, losses) = self._through(inputs, placed, before, stage)
        if first == until and lanes is not None and self.backend.apart:
            after = before
        return Passed(after, 0 if ends else sum(map(int, on_host(running))), results, losses)

    def _unused(self, inputs: Inputs, placed: Placed) -> Lanes:
        """Something in the place of lanes that begin: the same at each call if it stays unread."""
        if self._nothing is not None:
            return self._nothing
        devices, *shape = placed.places.shape
        ids = jax.ShapeDtypeStruct(tuple(shape), placed.places.dtype)
        nothing = jax.tree.map(
            lambda leaf: jnp.zeros((devices, *leaf.shape), leaf.dtype, device=self.each),
            self.backend.described(self.problem, inputs, ids),
        )
        if self.backend.apart:
            self._nothing = nothing
        return nothing

    def _staged(self, first: int, until: int, begins: bool, ends: bool) -> Stage:
        steps, marks = np.array([first, until], np.int32), np.array([begins, ends])
        return jax.device_put(Stage(*steps, *marks), self.same)

    def peek(self, lanes: Lanes, field: str, count: int) -> Float[np.ndarray, "lane number"]:
        """The numbers of a `Lane`'s field, of the first lanes of the first device."""
        firsts = [on_host(leaf)[0] for leaf in self.backend.leaves(self.problem, lanes, field)]
        return np.column_stack(
            [
                a.reshape(math.prod(a.shape[:2]), -1)[:count] if a.ndim else np.full(count, a)
                for a in firsts
            ]
        )

    def reduce(
        self, inputs: Inputs, placed: Placed, results: dict[str, Array], row: np.ndarray
    ) -> dict[str, Array]:
        """Counts across starts (see `lab.reduce`), from results that never leave the device."""
        return self._reduce(inputs, placed, results, jax.device_put(row, self.each))

    def compact(self, block: Block, order: Array | None) -> tuple[Block, Array]:
        """The lanes that are running moved to the front, so that tiles of ended ones cost nothing.

        Args:
            block: ids and lanes, which are consumed.
            order: what an earlier call returned, None at first.

        Returns:
            The block, and where each of its lanes was at the very first.
        """
        if order is None:
            devices, _, tiles, tile = block[0].places.shape
            first = np.arange(tiles * tile, dtype=np.int32)
            order = jax.device_put(np.broadcast_to(first, (devices, len(first))), self.each)
        placed, lanes, order = self._running_first(*block, order)
        return (placed, lanes), order

    def restore(self, block: Block, order: Array | None) -> Block:
        """The block's lanes where they were before they were moved."""
        if order is None:
            return block
        placed, lanes, _ = self._as_they_were(*block, order)
        return placed, lanes


def _begin(backend: Backend, problem: Problem, inputs: Inputs, placed: Placed) -> Lanes:
    return backend.begin(problem, inputs, placed.ids)


def _through(
    backend: Backend, problem: Problem, inputs: Inputs, placed: Placed, lanes: Lanes, stage: Stage
) -> tuple[Lanes, Array, Ends]:
    lanes, ends = backend.through(problem, inputs, placed, lanes, stage)
    return lanes, jnp.sum(_running(backend, problem, placed, lanes)), ends


def _running(
    backend: Backend, problem: Problem, placed: Placed, lanes: Lanes
) -> Bool[Array, " lane"]:
    """Which lanes are running; padding may look like anything."""
    (outcome,) = backend.leaves(problem, lanes, "outcome")
    running = flat(outcome) == Outcome.RUNNING
    return running & (flat(placed.places[2]) != PADDING)


def _reduce(
    problem: Problem,
    rows: int,
    inputs: Inputs,
    placed: Placed,
    results: dict[str, Array],
    row: Array,
) -> dict[str, Array]:
    each = jax.vmap(jax.vmap(partial(problem.lane, inputs)))(tuple(placed.ids))
    return reduce.counts(results, flat(each.minimum), row, rows, inputs.minima.shape[1])


def _running_first(
    backend: Backend, problem: Problem, placed: Placed, lanes: Lanes, order: Array
) -> tuple[Placed, Lanes, Array]:
    running = _running(backend, problem, placed, lanes)
    return _moved(placed, lanes, order, jnp.argsort(~running, stable=True))


def _as_they_were(placed: Placed, lanes: Lanes, order: Array) -> tuple[Placed, Lanes, Array]:
    return _moved(placed, lanes, order, jnp.argsort(order))


def _moved(
    placed: Placed, lanes: Lanes, order: Array, to: Int[Array, " lane"]
) -> tuple[Placed, Lanes, Array]:
    def move(leaf: Array) -> Array:
        return flat(leaf)[to].reshape(leaf.shape) if leaf.ndim else leaf

    places = jnp.stack([move(row) for row in placed.places])
    return placed._replace(places=places), jax.tree.map(move, lanes), order[to]


def on_host(results: Array) -> list[np.ndarray]:
    """Each device's part of an array [device, ...], not copied where the device is the host."""
    shards = sorted(results.addressable_shards, key=lambda shard: shard.index[0].start or 0)
    return [np.asarray(shard.data).reshape(results.shape[1:]) for shard in shards]

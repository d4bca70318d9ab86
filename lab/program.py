"""Blocks of lanes as a compiled program: one for each (loss, optimizer), whatever is swept.

It takes a block's lanes through a part of their run with one of the `lab.backends`: from their
starts, or from where they were, for so many steps, and perhaps to their end, where their records
are read. What else is compiled, once each, if it is asked for: starts where the backend has them
apart, moving lanes together and back, counts across starts. Every device works on a block of its
own (`jax.shard_map`).
"""

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int, PyTree

from lab import reduce
from lab.backends import Backend, Stage, backend_for, flat
from lab.backends.stages import Ids, running_of
from lab.compiling import Ahead, Settled
from lab.problem import Inputs, Problem
from lab.starts import Starts

Lanes = Any
"""The state of a block's lanes, as its backend keeps it."""


class Placed(NamedTuple):
    """A block of lanes for each device.

    Attributes:
        places: of each lane among others, [device, 3, tiles, tile], on the devices.
        corners: the ids of the first lanes, [device, 3].
        counts: how many lanes there are before the padding, [device].
    """

    places: Array
    corners: Int[np.ndarray, "device 3"]
    counts: Int[np.ndarray, " device"]


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
        through = partial(self.backend.through, problem)
        self._through = spread(through, same, each, each, donate_argnums=used_again)
        self._begin = spread(partial(_begin, *own), same, each)
        self._reduce = spread(partial(_reduce, problem, rows), same, each, each, each)
        ended = partial(_running_first, *own)
        self._running_first = spread(ended, each, each, each, donate_argnums=(1, 2))
        self._as_they_were = spread(_as_they_were, each, each, each, donate_argnums=(1, 2))
        self._spread, self._each_spec, self._same_spec = spread, each, same
        self._begins_within = Settled(partial(self.backend.begins_within, problem))
        self._nothing: Lanes = None

    def elsewhere(self, starts: Starts) -> "Program":
        """The same program from other starts: only what lays lanes at them is compiled anew."""
        other = copy(self)
        begin = partial(_begin, self.backend, replace(self.problem, starts=starts))
        other._begin = self._spread(begin, self._same_spec, self._each_spec)
        other._begins_within = Settled(lambda inputs: False)
        return other

    def place(self, inputs: Inputs) -> Inputs:
        """The inputs on every device."""
        return jax.device_put(inputs, self.same)

    def place_ids(
        self, places: Array | np.ndarray, corners: np.ndarray, counts: np.ndarray
    ) -> Placed:
        """Blocks on their devices (see `Placed`)."""
        return Placed(jax.device_put(places, self.each), corners, counts)

    def begin(self, inputs: Inputs, placed: Placed) -> Lanes:
        """The lanes at their starts."""
        if self._begins_within(inputs):
            return self.through(inputs, placed, None, 0, 0).lanes
        return self._begin(inputs, self._stage(placed))

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
        if lanes is None and not self._begins_within(inputs):
            lanes = self._begin(inputs, self._stage(placed))
        stage = self._stage(placed, first, until, lanes is None, ends)
        before = self._unused(inputs, placed) if lanes is None else lanes
        after, running, (results, losses) = self._through(inputs, stage, before)
        if first == until and lanes is not None and self.backend.apart:
            after = lanes
        return Passed(after, 0 if ends else sum(map(int, on_host(running))), results, losses)

    def _unused(self, inputs: Inputs, placed: Placed) -> Lanes:
        """Something in the place of lanes that begin, which nobody reads or writes."""
        if self._nothing is None:
            devices, *shape = placed.places.shape
            ids = jax.ShapeDtypeStruct(tuple(shape), placed.places.dtype)
            self._nothing = jax.tree.map(
                lambda leaf: jnp.zeros((devices, *leaf.shape), leaf.dtype, device=self.each),
                self.backend.described(self.problem, inputs, ids),
            )
        return self._nothing

    def _stage(
        self,
        placed: Placed,
        first: int = 0,
        until: int = 0,
        begins: bool = False,
        ends: bool = False,
    ) -> Stage:
        """The lanes of each device, and their part of the run."""
        blocks = zip(placed.corners, placed.counts, strict=True)
        bounds = [[first, until, begins, ends, *corner, count] for corner, count in blocks]
        return Stage(placed.places, jax.device_put(np.array(bounds, np.int32), self.each))

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
        stage = self._stage(placed)
        return self._reduce(inputs, stage, results, jax.device_put(row, self.each))

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
        placed, lanes = block
        places, lanes, order = self._running_first(placed.places, lanes, order)
        return (placed._replace(places=places), lanes), order

    def restore(self, block: Block, order: Array | None) -> Block:
        """The block's lanes where they were before they were moved."""
        if order is None:
            return block
        placed, lanes = block
        places, lanes, _ = self._as_they_were(placed.places, lanes, order)
        return placed._replace(places=places), lanes


def _begin(backend: Backend, problem: Problem, inputs: Inputs, stage: Stage) -> Lanes:
    return backend.begin(problem, inputs, stage.ids)


def _reduce(
    problem: Problem,
    rows: int,
    inputs: Inputs,
    stage: Stage,
    results: dict[str, Array],
    row: Array,
) -> dict[str, Array]:
    each = jax.vmap(jax.vmap(partial(problem.lane, inputs)))(tuple(stage.ids))
    return reduce.counts(results, flat(each.minimum), row, rows, inputs.minima.shape[1])


def _running_first(
    backend: Backend, problem: Problem, places: Ids, lanes: Lanes, order: Array
) -> tuple[Ids, Lanes, Array]:
    running = running_of(backend, problem, places, lanes)
    return _moved(places, lanes, order, jnp.argsort(~running, stable=True))


def _as_they_were(places: Ids, lanes: Lanes, order: Array) -> tuple[Ids, Lanes, Array]:
    return _moved(places, lanes, order, jnp.argsort(order))


def _moved(
    places: Ids, lanes: Lanes, order: Array, to: Int[Array, " lane"]
) -> tuple[Ids, Lanes, Array]:
    def move(leaf: Array) -> Array:
        return flat(leaf)[to].reshape(leaf.shape) if leaf.ndim else leaf

    moved = jnp.stack([move(row) for row in places])
    return moved, jax.tree.map(move, lanes), order[to]


def on_host(results: Array) -> list[np.ndarray]:
    """Each device's part of an array [device, ...], not copied where the device is the host."""
    parts = (results.addressable_data(device) for device in range(len(results)))
    return [np.asarray(part).reshape(results.shape[1:]) for part in parts]

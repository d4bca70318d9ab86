"""Blocks of lanes as compiled programs: one for each (loss, optimizer), whatever is swept.

`begin` lays a block's lanes at their starts, `advance` takes them on to a given step with one of
the `lab.backends`, `finish` closes them and reads their records. Every device works on a block of
its own, in one program (`jax.shard_map`).
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int, PyTree

from lab import reduce
from lab.backends import Backend, backend_for
from lab.backends.forms import Ids, flat
from lab.outcome import Outcome
from lab.problem import Inputs, Problem
from lab.starts import Starts

STEPS_KEPT = 64
"""Numbers of steps that stay on the devices: all blocks end their chunks at the same few."""

Lanes = Any
"""The state of a block's lanes, as its backend keeps it."""

Placed = Int[Array, "device 3 tiles tile"]
"""The ids of a block's lanes on each device."""

Block = tuple[Placed, Lanes]
"""Those, and the lanes' state."""


class Clock(threading.local):
    """What a thread has spent, in seconds, on compiling, and on waiting while another compiled.

    Attributes:
        compiling: seconds.
        waiting: seconds.
        compilations: how many.
        at_once: threads that run side by side, this one included, and share the time that passes.
    """

    compiling = 0.0
    waiting = 0.0
    compilations = 0
    at_once = 1


CLOCK = Clock()


class Ahead:
    """A function compiled at its first call, by whichever thread comes first."""

    def __init__(self, function: Callable[..., Any], **options: Any):
        self.function = jax.jit(function, **options)
        self.executable: Callable[..., Any] | None = None
        self.lock = threading.Lock()

    def __call__(self, *arguments: PyTree) -> PyTree:
        """The function's value; the first call compiles it for arguments like these."""
        if self.executable is None:
            self._compile(arguments)
        assert self.executable is not None
        return self.executable(*arguments)

    def _compile(self, arguments: tuple[PyTree, ...]) -> None:
        begun = time.perf_counter()
        with self.lock:
            if self.executable is not None:
                CLOCK.waiting += time.perf_counter() - begun
                return
            self.executable = self.function.lower(*arguments).compile()
        CLOCK.compiling += time.perf_counter() - begun
        CLOCK.compilations += 1


class Program:
    """A `Problem` compiled for some devices.

    Lanes come and go with a leading axis of one block a device: ids [device, 3, tiles, tile],
    results [device, lane, ...].

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
        step, ended = (partial(f, self.backend, problem) for f in (_advance, _running_first))
        self._begin = spread(partial(self.backend.begin, problem), same, each)
        self._advance = spread(step, same, each, each, same, same, donate_argnums=2)
        self._finish = spread(partial(self.backend.finish, problem), same, each, each, same)
        self._reduce = spread(partial(_reduce, problem, rows), same, each, each, each)
        self._running_first = spread(ended, each, each, each, donate_argnums=(0, 1, 2))
        self._as_they_were = spread(_as_they_were, each, each, each, donate_argnums=(0, 1, 2))
        self._spread, self._each, self._same = spread, each, same
        self._step = lru_cache(STEPS_KEPT)(lambda t: jax.device_put(np.int32(t), self.same))

    def elsewhere(self, starts: Starts) -> "Program":
        """The same program from other starts: only `begin` is compiled anew."""
        other = copy(self)
        problem = replace(self.problem, starts=starts)
        begin = partial(self.backend.begin, problem)
        other._begin = self._spread(begin, self._same, self._each)
        return other

    def place(self, inputs: Inputs) -> Inputs:
        """The inputs on every device."""
        return jax.device_put(inputs, self.same)

    def begin(self, inputs: Inputs, ids: np.ndarray) -> Block:
        """The ids on their devices, and their lanes at their starts."""
        placed = jax.device_put(ids, self.each)
        return placed, self._begin(inputs, placed)

    def advance(
        self, inputs: Inputs, ids: Placed, lanes: Lanes, first: int, until: int
    ) -> tuple[Lanes, int]:
        """The lanes after steps first ... until-1, and how many are still running.

        The lanes given are consumed: their memory is used again.
        """
        lanes, running = self._advance(inputs, ids, lanes, self._step(first), self._step(until))
        return lanes, sum(map(int, on_host(running)))

    def finish(
        self, inputs: Inputs, ids: Placed, lanes: Lanes, last: int
    ) -> tuple[dict[str, Array], Array]:
        """The stored variables of lanes that end at step `last`, and their last losses as such."""
        return self._finish(inputs, ids, lanes, self._step(last))

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
        self, inputs: Inputs, ids: Placed, results: dict[str, Array], row: np.ndarray
    ) -> dict[str, Array]:
        """Counts across starts (see `lab.reduce`), from results that never leave the device."""
        return self._reduce(inputs, ids, results, jax.device_put(row, self.each))

    def compact(self, block: Block, order: Array | None) -> tuple[Block, Array]:
        """The lanes that are running moved to the front, so that tiles of ended ones cost nothing.

        Args:
            block: ids and lanes; consumed.
            order: what an earlier call returned, None at first.

        Returns:
            The block, and where each of its lanes was at the very first.
        """
        if order is None:
            devices, _, tiles, tile = block[0].shape
            first = np.arange(tiles * tile, dtype=np.int32)
            order = jax.device_put(np.broadcast_to(first, (devices, len(first))), self.each)
        ids, lanes, order = self._running_first(*block, order)
        return (ids, lanes), order

    def restore(self, block: Block, order: Array | None) -> Block:
        """The block's lanes where they were before they were moved."""
        if order is None:
            return block
        ids, lanes, _ = self._as_they_were(*block, order)
        return ids, lanes


def _advance(
    backend: Backend,
    problem: Problem,
    inputs: Inputs,
    ids: Ids,
    lanes: Lanes,
    first: Array,
    until: Array,
) -> tuple[Lanes, Array]:
    lanes = backend.advance(problem, inputs, ids, lanes, first, until)
    (outcome,) = backend.leaves(problem, lanes, "outcome")
    return lanes, jnp.sum(outcome == Outcome.RUNNING)


def _reduce(
    problem: Problem, rows: int, inputs: Inputs, ids: Ids, results: dict[str, Array], row: Array
) -> dict[str, Array]:
    each = jax.vmap(jax.vmap(partial(problem.lane, inputs)))(tuple(ids))
    return reduce.counts(results, flat(each.minimum), row, rows, inputs.minima.shape[1])


def _running_first(
    backend: Backend, problem: Problem, ids: Ids, lanes: Lanes, order: Array
) -> tuple[Ids, Lanes, Array]:
    (outcome,) = backend.leaves(problem, lanes, "outcome")
    return _moved(ids, lanes, order, jnp.argsort(flat(outcome) != Outcome.RUNNING, stable=True))


def _as_they_were(ids: Ids, lanes: Lanes, order: Array) -> tuple[Ids, Lanes, Array]:
    return _moved(ids, lanes, order, jnp.argsort(order))


def _moved(
    ids: Ids, lanes: Lanes, order: Array, places: Int[Array, " lane"]
) -> tuple[Ids, Lanes, Array]:
    def move(leaf: Array) -> Array:
        return flat(leaf)[places].reshape(leaf.shape) if leaf.ndim else leaf

    return jnp.stack([move(row) for row in ids]), jax.tree.map(move, lanes), order[places]


def on_host(results: Array) -> list[np.ndarray]:
    """Each device's part of an array [device, ...], not copied where the device is the host."""
    shards = sorted(results.addressable_shards, key=lambda shard: shard.index[0].start or 0)
    return [np.asarray(shard.data).reshape(results.shape[1:]) for shard in shards]

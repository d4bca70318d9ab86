"""Blocks of lanes as compiled programs: one for each (loss, optimizer), whatever is swept.

`begin` lays a block's lanes at their starts, `advance` takes them on to a given step with one of
the `lab.backends`, `finish` closes them and reads their records. Every device works on a block of
its own, in one program (`jax.shard_map`).
"""

import threading
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Int, PyTree

from lab import reduce
from lab.backends import advance_with, each_lane
from lab.descent import Lane
from lab.outcome import Outcome
from lab.problem import Inputs, Problem
from lab.starts import Starts

Block = tuple[Array, Lane]
"""The ids of a block's lanes, and their state."""


class Clock(threading.local):
    """What a thread has spent, in seconds, on compiling, and on waiting while another compiled."""

    compiling = 0.0
    waiting = 0.0
    compilations = 0


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

    Lanes come and go with a leading axis of one block a device: ids [device, tiles, tile, 3],
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

        platform = devices[0].platform
        advance = partial(advance_with(backend, platform), problem)
        self._evaluate = each_lane(backend, platform)
        self._begin = spread(partial(_begin, self._evaluate, problem), same, each)
        self._advance = spread(
            partial(_advance, advance), same, each, each, same, same, donate_argnums=2
        )
        self._finish = spread(partial(_finish, self._evaluate, problem), same, each, each, same)
        self._reduce = spread(partial(_reduce, problem, rows), same, each, each, each)
        self._running_first = spread(_running_first, each, each, each, donate_argnums=(0, 1, 2))
        self._as_they_were = spread(_as_they_were, each, each, each, donate_argnums=(0, 1, 2))
        self._spread, self._each, self._same = spread, each, same

    def elsewhere(self, starts: Starts) -> "Program":
        """The same program from other starts: only `begin` is compiled anew."""
        other = copy(self)
        problem = replace(self.problem, starts=starts)
        begin = partial(_begin, self._evaluate, problem)
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
        self, inputs: Inputs, ids: Array, lanes: Lane, first: int, until: int
    ) -> tuple[Lane, int]:
        """The lanes after steps first ... until-1, and how many are still running.

        The lanes given are consumed: their memory is used again.
        """
        bounds = jax.device_put((np.int32(first), np.int32(until)), self.same)
        lanes, running = self._advance(inputs, ids, lanes, *bounds)
        return lanes, int(np.sum(running))

    def finish(
        self, inputs: Inputs, ids: Array, lanes: Lane, last: int
    ) -> tuple[dict[str, Array], Array]:
        """The stored variables of lanes that end at step `last`, and their last losses as such."""
        return self._finish(inputs, ids, lanes, jax.device_put(np.int32(last), self.same))

    def reduce(
        self, inputs: Inputs, ids: Array, results: dict[str, Array], row: np.ndarray
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
            devices, tiles, tile, _ = block[0].shape
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


def _begin(evaluate: Callable[..., Any], problem: Problem, inputs: Inputs, ids: Array) -> Lane:
    lanes = evaluate(problem.begin, inputs, flat(ids))
    return jax.tree.map(lambda leaf: leaf.reshape(*ids.shape[:2], *leaf.shape[1:]), lanes)


def _advance(
    advance: Callable[..., Lane],
    inputs: Inputs,
    ids: Array,
    lanes: Lane,
    first: Array,
    until: Array,
) -> tuple[Lane, Array]:
    lanes = advance(inputs, ids, lanes, first, until)
    return lanes, jnp.sum(lanes.outcome == Outcome.RUNNING)


def _finish(
    evaluate: Callable[..., Any],
    problem: Problem,
    inputs: Inputs,
    ids: Array,
    lanes: Lane,
    last: Array,
) -> tuple[dict[str, Array], Array]:
    def one(shared: tuple[Inputs, Array], given: Block) -> tuple[dict[str, Array], Array]:
        (inputs, last), (ids, lane) = shared, given
        closed = problem.close(inputs, last, ids, lane)
        return problem.finish(inputs, ids, closed), closed.loss

    return evaluate(one, (inputs, last), jax.tree.map(flat, (ids, lanes)))


def _reduce(
    problem: Problem, rows: int, inputs: Inputs, ids: Array, results: dict[str, Array], row: Array
) -> dict[str, Array]:
    each = jax.vmap(jax.vmap(partial(problem.lane, inputs)))(ids)
    return reduce.counts(results, flat(each.minimum), row, rows, inputs.minima.shape[1])


def _running_first(ids: Array, lanes: Lane, order: Array) -> tuple[Array, Lane, Array]:
    ended = flat(lanes.outcome) != Outcome.RUNNING
    return _moved(ids, lanes, order, jnp.argsort(ended, stable=True))


def _as_they_were(ids: Array, lanes: Lane, order: Array) -> tuple[Array, Lane, Array]:
    return _moved(ids, lanes, order, jnp.argsort(order))


def _moved(
    ids: Array, lanes: Lane, order: Array, places: Int[Array, " lane"]
) -> tuple[Array, Lane, Array]:
    def move(leaf: Array) -> Array:
        return flat(leaf)[places].reshape(leaf.shape)

    return move(ids), jax.tree.map(move, lanes), order[places]


def flat(leaf: Array) -> Array:
    """A leaf of a block's tiles as one row of lanes."""
    tiles, tile, *own = leaf.shape
    return leaf.reshape(tiles * tile, *own)

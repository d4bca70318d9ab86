"""Settings x starts x seeds, block by block, on every device: the loop around the programs.

The loop runs on the host, over chunks of steps short enough that a progress bar moves and Ctrl-C
is heard. Where chunks end changes nothing: the same compiled step is taken, as often as before.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import partial
from threading import Event, Lock
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from lab.blocks import Part
from lab.compiling import CLOCK
from lab.devices import local_devices
from lab.flow import Meter, ahead, workers
from lab.plan import Plan
from lab.program import Placed, Program, on_host
from lab.programs import Group, Ids, Programs
from lab.reduce import merge_halves
from lab.starts import Starts

FIRST_CHUNK = 64
"""Steps in the first chunk, whose duration is not yet known."""

CHUNK_SECONDS = (0.2, 0.8)
"""A chunk that takes less is followed by a longer one; one that takes more, by a shorter one."""

ENDED_SHARE = 0.5
"""Lanes are moved together when no more than this share of those in front is still running."""

Results = Mapping[str, np.ndarray]


class Paths(NamedTuple):
    """Whole runs of chosen lanes: `point[i, t]` is x_t of lane i, `loss[i, t]` its loss."""

    point: Float[np.ndarray, "lane step dim"]
    loss: Float[np.ndarray, "lane step"]


class Engine:
    """Runs lanes of one plan on some devices; each of its programs is compiled once."""

    def __init__(
        self,
        plan: Plan,
        devices: Sequence[jax.Device] | None = None,
        meter: Meter | None = None,
    ):
        self.plan = plan
        self.devices = local_devices() if devices is None else list(devices)
        self.workers = workers(self.devices, all_cores=devices is None)
        self._lock, self._stopped = Lock(), Event()
        self.meter = Meter() if meter is None else meter
        self._span = FIRST_CHUNK
        self._programs = Programs(plan, self.devices)

    def blocks(self, done: Collection[int] = ()) -> Iterator[tuple[int, Results]]:
        """Every block that is not done yet and its results: lanes, or counts across starts."""
        layout = self.plan.layout
        pending = ((b, layout.part(b)) for b in range(layout.blocks) if b not in done)
        reduced = self.plan.run.keep == "reduced"

        def run(group: Group) -> list[Results]:
            CLOCK.at_once = self.workers
            with self.plan.precision():
                return self._run([part for _, part in group], reduced)

        groups = ahead(run, self._programs.groups(pending), self.workers, self._stopped)
        for group, results in groups:
            yield from zip([block for block, _ in group], results, strict=True)

    def block(self, number: int, at_once: int) -> tuple[Results, dict[str, float]]:
        """One block's results and what it took, while so many threads run others; any may call."""
        own, CLOCK.at_once = copy(self), at_once
        own.meter = Meter()
        with self.plan.precision():
            [results] = own._run([self.plan.layout.part(number)], self.plan.run.keep == "reduced")
        return results, own.meter.counts()

    def lanes(self, ids: Ids) -> Results:
        """The results of chosen lanes (setting, seed, start), in their order."""
        places = self._programs.shares(ids)
        results = []
        chosen = ((i, Part.chosen(ids[place])) for i, place in enumerate(places))
        for group in self._programs.groups(chosen):
            with self.plan.precision():
                results += self._run([part for _, part in group], reduced=False)
        order = np.argsort(np.concatenate(places))
        return {name: np.concatenate([r[name] for r in results])[order] for name in results[0]}

    def replay(self, ids: Ids, at: Iterable[int] | None = None) -> Paths:
        """Chosen lanes run again with their paths kept.

        It takes the compiled step of the sweep, one step at a time where it looks, so the paths
        end, to the last bit, where the sweep's lanes did.

        Args:
            ids: (setting, seed, start) of each lane.
            at: the steps to keep, increasing; by default all, 0 ... T.
        """
        at = range(self.plan.run.steps + 1) if at is None else [int(t) for t in at]
        places = self._programs.shares(ids)
        order = np.argsort(np.concatenate(places))
        parts = zip(*(self._replay(ids[place], at) for place in places), strict=True)
        return Paths(*(np.concatenate(part)[order] for part in parts))

    def _replay(self, ids: Ids, at: Sequence[int]) -> Paths:
        """The paths of lanes that share a program."""
        points, losses, reached = [], [], 0
        with self.plan.precision():
            program, placed = self._programs.placed([Part.chosen(ids)])
            lanes = self._timed(program.begin, self._programs.inputs, placed)
            through = partial(self._timed, program.through, self._programs.inputs, placed)
            for t in at:
                if t > reached:
                    lanes = through(lanes, reached, t).lanes
                points.append(program.peek(lanes, "x", len(ids)))
                reached, running = t, 1
                if self.plan.run.watch and t < self.plan.run.steps:
                    lanes, running, *_ = through(lanes, t, t + 1)
                    loss, reached = program.peek(lanes, "loss", len(ids))[:, 0], t + 1
                else:
                    lanes, _, _, last = through(lanes, t, t, True)
                    loss = on_host(last)[0][: len(ids)]
                losses.append(loss)
                if not running:
                    break
        missing = len(at) - len(points)
        points += points[-1:] * missing
        losses += losses[-1:] * missing
        return Paths(np.stack(points, axis=1), np.stack(losses, axis=1))

    def probe(self, seconds: float) -> int:
        """Take steps of the first blocks for about so long; how many lane-steps that were."""
        layout = self.plan.layout
        group = next(self._programs.groups((b, layout.part(b)) for b in range(layout.blocks)))
        parts = [part for _, part in group]
        with self.plan.precision():
            program, placed = self._programs.placed(parts)
            through = partial(self._timed, program.through, self._programs.inputs, placed)
            lanes, running, *_ = through(None, 0, 1)
            self.meter.run, reached, ahead = 0.0, 1, 4
            while running and reached < self.plan.run.steps and self.meter.run < seconds:
                until = min(reached + ahead, self.plan.run.steps)
                lanes, running, *_ = through(lanes, reached, until)
                reached, ahead = until, 2 * ahead
        return reached * sum(len(part.places) for part in parts)

    def elsewhere(self, starts: Starts) -> "Engine":
        """The same programs from other starts, for `lanes` and `replay`."""
        other = copy(self)
        other._programs = self._programs.elsewhere(starts)
        return other

    @property
    def capacity(self) -> int:
        """How many lanes a block holds."""
        return self.plan.layout.capacity

    def _run(self, parts: Sequence[Part], reduced: bool) -> list[Results]:
        program, placed = self._programs.placed(parts)
        placed, results = self._to_the_end(program, placed, sum(len(p.places) for p in parts))
        steps_of = zip(on_host(results["steps"]), parts, strict=False)
        taken = sum(int(each[: len(part.places)].sum(dtype=np.int64)) for each, part in steps_of)
        if reduced:
            inputs, rows = self._programs.inputs, self._programs.rows(parts)
            results = self._timed(program.reduce, inputs, placed, results, rows)
        begun = time.perf_counter()
        host = {name: on_host(a) for name, a in results.items()}
        seconds = time.perf_counter() - begun
        with self._lock:
            self.meter.lane_steps += taken
            self.meter.transfer += seconds
        each = [{name: a[d] for name, a in host.items()} for d in range(len(parts))]
        if reduced:
            return [merge_halves(counts) for counts in each]
        return [
            {name: a[: len(part.places)] for name, a in own.items()}
            for own, part in zip(each, parts, strict=True)
        ]

    def _to_the_end(
        self, program: Program, placed: Placed, count: int
    ) -> tuple[Placed, dict[str, jax.Array]]:
        """Chunk after chunk until the budget is spent or no lane is running; the stored variables.

        Lanes may be moved together on the way, which is why their places are given back.
        """
        through = partial(self._timed, program.through, self._programs.inputs)
        steps, until, running, front = self.plan.run.steps, 0, count, count
        lanes, order, going, ends = None, None, True, False
        while going and not self._stopped.is_set():
            first, until = until, min(until + self._span, steps)
            before, ends = self.meter.run, until == steps and order is None
            lanes, running, results, _ = through(placed, lanes, first, until, ends)
            self._pace(self.meter.run - before)
            self.meter.listener(count * ((until if running else steps) - first))
            if 0 < running <= front * ENDED_SHARE and steps - until > self._span:
                front, moved = running, (placed, lanes)
                (placed, lanes), order = self._timed(program.compact, moved, order)
            going = running > 0 and until < steps
        if not ends:
            placed, lanes = self._timed(program.restore, (placed, lanes), order)
            results = through(placed, lanes, steps, steps, True).results
        return placed, results

    def _timed(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The outcome of a call, its time put down under compile and run."""
        compiling, waiting, compilations = CLOCK.compiling, CLOCK.waiting, CLOCK.compilations
        begun = time.perf_counter()
        outcome = jax.block_until_ready(function(*arguments))
        seconds = time.perf_counter() - begun
        compiling, waiting = CLOCK.compiling - compiling, CLOCK.waiting - waiting
        with self._lock:
            self.meter.compile += compiling
            self.meter.compilations += CLOCK.compilations - compilations
            self.meter.run += (seconds - compiling - waiting) / CLOCK.at_once
        return outcome

    def _pace(self, seconds: float) -> None:
        """Let the next chunk be longer or shorter than one that took so long."""
        short, long = CHUNK_SECONDS
        if seconds < short:
            self._span *= 2
        elif seconds > long:
            self._span = max(1, self._span // 2)

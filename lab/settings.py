"""How lanes are run: what a config's `[run]` table, its seed and its precision say."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lab.errors import Fault, SpecError, nearest
from lab.outcome import REASONS, Limits
from lab.record import Best, HittingTime, Last, Recorder, Snapshots
from lab.sharpness import Sharpness

WORDS = {
    "keep": ("lanes", "reduced"),
    "backend": ("auto", "vmap", "scalar", "kernel"),
    "precision": ("float32", "float64", "bfloat16"),
}


@dataclass(frozen=True)
class Run:
    """How lanes are run: the `[run]` table, the seed and the precision of a config.

    Attributes:
        steps: updates that a lane may take.
        seeds: how many times each start is run, where loss or optimizer is random.
        targets: losses above the lowest known one whose hitting times are kept.
        diverged_above: see `lab.outcome.Limits`.
        gradient_below: see `lab.outcome.Limits`.
        patience: see `lab.outcome.Limits`; None for a tenth of the steps, and at least 10.
        minimum_within: distance at which a lane has reached a known minimum.
        snapshots: steps whose loss and point are kept.
        sharpness: steps at which the largest eigenvalue of the Hessian is kept.
        keep: "lanes", or "reduced" for counts across starts only.
        watch: look at each lane at every step, or (False, which is much faster) only at its last:
            then no lane ends before its budget, and what is recorded is of the last point.
        backend: "auto", "vmap", "scalar" or "kernel" (see `lab.backends`).
        block: the most lanes in a block; None for as many as suit a lane (`lab.plan.Plan.block`).
        seed: of starts and noise.
        precision: "float32", "float64" or "bfloat16".
        record: recorders in place of Last, Best, HittingTime, Snapshots and Sharpness.
    """

    steps: int = 1000
    seeds: int = 1
    targets: tuple[float, ...] = (1e-2, 1e-4, 1e-6)
    diverged_above: float = 1e8
    gradient_below: float = 1e-4
    patience: int | None = None
    minimum_within: float = 1e-2
    snapshots: tuple[int, ...] = ()
    sharpness: tuple[int, ...] = ()
    keep: str = "lanes"
    watch: bool = True
    backend: str = "auto"
    block: int | None = None
    seed: int = 0
    precision: str = "float32"
    record: tuple[Recorder, ...] | None = None

    def __post_init__(self) -> None:
        faults = [*self._wrong_words(), *self._wrong_numbers()]
        if self.record is not None and self.keep == "reduced":
            faults.append(
                Fault(("record",), 'needs keep = "lanes": counts are of the usual records')
            )
        if faults:
            raise SpecError(faults)

    def _wrong_words(self) -> Iterator[Fault]:
        for name, allowed in WORDS.items():
            given = getattr(self, name)
            if given not in allowed:
                yield Fault((name,), f"{given!r} is not allowed{nearest(str(given), allowed)}")

    def _wrong_numbers(self) -> Iterator[Fault]:
        patience = 1 if self.patience is None else self.patience
        whole = {
            "steps": self.steps,
            "seeds": self.seeds,
            "block": 1 if self.block is None else self.block,
            "patience": patience,
        }
        for name, given in whole.items():
            least = 0 if name == "steps" else 1  # no step at all is a look at the start
            if given != int(given) or given < least:
                message = f"{given} is not allowed; give a whole number of at least {least}"
                yield Fault((name,), message)
        positive = {f"targets.{i}": target for i, target in enumerate(self.targets)}
        positive |= {"diverged_above": self.diverged_above, "minimum_within": self.minimum_within}
        for name, number in positive.items():
            if not 0 < number < math.inf:
                yield Fault((name,), f"{number} is not allowed; give a finite number above 0")
        if not 0 <= self.gradient_below < math.inf:
            message = f"{self.gradient_below} is not allowed; give 0 or a finite number above it"
            yield Fault(("gradient_below",), message)
        yield from self._wrong_steps()

    def _wrong_steps(self) -> Iterator[Fault]:
        chosen = {"snapshots": self.snapshots, "sharpness": self.sharpness}
        for (name, steps), one in zip(chosen.items(), ("snapshot", "step"), strict=True):
            if any(not 0 <= step <= self.steps for step in steps):
                yield Fault((name,), f"every {one} must lie between 0 and {self.steps}")
            if steps and not self.watch:
                message = "need watch = true: nothing is seen of a lane before its end"
                yield Fault((name,), message)
        if self.sharpness and self.keep == "reduced":
            yield Fault(("sharpness",), 'needs keep = "lanes": only counts are kept across starts')

    @property
    def recorders(self) -> tuple[Recorder, ...]:
        """What is kept of each lane."""
        if self.record is not None:
            return tuple(self.record)
        snapshots = (Snapshots(tuple(self.snapshots)),) if self.snapshots else ()
        sharpness = (Sharpness(tuple(self.sharpness)),) if self.sharpness else ()
        return (Last(), Best(), HittingTime(tuple(self.targets)), *snapshots, *sharpness)

    @property
    def limits(self) -> Limits:
        """When lanes end."""
        patience = max(10, self.steps // 10) if self.patience is None else self.patience
        return Limits(self.steps, self.diverged_above, self.gradient_below, patience)

    @property
    def criteria(self) -> dict[str, str]:
        """Each outcome's criterion in words, with this run's numbers."""
        numbers = self.limits._asdict()
        return {reason.label: text.format(**numbers) for reason, text in REASONS.items()}

"""Where the time of a run goes: told apart by what is done, and summed over interruptions."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lab.flow import Meter
from lab.rundir import now

PARTS = ("start", "compile", "run", "replay", "transfer", "store", "check", "tables", "plot")
"""What time is spent on.

`start` is importing and validating, `replay` the closer look at the best settings, `store` what is
written besides the sweeps' own blocks. Where threads work side by side, seconds of `compile` are
those of all of them.
"""

EVERY = 1.0
"""Seconds after which what is known is written again: a killed run forgets no more than these."""


class Times:
    """The seconds of one stretch of a run, from its start or resumption to its end or interruption.

    Attributes:
        sweeps: counts the sweeps.
        closer: counts what is computed besides them.
    """

    def __init__(self) -> None:
        self.sweeps, self.closer = Meter(), Meter()
        self._spent: dict[str, float] = {}
        self._manifest: Mapping[str, Any] = {}
        self._write: Callable[[Mapping[str, Any]], None] = lambda manifest: None
        self._started, self._begun = now(), time.perf_counter()
        self._written = self._begun

    @contextmanager
    def spent(self, part: str) -> Iterator[None]:
        """The time of what is done within counts as that part's."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - begun
            self._spent[part] = self._spent.get(part, 0.0) + seconds

    @contextmanager
    def kept(
        self, manifest: Mapping[str, Any], write: Callable[[Mapping[str, Any]], None]
    ) -> Iterator[None]:
        """Keep the stretches in the manifest: from now on, by `keep`, and at an interruption.

        Args:
            manifest: of the unfinished run, with the stretches before this one.
            write: puts a manifest in its place.
        """
        self._manifest, self._write = dict(manifest), write
        self._put()
        try:
            yield
        except BaseException:
            self._put()
            raise

    def keep(self) -> None:
        """Write the manifest, unless that was done within the last `EVERY` seconds."""
        if time.perf_counter() - self._written >= EVERY:
            self._put()

    @property
    def stretches(self) -> list[Mapping[str, Any]]:
        """The earlier stretches and this one, up to now."""
        sweeps, closer = self.sweeps, self.closer
        metered = {
            "compile": sweeps.compile + closer.compile,
            "run": sweeps.run,
            "replay": closer.run + closer.transfer,
            "transfer": sweeps.transfer,
        }
        spent = {part: {**metered, **self._spent}.get(part, 0.0) for part in PARTS}
        this = {
            "started": self._started,
            "seconds": {**spent, "total": time.perf_counter() - self._begun},
            "lane_steps": sweeps.lane_steps,
            "compilations": sweeps.compilations + closer.compilations,
        }
        return [*self._manifest.get("stretches", ()), this]

    def _put(self) -> None:
        self._write({**self._manifest, "stretches": self.stretches})
        self._written = time.perf_counter()


def summed(stretches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a manifest says of a run's stretches together: seconds, lane-steps, compilations."""
    return {
        "seconds": {
            part: sum(stretch["seconds"][part] for stretch in stretches)
            for part in (*PARTS, "total")
        },
        **{
            count: sum(stretch[count] for stretch in stretches)
            for count in ("lane_steps", "compilations")
        },
        "stretches": list(stretches),
    }


def resumed(manifest: Mapping[str, Any]) -> str:
    """How often the run was interrupted and gone on with, in words; empty if it never was."""
    times = len(manifest.get("stretches", ())) - 1
    return f"{times} times" if times > 1 else "once" if times == 1 else ""


def known(manifest: Mapping[str, Any]) -> dict[str, float]:
    """The seconds of the parts that the manifest tells of, and of all together."""
    seconds = manifest["seconds"]
    return {part: seconds[part] for part in (*PARTS, "total") if part in seconds}

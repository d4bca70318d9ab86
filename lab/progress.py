"""How far a run is: a bar on a terminal, and elsewhere a plain line now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

LINE_SECONDS = 10.0

Report = Callable[[int], None]


class Reporter:
    """Tells a person how the run goes, on a stream."""

    def __init__(self, stream: TextIO | None = None):
        self.stream = sys.stderr if stream is None else stream
        self.console = Console(file=self.stream)

    def say(self, line: str) -> None:
        """One line."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Report]:
        """A piece of work of so many lane-steps; call what it yields with those just done."""
        if not self.console.is_terminal:
            yield Lines(self.say, name, total)
            return
        columns = [
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeRemainingColumn(compact=True),
        ]
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(name, total=total, rate="")
            meter = _Rate()

            def report(done: int) -> None:
                bar.update(task, advance=done, rate=f"{rate_text(meter(done))}")

            yield report


class Silent(Reporter):
    """Says nothing: for notebooks and tests."""

    def say(self, line: str) -> None:
        """Nothing."""

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Report]:
        """Nothing."""
        yield lambda done: None


def rate_text(lane_steps_a_second: float) -> str:
    """`58 M lane-steps/s`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if lane_steps_a_second >= size:
            return f"{lane_steps_a_second / size:.3g} {unit} lane-steps/s"
    return f"{lane_steps_a_second:.3g} lane-steps/s"


class _Rate:
    def __init__(self) -> None:
        self.begun, self.done = time.perf_counter(), 0

    def __call__(self, done: int) -> float:
        self.done += done
        return self.done / max(time.perf_counter() - self.begun, 1e-9)


class Lines:
    """A plain line every `LINE_SECONDS`."""

    def __init__(self, say: Callable[[str], None], name: str, total: int):
        self.say, self.name, self.total = say, name, total
        self.rate, self.last = _Rate(), time.perf_counter()

    def __call__(self, done: int) -> None:
        """So many more are done."""
        rate = self.rate(done)
        if time.perf_counter() - self.last >= LINE_SECONDS:
            self.last = time.perf_counter()
            left = (self.total - self.rate.done) / max(rate, 1e-9)
            share = self.rate.done / max(self.total, 1)
            self.say(f"{self.name}: {share:.0%}, {rate_text(rate)}, {left:.0f} s left")

"""Runs in worker processes of their own, so that drawing, which uses one core, uses them all.

A worker takes one job after the other. It may fail, or even die, without the others noticing. At
Ctrl-C the workers are ended where they are: what a run has saved is whole, and is gone on with.
"""

import io
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path

from lab.errors import LabError
from lab.progress import Lines, Report, Reporter

PATIENCE = 20.0  # seconds that a worker without a job gets to end by itself

Say = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """A config to run into a directory."""

    key: str
    config: Path
    out: Path
    smoke: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class Ending:
    """How a job ended.

    Attributes:
        seconds: that it took.
        held: how many checks hold.
        checks: how many there are.
        error: why there is no result, in words for a person; empty if there is one.
        bad_input: the error is one of the config, not of the program.
        trace: where the program failed.
    """

    seconds: float = 0.0
    held: int = 0
    checks: int = 0
    error: str = ""
    bad_input: bool = False
    trace: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is a result all of whose checks hold."""
        return not self.error and self.held == self.checks


class Relay(Reporter):
    """Passes on how a long piece of work goes, in a line now and then, and nothing else."""

    def __init__(self, tell: Say):
        super().__init__(io.StringIO())
        self.tell = tell

    def say(self, line: str) -> None:
        """Nothing: the course itself says which config runs."""

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Report]:
        """A line every ten seconds."""
        yield Lines(self.tell, name, total)


def attempt(job: Job, tell: Say) -> Ending:
    """Run a job, or open its finished run; an error becomes words."""
    begun = time.perf_counter()
    try:
        from lab.running import run

        fresh = job.fresh or _outdated(job)
        result = run(job.config, out=job.out, smoke=job.smoke, fresh=fresh, reporter=Relay(tell))
        held = [check.passed for check in result.checks]
        return Ending(time.perf_counter() - begun, sum(held), len(held))
    except LabError as error:
        return Ending(time.perf_counter() - begun, error=str(error), bad_input=True)
    except Exception as error:  # whatever it is, the other configs go on
        said = f"{type(error).__name__}: {error}"
        return Ending(time.perf_counter() - begun, error=said, trace=traceback.format_exc())


def run_all(jobs: Sequence[Job], count: int, say: Say) -> Generator[tuple[Job, Ending], None, None]:
    """Run jobs in so many processes, and yield each as it ends.

    Args:
        jobs: what to run, in this order.
        count: how many at a time.
        say: told a line when a job begins, and now and then if it takes long.
    """
    waiting, workers = deque(jobs), [_Worker() for _ in range(min(count, len(jobs)))]
    try:
        while waiting or any(worker.job for worker in workers):
            for worker in workers:
                if worker.job is None and waiting:
                    say(f"{waiting[0].key}: begins")
                    worker.give(waiting.popleft())
            for worker in _heard(workers):
                job, message = worker.job, worker.hear()
                assert job is not None
                if isinstance(message, Ending):
                    yield job, message
                else:
                    say(f"{job.key}: {message}")
    finally:
        for worker in workers:
            worker.dismiss()


class _Worker:
    """A process, and the job that it is at."""

    def __init__(self) -> None:
        self.job: Job | None = None
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        with _without_interrupts():
            self.process.start()
        theirs.close()  # so that a worker's death is an end of file here

    def give(self, job: Job) -> None:
        """Let it begin."""
        self.job = job
        try:
            self.connection.send(job)
        except OSError:  # it died idle; `hear` finds that out
            return

    def hear(self) -> Ending | str:
        """How the job ended, or a line about it."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(PATIENCE)
            code = self.process.exitcode
            why = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
            message = Ending(error=f"the process that ran it died ({why}); is there enough memory?")
            self._start()
        if isinstance(message, Ending):
            self.job = None
        return message

    def dismiss(self) -> None:
        """Let it end or, if it is at a job, end it."""
        self.connection.close()
        if self.job is None:
            self.process.join(PATIENCE)
        self.process.terminate()
        self.process.join()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """A process that is started here never sees the terminal's Ctrl-C: its parent ends it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _heard(workers: Sequence[_Worker]) -> list[_Worker]:
    busy = {worker.connection: worker for worker in workers if worker.job is not None}
    return [busy[connection] for connection in wait(list(busy)) if connection in busy]  # type: ignore[index]


def _work(connection: Connection) -> None:
    """The worker's life: jobs until there are no more."""
    try:
        while True:
            job = connection.recv()
            connection.send(attempt(job, connection.send))
            if "jax" in sys.modules:  # what the next config does is compiled anew
                sys.modules["jax"].clear_caches()
    except (EOFError, OSError):
        return


def _outdated(job: Job) -> bool:
    """Whether another config's run, or one that cannot be gone on with, lies in the directory."""
    from lab import builtin
    from lab.config import load
    from lab.devices import local_devices
    from lab.rundir import RunDirectory, identity

    directory = RunDirectory(job.out)
    known = directory.manifest
    if known is None:
        return False
    document = load(job.config, (), job.smoke, experiments=builtin.experiments())
    file = builtin.find_experiment(document.experiment, document.folder)
    platform = "" if known["finished"] else local_devices()[0].platform
    try:
        directory.refuse_changes(document, identity(document, file, platform))
    except LabError:
        return True
    return False

"""The same blocks on Dask: a run's sweeps, computed by the workers of a scheduler.

A block is a task. It is pure, so Dask may run it on any worker, and again where one was lost. Its
results are sent to this process, which alone writes the run directory: workers need no files in
common with it, and the functions of the user's own files travel inside the plan. A worker compiles
a plan once; each of its threads runs a block at a time, all on its first device, so that of several
GPUs each wants a worker of its own.

Whatever the bits depend on must be the same here and there: versions, the lab's own source, the
kind of processor. After an interruption workers still end the blocks that they have begun.
"""

import logging
import platform
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from lab import rundir
from lab.devices import local_devices
from lab.errors import LabError
from lab.flow import Meter

if TYPE_CHECKING:
    from distributed import Client, Future

    from lab.engine import Engine, Results
    from lab.plan import Plan

PATIENCE = 30.0
"""Seconds that a scheduler has to answer, a first worker to be there, and results to arrive."""

LOOK = 5.0
"""Seconds after which workers are counted again, though no block has ended."""

AHEAD = 2
"""Blocks that are asked for at once, for each thread: results wait for nobody but the disk."""

PLANS = 4
"""Plans whose programs a worker keeps."""

GOES_ON = "the same command goes on"

_lock = threading.Lock()


class Workers:
    """The workers of a Dask scheduler."""

    def __init__(self, client: "Client", address: str):
        self.client, self.address = client, address

    def __str__(self) -> str:
        return f"{self.threads()} threads of Dask workers"

    def threads(self) -> int:
        """How many threads the workers have together.

        Raises:
            LabError: when the scheduler does not answer, or there is no worker.
        """
        try:
            self.client.wait_for_workers(1, timeout=PATIENCE)
            return sum(self.client.nthreads().values())
        except TimeoutError:
            message = f"the Dask scheduler at {self.address} has no workers"
            raise LabError(f"{message}; `dask worker {self.address}` starts one") from None
        except OSError as error:
            raise self._gone() from error

    def blocks(
        self, plan: "Plan", meter: Meter, done: Collection[int] = ()
    ) -> Iterator[tuple[int, "Results"]]:
        """Every block that is not done yet and its results, in the order in which they end.

        Args:
            plan: what is run.
            meter: takes the seconds of compiling and transferring of all threads, and those of
                running divided by the number of threads.
            done: blocks to leave out.

        Raises:
            LabError: when the plan cannot be sent, workers are not like this process, or are lost.
        """
        mine = likeness()

        def task(packed: bytes, block: int, threads: int) -> Any:
            # Dask sends a function within a function whole: it can tell that there is no lab.
            from lab.cluster import compute

            return compute(packed, mine, block, threads)

        pending = (block for block in range(plan.layout.blocks) if block not in done)
        packed = self.client.submit(bytes, pack(plan))
        asked: dict[Future, int] = {}
        while True:
            threads = self.threads()
            for block in islice(pending, max(0, AHEAD * threads - len(asked))):
                asked[self.client.submit(task, packed, block, threads)] = block
            if not asked:
                return
            for block, (results, spent) in self._ended(asked):
                meter.add(spent)
                meter.listener(len(plan.layout.ids(block)) * plan.run.steps)
                yield block, results

    def _ended(self, asked: dict["Future", int]) -> Iterator[tuple[int, Any]]:
        """The blocks that have ended, and what came of them; none if none ends for a while."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker, wait
        from distributed.comm import CommClosedError

        try:
            for future in wait(list(asked), LOOK, "FIRST_COMPLETED").done:
                result = future.result(PATIENCE)
                yield asked.pop(future), result
        except TimeoutError:
            return
        except ImportError as error:
            raise LabError(f"a Dask worker lacks what this process has: {error}") from error
        except KilledWorker as error:
            message = f"block {asked[future]} was lost with every worker that began it, the last"
            where = f"at {error.last_worker.address}; the worker's log may say why"
            raise LabError(f"{message} {where}; {GOES_ON}") from error
        except (CancelledError, CommClosedError) as error:
            raise self._gone() from error

    def _gone(self) -> LabError:
        return LabError(f"the Dask scheduler at {self.address} is gone; {GOES_ON}")


@contextmanager
def connected(address: str | None) -> Iterator[Workers | None]:
    """The workers of the scheduler at this address; None where there is no address.

    Raises:
        LabError: when Dask is missing, nobody answers there, or there is no worker.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client
        from distributed.comm import resolve_address
    except ImportError:
        message = "--cluster needs Dask: pip install 'gradient-descent-lab[cluster]'"
        raise LabError(message) from None
    try:
        resolve_address(address)  # where it is none, a client could not be closed
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise LabError(f"no Dask scheduler at {address}: {error}") from error
    with _quiet("distributed.client"), client:
        workers = Workers(client, address)
        workers.threads()
        yield workers


def pack(plan: "Plan") -> bytes:
    """The plan in bytes; functions of the user's own files are in it, not only named.

    Raises:
        LabError: when something in it cannot be sent.
    """
    import cloudpickle

    own = [module for name, module in sys.modules.items() if name.startswith("lab_experiment_")]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps(replace(plan))
    except Exception as error:  # whatever a user's own objects may raise
        names = f"{plan.loss.name} with {plan.optimizer.name}"
        raise LabError(f"{names} cannot be sent to workers: {error}") from error
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def likeness() -> dict[str, str]:
    """What the bits of a block depend on besides its plan."""
    device = local_devices()[0]
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **rundir.versions(),
        "the lab's source": rundir.source(),
        "device": f"{device.platform} ({device.device_kind})",
        **({"processor": rundir.processor()} if device.platform == "cpu" else {}),
    }


def compute(
    packed: bytes, theirs: Mapping[str, str], block: int, threads: int
) -> tuple["Results", dict[str, Any]]:
    """A worker's task: the results of a block, and what its computation took.

    Args:
        packed: the plan.
        theirs: the likeness of the process that asks.
        block: which block.
        threads: how many threads all workers have together.
    """
    with _lock:
        engine = _engine(packed, tuple(theirs.items()))
    return engine.block(block, threads)


@lru_cache(PLANS)
def _engine(packed: bytes, theirs: tuple[tuple[str, str], ...]) -> "Engine":
    """The engine of a plan, with its programs."""
    import cloudpickle
    from distributed import get_worker

    from lab.engine import Engine

    worker, mine = f"the Dask worker at {get_worker().address}", likeness()
    for name, value in theirs:
        if mine.get(name) != value:
            message = f"{worker} has {name} {mine.get(name)}, but here it is {value}"
            raise LabError(f"{message}; the same bits need the same of both")
    try:
        plan = cloudpickle.loads(packed)
    except Exception as error:  # whatever a user's own objects may raise
        raise LabError(f"{worker} cannot load the plan: {error}") from error
    return Engine(plan, local_devices()[:1])


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Without what is logged there: that a connection is lost, at length, which an error tells."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)

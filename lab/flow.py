"""The flow of blocks through a sweep: what is computed ahead, by how many, and where time goes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from lab.devices import cores

if TYPE_CHECKING:
    import jax

Part = TypeVar("Part")
Result = TypeVar("Result")


@dataclass
class Meter:
    """Where the time of a sweep went, in seconds, and what it bought.

    `listener` is told of every so many lane-steps of the budget that are done with.
    """

    compile: float = 0.0
    run: float = 0.0
    transfer: float = 0.0
    lane_steps: int = 0
    compilations: int = 0
    listener: Callable[[int], None] = field(default=lambda lane_steps: None, repr=False)

    def counts(self) -> dict[str, float]:
        """Its numbers by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)[:-1]}

    def add(self, counts: Mapping[str, float]) -> None:
        """Add another's numbers to its own."""
        for name, value in counts.items():
            setattr(self, name, getattr(self, name) + value)


IN_FLIGHT = 2
"""Groups of blocks under way at least: while one is computed, another is fetched or laid out."""


def workers(devices: "Sequence[jax.Device]", all_cores: bool = True) -> int:
    """How many groups of blocks are under way at once, so that every core has work.

    Args:
        devices: that blocks run on. One a core is the rule; where JAX was started with fewer before
            the lab could ask for more, each is used by several threads.
        all_cores: whether cores without a device of their own are to be used.
    """
    shared = devices[0].platform == "cpu" and all_cores
    return max(IN_FLIGHT, cores() // len(devices) if shared else 1)


def ahead(
    run: Callable[[Part], Result], parts: Iterable[Part], workers: int, stopped: Event
) -> Iterator[tuple[Part, Result]]:
    """Parts and what `run` makes of them, in order; the next are run while one is taken care of.

    Args:
        run: called in other threads; it must return soon once `stopped` is set.
        parts: what to run.
        workers: how many at once.
        stopped: set where whoever takes the results fails or leaves off.
    """
    waiting: deque[tuple[Part, Future[Result]]] = deque()
    with ThreadPoolExecutor(workers, "lanes") as pool:
        try:
            for part in parts:
                waiting.append((part, pool.submit(run, part)))
                if len(waiting) > workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        except BaseException:
            stopped.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            stopped.clear()

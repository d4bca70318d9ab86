"""Contenders timed in turns, so that a slow minute of the machine strikes all of them alike."""

import gc
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeVar

import numpy as np
from jaxtyping import Float

T = TypeVar("T")
QUARTILES = (0.25, 0.5, 0.75)


def interleaved(
    contenders: Mapping[str, Callable[[], object]],
    repeats: int,
    seed: int = 0,
    done: Callable[[str], None] = lambda name: None,
) -> dict[str, Float[np.ndarray, " round"]]:
    """Seconds of each call: in every round each contender once, in an order drawn anew.

    Args:
        contenders: compiled and warm; what a call returns is dropped before the next.
        repeats: rounds.
        seed: of the orders.
        done: told of each call's contender when it has ended.
    """
    rng, names = np.random.default_rng(seed), list(contenders)
    seconds = {name: np.empty(repeats) for name in names}
    with collector_off():
        for turn in range(repeats):
            for index in rng.permutation(len(names)).tolist():
                name = names[index]
                seconds[name][turn] = timed(contenders[name])[1]
                done(name)
    return seconds


@contextmanager
def collector_off() -> Iterator[None]:
    """Python collects its garbage before, and not within."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """All threads of this process on so many of its cores, where the system can confine them.

    Args:
        count: cores; 0, or as many as there are, leaves threads where they like to be.
    """
    every = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if not 0 < count < len(every):
        yield
        return
    _confine(every[:count])
    try:
        yield
    finally:
        _confine(every)


def _confine(cores: Iterable[int]) -> None:
    for thread in os.listdir("/proc/self/task"):
        with suppress(ProcessLookupError):  # it has ended in the meantime
            os.sched_setaffinity(int(thread), cores)


def timed(function: Callable[[], T]) -> tuple[T, float]:
    """What a call returns, and its seconds."""
    begun = time.perf_counter()
    found = function()
    return found, time.perf_counter() - begun


def quartiles(values: Float[np.ndarray, " round"]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile (linear between order statistics)."""
    low, middle, high = np.quantile(np.asarray(values, np.float64), QUARTILES)
    return float(low), float(middle), float(high)


def geometric_mean(values: Float[np.ndarray, " n"]) -> float:
    """exp(mean(log x)), the mean for ratios; NaN of nothing."""
    values = np.asarray(values, np.float64)
    return float(np.exp(np.mean(np.log(values)))) if values.size else float("nan")

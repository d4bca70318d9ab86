"""NumPy, vectorised over lanes: blocks that fit the cache, one thread a core, gradients by hand.

NumPy lets go of the interpreter's lock in its loops, so threads do run side by side.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from lab.peers.gradients import GRADIENTS, Rows
from lab.peers.task import Contender, Ends, Task

BLOCK_NUMBERS = 2**16
"""Coordinates in a block: of 2^12 ... 2^18, the fastest or close to it for the losses tried."""

Update = Callable[[Rows, Rows, int], None]


def reason_missing(task: Task) -> str | None:
    """It takes every task without recording."""
    return task.lacks(recording=False)


def prepare(task: Task) -> Contender:
    """Nothing to compile; the starts are laid out by coordinate, and one block is run."""
    start = np.ascontiguousarray(task.points().T)
    block = max(1, BLOCK_NUMBERS // task.dimension)
    parts = [slice(i, i + block) for i in range(0, task.lanes, block)]
    pool = ThreadPoolExecutor(task.cores)

    def run() -> Ends:
        blocks = list(pool.map(partial(descend, task), [start[:, part] for part in parts]))
        return {"final_point": np.concatenate(blocks, axis=1).T}

    descend(task, start[:, parts[0]])
    return run


def descend(task: Task, start: Rows) -> Rows:
    """One block, all its steps."""
    x, gradient, update = start.copy(), GRADIENTS[task.loss], RULES[task.optimizer]
    step = update(x, task.learning_rate)
    for t in range(1, task.steps + 1):
        step(x, gradient(x), t)
    return x


def sgd(x: Rows, rate: float) -> Update:
    """X -= rate g."""

    def step(x: Rows, g: Rows, t: int) -> None:
        g *= rate
        x -= g

    return step


def heavy_ball(x: Rows, rate: float) -> Update:
    """M = g + 0.9 m; x -= rate m."""
    m = np.zeros_like(x)

    def step(x: Rows, g: Rows, t: int) -> None:
        m[:] *= 0.9
        m[:] += g
        x -= rate * m

    return step


def adam(x: Rows, rate: float) -> Update:
    """Both bias corrections are folded into the step size and epsilon, which changes nothing."""
    m, v = np.zeros_like(x), np.zeros_like(x)

    def step(x: Rows, g: Rows, t: int) -> None:
        m[:] += 0.1 * (g - m)
        g *= g
        v[:] += 0.001 * (g - v)
        root = (1 - 0.999**t) ** 0.5
        scale = np.sqrt(v)
        scale += 1e-8 * root
        np.divide(m, scale, out=scale)
        scale *= rate * root / (1 - 0.9**t)
        x -= scale

    return step


def lion(x: Rows, rate: float) -> Update:
    """X -= rate (sign(0.9 m + 0.1 g) + 0.001 x); m = 0.99 m + 0.01 g."""
    m = np.zeros_like(x)

    def step(x: Rows, g: Rows, t: int) -> None:
        sign = np.sign(0.9 * m + 0.1 * g)
        sign += 1e-3 * x
        m[:] += 0.01 * (g - m)
        sign *= rate
        x -= sign

    return step


RULES: dict[str, Callable[[Rows, float], Update]] = {
    "sgd": sgd,
    "heavy ball": heavy_ball,
    "adam": adam,
    "lion": lion,
}

"""PyTorch through torch.compile: the fastest of several ways to write the step.

State is one tensor [dim, lane] or a tuple of rows, one a coordinate, whose steps fuse better; one
or four steps make one compiled function, which is called over and over. In many dimensions rows
make code that compiles for minutes, so only the tensor is tried there.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lab.peers import torch_eager
from lab.peers.task import Contender, Ends, Task

FEW_DIMENSIONS = 10
TRIALS = 5

reason_missing = torch_eager.reason_missing


class Way(NamedTuple):
    """How the step is written: state as rows or not, and how many steps one function takes."""

    rows: bool
    together: int


def ways(task: Task) -> list[Way]:
    """The ways to try."""
    if task.dimension > FEW_DIMENSIONS:
        return [Way(rows=False, together=1)]
    together = [n for n in (1, 4) if n <= task.steps]
    return [Way(rows=False, together=1), *(Way(rows=True, together=n) for n in together)]


def prepare(task: Task) -> Contender:
    """Compile every way, keep the one that was fastest on a few steps, and run it once."""
    with warnings.catch_warnings(action="ignore"):  # torch's compiler uses what torch deprecates
        contenders = [_Compiled(task, way) for way in ways(task)]
        fastest = min(contenders, key=lambda each: each.seconds_a_step())
        fastest()
    return fastest


class _Compiled:
    """One way, compiled."""

    def __init__(self, task: Task, way: Way):
        import torch

        from lab.peers import torch_steps

        self.task, self.way, self.torch = task, way, torch
        start = torch.tensor(np.ascontiguousarray(task.points().T))
        start = start.to(torch_steps.device(task))
        nothing = torch.zeros_like(start)
        state = (start, nothing, nothing)
        self.state = tuple(map(tuple, state)) if way.rows else state
        numbers = [torch_steps.corrections(t) for t in range(1, task.steps + 1)]
        factors = torch.tensor(numbers, dtype=start.dtype, device=start.device).reshape(-1, 2)
        self.chunks = _chunks([tuple(pair) for pair in factors], way.together)
        self.wait = lambda: torch_steps.synchronize(task)
        self.steps = torch.compile(_steps(task, way), dynamic=False)

    def __call__(self) -> Ends:
        """The whole run."""
        x = self.walk(self.chunks)[0]
        x = self.torch.stack(x) if self.way.rows else x
        return {"final_point": x.cpu().numpy().T}

    def walk(self, chunks: Sequence[Any]) -> Any:
        """The state after these steps."""
        self.torch.set_num_threads(self.task.cores)
        state = self.state
        with self.torch.no_grad():
            for chunk in chunks:
                state = self.steps(state, chunk)
        return state

    def seconds_a_step(self) -> float:
        """Measured on a few steps, after the compilation."""
        few = self.chunks[:1]
        self.walk(few)
        seconds = []
        for _ in range(TRIALS):
            self.wait()
            begun = time.perf_counter()
            self.walk(few)
            self.wait()
            seconds.append(time.perf_counter() - begun)
        return min(seconds) / self.way.together


def _steps(task: Task, way: Way) -> Callable[[Any, Any], Any]:
    from lab.peers import torch_steps

    gradient = torch_steps.gradient(task)
    update = torch_steps.update(task.optimizer, task.learning_rate)

    def of_rows(state: Any, factors: Any) -> Any:
        for c1, c2 in factors:
            g = gradient(state[0])
            moved = [update(*row, c1, c2) for row in zip(*state, g, strict=True)]
            state = tuple(zip(*moved, strict=True))
        return state

    def of_tensors(state: Any, factors: Any) -> Any:
        for c1, c2 in factors:
            state = update(*state, gradient(state[0]), c1, c2)
        return state

    return of_rows if way.rows else of_tensors


def _chunks(items: list[Any], size: int) -> list[list[Any]]:
    """Groups of so many, and the rest one by one."""
    whole = len(items) - len(items) % size
    groups = [items[i : i + size] for i in range(0, whole, size)]
    return groups + [[item] for item in items[whole:]]

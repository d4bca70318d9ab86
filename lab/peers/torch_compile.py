"""PyTorch through torch.compile: state as rows, one a coordinate, so that whole steps fuse.

Tried on two cores: rows fuse better than one [dim, lane] tensor (1.5 to 2 times as fast), and in
few dimensions four steps in one compiled function are faster still; in many, four steps compile for
a minute and run no faster. One such function is called over and over.
"""

import warnings
from typing import Any

import numpy as np

from lab.peers import torch_eager
from lab.peers.task import Contender, Ends, Task

FEW_DIMENSIONS = 3
TOGETHER = 4
"""Steps in one compiled function, in few dimensions."""

reason_missing = torch_eager.reason_missing


def prepare(task: Task) -> Contender:
    """Compile the functions that the number of steps needs, and run once."""
    import torch

    from lab.peers import torch_steps

    gradient = torch_steps.gradient(task)
    update = torch_steps.update(task.optimizer, task.learning_rate)

    def steps(rows: Any, factors: Any) -> Any:
        for c1, c2 in factors:
            g = gradient(rows[0])
            moved = [update(*row, c1, c2) for row in zip(*rows, g, strict=True)]
            rows = tuple(zip(*moved, strict=True))
        return rows

    with warnings.catch_warnings(action="ignore"):  # torch's compiler uses what torch deprecates
        compiled = torch.compile(steps, dynamic=False)
    place = torch_steps.device(task)
    start = tuple(torch.tensor(row, device=place) for row in np.ascontiguousarray(task.points().T))
    chunks = _chunks(task, [torch.tensor(torch_steps.corrections(t)) for t in _times(task)])
    chunks = [[tuple(pair.to(place, start[0].dtype)) for pair in chunk] for chunk in chunks]

    def run() -> Ends:
        torch.set_num_threads(task.cores)
        with torch.no_grad():
            nothing = tuple(torch.zeros_like(row) for row in start)
            rows = (start, nothing, nothing)
            for chunk in chunks:
                rows = compiled(rows, chunk)
        return {"final_point": torch.stack(rows[0]).cpu().numpy().T}

    with warnings.catch_warnings(action="ignore"):
        run()
    return run


def _times(task: Task) -> range:
    return range(1, task.steps + 1)


def _chunks(task: Task, items: list[Any]) -> list[list[Any]]:
    """The steps' numbers in groups that one compiled function takes; the rest one by one."""
    size = TOGETHER if task.dimension <= FEW_DIMENSIONS else 1
    whole = len(items) - len(items) % size
    groups = [items[i : i + size] for i in range(0, whole, size)]
    return groups + [[item] for item in items[whole:]]

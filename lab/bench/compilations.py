"""How many functions the lab compiles for a sweep of so many step sizes."""

from dataclasses import replace

import numpy as np

from lab.api import make_plan
from lab.engine import Engine
from lab.flow import Meter
from lab.peers.ours import contender_optimizer
from lab.peers.task import Task


def counted(task: Task, settings: int, backend: str) -> int:
    """Compilations of a small sweep over this many step sizes, from 16 starts."""
    rates = task.learning_rate * np.geomspace(0.1, 1.0, settings)
    meter = Meter()
    plan = make_plan(
        task.lab_loss,
        contender_optimizer(task, rates),
        task.starts[:16],
        replace(task.run, backend=backend),
    )
    for _ in Engine(plan, meter=meter).blocks():
        pass
    return meter.compilations

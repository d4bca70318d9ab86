"""The lab itself, timed as its peers are: starts drawn, lanes run, every end read on the host."""

from dataclasses import replace
from typing import Any

import numpy as np

from lab.api import make_plan
from lab.devices import local_devices
from lab.engine import Engine
from lab.errors import LabError
from lab.flow import Meter
from lab.optimizers import Optimizer, optimizer
from lab.peers.task import OPTIMIZERS, Contender, Ends, Task
from lab.plan import Plan

KEPT = ("final_point", "final_loss", "best_loss", "hit_step", "outcome")


def contender_optimizer(task: Task, learning_rate: Any = None) -> Optimizer:
    """The task's optimizer, at its learning rate or at these."""
    name, settings = OPTIMIZERS[task.optimizer]
    rate = task.learning_rate if learning_rate is None else learning_rate
    hyperparameters: dict[str, Any] = {"learning_rate": rate, **settings}
    return optimizer(name, **hyperparameters)


def plan_of(task: Task, backend: str) -> Plan:
    """The task as a plan of the lab."""
    run = replace(task.run, backend=backend)
    return make_plan(task.lab_loss, contender_optimizer(task), task.starts, run)


def reason_missing(task: Task, backend: str = "auto") -> str | None:
    """What the lab says against this backend for this task."""
    devices = local_devices()
    if task.platform != devices[0].platform or task.cores > len(devices):
        return f"JAX has {len(devices)} {devices[0].platform} devices"
    try:
        plan_of(task, backend)
    except LabError as error:
        return str(error)
    return None


def prepare(task: Task, backend: str = "auto") -> Contender:
    """Compile the task's programs by a first run."""
    devices = local_devices()
    used = devices[: task.cores] if task.platform == "cpu" else devices
    engine, ends = Engine(plan_of(task, backend), used, Meter()), dict[str, np.ndarray]()

    def run() -> Ends:
        return collected(engine, KEPT if task.recording else KEPT[:1], ends)

    run()
    return run


def collected(engine: Engine, names: tuple[str, ...], ends: dict[str, np.ndarray]) -> Ends:
    """These variables of every lane, settings before starts.

    Args:
        engine: runs them.
        names: of the variables.
        ends: arrays to put them into, made at the first run, as the peers in C keep theirs.
    """
    layout = engine.plan.layout
    for block, results in engine.blocks():
        region = layout.region(block)
        shape = [len(range(*part.indices(n))) for part, n in zip(region, layout.sizes, strict=True)]
        for name in names:
            values = results[name]
            own = values.shape[1:]
            if name not in ends:
                ends[name] = np.empty((*layout.sizes, *own), values.dtype)
            ends[name][region] = values.reshape(*shape, *own)
    return {
        name: a.reshape(layout.lanes, *a.shape[len(layout.sizes) :]) for name, a in ends.items()
    }

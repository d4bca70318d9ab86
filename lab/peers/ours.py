"""The lab itself, timed as its peers are: starts drawn, lanes run, every end read on the host."""

from dataclasses import fields, replace
from typing import Any

import numpy as np

from lab.api import make_plan
from lab.descent import Outcome
from lab.devices import local_devices
from lab.engine import Engine, Meter
from lab.errors import LabError
from lab.optimizers import Optimizer, optimizer
from lab.peers.task import OPTIMIZERS, Contender, Ends, Task
from lab.plan import Plan

KEPT = ("final_point", "final_loss", "best_loss", "hit_step", "outcome")


def contender_optimizer(task: Task, learning_rate: Any = None) -> Optimizer:
    """The task's optimizer, at its learning rate or at these."""
    name, settings = OPTIMIZERS[task.optimizer]
    rate = task.learning_rate if learning_rate is None else learning_rate
    return optimizer(name, learning_rate=rate, **settings)


def plan_of(task: Task, backend: str, **changes: Any) -> Plan:
    """The task as a plan of the lab; with nothing recorded, lanes are looked at only at the end."""
    bare = {} if task.recording else {"watch": False}
    known = {field.name for field in fields(task.run)}
    changes = {k: v for k, v in {**bare, **changes}.items() if k in known}
    run = replace(task.run, backend=backend, **changes)
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
    engine = Engine(plan_of(task, backend), used, Meter())

    def run() -> Ends:
        return collected(engine, KEPT if task.recording else KEPT[:1])

    run()
    return run


def collected(engine: Engine, names: tuple[str, ...]) -> Ends:
    """These variables of every lane, in the order of the starts."""
    layout, ends = engine.plan.layout, dict[str, np.ndarray]()
    for block, results in engine.blocks():
        place = layout.region(block)[-1]
        for name in names:
            values = results[name]
            if name not in ends:
                ends[name] = np.empty((layout.lanes, *values.shape[1:]), values.dtype)
            ends[name][place] = values
    assert "outcome" not in ends or np.all(ends["outcome"] != Outcome.RUNNING)
    return ends

"""What a config would run: lanes, steps, memory, time, backend, without running it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lab import builtin
from lab.backends import Choice
from lab.capacity import refuse_what_does_not_fit, size_text, stored, working
from lab.config import load
from lab.devices import local_devices, spread_over_cores
from lab.engine import Engine
from lab.experiment import load_experiment, told_of
from lab.flow import Meter
from lab.plan import Plan
from lab.progress import rate_text

HEADINGS = (
    "optimizer", "settings", "lanes", "steps", "blocks", "results", "expected", "backend",
)  # fmt: skip
WORDS = ("optimizer", "backend")

PROBE_SECONDS = 0.3
"""How long the step is tried, for each optimizer, to guess the time of a run."""


@dataclass(frozen=True)
class Forecast:
    """One optimizer's part of a run.

    Attributes:
        label: of the optimizer.
        plan: what it will run.
        compile: seconds that compiling took, for the trial.
        seconds: expected for the run, if no lane ends early.
    """

    label: str
    plan: Plan
    compile: float
    seconds: float

    @property
    def lane_steps(self) -> int:
        """The most lane-steps it can take."""
        return self.plan.layout.lanes * self.plan.run.steps


def forecast(config: str, overrides: Sequence[str] = (), smoke: bool = False) -> RenderableType:
    """A table of what the config would run; the time is measured on a few steps of it.

    Raises:
        LabError: for whatever is wrong with the config.
    """
    spread_over_cores()
    path = builtin.find_config(config)
    document = load(path, overrides, smoke, experiments=builtin.experiments())
    file = builtin.find_experiment(document.experiment, document.folder)
    experiment = load_experiment(file)
    with told_of(file):
        plans = experiment.plans(document.validate(experiment.Config))
    refuse_what_does_not_fit(plans, Path())
    parts = [_try(label, plan) for label, plan in plans.items()]
    return _view(path, parts) if parts else Text(f"{path} is valid; it runs no lanes")


def _try(label: str, plan: Plan) -> Forecast:
    """Compile, and take a few steps with one block a device, to see how long they take."""
    meter = Meter()
    engine = Engine(plan, meter=meter)
    lane_steps = engine.probe(PROBE_SECONDS)
    rate = lane_steps / max(meter.run, 1e-9)
    total = plan.layout.lanes * plan.run.steps
    return Forecast(label, plan, meter.compile, total / rate)


def _view(path: Path, parts: Sequence[Forecast]) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in WORDS else "right")
    for part in parts:
        layout = part.plan.layout
        table.add_row(
            Text(part.label),
            f"{layout.settings:,}",
            f"{layout.lanes:,}",
            f"{part.plan.run.steps:,}",
            f"{layout.blocks:,}",
            size_text(stored(part.plan)),
            f"{part.seconds:.1f} s",
            part.plan.choice.backend,
        )
    lanes = sum(part.plan.layout.lanes for part in parts)
    steps = sum(part.lane_steps for part in parts)
    seconds = sum(part.seconds for part in parts)
    compiling = sum(part.compile for part in parts)
    memory = max(working(part.plan) for part in parts)
    size = sum(stored(part.plan) for part in parts)
    lines = [
        f"{path} is valid",
        f"{lanes:,} lanes, {steps:,} lane-steps, {size_text(size)} of results, "
        f"at least {size_text(memory)} of memory",
        f"expected: about {seconds:.0f} s of running at {rate_text(steps / max(seconds, 1e-9))}, "
        f"after {compiling:.0f} s of compiling; less where lanes end early; figures not counted",
        *backends(parts),
        *(f"warning: {line}" for line in warnings_of(parts[0].plan)),
    ]
    return Group(table, *(Text(line) for line in lines))


def backends(parts: Sequence[Forecast]) -> list[str]:
    """Which backend runs which optimizers, and why; and on what."""
    chosen: dict[Choice, list[str]] = {}
    for part in parts:
        chosen.setdefault(part.plan.choice, []).append(part.label)
    devices = local_devices()
    where = f"{len(devices)} {devices[0].platform} device{'s' * (len(devices) > 1)}"
    return [
        *(f"backend {c.backend} for {', '.join(labels)}: {c.why}" for c, labels in chosen.items()),
        f"in blocks of {max(part.plan.layout.capacity for part in parts):,} lanes on {where}",
    ]


def warnings_of(plan: Plan) -> list[str]:
    """What is valid and yet unlikely to be meant."""
    finest = float(jnp.finfo(plan.dtype).eps) * max(1e-30, float(np.max(np.abs(plan.minimum))))
    return [
        f"run.targets: {target:g} above a minimum of {plan.minimum[0]:.4g} is less than "
        f'4 roundings of {plan.run.precision}; precision = "float64" would resolve it'
        for target in plan.run.targets
        if target < 4 * finest
    ]

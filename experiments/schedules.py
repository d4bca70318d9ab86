"""What does a schedule of learning rates do to a noisy descent, and what is warm-up for?"""

from collections.abc import Callable
from functools import partial
from typing import Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, losses, optimizer, plots, theory
from lab.api import make_plan
from lab.calculus.noise import noisy_bowl, taken_rates
from lab.calculus.rates import rates_by_formula
from lab.check import Check
from lab.descent import Outcome
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plan import Plan, Run
from lab.plots.text import number
from lab.record import Last
from lab.results import labels
from lab.table import Column, Table

WARMUP, CONSTANT = "warm-up", "no warm-up"
SIGMAS = 5.0
"""How many standard errors a measured mean may be from its closed form."""

LOOKS = 14
RATE_ERROR = 1e-7
"""optax works out some of its schedules in float32."""


class Warmup(config.Section):
    """Descents of the double well (x^2 - 1)^2 / 4 from a point where the full rate diverges."""

    start: config.Finite = Field(1.9, description="Where they begin.")
    rate: config.Positive = Field(0.9, description="The full rate, at most 2.")
    over: tuple[config.Count, ...] = Field((1, 2, 5, 10), description="Steps of the warm-ups.")
    steps: config.Count = Field(500, description="Updates of each.")


class Config(config.ExperimentConfig):
    """A noisy bowl, the schedules that go down it, and the warm-ups."""

    curvatures: tuple[config.Positive, ...] = Field(
        min_length=1, description="lambda of each axis."
    )
    noise: config.Positive = Field(description="Standard deviation of the gradient's noise.")
    start: config.Finite = Field(1.0, description="Every coordinate of the start.")
    steps: config.Count = Field(100, description="Updates of each chain.")
    chains: config.Side = Field(100_000, description="Chains of each schedule.")
    optimizers: config.OptimizersField
    warmup: Warmup = Warmup()

    @model_validator(mode="after")
    def _single(self) -> Self:
        swept = [label for label, each in self.optimizers.items() if each.swept]
        faults = [Fault(("optimizers", label), "one value each, no sweep") for label in swept]
        for label in {WARMUP, CONSTANT} & set(self.optimizers):
            faults.append(
                Fault(("optimizers", label), "is the label of the double well's descents")
            )
        if faults:
            raise SpecError(faults)
        return self


def plans(config: Config) -> dict[str, Plan]:
    """The chains of each schedule, a seed a chain; the warm-ups."""
    bowl = noisy_bowl(np.array(config.curvatures), config.noise)
    run = Run(
        steps=config.steps, seeds=config.chains, seed=config.seed, gradient_below=0.0,
        precision=config.precision, record=(Last(),), watch=False,
    )  # fmt: skip
    start = [[config.start] * len(config.curvatures)]
    made = {label: make_plan(bowl, o, start, run) for label, o in config.optimizers.items()}
    warm = config.warmup
    rise = {"schedule": "linear_schedule", "init_value": 0.0, "end_value": warm.rate}
    rise["transition_steps"] = list(warm.over)
    rates = {WARMUP: rise, CONSTANT: warm.rate}
    run = Run(steps=warm.steps, precision="float64")
    for label, rate in rates.items():
        sgd = optimizer("sgd", label, learning_rate=rate)
        made[label] = make_plan(losses.double_well(dimension=1), sgd, [[warm.start]], run)
    return made


def compute(config: Config, session: Session) -> None:
    """Rates and losses of every schedule; ways into the double well."""
    curvature = np.array(config.curvatures)
    at = np.unique(np.linspace(1, config.steps, LOOKS).astype(int))
    for label, plan in plans(config).items():
        engine = session.sweep(label, plan)
        if label in (WARMUP, CONSTANT):
            ids = np.zeros((len(config.warmup.over) if label == WARMUP else 1, 3), np.int32)
            ids[:, 0] = np.arange(len(ids))
            path = engine.replay(ids, range(min(16, config.warmup.steps + 1))).point[..., 0]
            session.save(f"_wells/{label}", xr.Dataset({"path": (("lane", "step"), path)}))
            continue
        rates = taken_rates(config.optimizers[label], config.steps)
        start = np.full(len(curvature), config.start)
        mean, variance = theory.noisy_descent(start, curvature, rates, config.noise)
        ids = np.zeros((config.chains, 3), np.int32)
        ids[:, 1] = np.arange(config.chains)
        seen = engine.replay(ids, at).point.astype(np.float64) ** 2 @ curvature / 2
        exact = (mean**2 + variance) @ curvature / 2
        data = {
            "rate": ("update", rates),
            "exact": ("step", exact),
            "loss": ("look", seen.mean(0)),
            "error": ("look", np.maximum(seen.std(0), 1e-4 * exact[at]) / config.chains**0.5),
            "at": ("look", at),
        }
        session.save(f"_schedules/{label}", xr.Dataset(data, attrs={"chains": config.chains}))


def schedules(data: xr.DataTree) -> dict[str, xr.Dataset]:
    """Rates and losses of each schedule, by label."""
    chosen = [label for label in labels(data) if label not in (WARMUP, CONSTANT)]
    return {label: data[f"_schedules/{label}"].to_dataset() for label in chosen}


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Rates against formulas, losses against closed forms, and who survives the double well."""
    made = []
    for label, found in schedules(data).items():
        node = config.optimizers[label].recipe.node
        formula = rates_by_formula(node.arguments["learning_rate"], config.steps)
        if formula is not None:
            off = float(np.abs(found.rate.values - formula).max())
            name = f"{label}: largest error of a rate"
            made.append(Check(name, 0, off, RATE_ERROR, "the schedule's formula"))
        exact = found.exact.values[found["at"].values]
        worst = float((np.abs(found.loss.values - exact) / found.error.values).max())
        name = f"{label}: mean loss on the way, in standard errors from theory"
        source = "E f = sum lambda (m^2 + v) / 2, by recursion"
        made.append(Check(name, 0, worst, SIGMAS, source, at_most=True))
    return made + _survivors(config.warmup, data)


def _survivors(warm: Warmup, data: xr.DataTree) -> list[Check]:
    """Each warm-up's end against the bound |x| <= sqrt(1 + 2 / eta) at the full rate."""
    bound = (1 + 2 / warm.rate) ** 0.5
    source = "bounded iff |x| <= sqrt(1 + 2/eta)"
    wells = [data[f"_wells/{label}"].to_dataset() for label in (WARMUP, CONSTANT)]
    ended = [data[label].to_dataset() for label in (WARMUP, CONSTANT)]
    paths = np.concatenate([well["path"].values for well in wells])
    outcomes = np.concatenate([each.outcome.values.ravel() for each in ended])
    made = []
    for over, path, outcome in zip([*warm.over, 0], paths, outcomes, strict=True):
        there = path[min(over, len(path) - 1)]  # the first point that the full rate moves
        expected = float(abs(there) > bound)
        name = f"double well, warm-up over {over} steps: diverged"
        made.append(Check(name, expected, float(outcome == Outcome.DIVERGED), 0, source))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a schedule."""
    columns = (
        Column("label", "schedule", "how the rate changes", ""),
        Column("first", "first rate", "rate of the first step", ".3g"),
        Column("last", "last rate", "rate of the last step", ".3g"),
        Column("loss", "mean loss", "mean over all chains at the end", ".5f"),
        Column("exact", "by theory", "the same by its closed form", ".5f"),
    )
    rows = [
        {
            "label": label,
            "first": float(found.rate[0]),
            "last": float(found.rate[-1]),
            "loss": float(found.loss[-1]),
            "exact": float(found.exact[-1]),
        }
        for label, found in schedules(data).items()
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Who ends lowest."""
    rows = sorted(summary(data).rows, key=lambda row: row["loss"])
    said = ", ".join(f"{row['label']} {row['loss']:.4f}" for row in rows)
    return f"Mean loss at the end: {said}."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Losses over rates; the double well."""
    wells = {label: data[f"_wells/{label}"].to_dataset() for label in (WARMUP, CONSTANT)}
    over = data[WARMUP].to_dataset()
    (axis,) = (name for name in over.outcome.dims if "transition_steps" in str(name))
    return {
        "learning_rate_schedules": partial(learning_rate_schedules, schedules(data)),
        "warm_up": partial(warm_up, wells, over[axis].values),
    }


def learning_rate_schedules(found: dict[str, xr.Dataset]) -> plots.Figure:
    """The mean loss of each schedule, and its rate under it."""
    above: list[plots.Mark] = []
    below: list[plots.Mark] = []
    for label, case in found.items():
        steps = np.arange(case.sizes["step"])
        every = max(1, len(steps) // 8)
        above.append(plots.Line(x=steps, y=case.exact.values, label=label, marked=every))
        below.append(plots.Line(x=steps[:-1], y=case.rate.values, label=label, marked=every))
    told = "; ".join(f"{name} {number(float(c.loss[-1]))}" for name, c in found.items())
    chains = next(iter(found.values())).attrs["chains"]
    return plots.chart(
        "A rate that falls to zero in time beats one that stays or falls too soon",
        [
            plots.Panel(above, "Loss", "", "mean loss", scales=("linear", "log")),
            plots.Panel(below, "Learning rate", "step", "rate"),
        ],
        grid=(2, 1),
        caption=f"Above: mean loss of {chains:,} noisy descents of one bowl, in closed form (the "
        "chains agree within their standard errors). Below: the rate of each step.",
        alt=f"Mean loss of each schedule, and its rate below. Mean loss at the end: {told}.",
    )


def warm_up(wells: dict[str, xr.Dataset], over: np.ndarray) -> plots.Figure:
    """Ways into the double well, with and without warm-up."""
    marks: list[plots.Mark] = []
    names = [f"over {int(count)} step{'s' if count > 1 else ''}" for count in over] + ["no warm-up"]
    paths = [*wells[WARMUP]["path"].values, *wells[CONSTANT]["path"].values]
    for name, path in zip(names, paths, strict=True):
        inside = np.where(np.abs(path) < 4, path, np.nan)
        marks.append(plots.Line(x=np.arange(len(path)), y=inside, label=name, marked=1, width=1.6))
    marks += [plots.Guide(y=1.0, label="minima"), plots.Guide(y=-1.0)]
    panel = plots.Panel(marks, "", "step", "x", ylim=(-2.6, 2.6))
    return plots.chart(
        "Warm-up saves a descent that the full rate would throw out",
        [panel],
        caption="Descents of (x² − 1)²/4 from one start; the rate rises linearly to the full one. "
        "Lines that leave the picture diverge.",
        alt=f"Paths of descents with warm-up over {', '.join(str(int(c)) for c in over)} steps and "
        "without; the last points are "
        + ", ".join(number(float(path[-1])) for path in paths) + ".",
    )  # fmt: skip

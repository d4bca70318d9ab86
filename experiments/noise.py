"""How far from the minimum does noise keep a descent, and what does a falling rate do about it?"""

from collections.abc import Callable
from functools import partial
from typing import Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots, theory
from lab.api import make_plan
from lab.calculus.noise import noisy_bowl, taken_rates
from lab.check import Check
from lab.engine import Engine
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.optimizers import optimizer
from lab.plan import Plan, Run
from lab.plots.text import number
from lab.record import Last
from lab.results import labels
from lab.table import Column, Table

SWEPT = "swept rates"
SIGMAS = 5.0
"""How many standard errors a measured moment may be from its closed form."""

CONTOURS = 101


class Config(config.ExperimentConfig):
    """A bowl, its noise, and the schedules that go down it."""

    curvatures: tuple[config.Positive, config.Positive] = Field(description="lambda of each axis.")
    noise: config.Positive = Field(1.0, description="Standard deviation of the gradient's noise.")
    start: tuple[config.Finite, config.Finite] = Field(description="Where every chain begins.")
    steps: config.Count = Field(200, description="Updates of each chain.")
    chains: config.Side = Field(1_000_000, description="Chains of each schedule.")
    watched: config.Side = Field(20_000, description="Chains that are looked at on their way.")
    optimizers: config.OptimizersField
    rates: config.SweepField = Field(description="Constant rates whose spread is measured.")
    rate_chains: config.Side = Field(100_000, description="Chains of each constant rate.")

    @model_validator(mode="after")
    def _stable(self) -> Self:
        limit = theory.stability_limit(max(self.curvatures))
        if not np.all((self.rates > 0) & (self.rates < limit)):
            message = f"every rate must lie above 0 and below 2 / {max(self.curvatures):g} = "
            raise SpecError([Fault(("rates",), f"{message}{limit:g}: beyond it nothing settles")])
        swept = [label for label, each in self.optimizers.items() if each.swept]
        faults = [Fault(("optimizers", label), "one value each, no sweep") for label in swept]
        if SWEPT in self.optimizers:
            faults.append(Fault(("optimizers", SWEPT), "is the label of the sweep over rates"))
        if self.watched > self.chains:
            faults.append(Fault(("watched",), f"must not exceed chains = {self.chains}"))
        if faults:
            raise SpecError(faults)
        return self


def plans(config: Config) -> dict[str, Plan]:
    """The chains of each schedule, and those of each constant rate; a seed is a chain."""
    loss = noisy_bowl(np.array(config.curvatures), config.noise)
    constant = optimizer("sgd", SWEPT, learning_rate=config.rates)
    wanted = {label: (each, config.chains) for label, each in config.optimizers.items()}
    wanted[SWEPT] = (constant, config.rate_chains)
    return {
        label: make_plan(loss, each, [config.start], _run(config, chains))
        for label, (each, chains) in wanted.items()
    }


def _run(config: Config, chains: int) -> Run:
    return Run(
        steps=config.steps,
        seeds=chains,
        gradient_below=0.0,  # noise may hide a gradient, but no chain is ever done
        seed=config.seed,
        precision=config.precision,
        record=(Last(),),
        watch=False,
    )


def compute(config: Config, session: Session) -> None:
    """All chains; then some of them again, with their ways."""
    curvature, start = np.array(config.curvatures), np.array(config.start)
    for label, plan in plans(config).items():
        engine = session.sweep(label, plan)
        points = session.group(label).final_point.isel(start=0).astype(np.float64)
        moments = {"mean": points.mean("seed"), "variance": points.var("seed", ddof=1)}
        if label == SWEPT:
            exact = theory.stationary_variance(curvature, config.rates[:, None], config.noise)
            moments["exact"] = (("learning_rate", "dim"), exact)
            session.save("_rates", xr.Dataset(moments, attrs={"chains": config.rate_chains}))
        else:
            rates = taken_rates(config.optimizers[label], config.steps)
            mean, variance = theory.noisy_descent(start, curvature, rates, config.noise)
            watched = _watched(engine, config.watched, config.steps)
            fine = {"exact_mean": mean, "exact_variance": variance}
            wide = {name: (("step", "dim"), array) for name, array in fine.items()}
            attrs = {"chains": config.chains}
            rate = {"rate": ("update", rates)}
            session.save(
                f"_moments/{label}", xr.Dataset(moments | wide | rate | watched, attrs=attrs)
            )
    session.save("_bowl", _bowl(config, session))


def _watched(engine: Engine, chains: int, steps: int) -> dict[str, tuple]:
    """The whole way of the first chain, and moments of many at some steps."""
    at = np.unique(np.geomspace(1, steps, 16).astype(int))
    ids = np.zeros((chains, 3), np.int32)
    ids[:, 1] = np.arange(chains)
    points = engine.replay(ids, at).point.astype(np.float64)
    return {
        "at": ("look", at),
        "distance": ("look", np.sum(points**2, axis=2).mean(axis=0)),
        "distance_error": ("look", np.sum(points**2, axis=2).std(axis=0) / chains**0.5),
        "path": (("step", "dim"), engine.replay(ids[:1]).point[0].astype(np.float64)),
    }


def _bowl(config: Config, session: Session) -> xr.Dataset:
    """The loss without noise, over a box about the start's way."""
    reach = 1.15 * np.max(np.abs(config.start))
    x, y = np.linspace(-reach, reach, CONTOURS), np.linspace(-reach, reach, CONTOURS) * 0.62
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    loss = session.batched(noisy_bowl(np.array(config.curvatures), 0.0), points)
    attrs = {"curvatures": list(config.curvatures), "noise": config.noise}
    return xr.Dataset({"loss": (("y", "x"), loss.reshape(len(y), len(x)))}, {"x": x, "y": y}, attrs)


def schedules(data: xr.DataTree) -> dict[str, xr.Dataset]:
    """The moments of each schedule, by label."""
    return {label: data[f"_moments/{label}"].to_dataset() for label in labels(data)[:-1]}


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Moments at the end and on the way, and the stationary variance of every constant rate."""
    made = []
    source = "x' = (1 - eta lambda) x - eta sigma e: variances add"
    for label, found in schedules(data).items():
        for axis, name in enumerate("xy"):
            variance = float(found.exact_variance[-1, axis])
            rate = float(found.rate[-1])
            if np.ptp(found.rate.values) < 1e-12:
                lam = config.curvatures[axis]
                variance = rate * config.noise**2 / (2 * lam - rate * lam**2)
            error = SIGMAS * variance * (2 / config.chains) ** 0.5
            told = f"{label}: variance of {name} after {config.steps} steps"
            made.append(Check(told, variance, float(found.variance[axis]), error, source))
            mean, error = (
                float(found.exact_mean[-1, axis]),
                SIGMAS * (variance / config.chains) ** 0.5,
            )
            told = f"{label}: mean of {name} after {config.steps} steps"
            made.append(Check(told, mean, float(found["mean"][axis]), error, source))
        exact = (found.exact_mean**2 + found.exact_variance).sum("dim").isel(step=found["at"])
        worst = float((np.abs(found.distance.values - exact.values) / found.distance_error).max())
        told = f"{label}: mean squared distance on the way, in standard errors from theory"
        made.append(Check(told, 0, worst, SIGMAS, source, at_most=True))
    swept = data["_rates"]
    off = np.abs(swept.variance / swept.exact - 1) / (2 / config.rate_chains) ** 0.5
    told = f"largest error of {off.size} stationary variances, in standard errors"
    formula = "eta sigma^2 / (2 lambda - eta lambda^2)"
    return [*made, Check(told, 0, float(off.max()), SIGMAS, formula, at_most=True)]


def summary(data: xr.DataTree) -> Table:
    """One row a schedule."""
    columns = (
        Column("label", "schedule", "how the rate falls", ""),
        Column("rate", "last rate", "rate of the last step", ".3g"),
        Column("mean", "mean x", "mean of x over all chains at the end", ".4f"),
        Column("x", "variance x", "variance of x over all chains at the end", ".6f"),
        Column("y", "variance y", "variance of y over all chains at the end", ".6f"),
        Column("distance", "E |x|²", "mean squared distance from the minimum at the end", ".6f"),
    )
    rows = [
        {
            "label": label,
            "rate": float(found.rate[-1]),
            "mean": float(found["mean"][0]),
            "x": float(found.variance[0]),
            "y": float(found.variance[1]),
            "distance": float((found["mean"] ** 2 + found.variance).sum()),
        }
        for label, found in schedules(data).items()
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Who ends closest."""
    rows = sorted(summary(data).rows, key=lambda row: row["distance"])
    said = ", ".join(f"{row['label']} {row['distance']:.3g}" for row in rows)
    return f"Mean squared distance from the minimum at the end, over all chains: {said}."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Paths and distances; the spread at each constant rate."""
    bowl = data["_bowl"].to_dataset()
    return {
        "sgd_noise": partial(sgd_noise, bowl, schedules(data)),
        "stationary_variance": partial(stationary, bowl, data["_rates"].to_dataset()),
    }


def sgd_noise(bowl: xr.Dataset, found: dict[str, xr.Dataset]) -> plots.Figure:
    """One chain of each schedule over the bowl, and the mean squared distance of all."""
    levels = np.geomspace(0.05, float(bowl.loss.max()), 10)
    paths: list[plots.Mark] = [
        plots.Contours(x=bowl.x.values, y=bowl.y.values, values=bowl.loss.values, levels=levels)
    ]
    distances: list[plots.Mark] = []
    for label, case in found.items():
        path = case.path.values
        paths.append(plots.Line(x=path[:, 0], y=path[:, 1], label=label, width=1.6))
        exact = (case.exact_mean**2 + case.exact_variance).sum("dim").values
        steps = np.arange(len(exact))
        distances.append(plots.Line(x=steps[1:], y=exact[1:], label=label))
        distances.append(plots.Points(x=case["at"].values, y=case.distance.values, label=label))
    paths.append(plots.Points(x=path[:1, 0], y=path[:1, 1], tone="text", marker="o"))
    told = "; ".join(f"{name} {number(float(c.distance[-1]))}" for name, c in found.items())
    chains = next(iter(found.values())).attrs["chains"]
    return plots.chart(
        "Noise keeps a constant rate away from the minimum",
        [
            plots.Panel(paths, "One chain of each", "x", "y", equal=True),
            plots.Panel(
                distances, "All chains", "step", "E (x² + y²)", scales=("log", "log"),
            ),
        ],
        caption="Left: contours of the loss and one chain a schedule, from the dot, with the same "
        "noise. Right: mean squared distance from the minimum; lines are the closed form, points "
        f"what some of the {chains:,} chains of each schedule show.",
        alt=f"Paths of noisy descents, and their mean squared distance at the end: {told}.",
    )  # fmt: skip


def stationary(bowl: xr.Dataset, swept: xr.Dataset) -> plots.Figure:
    """The variance along each axis against the constant rate."""
    fine = np.linspace(float(swept.learning_rate[0]), float(swept.learning_rate[-1]), 201)
    marks: list[plots.Mark] = []
    for axis, curvature in enumerate(bowl.attrs["curvatures"]):
        label = f"{'xy'[axis]}, curvature {curvature:g}"
        exact = theory.stationary_variance(np.full_like(fine, curvature), fine, bowl.attrs["noise"])
        marks.append(plots.Line(x=fine, y=exact, label=label))
        measured = swept.variance.values[:, axis]
        marks.append(plots.Points(x=swept.learning_rate.values, y=measured, label=label))
    limit = theory.stability_limit(max(bowl.attrs["curvatures"]))
    marks.append(plots.Guide(x=limit, label="stability limit 2/λ of the steeper axis"))
    ends = [number(float(v)) for v in swept.variance.values[-1]]
    panel = plots.Panel(
        marks,
        "",
        "constant learning rate η",
        "variance about the minimum",
        scales=("linear", "log"),
    )
    return plots.chart(
        "The spread grows with the rate, and without bound at the stability limit",
        [panel],
        caption=f"A point is the variance of {swept.attrs['chains']:,} chains after the last step; "
        "lines are η σ² / (2λ − ηλ²).",
        alt="Variance against the constant rate. At the largest rate measured it is "
        f"{ends[0]} along x and {ends[1]} along y.",
    )

"""Where in a valley does gradient descent end, and how does its rate decide?"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, losses, optimizer, plots, starts
from lab.api import make_plan
from lab.calculus.modified import flow, log_slope
from lab.check import Check
from lab.descent import Outcome
from lab.engine import Engine
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.losses import Loss
from lab.plan import Plan, Run
from lab.plots.text import number
from lab.table import Column, Table

GD = "gradient descent"
CONTOURS = 161


class Config(config.ExperimentConfig):
    """The valley (u v - y)^2 / 2, the rates, and a box of starts on one side of it."""

    precision: Literal["float64"] = "float64"
    target: config.Positive = Field(1.0, description="y: the valley's floor is u v = y.")
    low: tuple[config.Positive, config.Positive] = Field(description="Lower corner of the starts.")
    high: tuple[config.Positive, config.Positive] = Field(description="Upper corner.")
    count: config.Side = Field(1024, description="Starts.")
    rates: config.SweepField = Field(description="Learning rates, rising.")
    fitted: config.Positive = Field(0.02, description="Slopes are fitted to rates up to this.")
    time: config.Positive = Field(12.0, description="How long the flows go on: steps times rate.")
    flow_steps: config.Count = Field(6000, description="Runge-Kutta steps of a flow.")
    shown: tuple[config.Finite, config.Finite] = Field(description="The start that is drawn.")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        faults = []
        if not np.all(np.diff(self.rates, prepend=0.0) > 0):
            faults.append(Fault(("rates",), "must rise, and be above 0"))
        elif np.sum(self.rates <= self.fitted) < 3:
            message = f"must hold at least 3 rates up to fitted = {self.fitted:g}"
            faults.append(Fault(("rates",), message))
        if self.low[0] * self.low[1] <= self.target or self.low[0] <= self.high[1]:
            message = "u v must be above target, and every u above every v, in the whole box"
            faults.append(Fault(("low",), message))
        if faults:
            raise SpecError(faults)
        return self

    @property
    def loss(self) -> Loss:
        """The valley."""
        return losses.scalar_factorisation(y=self.target)


def plans(config: Config) -> dict[str, Plan]:
    """Every rate from every start, until nothing moves."""
    run = Run(
        steps=math.ceil(1.2 * config.time / float(config.rates[0])),
        gradient_below=1e-12,
        seed=config.seed,
        precision=config.precision,
    )
    box = starts.uniform(config.low, config.high, config.count)
    return {GD: make_plan(config.loss, optimizer("sgd", learning_rate=config.rates), box, run)}


def compute(config: Config, session: Session) -> None:
    """Ends of descents and of flows from the same starts, and the ways from one of them."""
    plan = plans(config)[GD]
    engine = session.sweep(GD, plan)
    found = session.group(GD)
    ids = np.zeros((config.count, 3), np.int32)
    ids[:, 2] = np.arange(config.count)
    first = engine.replay(ids, [0]).point[:, 0]
    rates = np.asarray(config.rates)
    pairs = [np.tile(first, (len(rates), 1)), np.repeat(rates, config.count)]
    end = partial(flow, config.loss, time=config.time, steps=config.flow_steps)
    bent = session.batched(end, *pairs).reshape(len(rates), config.count, 2)
    plain = session.batched(end, first, np.zeros(config.count))
    ends = found.final_point.values
    off = {
        "flow": np.linalg.norm(ends - plain, axis=-1),
        "modified": np.linalg.norm(ends - bent, axis=-1),
    }
    few = rates <= config.fitted
    lanes = {
        f"{name}_slope": ("start", session.batched(log_slope, *_rows(rates[few], d[few])))
        for name, d in off.items()
    }
    data: dict[str, Any] = {name: (("learning_rate", "start"), d) for name, d in off.items()}
    data |= lanes | {
        "first": (("start", "dim"), first),
        "flow_end": (("start", "dim"), plain),
        "sharpness": (("learning_rate", "start"), np.sum(ends**2, axis=-1)),
    }
    session.save("_ends", xr.Dataset(data, {"learning_rate": rates}))
    session.save("_shown", _shown(config, session, engine))


def _rows(rates: np.ndarray, deviations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One row a start: the rates, and its deviations."""
    return np.tile(rates, (deviations.shape[1], 1)), deviations.T.copy()


def _shown(config: Config, session: Session, engine: Engine) -> xr.Dataset:
    """The ways of the smallest and the largest rate over the loss."""
    chosen = np.array([0, len(config.rates) - 1], np.int32)
    ids = np.stack([chosen, 0 * chosen, 0 * chosen], axis=1)
    walked = engine.elsewhere(starts.points([config.shown])).replay(ids).point
    reach = 1.12 * max(config.shown)
    side = np.linspace(0.02, reach, CONTOURS)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    loss = session.batched(config.loss, grid).reshape(CONTOURS, CONTOURS)
    return xr.Dataset(
        {"path": (("lane", "step", "dim"), walked), "loss": (("v", "u"), loss)},
        {"rate": ("lane", config.rates[chosen]), "u": side, "v": side},
        {"target": config.target},
    )


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Powers of the deviations, what each step keeps of u^2 - v^2, and that all came to rest."""
    ends, shown = data["_ends"].to_dataset(), data["_shown"].to_dataset()
    source = "Barrett & Dherin 2021: f + eta/4 |grad f|^2"
    path, rate = shown.path.values, shown.rate.values[:, None]
    gap, r = path[..., 0] ** 2 - path[..., 1] ** 2, path[..., 0] * path[..., 1] - config.target
    kept = gap[:, 1:] - gap[:, :-1] * (1 - rate**2 * r[:, :-1] ** 2)
    moved = np.any(path[:, 1:] != path[:, :-1], axis=-1)
    first, last = ends["first"].values ** 2, ends.flow_end.values**2
    conserved = np.abs((first - last)[:, 0] - (first - last)[:, 1]).max()
    flatter = ends.sharpness.isel(learning_rate=-1) - ends.sharpness.isel(learning_rate=0)
    ended = float((data[GD].outcome != Outcome.CONVERGED).sum())
    return [
        Check("lanes that did not come to rest", 0, ended, 0, "every rate is below 2 / sharpness"),
        Check(
            "median power of eta in the distance from the end of the flow of f",
            1, float(ends.flow_slope.median()), 0.05, source,
        ),
        Check(
            "median power of eta in the distance from the end of the modified flow",
            2, float(ends.modified_slope.median()), 0.1, source,
        ),
        Check(
            "largest error of u^2 - v^2 after a step, from (1 - eta^2 r^2) times that before",
            0, float(np.abs(kept[moved]).max()), 1e-13, "(u - eta r v)^2 - (v - eta r u)^2",
        ),
        Check("largest change of u^2 - v^2 along the flow of f", 0, float(conserved), 1e-8,
              "u u' = v v' along the flow"),
        Check("largest rise of sharpness from the smallest rate to the largest", 0,
              float(flatter.max()), 0, "|u^2 - v^2| shrinks, uv is given", at_most=True),
    ]  # fmt: skip


def summary(data: xr.DataTree) -> Table:
    """One row a rate."""
    columns = (
        Column("rate", "learning rate", "eta", ".4g"),
        Column("flow", "from the flow", "median distance from the end of the flow of f", ".3e"),
        Column("modified", "from the modified", "the same from that of the modified loss", ".3e"),
        Column("sharpness", "sharpness", "median largest curvature at the end", ".4f"),
    )
    ends = data["_ends"].to_dataset()
    middle = ends[["flow", "modified", "sharpness"]].median("start")
    rows = [
        {"rate": float(rate)} | {str(name): float(middle[name][i]) for name in middle}
        for i, rate in enumerate(ends.learning_rate.values)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Where rates end, and how well it is foretold."""
    ends, rows = data["_ends"], summary(data).rows
    return (
        f"The end moves away from the flow's as the rate to the power "
        f"{float(ends.flow_slope.median()):.3f}, and from the modified flow's as its power "
        f"{float(ends.modified_slope.median()):.3f}; the median sharpness falls from "
        f"{rows[0]['sharpness']:.3f} to {rows[-1]['sharpness']:.3f}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Ways through the valley, and deviations against the rate."""
    ends, shown = data["_ends"].to_dataset(), data["_shown"].to_dataset()
    return {"implicit_regularisation": partial(implicit_regularisation, ends, shown)}


def implicit_regularisation(ends: xr.Dataset, shown: xr.Dataset) -> plots.Figure:
    """Two ways that end apart, and how far ends are from those of the two flows."""
    u, target = shown.u.values, shown.attrs["target"]
    levels = np.geomspace(0.02, float(shown.loss.max()), 9)
    marks: list[plots.Mark] = [
        plots.Contours(x=u, y=u, values=shown.loss.values, levels=levels),
        plots.Line(x=u, y=np.where(u > target / u[-1], target / u, np.nan), tone="muted",
                   dashes=(0, (1, 1.5)), label="minima, uv = y"),
    ]  # fmt: skip
    for rate, path in zip(shown.rate.values, shown.path.values, strict=True):
        label = f"rate {number(rate)}"
        marks.append(
            plots.Line(x=path[:, 0], y=path[:, 1], label=label, marked=1 if rate > 0.02 else 0)
        )
        marks.append(plots.Points(x=path[-1:, 0], y=path[-1:, 1], label=label))
    rates, deviations = ends.learning_rate.values, []
    for name, label in (("flow", "from the flow of f"), ("modified", "from the modified flow")):
        low, middle, high = np.quantile(ends[name].values, [0.1, 0.5, 0.9], axis=1)
        deviations.append(plots.Line(x=rates, y=middle, band=(low, high), label=label, marked=1))
    slopes = [number(float(ends[f"{name}_slope"].median())) for name in ("flow", "modified")]
    note = f"slopes {slopes[0]} and {slopes[1]}"
    return plots.chart(
        "Larger rates end where the valley is flatter",
        [
            plots.Panel(marks, "Two rates, one start", "u", "v", equal=True,
                        xlim=(u[0], u[-1]), ylim=(u[0], u[-1])),
            plots.Panel(deviations, "How far ends are apart", "learning rate η",
                        "distance between ends", scales=("log", "log"), note=note),
        ],
        caption="Left: descents of (uv − y)²/2 from one start to the curve of minima. Right: "
        f"median distance, over {ends.sizes['start']:,} starts, of the end of gradient descent "
        "from the end of the gradient flow of f and of f + η/4 |∇f|²; bands hold 80 %.",
        alt="Paths of two learning rates into a curved valley, which end apart, and the distance "
        f"of ends from those of two flows against the rate: slopes {slopes[0]} and {slopes[1]}.",
    )  # fmt: skip

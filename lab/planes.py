"""Gradient descent of a function of one number over the plane of learning rates and starts.

What the experiments with such planes share: their config, the sweep of the plane, a few chosen
lanes with their paths, and the curve itself.
"""

from typing import Annotated, Self

import jax
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, optimizers, plots, proofs, starts
from lab.api import make_plan
from lab.descent import Outcome
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.losses import Loss
from lab.plan import Plan, Run
from lab.record import Last

Pair = tuple[config.Positive, config.Finite]
SETTLED = 0.01
"""A minimum can still be reached at rates at which this share of the starts converge to it."""


class PlaneConfig(config.ExperimentConfig):
    """A loss of one variable, rates, starts, and the lanes that are followed."""

    loss: config.LossField
    starts: config.StartsField
    rates: config.SweepField = Field(description="Learning rates, increasing.")
    run: config.MovingSection = config.MovingSection()
    lanes: Annotated[tuple[Pair, ...], Field(min_length=1, max_length=8)] = Field(
        description="Learning rate and start of the lanes that are followed."
    )
    followed: config.Count = Field(25, description="Steps that they are followed for.")
    window: tuple[config.Finite, config.Finite] = Field(description="Ends of the drawn curve.")
    points: config.Side = Field(401, description="Points of the drawn curve.")

    @model_validator(mode="after")
    def _of_one_variable(self) -> Self:
        faults = []
        if self.loss.dimension != 1 or self.loss.swept:
            faults.append(Fault(("loss",), "must be one loss of one variable"))
        if self.starts.kind != "grid" or self.starts.dimension != 1 or self.starts.count < 2:
            faults.append(Fault(("starts",), "must be a grid along one coordinate"))
        if len(self.rates) < 2 or np.any(np.diff(self.rates) <= 0) or self.rates[0] < 0:
            faults.append(Fault(("rates",), "must be two or more increasing numbers from 0 on"))
        if self.window[0] >= self.window[1]:
            faults.append(Fault(("window",), "the low end must be below the high end"))
        if faults:
            raise SpecError(faults)
        return self


def plans(config: PlaneConfig) -> dict[str, Plan]:
    """The plane; and the chosen lanes, for their first steps."""
    given = config.run.model_dump() | {"seed": config.seed, "precision": config.precision}
    given["record"] = (Last(),)
    rates, begin = (list(column) for column in zip(*config.lanes, strict=True))
    chosen = given | {"steps": config.followed}
    return {
        "plane": _plan(config.loss, config.rates, config.starts, Run(**given)),
        "chosen": _plan(config.loss, rates, starts.points([[x] for x in begin]), Run(**chosen)),
    }


def _plan(loss: Loss, rates: object, begin: starts.Starts, run: Run) -> Plan:
    return make_plan(loss, optimizers.optimizer("sgd", learning_rate=rates), begin, run)


def compute(config: PlaneConfig, session: Session) -> None:
    """Sweep the plane; follow the chosen lanes; keep the curve, its minima and the starts."""
    made = plans(config)
    engines = {label: session.sweep(label, plan) for label, plan in made.items()}
    own = np.arange(len(config.lanes), dtype=np.int32)
    ids = np.stack([own, np.zeros_like(own), own], 1)
    walked, ended = engines["chosen"].replay(ids), engines["chosen"].lanes(ids)
    rate, start = np.array(config.lanes).T
    session.save(
        "_lanes",
        xr.Dataset(
            {
                "x": (("lane", "step"), walked.point[..., 0]),
                "loss": (("lane", "step"), walked.loss),
                "steps": ("lane", ended["steps"]),
                "outcome": ("lane", ended["outcome"]),
                "rate": ("lane", rate),
                "start": ("lane", start),
            }
        ),
    )
    x = np.linspace(*config.window, config.points)
    f = made["plane"].losses(x[:, None])
    minima = minima_of(config.loss, x, f)
    curve = {
        "f": ("x", f),
        "minimum": minima,
        "curvature": ("minimum", curvature(config.loss, minima)),
    }
    low, high = config.starts.low, config.starts.high
    assert low is not None and high is not None
    begin = np.linspace(float(low[0]), float(high[0]), config.starts.count)
    session.save("_curve", xr.Dataset(curve, {"x": x, "begin": begin}))


def minima_of(loss: Loss, x: np.ndarray, f: np.ndarray) -> np.ndarray:
    """The minima between the ends of a curve: by Newton's method from the dips of its points."""
    dips = x[1:-1][(f[1:-1] < f[:-2]) & (f[1:-1] <= f[2:])]
    settle = proofs.newton(loss)
    return np.array([float(settle(np.array([dip]))[0]) for dip in dips])


def curvature(loss: Loss, at: np.ndarray) -> np.ndarray:
    """The second derivative at these points."""
    with jax.enable_x64(True):
        second = jax.vmap(jax.hessian(loss))(np.asarray(at, np.float64)[:, None])
        return np.asarray(second)[:, 0, 0]


def settled(data: xr.DataTree) -> np.ndarray:
    """The minimum at which each lane of the plane converged, -1 for none: (rate, start)."""
    plane, minima = data["plane"], data["_curve"].minimum.values
    last = plane.final_point.values[..., 0]
    away = np.abs(last[..., None] - minima)
    near = np.where(away.min(-1) < 1e-2, away.argmin(-1), -1)
    return np.where(plane.outcome.values == Outcome.CONVERGED, near, -1)


def largest_rates(data: xr.DataTree) -> np.ndarray:
    """For each minimum, the largest rate at which a hundredth of the starts converge to it."""
    found, rates = settled(data), data["plane"].learning_rate.values
    shares = [(found == i).mean(1) for i in range(data["_curve"].sizes["minimum"])]
    return np.array([rates[share >= SETTLED].max(initial=0) for share in shares])


def path(data: xr.DataTree, lane: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and losses of a followed lane, up to its end."""
    one = data["_lanes"].isel(lane=lane)
    taken = int(one.steps) + 1
    return one.x.values[:taken], one.loss.values[:taken]


def said(data: xr.DataTree, lane: int) -> str:
    """How a followed lane ended, in words."""
    one = data["_lanes"].isel(lane=lane)
    if int(one.outcome) == Outcome.LEFT_DOMAIN:
        return f"leaves the domain at step {int(one.steps)}"
    return f"x = {float(one.x[-1]):.4g} after {int(one.steps)} steps"


def curve_panel(data: xr.DataTree, lane: int, **about: object) -> plots.Panel:
    """A followed lane on its curve: a marker a step, a ring at the start."""
    curve, one = data["_curve"].to_dataset(), data["_lanes"].isel(lane=lane)
    x, loss = path(data, lane)
    marks = [
        plots.Line(x=curve.x.values, y=curve.f.values, tone="muted", width=2.0),
        plots.Line(x=x, y=loss, tone=0, marked=1, width=1.4),
        plots.Points(x=x[0], y=loss[0], tone="text", marker="o", hollow=True),
    ]
    title = f"rate {float(one.rate):g} from {float(one.start):g}"
    return plots.Panel(marks, title=title, note=said(data, lane), x="x", y="f(x)", **about)  # type: ignore[arg-type]

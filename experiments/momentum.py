"""How fast does momentum go down a valley, at every learning rate and momentum?"""

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import jax
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, optimizers, plots, starts, theory
from lab.api import make_plan
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plan import Plan, Run
from lab.plots.text import number
from lab.plots.valley import rate_plane, valley_paths
from lab.record import Last, Snapshots
from lab.table import Column, Table

POINTS = 121
"""Points along each side of the valley's picture."""


class Config(config.ExperimentConfig):
    """A quadratic, the optimizers whose paths are drawn, and the plane of rates and momenta."""

    loss: config.LossField
    start: tuple[config.Finite, config.Finite] = Field(description="Where all runs begin.")
    steps: config.Count = Field(20, description="Steps of the paths.")
    optimizers: config.OptimizersField
    rates: config.SweepField = Field(description="Learning rates of the plane, increasing.")
    momenta: config.SweepField = Field(description="Momenta of the plane, increasing.")
    plane_steps: config.Count = Field(300, ge=8, description="Steps that a rate is measured over.")
    window: tuple[config.Positive, config.Positive] = Field(
        (6.0, 3.0), description="What is drawn."
    )

    @model_validator(mode="after")
    def _a_quadratic(self) -> Self:
        faults = []
        if self.loss.dimension != 2 or self.loss.swept:
            faults.append(Fault(("loss",), "must be one loss of two variables"))
        elif not np.allclose(curvature(self.loss, (0.0, 0.0)), curvature(self.loss, self.start)):
            faults.append(Fault(("loss",), "must be a quadratic: its curvature changes"))
        for name in ("rates", "momenta"):
            values = getattr(self, name)
            if len(values) < 2 or np.any(np.diff(values) <= 0) or values[0] < 0:
                faults.append(Fault((name,), "must be two or more increasing numbers from 0 on"))
        if faults:
            raise SpecError(faults)
        return self


def curvature(loss: Callable, at: tuple[float, float]) -> np.ndarray:
    """The eigenvalues of the Hessian at a point, increasing."""
    with jax.enable_x64(True):
        return np.linalg.eigvalsh(np.asarray(jax.hessian(loss)(np.array(at, np.float64))))


def plans(config: Config) -> dict[str, Plan]:
    """The paths of each optimizer; the plane, looked at twice, at two steps in a row each time."""
    begin, exact = starts.points([config.start]), {"precision": "float64", "gradient_below": 0.0}
    path = Run(steps=config.steps, watch=False, record=(Last(),), **exact)  # type: ignore[arg-type]
    made = {
        label: make_plan(config.loss, optimizer, begin, path)
        for label, optimizer in config.optimizers.items()
    }
    ball = optimizers.optimizer("sgd", momentum=config.momenta, learning_rate=config.rates)
    half, last = config.plane_steps // 2, config.plane_steps
    seen = (Snapshots((half, half + 1, last - 1, last)),)
    plane = Run(steps=last, diverged_above=1e300, record=seen, **exact)  # type: ignore[arg-type]
    return made | {"plane": make_plan(config.loss, ball, begin, plane)}


def compute(config: Config, session: Session) -> None:
    """The paths, the rate measured at each place of the plane, and the valley to draw."""
    made = plans(config)
    for label, plan in made.items():
        engine = session.sweep(label, plan)
        if label != "plane":
            session.save(f"_paths/{label}", _paths(plan, engine))
    plane = session.group("plane")
    low, high = curvature(config.loss, config.start)
    rate = measured_rate(plane).assign_attrs(low=float(low), high=float(high))
    session.save("_rate", xr.Dataset({"rate": rate.astype(np.float32)}, attrs=rate.attrs))
    x, y = (np.linspace(-end, end, POINTS) for end in config.window)
    points = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    values = made["plane"].losses(points).reshape(POINTS, POINTS)
    session.save("_valley", xr.Dataset({"loss": (("y", "x"), values)}, {"x": x, "y": y}))


def _paths(plan: Plan, engine) -> xr.Dataset:  # type: ignore[no-untyped-def]
    """Every setting's whole path."""
    ids = np.zeros((plan.layout.lanes, 3), np.int32)
    ids[:, 0] = np.arange(len(ids))
    walked = engine.replay(ids)
    said = [_setting(plan, setting) for setting in range(len(ids))]
    return xr.Dataset(
        {
            "point": (("setting", "step", "dim"), walked.point),
            "loss": (("setting", "step"), walked.loss),
        },
        attrs={"settings": said, "rates": [float(r) for r in plan.axes.get("learning_rate", [])]},
    )


def _setting(plan: Plan, setting: int) -> str:
    """`0.4`: the values of what is swept."""
    index = np.unravel_index(setting, plan.sizes) if plan.axes else ()
    return ", ".join(number(values[i]) for values, i in zip(plan.axes.values(), index, strict=True))


def measured_rate(plane: xr.Dataset) -> xr.DataArray:
    """By what factor the distance from the origin, at two steps in a row, shrinks a step."""
    first, after, before, last = (plane.snapshot_point.isel(start=0, snapshot=i) for i in range(4))
    sizes = [
        np.sqrt((a**2).sum("dim") + (b**2).sum("dim")) for a, b in ((first, after), (before, last))
    ]
    steps = int(plane.snapshot[2]) - int(plane.snapshot[0])
    return (sizes[1] / sizes[0]) ** (1 / steps)


def predicted_rate(rate: xr.DataArray, low: float, high: float) -> xr.DataArray:
    """The spectral radius: of the slower of the two eigencomponents."""
    eta, beta = rate.learning_rate, rate.momentum
    found = [theory.heavy_ball_rate(curve, eta, beta) for curve in (low, high)]  # type: ignore[arg-type]
    return np.maximum(*found).transpose(*rate.dims)


def edge(rate: xr.DataArray) -> np.ndarray:
    """For each momentum, the largest learning rate at which the error still shrank."""
    shrinks = (rate < 1).values
    return np.array([rate.learning_rate.values[row].max(initial=0) for row in shrinks])


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Rates against the spectral radius, the edge and the best place against closed forms."""
    rate = data["_rate"].rate
    low, high = (data["_rate"].attrs[key] for key in ("low", "high"))
    error = np.abs(rate / predicted_rate(rate, low, high) - 1).values
    goh = "spectral radius of the step (Polyak 1964; Goh 2017, corrected)"
    name = "relative error of the measured rate"
    made = [
        Check(f"{name}, 99 of 100 places", 0, float(np.quantile(error, 0.99)), 0.01, goh),
        Check(f"{name}, the worst place", 0, float(error.max()), 0.05, goh),
    ]
    return [*made, *_plane_checks(rate, low, high), *_path_checks(config, data)]


def _plane_checks(rate: xr.DataArray, low: float, high: float) -> list[Check]:
    eta, beta = rate.learning_rate.values, rate.momentum.values
    limit = np.array([theory.stability_limit(high, each) for each in beta])
    kept = limit < eta[-1]
    off = float(np.abs(edge(rate) - limit)[kept].max(initial=0))
    polyak = "Polyak, USSR Computational Mathematics 4, 1964"
    spacing = [float(np.diff(values).max()) for values in (eta, beta)]
    best = theory.best_heavy_ball(low, high)
    place = rate.argmin(...)
    found = [
        float(rate.learning_rate[place["learning_rate"]]),
        float(rate.momentum[place["momentum"]]),
    ]
    return [
        Check("largest error of the edge 2 (1 + beta) / lambda", 0, off, 1.5 * spacing[0], polyak),
        Check("fastest learning rate", best[0], found[0], max(0.05, 2 * spacing[0]), polyak),
        Check("fastest momentum", best[1], found[1], max(0.05, 2 * spacing[1]), polyak),
        Check("its rate", best[2], float(rate.min()), max(0.015, spacing[1]), polyak),
    ]


def _path_checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Plain gradient descent against its closed form, in the loss's own axes."""
    if "gradient descent" not in data["_paths"].children:
        return []
    walked = data["_paths/gradient descent"].to_dataset()
    with jax.enable_x64(True):
        values, axes = np.linalg.eigh(np.asarray(jax.hessian(config.loss)(np.array(config.start))))
    rates = np.asarray(walked.attrs["rates"], float)[:, None]
    exact = theory.quadratic_descent(np.array(config.start) @ axes, values, rates, config.steps)
    error = np.abs(walked.point.values[:, -1] @ axes - exact) / np.maximum(1, np.abs(exact))
    source = "closed form x_k = (1 - eta lambda)^k x_0"
    name = f"largest relative error of gradient descent after {config.steps} steps"
    return [Check(name, 0, float(error.max()), 1e-12, source)]


def summary(data: xr.DataTree) -> Table:
    """One row a path."""
    columns = (
        Column("optimizer", "optimizer", "its label", ""),
        Column("setting", "setting", "the values that differ", ""),
        Column("loss", "last loss", "after the steps of the path", ".3g"),
    )
    rows = [
        {"optimizer": label, "setting": each.attrs["setting"], "loss": float(each.loss[-1])}
        for label, each in _each(data)
    ]
    return Table(columns, tuple(rows))


def _each(data: xr.DataTree) -> list[tuple[str, xr.Dataset]]:
    """Label and path of every setting, in the config's order."""
    names = [name for name in data.children if name in data["_paths"].children]
    found = {name: data[f"_paths/{name}"].to_dataset() for name in names}
    return [
        (name, one.isel(setting=i).assign_attrs(setting=setting))
        for name, one in found.items()
        for i, setting in enumerate(one.attrs["settings"])
    ]


def verdict(data: xr.DataTree) -> str:
    """Where momentum is fastest, and what that gains."""
    rate = data["_rate"].rate
    place, plain = rate.argmin(...), float(rate.isel(momentum=0).min())
    eta, beta = rate.learning_rate[place["learning_rate"]], rate.momentum[place["momentum"]]
    return (
        f"The heavy ball is fastest at rate {float(eta):.3f} and momentum {float(beta):.3f}: each "
        f"step leaves {float(rate.min()):.3f} of the error, where the lowest momentum leaves "
        f"{plain:.3f} at best."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The paths down the valley, and the plane of rates."""
    rate = data["_rate"].rate
    low, high = (data["_rate"].attrs[key] for key in ("low", "high"))
    made: dict[str, Any] = {
        "predicted": predicted_rate(rate, low, high).values,
        "limit": np.array([theory.stability_limit(high, beta) for beta in rate.momentum.values]),
        "best": theory.best_heavy_ball(low, high),
    }
    return {
        "momentum_valley": partial(valley_paths, data["_valley"].to_dataset(), _each(data)),
        "momentum_plane": partial(rate_plane, rate, **made),
    }

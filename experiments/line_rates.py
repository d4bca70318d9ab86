"""What does each learning rate make of a parabola, and is that what the closed form says?"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import xarray as xr

from lab import planes, plots, theory
from lab.check import Check
from lab.experiment import Session
from lab.planes import PlaneConfig, plans
from lab.plots.text import number
from lab.table import Column, Table

__all__ = ["plans"]


class Config(PlaneConfig):
    """A parabola, rates and starts."""

    precision: Literal["float64"] = "float64"


def compute(config: Config, session: Session) -> None:
    """The plane, and the chosen lanes."""
    planes.compute(config, session)


def closed(data: xr.DataTree) -> np.ndarray:
    """(1 - eta f'')^k (x_0 - m) + m at every place of the plane: (rate, start)."""
    curve, plane = data["_curve"], data["plane"]
    at, curvature = float(curve.minimum[0]), float(curve.curvature[0])
    rate, steps = plane.learning_rate.values[:, None], int(plane.attrs["steps_budget"])
    return at + theory.quadratic_descent(curve.begin.values - at, curvature, rate, steps)  # type: ignore[arg-type]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Every lane against the closed form; the largest rate that shrinks the distance."""
    curve, plane = data["_curve"], data["plane"]
    at, curvature = float(curve.minimum[0]), float(curve.curvature[0])
    rate, steps = plane.learning_rate.values, config.run.steps
    begin, last = curve.begin.values - at, plane.final_point.values[..., 0]
    grown = np.maximum(1, np.abs(1 - rate * curvature))[:, None] ** steps
    error = np.abs(last - closed(data)) / (grown * np.maximum(np.abs(begin), 1e-300))
    formula = "closed form x_k = (1 - eta f'')^k x_0"
    shrinks = np.abs(last - at).max(1) < np.abs(begin).max()
    limit, spacing = float(theory.stability_limit(curvature)), float(np.diff(rate).max())
    tolerance = 8 * steps * float(np.finfo(float).eps)
    name = f"largest error of {error.size} lanes after {steps} steps, over their scale"
    followed = max(_followed_error(data, lane) for lane in range(len(config.lanes)))
    return [
        Check("the minimum", 0.0, at, 1e-12, "x^2 is never negative"),
        Check(name, 0, float(error.max()), tolerance, formula, at_most=True),
        Check("largest error of the followed lanes, likewise", 0, followed, tolerance, formula),
        Check("largest rate that shrinks", limit, float(rate[shrinks].max()), spacing, "2 / f''"),
    ]


def _followed_error(data: xr.DataTree, lane: int) -> float:
    """The largest error of a whole path, over the larger of its start and its end."""
    one, curvature = data["_lanes"].isel(lane=lane), float(data["_curve"].curvature[0])
    x, k = one.x.values, np.arange(one.sizes["step"])
    exact = theory.quadratic_descent(x[0], curvature, float(one.rate), k)  # type: ignore[arg-type]
    return float((np.abs(x - exact) / np.maximum(np.abs(x[0]), np.abs(exact))).max())


def summary(data: xr.DataTree) -> Table:
    """One row a followed lane."""
    columns = (
        Column("rate", "rate", "the learning rate", ".3g"),
        Column("factor", "factor", "by which each step multiplies x: 1 - eta f''", ".3g"),
        Column("start", "start", "where it begins", ".3g"),
        Column("last", "last", "where it is after the steps", ".6g"),
    )
    curvature = float(data["_curve"].curvature[0])
    rows = [
        {
            "rate": float(one.rate),
            "factor": 1 - float(one.rate) * curvature,
            "start": float(one.start),
            "last": float(one.x[-1]),
        }
        for one in (data["_lanes"].isel(lane=i) for i in range(data["_lanes"].sizes["lane"]))
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """What each rate does."""
    told = [
        f"rate {row['rate']:g} leads from {row['start']:g} to {number(row['last'])}"
        for row in summary(data).rows
    ]
    return "; ".join(told).capitalize() + "."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The followed lanes on the parabola, and the plane."""
    return {"gd_1d_rates": partial(rates, data)}


def rates(data: xr.DataTree) -> plots.Figure:
    """A panel a lane, and one of the plane."""
    curve, plane, panels = data["_curve"], data["plane"], []
    steps, lanes = int(plane.attrs["steps_budget"]), data["_lanes"].sizes["lane"]
    for lane in range(lanes):
        reach = 1.1 * float(np.abs(planes.path(data, lane)[0]).max())
        panels.append(
            planes.curve_panel(data, lane, xlim=(-reach, reach), ylim=(-0.06 * reach**2, reach**2))
        )
    size = np.abs(plane.final_point.values[..., 0]).T
    limits = (1e-4, 1e2)
    shown = plots.Image(
        x=plane.learning_rate.values, y=curve.begin.values, values=np.clip(size, *limits),
        kind="log", limits=limits, label=f"|x| after {steps} steps",
    )  # fmt: skip
    limit = theory.stability_limit(float(curve.curvature[0]))
    marks: list[plots.Mark] = [shown, plots.Guide(x=limit)]
    for lane in range(lanes):
        one = data["_lanes"].isel(lane=lane)
        marks.append(plots.Points(x=float(one.rate), y=float(one.start), tone="text", marker="o"))
    panels.append(
        plots.Panel(
            marks, title="every rate and start", note="dashed: 2/f″; dots: the other panels",
            x="rate η", y="start", ylim=(float(curve.begin[0]), 1.06 * float(curve.begin[-1])),
        )
    )  # fmt: skip
    told = " ".join(
        f"Rate {row['rate']:g}: x = {number(row['last'])}." for row in summary(data).rows
    )
    return plots.chart(
        "A rate too small crawls, one too large runs away",
        panels,
        caption="In the panels of curves, a dot is a step of one run, the ring its start. In the "
        f"plane, a pixel is one run ({size.size} of them), its shade how far it is from the "
        "minimum in the end (clipped at both ends of the scale).",
        alt=f"Gradient descent on a parabola at {lanes} rates, {steps} steps. {told} Above rate "
        f"{limit:g} every run moves away.",
        grid=(2, -(-(lanes + 1) // 2)),
        columns=("rate", "factor", "start", "last"),
        rows=[tuple(row.values()) for row in summary(data).rows],
    )

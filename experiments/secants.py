"""How does the slope of a secant become that of the tangent?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import jax
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.derivatives import forward_difference
from lab.check import Check
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table


class Case(config.Section):
    """A function, the point of its tangent, and what is drawn of it."""

    function: config.FunctionField
    at: config.Finite = Field(description="Where the tangent touches.")
    window: tuple[config.Finite, config.Finite] = Field(description="Ends of what is drawn.")


class Config(config.ExperimentConfig):
    """The functions, and the steps of the secants."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, description="Functions and points.")
    steps: config.SweepField = Field(description="Distances h from the point to the second one.")
    points: config.Side = Field(401, description="Points of a drawn curve.")
    frames: config.Side = Field(48, le=100, description="Frames of the animation.")


def compute(config: Config, session: Session) -> None:
    """Slopes of all secants, the tangent's by autodiff, and the curve to draw."""
    for index, case in enumerate(config.cases):
        f, h = case.function, np.asarray(config.steps, np.float64)
        at = np.full_like(h, case.at)
        slopes = session.batched(partial(forward_difference, f), at, h)
        value, slope = session.batched(jax.value_and_grad(f), at[:1])
        x = np.linspace(*case.window, config.points)
        data = xr.Dataset(
            {
                "slope": ("step", slopes),
                "curve": ("x", session.batched(f, x)),
                "value": float(value[0]),
                "tangent": float(slope[0]),
                "curvature": float(session.batched(jax.grad(jax.grad(f)), at[:1])[0]),
            },
            {"step": h, "x": x},
            {"function": f.label, "at": case.at, "frames": config.frames},
        )
        session.save(f"_cases/{index:02d}", data)


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """For a quadratic, a secant over h is steeper than the tangent by exactly h f''/2."""
    made = []
    for case in cases(data):
        error = case.slope - case.tangent - case.curvature * case.step / 2
        worst = float(np.abs(error * case.step).max())  # rounding of values is divided by h
        name = f"{case.attrs['function']}: error of a secant beside h f''/2, times h"
        made.append(Check(name, 0, worst, 1e-14, "Taylor's theorem: exact for quadratics"))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a function."""
    columns = (
        Column("function", "function", "what is differentiated", ""),
        Column("at", "at", "where", ".3g"),
        Column("tangent", "tangent", "slope by automatic differentiation", ".6g"),
        Column("secant", "secant", "slope over the smallest step", ".6g"),
        Column("step", "step", "the smallest step", ".1e"),
    )
    rows = [
        {
            "function": case.attrs["function"],
            "at": case.attrs["at"],
            "tangent": float(case.tangent),
            "secant": float(case.slope[-1]),
            "step": float(case.step[-1]),
        }
        for case in cases(data)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Where the slopes go."""
    said = [
        f"the secants of {row['function']} at {row['at']:g} tend to slope {row['tangent']:.6g}"
        for row in summary(data).rows
    ]
    return "; ".join(said)[:1].upper() + "; ".join(said)[1:] + "."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Secants closing in on the tangent."""
    return {"secant_tangent": partial(secant_tangent, cases(data))}


def secant_tangent(found: Sequence[xr.Dataset]) -> plots.Figure:
    """The curve, its tangent, and a secant whose second point moves in."""
    count = int(found[0].attrs["frames"])
    scale = np.geomspace(float(found[0].step.max()), 0.01, count)
    alt = " ".join(
        f"{case.attrs['function']} at {case.attrs['at']:g}: the tangent has slope "
        f"{number(float(case.tangent))}."
        for case in found
    )
    return plots.chart(
        "Secants turn into the tangent",
        [_panel(case, scale[0]) for case in found],
        caption="A secant goes through the point of the tangent and one at a distance h, which "
        "shrinks to zero. Its slope is the forward difference (f(x + h) - f(x)) / h.",
        alt="Curves with a tangent and a secant through the same point. " + alt,
        frames=lambda index: [_panel(case, scale[index]) for case in found],
        count=count,
    )


def _panel(case: xr.Dataset, h: float) -> plots.Panel:
    x, y = case.x.values, case.curve.values
    at, value, tangent = case.attrs["at"], float(case.value), float(case.tangent)
    other = float(np.interp(at + h, x, y))
    secant = (other - value) / h
    air = 0.08 * (y.max() - y.min())
    return plots.Panel(
        [
            plots.Line(x=x, y=y, label="function"),
            plots.Line(x=x, y=value + tangent * (x - at), label="tangent"),
            plots.Line(x=x, y=value + secant * (x - at), label="secant"),
            plots.Points(x=[at, at + h], y=[value, other], tone="text", marker="o"),
        ],
        title=f"f(x) = {case.attrs['function']}",
        note=f"h = {h:.2f}: secant {secant:.2f}, tangent {tangent:.2f}",
        x="x",
        y="f(x)",
        xlim=(x[0], x[-1]),
        ylim=(y.min() - air, y.max() + air),
    )

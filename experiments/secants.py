"""How does the slope of a secant become that of the tangent?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, Self

import jax
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.derivatives import forward_difference
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.text import listed, number
from lab.table import Column, Table


class Case(config.Section):
    """A function, the point of its tangent, and what is drawn of it."""

    function: config.FunctionField
    at: config.Finite = Field(description="Where the tangent touches.")
    window: tuple[config.Finite, config.Finite] = Field(description="Ends of what is drawn.")
    second: tuple[config.Finite, ...] = Field(
        min_length=1,
        max_length=3,
        description="Where the secants that are drawn meet the curve again.",
    )
    excess: config.Finite | None = Field(
        None, description="A secant's slope beyond the tangent's, over h, as known beforehand."
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        faults = [
            Fault(("second", i), "the second point must not be the point of the tangent")
            for i, other in enumerate(self.second)
            if other == self.at
        ]
        if self.window[0] >= self.window[1]:
            faults.append(Fault(("window",), "the low end must be below the high end"))
        if faults:
            raise SpecError(faults)
        return self


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
        f, second = case.function, np.array(case.second)
        h = {
            "step": np.asarray(config.steps, np.float64),
            "second": second - case.at,
            "frame": np.geomspace(1.0, 1 / 300, config.frames) * (second[0] - case.at),
        }
        every = np.concatenate(list(h.values()))
        slopes = session.batched(
            partial(forward_difference, f), np.full_like(every, case.at), every
        )
        parts = np.split(slopes, np.cumsum([len(part) for part in h.values()])[:-1])
        at = np.array([case.at])
        value, slope = session.batched(jax.value_and_grad(f), at)
        x = np.linspace(*case.window, config.points)
        data = xr.Dataset(
            {
                **{f"{key}_slope": (key, part) for key, part in zip(h, parts, strict=True)},
                "curve": ("x", session.batched(f, x)),
                "value": float(value[0]),
                "tangent": float(slope[0]),
                "curvature": float(session.batched(jax.grad(jax.grad(f)), at)[0]),
            },
            {**h, "x": x},
            {"function": f.label, "at": case.at},
        )
        session.save(f"_cases/{index:02d}", data)


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """For a quadratic, a secant over h is steeper than the tangent by exactly h f''/2."""
    made, taylor = [], "Taylor's theorem: exact for quadratics"
    for case, stated in zip(cases(data), config.cases, strict=True):
        name, tangent = case.attrs["function"], float(case.tangent)
        error = case.step_slope - tangent - case.curvature * case.step / 2
        worst = float(np.abs(error * case.step).max())  # rounding of values is divided by h
        told = f"{name}: error of a secant beside h f''/2, times h"
        made.append(Check(told, 0, worst, 1e-14, taylor))
        if stated.excess is None:
            continue
        for h, slope in zip(case.second.values, case.second_slope.values, strict=True):
            told = f"{name}: slope beyond the tangent's, over h = {number(h)}"
            source = "(f(x + h) - f(x)) / h multiplied out"
            made.append(
                Check(told, stated.excess, float(slope - tangent) / float(h), 1e-12, source)
            )
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a secant that is drawn, and the closest."""
    columns = (
        Column("function", "function", "what is differentiated", ""),
        Column("at", "at", "where", ".3g"),
        Column("second", "Q at", "where the secant meets the curve again", ".6g"),
        Column("secant", "secant", "its slope", ".6g"),
        Column("tangent", "tangent", "slope by automatic differentiation", ".6g"),
    )
    rows = []
    for case in cases(data):
        steps = [*case.second.values, case.step.values[-1]]
        slopes = [*case.second_slope.values, case.step_slope.values[-1]]
        for h, slope in zip(steps, slopes, strict=True):
            at = case.attrs["at"]
            row = {"function": case.attrs["function"], "at": at, "second": float(at + h)}
            rows.append(row | {"secant": float(slope), "tangent": float(case.tangent)})
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Where the slopes go."""
    said = [
        f"the secants of {case.attrs['function']} at {case.attrs['at']:g} tend to slope "
        f"{float(case.tangent):.6g}"
        for case in cases(data)
    ]
    return "; ".join(said)[:1].upper() + "; ".join(said)[1:] + "."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Secants closing in on the tangent."""
    return {"secant_tangent": partial(secant_tangent, cases(data))}


def secant_tangent(found: Sequence[xr.Dataset]) -> plots.Figure:
    """The curve, its tangent, and secants; in the frames, one whose second point moves in."""
    return plots.chart(
        "Secants turn into the tangent",
        [_panel(case, case.second.values, case.second_slope.values) for case in found],
        caption="A secant goes through the point of the tangent and a second point Q at a distance "
        "h, which shrinks to zero. Its slope is the forward difference (f(x + h) - f(x)) / h.",
        alt="Curves with a tangent and secants through the same point. "
        + " ".join(map(_told, found)),
        frames=lambda index: [_frame(case, index) for case in found],
        count=found[0].sizes["frame"],
    )


def _told(case: xr.Dataset) -> str:
    at = case.attrs["at"]
    secants = [
        f"the secant to Q at {number(at + h)} has slope {number(slope, 4)}"
        for h, slope in zip(case.second.values, case.second_slope.values, strict=True)
    ]
    told = f"{case.attrs['function']} at {at:g}: {listed(secants)}, the tangent"
    return f"{told} {number(float(case.tangent))}."


def _frame(case: xr.Dataset, index: int) -> plots.Panel:
    pick = slice(index, index + 1)
    return _panel(case, case.frame.values[pick], case.frame_slope.values[pick])


def _panel(case: xr.Dataset, steps: Sequence[float], slopes: Sequence[float]) -> plots.Panel:
    x, y = case.x.values, case.curve.values
    at, value, tangent = case.attrs["at"], float(case.value), float(case.tangent)
    air = 0.08 * (y.max() - y.min())
    marks: list[plots.Mark] = [
        plots.Line(x=x, y=y, label="function"),
        plots.Line(x=x, y=value + tangent * (x - at), label="tangent"),
    ]
    for h, slope in zip(steps, slopes, strict=True):
        marks.append(plots.Line(x=x, y=value + slope * (x - at), label="secant"))
        there = (at + h, value + slope * h)
        marks.append(plots.Points(x=there[:1], y=there[1:], tone="text", marker="s"))
        text = f"Q at {at + h:.3g}"
        marks.append(plots.Note(text=text, x=there[0], y=there[1], across="right"))
    marks.append(plots.Points(x=[at], y=[value], tone="text", marker="o"))
    told = " and ".join(f"{slope:.3g}" for slope in slopes)
    return plots.Panel(
        marks,
        title=f"f(x) = {case.attrs['function']}",
        note=f"slopes: secant {told}; tangent {tangent:.3g}",
        x="x",
        y="f(x)",
        xlim=(x[0], x[-1]),
        ylim=(y.min() - air, y.max() + air),
    )

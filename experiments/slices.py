"""What does each variable do alone? Slices of a surface, and their slopes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.partial import partial_derivative, partial_difference
from lab.calculus.samples import mesh, scattered
from lab.check import Check
from lab.config.planes import Position, SurfaceField, Window
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

STEP = 1e-4
"""Of the differences that read a slope off a slice."""

CUTS = ("cut along the first variable", "cut along the second variable")


class Case(config.Section):
    """A surface, the point where it is cut, and its partial derivatives worked out by hand."""

    title: config.Text = Field("", description="Above its panels, instead of the formula.")
    function: SurfaceField
    partials: tuple[config.FunctionField, config.FunctionField] = Field(
        description="Formulas of df/dx and df/dy, to be proved."
    )
    names: tuple[config.Text, config.Text] = Field(("x", "y"), description="Of the variables.")
    value: config.Text = Field("f", description="Name of the value.")
    at: Position = Field(description="Where it is cut.")
    window: Window = Field(description="Ends of what is drawn, along each variable.")


class Config(config.ExperimentConfig):
    """The surfaces, and how many points their partial derivatives are proved at."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, description="Surfaces and points.")
    samples: config.Count = Field(1_000_000, description="Random points of each window.")
    points: config.Side = Field(201, description="Points of a drawn slice.")
    side: config.Side = Field(81, description="Points along each side of a drawn map.")


def compute(config: Config, session: Session) -> None:
    """Slices, their slopes in three ways at the point, and in two ways at random points."""
    for index, case in enumerate(config.cases):
        session.save(f"_cases/{index:02d}", _case(config, case, session))


def _case(config: Config, case: Case, session: Session) -> xr.Dataset:
    f, at = case.function, np.array([case.at])
    x, y, points = mesh(case.window, config.side)
    places = scattered(config.seed, case.window, config.samples)
    data: dict[str, object] = {
        "surface": (("y", "x"), session.batched(lambda p: f(*p), points).reshape(len(y), len(x))),
        "value": float(session.batched(lambda p: f(*p), at)[0]),
    }
    slopes, differences, by_hand, worst = [], [], [], []
    for axis, formula in enumerate(case.partials):
        line = np.repeat(at, config.points, 0)
        line[:, axis] = np.linspace(*case.window[axis], config.points)
        data[f"along_{axis}"] = ("point", line[:, axis])
        data[f"slice_{axis}"] = ("point", session.batched(lambda p: f(*p), line))
        slope = partial(partial_derivative, f, index=axis)
        slopes.append(session.batched(slope, at)[0])
        difference = partial(partial_difference, f, index=axis, h=STEP)
        differences.append(session.batched(difference, at)[0])
        hand = lambda p, g=formula: g(*p[: g.dimension])  # noqa: E731
        by_hand.append(session.batched(hand, at)[0])
        expected = session.batched(hand, places)
        gap = np.abs(session.batched(slope, places) - expected)
        worst.append(float((gap / (1 + np.abs(expected))).max()))
    data |= {
        "slope": ("axis", np.array(slopes)),
        "difference": ("axis", np.array(differences)),
        "by_hand": ("axis", np.array(by_hand)),
        "worst": ("axis", np.array(worst)),
    }
    told = {"function": f.label, "title": case.title or f"f = {f.label}", "value": case.value}
    attrs = told | {"names": list(case.names), "at": list(case.at), "samples": config.samples}
    return xr.Dataset(data, {"x": x, "y": y}, attrs)


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The slopes of the slices are the partial derivatives worked out by hand."""
    made = []
    hand = "differentiated by hand, the other variable held constant"
    for case in cases(data):
        size = float(np.abs(case.surface).max())
        for axis, name in enumerate(case.attrs["names"]):
            what = f"d{_letter(case.attrs['value'])}/d{_letter(name)} of {case.attrs['function']}"
            expected = float(case.by_hand[axis])
            place = f"at {_place(case)}"
            made += [
                Check(f"{what} {place}", expected, float(case.slope[axis]), 1e-12 * size, hand),
                Check(
                    f"{what} {place}, read off the slice",
                    expected,
                    float(case.difference[axis]),
                    1e-9 * size,
                    "central difference of values",
                ),
                Check(
                    f"{what}: worst error at {case.attrs['samples']} points",
                    0,
                    float(case.worst[axis]),
                    1e-13,
                    hand,
                    at_most=True,
                ),
            ]
    return made


def _letter(name: str) -> str:
    return name.split()[-1] if name.strip() else name


def _place(case: xr.Dataset) -> str:
    return "(" + ", ".join(f"{a:g}" for a in case.attrs["at"]) + ")"


def summary(data: xr.DataTree) -> Table:
    """One row a partial derivative."""
    columns = (
        Column("function", "function", "what is cut", ""),
        Column("at", "at", "where", ""),
        Column("name", "along", "the variable that moves", ""),
        Column("slope", "partial derivative", "by automatic differentiation", ".6g"),
        Column("by_hand", "by hand", "from the formula", ".6g"),
        Column("difference", "off the slice", "by a central difference", ".6g"),
    )
    rows = [
        {"function": case.attrs["function"], "at": _place(case), "name": name}
        | {key: float(case[key][axis]) for key in ("slope", "by_hand", "difference")}
        for case in cases(data)
        for axis, name in enumerate(case.attrs["names"])
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How steep each slice is."""
    said = [
        f"at {row['at']} the slope of {row['function']} along {row['name']} is {row['slope']:.5g}"
        for row in summary(data).rows
    ]
    return "; ".join(said)[:1].upper() + "; ".join(said)[1:] + "."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Maps, and the slices through a point with their tangents."""
    return {"partial_slices": partial(partial_slices, cases(data))}


def partial_slices(found: Sequence[xr.Dataset]) -> plots.Figure:
    """A row a surface: its contours with the two cuts, and the two slices with their tangents."""
    alt = " ".join(
        f"{case.attrs['function']} at {_place(case)}: slope {number(case.slope[0])} along "
        f"{case.attrs['names'][0]} and {number(case.slope[1])} along {case.attrs['names'][1]}."
        for case in found
    )
    return plots.chart(
        "A partial derivative is the slope of a slice",
        [panel for case in found for panel in (_map(case), _slice(case, 0), _slice(case, 1))],
        caption="Left: contours of a function of two variables, with two straight cuts through a "
        "point. Middle and right: the function along each cut, while the other variable stands "
        "still, and its tangent; the tangent's slope is the partial derivative.",
        alt="Contour maps, and slices through one point with their tangents. " + alt,
        grid=(len(found), 3),
    )


def _map(case: xr.Dataset) -> plots.Panel:
    (a, b), names = case.attrs["at"], case.attrs["names"]
    x, y = case.x.values, case.y.values
    return plots.Panel(
        [
            plots.Image(x=x, y=y, values=case.surface.values, behind=True),
            plots.Contours(x=x, y=y, values=case.surface.values, levels=9, numbered=True),
            plots.Line(x=x, y=np.full_like(x, b), label=CUTS[0], width=3),
            plots.Line(x=np.full_like(y, a), y=y, label=CUTS[1], width=3),
            plots.Points(x=[a], y=[b], tone="text", marker="o"),
        ],
        title=case.attrs["title"],
        x=names[0],
        y=names[1],
        xlim=(x[0], x[-1]),
        ylim=(y[0], y[-1]),
    )


def _slice(case: xr.Dataset, axis: int) -> plots.Panel:
    names, at, value = case.attrs["names"], case.attrs["at"], float(case.value)
    t, curve = case[f"along_{axis}"].values, case[f"slice_{axis}"].values
    slope, other = float(case.slope[axis]), 1 - axis
    air = 0.1 * np.ptp(curve)
    return plots.Panel(
        [
            plots.Line(x=t, y=curve, label=CUTS[axis], width=3),
            plots.Line(x=t, y=value + slope * (t - at[axis]), label="tangent"),
            plots.Points(x=[at[axis]], y=[value], tone="text", marker="o"),
        ],
        title=f"{names[other]} = {at[other]:g}",
        note=f"slope {number(slope)}",
        x=names[axis],
        y=case.attrs["value"],
        xlim=(t[0], t[-1]),
        ylim=(curve.min() - air, curve.max() + air),
    )

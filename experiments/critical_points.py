"""Where does a function stand still, and what does it do there?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, Self

import jax
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus import Function
from lab.calculus import derivatives as calculus
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.text import listed, number, percent
from lab.table import Column, Table

APART = 1e-6
"""Ends of Newton's method that are closer than this, relative to the window, are one point."""


class Known(config.Section):
    """A critical point as it is known beforehand."""

    at: config.Finite
    value: config.Finite
    kind: Literal["minimum", "maximum", "level inflection"]


class Case(config.Section):
    """A function, and where its critical points are looked for."""

    function: config.FunctionField
    window: tuple[config.Finite, config.Finite] = Field(description="Ends of starts and picture.")
    known: tuple[Known, ...] = Field((), description="Its critical points, in order of x.")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if self.window[0] >= self.window[1]:
            raise SpecError([Fault(("window",), "the low end must be below the high end")])
        return self


class Config(config.ExperimentConfig):
    """The functions, and how many starts."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=6, description="Functions.")
    starts: config.Side = Field(1_000_000, description="Starts of Newton's method, a function.")
    steps: config.Count = Field(100, description="Newton steps from each start.")
    points: config.Side = Field(401, description="Points of a drawn curve.")


def compute(config: Config, session: Session) -> None:
    """Newton's method on f' from every start; the distinct ends, and what f does there."""
    for index, case in enumerate(config.cases):
        f, (low, high) = case.function, case.window
        starts = low + (high - low) * (np.arange(config.starts) + 0.5) / config.starts
        newton = partial(calculus.newton_critical_point, f, steps=config.steps)
        ends, older, newer = session.batched(newton, starts)
        at, reached = distinct(ends, APART * (high - low))
        middle = [int(np.flatnonzero(reached == i)[0]) for i in range(len(at))]
        x = np.linspace(low, high, config.points)
        data = xr.Dataset(
            {
                "curve": ("x", session.batched(f, x)),
                "slope": ("x", session.batched(jax.grad(f), x)),
                "share": ("point", [float(np.mean(reached == i)) for i in range(len(at))]),
                "factor": ("point", _factor(older[middle], newer[middle])),
                **_facts(f, at, session),
            },
            {"x": x, "point": at},
            {"function": f.label, "lost": float(np.mean(reached < 0)), "starts": config.starts},
        )
        session.save(f"_cases/{index:02d}", data)


def _factor(older: np.ndarray, newer: np.ndarray) -> np.ndarray:
    """By how much a move was shorter than the one before; 0 where there was none before."""
    return np.abs(np.divide(newer, older, out=np.zeros_like(newer), where=older != 0))


def _facts(f: Function, at: np.ndarray, session: Session) -> dict[str, tuple[str, np.ndarray]]:
    values, kinds = session.batched(
        lambda x: (calculus.derivatives(f, x, 2), calculus.kind(f, x)), at
    )
    names = ("value", "first", "second")
    return {name: ("point", values[:, k]) for k, name in enumerate(names)} | {
        "kind": ("point", kinds)
    }


def distinct(ends: np.ndarray, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """The separate points among the ends, increasing, and which one each end is (-1: not finite).

    The ends at one point are within `apart` of each other; their median stands for them.
    """
    kept = np.flatnonzero(np.isfinite(ends))
    order = kept[np.argsort(ends[kept], kind="stable")]
    group = np.concatenate([[0], np.cumsum(np.diff(ends[order]) > apart)]) if len(order) else order
    reached = np.full(len(ends), -1)
    reached[order] = group
    count = int(group.max()) + 1 if len(order) else 0
    return np.array([np.median(ends[reached == i]) for i in range(count)]), reached


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def kinds(case: xr.Dataset) -> list[str]:
    """The kind of each point, in words."""
    return [calculus.KINDS[int(kind)] for kind in case.kind]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The known points, with values and kinds, and no other; every change of sign has its point."""
    made = []
    for case, stated in zip(cases(data), config.cases, strict=True):
        name, at, known = case.attrs["function"], case.point.values, stated.known
        if known:
            made += _known(case, known)
        signs = np.sign(case.slope.values)
        changes = np.flatnonzero(signs[:-1] * signs[1:] < 0)
        x = case.x.values
        missed = sum(not bool(np.any((at >= x[i]) & (at <= x[i + 1]))) for i in changes)
        told = f"{name}: changes of sign of f' where Newton's method found no point"
        made.append(Check(told, 0, missed, 0, "intermediate value theorem"))
        for kind, factor in zip(kinds(case), case.factor.values, strict=True):
            if kind == "level inflection":
                told = f"{name}: what a Newton step leaves of the distance at a double zero of f'"
                made.append(Check(told, 0.5, float(factor), 1e-6, "1 - 1/m for an m-fold zero"))
    return made


def _known(case: xr.Dataset, known: Sequence[Known]) -> list[Check]:
    name, source = case.attrs["function"], "closed form: zeros of f', sign of f''"
    made = [Check(f"{name}: critical points found", len(known), case.sizes["point"], 0, source)]
    if case.sizes["point"] != len(known):
        return made
    off = float(np.abs(case.point.values - [one.at for one in known]).max())
    above = float(np.abs(case.value.values - [one.value for one in known]).max())
    right = sum(a == b.kind for a, b in zip(kinds(case), known, strict=True))
    return [
        *made,
        Check(f"{name}: distance of the points from the known", 0, off, 1e-12, source),
        Check(f"{name}: distance of their values from the known", 0, above, 1e-12, source),
        Check(f"{name}: points of the known kind", len(known), right, 0, source),
    ]


def summary(data: xr.DataTree) -> Table:
    """One row a critical point."""
    columns = (
        Column("function", "function", "what stands still", ""),
        Column("at", "at", "where its derivative is 0", ".6g"),
        Column("value", "value", "its value there", ".6g"),
        Column("second", "f''", "the second derivative there", ".3g"),
        Column("kind", "kind", "what it does there", ""),
        Column("share", "starts", "share of the starts that end there", "%"),
    )
    rows = [
        {"function": case.attrs["function"], "kind": kind, "at": float(case.point[i]) + 0.0}
        | {key: float(case[key][i]) for key in ("value", "second", "share")}
        for case in cases(data)
        for i, kind in enumerate(kinds(case))
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """What was found."""
    found = cases(data)
    said = [f"{case.attrs['function']} {_said(case)}" for case in found]
    return f"From {found[0].attrs['starts']} starts each: " + "; ".join(said) + "."


def _said(case: xr.Dataset) -> str:
    told = [
        f"a {k} at {number(round(float(x), 9) + 0.0)}"
        for k, x in zip(kinds(case), case.point, strict=True)
    ]
    return "has " + (listed(told) or "no critical point")


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The curves with their critical points."""
    return {"critical_points": partial(critical_points, cases(data))}


def critical_points(found: Sequence[xr.Dataset]) -> plots.Figure:
    """A panel for each function."""
    down = 1 if len(found) < 4 else 2
    return plots.chart(
        "Critical points: the slope is zero; what are they?",
        [_panel(case) for case in found],
        caption="A mark is a point where Newton's method on f' ended, its shape and colour the "
        "kind; beside it the share of the starts that ended there. The dashed line is level.",
        alt="Curves with their critical points. "
        + " ".join(f"{case.attrs['function']} {_said(case)}." for case in found),
        grid=(down, -(-len(found) // down)),
    )


MARKERS = {"minimum": "v", "maximum": "^", "level inflection": "s", "flat": "D"}


def _panel(case: xr.Dataset) -> plots.Panel:
    x, y = case.x.values, case.curve.values
    air = 0.2 * np.ptp(y)
    lift = {"bottom": air / 8, "top": -air / 8}
    marks: list[plots.Mark] = [plots.Line(x=x, y=y, tone="text")]
    for i, kind in enumerate(kinds(case)):
        at, value = float(case.point[i]), float(case.value[i])
        if not x[0] <= at <= x[-1]:
            continue
        reach = 0.12 * (x[-1] - x[0])
        marks.append(
            plots.Line(
                x=[at - reach, at + reach], y=[value, value], tone="muted", dashes=(0, (4, 2))
            )
        )
        tone = calculus.KINDS.index(kind)
        marks.append(
            plots.Points(x=[at], y=[value], label=kind, tone=tone, marker=MARKERS[kind], size=12)
        )
        up = "bottom" if kind == "maximum" else "top"
        share = percent(float(case.share[i]))
        marks.append(plots.Note(text=share, x=at, y=value + lift[up], across="center", up=up))
    return plots.Panel(
        marks,
        title=f"f(x) = {case.attrs['function']}",
        x="x",
        y="f(x)",
        xlim=(x[0], x[-1]),
        ylim=(y.min() - air, y.max() + air),
    )

"""Where are functions discontinuous, and of which kind is each place?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple, Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.continuity import KINDS, detect, merge
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.layout import keywords
from lab.plots.text import number
from lab.table import Column, Table

SOURCE = "one-sided limits, by hand"


class Case(config.Section):
    """A function on an interval, and what a textbook says of it."""

    function: config.FunctionField
    name: config.Text = Field("", description="How a figure calls it; absent: its formula.")
    interval: tuple[config.Finite, config.Finite] = Field(description="Where it is searched.")
    kind: Literal["none", "removable", "jump", "infinite", "oscillating"] = Field(
        description="Of which kind its only discontinuity is."
    )
    at: config.Finite = Field(0.0, description="Where it is.")
    size: config.Finite = Field(0.0, description="Right limit minus left limit, of a jump.")
    values: tuple[config.Finite, config.Finite] | None = Field(
        None, description="Ends of the drawn values; absent: all."
    )

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        for key, ends in (("interval", self.interval), ("values", self.values or (0.0, 1.0))):
            if ends[0] >= ends[1]:
                raise SpecError([Fault((key,), "the low end must be below the high end")])
        return self

    @property
    def label(self) -> str:
        """What a figure calls it."""
        return self.name or self.function.label


class Config(config.ExperimentConfig):
    """The functions, and how finely each is searched."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=6, description="The functions.")
    cells: config.Side = Field(2**20, description="Cells that an interval is cut into.")
    points: config.Side = Field(2001, description="Points of a drawn curve.")


def compute(config: Config, session: Session) -> None:
    """Ask every cell what it holds, and evaluate the curves to draw."""
    for index, case in enumerate(config.cases):
        low, high = case.interval
        width = (high - low) / config.cells
        cells = low + (high - low) * (np.arange(config.cells) / config.cells)
        found = session.batched(partial(detect, case.function), cells, np.full_like(cells, width))
        told = merge(found)
        x = np.linspace(low, high, config.points)
        data = xr.Dataset(
            {
                "curve": ("x", session.batched(case.function, x)),
                "cells_of_kind": ("kind", np.bincount(found.kind, minlength=len(KINDS))),
                "found": ("place", np.array([KINDS.index(kind) for kind, *_ in told], int)),
                "limits": (("place", "of"), np.array([sides for _, *sides in told]).reshape(-1, 3)),
            },
            {"x": x},
            {"function": case.label, "width": width, "values": list(case.values or ())},
        )
        session.save(f"_cases/{index:02d}", data)


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


class Place(NamedTuple):
    """A discontinuity that was found."""

    kind: str
    at: float
    left: float
    right: float

    @property
    def size(self) -> float:
        """Right limit minus left limit."""
        return self.right - self.left

    def __str__(self) -> str:
        """As a figure says it."""
        size = f" of {number(self.size)}" if self.kind == "jump" else ""
        return f"{self.kind}{size} at {number(round(self.at, 12) + 0.0)}"


def places(case: xr.Dataset) -> list[Place]:
    """The discontinuities that were found."""
    rows = zip(case.found.values, case.limits.values.tolist(), strict=True)
    return [Place(KINDS[kind], *limits) for kind, limits in rows]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Each function has the discontinuity that it is known for, and no other."""
    made = []
    for wanted, case in zip(config.cases, cases(data), strict=True):
        told, label = places(case), wanted.label
        expected = int(wanted.kind != "none")
        name = f"{label}: discontinuities in {config.cells} cells"
        made.append(Check(name, expected, len(told), 0, SOURCE))
        if not expected:
            continue
        right = [place for place in told if place.kind == wanted.kind]
        name = f"{label}: {wanted.kind} ones among them"
        made.append(Check(name, 1, len(right), 0, SOURCE))
        nearest = right[0] if right else Place("none", np.nan, np.nan, np.nan)
        made.append(Check(f"{label}: where", wanted.at, nearest.at, 1e-12, SOURCE))
        if wanted.kind in ("jump", "removable"):
            name = f"{label}: right limit minus left limit"
            made.append(Check(name, wanted.size, nearest.size, 1e-12, SOURCE))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a discontinuity, or one that says that there is none."""
    columns = (
        Column("function", "function", "what is searched", ""),
        Column("cells", "cells", "parts of its interval, searched one by one", ".0f"),
        Column("kind", "kind", "of its discontinuity", ""),
        Column("at", "at", "where", ".3g"),
        Column("size", "size", "right limit minus left limit", ".4g"),
    )
    rows = []
    for case in cases(data):
        cells = int(case.cells_of_kind.sum())
        for place in places(case) or [Place("none", np.nan, np.nan, np.nan)]:
            size = place.size if place.kind == "jump" else np.nan
            one = {"kind": place.kind, "at": place.at, "size": size}
            rows.append({"function": case.attrs["function"], "cells": cells, **one})
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """What was found."""
    said = "; ".join(f"{case.attrs['function']}: {_said(case)}" for case in cases(data))
    return f"One detector finds, by values alone, {said}."


def _said(case: xr.Dataset) -> str:
    return ", ".join(map(str, places(case))) or "no discontinuity"


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The functions side by side, with what was found."""
    return {"discontinuity_zoo": partial(discontinuity_zoo, cases(data))}


def discontinuity_zoo(found: Sequence[xr.Dataset]) -> plots.Figure:
    """A panel for each function."""
    cells = int(found[0].cells_of_kind.sum())
    alt = " ".join(f"{case.attrs['function']}: {_said(case)}." for case in found)
    across = -(-len(found) // 2) if len(found) > 3 else len(found)
    return plots.chart(
        "One detector tells the kinds of discontinuity apart",
        [_panel(case, first=place % across == 0) for place, case in enumerate(found)],
        caption="A line is the function; a dashed line marks a place that the detector found among "
        f"{cells:,} cells of the interval; a ring is the limit from one side, or from both.",
        alt=f"{len(found)} curves. {alt}",
        grid=(-(-len(found) // across), across),
    )


def _panel(case: xr.Dataset, first: bool) -> plots.Panel:
    x, told = case.x.values, places(case)
    y = _broken(case, told)
    finite = y[np.isfinite(y)]
    low, high = case.attrs["values"] or (finite.min(), finite.max())
    air = 0.08 * (high - low)
    marks: list[plots.Mark] = [plots.Guide(x=place.at) for place in told]
    for place in told:
        if place.kind in ("jump", "removable"):
            limits = list(dict.fromkeys([place.left, place.right]))
            rings = keywords(x=[place.at] * len(limits), y=limits, marker="o", hollow=True)
            marks.append(plots.Points(**rings, tone=1))
    return plots.Panel(
        [plots.Line(x=x, y=y, tone=0), *marks],
        title=case.attrs["function"],
        note=_said(case),
        x="x",
        y="f(x)" if first else "",
        xlim=(x[0], x[-1]),
        ylim=(low - air, high + air),
    )


def _broken(case: xr.Dataset, told: Sequence[Place]) -> np.ndarray:
    """The curve, interrupted where it jumps or has no limit."""
    x, y = case.x.values, case.curve.values
    y = np.where(np.isfinite(y), y, np.nan)
    for place in told:
        if place.kind != "removable":
            y = np.where(np.abs(x - place.at) < 0.6 * (x[1] - x[0]), np.nan, y)
        else:
            y[np.argmin(np.abs(x - place.at))] = place.left
    return y

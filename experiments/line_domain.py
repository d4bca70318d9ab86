"""Which rates throw a descent out of the domain of its function, and at which step?"""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import xarray as xr

from lab import planes, plots, theory
from lab.check import Check
from lab.descent import Outcome
from lab.experiment import Session
from lab.planes import PlaneConfig, plans
from lab.table import Column, Table

__all__ = ["plans"]

OMEGA = 0.5671432904097838
"""The root of x e^x = 1 (Sloane's A030178): the minimum of e^x - ln x."""

NAMES = (
    *("converges", "leaves at step 1", "leaves at step 2", "leaves later"),
    *("overflows", "settles nowhere"),
)


class Config(PlaneConfig):
    """The loss is exp(x) - log(x): the checks are of that one."""

    precision: Literal["float64"] = "float64"


def compute(config: Config, session: Session) -> None:
    """The plane, and the chosen lanes."""
    planes.compute(config, session)


def categories(data: xr.DataTree) -> np.ndarray:
    """Which of `NAMES` each lane of the plane is: (rate, start)."""
    outcome, steps = data["plane"].outcome.values, data["plane"].steps.values
    left = np.minimum(np.maximum(steps, 1), 3)
    other = np.where(outcome == Outcome.DIVERGED, 4, 5)
    other = np.where(outcome == Outcome.CONVERGED, 0, other)
    return np.where(outcome == Outcome.LEFT_DOMAIN, left, other)


def plain(rate: float, x: float, steps: int) -> int:
    """The step at which a plain loop over e^x - ln x leaves x > 0; -1 if it does not."""
    for step in range(1, steps + 1):
        x -= rate * (math.exp(x) - 1 / x)
        if x <= 0:
            return step
    return -1


def left_at(data: xr.DataTree) -> list[int]:
    """The step at which each followed lane left the domain, -1 for those that did not."""
    lanes = data["_lanes"]
    left = lanes.outcome.values == Outcome.LEFT_DOMAIN
    return [int(step) for step in np.where(left, lanes.steps.values, -1)]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The minimum; who leaves, and when; the largest rate that converges."""
    curve, plane = data["_curve"].to_dataset(), data["plane"].to_dataset()
    rate, begin = plane.learning_rate.values, curve.begin.values
    first = begin - rate[:, None] * (np.exp(begin) - 1 / begin)
    disagree = int(((first <= 0) != (categories(data) == 1)).sum())
    loop = [plain(float(eta), float(x), config.followed) for eta, x in config.lanes]
    differ = sum(ours != theirs for ours, theirs in zip(left_at(data), loop, strict=True))
    converged = plane.outcome.values == Outcome.CONVERGED
    away = np.abs(plane.final_point.values[..., 0][converged] - OMEGA)
    bend = (1 + OMEGA) / OMEGA**2  # f'' = e^x + 1/x^2, and e^x = 1/x at the minimum
    limit, spacing = float(theory.stability_limit(bend)), float(np.diff(rate).max())
    lambert = "Lambert W(1), OEIS A030178"
    within = 1.01 * config.run.gradient_below / bend
    largest = float(planes.largest_rates(data)[0])
    return [
        Check("the minimum, by Newton", OMEGA, float(curve.minimum[0]), 1e-12, lambert),
        Check("curvature at the minimum", bend, float(curve.curvature[0]), 1e-11, lambert),
        Check("farthest converged lane", 0, float(away.max()), within, lambert, at_most=True),
        Check("lanes unlike x - eta f'(x) <= 0 at step 1", 0, disagree, 0, "arithmetic"),
        Check("followed lanes that leave otherwise", 0, differ, 0, "a plain loop in Python"),
        Check("largest rate that converges", limit, largest, 2 * spacing, "2 / f''"),
    ]


def summary(data: xr.DataTree) -> Table:
    """One row a followed lane."""
    columns = (
        Column("rate", "rate", "the learning rate", ".3g"),
        Column("start", "start", "where it begins", ".3g"),
        Column("last", "last", "the last point", ".6g"),
        Column("said", "how it ended", "", ""),
    )
    lanes = data["_lanes"]
    rows = [
        {
            "rate": float(lanes.rate[i]),
            "start": float(lanes.start[i]),
            "last": float(planes.path(data, i)[0][-1]),
            "said": planes.said(data, i),
        }
        for i in range(lanes.sizes["lane"])
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How much of the plane leaves."""
    found = categories(data)
    left = np.mean((found > 0) & (found < 4))
    return (
        f"{100 * np.mean(found == 0):.1f} % of the plane converges to "
        f"{float(data['_curve'].minimum[0]):.6f}, {100 * left:.1f} % leaves the domain; above rate "
        f"{float(planes.largest_rates(data)[0]):.3f} no more than a few starts settle."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The followed lanes, and how every place of the plane ends."""
    return {"gd_exp_log": partial(domain, data)}


def domain(data: xr.DataTree) -> plots.Figure:
    """Paths over steps beside the plane of outcomes."""
    lanes, curve, plane = data["_lanes"].to_dataset(), data["_curve"], data["plane"]
    count = lanes.sizes["lane"]
    marks: list[plots.Mark] = [plots.Guide(y=0.0), plots.Guide(y=float(curve.minimum[0]))]
    places: list[plots.Mark] = []
    for i in range(count):
        at, _ = planes.path(data, i)
        marks.append(plots.Line(x=np.arange(len(at)), y=at, tone=i, marked=1, width=1.6))
        marks.append(plots.Note(text=str(i + 1), x=1.0, y=float(at[1]), up="center"))
        spot = float(lanes.start[i]), float(lanes.rate[i])
        places.append(plots.Points(x=spot[0], y=spot[1], tone="text", marker="o", size=7))
    for (x, y), numbers in _together(lanes).items():
        places.append(plots.Note(text=" ".join(map(str, numbers)), x=x, y=y))
    shown = plots.Image(
        x=curve.begin.values, y=plane.learning_rate.values, values=categories(data),
        kind="categories", names=NAMES,
    )  # fmt: skip
    rates, limit = plane.learning_rate.values, float(theory.stability_limit(curve.curvature[0]))
    rows = summary(data).rows
    told = " ".join(f"Rate {r['rate']:g} from {r['start']:g}: {r['said']}." for r in rows)
    found = categories(data)
    shares = ", ".join(f"{100 * np.mean(found == i):.1f} % {name}" for i, name in enumerate(NAMES))
    return plots.chart(
        "A step too long ends where the function does not exist",
        [
            plots.Panel(
                marks, title=f"{count} runs", note="dashed: 0 and the minimum",
                x="step", y="x", xlim=(-1.0, float(lanes.sizes["step"] - 1)),
            ),
            plots.Panel(
                [shown, plots.Guide(y=limit), *places],
                title="every rate and start", note="dashed: 2/f″ at the minimum",
                x="start", y="rate η", ylim=(float(rates[0]), float(rates[-1])),
            ),
        ],
        caption=f"Left, a line is one run, a marker a step; runs that step to x ≤ 0 end there. "
        f"Right, a pixel is one run ({found.size} of them), its shade and hatching how it ends.",
        alt=f"Gradient descent of a function that exists for x > 0 only. {told} "
        f"Of the plane: {shares}.",
        columns=("rate", "start", "last", "how it ended"),
        rows=[tuple(row.values()) for row in rows],
        height=6.4,
    )  # fmt: skip


def _together(lanes: xr.Dataset) -> dict[tuple[float, float], list[int]]:
    """The numbers of the followed lanes, by where they stand in the plane; close ones as one."""
    found: dict[tuple[float, float], list[int]] = {}
    for i in np.argsort(-lanes.start.values):
        at = float(lanes.start[i]), float(lanes.rate[i])
        near = [place for place in found if abs(place[0] - at[0]) + abs(place[1] - at[1]) < 0.05]
        found.setdefault(near[0] if near else at, []).append(int(i) + 1)
    return found

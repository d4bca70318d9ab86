"""Which of several minima of a curve can a learning rate still settle in?"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np
import xarray as xr

from lab import planes, plots, theory
from lab.check import Check
from lab.descent import Outcome
from lab.experiment import Session
from lab.planes import PlaneConfig, plans
from lab.plots.basin_panel import LETTERS
from lab.plots.text import listed, number
from lab.table import Column, Table

__all__ = ["plans"]

FINE = 1_000_001
"""Values of the curve, near each minimum, of which the lowest is looked for."""


class Config(PlaneConfig):
    """A curve with some minima."""

    precision: Literal["float64"] = "float64"


def compute(config: Config, session: Session) -> None:
    """The plane and the chosen lanes; and the lowest of many values about each minimum."""
    planes.compute(config, session)
    minima = session.group("_curve").minimum.values
    ends = np.concatenate([[config.window[0]], (minima[1:] + minima[:-1]) / 2, [config.window[1]]])
    lowest = []
    for low, high in pairwise(ends):
        x = np.linspace(low, high, FINE)
        values = session.batched(lambda x: config.loss(x[None]), x)
        lowest.append(x[np.argmin(values)])
    session.save("_lowest", xr.Dataset({"x": ("minimum", np.array(lowest))}))


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Newton's minima against the lowest of many values; settling against 2 / f''."""
    curve, rate = data["_curve"].to_dataset(), data["plane"].learning_rate.values
    largest, spacing, made = planes.largest_rates(data), float(np.diff(rate).max()), []
    found = planes.settled(data)
    for i, at in enumerate(curve.minimum.values):
        source = f"the lowest of {FINE} values of the curve"
        made.append(
            Check(f"minimum {LETTERS[i]}", float(data["_lowest"].x[i]), float(at), 5e-6, source)
        )
        limit = float(theory.stability_limit(float(curve.curvature[i])))
        if limit < rate[-1]:
            name = f"largest rate that settles in {LETTERS[i]}"
            made.append(Check(name, limit, float(largest[i]), 2 * spacing, "2 / f''"))
        beyond = float((found == i).mean(1)[rate > limit].max(initial=0))
        name = f"share of the starts that settle in {LETTERS[i]} above its limit"
        made.append(Check(name, 0, beyond, planes.SETTLED, "2 / f''", at_most=True))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a minimum."""
    columns = (
        Column("minimum", "minimum", "where", ".6g"),
        Column("curvature", "f''", "curvature there", ".5g"),
        Column("limit", "2/f''", "the stability limit", ".4g"),
        Column("largest", "largest rate", "at which a hundredth of the starts settle", ".4g"),
    )
    curve = data["_curve"]
    rows = [
        {
            "minimum": float(curve.minimum[i]),
            "curvature": float(curve.curvature[i]),
            "limit": float(theory.stability_limit(float(curve.curvature[i]))),
            "largest": float(largest),
        }
        for i, largest in enumerate(planes.largest_rates(data))
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Up to which rate each minimum can be settled in."""
    said = [f"{row['minimum']:.4f} up to rate {row['largest']:.4f}" for row in summary(data).rows]
    return f"Descent settles in {listed(said)}."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The followed lanes on the curve, and who settles where over the plane."""
    return {"gd_two_minima": partial(minima, data)}


def minima(data: xr.DataTree) -> plots.Figure:
    """A panel a lane, and one of the plane."""
    curve, plane, rows = data["_curve"], data["plane"], summary(data).rows
    lanes, rates = data["_lanes"].sizes["lane"], plane.learning_rate.values
    low, high = float(curve.f.min()), float(curve.f.max())
    air = 0.08 * (high - low)
    about = {"xlim": (float(curve.x[0]), float(curve.x[-1])), "ylim": (low - air, high + air)}
    panels = [planes.curve_panel(data, lane, **about) for lane in range(lanes)]
    left = plane.outcome.values == Outcome.LEFT_DOMAIN
    found, count = planes.settled(data), len(rows)
    shown = np.where(left, count, np.where(found < 0, count + 1, found))
    names = [f"settles in {LETTERS[i]}, x = {row['minimum']:.3f}" for i, row in enumerate(rows)]
    names += ["leaves the domain", "settles in neither"]
    marks: list[plots.Mark] = [
        plots.Image(x=curve.begin.values, y=rates, values=shown, kind="categories", names=names)
    ]
    for i, row in enumerate(rows):
        if row["limit"] < rates[-1]:
            marks.append(plots.Guide(y=row["limit"]))
            marks.append(
                plots.Note(text=f"2/f″ of {LETTERS[i]}", x=float(curve.begin[0]), y=row["limit"])
            )
    panels.append(
        plots.Panel(
            marks, title="every rate and start", note="dashed: 2/f″",
            x="start", y="rate η", ylim=(float(rates[0]), float(rates[-1])),
        )
    )  # fmt: skip
    panels.append(_shares_panel(data, rates, rows))
    told = " ".join(
        f"{LETTERS[i]} at {row['minimum']:.4f}: 2/f″ = {number(row['limit'], 4)}, settled in up to "
        f"rate {number(row['largest'], 4)}." for i, row in enumerate(rows)
    )  # fmt: skip
    return plots.chart(
        "The sharper minimum is lost at the smaller rate",
        panels,
        caption="In the panels of curves, a dot is a step of one run, the ring its start. In the "
        f"plane, a pixel is one run ({shown.size} of them), its shade and hatching where it ends; "
        "the last panel counts them.",
        alt=f"Gradient descent of a curve with {count} minima. {told}",
        grid=(2, -(-len(panels) // 2)),
        columns=("minimum", "f''", "2/f''", "largest rate"),
        rows=[tuple(row.values()) for row in rows],
    )


def _shares_panel(
    data: xr.DataTree, rates: np.ndarray, rows: Sequence[Mapping[str, float]]
) -> plots.Panel:
    """The share of the starts that settle in each minimum, over the rate."""
    found, every = planes.settled(data), max(1, len(rates) // 6)
    marks: list[plots.Mark] = []
    for i, row in enumerate(rows):
        share = (found == i).mean(1)
        marks.append(plots.Line(x=rates, y=share, tone=i, marked=every))
        if row["limit"] < rates[-1]:
            marks.append(plots.Guide(x=row["limit"]))
            marks.append(plots.Note(text=LETTERS[i], x=row["limit"], y=1.0))
    ends = (float(rates[0]), float(rates[-1]))
    return plots.Panel(
        marks, title="how many settle", note="dashed: 2/f″", x="rate η", y="share of starts",
        xlim=ends, ylim=(0.0, 1.15),
    )  # fmt: skip

"""Does a function look straight when one looks closely?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, Self

import jax
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.zoom import departure
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

QUANTILES = (0.05, 0.5, 0.95)
MEDIAN = "departure from the tangent, median"
Ends = tuple[config.Finite, config.Finite]


class Case(config.Section):
    """A function, the windows that are drawn of it, and where centres are taken from."""

    function: config.FunctionField
    at: config.Finite = Field(description="Where the drawn tangent touches.")
    windows: tuple[Ends, ...] = Field(
        min_length=1, max_length=3, description="Ends of the windows that are drawn."
    )
    centres: Ends = Field(description="Ends of the interval of the centres.")
    smooth: bool = Field(True, description="Whether it has a tangent at `at`.")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        ends = [*((("windows", i), w) for i, w in enumerate(self.windows))]
        faults = [
            Fault(key, "the low end must be below the high end")
            for key, (low, high) in [*ends, (("centres",), self.centres)]
            if low >= high
        ]
        if faults:
            raise SpecError(faults)
        return self


class Config(config.ExperimentConfig):
    """The functions, the windows, and how many centres."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=3, description="The functions.")
    widths: config.SweepField = Field(description="Half widths of the windows, falling.")
    count: config.Side = Field(100_000, description="Centres in each interval.")
    points: config.Side = Field(401, description="Points of a drawn curve.")

    @model_validator(mode="after")
    def _falling(self) -> Self:
        widths = self.widths
        if len(widths) < 4 or (widths <= 0).any() or (np.diff(widths) >= 0).any():
            told = "give at least four widths above 0, each smaller than the one before"
            raise SpecError([Fault(("widths",), told)])
        return self


def compute(config: Config, session: Session) -> None:
    """Departures at the chosen point and at all centres; and the curves to draw."""
    widths = np.asarray(config.widths, np.float64)
    for index, case in enumerate(config.cases):
        low, high = case.centres
        inside = low + (high - low) * (np.arange(config.count) + 0.5) / config.count
        x = np.concatenate([[case.at], inside])
        found = session.batched(partial(_departures, case.function, widths), x, block=1 << 14)
        values, defined = found[1:], np.isfinite(found[1:])
        shown = np.stack([np.linspace(*window, config.points) for window in case.windows])
        curves = session.batched(jax.value_and_grad(case.function), np.append(shown, case.at))
        data = xr.Dataset(
            {
                "there": ("width", found[0]),
                "departure": (("quantile", "width"), _quantiles(values)),
                "share": ("width", ((values > 1e-15) & defined).sum(0) / defined.sum(0)),
                "x": (("window", "point"), shown),
                "curve": (("window", "point"), curves[0][:-1].reshape(shown.shape)),
                "value": float(curves[0][-1]),
                "slope": float(curves[1][-1]),
            },
            {"width": widths, "quantile": list(QUANTILES)},
            {
                "function": case.function.label,
                "at": case.at,
                "smooth": int(case.smooth),
                "centres": list(case.centres),
                "count": config.count,
            },
        )
        session.save(f"_cases/{index:02d}", data)


def _departures(f: Callable[[Any], Any], widths: np.ndarray, x: Any) -> Any:
    return jax.lax.map(lambda w: departure(f, x, w), widths)


def _quantiles(values: np.ndarray) -> np.ndarray:
    return np.nanquantile(values, QUANTILES, axis=0)


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def slope(case: xr.Dataset, values: Any) -> float:
    """The power of the width that departures go with, over the smaller half of the widths."""
    half = slice(len(case.width) // 2, None)
    y = np.asarray(values)[half]
    if not (y > 0).all():
        return float("nan")
    return float(np.polyfit(np.log(case.width.values[half]), np.log(y), 1)[0])


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Smooth functions leave their tangent with the square of the width, a kink with the width."""
    made = []
    for wanted, case in zip(config.cases, cases(data), strict=True):
        label = wanted.function.label
        power, source = (2, "Taylor's theorem") if wanted.smooth else (1, "|t| = 1 |t|: a kink")
        measured = slope(case, case.there)
        name = f"{label}: power of the width that the departure at {wanted.at:g} goes with"
        made.append(Check(name, power, measured, 0.02, source))
        if wanted.smooth:
            measured = slope(case, case.departure.sel(quantile=0.5))
            name = f"{label}: the same, median of {config.count} centres"
            made.append(Check(name, power, measured, 0.02, source))
        if wanted.function.text == "abs(x)":
            made += _kinked(wanted, case)
    return made


def _kinked(wanted: Case, case: xr.Dataset) -> list[Check]:
    """|x| leaves its tangent exactly where the kink is within the window."""
    low, high = wanted.centres
    widths = case.width.values
    within = (np.minimum(widths, high) - np.maximum(-widths, low)) / (high - low)
    worst = float(np.abs(case.share.values - np.clip(within, 0, 1)).max())
    made = [
        Check("|x|: share of centres that depart, beside that of windows with the kink, worst", 0,
              worst, 4 / case.attrs["count"], "the kink is in the window if |centre| < width")
    ]  # fmt: skip
    if wanted.at == 0:
        lean = 1 + abs(float(case.slope))  # one end leaves a line of slope s by w (1 + |s|)
        worst = float(np.abs(case.there.values / widths / lean - 1).max())
        name = "|x|: departure at 0 over width times 1 + |slope of the line|, from 1"
        made.append(Check(name, 0, worst, 1e-14, "||±w| - s(±w)|, worse of both"))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a function."""
    columns = (
        Column("function", "function", "what is looked at", ""),
        Column("at", "at", "where", ".3g"),
        Column("widest", "widest window", "departure from the tangent there", ".3g"),
        Column("narrowest", "narrowest", "departure in the narrowest window", ".3g"),
        Column("power", "power", "of the width that the departure goes with", ".4f"),
        Column("median", "elsewhere", "the same, for the median of all centres", ".4f"),
    )
    rows = [
        {
            "function": case.attrs["function"],
            "at": case.attrs["at"],
            "widest": float(case.there[0]),
            "narrowest": float(case.there[-1]),
            "power": slope(case, case.there),
            "median": slope(case, case.departure.sel(quantile=0.5))
            if case.attrs["smooth"]
            else float("nan"),
        }
        for case in cases(data)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Which functions become straight."""
    said = [
        f"{row['function']} departs from its tangent with the width to the power {row['power']:.3g}"
        for row in summary(data).rows
    ]
    return "; ".join(said)[:1].upper() + "; ".join(said)[1:] + "."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Windows that narrow, and the departure from the tangent."""
    return {"zoom_line": partial(zoom_line, cases(data))}


def zoom_line(found: Sequence[xr.Dataset]) -> plots.Figure:
    """A row for each function: its windows, then departures over the width."""
    across = max(case.sizes["window"] for case in found) + 1
    panels = []
    for case in found:
        drawn = [_window(case, index) for index in range(case.sizes["window"])]
        panels += [*drawn, *drawn[-1:] * (across - 1 - len(drawn)), _law(case)]
    alt = " ".join(
        f"{row['function']} at {row['at']:g}: the departure from the tangent falls from "
        f"{number(row['widest'])} to {number(row['narrowest'])}, power {row['power']:.2f}."
        for row in summary_rows(found)
    )
    return plots.chart(
        "Look closely: smooth curves become straight, a kink stays a kink",
        panels,
        caption="A row is a function seen through narrower and narrower windows, with its tangent, "
        "the height shrinking with the width unless the curve needs more. Right, the largest "
        "distance between curve and tangent over half the window's width: at the drawn point, and "
        f"for the median of {found[0].attrs['count']:,} centres, with a band that holds 90 % of "
        "them (where there is a tangent at all).",
        alt=f"Curves with tangents in narrowing windows. {alt}",
        grid=(len(found), across),
    )


def summary_rows(found: Sequence[xr.Dataset]) -> list[dict[str, Any]]:
    """What the alt text tells."""
    return [
        {
            "function": case.attrs["function"],
            "at": case.attrs["at"],
            "widest": float(case.there[0]),
            "narrowest": float(case.there[-1]),
            "power": slope(case, case.there),
        }
        for case in found
    ]


def _window(case: xr.Dataset, index: int) -> plots.Panel:
    x, y = case.x.values[index], case.curve.values[index]
    at, value = case.attrs["at"], float(case.value)
    tangent = value + float(case.slope) * (x - at)
    span = np.ptp(case.curve.values[0]) * np.ptp(x) / np.ptp(case.x.values[0])
    room = 0.58 * max(span, np.ptp(y))
    middle = (y.min() + y.max()) / 2
    marks: list[plots.Mark] = [
        plots.Line(x=x, y=y, label="function"),
        plots.Line(x=x, y=tangent, label="tangent"),
        plots.Points(x=[at], y=[value], tone="text", marker="o", size=7.0),
    ]
    return plots.Panel(
        marks,
        title=case.attrs["function"] if index == 0 else "",
        xlim=(x[0], x[-1]),
        ylim=(middle - room, middle + room),
        x="x",
    )


def _law(case: xr.Dataset) -> plots.Panel:
    x = case.width.values
    marks: list[plots.Mark] = []
    if case.attrs["smooth"]:
        low, middle, high = (case.departure.sel(quantile=q).values for q in QUANTILES)
        marks.append(plots.Line(x=x, y=middle, band=(low, high), label=MEDIAN, tone=2))
    marks.append(plots.Line(x=x, y=case.there.values, label="at the point", tone=3, marked=8))
    return plots.Panel(
        marks,
        title=f"power {slope(case, case.there):.2f}",
        x="width",
        scales=("log", "log"),
        xlim=(x[-1], x[0]),
        ylim=(1e-12, 30.0),
    )

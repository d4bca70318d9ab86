"""What does a function tend to, and where does each precision lose its limit?"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Literal, Self

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, Strict, model_validator

from lab import config, plots
from lab.calculus.limits import approach, extrapolate
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

PRECISIONS = ("float64", "float32", "bfloat16")
SIDES = ("left", "right")
QUANTILES = (0.05, 0.5, 0.95)
LOST = 0.5
"""A relative error from which on nothing is left of the limit."""
COARSE = int(-math.log2(np.finfo(np.float64).eps) / 3)
"""Scales to extrapolate from: a third of the digits, before rounding tells."""
FEWEST, MOST = 54, 100
"""Scales: enough to lose a limit in float64, and not so many that bfloat16 overflows."""
LOWEST, HIGHEST = 1e-17, 10.0
"""The errors that can be drawn."""


class Case(config.Section):
    """A function, the place that it approaches, and what is known of its limit."""

    function: config.FunctionField
    at: Annotated[float, Strict()] = Field(description="The point, or inf for both infinities.")
    limit: config.Finite = Field(description="The limit there, on both sides.")
    order: config.Count = Field(description="The power of the distance that the error goes with.")
    lost: config.FunctionField | None = Field(
        None,
        description="The distance at which rounding destroys the limit, as a function of the "
        "relative spacing x of the precision; absent: it never does.",
    )


class Config(config.ExperimentConfig):
    """The functions, and how many distances are tried."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=6, description="The functions.")
    scales: config.Side = Field(
        60, description="Distances from 1 down, each half of the one before."
    )
    offsets: config.Count = Field(1000, description="Distances within each scale.")

    @model_validator(mode="after")
    def _beyond_float64(self) -> Self:
        if not FEWEST <= self.scales <= MOST:
            told = f"{self.scales} is not allowed; give {FEWEST} to {MOST}, beyond float64's digits"
            raise SpecError([Fault(("scales",), told)])
        return self


def compute(config: Config, session: Session) -> None:
    """Errors on both sides over all distances, in every precision; and the limit from values."""
    scales = 2.0 ** -np.arange(config.scales)
    h = np.outer(scales, 2.0 ** (np.arange(config.offsets) / config.offsets))
    rounded = [h.ravel().astype(jnp.dtype(precision)) for precision in PRECISIONS]
    values = []
    for case in config.cases:
        found = session.batched(partial(_everywhere, case.function, case.at), *rounded)
        values.append(np.array(found, float).reshape(len(PRECISIONS), len(SIDES), *h.shape))
    coarse = np.stack(values)[:, 0, :, :COARSE, 0].reshape(-1, COARSE)
    estimates = session.batched(extrapolate, coarse)[0].reshape(-1, len(SIDES))
    for index, (case, found) in enumerate(zip(config.cases, values, strict=True)):
        error, lost = _errors(case, found)
        data = xr.Dataset(
            {
                "error": (("precision", "distance", "quantile"), error),
                "lost": ("precision", lost),
                "estimate": ("side", estimates[index]),
            },
            {"distance": scales, "quantile": list(QUANTILES)},
            {"function": case.function.label, "at": str(case.at), "limit": case.limit},
        )
        session.save(f"_cases/{index:02d}", data)


def _everywhere(f: Callable[..., Any], at: float, *h: Any) -> list[Any]:
    return [approach(f, at, each) for each in h]


def _errors(case: Case, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of the error, and the number of scales from which on the limit is lost.

    Args:
        case: whose limit is known; errors are relative to it unless it is 0.
        values: by precision, side, scale and offset; where there is none, the error is infinite.
    """
    error = np.abs(values - case.limit) / (abs(case.limit) or 1.0)
    error = np.where(np.isnan(error), np.inf, error).max(axis=1)
    quantiles = np.quantile(error, QUANTILES, axis=-1, method="nearest")
    kept = np.median(error, axis=-1) <= LOST
    return np.moveaxis(quantiles, 0, -1), np.argmax(kept[:, ::-1], axis=1)


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def place(case: xr.Dataset) -> str:
    """What x tends to, in words."""
    at = float(case.attrs["at"])
    return "x → ±∞" if math.isinf(at) else f"x → {number(at)}"


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The limits from either side, how fast they are approached, and where they are lost."""
    made = []
    for wanted, case in zip(config.cases, cases(data), strict=True):
        label = f"{case.attrs['function']}, {place(case)}"
        for side, estimate in zip(SIDES, case.estimate.values.tolist(), strict=True):
            name = f"{label}: limit from the {side}, extrapolated"
            made.append(Check(name, wanted.limit, estimate, 1e-9, "known limit"))
        fine = case.isel(precision=0).sel(quantile=0.5, distance=slice(2.0**-6, 2.0**-10))
        slope = np.polyfit(np.log2(fine.distance), np.log2(fine.error), 1)[0]
        name = f"{label}: power of the distance that the error goes with"
        made.append(Check(name, wanted.order, float(slope), 0.03, "Taylor's theorem"))
        for precision, lost in zip(PRECISIONS, case.lost.values.tolist(), strict=True):
            name = f"{label}: scales at which {precision} has lost the limit"
            expected = _expected(wanted, precision, case.distance.values)
            made.append(Check(name, expected, lost, 1, "where at + h or cos h is rounded away"))
    return made


def _expected(case: Case, precision: str, distances: np.ndarray) -> int:
    if case.lost is None:
        return 0
    border = float(case.lost(jnp.float32(jnp.finfo(jnp.dtype(precision)).eps)))
    return int(np.sum(distances < border))


def lost_at(case: xr.Dataset) -> list[float]:
    """The distance from which on each precision has lost the limit; 0 if it never does."""
    distances = case.distance.values
    return [float(distances[-lost]) if lost else 0.0 for lost in case.lost.values.tolist()]


def summary(data: xr.DataTree) -> Table:
    """One row a function."""
    columns = (
        Column("function", "function", "what has a limit", ""),
        Column("place", "place", "what x tends to", ""),
        Column("limit", "limit", "from both sides, extrapolated from values", ".8g"),
        *(
            Column(precision, f"lost in {precision}", "from this distance on; 0: never", ".1e")
            for precision in PRECISIONS
        ),
    )
    rows = [
        {
            "function": case.attrs["function"],
            "place": place(case),
            "limit": round(float(case.estimate.mean()), 12),
            **dict(zip(PRECISIONS, lost_at(case), strict=True)),
        }
        for case in cases(data)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """The limits, and how many are lost."""
    rows = summary(data).rows
    said = [f"{row['function']} tends to {row['limit']:.6g} as {row['place']}" for row in rows]
    spoilt = sum(row["float64"] > 0 for row in rows)
    told = f"nearer than rounding allows, even float64 loses {spoilt} of {len(rows)}"
    return f"{'; '.join(said)[:1].upper()}{'; '.join(said)[1:]}; {told}."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Errors over the distance."""
    return {"limit_approach": partial(limit_approach, cases(data))}


def limit_approach(found: Sequence[xr.Dataset]) -> plots.Figure:
    """A panel for each limit, a line for each precision."""
    alt = " ".join(f"{case.attrs['function']}, {place(case)}: {_said(case)}." for case in found)
    across = 3 if len(found) > 2 else len(found)
    return plots.chart(
        "The nearer, the better, until rounding takes the limit away",
        [_panel(case, first=index % across == 0) for index, case in enumerate(found)],
        caption="A line is the median error of f against its limit, the worse of both sides, over "
        "the distance (at infinity, of 1/x from 0); its band holds 90 % of the distances within a "
        "factor of 2. A large marker is where half the limit is lost for good. Errors are "
        f"relative (absolute where the limit is 0) and drawn between {LOWEST:g} and {HIGHEST:g}.",
        alt="Errors over the distance, both logarithmic, one line each for float64, float32 and "
        f"bfloat16. {alt}",
        grid=(-(-len(found) // across), across),
    )


def _said(case: xr.Dataset) -> str:
    if not case.lost.values.any():
        return "never lost"
    told = [f"{at:.0e} ({name})" for at, name in zip(lost_at(case), PRECISIONS, strict=True)]
    return "lost from " + ", ".join(told)


def _panel(case: xr.Dataset, first: bool) -> plots.Panel:
    x = case.distance.values
    low, middle, high = (
        np.clip(case.error.sel(quantile=q).values, LOWEST, HIGHEST) for q in QUANTILES
    )
    marks: list[plots.Mark] = []
    for row, (precision, at) in enumerate(zip(PRECISIONS, lost_at(case), strict=True)):
        band = (low[row], high[row])
        marks.append(plots.Line(x=x, y=middle[row], band=band, label=precision, marked=10))
        if at:
            marks.append(plots.Points(x=[at], y=[LOST], tone=row, size=12.0))
    limit = number(float(case.attrs["limit"]), 6)
    return plots.Panel(
        marks,
        title=case.attrs["function"],
        note=f"{place(case)}, limit {limit}",
        x="distance",
        y="error" if first else "",
        scales=("log", "log"),
        xlim=(x[-1], x[0]),
        ylim=(LOWEST / 3, HIGHEST * 10),
    )

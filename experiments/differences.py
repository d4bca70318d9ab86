"""How small should the step of a numerical derivative be?"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus import derivatives as calculus
from lab.check import Check
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

METHODS: dict[str, Callable[..., Any]] = {
    "forward": calculus.forward_difference,
    "backward": calculus.backward_difference,
    "central": calculus.central_difference,
    "five-point": calculus.five_point_difference,
    "complex step": calculus.complex_step,
}
ORDERS = {"forward": 1, "backward": 1, "central": 2}
"""The power of h in the errors that are checked."""

PRECISIONS = ("bfloat16", "float32", "float64")
TOLERANCES = {"bfloat16": 1.0, "float32": 0.5, "float64": 0.5}
"""Decades that the best step may be off; bfloat16 has but two from its spacing to 1."""

BLOCK = 1 << 14
LEVELS = [0.1, 0.5, 0.9]


class Case(config.Section):
    """A function, and the middle of the points where it is differentiated."""

    function: config.FunctionField
    at: config.Finite = Field(description="The middle of the points.")
    best: tuple[config.Positive, config.Positive] | None = Field(
        None, description="Published float64 errors at the best forward and central step."
    )


class Config(config.ExperimentConfig):
    """The functions, points and steps."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=6, description="Functions.")
    steps: config.SweepField = Field(description="Steps h, increasing.")
    points: config.Side = Field(4000, description="Random points around the middle, a function.")
    spread: config.Positive = Field(0.1, description="How far they may be from it.")


def compute(config: Config, session: Session) -> None:
    """Errors of every method, step and precision against autodiff: median and band."""
    h = np.asarray(config.steps, np.float64)
    random = np.random.default_rng(config.seed)
    for index, case in enumerate(config.cases):
        x = case.at + config.spread * random.uniform(-1, 1, config.points)
        bands = [_band(case.function, x, h, precision, session) for precision in PRECISIONS]
        there = session.batched(
            partial(calculus.derivatives, case.function, order=3), np.array([case.at])
        )
        data = xr.Dataset(
            {
                "error": (("precision", "level", "difference", "step"), np.stack(bands)),
                "derivative": ("order", there[0]),
            },
            {
                "precision": list(PRECISIONS),
                "level": LEVELS,
                "difference": list(METHODS),
                "step": h,
            },
            {"function": case.function.label, "at": case.at, "points": config.points},
        )
        session.save(f"_cases/{index:02d}", data)


def _band(
    f: Callable[..., Any], x: np.ndarray, h: np.ndarray, precision: str, session: Session
) -> np.ndarray:
    """Quantiles over the points of |difference - f'(x)|: (level, difference, step)."""
    cast = x.astype(jnp.dtype(precision))
    exact = session.batched(jax.grad(f), cast.astype(np.float64))
    steps = jnp.asarray(h, precision) if precision != "float64" else h
    found = session.batched(partial(_differences, f, steps), cast, block=BLOCK)
    error = np.abs(found.astype(np.float64) - exact[:, None, None])
    return np.quantile(error, LEVELS, axis=0)


def _differences(f: Callable[..., Any], steps: Any, x: Any) -> Any:
    """All methods at one point, over all steps: (method, step); bfloat16 has no complex numbers."""
    h = jnp.asarray(steps, x.dtype)
    rows = []
    for name, method in METHODS.items():
        if name != "complex step":
            rows.append(jax.vmap(partial(method, calculus.rounding(f), x))(h))
        elif x.dtype == jnp.bfloat16:
            rows.append(jnp.full_like(h, jnp.nan))
        else:
            rows.append(jax.vmap(partial(method, f, x))(h))
    return jnp.stack(rows)


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    found = [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]
    names = {"precision": list(PRECISIONS), "difference": list(METHODS)}
    return [case.assign_coords(names) for case in found]


def epsilon(precision: str) -> float:
    """The distance from 1 to the next number."""
    return float(jnp.finfo(precision).eps)


def theory(case: xr.Dataset, method: str, precision: str) -> float:
    """The best step, where rounding and truncation are equal."""
    f, _, second, third = np.abs(case.derivative.values)
    eps = epsilon(precision)
    return float(
        np.cbrt(3 * eps * f / third) if method == "central" else 2 * np.sqrt(eps * f / second)
    )


def best(case: xr.Dataset, method: str, precision: str) -> tuple[float, float]:
    """The step that is best for nine points of ten, and the smallest median error.

    Theory bounds the rounding, which for most points is smaller: hence the upper edge of the band.
    """
    error = case.error.sel(difference=method, precision=precision)
    where = int(error.sel(level=0.9).values.argmin())
    return float(case.step[where]), float(error.sel(level=0.5).min())


def slope(case: xr.Dataset, method: str, precision: str, side: str) -> float | None:
    """The power of h in the median error, well above the best step or well below it.

    None where fewer than four steps are on that side.
    """
    h, middle = case.step.values, theory(case, method, precision)
    above = (h > 8 * middle) & (h < 0.1)
    kept = above if side == "above" else (h < middle / 8) & (h > 16 * epsilon(precision))
    if kept.sum() < 4:
        return None
    error = case.error.sel(difference=method, precision=precision, level=0.5).values
    return float(np.polyfit(np.log(h[kept]), np.log(error[kept]), 1)[0])


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Slopes on both sides of the best step, and the best step itself."""
    made = []
    for case, stated in zip(cases(data), config.cases, strict=True):
        for precision in PRECISIONS:
            for method, order in ORDERS.items():
                made += _checked(case, method, precision, order)
        if stated.best is not None:
            for method, known in zip(("forward", "central"), stated.best, strict=True):
                name = f"{case.attrs['function']}, float64: log10 of the smallest {method} error"
                measured = np.log10(best(case, method, "float64")[1])
                made.append(Check(name, float(np.log10(known)), float(measured), 0.5, "published"))
    return made


def _checked(case: xr.Dataset, method: str, precision: str, order: int) -> list[Check]:
    name = f"{case.attrs['function']}, {precision}, {method}: "
    made = []
    for side, power, source in (("above", order, "truncation"), ("below", -1, "rounding")):
        measured = slope(case, method, precision, side)
        if measured is not None:
            told = f"{name}power of h {side} the best step"
            made.append(Check(told, power, measured, 0.15, f"{source} error of the difference"))
    step, expected = best(case, method, precision)[0], theory(case, method, precision)
    source = "2 sqrt(eps |f/f''|)" if order == 1 else "(3 eps |f/f'''|)^(1/3)"
    told = f"{name}log10 of the best step"
    return [
        *made,
        Check(
            told, float(np.log10(expected)), float(np.log10(step)), TOLERANCES[precision], source
        ),
    ]


def summary(data: xr.DataTree) -> Table:
    """One row a function, precision and method."""
    columns = (
        Column("function", "function", "what is differentiated", ""),
        Column("precision", "precision", "of all numbers", ""),
        Column("method", "method", "the difference", ""),
        Column("step", "best h", "the step that is best for nine points of ten", ".1e"),
        Column("theory", "theory", "where rounding and truncation balance", ".1e"),
        Column("error", "error", "the smallest median error", ".1e"),
    )
    rows = []
    for case in cases(data):
        for precision in PRECISIONS:
            for method in ORDERS:
                step, error = best(case, method, precision)
                row = {"function": case.attrs["function"], "precision": precision, "method": method}
                told = {"step": step, "theory": theory(case, method, precision), "error": error}
                rows.append(row | told)
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """The best steps of the first function."""
    case = cases(data)[0]
    said = [
        f"a {method} difference does best at h = {number(best(case, method, 'float64')[0], 2)} "
        f"(error {number(best(case, method, 'float64')[1], 2)})"
        for method in ("forward", "central")
    ]
    return f"For {case.attrs['function']} in float64, {' and '.join(said)}: smaller is worse."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The U-curves of each function."""
    names = ["fd_u_curve", *(f"fd_u_curve_{i}" for i in range(2, 7))]
    return {name: partial(u_curve, case) for name, case in zip(names, cases(data), strict=False)}


def u_curve(case: xr.Dataset) -> plots.Figure:
    """Error against step, a panel for each precision."""
    told = [
        f"{precision}: best forward step {number(best(case, 'forward', precision)[0], 2)}, "
        f"central {number(best(case, 'central', precision)[0], 2)}."
        for precision in PRECISIONS
    ]
    return plots.chart(
        f"{case.attrs['function']}: too large a step truncates, too small a one rounds",
        [_panel(case, precision) for precision in PRECISIONS],
        caption=f"A line is the median error against automatic differentiation over "
        f"{case.attrs['points']} points around {case.attrs['at']:g}, its band the middle 80 %. "
        "Bands are drawn for the forward and central difference only; dashed: the best steps of "
        "theory. bfloat16 has no complex numbers.",
        alt="Errors of numerical derivatives against the step: U-shaped. " + " ".join(told),
    )


def _panel(case: xr.Dataset, precision: str) -> plots.Panel:
    marks: list[plots.Mark] = []
    h = case.step.values
    for method in METHODS:
        low, middle, high = np.maximum(
            case.error.sel(precision=precision, difference=method).values, 1e-17
        )
        band = (low, high) if method in ("forward", "central") else None
        marks.append(plots.Line(x=h, y=middle, band=band, label=method))
    for method in ("forward", "central"):
        marks.append(plots.Guide(x=theory(case, method, precision), tone="muted"))
    return plots.Panel(
        marks,
        title=precision,
        x="step h",
        y="|error|",
        scales=("log", "log"),
        xlim=(h[0], h[-1]),
        ylim=(1e-17, 1e2),
    )

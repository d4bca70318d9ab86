"""Symbolic, numerical, automatic: do three ways to a derivative agree, and what does each cost?"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.batch import batched
from lab.calculus import Function, symbolic
from lab.calculus.derivatives import central_difference, derivative
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.flow import Meter
from lab.plots.text import number
from lab.table import Column, Table

METHODS = ("the function itself", "automatic", "numerical", "symbolic, XLA", "symbolic, NumPy")
DIGITS = 40
"""Of the symbolic derivative where it is evaluated as an oracle."""


class Case(config.Section):
    """A function, perhaps put into itself."""

    function: config.FunctionField
    nested: config.Count = Field(1, le=4, description="How often it is applied in a row.")
    tolerance: config.Positive = Field(
        1e-6, description="What the numerical derivative may be off, relative to f' and x f''."
    )

    @property
    def label(self) -> str:
        """The formula, and how often it is applied."""
        times = f", {self.nested} times nested" if self.nested > 1 else ""
        return f"{self.function.label}{times}"


class Config(config.ExperimentConfig):
    """The functions and points."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=4, description="Functions.")
    window: tuple[config.Finite, config.Finite] = Field((-5.0, 5.0), description="Ends of x.")
    points: config.Side = Field(1_000_000, description="Points, evenly spread.")
    repeats: config.Count = Field(3, description="Measurements of each time; the least counts.")
    exact: config.Count = Field(16, description="Points compared with 40 digits.")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if self.window[0] >= self.window[1]:
            raise SpecError([Fault(("window",), "the low end must be below the high end")])
        return self


def compute(config: Config, session: Session) -> None:
    """Values and times of every method, and their distance from the symbolic derivative."""
    symbolic.sympy()  # says what is missing before anything is run
    x = np.linspace(*config.window, config.points)
    for index, case in enumerate(config.cases):
        with session.reporter.task(case.label, len(METHODS)) as report:
            session.save(f"_cases/{index:02d}", _compared(case, x, config, session, report))


def _compared(
    case: Case, x: np.ndarray, config: Config, session: Session, report: Callable[[int], None]
) -> xr.Dataset:
    f = partial(nested, case.function, case.nested)
    begun = time.perf_counter()
    letter = symbolic.symbol()
    written = symbolic.sympy().diff(nested_expression(case.function, case.nested, letter), letter)
    targets = [symbolic.compiled(written, letter, target) for target in ("jax", "numpy")]
    prepared = time.perf_counter() - begun
    ways = (f, jax.grad(f), partial(numerical, f), targets[0])
    rows = []
    for way in ways:
        rows.append(_through_xla(way, x, config.repeats, session))
        report(1)
    rows.append(_through_numpy(targets[1], x, config.repeats))
    report(1)
    values, compiles, runs = (list(part) for part in zip(*rows, strict=True))
    extra = np.array([0, 0, 0, prepared, prepared])
    bend = session.batched(derivative(f, 2), x)
    scale = np.abs(values[4]) + np.abs(x * bend)
    off = [np.abs(one - values[4]) / np.where(scale == 0, 1, scale) for one in values[1:]]
    pick = np.linspace(0, len(x) - 1, config.exact + 2).astype(int)[1:-1]
    truth = [
        float(written.evalf(DIGITS, subs={letter: symbolic.exactly(float(x[i]))})) for i in pick
    ]
    return xr.Dataset(
        {
            "compile": ("way", np.array(compiles) + extra),
            "run": ("way", runs),
            "median": ("way", [0.0, *(float(np.median(one)) for one in off)]),
            "worst": ("way", [0.0, *(float(one.max()) for one in off)]),
            "exact_worst": (
                "way",
                [
                    0.0,
                    *(float(np.max(np.abs(one[pick] - truth) / scale[pick])) for one in values[1:]),
                ],
            ),
        },
        None,
        {"function": case.label, "points": len(x)},
    )


def nested(f: Function, times: int, x: Any) -> Any:
    """f(f(...f(x)))."""
    for _ in range(times):
        x = f(x)
    return x


def nested_expression(f: Function, times: int, x: Any) -> Any:
    """The same in SymPy."""
    for _ in range(times):
        x = symbolic.expression(f, x)
    return x


def numerical(f: Callable[[Any], Any], x: Any) -> Any:
    """A central difference over the cube root of eps, relative to x where that is above 1."""
    h = jnp.cbrt(jnp.finfo(x.dtype).eps).astype(x.dtype) * jnp.maximum(1.0, jnp.abs(x))
    return central_difference(f, x, h)


def _through_xla(
    way: Callable[[Any], Any], x: np.ndarray, repeats: int, session: Session
) -> tuple[np.ndarray, float, float]:
    """Values, and the least seconds of compiling and of running."""
    meters = [Meter() for _ in range(repeats)]
    values = [batched(way, x, meter=meter) for meter in meters][-1]
    for meter in meters:
        session.closer.compile += meter.compile
        session.closer.run += meter.run
        session.closer.transfer += meter.transfer
    return values, min(m.compile for m in meters), min(m.run for m in meters)


def _through_numpy(
    way: Callable[[Any], Any], x: np.ndarray, repeats: int
) -> tuple[np.ndarray, float, float]:
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        values = way(x)
        seconds.append(time.perf_counter() - begun)
    return np.asarray(values, float) * np.ones_like(x), 0.0, min(seconds)


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    found = [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]
    return [case.assign_coords(way=list(METHODS)) for case in found]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The methods agree, everywhere and with 40 digits."""
    made = []
    for case, stated in zip(cases(data), config.cases, strict=True):
        name = case.attrs["function"]
        for method, tolerance in (
            ("automatic", 1e-12), ("numerical", stated.tolerance), ("symbolic, XLA", 1e-12),
        ):  # fmt: skip
            worst = float(case.worst.sel(way=method))
            told = f"{name}: {method} beside symbolic, worst of {case.attrs['points']}"
            made.append(Check(told, 0, worst, tolerance, "SymPy; relative to |f'| + |x f''|"))
        exact = float(case.exact_worst.sel(way="automatic"))
        told = f"{name}: automatic beside the symbolic derivative in {DIGITS} digits"
        made.append(Check(told, 0, exact, 1e-12, "SymPy; relative to |f'| + |x f''|"))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a function and method."""
    columns = (
        Column("function", "function", "what is differentiated", ""),
        Column("method", "method", "how", ""),
        Column("ratio", "time over f", "run time over that of the function itself", ".2f"),
        Column("compile", "prepare / s", "seconds to derive and compile, apart", ".3f"),
        Column(
            "median", "median off", "beside the symbolic one, relative to |f'| + |x f''|", ".1e"
        ),
        Column("worst", "worst off", "the same, at the worst point", ".1e"),
    )
    rows = [
        {"function": case.attrs["function"], "method": method}
        | {"ratio": float(case.run[i] / case.run[0])}
        | {key: float(case[key][i]) for key in ("compile", "median", "worst")}
        for case in cases(data)
        for i, method in enumerate(METHODS)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """What each costs for the last function."""
    case = cases(data)[-1]
    said = [
        f"{method} {number(float(case.run[i] / case.run[0]), 2)} times"
        for i, method in enumerate(METHODS)
        if i
    ]
    return (
        f"The ways agree. If {case.attrs['function']} takes 1, its derivative takes: "
        + ", ".join(said)
        + "."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Cost and agreement."""
    return {"diff_methods_cost": partial(cost, cases(data))}


def cost(found: list[xr.Dataset]) -> plots.Figure:
    """A panel each for time, preparation and disagreement."""
    told = [
        f"{row['function']}, {row['method']}: {row['ratio']:.2g} times the function, prepared in "
        f"{row['compile']:.2g} s, off by {row['worst']:.1e}."
        for case in found
        for row in _rows(case)
    ]
    kept = {
        "run": ("Run time", "times that of f"),
        "compile": ("Preparation, apart", "seconds"),
        "worst": ("Worst disagreement", "relative, beside symbolic"),
    }
    return plots.chart(
        "Three ways to a derivative agree; their costs differ",
        [_panel(found, key, *words) for key, words in kept.items()],
        caption=f"A mark is a method and function at {found[0].attrs['points']} points: the least "
        "of several times, without transfer. XLA uses all cores, NumPy one. Preparation is "
        "deriving and compiling. Disagreement is relative to |f'| + |x f''|, and at least 1e-18.",
        alt="Times and disagreements of derivatives. " + " ".join(told),
    )


def _rows(case: xr.Dataset) -> list[dict[str, Any]]:
    return [
        {
            "function": case.attrs["function"],
            "method": method,
            "ratio": float(case.run[i] / case.run[0]),
            "compile": float(case.compile[i]),
            "worst": float(case.worst[i]),
        }
        for i, method in enumerate(METHODS)
    ]


def _panel(found: list[xr.Dataset], key: str, title: str, axis: str) -> plots.Panel:
    marks = []
    for case in found:
        values = case[key].values / (case.run.values[0] if key == "run" else 1)
        if key == "worst":  # not of the function, nor of the derivative compared with
            values = np.maximum(values, 1e-18)
            values[[0, -1]] = np.nan
        rows, label = np.arange(len(METHODS)), case.attrs["function"]
        marks.append(plots.Points(x=values, y=rows, label=label))
    names = METHODS if key == "run" else [""] * len(METHODS)
    longest = 1.1 * max(float(case["compile"].max()) for case in found)
    return plots.Panel(
        marks,
        title=title,
        x=axis,
        scales=("linear" if key == "compile" else "log", "linear"),
        xlim=(0, longest) if key == "compile" else None,
        rows=names,
    )

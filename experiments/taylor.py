"""How far does a Taylor polynomial reach?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.taylor import taylor_coefficients, taylor_values
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.table import Column, Table

BEYOND = 3
"""Coefficients above the highest degree, in case the next ones vanish."""

BETWEEN = 33
"""Places between the point and x where the derivatives in Lagrange's bound are looked at."""

RUNGS = 9
"""Steps of a fitted power."""

SMALL = 1e-10
"""The least remainder, relative to f, that is measured for the local slope: above rounding."""


class Case(config.Section):
    """A function, where it is expanded, and what is drawn of it."""

    function: config.FunctionField
    at: config.Finite = Field(description="Where it is expanded.")
    window: tuple[config.Finite, config.Finite] = Field(description="Ends of what is drawn.")
    error_window: tuple[config.Finite, config.Finite] = Field(
        description="Ends of the image of errors."
    )

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        windows = {"window": self.window, "error_window": self.error_window}
        faults = [
            Fault((key,), "must hold the point of expansion between its ends")
            for key, (low, high) in windows.items()
            if not low < self.at < high
        ]
        if faults:
            raise SpecError(faults)
        return self


class Config(config.ExperimentConfig):
    """The functions and the degrees."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=6, description="Expansions.")
    degrees: tuple[config.Count, ...] = Field(
        (1, 2, 4, 6, 8), min_length=1, max_length=6, description="Degrees of the curves."
    )
    highest: config.Side = Field(60, le=150, description="Highest degree of the image.")
    points: config.Side = Field(401, description="Points of a curve and of the image.")
    frames: config.Side = Field(25, le=100, description="Frames of the animation, one a degree.")

    @model_validator(mode="after")
    def _low_enough(self) -> Self:
        wanted = {"degrees": max(self.degrees), "frames": self.frames - 1}
        faults = [
            Fault((key,), f"goes up to degree {most}, above highest = {self.highest}")
            for key, most in wanted.items()
            if most > self.highest
        ]
        if faults:
            raise SpecError(faults)
        return self


def compute(config: Config, session: Session) -> None:
    """Coefficients everywhere (for Lagrange's bound), polynomials and their errors."""
    for index, case in enumerate(config.cases):
        session.save(f"_cases/{index:02d}", _expanded(config, case, session))


def _expanded(config: Config, case: Case, session: Session) -> xr.Dataset:
    """One program for coefficients, one for polynomials, one for the function."""
    x, wide = (np.linspace(*ends, config.points) for ends in (case.window, case.error_window))
    between = case.at + np.outer(wide - case.at, np.linspace(0, 1, BETWEEN))
    expand = partial(taylor_coefficients, case.function, degree=config.highest + BEYOND)
    everywhere = session.batched(expand, np.concatenate([[case.at], between.ravel()]))
    c, bounds = everywhere[0], everywhere[1:].reshape(*between.shape, -1)
    near = case.at + np.concatenate([_steps(c, degree) for degree in config.degrees])
    points = np.concatenate([x, wide, near])
    values = session.batched(case.function, points)
    repeated = np.tile(c[: config.highest + 1], (len(points), 1))
    sums = session.batched(taylor_values, repeated, points - case.at)
    ends = [len(x), 2 * len(x)]
    left = np.split(values[:, None] - sums, ends)
    return xr.Dataset(
        {
            "coefficient": ("order", c),
            "curve": ("x", values[: len(x)]),
            "polynomial": (("x", "degree"), sums[: len(x)]),
            "error": (("wide", "degree"), np.abs(left[1])),
            "bound": (("wide", "degree"), _lagrange(bounds, wide - case.at)[:, : sums.shape[1]]),
            "power": ("shown", _powers(c, near - case.at, left[2], config.degrees)),
        },
        {"x": x, "wide": wide, "degree": np.arange(sums.shape[1]), "shown": list(config.degrees)},
        {"function": case.function.label, "at": case.at, "frames": config.frames},
    )


def _lagrange(coefficients: np.ndarray, t: np.ndarray) -> np.ndarray:
    """|t|^(n+1) times the largest |f^(n+1)| / (n+1)! between the point and x: (x, n)."""
    size = np.abs(coefficients).max(axis=1)[:, 1:]
    return size * np.abs(t)[:, None] ** np.arange(1, size.shape[1] + 1)


def order(c: np.ndarray, degree: int) -> int:
    """The power of the first term that a polynomial of this degree leaves out and that is not 0."""
    left = np.flatnonzero(np.abs(c[degree + 1 :]) > 1e-13 * np.abs(c).max())
    return degree + 1 + int(left[0]) if len(left) else degree + 1


def _steps(c: np.ndarray, degree: int) -> np.ndarray:
    """Steps to both sides at which the remainder is just above rounding."""
    leading = order(c, degree)
    least = (SMALL * max(1.0, abs(c[0])) / max(abs(c[leading]), 1e-300)) ** (1 / leading)
    h = least * np.geomspace(1, 2, RUNGS)
    return np.concatenate([h, -h])


def _powers(c: np.ndarray, t: np.ndarray, left: np.ndarray, degrees: Sequence[int]) -> list[float]:
    """The measured power of h in the remainder of each degree.

    The part of the remainder that is as even or odd as its leading term is free of the next term.
    """
    found = []
    for index, degree in enumerate(degrees):
        at = 2 * RUNGS * index
        ahead, back = (left[at + i : at + i + RUNGS, degree] for i in (0, RUNGS))
        part = np.abs(ahead + (-1) ** order(c, degree) * back)
        h = t[at : at + RUNGS]
        found.append(float(np.polyfit(np.log(h), np.log(part), 1)[0]))
    return found


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def name_of(case: xr.Dataset) -> str:
    """The function and the point."""
    at = f"{case.attrs['at']:g}".replace("-", "\N{MINUS SIGN}")
    return f"{case.attrs['function']} at {at}"


def floor(case: xr.Dataset) -> np.ndarray:
    """What rounding may add to an error: eps times the largest term of the sum, for each x."""
    t = np.abs(case.wide.values - case.attrs["at"])[:, None]
    terms = np.abs(case.coefficient.values) * t**case.order.values
    return np.finfo(float).eps * terms.sum(axis=1)


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The local power of the remainder, and Lagrange's bound over the whole image."""
    made = []
    for case in cases(data):
        for degree, measured in zip(case.shown.values, case.power.values, strict=True):
            expected = order(case.coefficient.values, int(degree))
            told = f"{name_of(case)}: power of h in the remainder of degree {degree}"
            source = "n + 1, or the next term's power where that one is 0"
            made.append(Check(told, expected, float(measured), 0.05, source))
        allowed = 1.01 * case.bound.values + 8 * floor(case)[:, None]
        excess = float(np.max(case.error.values / np.maximum(allowed, 1e-300)))
        told = f"{name_of(case)}: largest error over Lagrange's bound and rounding"
        made.append(Check(told, 1, excess, 0, "Lagrange's remainder", at_most=True))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row an expansion and degree."""
    columns = (
        Column("case", "function", "what is expanded, and where", ""),
        Column("degree", "degree", "of the polynomial", ".0f"),
        Column("power", "power", "of h in the error near the point", ".3f"),
        Column("error", "error", "largest over the window of the image", ".1e"),
    )
    rows = [
        {
            "case": name_of(case),
            "degree": int(degree),
            "power": float(power),
            "error": float(case.error.sel(degree=degree).max()),
        }
        for case in cases(data)
        for degree, power in zip(case.shown.values, case.power.values, strict=True)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """What a degree buys, and what it does not."""
    case = cases(data)[0]
    low, high = (float(case.error.isel(degree=i).max()) for i in (int(case.shown[0]), -1))
    return (
        f"Each degree adds a power of h near the point; over the whole window, the error of "
        f"{name_of(case)} falls from {low:.1e} (degree {int(case.shown[0])}) to {high:.1e} "
        f"(degree {case.sizes['degree'] - 1}), where rounding stops it."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Polynomials on their curves, and their errors over (x, n)."""
    found = cases(data)
    return {"taylor": partial(polynomials, found), "taylor_error": partial(errors, found)}


def polynomials(found: Sequence[xr.Dataset]) -> plots.Figure:
    """The curves with their polynomials; in the frames, one polynomial of rising degree."""
    shown = found[0].shown.values.tolist()
    powers = " ".join(
        f"{name_of(case)}: measured powers of the error "
        + ", ".join(f"{power:.2f}" for power in case.power.values)
        + "."
        for case in found
    )
    return plots.chart(
        "Taylor polynomials hold on to the curve further out with each degree",
        [_curves(case, shown) for case in found],
        caption="The black or white line is the function, the dot the point of expansion; the "
        "others are its Taylor polynomials. In the animation, the degree of a grey one rises by "
        "one a frame.",
        alt=f"Functions and their Taylor polynomials of degree {', '.join(map(str, shown))}. "
        + powers,
        grid=_grid(found),
        frames=lambda index: [_curves(case, shown, index) for case in found],
        count=int(found[0].attrs["frames"]),
    )


def _grid(found: Sequence[xr.Dataset]) -> tuple[int, int]:
    down = 1 if len(found) < 4 else 2
    return down, -(-len(found) // down)


def _curves(case: xr.Dataset, degrees: Sequence[int], moving: int | None = None) -> plots.Panel:
    x, y, at = case.x.values, case.curve.values, case.attrs["at"]
    air = 0.25 * float(np.ptp(y))
    marks: list[plots.Mark] = [plots.Line(x=x, y=y, tone="text", width=4.0)]
    for degree in degrees:
        if moving is None or degree <= moving:
            values = case.polynomial.sel(degree=degree).values
            marks.append(plots.Line(x=x, y=values, label=f"degree {degree}"))
    if moving is not None:
        values = case.polynomial.sel(degree=moving).values
        marks.append(plots.Line(x=x, y=values, tone="muted", width=3.4))
    marks.append(plots.Points(x=[at], y=[float(np.interp(at, x, y))], tone="text", marker="o"))
    return plots.Panel(
        marks,
        title=name_of(case),
        note=f"up to degree {max(degrees) if moving is None else moving}",
        x="x",
        y="f(x)",
        xlim=(x[0], x[-1]),
        ylim=(y.min() - air, y.max() + air),
    )


def errors(found: Sequence[xr.Dataset]) -> plots.Figure:
    """Images of the errors over x and the degree, on one scale."""
    last = found[0].sizes["degree"] - 1
    worst = " ".join(
        f"{name_of(case)}: at most {float(case.error.isel(degree=-1).max()):.1e} at degree {last}."
        for case in found
    )
    return plots.chart(
        "The error of a Taylor polynomial over x and its degree",
        [_image(case) for case in found],
        caption="A pixel is the error |f(x) - p(x)| of the Taylor polynomial of one degree at one "
        "x, in float64. Outside, terms that cancel leave their rounding behind at any degree.",
        alt="Errors fall in a wedge that widens with the degree. " + worst,
        grid=_grid(found),
    )


def _image(case: xr.Dataset) -> plots.Panel:
    values = np.maximum(case.error.values.T, 1e-16)
    x, n = case.wide.values, case.degree.values
    image = plots.Image(
        x=x,
        y=n,
        values=values,
        kind="log",
        limits=(1e-16, 1e4),
        label="error, 1e-16 or less to 1e4 or more",
    )
    return plots.Panel(
        [image, plots.Guide(x=case.attrs["at"])],
        title=name_of(case),
        x="x",
        y="degree n",
        xlim=(x[0], x[-1]),
        ylim=(-0.5, n[-1] + 0.5),
    )

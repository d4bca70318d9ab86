"""How steep are activation functions, and where has their slope vanished in each precision?"""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal, Self

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.activations import ACTIVATIONS, activate
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.layout import keywords
from lab.plots.text import number
from lab.table import Column, Table

PRECISIONS = ("float64", "float32", "bfloat16")
CLASSIC, SMOOTH = ("ReLU", "sigmoid", "tanh"), ("GELU", "softplus", "swish")
LOWEST = 1e-40
"""The smallest slope that is drawn; zeros are drawn here."""


class Config(config.ExperimentConfig):
    """What is drawn, and how finely the ends of the slopes are sought."""

    precision: Literal["float64"] = "float64"
    window: tuple[config.Finite, config.Finite] = Field((-8.0, 8.0), description="What is drawn.")
    points: config.Side = Field(100_001, description="Points of the window.")
    reach: config.Positive = Field(120.0, description="How far out vanished slopes are drawn.")
    search: config.Side = Field(1_600_001, description="Points of [-800, 800] in each precision.")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        if self.window[0] >= self.window[1]:
            raise SpecError([Fault(("window",), "the low end must be below the high end")])
        return self


def compute(config: Config, session: Session) -> None:
    """Values and slopes in float64; then, in every precision, where slopes are not zero."""
    x = np.linspace(*config.window, config.points)
    session.save("_window", _dataset(x, session.batched(activate, x)))
    wide = np.linspace(-800, 800, config.search)
    near = np.linspace(-config.reach, config.reach, 1201)
    for precision in PRECISIONS:
        both = np.concatenate([wide, near]).astype(jnp.dtype(precision))
        found = _dataset(both.astype(float), session.batched(activate, both))
        alive = (found.slope != 0).isel(x=slice(config.search)).values
        at = both[: config.search].astype(float)
        ends = [[at[row].min(), at[row].max()] for row in alive]
        shown = found[["slope"]].isel(x=slice(config.search, None))
        session.save(f"_precisions/{precision}", shown.assign(alive=(("name", "end"), ends)))


def _dataset(x: np.ndarray, found: dict[str, tuple[np.ndarray, np.ndarray]]) -> xr.Dataset:
    value, slope = (np.stack([np.asarray(found[n][i], float) for n in ACTIVATIONS]) for i in (0, 1))
    return xr.Dataset({"value": (("name", "x"), value), "slope": (("name", "x"), slope)}, {"x": x})


def row(name: str) -> int:
    """Where an activation stands."""
    return list(ACTIVATIONS).index(name)


def alive(data: xr.DataTree, precision: str, name: str) -> tuple[float, float]:
    """The least and the greatest x at which the slope is not 0 in a precision."""
    low, high = data[f"_precisions/{precision}"].alive.values[row(name)]
    return float(low), float(high)


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Largest slopes and lowest values; and where a slope is rounded to zero."""
    window = data["_window"].to_dataset()
    x = window.x.values
    step = float(x[1] - x[0])
    slope = {name: window.slope.values[row(name)] for name in ACTIVATIONS}
    value = {name: window.value.values[row(name)] for name in ACTIVATIONS}
    root = math.sqrt(2.0)
    steepest = 0.5 * (1 + math.erf(1.0)) + root * math.exp(-1.0) / math.sqrt(2 * math.pi)
    near = 2 * step**2  # of a smooth peak between two points; curvatures here are below 2
    made = [
        Check("sigmoid: largest slope", 0.25, _top(slope["sigmoid"]), near, "s(1 - s), s = 1/2"),
        Check("tanh: largest slope", 1.0, _top(slope["tanh"]), near, "1 - tanh^2, tanh 0 = 0"),
        Check("ReLU: largest slope", 1.0, _top(slope["ReLU"]), 0.0, "definition"),
        Check("GELU: largest slope", steepest, _top(slope["GELU"]), near, "at sqrt 2"),
        Check("GELU: where it is steepest", root, float(x[slope["GELU"].argmax()]), 2 * step,
              "its second derivative is (2 - x^2) phi(x)"),
        Check("swish: lowest value", -_lambert(), -_top(-value["swish"]), near,
              "-W(1/e), Lambert's W by Newton's method"),
        Check("swish: where it is lowest", -1 - _lambert(), float(x[value["swish"].argmin()]),
              2 * step, "-1 - W(1/e)"),
        Check("softplus: slope minus sigmoid, largest", 0.0,
              _top(np.abs(slope["softplus"] - value["sigmoid"])), 1e-15, "d ln(1 + e^x)/dx"),
    ]  # fmt: skip
    return [*made, *_vanishing(config, data)]


def _top(values: np.ndarray) -> float:
    return float(values.max())


def _lambert() -> float:
    """W(1/e): the w with w e^w = 1/e."""
    w = 0.3
    for _ in range(20):
        w -= (w * math.exp(w) - math.exp(-1)) / (math.exp(w) * (1 + w))
    return w


def _vanishing(config: Config, data: xr.DataTree) -> list[Check]:
    """The right ends of sigmoid and tanh: 1 minus something below half a spacing is 1."""
    made, step = [], 1600 / (config.search - 1)
    for precision in PRECISIONS:
        kind = jnp.finfo(jnp.dtype(precision))
        eps, tiny = float(kind.eps), float(kind.smallest_normal)
        low, high = alive(data, precision, "sigmoid")
        name, known = f"sigmoid, {precision}: last x with a slope", math.log(2 / eps)
        near = step + 2 * eps * known
        source = "ln(2/eps): 1 + e^-x rounds to 1 beyond"
        made.append(Check(name, known, high, near, source))
        name, known = f"sigmoid, {precision}: first x with a slope", math.log(tiny)
        near = step + 2 * eps * abs(known)
        source = "ln of the smallest normal number: e^x underflows below, or becomes subnormal"
        made.append(Check(name, known, low, near, source, at_most=True))
        name, known = f"tanh, {precision}: last x with a slope", math.log(8 / eps) / 2
        source = "ln(8/eps)/2, where tanh x rounds to 1; formulas of it may stop a little off"
        made.append(Check(name, known, alive(data, precision, "tanh")[1], 1.2, source))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row an activation."""
    window = data["_window"].to_dataset()
    columns = (
        Column("name", "activation", "", ""),
        Column("lowest", "lowest", "smallest value of the window", ".4f"),
        Column("slope", "largest slope", "in the window", ".6f"),
        *(
            Column(precision, f"alive in {precision}", "the x whose slope is not rounded to 0", "")
            for precision in PRECISIONS
        ),
    )
    rows = [
        {
            "name": name,
            "lowest": float(window.value[index].min()),
            "slope": float(window.slope[index].max()),
            **{p: _range(*alive(data, p, name)) for p in PRECISIONS},
        }
        for index, name in enumerate(ACTIVATIONS)
    ]
    return Table(columns, tuple(rows))


def _range(low: float, high: float) -> str:
    ends = ("-∞" if low <= -800 else f"{low:.1f}", "∞" if high >= 800 else f"{high:.1f}")
    return f"{ends[0]} to {ends[1]}"


def verdict(data: xr.DataTree) -> str:
    """How much of a gradient survives one layer, and where none does."""
    rows = {row["name"]: row for row in summary(data).rows}
    ends = ", ".join(f"{alive(data, p, 'sigmoid')[1]:.1f} in {p}" for p in PRECISIONS)
    return (
        f"A sigmoid passes on at most {rows['sigmoid']['slope']:.3g} of a gradient, tanh at most "
        f"{rows['tanh']['slope']:.3g}; beyond x = {ends}, the sigmoid passes on nothing."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Values and slopes; and slopes far out in every precision."""
    return {"activations": partial(activations, data), "vanishing": partial(vanishing, data)}


def activations(data: xr.DataTree) -> plots.Figure:
    """Values above, slopes below; the classic ones left, the smooth ones right."""
    window = data["_window"].to_dataset()
    window = window.isel(x=slice(None, None, max(1, window.sizes["x"] // 800)))
    x = window.x.values

    def panel(names: tuple[str, ...], kind: str, title: str, y: str) -> plots.Panel:
        lines = [
            plots.Line(x=x, y=window[kind].values[row(name)], label=name, tone=row(name))
            for name in names
        ]
        ends = {"value": (-1.3, 3.2), "slope": (-0.2, 1.25)}[kind]
        return plots.Panel(lines, title=title, x="x", y=y, xlim=(x[0], x[-1]), ylim=ends)

    alt = " ".join(
        f"{found['name']}: slope at most {number(found['slope'], 4)}, "
        f"value at least {number(found['lowest'], 3)}."
        for found in summary(data).rows
    )
    return plots.chart(
        "Activation functions and what they pass on of a gradient",
        [
            panel(CLASSIC, "value", "Classic: value", "f(x)"),
            panel(SMOOTH, "value", "Smooth kin of ReLU: value", ""),
            panel(CLASSIC, "slope", "Slope", "f'(x)"),
            panel(SMOOTH, "slope", "Slope", ""),
        ],
        caption="Above, a line is an activation function; below, its derivative by automatic "
        "differentiation, in float64.",
        alt=f"Six functions and their slopes. {alt}",
        grid=(2, 2),
    )


def vanishing(data: xr.DataTree) -> plots.Figure:
    """The slopes far out, on a logarithmic axis, in three precisions."""
    found = {p: data[f"_precisions/{p}"].to_dataset() for p in PRECISIONS}
    names = list(ACTIVATIONS)

    def panel(place: int, name: str) -> plots.Panel:
        lines = []
        for index, (precision, one) in enumerate(found.items()):
            x, slope = one.x.values, one.slope.values[row(name)]
            shown = np.maximum(np.abs(slope), LOWEST)
            look = keywords(label=precision, width=5.0 - 1.4 * index, tone=index)
            lines.append(plots.Line(x=x, y=shown, **look))
        return plots.Panel(
            lines,
            title=name,
            x="x",
            y="|f'(x)|" if place % 3 == 0 else "",
            scales=("linear", "log"),
            ylim=(LOWEST / 10, 30.0),
        )

    told = [f"{name}, {p}: {_range(*alive(data, p, name))}." for name in names for p in PRECISIONS]
    return plots.chart(
        "Where the slope is rounded to nothing",
        [panel(place, name) for place, name in enumerate(names)],
        caption="A line is the size of the slope in one precision. At the bottom it is exactly 0, "
        f"or less than {LOWEST:g}: nothing of a gradient comes through.",
        alt="Sizes of slopes over x, logarithmic. They are above 0 for x from " + " ".join(told),
        grid=(2, 3),
    )

"""Does the slope of an accumulated area give the integrand back?"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.integrals import simpson, trapezoid
from lab.check import Check
from lab.config.intervals import Integral
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table


class Config(config.ExperimentConfig):
    """What is accumulated, and how finely."""

    precision: Literal["float64"] = "float64"
    integral: Integral
    panels: tuple[config.Side, ...] = Field(
        min_length=3, description="Even numbers of panels from the start to each x, growing."
    )
    points: config.Side = Field(257, description="Points of a drawn curve.")
    frames: config.Side = Field(48, le=100, description="Frames of the animation.")


def compute(config: Config, session: Session) -> None:
    """The area up to every x, and its slope, by rules of several sizes."""
    case, n = config.integral, np.array(config.panels)
    f, (a, b) = case.function, case.interval
    x = np.linspace(a, b, config.points)
    found = [
        session.batched(lambda x, rule=rule: _areas(rule, f, a, x, n), x)
        for rule in (simpson, trapezoid)
    ]
    (area, slope), (_, coarse_slope) = found
    primitive, restored = session.batched(jax.value_and_grad(case.antiderivative), x)
    curve = session.batched(f, x)
    data = xr.Dataset(
        {
            "curve": ("x", curve),
            "area": ("x", area[:, -1]),
            "slope": ("x", slope[:, -1]),
            "exact": ("x", primitive - primitive[0]),
            "primitive_slope": ("x", restored),
            "simpson_error": ("panels", np.abs(slope - curve[:, None]).max(0)),
            "trapezoid_error": ("panels", np.abs(coarse_slope - curve[:, None]).max(0)),
        },
        {"x": x, "panels": n},
        {"function": case.label, "frames": config.frames},
    )
    session.save("_accumulation", data)


def _areas(rule: Callable, f: Callable, a: float, x: Any, panels: np.ndarray) -> Any:
    """Integrals from a to x and their derivatives in x, through the rule, for all sizes."""
    pairs = [
        jax.jvp(lambda x, n=n: rule(f, jnp.full_like(x, a), x, int(n)), (x,), (jnp.ones_like(x),))
        for n in panels
    ]
    return tuple(jnp.stack(parts) for parts in zip(*pairs, strict=True))


def order(data: xr.Dataset, rule: str) -> float:
    """The power of 1/n with which the restored integrand's error falls, until rounding."""
    error = data[f"{rule}_error"].values
    kept = error > 1e-13
    return -float(np.polyfit(np.log(data.panels.values[kept]), np.log(error[kept]), 1)[0])


def _found(data: xr.DataTree) -> xr.Dataset:
    return data["_accumulation"].to_dataset()


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The area is F(x) - F(a), and its slope is f."""
    one = _found(data)
    name, size = one.attrs["function"], float(np.abs(one.curve).max())
    area = float(np.abs(one.area - one.exact).max())
    slope = float(np.abs(one.slope - one.curve).max())
    primitive = float(np.abs(one.primitive_slope - one.curve).max())
    theorem = "fundamental theorem of calculus"
    return [
        Check(f"{name}: largest difference of area and F(x) - F(a)", 0, area, 1e-10, theorem),
        Check(f"{name}: largest difference of the area's slope and f", 0, slope, 1e-10, theorem),
        Check(f"{name}: largest difference of F' and f", 0, primitive, 1e-13 * size, theorem),
        Check(
            f"{name}: order of the slope by Simpson", 4, order(one, "simpson"), 0.1,
            "Euler-Maclaurin formula, differentiated",
        ),
        Check(
            f"{name}: order of the slope by trapezoids", 2, order(one, "trapezoid"), 0.05,
            "Euler-Maclaurin formula, differentiated",
        ),
    ]  # fmt: skip


def summary(data: xr.DataTree) -> Table:
    """One row a number of panels."""
    columns = (
        Column("panels", "panels", "from the start to x", ".0f"),
        Column("simpson", "Simpson", "largest |slope of the area - f|", ".2e"),
        Column("trapezoid", "trapezoid", "the same by the trapezoid rule", ".2e"),
    )
    one = _found(data)
    rows = [
        {"panels": int(n), "simpson": float(s), "trapezoid": float(t)}
        for n, s, t in zip(
            one.panels.values, one.simpson_error.values, one.trapezoid_error.values, strict=True
        )
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How closely the integrand comes back."""
    one = _found(data)
    worst = float(np.abs(one.slope - one.curve).max())
    return (
        f"The area accumulated under {one.attrs['function']} has that function as its slope, "
        f"within {worst:.1e} by Simpson's rule with {int(one.panels[-1])} panels."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Area under f on the left, its running total on the right."""
    return {"fundamental_theorem": partial(theorem, _found(data))}


def theorem(data: xr.Dataset) -> plots.Figure:
    """X moves; the area so far and its slope are told."""
    count, last = int(data.attrs["frames"]), data.sizes["x"] - 1
    stops = np.linspace(0.02 * last, last, count).round().astype(int)
    still = round(0.62 * last)
    at = float(data.x[still])
    return plots.chart(
        "The slope of the accumulated area is the function again",
        _panels(data, still),
        caption="Left: the area between the function and the axis, from the start to x; below "
        "the axis it counts as negative. Right: that area as a function A of x, with its tangent.",
        alt=f"At x = {number(at)} the area under {data.attrs['function']} is "
        f"{number(float(data.area[still]))}, and the tangent of A has slope "
        f"{number(float(data.slope[still]))}, the function's value there.",
        frames=lambda index: _panels(data, stops[index]),
        count=count,
    )


def _panels(data: xr.Dataset, index: int) -> list[plots.Panel]:
    x, y, area = data.x.values, data.curve.values, data.area.values
    at, so_far, zero = x[index], slice(0, index + 1), np.zeros(index + 1)
    slope = float(data.slope[index])
    ends = [(v.min() - 0.1 * np.ptp(v), v.max() + 0.1 * np.ptp(v)) for v in (y, area)]
    near = np.array([max(x[0], at - 1.0), min(x[-1], at + 1.0)])
    function = [
        plots.Area(
            x=x[so_far], low=zero, high=np.maximum(y[so_far], 0), label="area, added", tone=0
        ),
        plots.Area(
            x=x[so_far], low=np.minimum(y[so_far], 0), high=zero, label="area, taken away", tone=1
        ),
        plots.Guide(y=0.0, tone="muted"),
        plots.Line(x=x, y=y, label="function f", tone=0),
        plots.Points(x=[at], y=[y[index]], tone="text", marker="o"),
    ]
    total = [
        plots.Line(x=x, y=area, label="A, the whole curve", tone="muted", dashes=(0, (1, 2))),
        plots.Line(
            x=x[so_far], y=area[so_far], label="A, area so far", tone=2, width=3.0, dashes=(0, ())
        ),
        plots.Line(x=near, y=area[index] + slope * (near - at), label="tangent of A", tone=3),
        plots.Points(x=[at], y=[area[index]], tone="text", marker="o"),
    ]
    ends_of_x = (x[0], x[-1])
    return [
        plots.Panel(function, f"f(x) = {data.attrs['function']}", "x", "f(x)", xlim=ends_of_x,
                    ylim=ends[0], note=f"x = {at:.2f}: f(x) = {y[index]:.3f}"),
        plots.Panel(total, "A(x), the area so far", "x", "A(x)", xlim=ends_of_x, ylim=ends[1],
                    note=f"A = {area[index]:.3f}, slope {slope:.3f}"),
    ]  # fmt: skip

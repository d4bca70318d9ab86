"""Where does the gradient point? Across the contours; and only sometimes to the minimum."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.partial import contour_direction, curvatures, gradient, hessian, newton
from lab.calculus.samples import mesh, scattered
from lab.calculus.vectors import angle
from lab.check import Check
from lab.config.planes import Position, SurfaceField, Window
from lab.experiment import Session
from lab.table import Column, Table

RADIUS = 1e-4
"""Of the circle on which a contour is looked for, beside the length over which f bends."""


class Case(config.Section):
    """A surface and the rectangle that is drawn of it."""

    function: SurfaceField
    window: Window = Field(description="Ends of what is drawn, along each variable.")
    at: Position = Field(description="A point whose descent is drawn.")


class Config(config.ExperimentConfig):
    """The surfaces, and how many points the gradient is proved at."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, description="Surfaces: quadratics are proved.")
    samples: config.Count = Field(1_000_000, description="Random points of each window.")
    arrows: config.Side = Field(9, description="Arrows along each side.")
    side: config.Side = Field(121, description="Points along each side of a drawn map.")


def compute(config: Config, session: Session) -> None:
    """Gradients to draw, and at random points the angles that they make."""
    for index, case in enumerate(config.cases):
        session.save(f"_cases/{index:02d}", _case(config, case, session))


def angles(f: Any, lowest: np.ndarray) -> Callable[[Any], tuple[Any, Any]]:
    """At one point: from the gradient to the contour, and from its opposite to the minimum."""

    def at(point: Any) -> tuple[Any, Any]:
        g = gradient(f, point)
        bend = jnp.linalg.norm(hessian(f, point))
        radius = RADIUS * jnp.linalg.norm(g) / bend
        contour = contour_direction(f, point, radius)
        return angle(g, contour), angle(-g, jnp.asarray(lowest) - point)

    return at


def _case(config: Config, case: Case, session: Session) -> xr.Dataset:
    f, start = case.function, np.array([case.at])
    x, y, points = mesh(case.window, config.side)
    margin = [(0.9 * low + 0.1 * high, 0.1 * low + 0.9 * high) for low, high in case.window]
    _, _, tails = mesh((margin[0], margin[1]), config.arrows)
    lowest = session.batched(partial(newton, f, steps=50), start)[0]
    bends = session.batched(lambda p: curvatures(hessian(f, p)), np.stack([lowest, start[0]]))
    places = scattered(config.seed, case.window, config.samples)
    across, astray = session.batched(angles(f, lowest), places)
    return xr.Dataset(
        {
            "surface": (("y", "x"), session.batched(lambda p: f(*p), points).reshape(-1, len(x))),
            "foot": (("arrow", "dim"), tails),
            "gradient": (("arrow", "dim"), session.batched(partial(gradient, f), tails)),
            "start_gradient": ("dim", session.batched(partial(gradient, f), start)[0]),
            "lowest": ("dim", lowest),
            "curvature": ("dim", bends[0]),
            "cubic": float(np.abs(bends[1] - bends[0]).max()),
            "across": float(np.degrees(np.abs(across - np.pi / 2).max())),
            "astray": float(np.degrees(astray.max())),
            "astray_median": float(np.degrees(np.median(astray))),
        },
        {"x": x, "y": y},
        {"function": f.label, "at": list(case.at), "samples": config.samples},
    )


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def kantorovich(case: xr.Dataset) -> float:
    """The worst angle, in degrees, between -grad f and the way to the minimum of a quadratic.

    arccos(2 sqrt(k) / (k + 1)), k the ratio of the curvatures (Kantorovich 1948).
    """
    low, high = case.curvature.values
    return float(np.degrees(np.arccos(min(1.0, 2 * np.sqrt(low * high) / (low + high)))))


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Gradients cross contours at right angles; on quadratics they stray from the minimum so."""
    made = []
    for case in cases(data):
        name, count = case.attrs["function"], case.attrs["samples"]
        told = f"{name}: worst departure from 90 degrees of gradient and contour, {count} points"
        source = "chain rule: f is constant along its contour, found here by bisection of values"
        made.append(Check(told, 0, float(case.across), 1e-5, source, at_most=True))
        if float(case.cubic) <= 1e-12:
            told = f"{name}: worst degrees between descent and the way to the minimum"
            source = "Kantorovich's inequality, attained"
            made.append(Check(told, kantorovich(case), float(case.astray), 0.02, source))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a function."""
    columns = (
        Column("function", "function", "the surface", ""),
        Column("across", "off 90°", "worst departure from a right angle to the contour", ".1e"),
        Column("condition", "condition", "ratio of the curvatures at the minimum", ".4g"),
        Column("astray", "astray", "worst degrees between descent and the minimum", ".4g"),
        Column("median", "median", "of those degrees", ".4g"),
    )
    rows = [
        {
            "function": case.attrs["function"],
            "across": float(case.across),
            "condition": float(case.curvature[1] / case.curvature[0]),
            "astray": float(case.astray),
            "median": float(case.astray_median),
        }
        for case in cases(data)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Across contours always, to the minimum only in a round bowl."""
    rows = summary(data).rows
    worst = max(row["across"] for row in rows)
    said = ", ".join(f"{row['astray']:.1f}° on {row['function']}" for row in rows)
    return (
        f"Gradients cross the contours at right angles, to {worst:.0e} degrees; descent strays "
        f"from the way to the minimum by at most {said}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Arrows on contours."""
    return {"gradient_quiver": partial(gradient_quiver, cases(data))}


def gradient_quiver(found: Sequence[xr.Dataset]) -> plots.Figure:
    """The gradient as arrows across the contours; at one point, descent and the way down."""
    alt = " ".join(
        f"On {case.attrs['function']} the right angle holds to {float(case.across):.0e} degrees, "
        f"and descent strays from the minimum by up to {float(case.astray):.1f} degrees."
        for case in found
    )
    return plots.chart(
        "The gradient crosses the contours at right angles",
        [_panel(case) for case in found],
        caption="Each arrow is the gradient at its tail, drawn shorter; lines are contours. From "
        "one point, descent starts against the gradient; the dashed way goes straight to the "
        "minimum. The two agree only where the contours are circles.",
        alt="Gradient arrows over contours of two bowls. " + alt,
        height=6.2,
    )


def _panel(case: xr.Dataset) -> plots.Panel:
    x, y = case.x.values, case.y.values
    start, lowest = np.array(case.attrs["at"]), case.lowest.values
    long = np.linalg.norm(case["gradient"].values, axis=1).max()
    spacing = (x[-1] - x[0]) / np.sqrt(case.sizes["arrow"])
    down = -case.start_gradient.values / np.linalg.norm(case.start_gradient.values)
    down *= np.linalg.norm(lowest - start) * 0.6
    tails, g = case.foot.values.T, case["gradient"].values.T
    return plots.Panel(
        [
            plots.Contours(x=x, y=y, values=case.surface.values, levels=_levels(case)),
            plots.Arrows(
                x=tails[0], y=tails[1], u=g[0], v=g[1], scale=spacing / long, label="gradient"
            ),
            plots.Line(
                x=[start[0], lowest[0]], y=[start[1], lowest[1]], label="way to the minimum",
                width=3,
            ),
            plots.Arrows(
                x=[start[0]], y=[start[1]], u=[down[0]], v=[down[1]], width=0.014,
                label="first step of descent",
            ),
            plots.Points(x=[start[0]], y=[start[1]], tone="text", marker="o"),
            plots.Points(
                x=[lowest[0]], y=[lowest[1]], tone="text", marker="*", size=16, label="minimum"
            ),
        ],
        title=case.attrs["function"],
        note=f"astray by at most {float(case.astray):.1f}°",
        x="x",
        y="y",
        xlim=(x[0], x[-1]),
        ylim=(y[0], y[-1]),
        equal=True,
    )  # fmt: skip


def _levels(case: xr.Dataset) -> np.ndarray:
    """Contours whose distances are alike: squares of equal steps above the lowest value."""
    values = case.surface.values
    return values.min() + np.ptp(values) * (np.arange(1, 10) / 9.5) ** 2

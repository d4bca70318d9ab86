"""How far does a quadratic model of a surface reach, and where is its own minimum?"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.partial import (
    cubic_term,
    curvatures,
    gradient,
    hessian,
    newton,
    quadratic_model,
    tangent_plane,
)
from lab.calculus.samples import mesh, slope
from lab.check import Check
from lab.config.planes import Position, SurfaceField, Window
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

NEAR = 1e-2
"""Slopes of errors are fitted up to this distance."""

MODELS = {"plane": tangent_plane, "quadratic": quadratic_model}


class Config(config.ExperimentConfig):
    """A surface, the point of its model, and how far and in how many directions it is tried."""

    precision: Literal["float64"] = "float64"
    function: SurfaceField
    at: Position = Field(description="Where value, slopes and curvatures are taken.")
    window: Window = Field(description="Ends of what is drawn, along each variable.")
    distances: config.SweepField = Field(description="From that point, of the errors.")
    directions: config.Side = Field(25_000, description="In which they are measured.")
    side: config.Side = Field(161, description="Points along each side of the drawn map.")


def errors(f: Any, at: np.ndarray, distances: np.ndarray, theta: Any) -> tuple[Any, ...]:
    """In one direction, over all distances: errors of plane and quadratic, and the cubic term."""
    centre = jnp.asarray(at)
    ray = jnp.stack([jnp.cos(theta), jnp.sin(theta)])
    steps = jnp.asarray(distances)[:, None] * ray[None, :]
    exact = jnp.stack([f(*(centre + step)) for step in steps])
    models = [jnp.stack([model(f, centre, s) for s in steps]) for model in MODELS.values()]
    return *(jnp.abs(model - exact) for model in models), jnp.abs(cubic_term(f, centre, ray))


def compute(config: Config, session: Session) -> None:
    """The surface and its model, their difference over distance, and Newton's step."""
    f, at, r = config.function, np.array(config.at), np.asarray(config.distances, float)
    x, y, points = mesh(config.window, config.side)
    theta = np.linspace(0, 2 * np.pi, config.directions, endpoint=False)
    plane, quadratic, cubic = session.batched(partial(errors, f, at, r), theta, block=1 << 12)
    one = at[None, :]
    shown = {
        name: session.batched(lambda p, m=model: m(f, jnp.asarray(at), p - at), points)
        for name, model in MODELS.items()
    }
    exact = session.batched(lambda p: f(*p), points)
    data = xr.Dataset(
        {
            "surface": (("y", "x"), exact.reshape(-1, len(x))),
            "model": (("y", "x"), shown["quadratic"].reshape(-1, len(x))),
            "worst": (("name", "distance"), np.stack([plane.max(0), quadratic.max(0)])),
            "median": (("name", "distance"), np.stack([np.median(plane, 0),
                                                       np.median(quadratic, 0)])),
            "cubic": float(cubic.max()),
            "newton": ("dim", session.batched(partial(newton, f, steps=1), one)[0]),
            "settled": ("dim", session.batched(partial(newton, f, steps=50), one)[0]),
            "gradient": ("dim", session.batched(partial(gradient, f), one)[0]),
            "hessian": (("row", "column"), session.batched(partial(hessian, f), one)[0]),
            "curvature": ("sign", session.batched(lambda p: curvatures(hessian(f, p)), one)[0]),
        },
        {"x": x, "y": y, "distance": r},
        {"function": f.label, "at": list(config.at), "directions": config.directions},
    )  # fmt: skip
    session.save("_models", data.merge(_cuts(config, session)))


def _cuts(config: Config, session: Session) -> xr.Dataset:
    """Surface, plane and model along the first variable, through the point."""
    f, at = config.function, np.array(config.at)
    line = np.repeat(at[None, :], 401, 0)
    line[:, 0] = np.linspace(*config.window[0], 401)
    cuts = {"cut": ("along", session.batched(lambda p: f(*p), line))}
    for name, model in MODELS.items():
        values = session.batched(lambda p, m=model: m(f, jnp.asarray(at), p - at), line)
        cuts[f"cut_{name}"] = ("along", values)
    return xr.Dataset(cuts, {"along": line[:, 0]})


def found(data: xr.DataTree) -> xr.Dataset:
    """The saved numbers."""
    return data["_models"].to_dataset()


def slopes(one: xr.Dataset) -> dict[str, float]:
    """The powers of the distance with which the worst errors grow, near the point."""
    near = one.distance.values <= NEAR
    r = one.distance.values[near]
    return {name: slope(r, one.worst.values[i][near]) for i, name in enumerate(MODELS)}


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Errors grow as the orders of Taylor's theorem; the model's minimum solves H s = -g."""
    one, powers = found(data), slopes(found(data))
    taylor = "Taylor's theorem in several variables"
    lead = float(one.worst.values[1][0] / (one.cubic * one.distance.values[0] ** 3))
    step = np.linalg.solve(one["hessian"].values, -one["gradient"].values)
    away = float(np.linalg.norm(np.array(one.attrs["at"]) + step - one.newton.values))
    return [
        Check("slope of the plane's worst error", 2, powers["plane"], 0.02, taylor),
        Check("slope of the quadratic's worst error", 3, powers["quadratic"], 0.02, taylor),
        Check("worst error of the quadratic over its cubic term, at the least distance", 1, lead,
              0.01, "the first term left out, differentiated thrice"),
        Check("Newton's step away from the minimum of the model", 0, away, 1e-12,
              "H s = -g solved by LAPACK", at_most=True),
    ]  # fmt: skip


def summary(data: xr.DataTree) -> Table:
    """One row a model."""
    columns = (
        Column("model", "model", "of the surface about the point", ""),
        Column("slope", "slope", "power of the distance in its worst error", ".4f"),
        Column("near", "error at 0.01", "worst over all directions", ".2e"),
        Column("far", "error at 1", "worst over all directions", ".2e"),
    )
    one, powers = found(data), slopes(found(data))
    rows = []
    for index, name in enumerate(MODELS):
        worst = one.worst.values[index]
        at = [float(np.interp(np.log(r), np.log(one.distance), worst)) for r in (0.01, 1.0)]
        rows.append({"model": name, "slope": powers[name], "near": at[0], "far": at[1]})
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """The orders, and where the model's minimum is."""
    one, powers = found(data), slopes(found(data))
    return (
        f"The plane's error grows as distance^{powers['plane']:.2f}, the quadratic's as "
        f"distance^{powers['quadratic']:.2f}; the quadratic's own minimum is {_place(one.newton)}, "
        f"the surface's {_place(one.settled)}."
    )


def _place(point: xr.DataArray) -> str:
    return "(" + ", ".join(number(round(float(c), 6) + 0.0, 4) for c in point) + ")"


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The model on the surface, and its error."""
    return {"quadratic_model": partial(drawn, found(data))}


def drawn(one: xr.Dataset) -> plots.Figure:
    """Contours of surface and model, a cut through both, and errors over distance."""
    powers = slopes(one)
    return plots.chart(
        "A quadratic model is right to third order",
        [_map(one), _cut(one), _growth(one)],
        caption="Left: contours of the surface (plain) and of its quadratic model (dashed) about "
        "the dot. Middle: a cut along x. Right: worst error over all directions at each distance "
        "from the dot. The star is the model's minimum, where Newton's step goes.",
        alt=f"About {_place(one.newton * 0 + np.array(one.attrs['at']))} the plane's error has "
        f"slope {powers['plane']:.2f} and the quadratic's {powers['quadratic']:.2f} on "
        f"logarithmic axes. The model's minimum is {_place(one.newton)}, the surface's "
        f"{_place(one.settled)}.",
        columns=("model", "distance", "worst error"),
        rows=[
            (name, float(r), float(e))
            for i, name in enumerate(MODELS)
            for r, e in zip(one.distance, one.worst[i], strict=True)
        ],
    )


def _map(one: xr.Dataset) -> plots.Panel:
    x, y = one.x.values, one.y.values
    (a, b), (c, d) = one.attrs["at"], one.newton.values
    low, high = float(one.surface.min()), float(one.surface.max())
    levels = low + (high - low) * np.linspace(0.02, 0.4, 5)
    return plots.Panel(
        [
            plots.Contours(x=x, y=y, values=one.surface.values, levels=levels, tone=0, width=1.8,
                           label="surface"),
            plots.Contours(x=x, y=y, values=one.model.values, levels=levels, tone=1, width=1.8,
                           dashes="dashed", label="quadratic"),
            plots.Points(x=[a], y=[b], tone="text", marker="o"),
            plots.Points(x=[c], y=[d], tone="text", marker="*", size=16),
        ],
        title="contours",
        x="x",
        y="y",
        xlim=(x[0], x[-1]),
        ylim=(y[0], y[-1]),
    )  # fmt: skip


def _cut(one: xr.Dataset) -> plots.Panel:
    x, (a, b) = one.along.values, one.attrs["at"]
    at = float(np.interp(a, x, one.cut.values))
    low, high = float(one.cut.min()), float(one.cut.max())
    c, _ = one.newton.values
    bottom = float(np.interp(c, x, one.cut_quadratic.values))
    air = 0.25 * (high - low)
    return plots.Panel(
        [
            plots.Line(x=x, y=one.cut.values, label="surface", tone=0),
            plots.Line(x=x, y=one.cut_quadratic.values, label="quadratic", tone=1,
                       dashes=plots.Style(1).linestyle),
            plots.Line(x=x, y=one.cut_plane.values, label="plane", tone=2,
                       dashes=plots.Style(2).linestyle),
            plots.Points(x=[a], y=[at], tone="text", marker="o"),
            plots.Points(x=[c], y=[bottom], tone="text", marker="*", size=16),
        ],
        title=f"y = {b:g}",
        x="x",
        y="f",
        xlim=(x[0], x[-1]),
        ylim=(min(low, bottom) - air, high + air),
    )  # fmt: skip


def _growth(one: xr.Dataset) -> plots.Panel:
    r = one.distance.values
    marks: list[plots.Mark] = []
    for index, name in ((1, "quadratic"), (0, "plane")):
        tone, power = (1, 3) if name == "quadratic" else (2, 2)
        y = one.worst.values[index]
        marks += [
            plots.Line(x=r, y=y, label=name, tone=tone, dashes=plots.Style(tone).linestyle),
            plots.Note(text=f"slope {power}", x=float(r[len(r) // 3]), y=float(y[len(r) // 3]),
                       across="right" if power == 2 else "left",
                       up="bottom" if power == 2 else "top"),
        ]  # fmt: skip
    return plots.Panel(
        marks,
        title="worst error",
        x="distance from the dot",
        y="error",
        scales=("log", "log"),
        xlim=(r[0], r[-1]),
    )

"""How steep is a surface in every direction? As steep as the gradient's shadow is long."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.partial import at_point, directional_derivative, gradient
from lab.calculus.samples import mesh, scattered
from lab.check import Check
from lab.config.planes import Position, SurfaceField, Window
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

STEP = 1e-5
"""Of the differences of values that are drawn as points."""

BLOCK = 1 << 14


class Config(config.ExperimentConfig):
    """A surface, the points of the picture, and how many are looked at in how many directions."""

    precision: Literal["float64"] = "float64"
    function: SurfaceField
    window: Window = Field(description="Ends of what is drawn, and of the random points.")
    at: tuple[Position, ...] = Field(min_length=1, max_length=4, description="Points drawn.")
    samples: config.Count = Field(100_000, description="Random points.")
    directions: config.Side = Field(360, le=100_000, description="Directions from each point.")
    side: config.Side = Field(121, description="Points along each side of the drawn map.")


def compass(count: int) -> np.ndarray:
    """Angles of so many directions, in radians."""
    return np.linspace(0, 2 * np.pi, count, endpoint=False)


def slopes(f: Any, count: int, point: Any) -> Any:
    """D_u f in so many directions, each by forward differentiation along it."""
    theta = jnp.asarray(compass(count))
    rays = jnp.stack([jnp.cos(theta), jnp.sin(theta)], axis=1)
    return jax.vmap(lambda u: directional_derivative(f, point, u))(rays)


def differences(f: Any, count: int, point: Any) -> Any:
    """(f(p + h u) - f(p - h u)) / 2h in so many directions, from values alone."""
    theta = jnp.asarray(compass(count))
    rays = jnp.stack([jnp.cos(theta), jnp.sin(theta)], axis=1)
    value = at_point(f)
    return jax.vmap(lambda u: (value(point + STEP * u) - value(point - STEP * u)) / (2 * STEP))(
        rays
    )


def compared(f: Any, count: int, point: Any) -> tuple[Any, Any, Any]:
    """|D_u f - |grad f| cos| at worst; degrees from the steepest ray to grad f; their ratio."""
    found, g = slopes(f, count, point), gradient(f, point)
    steepness, heading = jnp.linalg.norm(g), jnp.arctan2(g[1], g[0])
    theta = jnp.asarray(compass(count))
    best = jnp.argmax(found)
    away = theta[best] - heading
    away = jnp.abs(jnp.arctan2(jnp.sin(away), jnp.cos(away)))
    error = jnp.max(jnp.abs(found - steepness * jnp.cos(theta - heading)))
    return error / steepness, jnp.degrees(away), found[best] / steepness


def compute(config: Config, session: Session) -> None:
    """All slopes at the drawn points; at the random ones how they stand to the gradient."""
    f, at, count = config.function, np.array(config.at), config.directions
    x, y, points = mesh(config.window, config.side)
    places = scattered(config.seed, config.window, config.samples)
    error, away, ratio = session.batched(partial(compared, f, count), places, block=BLOCK)
    data = xr.Dataset(
        {
            "surface": (("y", "x"), session.batched(lambda p: f(*p), points).reshape(-1, len(x))),
            "at": (("point", "dim"), at),
            "gradient": (("point", "dim"), session.batched(partial(gradient, f), at)),
            "slope": (("point", "direction"), session.batched(partial(slopes, f, count), at)),
            "difference": (
                ("point", "direction"),
                session.batched(partial(differences, f, count), at),
            ),
            "error": float(error.max()),
            "away": float(away.max()),
            "ratio": float(ratio.min()),
        },
        {"x": x, "y": y, "direction": np.degrees(compass(count))},
        {"function": f.label, "samples": config.samples},
    )
    session.save("_directions", data)


def found(data: xr.DataTree) -> xr.Dataset:
    """The saved numbers."""
    return data["_directions"].to_dataset()


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """D_u f = |grad f| cos(theta): everywhere, in all directions, largest along the gradient."""
    one, half = found(data), 180 / config.directions
    told = f"at {config.samples} points x {config.directions} directions"
    formula = "D_u f = grad f . u = |grad f| cos(theta), the chain rule"
    short = float(1.01 * (1 - np.cos(np.radians(half))))
    read = float(np.abs(one.difference - one.slope).max() / np.abs(one.slope).max())
    return [
        Check(f"worst |D_u f - |grad f| cos|/|grad f| {told}", 0, float(one.error), 1e-12, formula,
              at_most=True),
        Check(f"degrees from the steepest direction to the gradient {told}", half, float(one.away),
              1e-6, "the nearest of equally spaced directions is half a gap away at most",
              at_most=True),
        Check(f"least of max D_u f / |grad f| {told}", 1, float(one.ratio), short,
              "cosine of half a gap between directions"),
        Check("differences of values against D_u f, over the steepest", 0, read, 1e-8,
              "central differences, error O(h^2)", at_most=True),
    ]  # fmt: skip


def summary(data: xr.DataTree) -> Table:
    """One row a drawn point."""
    columns = (
        Column("point", "point", "its letter in the figure", ""),
        Column("x", "x", "where", ".3g"),
        Column("y", "y", "where", ".3g"),
        Column("steepness", "|grad f|", "length of the gradient", ".6g"),
        Column("heading", "heading", "of the gradient, in degrees from the x axis", ".4g"),
        Column("largest", "largest slope", "over all directions", ".6g"),
        Column("steepest", "steepest", "its direction, in degrees", ".4g"),
    )
    one = found(data)
    rows = []
    for index in range(one.sizes["point"]):
        g, slope = one["gradient"].values[index], one.slope.values[index]
        rows.append(
            {
                "point": "ABCD"[index],
                "x": float(one["at"][index, 0]),
                "y": float(one["at"][index, 1]),
                "steepness": float(np.hypot(*g)),
                "heading": float(np.degrees(np.arctan2(g[1], g[0])) % 360),
                "largest": float(slope.max()),
                "steepest": float(one.direction[slope.argmax()]),
            }
        )
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """A cosine, to so many digits."""
    one = found(data)
    return (
        f"In every direction the slope is |grad f| cos(theta), to {float(one.error):.0e} of "
        "|grad f|; it is largest along the gradient and zero across it."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Slopes all around a few points."""
    return {"directional_derivative": partial(directional_derivatives, data)}


def directional_derivatives(data: xr.DataTree) -> plots.Figure:
    """The points with their gradients on the surface, and the slopes all around each."""
    one, rows = found(data), summary(data).rows
    alt = " ".join(
        f"At {row['point']} the slope is largest, {number(row['largest'])}, towards "
        f"{row['steepest']:.0f} degrees; the gradient has length {number(row['steepness'])} and "
        f"heading {row['heading']:.0f} degrees."
        for row in rows
    )
    return plots.chart(
        "The slope in a direction is the gradient's shadow on it",
        [_map(one), _waves(one, rows)],
        caption="Left: contours, and the gradient at each lettered point. Right: the slope from "
        "that point in every direction: lines by automatic differentiation, dots from differences "
        "of values. Each is a cosine whose crest is as high as the gradient is long.",
        alt="A contour map with gradients, and one cosine for each point. " + alt,
        columns=("point", "direction [degrees]", "slope"),
        rows=[
            (f"{row['point']}", float(theta), float(slope))
            for index, row in enumerate(rows)
            for theta, slope in zip(one.direction, one.slope[index], strict=True)
        ],
    )


def _map(one: xr.Dataset) -> plots.Panel:
    x, y = one.x.values, one.y.values
    at, g = one["at"].values, one["gradient"].values
    scale = 0.3 * float(np.ptp(x)) / np.hypot(*g.T).max()
    marks: list[plots.Mark] = [
        plots.Contours(x=x, y=y, values=one.surface.values, levels=9, numbered=True)
    ]
    for index, ((a, b), (u, v)) in enumerate(zip(at, g, strict=True)):
        marks += [
            plots.Arrows(x=[a], y=[b], u=[u], v=[v], scale=scale, tone=index, width=0.013),
            plots.Points(x=[a], y=[b], tone=index, label=""),
            plots.Note(text="ABCD"[index], x=a, y=b, across="right", up="top"),
        ]
    return plots.Panel(
        marks,
        title=f"f = {one.attrs['function']}",
        x="x",
        y="y",
        xlim=(x[0], x[-1]),
        ylim=(y[0], y[-1]),
        equal=True,
    )


def _waves(one: xr.Dataset, rows: Any) -> plots.Panel:
    theta = one.direction.values
    every = max(1, len(theta) // 18)
    marks: list[plots.Mark] = [plots.Guide(y=0.0, tone="muted")]
    for index, row in enumerate(rows):
        dots = one.difference.values[index, ::every]
        marks += [
            plots.Line(x=theta, y=one.slope.values[index], tone=index, label=f"from {row['point']}",
                       dashes=plots.Style(index).linestyle),
            plots.Points(x=theta[::every], y=dots, tone=index, size=6, hollow=True),
            plots.Note(text=row["point"], x=row["steepest"], y=row["largest"], across="center"),
        ]  # fmt: skip
    top = 1.2 * float(np.abs(one.slope).max())
    return plots.Panel(
        marks,
        title="slope in every direction",
        x="direction u [degrees from the x axis]",
        y="D_u f",
        xlim=(0.0, 360.0),
        ylim=(-top, top),
    )

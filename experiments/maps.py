"""What does a matrix of derivatives do to the plane?"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus import tensors
from lab.check import Check
from lab.config.intervals import Interval
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

Pair = tuple[config.Finite, config.Finite]
MAPS = {"linear": "x → A x", "layer": "x → tanh(W x + b)"}


class Config(config.ExperimentConfig):
    """A linear map, a layer, and the cells whose areas are followed."""

    precision: Literal["float64"] = "float64"
    matrix: tuple[Pair, Pair] = Field(description="A of the linear map, row by row.")
    weights: tuple[Pair, Pair] = Field(description="W of the layer, row by row.")
    bias: Pair = Field(description="b of the layer.")
    window: Interval = Field((-2.0, 2.0), description="Ends of the square, on both axes.")
    cells: config.Side = Field(1000, description="Cells along each side of the square.")
    sides: tuple[config.Positive, ...] = Field(min_length=3, description="Sides of a cell.")
    centre: Pair = Field((-0.6, 0.5), description="Where a circle is drawn round a point.")
    radius: config.Positive = Field(0.3, description="Of that circle, for the layer.")
    lines: config.Side = Field(13, description="Lines of the grid each way.")
    pixels: config.Side = Field(161, description="Points along each side of the map of stretches.")
    frames: config.Side = Field(40, le=100, description="Frames of the animation.")


def maps(config: Config) -> dict[str, Callable[[Any], Any]]:
    """The two maps of the plane."""
    return {
        "linear": tensors.affine(np.array(config.matrix), np.zeros(2)),
        "layer": tensors.tanh_layer(np.array(config.weights), np.array(config.bias)),
    }


def compute(config: Config, session: Session) -> None:
    """Images of grid and circle, and how areas of small cells change."""
    for name, f in maps(config).items():
        session.save(f"_maps/{name}", _followed(config, session, name, f))


def _followed(config: Config, session: Session, name: str, f: Callable) -> xr.Dataset:
    low, high = config.window
    grid, turn = _grid(config), np.linspace(0, 2 * np.pi, 1441)
    centre = np.array([0.0, 0.0] if name == "linear" else config.centre)
    radius = 1.0 if name == "linear" else config.radius
    circle = centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    small = centre + 1e-5 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    middles = low + (np.arange(config.cells) + 0.5) * (high - low) / config.cells
    cells = np.stack(np.meshgrid(middles, middles, indexing="xy"), axis=-1).reshape(-1, 2)
    ratio_error, stretch = session.batched(partial(_cell, f, config.sides), cells)
    every = np.linspace(low, high, config.pixels)
    pixels = np.stack(np.meshgrid(every, every, indexing="xy"), axis=-1).reshape(-1, 2)
    shape = (config.pixels, config.pixels)
    values, axes, images = session.batched(partial(_axes, f), centre[None])
    mapped = session.batched(f, np.concatenate([grid.reshape(-1, 2), circle, small]))
    image, round_image, tiny = np.split(mapped, [grid.size // 2, grid.size // 2 + len(circle)])
    edge = session.batched(f, _edge(low, high, 2000))
    area = session.batched(tensors.shoelace, edge[None])[0]
    return xr.Dataset(
        {
            "grid": (("line", "point", "axis"), grid),
            "grid_image": (("line", "point", "axis"), image.reshape(grid.shape)),
            "circle": (("turn", "axis"), circle),
            "circle_image": (("turn", "axis"), round_image),
            "small_image": (("turn", "axis"), (tiny - images[0]) / 1e-5),
            "singular": ("half", values[0]),
            "directions": (("axis", "half"), axes[0]),
            "centre_image": ("axis", images[0]),
            "worst": ("side", ratio_error.max(0)),
            "median": ("side", np.median(ratio_error, 0)),
            "stretch": (("y", "x"), session.batched(partial(tensors.stretch, f), pixels)
                        .reshape(shape)),
            "integral": stretch.mean() * (high - low) ** 2,
            "image_area": abs(area),
        },
        {"side": list(config.sides), "turn": turn, "x": every, "y": every},
        {"map": MAPS[name], "centre": centre, "radius": radius, "frames": config.frames,
         "cells": len(cells)},
    )  # fmt: skip


def _cell(f: Callable, sides: tuple[float, ...], x: Any) -> tuple[Any, Any]:
    """|area ratio - |det J|| of cells of all sides around x, and |det J|."""
    exact = tensors.stretch(f, x)
    ratios = jnp.stack([tensors.area_ratio(f, x, jnp.asarray(side, x.dtype)) for side in sides])
    return jnp.abs(ratios - exact), exact


def _axes(f: Callable, x: Any) -> tuple[Any, Any, Any]:
    return *tensors.ellipse(tensors.jacobian(f, x)), f(x)


def _grid(config: Config) -> np.ndarray:
    """Lines of constant x, then of constant y: shape (line, point, 2)."""
    at = np.linspace(*config.window, config.lines)
    along = np.linspace(*config.window, 61)
    upright = np.stack(np.meshgrid(at, along, indexing="ij"), axis=-1)
    return np.concatenate([upright, upright[..., ::-1]])


def _edge(low: float, high: float, count: int) -> np.ndarray:
    """Points along the square's edge, anticlockwise."""
    t, one = np.linspace(low, high, count, endpoint=False), np.full(count, 1.0)
    sides = [(t, low * one), (high * one, t), (low + high - t, high * one),
             (low * one, low + high - t)]  # fmt: skip
    return np.concatenate([np.stack(side, axis=1) for side in sides])


def found(data: xr.DataTree) -> dict[str, xr.Dataset]:
    """The saved maps."""
    return {name: data[f"_maps/{name}"].to_dataset() for name in MAPS}


def half_axes(one: xr.Dataset) -> np.ndarray:
    """Largest and smallest distance from the centre on the image of a (tiny) circle."""
    points = one.circle_image - one.centre_image if one.attrs["radius"] == 1 else one.small_image
    away = np.linalg.norm(points.values, axis=1)
    return np.array([away.max(), away.min()])


def off_the_ellipse(one: xr.Dataset) -> float:
    """Largest | |S^-1 U^T y| - 1 | over the image of the (tiny) circle."""
    points = one.circle_image - one.centre_image if one.attrs["radius"] == 1 else one.small_image
    unit = points.values @ one.directions.values / one.singular.values
    return float(np.abs(np.linalg.norm(unit, axis=1) - 1).max())


def slope(one: xr.Dataset) -> float:
    """The power of the side with which area ratios tend to |det J|, in the median."""
    return float(np.polyfit(np.log(one.side), np.log(one["median"]), 1)[0])


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Areas are stretched by |det J|, and circles become the ellipses of singular values."""
    linear, layer = found(data).values()
    source = "change of variables: areas are multiplied by |det J|"
    expected = abs(float(np.linalg.det(np.array(config.matrix))))
    worst = float(linear.worst.max()) / expected
    made = [
        Check("linear: |det A|", expected, float(linear.stretch[0, 0]), 1e-12, source),
        Check("linear: worst area ratio off |det A|, relative", 0, worst, 1e-11, source),
        Check("layer: area ratios tend to |det J|, slope in the side", 2, slope(layer), 0.05,
              "Taylor's theorem: the error is O(side^2)"),
        Check("layer: worst area ratio off |det J|, smallest cells", 0,
              float(layer.worst[-1]), 5 * float(layer.side[-1]) ** 2, source),
        Check("layer: integral of |det J| beside the image's area", float(layer.image_area),
              float(layer.integral), 10 / config.cells**2, source),
    ]  # fmt: skip
    for name, one in (("linear", linear), ("layer", layer)):
        close = 1e-12 if name == "linear" else 1e-4
        source = "singular value decomposition"
        ends = half_axes(one)
        for place, word in enumerate(("longer", "shorter")):
            value = float(one.singular[place])
            told = f"{name}: {word} half-axis of a circle's image"
            made.append(Check(told, value, float(ends[place]), 1e-4 * value, source))
        told = f"{name}: a circle's image off the ellipse"
        made.append(Check(told, 0, off_the_ellipse(one), close, source))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a map."""
    columns = (
        Column("map", "map", "of the plane", ""),
        Column("long", "σ₁", "larger singular value at the circle's centre", ".5f"),
        Column("short", "σ₂", "smaller one", ".5f"),
        Column("product", "σ₁σ₂", "their product, |det J| there", ".5f"),
        Column("cells", "cells", "whose areas were compared", ".0f"),
        Column("side", "side", "of the smallest cells", ".4g"),
        Column("worst", "worst", "area ratio off |det J|", ".2e"),
    )
    rows = [
        {
            "map": one.attrs["map"],
            "long": float(one.singular[0]),
            "short": float(one.singular[1]),
            "product": float(one.singular.prod()),
            "cells": int(one.attrs["cells"]),
            "side": float(one.side[-1]),
            "worst": float(one.worst[-1]),
        }
        for one in found(data).values()
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """The stretches, and how closely areas follow them."""
    linear, layer = summary(data).rows
    return (
        f"The linear map multiplies every area by {linear['product']:.5g}; the layer multiplies "
        f"areas by |det J|, within {layer['worst']:.1e} for cells of side {layer['side']:g}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The grids as they move, and the areas."""
    return {
        "jacobian_grid": partial(grids, found(data)),
        "area_ratio": partial(areas, found(data)["layer"]),
    }


def grids(both: dict[str, xr.Dataset]) -> plots.Figure:
    """Grid and circle on their way from where they are to their images."""
    count = int(both["linear"].attrs["frames"])
    way = (1 - np.cos(np.linspace(0, np.pi, count))) / 2
    alt = " ".join(
        f"{one.attrs['map']}: singular values {number(float(one.singular[0]), 4)} and "
        f"{number(float(one.singular[1]), 4)}, areas near the circle times "
        f"{number(float(one.singular.prod()), 4)}."
        for one in both.values()
    )
    return plots.chart(
        "Up close, every smooth map acts like its Jacobian",
        [_moved(one, 1.0) for one in both.values()],
        caption="Grid lines and a circle after the map; in motion, every point goes straight to "
        "its image. Arrows: the half-axes of the ellipse, singular values times directions.",
        alt="A square grid and a circle, mapped. " + alt,
        frames=lambda index: [_moved(one, way[index]) for one in both.values()],
        count=count,
    )


def _moved(one: xr.Dataset, t: float) -> plots.Panel:
    lines = (1 - t) * one.grid.values + t * one.grid_image.values
    broken = np.concatenate([lines, np.full((len(lines), 1, 2), np.nan)], axis=1).reshape(-1, 2)
    circle = (1 - t) * one.circle.values + t * one.circle_image.values
    marks: list[plots.Mark] = [
        plots.Line(x=broken[:, 0], y=broken[:, 1], label="grid", tone="muted", width=1.1),
        plots.Line(x=circle[:, 0], y=circle[:, 1], label="circle", tone=0, width=3.0),
    ]
    if t == 1.0:
        arms = one.directions.values * one.singular.values * one.attrs["radius"]
        at = one.centre_image.values
        marks.append(
            plots.Arrows(x=[at[0]] * 2, y=[at[1]] * 2, u=arms[0], v=arms[1],
                         label="half-axes by singular values", tone=1, width=0.009)
        )  # fmt: skip
    both = np.concatenate([one.grid.values, one.grid_image.values])
    end = 1.05 * float(np.abs(both).max())
    long, short = one.singular.values
    note = f"σ = {long:.3f}, {short:.3f}; |det J| = {long * short:.3f}"
    return plots.Panel(
        marks, one.attrs["map"], "x", "y", xlim=(-end, end), ylim=(-end, end), equal=True,
        note=note,
    )  # fmt: skip


def areas(one: xr.Dataset) -> plots.Figure:
    """|det J| of the layer over the plane, and how area ratios of cells tend to it."""
    side, top = one.side.values, float(one.stretch.max())
    errors = plots.Panel(
        [
            plots.Line(x=side, y=one.worst.values, label="worst cell", marked=1),
            plots.Line(x=side, y=one["median"].values, label="median cell", marked=1),
            plots.Guide(at=(side[0], 3 * float(one.worst[0])), slope=2.0, label="slope 2"),
        ],
        title="Cells of ever smaller side",
        note=f"{int(one.attrs['cells']):,} cells of each side",
        x="side of a cell",
        y="|area ratio - |det J||",
        scales=("log", "log"),
        xlim=(side.min() / 2, side.max() * 2),
    )
    image = plots.Panel(
        [
            plots.Image(x=one.x, y=one.y, values=one.stretch.values, label="|det J|", behind=True),
            plots.Contours(x=one.x, y=one.y, values=one.stretch.values,
                           levels=np.array([0.01, 0.05, 0.2, 0.5, 0.9]) * top),
        ],
        title="How much areas shrink",
        note=f"at most times {top:.3f}",
        x="x",
        y="y",
        equal=True,
    )  # fmt: skip
    return plots.chart(
        "Small areas are multiplied by the determinant of the Jacobian",
        [image, errors],
        caption="Left: what tanh(W x + b) multiplies a small area by, at each point. Right: "
        "areas of the images of square cells over the cells' areas, beside |det J|.",
        alt=f"The factor is at most {top:.3f} and tends to zero where the layer saturates. The "
        f"worst cell of side {side[-1]:g} is off by {number(float(one.worst[-1]))}; slope "
        f"{slope(one):.2f}.",
    )

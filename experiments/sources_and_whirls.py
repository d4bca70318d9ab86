"""Where does a vector field spring up, where does it whirl? Divergence, curl and Laplacian."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Literal, Self

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from lab import config, plots
from lab.calculus import function
from lab.calculus.fields import (
    curl,
    curl_stencil,
    diffuse,
    divergence,
    divergence_stencil,
    field,
    gradient_field,
    laplacian,
    laplacian_stencil,
    waves,
)
from lab.calculus.samples import mesh, scattered, slope
from lab.check import Check
from lab.config.planes import SurfaceField, Window
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

STEPS = (0.02, 0.01, 0.005)
"""Distances of the stencils; errors are told at the last."""

HEAT = {"stable": 0.25, "unstable": 0.26}
"""D dt / h^2 of the two runs of the heat equation, at the limit and above it."""

WAVES = 4
"""In each random field in space."""


def _formula(value: Any) -> Any:
    if isinstance(value, str):
        return function(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError([Fault((), "give a formula in quotes, or a number")])
    return float(value)


Formula = Annotated[
    Any,
    PlainValidator(_formula),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}]}),
]


class Case(config.Section):
    """A field by its components or by its potential, and what its divergence and curl must be."""

    title: config.Text = Field(description="Above its panels.")
    components: tuple[config.FunctionField, config.FunctionField] | None = Field(
        None, description="Formulas of both components."
    )
    potential: SurfaceField | None = Field(None, description="Or what it is the gradient of.")
    divergence: Formula = Field(description="Worked out by hand: a formula or a number.")
    curl: Formula = Field(description="Worked out by hand.")
    centre_divergence: config.Finite | None = Field(None, description="At (0, 0), published.")
    hole: float = Field(0.0, ge=0, description="Radius around (0, 0) that is left out.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.components is None) == (self.potential is None):
            told = "give either its components or its potential"
            raise SpecError([Fault(("components",), told)])
        return self

    def field(self) -> Callable[[Any], Any]:
        """The field itself."""
        if self.potential is not None:
            return gradient_field(self.potential)
        return field(self.components or ())


class Config(config.ExperimentConfig):
    """The fields, their window, and how many cells and random fields they are proved on."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=4, description="Fields.")
    window: Window = Field(description="Ends of what is drawn, and of the cells.")
    cells: config.Count = Field(1_000_000, description="Random places for each field.")
    random_fields: config.Count = Field(100_000, description="Random fields in space.")
    heat_side: config.Side = Field(64, multiple_of=2, description="Grid of the heat equation.")
    heat_steps: config.Count = Field(500, description="Its steps.")
    arrows: config.Side = Field(7, description="Arrows along each side.")
    side: config.Side = Field(101, description="Points along each side of a drawn map.")


def compute(config: Config, session: Session) -> None:
    """Each field's divergence and curl in three ways; identities in space; the heat equation."""
    for index, case in enumerate(config.cases):
        session.save(f"_cases/{index:02d}", _case(config, case, session))
    session.save("_identities", _identities(config, session))
    session.save("_heat", _heat(config, session))


def by_hand(formula: Any) -> Callable[[Any], Any]:
    """The function of a point that a formula or a number in the config stands for."""
    if isinstance(formula, float):
        return lambda p: jnp.full_like(p[0], formula)
    return lambda p: formula(*p[: formula.dimension])


def _case(config: Config, case: Case, session: Session) -> xr.Dataset:
    flow = case.field()
    x, y, points = mesh(config.window, config.side)
    low_high = [(0.85 * a + 0.15 * b, 0.15 * a + 0.85 * b) for a, b in config.window]
    _, _, feet = mesh((low_high[0], low_high[1]), config.arrows)
    places = scattered(config.seed, config.window, config.cells)
    places = places[np.hypot(*places.T) > max(case.hole, 1e-9)]
    feet = feet[np.hypot(*feet.T) > case.hole]
    data: dict[str, Any] = {
        "foot": (("arrow", "dim"), feet),
        "arrow_vector": (("arrow", "dim"), session.batched(flow, feet)),
    }
    for name, exact, stencil, hand in (
        ("divergence", divergence, divergence_stencil, case.divergence),
        ("curl", curl, curl_stencil, case.curl),
    ):
        shown = session.batched(partial(exact, flow), points).reshape(-1, len(x))
        shown[np.hypot(*np.meshgrid(x, y)) < case.hole] = np.nan
        data[name] = (("y", "x"), shown)
        auto = session.batched(partial(exact, flow), places)
        expected = session.batched(by_hand(hand), places)
        data[f"{name}_by_hand"] = float(np.abs(auto - expected).max())
        at = [session.batched(partial(stencil, flow, h=h), places) for h in STEPS]
        data[f"{name}_stencil"] = ("step", np.array([np.abs(s - auto).max() for s in at]))
    if case.centre_divergence is not None:
        data["centre"] = float(session.batched(partial(divergence, flow), np.zeros((1, 2)))[0])
    if case.potential is not None:
        f = case.potential
        auto = session.batched(partial(laplacian, f), places)
        at = [session.batched(partial(laplacian_stencil, f, h=h), places) for h in STEPS]
        data["laplacian_stencil"] = ("step", np.array([np.abs(s - auto).max() for s in at]))
    told = {"title": case.title, "cells": len(places)}
    return xr.Dataset(data, {"x": x, "y": y, "step": list(STEPS)}, told)


def identities(amplitudes: Any, vectors: Any, phases: Any, point: Any) -> Any:
    """|curl grad f| and |div curl F| of random waves in space, beside their second derivatives."""
    flow = waves(amplitudes, vectors, phases)

    def potential(x: Any, y: Any, z: Any) -> Any:
        return flow(jnp.stack([x, y, z]))[0]

    size = jnp.sum(jnp.linalg.norm(amplitudes, axis=1) * jnp.sum(vectors**2, axis=1))
    curl_grad = jnp.linalg.norm(curl(gradient_field(potential), point))
    div_curl = jnp.abs(divergence(lambda p: curl(flow, p), point))
    return jnp.stack([curl_grad, div_curl]) / size


def _identities(config: Config, session: Session) -> xr.Dataset:
    random, count = np.random.default_rng(config.seed + 1), config.random_fields
    a, k = random.normal(size=(2, count, WAVES, 3))
    phases = random.uniform(0, 2 * np.pi, (count, WAVES))
    worst = session.batched(identities, a, k, phases, random.normal(size=(count, 3))).max(axis=0)
    return xr.Dataset({"curl_grad": float(worst[0]), "div_curl": float(worst[1])})


def _heat(config: Config, session: Session) -> xr.Dataset:
    """The largest value after many steps from a checkerboard of 1 and -1, the stiffest wave."""
    i, j = np.indices((config.heat_side, config.heat_side))
    board = np.where((i + j) % 2, -1.0, 1.0)
    numbers = np.array(list(HEAT.values()))
    starts = np.repeat(board[None], len(numbers), 0)
    after = session.batched(partial(diffuse, steps=config.heat_steps), starts, numbers)
    return xr.Dataset(
        {"largest": ("run", np.abs(after).max(axis=(1, 2))), "number": ("run", numbers)}
    )


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def order(errors: xr.DataArray) -> float:
    """The power of the distance with which a stencil's error falls; NaN where it is exact."""
    values = errors.values
    return slope(np.array(STEPS), values) if values.min() > 1e-10 else np.nan


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Divergence and curl as worked out by hand, by autodiff and stencils; identities; heat."""
    made = []
    for case, one in zip(config.cases, cases(data), strict=True):
        name, cells = one.attrs["title"], one.attrs["cells"]
        for what in ("divergence", "curl"):
            told = f"{name}: worst error of the {what} at {cells} places"
            worst = float(one[f"{what}_by_hand"])
            made.append(Check(told, 0, worst, 1e-12, "differentiated by hand", at_most=True))
        for what in ("divergence", "curl", "laplacian"):
            if f"{what}_stencil" in one:
                made.append(_stencil(name, what, one[f"{what}_stencil"]))
        if case.centre_divergence is not None:
            expected, told = case.centre_divergence, f"{name}: divergence at (0, 0)"
            made.append(Check(told, expected, float(one.centre), 1e-12, "differentiated by hand"))
    found, heat = data["_identities"], data["_heat"].largest.values
    count, rounding = config.random_fields, 1e-14
    steps, above = config.heat_steps, (8 * HEAT["unstable"] - 1) ** config.heat_steps
    source = "a checkerboard grows by 1 - 8 D dt/h² a step: stable iff D dt/h² <= 1/4"
    made += [
        Check(f"curl grad f on {count} random fields", 0, float(found.curl_grad), rounding,
              "second partial derivatives commute", at_most=True),
        Check(f"div curl F on {count} random fields", 0, float(found.div_curl), rounding,
              "second partial derivatives commute", at_most=True),
        Check(f"heat equation at D dt/h² = 1/4: largest value after {steps} steps", 1,
              float(heat[0]), 1e-9, source),
        Check(f"heat equation at D dt/h² = 0.26: largest value after {steps} steps over that of "
              "theory", 1, float(heat[1] / above), 1e-9, source),
    ]  # fmt: skip
    return made


def _stencil(name: str, what: str, errors: xr.DataArray) -> Check:
    """Second order where there is an error at all; exact to rounding where there is none."""
    power = order(errors)
    if np.isnan(power):
        told, worst = f"{name}: worst error of the {what}'s stencil, exact", float(errors.max())
        return Check(told, 0, worst, 1e-10, "central differences of a linear field", at_most=True)
    told = f"{name}: order of the {what}'s stencil"
    return Check(told, 2, power, 0.05, "central differences: error O(h²)")


def summary(data: xr.DataTree) -> Table:
    """One row a field."""
    columns = (
        Column("field", "field", "what is differentiated", ""),
        Column("divergence", "divergence", "largest size on the map", ".4g"),
        Column("curl", "curl", "largest size on the map", ".4g"),
        Column("by_hand", "off by hand", "worst error against the formulas", ".1e"),
        Column("stencil", "stencil's error", f"worst, at h = {STEPS[-1]}", ".1e"),
        Column("order", "its order", "power of h", ".3f"),
    )
    rows = [
        {
            "field": one.attrs["title"],
            "divergence": float(np.nanmax(np.abs(one["divergence"]))),
            "curl": float(np.nanmax(np.abs(one["curl"]))),
            "by_hand": max(float(one.divergence_by_hand), float(one.curl_by_hand)),
            "stencil": max(float(one[f"{w}_stencil"][-1]) for w in ("divergence", "curl")),
            "order": order(one.divergence_stencil),
        }
        for one in cases(data)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """What the fields do, and that gradients never whirl."""
    worst = max(row["by_hand"] for row in summary(data).rows)
    found = data["_identities"]
    return (
        f"Divergence and curl agree with the formulas to {worst:.0e}; curl grad and div curl "
        f"vanish on random fields to {max(float(found.curl_grad), float(found.div_curl)):.0e} of "
        "their terms: a gradient never whirls."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The fields over their divergence, and over their curl."""
    return {"div_curl": partial(div_curl, cases(data))}


def div_curl(found: Sequence[xr.Dataset]) -> plots.Figure:
    """Above: arrows over the divergence; below: the same arrows over the curl."""
    top = {
        what: float(max(np.nanquantile(np.abs(one[what]), 0.98) for one in found))
        for what in ("divergence", "curl")
    }
    alt = " ".join(
        f"{row['field']}: divergence up to {number(row['divergence'])}, curl up to "
        f"{number(row['curl'])} in size."
        for row in (_extremes(one) for one in found)
    )
    return plots.chart(
        "Divergence finds sources, curl finds whirls",
        [_panel(one, what, top[what]) for what in top for one in found],
        caption="Arrows are the field at their middle, each panel to its own scale. Each pixel of "
        "the upper row is the divergence there, of the lower row the curl; their ends are told "
        "above each panel. Grey is left out.",
        alt="Four vector fields over their divergence and over their curl. " + alt,
        grid=(2, len(found)),
        height=5.7,
    )


def _extremes(one: xr.Dataset) -> dict[str, Any]:
    sizes = {w: float(np.nanmax(np.abs(one[w]))) for w in ("divergence", "curl")}
    return {"field": one.attrs["title"]} | {w: 0.0 if s < 1e-9 else s for w, s in sizes.items()}


def _panel(one: xr.Dataset, what: str, top: float) -> plots.Panel:
    x, y, shown = one.x.values, one.y.values, one[what].values
    vectors, feet = one.arrow_vector.values, one.foot.values
    spacing = 0.7 * np.ptp(x) / np.sqrt(len(feet))
    scale = spacing / np.linalg.norm(vectors, axis=1).max()
    feet = feet - vectors * scale / 2
    upper = what == "divergence"
    return plots.Panel(
        [
            plots.Image(x=x, y=y, values=shown, kind="signed", limits=(-top, top), label=what),
            plots.Arrows(x=feet[:, 0], y=feet[:, 1], u=vectors[:, 0], v=vectors[:, 1],
                         scale=scale, tone="text", width=0.012),
        ],
        title=one.attrs["title"] if upper else _range("curl", shown),
        note=_range("div", shown) if upper else "",
        x="" if upper else "x",
        y="y",
        xlim=(x[0], x[-1]),
        ylim=(y[0], y[-1]),
        equal=True,
    )  # fmt: skip


def _range(name: str, values: np.ndarray) -> str:
    """`curl 2`, or `div −4 to 0.54`."""
    low, high = (0.0 if abs(v) < 1e-9 else float(v) for v in (np.nanmin(values), np.nanmax(values)))
    if high - low < 1e-9:
        return f"{name} {number(high)}"
    return f"{name} {number(low, 2)} to {number(high, 2)}"

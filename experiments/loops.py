"""What does a field do around a loop? As much as it whirls inside; and likewise what flows out."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.fields import (
    circulation,
    curl,
    divergence,
    field,
    flux,
    inside,
    inside_surface,
    star,
    surface_flux,
    waves,
)
from lab.calculus.samples import mesh
from lab.check import Check
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

CORNERS, RINGS = 80, 12
"""Points of a loop, and of each ray inside it, at which fields are looked at."""

WAVES, WOBBLES = 3, 3
"""Of a random field, and of the radius of a random loop."""

BLOCK = 1 << 11
SHOWN = 60
"""Random loops that are drawn."""

LINES = {
    "circulation": ("circulation", "curl inside"),
    "flux": ("flux outwards", "divergence inside"),
}
KINDS = ("circulation", "curl", "flux", "divergence")


class Known(config.Section):
    """A loop (r_x cos t, r_y sin t) and the integrals around it, worked out by hand."""

    radii: tuple[config.Positive, config.Positive] = Field(description="r_x and r_y.")
    circulation: config.Finite = Field(description="In units of pi.")
    flux: config.Finite = Field(description="In units of pi.")


class Case(config.Section):
    """A field and its known integrals."""

    title: config.Text = Field(description="Above its panel.")
    components: tuple[config.FunctionField, config.FunctionField] = Field(
        description="Formulas of both components."
    )
    loops: tuple[Known, ...] = Field(min_length=1, max_length=3, description="Ellipses.")


class Config(config.ExperimentConfig):
    """Known fields and loops, and how many random ones."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=2, description="Fields.")
    random_loops: config.Count = Field(100_000, description="Each with a field of its own.")
    random_solids: config.Count = Field(1000, description="Ellipsoids, each with a field.")
    arrows: config.Side = Field(9, description="Arrows along each side.")


def around(flow: Any, loop: Any, centre: Any) -> Any:
    """Circulation, integral of the curl, flux and integral of the divergence, as in `KINDS`."""
    return jnp.stack(
        [
            circulation(flow, loop, CORNERS),
            inside(partial(curl, flow), loop, centre, CORNERS, RINGS),
            flux(flow, loop, CORNERS),
            inside(partial(divergence, flow), loop, centre, CORNERS, RINGS),
        ]
    )


def ellipse(radii: Any) -> Callable[[Any], Any]:
    """The loop (r_x cos t, r_y sin t)."""
    return lambda t: radii * jnp.stack([jnp.cos(t), jnp.sin(t)])


def random_loop(
    amplitudes: Any, vectors: Any, phases: Any, centre: Any, size: Any, wobbles: Any
) -> Any:
    """The four integrals of one random field of waves around one random star-shaped loop."""
    return around(waves(amplitudes, vectors, phases), star(centre, wobbles, size), centre)


def random_solid(amplitudes: Any, vectors: Any, phases: Any, radii: Any) -> Any:
    """Flux out of an ellipsoid, and the integral of the divergence over the solid."""
    flow = waves(amplitudes, vectors, phases)

    shell = lambda u, v: radii * _sphere(u, v)  # noqa: E731
    volume = inside_surface(partial(divergence, flow), shell, 32, 16, RINGS)
    return jnp.stack([surface_flux(flow, shell, 32, 16), volume])


def _sphere(u: Any, v: Any) -> Any:
    flat = jnp.sqrt(1 - v**2)
    return jnp.stack([flat * jnp.cos(u), flat * jnp.sin(u), v])


def compute(config: Config, session: Session) -> None:
    """The known integrals, and both sides of the theorems on random fields, loops and solids."""
    for index, case in enumerate(config.cases):
        flow = field(case.components)
        radii = np.array([loop.radii for loop in case.loops])
        found = session.batched(lambda r, f=flow: around(f, ellipse(r), 0 * r), radii)
        reach = 1.2 * radii.max()
        _, _, feet = mesh(((-reach, reach), (-reach, reach)), config.arrows)
        data = {
            "integral": (("loop", "kind"), found),
            "radii": (("loop", "dim"), radii),
            "foot": (("arrow", "dim"), feet),
            "arrow_vector": (("arrow", "dim"), session.batched(flow, feet)),
        }
        session.save(f"_cases/{index:02d}", xr.Dataset(data, attrs={"title": case.title}))
    session.save("_random", _random(config, session))


def _random(config: Config, session: Session) -> xr.Dataset:
    random, count = np.random.default_rng(config.seed), config.random_loops
    a, k = random.normal(size=(2, count, WAVES, 2))
    phases = random.uniform(0, 2 * np.pi, (count, WAVES))
    centre = random.normal(size=(count, 2))
    size = random.uniform(0.3, 1.5, count)
    wobbles = random.uniform(-0.12, 0.12, (count, WOBBLES, 2))  # their sum stays above -1
    loops = session.batched(random_loop, a, k, phases, centre, size, wobbles, block=BLOCK)
    solids = config.random_solids
    a, k = random.normal(size=(2, solids, WAVES, 3))
    phases = random.uniform(0, 2 * np.pi, (solids, WAVES))
    radii = random.uniform(0.5, 1.5, (solids, 3))
    sides = session.batched(random_solid, a, k, phases, radii, block=128)
    return xr.Dataset(
        {
            "integral": (("random", "kind"), loops[:SHOWN]),
            "worst_circulation": float(np.abs(loops[:, 0] - loops[:, 1]).max()),
            "worst_flux": float(np.abs(loops[:, 2] - loops[:, 3]).max()),
            "typical_circulation": float(np.abs(loops[:, 0]).mean()),
            "typical_flux": float(np.abs(loops[:, 2]).mean()),
            "worst_solid": float(np.abs(sides[:, 0] - sides[:, 1]).max()),
        },
        attrs={"loops": config.random_loops, "solids": config.random_solids},
    )


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Known integrals by hand; both sides of Green's and the divergence theorem agree."""
    made = []
    for case, one in zip(config.cases, cases(data), strict=True):
        for loop, found in zip(case.loops, one.integral.values, strict=True):
            place = f"{case.title} around {_ellipse(loop.radii)}"
            for kind, turns in (("circulation", loop.circulation), ("flux", loop.flux)):
                measured = float(found[KINDS.index(kind)])
                source = f"worked out by hand: {turns:g} pi"
                made.append(Check(f"{kind} of {place}", turns * np.pi, measured, 1e-12, source))
    both = data["_random"]
    for kind, source in (("circulation", "Green's theorem"), ("flux", "the divergence theorem")):
        other = LINES[kind][1]
        told = f"{kind} against {other}: worst gap over {config.random_loops} random loops"
        made.append(Check(told, 0, float(both[f"worst_{kind}"]), 1e-11, source, at_most=True))
    told = f"flux against divergence inside: worst gap over {config.random_solids} ellipsoids"
    source = "the divergence theorem in space"
    made.append(Check(told, 0, float(both.worst_solid), 1e-11, source, at_most=True))
    return made


def _ellipse(radii: Sequence[float]) -> str:
    rx, ry = (f"{r:g} " if r != 1 else "" for r in radii)
    return f"({rx}cos t, {ry}sin t)"


def summary(data: xr.DataTree) -> Table:
    """One row a field and loop."""
    columns = (
        Column("field", "field", "what is integrated", ""),
        Column("loop", "loop", "around which", ""),
        *(Column(kind, kind, "integral, in units of pi", ".6g") for kind in KINDS),
    )
    rows = [
        {"field": one.attrs["title"], "loop": _ellipse(radii)}
        | {kind: _clean(v / np.pi) for kind, v in zip(KINDS, found, strict=True)}
        for one in cases(data)
        for radii, found in zip(one.radii.values.tolist(), one.integral.values, strict=True)
    ]
    return Table(columns, tuple(rows))


def _clean(value: float) -> float:
    return 0.0 if abs(value) < 1e-12 else float(value)


def verdict(data: xr.DataTree) -> str:
    """How well both sides agree."""
    one = data["_random"]
    return (
        f"Around {one.attrs['loops']} random loops the circulation is the curl inside to "
        f"{float(one.worst_circulation):.0e}, and the flux is the divergence inside to "
        f"{float(one.worst_flux):.0e}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The loops in their fields, and both sides of the theorems."""
    return {"line_integral_green": partial(drawn, data)}


def drawn(data: xr.DataTree) -> plots.Figure:
    """Known fields with their loops, and random loops with both sides of the theorems."""
    found, one = cases(data), data["_random"].to_dataset()
    alt = " ".join(
        f"{row['field']} around {row['loop']}: circulation {number(row['circulation'])} pi, flux "
        f"{number(row['flux'])} pi."
        for row in summary(data).rows
    )
    return plots.chart(
        "Around a loop a field does what it whirls inside",
        [*(_panel(case) for case in found), _both_sides(one)],
        caption="Left: a field and closed loops, run through counterclockwise; below each title "
        "the integrals along the loops. Right: each point is a random loop in a random field, its "
        "line integral against the integral over what is inside: circulation against curl, "
        "outward flux against divergence.",
        alt=f"{alt} The points of {one.sizes['random']} random loops lie on the diagonal.",
        height=5.0,
    )


def _panel(case: xr.Dataset) -> plots.Panel:
    t = np.linspace(0, 2 * np.pi, 201)
    feet, vectors = case.foot.values, case.arrow_vector.values
    spacing = 0.8 * (feet[:, 0].max() - feet[:, 0].min()) / (np.sqrt(len(feet)) - 1)
    scale = spacing / np.linalg.norm(vectors, axis=1).max()
    feet = feet - vectors * scale / 2
    marks: list[plots.Mark] = [
        plots.Arrows(x=feet[:, 0], y=feet[:, 1], u=vectors[:, 0], v=vectors[:, 1], scale=scale,
                     tone="muted", width=0.009)
    ]  # fmt: skip
    for tone, (rx, ry) in enumerate(case.radii.values):
        look = plots.Style(tone).linestyle
        x, y = rx * np.cos(t), ry * np.sin(t)
        label = _ellipse((rx, ry))
        marks.append(plots.Line(x=x, y=y, tone=tone, label=label, dashes=look, width=3))
    turns = " and ".join(_in_pi(c) for c in case.integral.values[:, 0])
    reach = 1.25 * float(np.abs(case.foot.values).max())
    return plots.Panel(
        marks, title=case.attrs["title"], note=f"circulation {turns}", x="x", y="y",
        xlim=(-reach, reach), ylim=(-reach, reach), equal=True,
    )  # fmt: skip


def _in_pi(value: float) -> str:
    turns = _clean(value / np.pi)
    return f"{number(turns)}π" if turns else "0"


def _both_sides(one: xr.Dataset) -> plots.Panel:
    found = one.integral.values
    reach = 1.1 * float(np.abs(found).max())
    marks: list[plots.Mark] = [plots.Guide(at=(0.0, 0.0), slope=1.0)]
    for tone, (line, area) in zip((2, 3), ((0, 1), (2, 3)), strict=True):
        marks.append(
            plots.Points(x=found[:, area], y=found[:, line], tone=tone, hollow=True, size=6,
                         label=f"{KINDS[line]} against {KINDS[area]}")
        )  # fmt: skip
    return plots.Panel(
        marks, title="random loops", note=f"{one.attrs['loops']} tried",
        x="integral over the inside", y="integral along the loop", xlim=(-reach, reach),
        ylim=(-reach, reach), equal=True,
    )  # fmt: skip

"""What do sums and products of vectors measure? Lengths, angles, shadows and areas."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.vectors import angle, cross, dot, norm, projection
from lab.check import Check
from lab.config.planes import Position
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

IDENTITIES = {
    "a . b = |a||b| cos(angle of their headings)": "law of cosines",
    "|a + b|² = |a|² + 2 a . b + |b|²": "bilinearity",
    "|s a| = |s||a|": "homogeneity",
    "|a|² = |p|² + |a - p|², p the projection of a on b": "Pythagoras",
    "(a - p) . b = 0": "the shadow falls at a right angle",
    "(a x b) . a = (a x b) . b = 0": "the cross product is at right angles to both",
    "|a x b|² + (a . b)² = |a|²|b|²": "Lagrange's identity",
    "a x b = -b x a": "antisymmetry",
    "a x (b x c) + b x (c x a) + c x (a x b) = 0": "Jacobi's identity",
    "a x (b x c) = b (a . c) - c (a . b)": "Grassmann's identity",
}
"""What is proved, and what it is called."""


class Config(config.ExperimentConfig):
    """The two vectors that are drawn, and how many random ones the identities are proved on."""

    precision: Literal["float64"] = "float64"
    a: Position = Field(description="The first vector drawn.")
    b: Position = Field(description="The second.")
    factor: config.Finite = Field(description="What the first is scaled by.")
    samples: config.Count = Field(1_000_000, description="Random vectors, thrice three numbers.")
    pixels: config.Side = Field(1500, description="Along each side of the grid that counts areas.")

    @model_validator(mode="after")
    def _apart(self) -> Self:
        (a, b), (c, d) = self.a, self.b
        if a * d == b * c:
            told = "a and b lie on one line (or one is 0), so they span no area"
            raise SpecError([Fault(("b",), told)])
        return self


def departures(a: Any, b: Any, c: Any, s: Any) -> Any:
    """How far each of `IDENTITIES` is from holding, beside the size of its terms."""
    p, n = projection(a, b), cross(a, b)
    la, lb, lc = norm(a), norm(b), norm(c)
    turned = cross(a, cross(b, c))
    jacobi = turned + cross(b, cross(c, a)) + cross(c, cross(a, b))
    grassmann = turned - (b * dot(a, c) - c * dot(a, b))
    flat, other = a[:2], b[:2]
    heading = jnp.arctan2(flat[1], flat[0]) - jnp.arctan2(other[1], other[0])
    lengths = norm(flat) * norm(other)
    return jnp.stack(
        [
            (dot(flat, other) - lengths * jnp.cos(heading)) / lengths,
            (dot(a + b, a + b) - la**2 - 2 * dot(a, b) - lb**2) / (la**2 + lb**2),
            (norm(s * a) - jnp.abs(s) * la) / (jnp.abs(s) * la),
            (la**2 - dot(p, p) - dot(a - p, a - p)) / la**2,
            dot(a - p, b) / (la * lb),
            jnp.maximum(jnp.abs(dot(n, a)) / la, jnp.abs(dot(n, b)) / lb) / (la * lb),
            (dot(n, n) + dot(a, b) ** 2 - (la * lb) ** 2) / (la * lb) ** 2,
            norm(n + cross(b, a)) / (la * lb),
            norm(jacobi) / (la * lb * lc),
            norm(grassmann) / (la * lb * lc),
        ]
    )


def compute(config: Config, session: Session) -> None:
    """The drawn vectors' products, the same read off the picture, and the identities."""
    random = np.random.default_rng(config.seed)
    a, b, c = random.normal(size=(3, config.samples, 3))
    worst = np.abs(session.batched(departures, a, b, c, random.normal(size=config.samples)))
    drawn = np.array([config.a]), np.array([config.b])
    found = {
        name: session.batched(function, *drawn)[0]
        for name, function in (
            ("dot", dot), ("angle", angle), ("projection", projection), ("area", cross),
        )
    }  # fmt: skip
    heading = [np.arctan2(y, x) for x, y in (config.a, config.b)]
    between = abs((heading[0] - heading[1] + np.pi) % (2 * np.pi) - np.pi)
    data = xr.Dataset(
        {
            "a": ("dim", drawn[0][0]),
            "b": ("dim", drawn[1][0]),
            "projection": ("dim", found["projection"]),
            "dot": float(found["dot"]),
            "angle": float(np.degrees(found["angle"])),
            "area": float(found["area"]),
            "angle_read": float(np.degrees(between)),
            "area_counted": counted_area(drawn[0][0], drawn[1][0], config.pixels),
            "worst": ("identity", worst.max(axis=0)),
        },
        attrs={"factor": config.factor, "samples": config.samples, "pixels": config.pixels},
    )
    session.save("_vectors", data)


def counted_area(a: np.ndarray, b: np.ndarray, pixels: int) -> float:
    """The area of the parallelogram of a and b, by counting pixels whose centre is inside."""
    corners = np.array([0 * a, a, b, a + b])
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = (high - low) / pixels
    x, y = (low[i] + size[i] * (np.arange(pixels) + 0.5) for i in (0, 1))
    whole = a[0] * b[1] - a[1] * b[0]
    along = (x[None, :] * b[1] - y[:, None] * b[0]) / whole
    across = (a[0] * y[:, None] - a[1] * x[None, :]) / whole
    inside = (along >= 0) & (along <= 1) & (across >= 0) & (across <= 1)
    return float(inside.sum() * size[0] * size[1])


def found(data: xr.DataTree) -> xr.Dataset:
    """The saved numbers."""
    return data["_vectors"].to_dataset()


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The identities hold to rounding; angle and area are those of the picture."""
    one = found(data)
    box = np.ptp(np.array([0 * one.a, one.a, one.b, one.a + one.b]), axis=0).prod()
    made = [
        Check("angle of a and b by the dot product [degrees]", float(one.angle_read),
              float(one.angle), 1e-12 * 180, "difference of their headings"),
        Check("area of a and b by the cross product", float(one.area_counted),
              abs(float(one.area)), float(4 * box / config.pixels), "pixels counted"),
    ]  # fmt: skip
    told = f"worst over {config.samples} random vectors"
    for (name, source), worst in zip(IDENTITIES.items(), one.worst.values, strict=True):
        made.append(Check(f"{name}: {told}", 0, float(worst), 1e-14, source, at_most=True))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row an identity."""
    columns = (
        Column("identity", "identity", "what is proved", ""),
        Column("name", "name", "what it is called", ""),
        Column("worst", "worst", "departure over all random vectors, relative", ".1e"),
    )
    worst = found(data).worst.values
    rows = [
        {"identity": identity, "name": name, "worst": float(far)}
        for (identity, name), far in zip(IDENTITIES.items(), worst, strict=True)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """All hold, and the picture agrees."""
    one = found(data)
    return (
        f"{len(IDENTITIES)} identities hold on {one.attrs['samples']} random vectors to "
        f"{float(one.worst.max()):.0e}; the drawn ones are {float(one.angle):.2f} degrees apart "
        f"and span an area of {abs(float(one.area)):.4g}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The operations, drawn."""
    return {"vector_operations": partial(vector_operations, found(data))}


def vector_operations(one: xr.Dataset) -> plots.Figure:
    """Addition, scaling, dot product with projection, and cross product, a panel each."""
    a, b = one.a.values, one.b.values
    xlim, ylim = _limits(one)
    return plots.chart(
        "Sums, multiples, shadows and areas of two vectors",
        [
            plots.Panel(
                marks, title=title, note=note, x="x", y="y", xlim=xlim, ylim=ylim, equal=True
            )
            for marks, title, note in (
                _sum(a, b), _multiple(a, one.attrs["factor"]), _shadow(one), _area(one),
            )
        ],
        caption="Arrows are vectors from the origin. Added, they make the diagonal of their "
        "parallelogram; multiplied by a number, one changes its length or turns round. The dot "
        "product is the length of b times that of the shadow of a on it; the cross product is "
        "the area of the parallelogram.",
        alt=f"a = {_told(a)} and b = {_told(b)} add up to {_told(a + b)}. Their dot product is "
        f"{number(float(one.dot.values))}, the angle between them {float(one.angle):.1f} degrees, "
        f"the shadow of a on b {_told(one.projection.values)}, and the area they span "
        f"{number(abs(float(one.area)))}.",
        grid=(2, 2),
    )  # fmt: skip


def _told(vector: np.ndarray) -> str:
    return "(" + ", ".join(number(c) for c in vector) + ")"


def _limits(one: xr.Dataset) -> tuple[tuple[float, float], tuple[float, float]]:
    a, b = one.a.values, one.b.values
    ends = np.array([0 * a, a, b, a + b, one.attrs["factor"] * a, one.projection.values])
    low, high = ends.min(axis=0) - 0.6, ends.max(axis=0) + 0.6
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def _arrow(vector: np.ndarray, tone: int) -> plots.Arrows:
    u, v = vector
    return plots.Arrows(x=[0.0], y=[0.0], u=[u], v=[v], tone=tone, width=0.012)


def _name(text: str, at: np.ndarray, across: str = "left", up: str = "bottom") -> plots.Note:
    return plots.Note(text=text, x=float(at[0]), y=float(at[1]), across=across, up=up)


def _between(p: np.ndarray, q: np.ndarray) -> plots.Line:
    x, y = np.array([p, q]).T
    return plots.Line(x=x, y=y, tone="muted", dashes=(0, (4, 3)), width=1.8)


Drawn = tuple[list[plots.Mark], str, str]


def _sum(a: np.ndarray, b: np.ndarray) -> Drawn:
    marks: list[plots.Mark] = [_between(a, a + b), _between(b, a + b)]
    marks += [_arrow(a, 0), _arrow(b, 1), _arrow(a + b, 2)]
    marks += [_name("a", a), _name("b", b, "left", "top"), _name("a + b", a + b, "right")]
    return marks, "sum a + b", _told(a + b)


def _multiple(a: np.ndarray, factor: float) -> Drawn:
    marks: list[plots.Mark] = [_arrow(factor * a, 2), _arrow(a, 0)]
    marks += [_name("a", a), _name(f"{factor:g} a", factor * a, "left", "top")]
    return marks, f"multiple {factor:g} a", _told(factor * a)


def _shadow(one: xr.Dataset) -> Drawn:
    a, b, p = one.a.values, one.b.values, one.projection.values
    marks: list[plots.Mark] = [_between(a, p), _arrow(b, 1), _arrow(p, 2)]
    marks += [
        _arrow(a, 0),
        _name("a", a),
        _name("b", b, "left", "top"),
        _name("p", p, "left", "top"),
    ]
    told = f"a·b = {number(float(one.dot.values))}, angle {float(one.angle):.1f}°"
    return marks, "dot product and shadow p", told


def _area(one: xr.Dataset) -> Drawn:
    a, b = one.a.values, one.b.values
    whole = plots.Polygon(x=[0, a[0], a[0] + b[0], b[0]], y=[0, a[1], a[1] + b[1], b[1]], tone=2)
    marks: list[plots.Mark] = [whole, _arrow(a, 0), _arrow(b, 1)]
    marks += [_name("a", a), _name("b", b, "left", "top")]
    marks.append(_name("|a × b|", (a + b) / 2, "center", "center"))
    return marks, "cross product", f"area {number(abs(float(one.area)))}"

"""Where does a surface lie level, and is it a minimum, a maximum or a saddle there?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, Self

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.partial import KINDS, classify, curvatures, gradient, hessian, newton, winding
from lab.calculus.samples import mesh, scattered
from lab.check import Check
from lab.config.planes import Position, SurfaceField, Window
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.table import Column, Table

FLAT = 1e-6
"""A curvature no larger than this counts as none."""

LEVEL = 1e-9
"""Newton's method has arrived where no gradient is longer than this."""

APART = 1e-4
"""Points nearer than this to each other are one."""

SHAPES = ("valley (+, +)", "hill (−, −)", "pass (+, −)")
INDEX = {"minimum": 1, "maximum": 1, "saddle": -1}


class Known(config.Section):
    """A critical point from the literature, or worked out by hand."""

    at: Position = Field(description="Where it is.")
    kind: Literal["minimum", "maximum", "saddle", "degenerate"] = Field(description="What it is.")
    index: int | None = Field(None, description="Turns of the gradient around a degenerate one.")


class Case(config.Section):
    """A surface, where Newton's method starts, and what it is expected to find."""

    title: config.Text = Field("", description="Above its panel, instead of the formula.")
    function: SurfaceField
    window: Window = Field(description="Ends of what is drawn, and of the starts.")
    known: tuple[Known, ...] = Field(min_length=1, description="All of its critical points.")
    valley_share: float | None = Field(
        None, ge=0, le=1, description="Share of the window where both curvatures are positive."
    )
    source: config.Text = Field("", description="Who says so.")

    @model_validator(mode="after")
    def _indices(self) -> Self:
        faults = [
            Fault(("known", i, "index"), "a degenerate point needs the turns of its gradient")
            for i, one in enumerate(self.known)
            if one.kind == "degenerate" and one.index is None
        ]
        if faults:
            raise SpecError(faults)
        return self


class Config(config.ExperimentConfig):
    """The surfaces, how many starts, and how fine a map."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, description="Surfaces.")
    starts: config.Count = Field(100_000, description="Random starts of Newton's method.")
    steps: config.Count = Field(100, description="Steps of Newton's method.")
    map_side: config.Side = Field(1024, description="Pixels along each side of the map of signs.")
    side: config.Side = Field(161, description="Points along each side of the contours.")


def shape(f: Any, point: Any) -> Any:
    """Which of `SHAPES` the surface has at a point: the signs of its two curvatures."""
    low, high = curvatures(hessian(f, point))
    return jnp.select([low > 0, high < 0], [0, 1], 2).astype(jnp.int8)


def compute(config: Config, session: Session) -> None:
    """Critical points with their kinds and indices, and the map of the signs of curvatures."""
    for index, case in enumerate(config.cases):
        session.save(f"_cases/{index:02d}", _case(config, case, session))


def distinct(points: np.ndarray) -> np.ndarray:
    """One of each group of points that lie together, from left to right."""
    kept: list[np.ndarray] = []
    for point in np.unique(np.round(points, 9) + 0.0, axis=0):
        if all(np.linalg.norm(point - other) > APART for other in kept):
            kept.append(point)
    return np.array(kept).reshape(-1, 2)


def _case(config: Config, case: Case, session: Session) -> xr.Dataset:
    f, window = case.function, case.window
    starts = scattered(config.seed, window, config.starts)
    ends = session.batched(partial(newton, f, steps=config.steps), starts)
    steepness = np.linalg.norm(session.batched(partial(gradient, f), ends), axis=1)
    low, high = np.array(window).T
    arrived = (steepness <= LEVEL) & ((ends >= low) & (ends <= high)).all(axis=1)
    points = distinct(ends[arrived])
    if not len(points):
        raise SpecError([Fault(("starts",), f"no start led to a critical point of {f.label}")])
    all_around = 1.1 * np.linalg.norm(points, axis=1).max() + 0.1
    centres = np.concatenate([points, np.zeros((1, 2))])
    radii = np.append(np.full(len(points), 0.02), all_around)
    turns = session.batched(partial(winding, f), centres, radii)
    x, y, grid = mesh(window, config.side)
    across, down, pixels = mesh(window, config.map_side)
    shapes = session.batched(partial(shape, f), pixels)
    return xr.Dataset(
        {
            "point": (("found", "dim"), points),
            "value": ("found", session.batched(lambda p: f(*p), points)),
            "kind": ("found", session.batched(partial(classify, f, tolerance=FLAT), points)),
            "curvature": (("found", "sign"), session.batched(_bends(f), points)),
            "index": ("found", turns[:-1]),
            "turns": float(turns[-1]),
            "arrived": float(arrived.mean()),
            "shape": (("row", "column"), shapes.reshape(len(down), len(across))),
            "surface": (("y", "x"), session.batched(lambda p: f(*p), grid).reshape(-1, len(x))),
        },
        {"x": x, "y": y, "column": across, "row": down},
        {"function": f.label, "title": case.title or f.label, "starts": config.starts},
    )


def _bends(f: Any) -> Callable[[Any], Any]:
    return lambda p: curvatures(hessian(f, p))


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """All critical points are found, of the kinds known, and the gradient turns as it must."""
    made = []
    for case, one in zip(config.cases, cases(data), strict=True):
        name, source = case.title or case.function.label, case.source or "worked out by hand"
        kinds = [KINDS[k] for k in one.kind.values]
        for kind in KINDS:
            expected = sum(known.kind == kind for known in case.known)
            if expected or kind in kinds:
                told = f"{name}: how many are {kind}"
                made.append(Check(told, expected, kinds.count(kind), 0, source))
        far = [_nearest(one, known) for known in case.known]
        told = f"{name}: farthest known point from one found of its kind"
        made.append(Check(told, 0, max(far), 1e-6, source, at_most=True))
        indices = [INDEX.get(k.kind, k.index) for k in case.known]
        told = f"{name}: turns of the gradient around all of them"
        total = float(sum(i or 0 for i in indices))
        made.append(Check(told, total, float(one.turns), 1e-6, "index theorem of Poincaré-Hopf"))
        told = f"{name}: sum of the turns around each"
        made.append(Check(told, total, float(one["index"].sum()), 1e-6, "index by kind"))
        if case.valley_share is not None:
            share = float((one["shape"] == 0).mean())
            told = f"{name}: share of the map that is a valley"
            tolerance = 4 / config.map_side if case.valley_share else 0.0
            made.append(Check(told, case.valley_share, share, tolerance, source))
    return made


def _nearest(one: xr.Dataset, known: Known) -> float:
    alike = one.point.values[one.kind.values == KINDS.index(known.kind)]
    return float(np.linalg.norm(alike - np.array(known.at), axis=1).min()) if len(alike) else np.inf


def summary(data: xr.DataTree) -> Table:
    """One row a critical point."""
    columns = (
        Column("function", "function", "the surface", ""),
        Column("x", "x", "where", ".6f"),
        Column("y", "y", "where", ".6f"),
        Column("value", "value", "of the function", ".6g"),
        Column("kind", "kind", "by the signs of the curvatures", ""),
        Column("low", "least curvature", "lower eigenvalue of the Hessian", ".6g"),
        Column("high", "largest curvature", "higher eigenvalue", ".6g"),
        Column("index", "index", "turns of the gradient around it", ".0f"),
    )
    rows = [
        {
            "function": one.attrs["title"],
            "x": float(one.point[i, 0]),
            "y": float(one.point[i, 1]),
            "value": float(one.value[i]),
            "kind": KINDS[int(one.kind[i])],
            "low": float(one.curvature[i, 0]),
            "high": float(one.curvature[i, 1]),
            "index": float(one["index"][i]),
        }
        for one in cases(data)
        for i in range(one.sizes["found"])
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """What kinds there are."""
    said = [f"{one.attrs['title']} has {_counted(one)}" for one in cases(data)]
    return "; ".join(said)[:1].upper() + "; ".join(said)[1:] + "."


def _counted(one: xr.Dataset, short: bool = False) -> str:
    plural = {"minimum": "minima", "maximum": "maxima", "saddle": "saddles"}
    brief = {"minimum": "min", "maximum": "max"} if short else {}
    numbers = np.bincount(one.kind.values, minlength=len(KINDS)).tolist()
    parts = [
        f"{n} {brief.get(kind) or (kind if n == 1 else plural.get(kind, kind))}"
        for n, kind in zip(numbers, KINDS, strict=True)
        if n
    ]
    return ", ".join(parts)


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Maps of the signs of curvatures with the critical points."""
    return {"hessian_classify": partial(hessian_classify, cases(data))}


def hessian_classify(found: Sequence[xr.Dataset]) -> plots.Figure:
    """The signs of the two curvatures, contours, and each critical point by kind."""
    told = [f"{one.attrs['title']} has {_counted(one)}." for one in found]
    return plots.chart(
        "The signs of the Hessian's eigenvalues tell minima from saddles",
        [_panel(one) for one in found],
        caption="Each pixel tells the signs of both eigenvalues of the Hessian there, the "
        "curvatures; lines are contours. Marked are the points where the gradient vanishes, all "
        "found by Newton's method from random starts.",
        alt="Maps of the signs of curvature with critical points. " + " ".join(told),
        columns=("kind", "x", "y"),
        rows=[
            (KINDS[k], *p)
            for one in found
            for k, p in zip(one.kind.values.tolist(), one.point.values.tolist(), strict=True)
        ],
        height=5.0,
    )


def _panel(one: xr.Dataset) -> plots.Panel:
    x, y, values = one.x.values, one.y.values, one.surface.values
    levels = np.unique(np.quantile(values, np.linspace(0.02, 0.98, 12)))
    marks: list[plots.Mark] = [
        plots.Image(
            x=one.column.values, y=one.row.values, values=one["shape"].values, kind="categories",
            names=SHAPES, behind=True,
        ),
        plots.Contours(x=x, y=y, values=values, levels=levels, tone="text", width=0.8),
    ]  # fmt: skip
    for number, (kind, marker) in enumerate(zip(KINDS, ("v", "^", "X", "*"), strict=True)):
        at = one.point.values[one.kind.values == number]
        if len(at):
            size = 15 if marker == "*" else 12
            marks.append(
                plots.Points(x=at[:, 0], y=at[:, 1], marker=marker, size=size, tone="text",
                             label=kind)
            )  # fmt: skip
    return plots.Panel(
        marks,
        title=one.attrs["title"],
        note=_counted(one, short=True),
        x="x",
        y="y",
        xlim=(x[0], x[-1]),
        ylim=(y[0], y[-1]),
        equal=True,
    )

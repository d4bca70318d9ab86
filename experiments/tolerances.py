"""How near must x come for f(x) to be as near its limit as one asks?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.limits import delta
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.layout import keywords
from lab.plots.text import number
from lab.table import Column, Table

BEYOND = 1 + 1e-5
"""The factor by which a distance is too far."""


class Case(config.Section):
    """A function, the point that is approached, and the delta that a textbook finds."""

    function: config.FunctionField
    name: config.Text = Field("", description="How a figure calls it; absent: its formula.")
    at: config.Finite = Field(description="The point.")
    limit: config.Finite = Field(description="The limit there, or what is said to be it.")
    farthest: config.Positive = Field(description="The largest distance that is tried.")
    delta: config.FunctionField | None = Field(
        None,
        description="The largest delta for a small epsilon x; absent: there is none, "
        "since the limit is not that.",
    )

    @property
    def label(self) -> str:
        """What a figure calls it."""
        return self.name or self.function.label


class Config(config.ExperimentConfig):
    """The functions, the tolerances, and how many points put each answer to the test."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, max_length=5, description="The functions.")
    epsilons: config.SweepField = Field(description="Tolerances of the values, falling.")
    trials: config.Count = Field(2000, description="Points within each delta that are tried.")
    points: config.Side = Field(401, description="Points of a drawn curve.")
    frames: config.Side = Field(30, le=100, description="Frames of the animation.")

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if (
            len(self.epsilons) < 2
            or (self.epsilons <= 0).any()
            or (np.diff(self.epsilons) >= 0).any()
        ):
            told = "give at least two tolerances above 0, each smaller than the one before"
            raise SpecError([Fault(("epsilons",), told)])
        return self


def compute(config: Config, session: Session) -> None:
    """The largest delta for each epsilon, tried at many points within and just beyond."""
    epsilons = np.asarray(config.epsilons, np.float64)
    for index, case in enumerate(config.cases):
        x = case.at + case.farthest * np.linspace(-1, 1, config.points)
        found, broken, kept = session.batched(
            partial(_tried, case, config.trials), epsilons, block=64
        )
        data = xr.Dataset(
            {
                "delta": ("epsilon", found),
                "broken": ("epsilon", broken),
                "kept_beyond": ("epsilon", kept),
                "curve": ("x", session.batched(case.function, x)),
            },
            {"epsilon": epsilons, "x": x},
            {
                "function": case.label,
                "at": case.at,
                "limit": case.limit,
                "farthest": case.farthest,
                "trials": config.trials,
                "frames": config.frames,
            },
        )
        session.save(f"_cases/{index:02d}", data)


def _tried(case: Case, trials: int, epsilon: Any) -> tuple[Any, Any, Any]:
    """delta; points within it that are too far off; and whether those just beyond are close."""
    found = delta(case.function, case.at, case.limit, epsilon, case.farthest)

    def off(distances: Any) -> Any:
        values = jax.vmap(case.function)(case.at + distances)
        return ~(jnp.abs(values - case.limit) < epsilon)

    sides = jnp.array([-1.0, 1.0])
    within = found * (jnp.arange(trials) + 0.5) / trials
    broken = off(jnp.outer(sides, within).ravel()).sum()
    kept = (found > 0) & (found < case.farthest) & ~off(sides * found * BEYOND).any()
    return found, jnp.where(found > 0, broken, 0), kept


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    return [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """No point within delta is too far off, those just beyond are, and delta is the textbook's."""
    made = []
    definition = "definition of the limit"
    for wanted, case in zip(config.cases, cases(data), strict=True):
        label, found = wanted.label, case.delta.values
        if wanted.delta is None:
            name = f"{label}: largest delta for any epsilon: not the limit"
            made.append(Check(name, 0, float(found.max()), 0, definition))
            continue
        tried = 2 * config.trials * len(found)
        name = f"{label}: points within delta that are too far off, of {tried}"
        made.append(Check(name, 0, int(case.broken.sum()), 0, definition))
        name = f"{label}: epsilons for which a delta larger by 1e-5 serves too"
        made.append(Check(name, 0, int(case.kept_beyond.sum()), 0, definition))
        known = np.array([float(wanted.delta(jnp.float32(e))) for e in case.epsilon.values])
        ratio, source = found / known, "by hand, to leading order"
        name = f"{label}: delta over {wanted.delta.label.replace('x', 'ε')}, for the last epsilon"
        made.append(Check(name, 1, float(ratio[-1]), 1e-5, source))
    return made


def slope(case: xr.Dataset) -> float:
    """The power of epsilon that delta goes with, over the smaller half of the epsilons."""
    half = len(case.epsilon) // 2
    small = case.isel(epsilon=slice(half, None))
    if not (small.delta > 0).all():
        return float("nan")
    return float(np.polyfit(np.log(small.epsilon), np.log(small.delta), 1)[0])


def summary(data: xr.DataTree) -> Table:
    """One row a function."""
    columns = (
        Column("function", "function", "what has a limit", ""),
        Column("at", "at", "the point", ".3g"),
        Column("limit", "limit", "there", ".3g"),
        Column("epsilon", "epsilon", "the smallest tolerance", ".1e"),
        Column("delta", "delta", "how near x must come for it", ".4g"),
        Column("power", "power", "of epsilon that delta goes with", ".4f"),
    )
    rows = [
        {
            "function": case.attrs["function"],
            "at": case.attrs["at"],
            "limit": case.attrs["limit"],
            "epsilon": float(case.epsilon[-1]),
            "delta": float(case.delta[-1]),
            "power": slope(case),
        }
        for case in cases(data)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How delta follows epsilon."""
    said = [
        f"for {row['function']} it goes with epsilon to the power {row['power']:.3g}"
        if row["delta"] > 0
        else f"for {row['function']} there is none"
        for row in summary(data).rows
    ]
    return f"Delta: {'; '.join(said)}."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Boxes that shrink, and delta over epsilon."""
    return {"epsilon_delta": partial(epsilon_delta, cases(data))}


def epsilon_delta(found: Sequence[xr.Dataset]) -> plots.Figure:
    """A panel for each function with its box, and one for all deltas."""
    epsilons = np.geomspace(0.5, 0.05, int(found[0].attrs["frames"]))

    def panels(epsilon: float) -> list[plots.Panel]:
        return [*(_box(case, epsilon) for case in found), _deltas(found, epsilon)]

    across = 3 if len(found) > 2 else len(found) + 1
    alt = " ".join(
        f"{case.attrs['function']} at {case.attrs['at']:g}: "
        + (f"delta goes with epsilon to the power {slope(case):.3g}." if case.delta[-1] > 0
           else "there is no delta.")
        for case in found
    )  # fmt: skip
    return plots.chart(
        "Ask for values within ε; the limit answers with a distance δ",
        panels(epsilons[len(epsilons) // 4]),
        caption="The band is all values within ε of the limit; the box is as wide as the largest "
        "distance δ within which the curve stays in the band. Last panel: one line a function, δ "
        "over ε.",
        alt=f"Curves, each with a box about a point, and a chart of delta over epsilon. {alt}",
        grid=(-(-(len(found) + 1) // across), across),
        frames=lambda index: panels(epsilons[index]),
        count=len(epsilons),
    )


def _at(case: xr.Dataset, epsilon: float) -> float:
    """The delta for an epsilon between those that were tried."""
    if not (case.delta > 0).all():
        return 0.0
    logs = np.log(case.epsilon.values[::-1]), np.log(case.delta.values[::-1])
    return float(np.exp(np.interp(np.log(epsilon), *logs)))


def _box(case: xr.Dataset, epsilon: float) -> plots.Panel:
    x, y = case.x.values, case.curve.values
    y = np.where(np.isfinite(y), y, np.interp(x, x[np.isfinite(y)], y[np.isfinite(y)]))
    at, limit, width = case.attrs["at"], case.attrs["limit"], _at(case, epsilon)
    ends = np.array([x[0], x[-1]])
    marks: list[plots.Mark] = [
        plots.Area(x=ends, low=[limit - epsilon] * 2, high=[limit + epsilon] * 2, tone=0),
        plots.Line(x=x, y=_torn(x, y), tone="text"),
        plots.Points(x=[at], y=[limit], tone="text", marker="o", hollow=True),
    ]
    if width:
        across = np.array([at - width, at + width])
        marks.append(plots.Bars(edges=across, heights=[2 * epsilon], base=limit - epsilon, tone=1))
    air = 0.08 * np.ptp(y)
    return plots.Panel(
        marks,
        title=case.attrs["function"],
        note=f"ε = {epsilon:.2f}: " + (f"δ = {number(width, 3)}" if width else "no δ"),
        x="x",
        xlim=(x[0], x[-1]),
        ylim=(y.min() - air, y.max() + air),
    )


def _torn(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The curve, interrupted where it jumps."""
    step = np.abs(np.diff(y))
    jump = int(np.argmax(step))
    if step[jump] < 0.2 * np.ptp(y):
        return y
    return np.where(np.arange(len(y)) == jump, np.nan, y)


def _deltas(found: Sequence[xr.Dataset], epsilon: float) -> plots.Panel:
    marks: list[plots.Mark] = []
    tone = 2
    for case in found:
        if (case.delta > 0).all():
            look = keywords(label=case.attrs["function"], tone=tone)
            marks.append(plots.Line(x=case.epsilon.values, y=case.delta.values, **look))
            marks.append(plots.Points(x=[epsilon], y=[_at(case, epsilon)], tone=tone))
            tone += 1
    return plots.Panel(
        [*marks, plots.Guide(x=epsilon)],
        title="δ over ε",
        x="ε",
        scales=("log", "log"),
    )

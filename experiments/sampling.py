"""How fast does an average over random points come near an integral, and over even ones?"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.scipy.special import erf
from pydantic import Field, field_validator

from lab import config, plots
from lab.calculus.integrals import monte_carlo, quasi_monte_carlo
from lab.check import Check
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

METHODS = {"random": monte_carlo, "even": quasi_monte_carlo}
WORDS = {"random": "Monte Carlo", "even": "quasi-Monte Carlo"}


@dataclass(frozen=True)
class Problem:
    """An integral over a box, in closed form.

    Attributes:
        label: in words.
        f: the integrand, of a point of shape (2,).
        low: lower corner.
        high: upper corner.
        exact: the integral.
        deviation: standard deviation of volume times f over the box.
    """

    label: str
    f: Callable[[Any], Any]
    low: tuple[float, float]
    high: tuple[float, float]
    exact: float
    deviation: float


def _problems() -> dict[str, Problem]:
    """For pi, 4 sqrt(p (1 - p)) with p = pi / 4; for the density, the integral of f^2 is known."""
    share = float(erf(np.sqrt(0.5))) ** 2
    square = float(erf(1.0)) ** 2 / np.pi
    return {
        "gaussian": Problem(
            "normal density on [-1, 1]²",
            lambda x: jnp.exp(-jnp.sum(x**2) / 2) / (2 * np.pi),
            (-1.0, -1.0), (1.0, 1.0), share, float(np.sqrt(square - share**2)),
        ),
        "pi": Problem(
            "π by a quarter disc",
            lambda x: jnp.where(jnp.sum(x**2) < 1, 4.0, 0.0),
            (0.0, 0.0), (1.0, 1.0), np.pi, 4 * float(np.sqrt(np.pi / 4 * (1 - np.pi / 4))),
        ),
    }  # fmt: skip


class Config(config.ExperimentConfig):
    """How many points, and how many times over."""

    replicates: config.Side = Field(1000, description="Estimates of each size, all independent.")
    counts: tuple[config.Side, ...] = Field(min_length=3, description="Numbers of points, rising.")
    chunk: config.Count = Field(64, description="Points drawn together.")
    shown: config.Count = Field(256, description="Points that are drawn.")
    precision: Literal["float32"] = "float32"

    @field_validator("counts")
    @classmethod
    def _rising(cls, value: Any) -> Any:
        if any(a >= b for a, b in pairwise(value)):
            raise ValueError("the numbers of points must rise")
        return value


def compute(config: Config, session: Session) -> None:
    """Estimates of every replicate at every size, kept as their errors' means."""
    counts = np.array(config.counts)
    for name, problem in _problems().items():
        found: dict[str, Any] = {}
        for method in METHODS:
            estimate = partial(_estimates, config, problem, method)
            error = session.batched(estimate, np.arange(config.replicates)) - problem.exact
            found |= {
                f"{method}_rms": ("count", np.sqrt(np.mean(error**2, 0))),
                f"{method}_bias": ("count", error.mean(0)),
            }
        facts = {"label": problem.label, "exact": problem.exact, "deviation": problem.deviation}
        coordinates = {"count": counts}
        attrs = facts | {"replicates": config.replicates}
        session.save(f"_problems/{name}", xr.Dataset(found, coordinates, attrs))
    session.save("_points", _points(config, session))


def _estimates(config: Config, problem: Problem, method: str, replicate: Any) -> Any:
    key = jax.random.fold_in(jax.random.key(config.seed), replicate)
    low, high = problem.low, problem.high
    return METHODS[method](problem.f, low, high, key, np.array(config.counts), config.chunk)


def _points(config: Config, session: Session) -> xr.Dataset:
    """The first points of one replicate: the running sums of x and y tell each of them."""
    stops = np.arange(1, config.shown + 1)
    found: dict[str, Any] = {}
    for method, rule in METHODS.items():

        def place(axis: Any, rule: Callable = rule) -> Any:
            key = jax.random.key(config.seed)
            return rule(lambda x: x[axis], (0.0, 0.0), (1.0, 1.0), key, stops, 1)

        sums = session.batched(place, np.arange(2)) * stops
        found[method] = (("axis", "point"), np.diff(sums, axis=1, prepend=0.0))
    return xr.Dataset(found)


def problems(data: xr.DataTree) -> dict[str, xr.Dataset]:
    """The saved problems."""
    return {name: data[f"_problems/{name}"].to_dataset() for name in data["_problems"].children}


def slope(one: xr.Dataset, method: str) -> float:
    """The power of n with which the root mean square error falls."""
    return float(np.polyfit(np.log(one["count"]), np.log(one[f"{method}_rms"]), 1)[0])


def factor(one: xr.Dataset) -> float:
    """Root mean square of error sqrt(n) over all sizes: Monte Carlo's standard deviation."""
    return float(np.sqrt(np.mean(one["random_rms"] ** 2 * one["count"])))


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Monte Carlo errs by deviation / sqrt(n); even points do better and are not biased."""
    made = []
    for one in problems(data).values():
        name, deviation = one.attrs["label"], one.attrs["deviation"]
        source = "central limit theorem: error in proportion to n^(-1/2)"
        made.append(Check(f"{name}: Monte Carlo slope", -0.5, slope(one, "random"), 0.03, source))
        source = "closed form: standard deviation of volume times f"
        close = 0.05 * deviation
        told = f"{name}: Monte Carlo error times sqrt(n)"
        made.append(Check(told, deviation, factor(one), close, source))
        last = float(one.random_rms[-1] * np.sqrt(one["count"][-1]))
        made.append(Check(f"{told}, most points", deviation, last, close, source))
        for method, word in WORDS.items():
            apart = one[f"{method}_bias"][-1] / one[f"{method}_rms"][-1]
            measured = abs(float(apart)) * np.sqrt(one.attrs["replicates"])
            told = f"{name}: {word} mean, in its standard errors"
            made.append(Check(told, 0, float(measured), 4, "both are unbiased"))
        source = "Koksma-Hlawka; Niederreiter 1992: faster than n^(-1/2)"
        told = f"{name}: quasi-Monte Carlo slope"
        made.append(Check(told, -0.7, slope(one, "even"), 0, source, at_most=True))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row an integral and a method."""
    columns = (
        Column("problem", "integral", "what is integrated", ""),
        Column("exact", "exact", "in closed form", ".6g"),
        Column("method", "points", "random, or spread evenly", ""),
        Column("slope", "slope", "power of n with which the error falls", ".3f"),
        Column("error", "last error", "root mean square, with the most points", ".2e"),
        Column("factor", "error · √n", "of Monte Carlo, measured", ".4f"),
        Column("deviation", "in closed form", "the same, foretold", ".4f"),
    )
    rows: list[dict[str, Any]] = []
    for one in problems(data).values():
        for method, word in WORDS.items():
            row = {"problem": one.attrs["label"], "exact": one.attrs["exact"], "method": word}
            row |= {"slope": slope(one, method), "error": float(one[f"{method}_rms"][-1])}
            if method == "random":
                row |= {"factor": factor(one), "deviation": one.attrs["deviation"]}
            rows.append(row)
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How the errors fall."""
    said = [
        f"{one.attrs['label']}: n^{slope(one, 'random'):.2f} with random points, "
        f"n^{slope(one, 'even'):.2f} with even ones"
        for one in problems(data).values()
    ]
    return f"The errors fall as follows. {'; '.join(said)}."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Errors against the number of points, and the points themselves."""
    return {
        "monte_carlo": partial(errors, problems(data)),
        "monte_carlo_points": partial(points, data["_points"].to_dataset()),
    }


def errors(found: dict[str, xr.Dataset]) -> plots.Figure:
    """Root mean square errors of both methods, with the law of the square root."""
    alt = " ".join(
        f"{one.attrs['label']}: slopes {slope(one, 'random'):.2f} and {slope(one, 'even'):.2f}; "
        f"Monte Carlo's error is {number(factor(one), 4)} / sqrt(n)."
        for one in found.values()
    )
    replicates = next(iter(found.values())).attrs["replicates"]
    return plots.chart(
        "A hundred times the points for one more digit, or fewer if they are even",
        [_errors(one) for one in found.values()],
        caption=f"One point is the root mean square error of {replicates} estimates. Dashed: "
        "the standard deviation of one point over √n, in closed form. Even points: a Kronecker "
        "sequence, shifted at random.",
        alt="Errors that fall along lines on logarithmic axes. " + alt,
    )


def _errors(one: xr.Dataset) -> plots.Panel:
    n = one["count"].values
    marks: list[plots.Mark] = []
    marks.append(plots.Points(x=n, y=one.random_rms.values, label=WORDS["random"]))
    marks.append(plots.Line(x=n, y=one.even_rms.values, label=WORDS["even"], marked=1))
    law = one.attrs["deviation"] / np.sqrt(n[0])
    marks.append(plots.Guide(at=(n[0], law), slope=-0.5, label="deviation / √n"))
    return plots.Panel(
        marks,
        title=one.attrs["label"],
        note=f"Monte Carlo: {factor(one):.4f} / √n",
        x="number of points n",
        y="error",
        scales=("log", "log"),
        xlim=(n[0] / 1.3, n[-1] * 1.3),
    )


def points(data: xr.Dataset) -> plots.Figure:
    """The first points of both methods in the unit square, with the quarter disc."""
    turn = np.linspace(0, np.pi / 2, 100)
    count = data.sizes["point"]
    inside = {m: int(np.sum(np.sum(data[m].values ** 2, 0) < 1)) for m in METHODS}
    panels = [
        plots.Panel(
            [
                plots.Line(x=np.cos(turn), y=np.sin(turn), label="quarter circle", tone="text"),
                plots.Points(
                    x=data[m].values[0], y=data[m].values[1], size=6.0, label=WORDS[m], tone=tone
                ),
            ],
            title=WORDS[m],
            note=f"{inside[m]} of {count} inside: π ≈ {4 * inside[m] / count:.3f}",
            x="x",
            y="y",
            xlim=(0.0, 1.0),
            ylim=(0.0, 1.0),
            equal=True,
        )
        for tone, m in enumerate(METHODS)
    ]
    return plots.chart(
        "Random points clump; even points do not",
        panels,
        caption=f"The first {count} points of one estimate of pi: four times the share of points "
        "inside the quarter circle.",
        alt=f"Of {count} random points {inside['random']} lie inside the quarter circle, of as "
        f"many evenly spread ones {inside['even']}; its share of the square is 78.5 %.",
    )

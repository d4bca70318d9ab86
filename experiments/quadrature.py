"""How does the error of a quadrature rule fall with the number of points, and where does it end?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax import lax
from pydantic import Field, field_validator

from lab import config, plots
from lab.calculus.integrals import legendre_rule, midpoint, romberg, simpson, trapezoid, weighted
from lab.check import Check
from lab.config.intervals import Integral
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

RULES = {"trapezoid": trapezoid, "midpoint": midpoint, "simpson": simpson}
ORDERS = {"trapezoid": 2, "midpoint": 2, "simpson": 4}
WORDS = {"trapezoid": "trapezoid", "midpoint": "midpoint", "simpson": "Simpson"}
LEAST = 1e-16
"""Where smaller errors are drawn."""

PANELS = 32
"""Panels at which errors stand beside their asymptotic constants."""

ORDERS_OF_CHANGE = (1, 3, 5)
"""The derivatives whose change from end to end the formula of Euler and Maclaurin holds."""

ROUND_OFF = {"float32": 2.0**-24, "float64": 2.0**-53}
"""Half the distance from 1 to the next number."""


class Floor(config.Section):
    """Waves sin(w x + p) on [0, 1], with w in [1, 6] and p in [0, 2 pi]."""

    integrands: config.Side = Field(2000, description="How many waves.")
    counts: tuple[config.Side, ...] = Field(min_length=3, description="Numbers of panels, even.")


class Config(config.ExperimentConfig):
    """The integrals, the rules' sizes, and the waves on which rounding is seen."""

    precision: Literal["float64"] = "float64"
    integrals: tuple[Integral, ...] = Field(min_length=1, max_length=3, description="Integrals.")
    counts: tuple[config.Side, ...] = Field(min_length=4, description="Numbers of panels, even.")
    nodes: config.Side = Field(16, le=64, description="The most nodes of Gauss and Legendre.")
    levels: config.Side = Field(7, le=16, description="The most halvings of Romberg.")
    floor: Floor

    @field_validator("counts", "floor")
    @classmethod
    def _even(cls, value: Any) -> Any:
        odd = [n for n in getattr(value, "counts", value) if n % 2]
        if odd:
            raise ValueError(f"Simpson's rule needs even numbers of panels, not {odd[0]}")
        return value


def compute(config: Config, session: Session) -> None:
    """Errors of every rule on every integral, and on many waves in two precisions."""
    for index, case in enumerate(config.integrals):
        session.save(f"_integrals/{index:02d}", _errors(config, case, session))
    random = np.random.default_rng(config.seed)
    waves = random.uniform([1, 0], [6, 2 * np.pi], (config.floor.integrands, 2))
    waves, counts = waves.astype(np.float32).astype(np.float64), np.array(config.floor.counts)
    for precision in ROUND_OFF:
        found = session.batched(partial(_wave, counts, precision), waves)
        quantiles = np.quantile(np.abs(found), [0.1, 0.5, 0.9], axis=0)
        data = {rule: (("quantile", "count"), quantiles[:, :, i]) for i, rule in enumerate(RULES)}
        coordinates = {"quantile": [0.1, 0.5, 0.9], "count": counts}
        attrs = {"integrands": len(waves)}
        session.save(f"_floor/{precision}", xr.Dataset(data, coordinates, attrs))


def _errors(config: Config, case: Integral, session: Session) -> xr.Dataset:
    f, (a, b) = case.function, (np.float64(end) for end in case.interval)
    counts = np.array(sorted({*config.counts, PANELS}))
    ends = np.array([a, b])
    *_, primitive = changes = session.batched(
        lambda x: [*_derivatives(f, x), case.antiderivative(x)], ends
    )
    exact = primitive[1] - primitive[0]
    change = [at[1] - at[0] for at in (changes[order] for order in ORDERS_OF_CHANGE)]
    found = session.batched(lambda n: [rule(f, a, b, n) for rule in RULES.values()], counts)
    by_romberg = session.batched(lambda a: romberg(f, a, b, config.levels), ends[:1])[0]
    # Rules of all sizes as rows of one length; weights of zero fill them up.
    rules = np.zeros((2, config.nodes, config.nodes))
    for n in range(1, config.nodes + 1):
        rules[:, n - 1, :n] = legendre_rule(n)
    by_gauss = session.batched(partial(weighted, f, a, b), *rules)
    x = np.linspace(a, b, 101)
    off = np.abs(session.batched(lambda x: jax.grad(case.antiderivative)(x) - f(x), x)).max()
    return xr.Dataset(
        {
            **{r: ("count", s - exact) for r, s in zip(RULES, found, strict=True)},
            "romberg": ("level", by_romberg - exact),
            "gauss_legendre": ("nodes", by_gauss - exact),
            "change": ("order", change),
            "exact": exact,
            "antiderivative_off": off,
        },
        {
            "count": counts,
            "level": np.arange(config.levels + 1),
            "nodes": np.arange(1, config.nodes + 1),
            "order": list(ORDERS_OF_CHANGE),
        },
        {"function": case.label, "ends": f"[{a:g}, {b:g}]", "width": float(b - a)},
    )


def _derivatives(f: Callable[[Any], Any], x: Any) -> list[Any]:
    """F and its first five derivatives at x."""
    found = [f]
    for _ in range(5):
        found.append(jax.grad(found[-1]))
    return [derivative(x) for derivative in found]


def _wave(counts: np.ndarray, precision: str, wave: Any) -> Any:
    """Errors (count, rule) of one wave's integral, computed in a precision."""
    w, p = wave
    exact = (jnp.cos(p) - jnp.cos(w + p)) / w
    low = jnp.asarray(wave, precision)
    zero, one = jnp.zeros_like(low[0]), jnp.ones_like(low[0])

    def errors(n: Any) -> Any:
        found = [r(lambda x: jnp.sin(low[0] * x + low[1]), zero, one, n) for r in RULES.values()]
        return jnp.stack(found).astype(exact.dtype) - exact

    return lax.map(errors, jnp.asarray(counts))


def integrals(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved integrals, in the config's order."""
    names = sorted(data["_integrals"].children)
    return [data[f"_integrals/{name}"].to_dataset() for name in names]


def constant(case: xr.Dataset, rule: str) -> float:
    """A rule's error at 32 panels over what its asymptotic constant foretells."""
    h = case.attrs["width"] / PANELS
    first, third, _ = case.change.values
    foretold = {
        "trapezoid": h**2 / 12 * first,
        "midpoint": -(h**2) / 24 * first,
        "simpson": h**4 / 180 * third,
    }
    return float(case[rule].sel(count=PANELS) / foretold[rule])


def foreseen(case: xr.Dataset, rule: str) -> float:
    """What `constant` should be: 1, and the next term of the formula of Euler and Maclaurin."""
    h = case.attrs["width"] / PANELS
    first, third, fifth = case.change.values
    after = {
        "trapezoid": -third / first / 60,
        "midpoint": -7 * third / first / 240,
        "simpson": -5 * fifth / third / 42,
    }
    return float(1 + h**2 * after[rule])


def order(counts: Any, errors: Any, floor: float) -> float:
    """The power of 1/n, fitted from 8 panels to where rounding (100 times the floor) is met."""
    n, e = np.asarray(counts), np.abs(np.asarray(errors))
    kept = (n >= 8) & (e > 100 * floor)
    return -float(np.polyfit(np.log(n[kept]), np.log(e[kept]), 1)[0])


def gauss_rate(case: xr.Dataset) -> float:
    """Decimal digits gained with each node of Gauss and Legendre, until rounding is met."""
    error = np.abs(case.gauss_legendre.values)
    kept = np.cumsum(error < 1e-13) == 0
    return -float(np.polyfit(case.nodes.values[kept], np.log10(error[kept]), 1)[0])


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Orders, constants, spectral convergence, and the floor of rounding."""
    made = []
    for case in integrals(data):
        name = case.attrs["function"]
        off = float(case.antiderivative_off)
        source = "the antiderivative F of the config, by automatic differentiation"
        made.append(Check(f"{name}: largest difference of F' and f", 0, off, 1e-13, source))
        for rule, power in ORDERS.items():
            source = "Euler-Maclaurin formula"
            found = order(case["count"], case[rule], 1e-15)
            made.append(Check(f"{name}: {WORDS[rule]} order", power, found, 0.02, source))
            told = f"{name}: {WORDS[rule]} error at 32 panels over its asymptotic one"
            measured = constant(case, rule)
            made.append(Check(told, foreseen(case, rule), measured, 2e-5, source))
        source = "Hildebrand: an entire function's error falls faster than any power"
        least = f"{name}: digits lost with each Gauss-Legendre node"
        made.append(Check(least, -1, -gauss_rate(case), 0, source, at_most=True))
        best = float(np.abs(case.gauss_legendre).min())
        made.append(Check(f"{name}: least Gauss-Legendre error", 0, best, 2e-15, source))
        last = abs(float(case.romberg[-1]))
        made.append(Check(f"{name}: last Romberg error", 0, last, 1e-12, "F(b) - F(a)"))
    return made + _floor_checks(data)


def _floor_checks(data: xr.DataTree) -> list[Check]:
    made = []
    fine = data["_floor/float64"].to_dataset().sel(quantile=0.5)
    for rule, power in ORDERS.items():
        found = order(fine["count"], fine[rule], 1e-16)
        told = f"waves: median {WORDS[rule]} order in float64"
        made.append(Check(told, power, found, 0.05, "Euler-Maclaurin formula"))
    for precision, u in ROUND_OFF.items():
        one = data[f"_floor/{precision}"].to_dataset()
        worst = float(one.simpson.sel(quantile=0.9)[-1] / (u * one["count"][-1]))
        told = f"waves: floor of Simpson in {precision} over n u"
        source = "Higham, Accuracy and Stability, section 4.2: n terms err by at most n u sum |x|"
        made.append(Check(told, 1, worst, 0, source, at_most=True))
        ended = float(one.simpson.sel(quantile=0.5)[-1] / u)
        told = f"waves: floor of Simpson in {precision} is above a tenth of u"
        made.append(Check(told, -0.1, -ended, 0, "no rule is finer than its numbers", at_most=True))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row an integral and a rule."""
    columns = (
        Column("function", "function", "what is integrated", ""),
        Column("ends", "from, to", "the interval", ""),
        Column("rule", "rule", "of quadrature", ""),
        Column("order", "order", "power of 1/n with which the error falls", ".3f"),
        Column("constant", "constant", "error at 32 panels over the asymptotic one", ".5f"),
        Column("rate", "digits", "gained with each node", ".2f"),
    )
    rows = []
    for case in integrals(data):
        same = {key: case.attrs[key] for key in ("function", "ends")}
        for rule in RULES:
            found = order(case["count"], case[rule], 1e-15)
            own = {"rule": WORDS[rule], "order": found, "constant": constant(case, rule)}
            rows.append(same | own)
        rows.append(same | {"rule": "Gauss-Legendre", "rate": gauss_rate(case)})
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """The orders, and what Gauss and Legendre gain."""
    found = summary(data).rows
    rates = [row["rate"] for row in found if "rate" in row]
    orders = {
        rule: np.mean([row["order"] for row in found if row["rule"] == WORDS[rule]])
        for rule in RULES
    }
    return (
        f"The error falls with the power {orders['trapezoid']:.2f} (trapezoid), "
        f"{orders['midpoint']:.2f} (midpoint) and {orders['simpson']:.2f} (Simpson) of the panels' "
        f"width; each node of Gauss-Legendre gains {min(rates):.1f} digits or more."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Errors on the integrals, and on the waves in two precisions."""
    floors = {name: data[f"_floor/{name}"].to_dataset() for name in ROUND_OFF}
    return {
        "quadrature_orders": partial(orders_drawn, integrals(data)),
        "quadrature_floor": partial(floor_drawn, floors),
    }


def orders_drawn(found: Sequence[xr.Dataset]) -> plots.Figure:
    """Errors against the values of f that a rule needs."""
    alt = " ".join(
        f"{case.attrs['function']}: orders "
        + ", ".join(f"{WORDS[r]} {order(case['count'], case[r], 1e-15):.2f}" for r in RULES)
        + f"; Gauss-Legendre gains {number(gauss_rate(case), 2)} digits a node."
        for case in found
    )
    return plots.chart(
        "Ten times the work: two digits, four digits, or all of them",
        [_orders(case, not index) for index, case in enumerate(found)],
        caption="One point is the error of one rule with so many values of f. Dashed: powers -2 "
        "and -4. Errors below 1e-16, zero among them, are drawn there.",
        alt="Errors of five rules on logarithmic axes. " + alt,
    )


def _orders(case: xr.Dataset, first: bool) -> plots.Panel:
    n = case["count"].values
    lines = {
        "trapezoid": (n + 1, case.trapezoid),
        "midpoint": (n, case.midpoint),
        "Simpson": (n + 1, case.simpson),
        "Romberg": (2**case.level.values + 1, case.romberg),
        "Gauss-Legendre": (case.nodes.values, case.gauss_legendre),
    }
    marks: list[plots.Mark] = []
    for label, (x, error) in lines.items():
        shown = np.maximum(np.abs(error.values), LEAST)
        marks.append(plots.Line(x=x, y=shown, label=label, marked=1))
    for rule, power in (("trapezoid", -2.0), ("simpson", -4.0)):
        marks.append(
            plots.Guide(at=(n[0], 6 * abs(float(case[rule][0]))), slope=power, tone="muted")
        )
    return plots.Panel(
        marks,
        title=case.attrs["function"],
        note=f"over {case.attrs['ends']}",
        x="values of f",
        y="|error|" if first else "",
        scales=("log", "log"),
        xlim=(0.8, n[-1] * 1.6),
        ylim=(2e-17, 10),
    )


def floor_drawn(found: dict[str, xr.Dataset]) -> plots.Figure:
    """Median errors on many waves: they fall until rounding takes over."""
    ends = "; ".join(
        f"in {name}, Simpson's median error is at least "
        f"{number(float(one.simpson.sel(quantile=0.5).min()))}"
        for name, one in found.items()
    )
    waves = next(iter(found.values())).attrs["integrands"]
    return plots.chart(
        "More points help until rounding takes over",
        [_floor(name, one) for name, one in found.items()],
        caption=f"Integrals of {waves} waves sin(w x + p) over [0, 1]. A line is the median of "
        "|error| over the waves, its band the middle 80 %. Dashed: u, half the distance from 1 "
        "to the next number of the precision.",
        alt=f"Errors that fall and then rise slowly again: {ends}.",
    )


def _floor(name: str, one: xr.Dataset) -> plots.Panel:
    x = one["count"].values
    marks: list[plots.Mark] = []
    for rule, label in WORDS.items():
        low, middle, high = np.maximum(one[rule].values, 1e-18)
        marks.append(plots.Line(x=x, y=middle, band=(low, high), label=label, marked=1))
    return plots.Panel(
        [*marks, plots.Guide(y=ROUND_OFF[name], label="u")],
        title=name,
        x="number of panels n",
        y="|error|",
        scales=("log", "log"),
        xlim=(x[0] / 1.2, x[-1] * 1.2),
        ylim=(1e-18, 1),
    )

"""What does a Jacobian cost, forwards and backwards, against the number of inputs and outputs?"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.counting import Counter, plain
from lab.calculus.perceptron import bottleneck, costs
from lab.calculus.tape import forward, reverse, tanh
from lab.check import Check
from lab.experiment import Session
from lab.table import Column, Table

KINDS = ("function", "reverse", "forward")
SIDES = ("inputs", "outputs")
WORDS = {"reverse": "reverse mode", "forward": "forward mode"}


class Config(config.ExperimentConfig):
    """A network with a narrow middle, as wide on one side as is asked for."""

    precision: Literal["float64"] = "float64"
    sizes: tuple[config.Count, ...] = Field(
        min_length=2, description="Inputs (with one output), and outputs (with one input)."
    )
    hidden: config.Count = Field(8, description="Units in the middle.")
    timed: tuple[config.Count, ...] = Field((), description="Sizes that are timed in JAX too.")
    points: config.Count = Field(2000, description="Points that are timed at once.")
    repeats: config.Count = Field(30, description="Timings, of which the shortest counts.")


def compute(config: Config, session: Session) -> None:
    """Count operations at every size, then take the time of compiled programs."""
    shape = (len(SIDES), len(config.sizes))
    counts = {kind: np.zeros(shape, np.int64) for kind in KINDS}
    apart = np.zeros(shape)
    with session.reporter.task("operations", apart.size) as report:
        for side, of in enumerate(SIDES):
            for i, size in enumerate(config.sizes):
                found, apart[side, i] = counted(*sides(of, size), config.hidden, config.seed)
                for kind in KINDS:
                    counts[kind][side, i] = found[kind]
                report(1)
    session.save(
        "_counts",
        xr.Dataset(
            {kind: (("side", "size"), values) for kind, values in counts.items()}
            | {"apart": (("side", "size"), apart)},
            {"size": list(config.sizes)},
            {"hidden": config.hidden},
        ),
    )
    seconds = np.array(
        [[timed(config, *sides(of, size)) for size in config.timed] for of in SIDES]
    ).reshape(len(SIDES), len(config.timed), len(KINDS))
    session.save(
        "_seconds",
        xr.Dataset(
            {kind: (("side", "size"), seconds[:, :, i], {"units": "s"})
             for i, kind in enumerate(KINDS)},
            {"size": list(config.timed)},
        ),
    )  # fmt: skip


def sides(of: str, size: int) -> tuple[int, int]:
    """Inputs and outputs: the side in question is this wide, the other has one."""
    return (size, 1) if of == "inputs" else (1, size)


def weights(n: int, h: int, m: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A point and the two layers."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=n), rng.normal(size=(h, n)) / n**0.5, rng.normal(size=(m, h))


def counted(n: int, m: int, h: int, seed: int) -> tuple[dict[str, int], float]:
    """Operations done by the function and its Jacobians; how far these are from JAX's."""
    point, inner, outer = weights(n, h, m, seed)
    counter = Counter()
    w, v = ([[counter.number(c) for c in row] for row in layer] for layer in (inner, outer))
    x = [counter.number(value) for value in point]

    def f(*x: Any) -> list[Any]:
        return bottleneck(x, w, v, tanh)

    done: dict[str, int] = {}
    jacobians = {}
    bottleneck(x, w, v, counter.tanh)
    done["function"], counter.operations = counter.operations, 0
    jacobians["reverse"] = reverse(f, *x, library=counter, number=counter.number)
    done["reverse"], counter.operations = counter.operations, 0
    jacobians["forward"] = forward(f, *x, library=counter, number=counter.number)
    done["forward"] = counter.operations
    hidden = np.tanh(inner @ point)
    exact = outer @ ((1 - hidden**2)[:, None] * inner)
    found = [np.array([[plain(v) for v in row] for row in j]) for j in jacobians.values()]
    return done, max(float(np.abs(j - exact).max()) for j in found)


def timed(config: Config, n: int, m: int) -> list[float]:
    """Seconds of compiled programs for the function, `jax.jacrev` and `jax.jacfwd`."""
    _, inner, outer = weights(n, config.hidden, m, config.seed)
    points = np.random.default_rng(config.seed).normal(size=(config.points, n))

    def f(x: Any) -> Any:
        return jnp.asarray(outer) @ jnp.tanh(jnp.asarray(inner) @ x)

    found = []
    with jax.enable_x64(True):
        for make in (f, jax.jacrev(f), jax.jacfwd(f)):
            program = jax.jit(jax.vmap(make))
            jax.block_until_ready(program(points))
            found.append(min(_seconds(program, points) for _ in range(config.repeats)))
    return found


def _seconds(program: Callable[[Any], Any], points: np.ndarray) -> float:
    begun = time.perf_counter()
    jax.block_until_ready(program(points))
    return time.perf_counter() - begun


def ratios(found: xr.Dataset) -> dict[str, np.ndarray]:
    """Cost of each mode's Jacobian over that of the function [side, size]."""
    return {kind: (found[kind] / found.function).values for kind in KINDS[1:]}


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Counts as on paper, the cheap gradient, and which mode grows with what."""
    found = data["_counts"].to_dataset()
    made = []
    for kind in KINDS:
        paper = [[costs(n, config.hidden, m)[kind] for n, m in
                  (sides(of, size) for size in config.sizes)] for of in SIDES]  # fmt: skip
        off = int(np.abs(found[kind].values - np.array(paper)).max())
        made.append(Check(f"{kind}: operations beside those counted on paper", 0, off, 0,
                          "sums over layers, in lab.calculus.perceptron.costs"))  # fmt: skip
    gradient, forwards = (ratios(found)[kind] for kind in ("reverse", "forward"))
    source = "the cheap gradient principle: Baur & Strassen 1983, Griewank & Walther 2008"
    made.append(Check("gradient of one output over the function, at most", 5,
                      float(gradient[0].max()), 0, source, at_most=True))  # fmt: skip
    made.append(Check("one tangent over the function, at most", 5, float(forwards[1].max()), 0,
                      source, at_most=True))  # fmt: skip
    per_input = found.forward.values[0] / found.function.values[0] / found["size"].values
    made.append(Check("forward mode: cost per input over the function, at most", 5,
                      float(per_input.max()), 0, source, at_most=True))  # fmt: skip
    made.append(Check("both modes beside the Jacobian written out", 0, float(found.apart.max()),
                      1e-12, "V diag(1 - tanh^2) W"))  # fmt: skip
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a shape."""
    found = data["_counts"].to_dataset()
    columns = (
        Column("shape", "inputs x outputs", "of the function", ""),
        Column("function", "operations", "of the function", ",.0f"),
        Column("reverse", "reverse", "operations of its Jacobian, by one tape", ",.0f"),
        Column("forward", "forward", "operations of its Jacobian, by dual numbers", ",.0f"),
    )
    rows = [
        {"shape": "{} x {}".format(*sides(of, size))}
        | {kind: int(found[kind][side, i]) for kind in KINDS}
        for side, of in enumerate(SIDES)
        for i, size in enumerate(found["size"].values.tolist())
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """What a gradient costs at the largest size."""
    found = data["_counts"].to_dataset()
    most = int(found["size"].max())
    gradient, forwards = (float(ratios(found)[kind][0, -1]) for kind in ("reverse", "forward"))
    return (
        f"The gradient with respect to {most} inputs costs {gradient:.2f} times its function "
        f"backwards and {forwards:.0f} times forwards, in operations."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Costs over inputs and over outputs."""
    parts = (data["_counts"].to_dataset(), data["_seconds"].to_dataset())
    return {"reverse_vs_forward": partial(drawn, *parts)}


def drawn(counts: xr.Dataset, seconds: xr.Dataset) -> plots.Figure:
    """Two panels of lines, with the times as hollow points."""
    panels = []
    top = max(float(each.max()) for part in (counts, seconds) if part["size"].size
              for each in ratios(part).values())  # fmt: skip
    for side, of in enumerate(SIDES):
        other = "one output" if of == "inputs" else "one input"
        marks: list[plots.Mark] = []
        for tone, (kind, ratio) in enumerate(ratios(counts).items()):
            marks.append(plots.Line(x=counts["size"].values, y=ratio[side], marked=1, tone=tone,
                                    label=f"{WORDS[kind]}, operations"))  # fmt: skip
        for tone, (kind, ratio) in enumerate(ratios(seconds).items()):
            if seconds["size"].size:
                marks.append(plots.Points(x=seconds["size"].values, y=ratio[side], hollow=True,
                                          tone=tone, label=f"{WORDS[kind]}, time"))  # fmt: skip
        marks.append(plots.Guide(y=5.0, label="five times the function"))
        panels.append(plots.Panel(marks, title=f"Many {of}, {other}", x=f"number of {of}",
                                  y="Jacobian over function", scales=("log", "log"),
                                  ylim=(0.5, 2 * top)))  # fmt: skip
    most = int(counts["size"].max())
    told = "; ".join(
        f"{most} {of}: {ratios(counts)['reverse'][side, -1]:.1f} in reverse and "
        f"{ratios(counts)['forward'][side, -1]:.1f} in forward mode"
        for side, of in enumerate(SIDES)
    )
    return plots.chart(
        "Backwards is cheap for many inputs, forwards for many outputs",
        panels,
        caption="A point on a line is the number of operations for all derivatives of a network "
        f"with {counts.attrs['hidden']} hidden units over that for its values, counted while they "
        "are done. Hollow points are ratios of measured times of compiled JAX programs, many "
        "points at once, where memory and vectors count too.",
        alt=f"Two panels of lines on logarithmic axes. Operations over the function's, for {told}.",
    )

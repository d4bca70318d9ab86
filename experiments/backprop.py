"""How does backpropagation find all the derivatives in one walk back?"""

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.calculus.derivatives import central_gradient
from lab.calculus.graphs import Graph, graph
from lab.calculus.perceptron import parameters, perceptron
from lab.calculus.tape import reverse, tanh
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

BLOCK = 8192
"""Networks that are on the tape at once."""


class GraphSection(config.Section):
    """Inputs, steps, and what is known of the result."""

    title: config.Text = Field(description="What its figure says.")
    inputs: dict[str, config.Finite] = Field(description="Values by name.")
    steps: dict[str, config.Text] = Field(description="Formulas of earlier names, in order.")
    output: config.Finite | None = Field(None, description="The published value of the output.")
    adjoints: dict[str, config.Finite] = Field({}, description="Published derivatives.")
    digits: config.Count = Field(12, description="Digits after the point that are published.")
    source: config.Text = Field("", description="Who published them.")

    @model_validator(mode="after")
    def _made(self) -> Self:
        made = self.graph()
        known = {*made.inputs, *(step.name for step in made.steps)}
        faults = [
            Fault(("adjoints", name), "names no node of this graph")
            for name in self.adjoints
            if name not in known
        ]
        if faults:
            raise SpecError(faults)
        return self

    def graph(self) -> Graph:
        """The graph itself."""
        return graph(self.inputs, self.steps)


class NetworksSection(config.Section):
    """Random networks on which three ways to differentiate must agree."""

    count: config.Count = Field(100_000, description="How many, each with its own weights.")
    widths: tuple[config.Count, ...] = Field(
        (2, 3, 3, 1), min_length=2, description="Of input, hidden layers and output."
    )
    step: config.Positive = Field(1e-5, description="Of the central differences.")


class Config(config.ExperimentConfig):
    """The graphs that are drawn, and the networks that are compared."""

    precision: Literal["float64"] = "float64"
    graphs: dict[str, GraphSection] = Field(min_length=1, description="By the figure's name.")
    networks: NetworksSection = NetworksSection()

    @model_validator(mode="after")
    def _one_output(self) -> Self:
        if self.networks.widths[-1] != 1:
            told = "the last width is of the output, and must be 1"
            raise SpecError([Fault(("networks", "widths"), told)])
        return self


def compute(config: Config, session: Session) -> None:
    """Every graph forth and back; then the networks, by tape, JAX and differences."""
    for name, section in config.graphs.items():
        session.save(f"_graphs/{name}", _walked(section, session))
    session.save("_networks", _networks(config, session))


def _walked(section: GraphSection, session: Session) -> xr.Dataset:
    made, inputs = section.graph(), list(section.inputs.values())
    walk = made.walk(inputs, math)
    point = np.array([inputs])
    (jax_gradient,) = session.batched(jax.grad(made.last), point)
    (differences,) = session.batched(partial(central_gradient, made.last, h=1e-5), point)
    return xr.Dataset(
        {
            "value": ("node", list(walk.values.values())),
            "adjoint": ("node", list(walk.adjoints.values())),
            "slope": ("edge", list(walk.partials.values())),
            "jax": ("input", jax_gradient),
            "differences": ("input", differences),
        },
        attrs={
            "title": section.title,
            "operations": walk.operations,
            "nodes": list(walk.values),
            "formulas": [""] * len(inputs) + [step.text for step in made.steps],
            "edges": [list(edge) for edge in walk.partials],
        },
    )


def _networks(config: Config, session: Session) -> xr.Dataset:
    widths, count = config.networks.widths, config.networks.count
    rng = np.random.default_rng(config.seed)
    size = parameters(widths)
    weights = rng.normal(size=(count, size))
    x, y = rng.normal(size=(count, widths[0])), rng.normal(size=count)

    def loss(w: Any, x: Any, y: Any) -> Any:
        (out,) = perceptron(w, x, widths, jnp.tanh)
        return (out - y) ** 2

    def differences(w: Any, x: Any, y: Any) -> Any:
        return central_gradient(lambda v: loss(v, x, y), w, h=config.networks.step)

    tape = np.concatenate(
        [
            _on_tape(weights[at : at + BLOCK], x[at : at + BLOCK], y[at : at + BLOCK], widths)
            for at in range(0, count, BLOCK)
        ]
    )
    automatic = session.batched(jax.grad(loss), weights, x, y)
    numerical = session.batched(differences, weights, x, y)
    scale = 1 + np.abs(automatic).max(1)
    return xr.Dataset(
        {
            "gradient": ("network", np.linalg.norm(automatic, axis=1)),
            "tape_error": ("network", np.abs(tape - automatic).max(1) / scale),
            "difference_error": ("network", np.abs(numerical - tape).max(1) / scale),
        },
        attrs={"parameters": size, "step": config.networks.step},
    )


def _on_tape(weights: Any, x: Any, y: Any, widths: tuple[int, ...]) -> np.ndarray:
    """Gradients of many networks by one tape, whose values are arrays of them."""

    def loss(*w: Any) -> list[Any]:
        (out,) = perceptron(w, list(x.T), widths, tanh)
        return [(out - y) ** 2]

    (gradient,) = reverse(loss, *weights.T, library=np)
    return np.stack([np.broadcast_to(part, len(y)) for part in gradient], axis=1)


def walked(data: xr.DataTree) -> dict[str, xr.Dataset]:
    """The graphs by name."""
    return {name: group.to_dataset() for name, group in data["_graphs"].children.items()}


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Published numbers, the chain rule along the edges, and three ways that agree."""
    made = []
    for name, one in walked(data).items():
        made += _published(name, config.graphs[name], one)
        scale = 1 + float(np.abs(one.jax).max())
        inputs = one.adjoint.values[: one.sizes["input"]]
        error = float(np.abs(inputs - one.jax.values).max()) / scale
        made.append(Check(f"{name}: tape beside jax.grad", 0, error, 1e-14, "the same chain rule"))
        error = float(np.abs(inputs - one.differences.values).max()) / scale
        source = "central differences of step 1e-5"
        made.append(Check(f"{name}: tape beside differences", 0, error, 1e-6, source))
        error = _edges(one) / (1 + float(np.abs(one.adjoint).max()))
        source = "the chain rule: adjoint = sum over uses of (adjoint of use) x (slope of edge)"
        made.append(Check(f"{name}: adjoints beside the sums along edges", 0, error, 1e-14, source))
    found = data["_networks"]
    networks = f"{found.sizes['network']:,} networks"
    worst = float(found.tape_error.max())
    made.append(Check(f"{networks}: tape beside jax.grad", 0, worst, 1e-12, "the same chain rule"))
    worst, source = float(found.difference_error.max()), "central differences: O(h^2) and rounding"
    made.append(Check(f"{networks}: tape beside differences", 0, worst, 1e-6, source))
    return made


def _published(name: str, section: GraphSection, one: xr.Dataset) -> list[Check]:
    tolerance = 0.5 * 10.0**-section.digits
    nodes = one.attrs["nodes"]
    known = [("value", nodes[-1], section.output)] if section.output is not None else []
    known += [("adjoint", node, value) for node, value in section.adjoints.items()]
    return [
        Check(f"{name}: {kind} of {node}", value, float(one[kind][nodes.index(node)]), tolerance,
              section.source)
        for kind, node, value in known
    ]  # fmt: skip


def _edges(one: xr.Dataset) -> float:
    """How far adjoints are from the sums over their uses, at worst."""
    nodes = one.attrs["nodes"]
    sums = np.zeros(len(nodes))
    sums[-1] = 1.0
    for (tail, head), slope in zip(one.attrs["edges"], one.slope.values, strict=True):
        sums[nodes.index(tail)] += float(one.adjoint[nodes.index(head)]) * slope
    return float(np.abs(sums - one.adjoint.values).max())


def summary(data: xr.DataTree) -> Table:
    """One row a graph."""
    columns = (
        Column("graph", "graph", "its figure", ""),
        Column("output", "output", "value of the last node", ".6g"),
        Column("steepest", "steepest in", "the input with the largest derivative", ""),
        Column("derivative", "derivative", "with respect to it", ".6g"),
        Column("operations", "operations", "on the tape", ".0f"),
    )
    rows = []
    for name, one in walked(data).items():
        slopes = one.adjoint.values[: one.sizes["input"]]
        steepest = int(np.argmax(np.abs(slopes)))
        rows.append(
            {
                "graph": name,
                "output": float(one.value[-1]),
                "steepest": one.attrs["nodes"][steepest],
                "derivative": float(slopes[steepest]),
                "operations": int(one.attrs["operations"]),
            }
        )
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How well the three ways agree."""
    found = data["_networks"]
    return (
        f"Over {found.sizes['network']:,} random networks of {found.attrs['parameters']} "
        f"parameters the tape differs from jax.grad by at most {float(found.tape_error.max()):.1e} "
        f"and from central differences by at most {float(found.difference_error.max()):.1e}, "
        "relative to the gradient."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Every graph, and how far the three ways are apart."""
    made: dict[str, Callable[[], plots.Figure]] = {
        name: partial(drawn, one) for name, one in walked(data).items()
    }
    made["agreement"] = partial(agreement, data["_networks"].to_dataset())
    return made


def drawn(one: xr.Dataset) -> plots.Figure:
    """One graph with its numbers."""
    edges = [(tail, head) for tail, head in one.attrs["edges"]]
    parts = (one.attrs["nodes"], one.attrs["formulas"], one.value.values, one.adjoint.values)
    vertices = [
        plots.Vertex(
            name, _formula(text), float(value), float(adjoint),
            tuple(tail for tail, head in edges if head == name),
        )
        for name, text, value, adjoint in zip(*parts, strict=True)
    ]  # fmt: skip
    said = ", ".join(f"{v.name} {number(v.value, 4)} ({number(v.adjoint, 4)})" for v in vertices)
    return plots.graph(
        one.attrs["title"],
        vertices,
        dict(zip(edges, one.slope.values.tolist(), strict=True)),
        caption="A box is a named value; formulas under the boxes say how it is computed from "
        "those whose arrows it receives. Values are filled in from left to right, adjoints from "
        "right to left: each is the sum, over the arrows that leave its box, of the adjoint at "
        "the arrow's head times the number on the arrow, the local derivative.",
        alt=f"A computation graph. Each node's value, and in brackets its adjoint: {said}.",
    )


def _formula(text: str) -> str:
    """A formula with the names as the boxes show them."""
    shown = re.sub(r"[^\W\d]\w*", lambda found: plots.written(found[0]), text)
    return shown.replace("**2", "²").replace("*", "·").replace("-", "\N{MINUS SIGN}")


def agreement(found: xr.Dataset) -> plots.Figure:
    """Shares of networks by how far the gradients are apart."""
    share = (np.arange(found.sizes["network"]) + 1) / found.sizes["network"]
    floor = 1e-18
    lines = {
        "tape and jax.grad": found.tape_error,
        "tape and central differences": found.difference_error,
    }
    thin = slice(None, None, max(1, found.sizes["network"] // 500))
    marks = [
        plots.Line(x=np.maximum(np.sort(error.values), floor)[thin], y=share[thin], label=label)
        for label, error in lines.items()
    ]
    told = "; ".join(f"{label}: at most {float(error.max()):.1e}" for label, error in lines.items())
    panel = plots.Panel(
        [*marks, plots.Guide(x=float(np.finfo(float).eps), label="one rounding")],
        x="difference of two gradients, relative",
        y="share of networks below it",
        scales=("log", "linear"),
        ylim=(0, 1.02),
    )
    return plots.chart(
        f"Three ways to the gradient of {found.sizes['network']:,} networks agree",
        [panel],
        caption="A point of a curve: the share of random networks whose two gradients differ by "
        "at most this much, the largest component of the difference over one plus the largest "
        "component of the gradient.",
        alt=f"Two rising curves. {told}.",
    )

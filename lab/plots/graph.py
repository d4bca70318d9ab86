"""A computation graph in layers: nodes with values and adjoints, edges with local derivatives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch

from lab.plots.figure import Figure
from lab.plots.layout import halo, keywords, legend
from lab.plots.styles import Style
from lab.plots.text import number, plain
from lab.plots.themes import current, themed

WIDTH, HEIGHT = 9.8, 4.55  # inches that the graph may take
EDGE = 0.04
BOX = (0.98, 0.66)
FEW = 15
"""Edges up to which each is labelled with its local derivative."""

_GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "omega": "ω", "theta": "θ", "loss": "ℓ"}
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Vertex:
    """A node: its name, formula ("" for an input), value, adjoint, and whence it is computed."""

    name: str
    formula: str
    value: float
    adjoint: float
    parents: tuple[str, ...] = ()


@themed
def graph(
    title: str,
    vertices: Sequence[Vertex],
    partials: Mapping[tuple[str, str], float],
    *,
    caption: str,
    alt: str,
) -> Figure:
    """Boxes from left to right, inputs first; above in a box the value, below the adjoint.

    Args:
        title: what the figure shows.
        vertices: nodes, parents before their children; the last one is the output.
        partials: local derivatives by (parent, child).
        caption: what the numbers are.
        alt: what is seen, with the numbers.
    """
    figure = Figure(title)
    axes = figure.add_subplot()
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT), aspect="equal")
    axes.axis("off")
    at = places(vertices)
    for vertex in vertices:
        for parent in vertex.parents:
            slope = partials[parent, vertex.name]
            _edge(axes, at[parent], at[vertex.name], slope, len(partials) <= FEW)
    for vertex in vertices:
        _box(axes, at[vertex.name], vertex)
    above = Patch(facecolor=current().background, edgecolor=current().muted, label="value")
    below = Patch(facecolor=Style(0).color, alpha=0.35, label="adjoint: d output / d node")
    arrow = Line2D([], [], color=current().muted, marker=">", ms=7, label="local derivative")
    legend(figure, [above, below, *[arrow] * (len(partials) <= FEW)])
    rows = [(v.name, v.formula, v.value, v.adjoint) for v in vertices]
    return figure.tell(
        caption=caption, alt=alt, columns=("node", "formula", "value", "adjoint"), rows=rows
    )


def layers(vertices: Sequence[Vertex]) -> list[list[Vertex]]:
    """Nodes in layers: a computed one right of all its parents, an input left of its first use."""
    depth: dict[str, int] = {}
    for vertex in vertices:
        depth[vertex.name] = 1 + max((depth[p] for p in vertex.parents), default=-1)
    for vertex in vertices:
        if not vertex.parents:
            uses = [depth[other.name] for other in vertices if vertex.name in other.parents]
            depth[vertex.name] = min(uses, default=1) - 1
    columns = range(max(depth.values()) + 1)
    return [[vertex for vertex in vertices if depth[vertex.name] == at] for at in columns]


def places(vertices: Sequence[Vertex]) -> dict[str, tuple[float, float]]:
    """Centres of the boxes, in inches from the lower left corner.

    In each layer the computed nodes stand in the middle, the first half of the inputs above them.
    """
    columns = layers(vertices)
    gap = (WIDTH - 2 * EDGE - BOX[0]) / max(len(columns) - 1, 1)
    at = {}
    for column, inside in enumerate(columns):
        inputs = [vertex.name for vertex in inside if not vertex.parents]
        computed = [vertex.name for vertex in inside if vertex.parents]
        above = len(inputs) // 2
        empty = (len(inputs) - 2 * above) * bool(computed)  # keeps the computed ones in the middle
        rows = [*[""] * empty, *inputs[:above], *computed, *inputs[above:]]
        room = HEIGHT / len(rows)
        for row, name in enumerate(rows):
            at[name] = (EDGE + BOX[0] / 2 + column * gap, HEIGHT - (row + 0.5) * room)
    return at


def written(name: str) -> str:
    """A name as it is shown: `omega0` is ω₀."""
    head = name.rstrip("0123456789")
    return _GREEK.get(head, head) + name[len(head) :].translate(_LOW)


def _box(axes: Axes, at: tuple[float, float], vertex: Vertex) -> None:
    (x, y), (wide, high) = at, BOX
    frame = keywords(boxstyle="square,pad=0", zorder=4)
    whole = FancyBboxPatch((x - wide / 2, y - high / 2), wide, high, **frame)
    whole.set(facecolor=current().background, edgecolor=current().muted, linewidth=1.6)
    half = FancyBboxPatch((x - wide / 2, y - high / 2), wide, high / 2, **frame)
    half.set(facecolor=Style(0).color, alpha=0.35, linewidth=0)
    axes.add_patch(whole)
    axes.add_patch(half)
    middle = keywords(ha="center", va="center", zorder=6)
    axes.text(x, y + high / 4, _number(vertex.value), **middle)
    axes.text(x, y - high / 4, _number(vertex.adjoint), style="italic", **middle)
    over = keywords(ha="center", va="bottom", zorder=7, path_effects=halo())
    axes.text(x, y + high / 2 + 0.03, written(vertex.name), weight="bold", **over)
    if vertex.formula:
        under = keywords(ha="center", va="top", zorder=7, path_effects=halo())
        axes.text(x, y - high / 2 - 0.05, plain(vertex.formula), **under)


def _edge(
    axes: Axes, tail: tuple[float, float], head: tuple[float, float], slope: float, told: bool
) -> None:
    start, end = (tail[0] + BOX[0] / 2, tail[1]), (head[0] - BOX[0] / 2, head[1])
    look = keywords(arrowstyle="-|>", mutation_scale=14, lw=1.6, color=current().muted, zorder=2)
    axes.add_patch(FancyArrowPatch(start, end, shrinkA=0, shrinkB=0, **look))
    if told:
        x, y = (a + 0.42 * (b - a) for a, b in zip(start, end, strict=True))
        under = keywords(facecolor=current().background, edgecolor="none", pad=1.5)
        middle = keywords(ha="center", va="center", zorder=3, bbox=under)
        axes.text(x, y, number(slope + 0.0, 2).replace("-", "\N{MINUS SIGN}"), **middle)


def _number(value: Any) -> str:
    return number(value + 0.0, 4).replace("-", "\N{MINUS SIGN}")  # + 0.0: no negative zero

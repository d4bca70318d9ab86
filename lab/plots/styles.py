"""How a category looks, in every figure of a run: a colour, a marker and a line style.

Colour never stands alone: no two of the first 110 categories share both colour and marker.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab.plots.themes import current

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "p", ">", "h")
DASHES = ((0, ()), (0, (5, 1.4)), (0, (1.2, 1.4)), (0, (5, 1.4, 1.2, 1.4)), (0, (9, 2, 2, 2)))

OUTCOMES = {  # outcome -> (category, hatch)
    "converged": (0, ""),
    "diverged": (2, "x"),
    "left_domain": (4, "/"),
    "stalled": (1, ".."),
    "oscillating": (5, "\\"),
    "budget_spent": (3, "-"),
}


@dataclass(frozen=True)
class Style:
    """The look of the category number `index`."""

    index: int

    @property
    def color(self) -> str:
        """The colour in the theme that is chosen now."""
        categories = current().categories
        return categories[self.index % len(categories)]

    @property
    def marker(self) -> str:
        """The marker, as matplotlib names it."""
        return MARKERS[self.index % len(MARKERS)]

    @property
    def linestyle(self) -> tuple[int, tuple[float, ...]]:
        """The dashes of its lines."""
        return DASHES[self.index % len(DASHES)]


def styles(labels: Iterable[str]) -> dict[str, Style]:
    """One style a label, in order. Make it once a run and hand it to every figure."""
    return {label: Style(index) for index, label in enumerate(labels)}


def style_of(label: str, labels: Iterable[str], chosen: Mapping[str, Style] | None) -> Style:
    """The chosen style of a label, or the one that its place among the labels gives it."""
    return (chosen or {}).get(label) or styles(labels)[label]

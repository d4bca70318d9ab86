"""What can be moved by hand on the page: one script each, attached to figures by name."""

from dataclasses import dataclass

from lab.report.render import asset


@dataclass(frozen=True)
class Interactive:
    """A drawing that answers to sliders, beside the figure of the same lesson.

    Attributes:
        title: what one does with it.
        hint: what to try, and what is to be seen.
        canvas: it paints pixels, besides lines.
    """

    title: str
    hint: str
    canvas: bool = False


INTERACTIVES = {
    "secant_tangent": Interactive(
        "Move the second point of the secant",
        "The curve is f(x) = x² + 2x + 2, and the dashed line its tangent at P. Bring h to 0 from "
        "either side: the slope of the secant PQ is 6 + h, and at 0 itself there is none, only the "
        "tangent's, to which it tends.",
    ),
    "epsilon_delta": Interactive(
        "Ask for an ε, get a δ",
        "The curve is f(x) = sin(x)/x, which has no value at 0 but the limit 1. δ is the widest "
        "distance from 0 within which f stays closer than ε to 1; for small ε it is about √(6ε).",
    ),
    "taylor": Interactive(
        "Add terms to a Taylor polynomial",
        "The solid line is the function, the dashed one its polynomial about 0. Each term makes it "
        "follow the function for longer; move x outwards to see where it lets go.",
    ),
    "riemann": Interactive(
        "Make the bars narrower",
        "The function is x/(1 + x²) on [0, 2], and the area under it is ln(5)/2. Compare how fast "
        "the rules close in on it.",
    ),
    "momentum_valley": Interactive(
        "Tune the learning rate and the momentum",
        "Twenty steps on 0.1x² + 2y² from (−5, −2): v ← βv + ∇f, then the point moves by −ηv. "
        "Without momentum the steep direction breaks out at η = 0.5.",
    ),
    "basins_three_wells": Interactive(
        "Choose a start, and the learning rate",
        "Click or tap the picture, or focus it and use the arrow keys (with Shift: finer). Each "
        "pattern marks the starts that end in the same well; at large rates wells lose theirs.",
        canvas=True,
    ),
}


def interactives(names: list[str]) -> str:
    """The library, and the scripts of these interactives."""
    files = ["kit.js", *(f"{name}.js" for name in names)] if names else []
    return "\n".join(asset(f"interactive/{file}", "lab.course") for file in files)

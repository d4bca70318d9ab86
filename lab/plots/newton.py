"""Newton's method beside gradient descent: ways, distances from their ends, and basins."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from lab.plots.chart import Panel, chart
from lab.plots.figure import Figure
from lab.plots.images import Contours, Image
from lab.plots.marks import Line, Mark
from lab.plots.text import number


def newton_vs_gd(found: Sequence[xr.Dataset], kinds: Sequence[str]) -> Figure:
    """Ways over each function, and below them the distances from their ends."""
    rows = _told(found, kinds)
    return chart(
        "Newton needs few steps, but minds no downhill",
        [*(_ways(case) for case in found), *(_distances(case) for case in found)],
        grid=(2, len(found)),
        caption="Top: steps of each method from one start. Bottom: "
        "distance from the point where the method ends, step by step.",
        alt=f"Ways of three methods down {len(found)} functions. {rows}",
    )


def _told(found: Sequence[xr.Dataset], kinds: Sequence[str]) -> str:
    """The ends in words."""
    return " ".join(
        f"{case.attrs['name']}, {method}: {kinds[int(kind)]} after {int(steps)} steps."
        for case in found
        for method, kind, steps in zip(
            case.by.values, case.kind.values, case.steps.values, strict=True
        )
    )


def _ways(case: xr.Dataset) -> Panel:
    x, flat = case.x.values, case.loss.ndim == 1
    marks: list[Mark] = []
    if flat:
        marks.append(Line(x=x, y=case.loss.values, tone="muted", width=1.6))
    else:
        levels = np.geomspace(0.5, float(case.loss.max()), 9)
        marks.append(Contours(x=x, y=x, values=case.loss.values, levels=levels, width=0.8))
    for name in case.by.values:
        path = case.path.sel(by=name).values[: int(case.steps.sel(by=name)) + 1]
        across = path[:, 0]
        up = np.interp(across, x, case.loss.values, np.nan, np.nan) if flat else path[:, 1]
        marks.append(Line(x=across, y=up, label=str(name), marked=1, width=1.3))
    limits = (float(x[0]), float(x[-1]))
    low, high = (float(case.loss.min()), float(case.loss.max())) if flat else limits
    air = 0.06 * (high - low) if flat else 0.0
    return Panel(marks, case.attrs["name"], "x", "f(x)" if flat else "y", xlim=limits,
                       ylim=(low - air, high + air))  # fmt: skip


def _distances(case: xr.Dataset) -> Panel:
    marks = []
    for name in case.by.values:
        apart = distances(case, str(name))
        apart = np.where(apart > 1e-14, apart, np.nan)
        if int(case.kind.sel(by=name)) < 3:
            steps = np.arange(1, len(apart) + 1)
            marks.append(Line(x=steps, y=apart, label=str(name), marked=max(1, len(apart) // 9)))
    return Panel(marks, "", "step (from 1)", "distance from its end", scales=("log", "log"))


def newton_basins(maps: dict[str, np.ndarray]) -> Figure:
    """Which root each start comes to, by Newton's map and by gradient descent."""
    names = ("to z = 1", "to exp(2πi/3)", "to exp(−2πi/3)")
    panels = []
    for name, image in maps.items():
        axis = np.linspace(-1.5, 1.5, len(image))
        marks = [Image(x=axis, y=axis, values=image, kind="categories", names=names)]
        panels.append(Panel(marks, name, "Re z", "Im z", equal=True))
    shares = [number(float((image >= 0).mean())) for image in maps.values()]
    return chart(
        "Newton's basins are fractal, those of gradient descent smooth",
        panels,
        caption="A pixel is a start; its colour and hatching say which cube root of 1 it came to. "
        "Left: the map z − (z³ − 1)/(3z²), Newton's for the equation z³ = 1 (Gauss-Newton on "
        "|z³ − 1|²). Right: gradient descent on |z³ − 1|².",
        alt="Two maps of the basins of the three cube roots of 1. Newton's interleave in chains of "
        f"ever smaller bulbs; those of gradient descent are three sectors. Shares of starts that "
        f"came to a root: {shares[0]} and {shares[1]}.",
    )


def distances(case: xr.Dataset, method: str) -> np.ndarray:
    """Distances from the end, step by step, until it is reached."""
    path = case.path.sel(by=method).values
    apart = np.linalg.norm(path - path[-1], axis=1)
    return apart[: int(case.steps.sel(by=method))]

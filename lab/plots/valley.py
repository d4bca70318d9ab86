"""A valley: the ways that optimizers take down it, and how fast momentum is in every setting."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from lab.plots.chart import Panel, chart
from lab.plots.figure import Figure
from lab.plots.guides import Note
from lab.plots.images import Contours, Image
from lab.plots.marks import Line, Mark, Points
from lab.plots.text import number

Best = tuple[float, float, float]
MARKED = ("circles", "squares", "triangles", "diamonds")
"""The markers of the first settings."""


def valley_paths(valley: xr.Dataset, found: Sequence[tuple[str, xr.Dataset]]) -> Figure:
    """Paths over contours, one panel an optimizer.

    Args:
        valley: `loss` (y, x) with coordinates.
        found: label and path of each setting: `point` (step, dim), `loss` (step), and the attribute
            `setting` that names it.
    """
    panels = [
        _paths_panel(valley, label, [one for name, one in found if name == label])
        for label in dict.fromkeys(label for label, _ in found)
    ]
    told = " ".join(
        f"{label} {each.attrs['setting']}: loss {number(float(each.loss[-1]))}."
        for label, each in found
    )
    return chart(
        f"{found[0][1].sizes['step'] - 1} steps down a narrow valley",
        panels,
        caption="One line is one run from the same start, a marker a step; circles and solid lines "
        "for the first setting, squares and dashes for the second. Lines that leave the panel "
        "diverge.",
        alt=f"Paths of {len(found)} runs over the contours of a valley. {told}",
        grid=(2, -(-len(panels) // 2)),
        columns=("optimizer", "setting", "loss"),
        rows=[(label, each.attrs["setting"], float(each.loss[-1])) for label, each in found],
    )


def _paths_panel(valley: xr.Dataset, label: str, settings: Sequence[xr.Dataset]) -> Panel:
    x, y = valley.x.values, valley.y.values
    levels = np.geomspace(0.02, float(valley.loss.max()), 9)
    paths = (each.point.values for each in settings)
    named = zip(MARKED, settings, strict=False)
    return Panel(
        [
            Contours(x=x, y=y, values=valley.loss.values, levels=levels),
            *(
                Line(x=at[:, 0], y=at[:, 1], tone=place, marked=1, width=1.8)
                for place, at in enumerate(paths)
            ),
        ],
        title=label,
        note=", ".join(f"{shape} {one.attrs['setting']}" for shape, one in named),
        x="x",
        y="y",
        xlim=(x[0], x[-1]),
        ylim=(y[0], y[-1]),
    )


def rate_plane(
    rate: xr.DataArray,
    *,
    predicted: np.ndarray,
    limit: np.ndarray,
    best: Best,
) -> Figure:
    """The measured rate, and how far it is from the spectral radius.

    Args:
        rate: (momentum, learning_rate), the factor that a step leaves of the error.
        predicted: what theory says, likewise.
        limit: the stability limit at each momentum.
        best: learning rate, momentum and rate of the best place.
    """
    error = np.abs(rate.values / predicted - 1)
    eta, beta = rate.learning_rate.values, rate.momentum.values
    edge = Line(x=limit, y=beta, tone="text", dashes=(0, (4, 2)))
    plane = partial(
        Panel,
        x="learning rate η",
        y="momentum β",
        xlim=(eta[0], eta[-1]),
        ylim=(beta[0], beta[-1]),
    )
    return chart(
        "Momentum is fastest just before it oscillates too long",
        [
            plane(
                [*_measured(rate, predicted, best), edge, *_star(best)],
                title="measured rate",
                note="dashed: 2(1+β)/λ, where it becomes 1",
            ),
            plane(
                [_departure(rate, error), edge],
                title="against the spectral radius",
                note="relative error of the measurement",
            ),
        ],
        caption=f"One pixel is one run ({rate.size} of them): the factor by which each step "
        "shrinks the distance from the minimum, measured over the second half of the run. Lines: "
        "the spectral radius. The star is Polyak's best place; beyond the dashed line runs "
        "diverge.",
        alt=f"A plane of learning rates and momenta. The lowest rate, {float(rate.min()):.3f}, is "
        f"at the star, predicted {best[2]:.3f}; 99 of 100 pixels agree with the spectral radius "
        f"within {100 * np.quantile(error, 0.99):.2f} %.",
        columns=("rate", "momentum", "fastest rate"),
        rows=[(best[0], best[1], best[2])],
    )


def _measured(rate: xr.DataArray, predicted: np.ndarray, best: Best) -> list[Mark]:
    where: dict[str, Any] = {"x": rate.learning_rate.values, "y": rate.momentum.values}
    limits = (float(np.floor(10 * best[2]) / 10), 1.4)
    label = "rate: error left by a step"
    return [
        Image(**where, values=rate.values, limits=limits, label=label),
        Contours(**where, values=predicted, levels=[0.7, 0.8, 0.9], numbered=True, tone="text"),
    ]


def _star(best: Best) -> list[Mark]:
    return [
        Points(x=best[0], y=best[1], tone="text", marker="*", size=16),
        Note(text=f"best: {best[2]:.3f}", x=best[0], y=best[1], across="right"),
    ]


def _departure(rate: xr.DataArray, error: np.ndarray) -> Image:
    return Image(
        x=rate.learning_rate.values,
        y=rate.momentum.values,
        values=np.maximum(error, 1e-6),
        kind="log",
        label="relative error",
        limits=(1e-6, 1e-1),
    )

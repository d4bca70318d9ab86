"""Basins at one learning rate, and their shares at many; moving: the basins at each of these."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from lab.plots.basin_panel import LETTERS, basin_panel, shares_note
from lab.plots.chart import Panel, chart
from lab.plots.figure import Figure
from lab.plots.guides import Guide, Note
from lab.plots.marks import Line, Mark
from lab.plots.text import number, percent


def basins_by_rate(
    by_rate: xr.Dataset,
    rate: float,
    still: xr.DataArray,
    frame: Callable[[int], xr.DataArray],
    rows: Sequence[Mapping[str, Any]],
    minima: np.ndarray,
    walked: Sequence[np.ndarray] = (),
) -> Figure:
    """A map of basins beside the share of each over the rate.

    Args:
        by_rate: `share` (rate, minimum) of the starts that settle in each minimum.
        rate: that of the still map.
        still: (y, x), the minimum that each start reaches, one past the last for none.
        frame: the same at the rate of an index.
        rows: for each minimum its name `minimum`, `share` and how `unsure` it is, its `limit` and
            the largest rate `measured`.
        minima: one a row.
        walked: paths, [step, 2].
    """
    rates, share = by_rate.rate.values, by_rate.share.values
    names = [*map("reaches {} {}".format, LETTERS, (row["minimum"] for row in rows))]
    names.append("settles nowhere")
    curves = partial(_curves, rates, share, np.array([row["limit"] for row in rows]))
    shape = " × ".join(map(str, still.shape[::-1]))
    return chart(
        "Which minimum a start reaches, and at which rates no start does",
        [_map(still, minima, names, rate, walked), curves(rate)],
        caption=f"One pixel of the map is one start of gradient descent ({shape} of them; in the "
        "frames fewer), its shade and hatching the minimum in which it ends. Lines with dots are "
        "the steps of single runs from their rings. On the right, the share of starts that "
        "converge to each minimum at each rate; dashed lines are 2/λ, the largest rate that its "
        "largest curvature bears.",
        alt=f"Basins of {len(rows)} minima at rate {rate:g}. {' '.join(map(_said, rows))}",
        columns=("rate", *(row["minimum"] for row in rows)),
        rows=[(float(r), *map(float, each)) for r, each in zip(rates, share, strict=True)],
        height=6.6,
        frames=lambda i: [_map(frame(i), minima, names, rates[i]), curves(rates[i])],
        count=len(rates),
    )


def _said(row: Mapping[str, Any]) -> str:
    return (
        f"{row['minimum']}: {percent(row['share'])} ± {percent(row['unsure'])}, lost above rate "
        f"{number(row['measured'], 4)} where 2/λ is {number(row['limit'], 4)}."
    )


def _map(
    found: xr.DataArray,
    minima: np.ndarray,
    names: list[str],
    rate: float,
    walked: Sequence[np.ndarray] = (),
) -> Panel:
    note = shares_note(found, [*LETTERS[: len(minima)], "none"])
    title = f"where starts end at rate {rate:.2f}"
    return basin_panel(found, minima, names, title=title, note=note, paths=walked)


def _curves(rates: np.ndarray, share: np.ndarray, limits: np.ndarray, rate: float) -> Panel:
    lines: list[Mark] = [
        Line(x=rates, y=share[:, i], tone=i, marked=max(1, len(rates) // 8))
        for i in range(len(limits))
    ]
    letters = LETTERS[: len(limits)]
    limit_marks = [Guide(x=float(limit), tone=i) for i, limit in enumerate(limits)]
    said = [
        Note(text=letter, x=float(limit), y=1.0, across="center")
        for letter, limit in zip(letters, limits, strict=True)
    ]
    return Panel(
        [
            *limit_marks,
            *lines,
            Line(x=[rate, rate], y=[0, 0.95], tone="text", width=3),
            *said,
        ],
        title="how many settle, at each rate",
        note="dashed: 2/λ; solid: the map's rate",
        x="rate η",
        y="share of starts that converge there",
        xlim=(float(rates[0]), float(rates[-1])),
        ylim=(0.0, 1.1),
    )

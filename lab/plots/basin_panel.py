"""One map of basins as a panel of a chart: categories, lettered minima, single runs over them."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from lab.plots.chart import Panel
from lab.plots.guides import Note
from lab.plots.images import Image
from lab.plots.marks import Line, Mark, Points

LETTERS = "ABCDEF"
"""What minima are called in maps."""


def basin_panel(
    shown: xr.DataArray,
    minima: np.ndarray,
    names: Sequence[str],
    *,
    title: str,
    note: str = "",
    paths: Sequence[np.ndarray] = (),
) -> Panel:
    """Where starts end: a pixel a start.

    Args:
        shown: (y, x) with coordinates: the category of each start.
        minima: one a row; lettered, at most six.
        names: what the categories are called.
        title: in bold above it.
        note: a line under the title.
        paths: runs, [step, 2], drawn from a ring to their end.
    """
    x, y = shown.x.values, shown.y.values
    marks: list[Mark] = [Image(x=x, y=y, values=shown.values, kind="categories", names=names)]
    for at in paths:
        marks.append(Line(x=at[:, 0], y=at[:, 1], tone="text", width=2.0))
        marks.append(Points(x=at[1:-1, 0], y=at[1:-1, 1], tone="text", marker="o", size=5))
        marks.append(Points(x=at[0, 0], y=at[0, 1], tone="text", marker="o", hollow=True))
    for letter, (a, b) in zip(LETTERS, minima, strict=False):
        marks.append(Points(x=a, y=b, tone="text", marker="*", size=15))
        marks.append(Note(text=letter, x=a, y=b))
    ends = (float(x[0]), float(x[-1])), (float(y[0]), float(y[-1]))
    return Panel(
        marks, title=title, note=note, x="x", y="y", xlim=ends[0], ylim=ends[1], equal=True
    )


def shares_note(shown: xr.DataArray, letters: Sequence[str]) -> str:
    """`A 21.1 %, B 47.6 %, C 31.3 %`: what each category takes of a map."""
    found = np.bincount(shown.values.ravel(), minlength=len(letters)) / shown.size
    pairs = zip(letters, found, strict=True)
    return ", ".join(f"{letter} {100 * share:.1f} %" for letter, share in pairs if share)

"""Sharpness along the way: the largest curvature against the step, and what the step size bears."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lab.plots.figure import Figure
from lab.plots.layout import entitle, grid, height, keywords, legend, log_limits, panels, shown
from lab.plots.styles import Style, style_of
from lab.plots.text import number
from lab.plots.themes import current, themed

DASHED = (0, (2, 2))


@dataclass(frozen=True)
class Course:
    """One optimizer's sharpness over the steps, and the limit of its step size (NaN: none)."""

    label: str
    setting: str
    style: Style
    step: np.ndarray
    lower: np.ndarray
    median: np.ndarray
    upper: np.ndarray
    limit: float


@themed
def sharpness(
    courses: Mapping[str, xr.Dataset],
    *,
    title: str | None = None,
    styles: Mapping[str, Style] | None = None,
) -> Figure:
    """Median and middle half of the sharpness against the step, with the line 2/eta of each panel.

    Args:
        courses: One Dataset a label: `sharpness_quantile` (quantile, step) and `limit`, the
            sharpness beyond which the optimizer is unstable (NaN where none is known). An
            attribute `setting` is named with the label.
        title: What the figure shows, if not the general words.
        styles: The look of each label; by order if not given.
    """
    drawn = [_course(label, data, courses, styles) for label, data in courses.items()]
    rows, columns = grid(len(drawn))
    figure = Figure(title or "How sharp the loss is along the way", height=height(rows))
    for index, (axes, course) in enumerate(zip(panels(figure, len(drawn)), drawn, strict=True)):
        _panel(axes, course, drawn)
        entitle(axes, course.label, course.setting, columns=columns)
        axes.locator_params(axis="x", nbins=9 if columns == 1 else 3)
        if index % columns == 0:
            axes.set_ylabel("sharpness")
        if index + columns >= len(drawn):
            axes.set_xlabel("step")
    legend(figure, _handles(drawn))
    return _tell(figure, drawn, [data.attrs.get("starts") for data in courses.values()])


def _course(
    label: str,
    data: xr.Dataset,
    labels: Mapping[str, xr.Dataset],
    styles: Mapping[str, Style] | None,
) -> Course:
    values = data["sharpness_quantile"].transpose("quantile", "step")
    lower, median, upper = (values.sel(quantile=at).values for at in (0.25, 0.5, 0.75))
    setting, style = str(data.attrs.get("setting", "")), style_of(label, labels, styles)
    step = data["step"].values
    return Course(label, setting, style, step, lower, median, upper, float(data["limit"]))


def _panel(axes: Axes, course: Course, drawn: Sequence[Course]) -> None:
    bounds = [c.limit for c in drawn if np.isfinite(c.limit)]
    values = np.concatenate([np.concatenate([c.lower, c.median, c.upper]) for c in drawn])
    limits = log_limits(axes, values, also=bounds)
    color = course.style.color
    upper = np.clip(np.where(np.isfinite(course.upper), course.upper, limits[1]), *limits)
    fine = np.isfinite(course.lower)
    axes.fill_between(
        course.step, shown(course.lower, limits), upper, where=fine, color=color, alpha=0.28, lw=0
    )
    dashes = keywords(linestyle=course.style.linestyle, marker=course.style.marker)
    axes.plot(course.step, shown(course.median, limits), color=color, zorder=3, **dashes)
    if np.isfinite(course.limit):
        axes.axhline(course.limit, color=current().text, lw=2, ls=DASHED, zorder=2)
    last = int(max(c.step[-1] for c in drawn))
    axes.set_xlim(0 if last else -0.5, last or 0.5)


def _handles(drawn: Sequence[Course]) -> list[Artist]:
    text = current().text
    color = drawn[0].style.color if len(drawn) == 1 else text
    lines: list[Artist] = [
        Line2D([], [], color=color, label="median"),
        Patch(color=color, alpha=0.28, lw=0, label="middle half"),
    ]
    if any(np.isfinite(c.limit) for c in drawn):
        label = "limit of stability, 2/eta for gradient descent"
        lines.append(Line2D([], [], color=text, lw=2, ls=DASHED, label=label))
    return lines


def _tell(figure: Figure, drawn: Sequence[Course], starts: Sequence[int | None]) -> Figure:
    known = sorted(count for count in starts if count is not None)
    of = f"{known[-1]:,} starts" if known else "all starts"
    caption = (
        f"One point of a line is the median, over {of}, of the largest eigenvalue of the Hessian "
        "after so many steps; the band holds the middle half. A run that has ended counts with "
        "where it ended; lines break off where the median is infinite, and what is not positive "
        "lies on the lower edge."
    )
    if any(np.isfinite(c.limit) for c in drawn):
        caption += (
            " Dashed: the sharpness above which the step size is unstable, 2/eta for gradient "
            "descent, 2 (1 + momentum)/eta for the heavy ball."
        )
    alt = "Sharpness against the step. " + " ".join(map(_said, drawn))
    columns = ("label", "step", "median", "quartile 1", "quartile 3", "limit")
    rows = [
        (c.label, int(c.step[i]), c.median[i], c.lower[i], c.upper[i], number(c.limit))
        for c in drawn
        for i in range(len(c.step))
    ]
    return figure.tell(caption=caption, alt=alt, columns=columns, rows=rows)


def _said(course: Course) -> str:
    name = f"{course.label} ({course.setting})" if course.setting else course.label
    ends = f"from {number(course.median[0])} to {number(course.median[-1])}"
    text = f"{name}: {ends} in {course.step[-1]} steps"
    if not np.isfinite(course.limit):
        return text + "."
    return f"{text}, limit {number(course.limit)}."

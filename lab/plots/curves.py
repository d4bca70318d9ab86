"""How the loss falls: quantiles of the excess loss against the step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lab.plots.figure import Figure
from lab.plots.layout import (
    BEHIND,
    entitle,
    grid,
    height,
    keywords,
    legend,
    log_limits,
    near,
    panels,
    shown,
    within_reach,
)
from lab.plots.styles import Style, style_of
from lab.plots.text import number, plain
from lab.plots.themes import current, themed

TOGETHER = 4  # so many fit into one panel
LINE_HEIGHT = 0.21  # inches that a line of text needs


@dataclass(frozen=True)
class Curve:
    """One optimizer's loss over the steps."""

    label: str
    setting: str
    style: Style
    step: np.ndarray
    lower: np.ndarray
    median: np.ndarray
    upper: np.ndarray


@themed
def curves(
    curves: Mapping[str, xr.Dataset],
    *,
    targets: Sequence[float] = (),
    x: str = "linear",
    title: str | None = None,
    styles: Mapping[str, Style] | None = None,
) -> Figure:
    """Median and middle half of the excess loss against the step.

    Up to four optimizers share one panel; more get one each, with the others behind.

    Args:
        curves: One Dataset a label: `loss_quantile` (quantile, step). An attribute `setting`, such
            as `learning_rate 0.01`, is named with the label.
        targets: Losses drawn as thin labelled lines.
        x: The scale of the steps, `linear` or `log` (step 0 is then at the left edge).
        title: What the figure shows, if not the general words.
        styles: The look of each label; by order if not given.
    """
    drawn = [_curve(label, data, curves, styles) for label, data in curves.items()]
    together = len(drawn) <= TOGETHER
    count = 1 if together else len(drawn)
    figure = Figure(title or "How the loss falls", height=height(grid(count)[0]))
    columns = grid(count)[1]
    for index, axes in enumerate(panels(figure, count)):
        ours = drawn if together else [drawn[index]]
        _panel(axes, ours, [] if together else drawn, targets, drawn, count)
        _steps(axes, x, drawn, columns)
        if index % columns == 0:
            axes.set_ylabel("excess loss")
        if index + columns >= count:
            axes.set_xlabel("step")
        if index % columns == columns - 1 or index == count - 1:
            _name_targets(axes, targets, axes.get_position().height * figure.get_figheight())
    legend(figure, _handles(drawn, together))
    starts = {data.attrs.get("starts") for data in curves.values()}
    return _tell(figure, drawn, targets, starts)


def _curve(
    label: str,
    data: xr.Dataset,
    labels: Mapping[str, xr.Dataset],
    styles: Mapping[str, Style] | None,
) -> Curve:
    losses = data["loss_quantile"].transpose("quantile", "step")
    lower, median, upper = (losses.sel(quantile=at).values for at in (0.25, 0.5, 0.75))
    step = data["step"].values if "step" in data.coords else np.arange(len(median))
    setting = str(data.attrs.get("setting", ""))
    return Curve(label, setting, style_of(label, labels, styles), step, lower, median, upper)


def _panel(
    axes: Axes,
    ours: Sequence[Curve],
    behind: Sequence[Curve],
    targets: Sequence[float],
    drawn: Sequence[Curve],
    count: int,
) -> None:
    values = np.concatenate([np.concatenate([c.lower, c.median, c.upper]) for c in drawn])
    medians = np.concatenate([c.median for c in drawn])
    values = within_reach(values, medians)
    limits = log_limits(axes, values, near(targets, values), ticks=7 if count < 5 else 5)
    for target in targets:
        if limits[0] <= target <= limits[1]:
            axes.axhline(target, color=current().text, lw=1.0, ls=(0, (2, 3)), zorder=1.6)
    for curve in behind:
        if curve not in ours:
            line = shown(curve.median, limits)
            axes.plot(curve.step, line, color=current().muted, alpha=BEHIND, lw=2, zorder=1.5)
    for curve in ours:
        _one(axes, curve, limits, alpha=0.28 if len(ours) < 3 else 0.18)
    if count > 1:
        entitle(axes, ours[0].label, ours[0].setting, columns=grid(count)[1])


def _one(axes: Axes, curve: Curve, limits: tuple[float, float], alpha: float) -> None:
    color = curve.style.color
    upper = np.clip(np.where(np.isfinite(curve.upper), curve.upper, limits[1]), *limits)
    lower, fine = shown(curve.lower, limits), np.isfinite(curve.lower)
    axes.fill_between(curve.step, lower, upper, where=fine, color=color, alpha=alpha, lw=0)
    line = shown(curve.median, limits)
    dashes = keywords(linestyle=curve.style.linestyle, marker=curve.style.marker)
    every = max(1, len(curve.step) // 8)
    first = curve.style.index * every // 10 % every
    axes.plot(curve.step, line, color=color, markevery=(first, every), zorder=3, **dashes)
    lost = np.flatnonzero(~np.isfinite(curve.median))
    if lost.size:
        high = axes.get_xaxis_transform()
        mark = keywords(marker="x", color=color, mew=3, ms=10, zorder=4)
        axes.plot([curve.step[lost[0]]], [0.96], transform=high, **mark)


def _steps(axes: Axes, scale: str, drawn: Sequence[Curve], columns: int) -> None:
    last = max(int(curve.step[-1]) for curve in drawn)
    if scale == "log":
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.4)
        powers = 10.0 ** np.arange(0, np.log10(max(last, 1)) + 1e-9)
        axes.set_xticks([0, *(powers if columns < 3 else powers[1::2])])
    else:
        axes.locator_params(axis="x", nbins=9 if columns == 1 else 3)
    axes.set_xlim(0 if last else -0.5, last or 0.5)


def _name_targets(axes: Axes, targets: Sequence[float], inches: float) -> None:
    """Write the targets beside their lines, the tightest first, where there is room."""
    place = keywords(transform=axes.get_yaxis_transform(), va="center")
    low, high = np.log10(axes.get_ylim())
    apart = LINE_HEIGHT / inches * (high - low)
    named: list[float] = []
    for target in sorted(t for t in targets if low <= np.log10(t) <= high):
        if not named or np.log10(target / named[-1]) >= apart:
            axes.text(1.012, target, number(target), **place)
            named.append(target)
    if named:
        axes.text(1.012, named[-1], "target\n", va="baseline", transform=place["transform"])


def _handles(drawn: Sequence[Curve], together: bool) -> list[Artist]:
    text = current().text
    lines = [
        Line2D(
            [],
            [],
            color=c.style.color,
            marker=c.style.marker,
            ls=c.style.linestyle,
            label=plain(f"{c.label}, {c.setting}" if c.setting else c.label),
        )
        for c in drawn
    ]
    lost = any(not np.isfinite(c.median).all() for c in drawn)
    common: list[Artist] = [Patch(color=text, alpha=0.22, lw=0, label="middle half")]
    if lost:
        common.append(Line2D([], [], ls="", marker="x", color=text, mew=3, label="median diverged"))
    if together:
        return [*lines, *common]
    behind = Line2D([], [], color=current().muted, alpha=BEHIND, lw=2, label="the others")
    return [Line2D([], [], color=text, label="median"), *common, behind]


def _tell(
    figure: Figure, drawn: Sequence[Curve], targets: Sequence[float], starts: set[int | None]
) -> Figure:
    known = sorted(count for count in starts if count is not None)
    of = f"{known[-1]:,} starts, spread over all," if known else "all starts"
    caption = (
        f"One point of a line is the median excess loss (over the known minimum) of {of} after so "
        "many steps; the band holds the middle half of them. A line breaks off at "
        "an x where the median run has diverged; what is below the axis lies on its lower edge."
    )
    caption += " Dashed across: the targets, as far as they are near." if len(targets) else ""
    rows = []
    for curve in drawn:
        chosen = np.unique(np.linspace(0, len(curve.step) - 1, 41).round().astype(int))
        for i in chosen:
            values = (curve.median[i], curve.lower[i], curve.upper[i])
            rows.append((curve.label, int(curve.step[i]), *values))
    alt = "Median excess loss against the step. " + " ".join(_said(c, targets) for c in drawn)
    columns = ("label", "step", "median", "quartile 1", "quartile 3")
    return figure.tell(caption=caption, alt=alt, columns=columns, rows=rows)


def _said(curve: Curve, targets: Sequence[float]) -> str:
    name = f"{curve.label} ({curve.setting})" if curve.setting else curve.label
    lost = np.flatnonzero(~np.isfinite(curve.median))
    if lost.size:
        return f"{name}: diverged at step {curve.step[lost[0]]}."
    ends = f"from {number(curve.median[0])} to {number(curve.median[-1])}"
    text = f"{name}: {ends} in {curve.step[-1]} steps"
    if not len(targets):
        return text + "."
    hit = np.flatnonzero(curve.median <= min(targets))
    when = f"at step {curve.step[hit[0]]}" if hit.size else "never"
    return f"{text}, reaches {number(min(targets))} {when}."

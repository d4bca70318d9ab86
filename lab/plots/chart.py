"""A chart: panels of marks, one legend, and, where it moves, its frames."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from lab.plots.figure import SIZE, Animation, Figure
from lab.plots.images import Image
from lab.plots.layout import compress, entitle, legend
from lab.plots.marks import Mark
from lab.plots.styles import Style
from lab.plots.text import number, plain
from lab.plots.themes import themed

MOST_ROWS = 2000


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        marks: drawn in this order.
        title: in bold above it.
        x: what the horizontal axis shows, with its unit.
        y: what the vertical axis shows.
        scales: `linear`, `log` or `symlog`, of x and of y.
        xlim: ends of the horizontal axis.
        ylim: ends of the vertical axis.
        equal: one unit is as long on both axes.
        note: a plain line under the title.
        rows: words at 0, 1, ... of the vertical axis, from the top, instead of numbers.
        ticks: where the axes have ticks, x and y; None: where matplotlib puts them.
    """

    marks: Sequence[Mark]
    title: str = ""
    x: str = ""
    y: str = ""
    scales: tuple[str, str] = ("linear", "linear")
    xlim: tuple[float, float] | None = None
    ylim: tuple[float, float] | None = None
    equal: bool = False
    note: str = ""
    rows: Sequence[str] = ()
    ticks: tuple[Sequence[float] | None, Sequence[float] | None] = (None, None)


@themed
def chart(
    title: str,
    panels: Sequence[Panel],
    *,
    caption: str,
    alt: str,
    columns: Sequence[str] = ("series", "x", "y"),
    rows: Sequence[Sequence[Any]] | None = None,
    grid: tuple[int, int] | None = None,
    height: float | None = None,
    frames: Callable[[int], Sequence[Panel]] | None = None,
    count: int = 0,
) -> Figure:
    """A figure of panels; marks with the same label look alike, and stand once in the legend.

    Args:
        title: what the figure shows.
        panels: its panels, row by row.
        caption: what one point, line or pixel is.
        alt: what is seen, with the numbers, for those who cannot see it.
        columns: the headings of `rows`.
        rows: the numbers drawn; if not given, those of lines, points, bars and arrows.
        grid: rows and columns of panels; one row if not given.
        height: of the figure, in inches.
        frames: the panels of each frame of its animation; axes keep the ends of the still figure.
        count: how many frames, at most 100.
    """
    down, across = grid or (1, len(panels))
    figure = Figure(title, height=height or SIZE[1] + 2.6 * (down - 1))
    looks = _looks(panels if frames is None else [*panels, *frames(count - 1)])
    made = [figure.add_subplot(down, across, place + 1) for place in range(len(panels))]
    for axes, panel in zip(made, panels, strict=True):
        _draw(axes, panel, looks, across)
    for image, beside in _bars(panels, made):
        _colorbar(figure, image, beside)
    if handles := _handles(panels, looks):
        legend(figure, handles)
    if any(panel.equal for panel in panels) and len(panels) > 1:
        compress(figure)
    if frames is not None:
        figure.animation = Animation(count, _player(made, frames, looks, across))
    told = [row for panel in panels for mark in panel.marks for row in mark.rows()]
    thinned = told[:: -(-len(told) // MOST_ROWS) or 1]
    return figure.tell(
        caption=caption, alt=alt, columns=columns, rows=thinned if rows is None else rows
    )


def _looks(panels: Sequence[Panel]) -> dict[str, Style]:
    """A style for each label, in order of appearance; a mark's own tone comes first."""
    counter = itertools.count()
    looks: dict[str, Style] = {}
    for mark in (mark for panel in panels for mark in panel.marks):
        if isinstance(mark.tone, int):
            looks.setdefault(mark.label, Style(mark.tone))
        elif mark.label and mark.tone is None:
            if mark.label not in looks:
                looks[mark.label] = Style(next(counter))
    return looks


def _style(mark: Mark, looks: dict[str, Style]) -> Style:
    return Style(mark.tone) if isinstance(mark.tone, int) else looks.get(mark.label, Style(0))


def _draw(axes: Axes, panel: Panel, looks: dict[str, Style], across: int) -> None:
    axes.set_xscale(panel.scales[0])
    axes.set_yscale(panel.scales[1])
    if panel.xlim is not None:
        axes.set_xlim(*panel.xlim)
    for mark in panel.marks:
        mark.draw(axes, _style(mark, looks))
    if panel.xlim is not None:
        axes.set_xlim(*panel.xlim)
    if panel.ylim is not None:
        axes.set_ylim(*panel.ylim)
    if panel.equal:
        axes.set_aspect("equal", adjustable="box")
    if panel.rows:
        axes.set_yticks(range(len(panel.rows)), [plain(row) for row in panel.rows])
        axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    for place, axis in zip(panel.ticks, (axes.xaxis, axes.yaxis), strict=True):
        if place is not None:
            axis.set_ticks(place, [plain(number(value)) for value in place])
            axis.set_ticks([], minor=True)
    axes.set_xlabel(plain(panel.x))
    axes.set_ylabel(plain(panel.y))
    if panel.title:
        entitle(axes, panel.title, panel.note, columns=across)


def _player(
    made: Sequence[Axes],
    frames: Callable[[int], Sequence[Panel]],
    looks: dict[str, Style],
    across: int,
) -> Callable[[int], None]:
    ends = [(axes.get_xlim(), axes.get_ylim()) for axes in made]

    def draw(index: int) -> None:
        for axes, panel, (xlim, ylim) in zip(made, frames(index), ends, strict=True):
            axes.cla()
            axes.set_xlim(*xlim)
            _draw(axes, panel, looks, across)
            axes.set_xlim(*(panel.xlim or xlim))
            axes.set_ylim(*(panel.ylim or ylim))

    return draw


def _bars(panels: Sequence[Panel], made: Sequence[Axes]) -> list[tuple[Image, list[Axes]]]:
    """The images that need a colour bar, with their axes: one bar for equal labels and limits."""
    found: dict[tuple[Any, ...], tuple[Image, list[Axes]]] = {}
    for panel, axes in zip(panels, made, strict=True):
        for mark in panel.marks:
            if isinstance(mark, Image) and mark.kind != "categories" and mark.label:
                key = (mark.label, mark.limits or id(mark))
                found.setdefault(key, (mark, []))[1].append(axes)
    return list(found.values())


def _colorbar(figure: Figure, image: Image, axes: list[Axes]) -> None:
    colours, norm = image.colours()
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=axes, shrink=0.9, pad=0.015, aspect=28)
    bar.set_label(plain(image.label))
    bar.outline.set_visible(False)


def _handles(panels: Sequence[Panel], looks: dict[str, Style]) -> list[Artist]:
    found: dict[str, Artist] = {}
    for mark in (mark for panel in panels for mark in panel.marks):
        if isinstance(mark, Image):
            for handle in mark.handles() if mark.kind == "categories" else ():
                found.setdefault(str(handle.get_label()), handle)
        elif mark.label:
            found.setdefault(mark.label, mark.handle(_style(mark, looks)))
    return list(found.values())

"""Light and dark: the colours of figures and the settings of matplotlib that go with them.

The categories are the hues of matplotlib's `petroff10`, in its order. Their lightness is moved so
that each stands at least 3:1 against its background, and so that they stay apart for readers with
deuteranopia or protanopia (the tests measure both). A theme is a context: nothing is left changed.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.colors import Colormap, ListedColormap

from lab.plots.text import FONT

Given = ParamSpec("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Theme:
    """The colours of one theme: `#rrggbb`, categories in order of use."""

    name: str
    background: str
    text: str
    muted: str  # lines and marks that stand behind the others
    grid: str
    void: str  # an area without a value
    categories: tuple[str, ...]


def _colours(joined: str) -> tuple[str, ...]:
    return tuple("#" + colour for colour in joined.split())


THEMES = {
    "light": Theme(
        "light", "#ffffff", "#1c2128", "#8b929b", "#dfe3e8", "#e6e8eb",
        _colours("4091db c3810b 9b1903 859493 832cb5 966353 b54e0b 9c9160 6d717d 025255"),
    ),
    "dark": Theme(
        "dark", "#12161c", "#e8ebef", "#737b86", "#2b323b", "#2a3038",
        _colours("4595e0 fca600 c5290e 859493 903cc4 ffbba7 e66408 baad71 696d79 95dde0"),
    ),
}  # fmt: skip

_active: ContextVar[Theme | None] = ContextVar("active", default=None)


def current() -> Theme:
    """The theme that figures are being made in; light if none was chosen."""
    return _active.get() or THEMES["light"]


@contextmanager
def theme(name: str) -> Iterator[Theme]:
    """Make figures, and save them, in the theme `light` or `dark`; then put all back."""
    colours = THEMES[name]
    token = _active.set(colours)
    try:
        with matplotlib.rc_context(_settings(colours)):
            yield colours
    finally:
        _active.reset(token)


def themed(make: Callable[Given, Made]) -> Callable[Given, Made]:
    """Make the figure in the light theme unless a theme is already chosen."""

    @functools.wraps(make)
    def inside(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        with theme("light") if _active.get() is None else nullcontext():
            return make(*args, **kwargs)

    return inside


def scalars(strength: float | None = None) -> Colormap:
    """Cividis for a scalar field behind lines: blended with the background, still in order.

    Args:
        strength: the share of cividis, 1 where nothing is drawn over the field.
    """
    background = matplotlib.colors.to_rgb(current().background)
    if strength is None:
        strength = 0.5 if current().name == "light" else 0.6
    colours = matplotlib.colormaps["cividis"](np.linspace(0, 1, 256))[:, :3]
    return ListedColormap(strength * colours + (1 - strength) * np.array(background))


def _settings(colours: Theme) -> Any:
    faces = ("figure.facecolor", "axes.facecolor", "savefig.facecolor", "legend.facecolor")
    texts = ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor")
    edges = ("axes.edgecolor", "xtick.color", "ytick.color")
    return {
        **dict.fromkeys(faces, colours.background),
        **dict.fromkeys(texts, colours.text),
        **dict.fromkeys(edges, colours.muted),
        "font.family": FONT,
        "font.size": 13.0,
        **dict.fromkeys(("axes.labelsize", "axes.titlesize", "legend.fontsize"), 13.0),
        **dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), 13.0),
        "figure.titlesize": 17.0,
        "figure.titleweight": "bold",
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 6.0,
        "axes.prop_cycle": cycler(color=colours.categories),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "grid.color": colours.grid,
        "grid.linewidth": 0.8,
        "lines.linewidth": 2.4,
        "lines.markersize": 8.0,
        "lines.solid_capstyle": "round",
        "lines.dash_capstyle": "round",
        "legend.frameon": False,
        "legend.handlelength": 2.2,
        "legend.columnspacing": 1.6,
        "hatch.linewidth": 1.2,
        "image.cmap": "cividis",
        "savefig.dpi": 160.0,
        "svg.hashsalt": "gradient descent lab",
        "svg.fonttype": "path",
        "path.simplify": True,
    }

"""A loss as a picture: shaded contours of two variables, or the curve of one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.contour import ContourSet
from matplotlib.path import Path
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from lab.plots.figure import Figure
from lab.plots.layout import halo, keywords
from lab.plots.text import plain
from lab.plots.themes import current, scalars

CONTOURS, FEW = 14, 7
DENSE = 5000  # vertices of contours of a loss with more ripples than lines can show
WIDE = 100.0  # a loss that spans more than this ratio is shaded logarithmically


class Field:
    """The values of a loss on a grid, ready to be drawn behind paths or beside basins.

    Attributes:
        names: What the variables are called.
        low: Lower corner of the box.
        high: Upper corner of the box.
        minima: Known minima, one a row.
    """

    def __init__(self, landscape: xr.Dataset):
        """The field of a landscape: `loss` (y, x) or (x), with coordinates."""
        self.dimension = 1 if "y" not in landscape.coords else 2
        axes = [landscape[name].values.astype(float) for name in ("x", "y")[: self.dimension]]
        self.axes = axes
        self.names = names(landscape, self.dimension)
        self.low = np.array([axis.min() for axis in axes])
        self.high = np.array([axis.max() for axis in axes])
        loss = landscape["loss"].transpose(*(("y", "x")[-self.dimension :])).values.astype(float)
        self.loss = np.where(np.isfinite(loss), loss, np.nan)
        self.minima = points(landscape, self.dimension)
        self.lowest = float(np.nanmin(self.loss)) if np.isfinite(self.loss).any() else 0.0

    @property
    def above(self) -> np.ndarray:
        """The loss above its lowest value here."""
        return self.loss - self.lowest

    def norm(self) -> Normalize:
        """Logarithmic for a loss of many magnitudes, else linear."""
        positive = self.above[self.above > 0]
        if not positive.size:
            return Normalize(0, 1)
        low, high = np.quantile(positive, 0.005), positive.max()
        if high / low < WIDE:
            return Normalize(0, high)
        return LogNorm(float(max(low, high * 1e-9)), float(high), clip=True)

    def draw(self, axes: Axes, columns: int = 1, *, alone: bool = False) -> None:
        """The shaded contours (or the curve) and the box around them.

        Args:
            axes: where.
            columns: as many stand side by side, which says how fine the picture must be.
            alone: nothing will be drawn over it: full colours, fewer contours, any aspect.
        """
        if self.dimension == 1:
            axes.plot(self.axes[0], self.loss, color=current().muted, zorder=1.5)
            low, high = np.nanmin(self.loss), np.nanmax(self.loss)
            air = 0.06 * (high - low or 1.0)
            axes.set_ylim(low - 2 * air, high + air)
        else:
            self._shade(axes, columns, alone)
            axes.set_ylim(self.low[1], self.high[1])
        axes.set_xlim(self.low[0], self.high[0])

    def _shade(self, axes: Axes, columns: int, alone: bool) -> None:
        norm = self.norm()
        values = np.ma.masked_invalid(self.above)
        image = (
            values
            if not isinstance(norm, LogNorm)
            else np.ma.maximum(values, float(norm.vmin or 0))
        )
        axes.set_facecolor(current().void)
        axes.grid(False)
        step = max(1, max(values.shape) * columns // 800)
        axes.imshow(
            image[::step, ::step],
            cmap=scalars(1.0) if alone else scalars(),
            norm=norm,
            origin="lower",
            extent=(self.low[0], self.high[0], self.low[1], self.high[1]),
            aspect="auto",
            interpolation="none" if alone else "bilinear",  # small vector files hold the values
        )
        step = max(1, max(values.shape) * columns // 300)
        at = [axis[::step] for axis in self.axes]
        made = self._contours(axes, image[::step, ::step], at, norm, FEW if alone else CONTOURS)
        if alone and made and sum(map(_vertices, made.get_paths())) > DENSE:
            made.remove()  # hatching that hides the colours
        span = self.high - self.low
        if not alone and 0.25 < span[0] / span[1] < 4:
            axes.set_aspect("equal", adjustable="box")

    def _contours(
        self,
        axes: Axes,
        image: np.ma.MaskedArray,
        at: list[np.ndarray],
        norm: Normalize,
        count: int,
    ) -> ContourSet | None:
        if not image.count() or image.min() == image.max():
            return None
        low, high = float(norm.vmin or 0), float(norm.vmax or 1)
        space = np.geomspace if isinstance(norm, LogNorm) else np.linspace
        levels = space(low, high, count + 2)[1:-1]
        levels = levels[(levels > image.min()) & (levels < image.max())]
        if not levels.size:
            return None
        look = keywords(colors=current().muted, linewidths=0.7, alpha=0.7)
        return axes.contour(*at, image, levels, **look)

    def colorbar(self, figure: Figure, axes: Sequence[Axes]) -> None:
        """One bar for all panels."""
        norm = self.norm()
        mappable = ScalarMappable(norm, scalars())
        bar = figure.colorbar(mappable, ax=list(axes), shrink=0.9, pad=0.015, aspect=28)
        log = isinstance(norm, LogNorm)
        bar.ax.yaxis.set_major_locator(LogLocator(numticks=6) if log else MaxNLocator(5))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.set_label("loss above the lowest shown")
        bar.outline.set_visible(False)


def _vertices(path: Path) -> int:
    return np.shape(path.vertices)[0]


def names(data: xr.Dataset, dimension: int) -> list[str]:
    """What the variables are called: the attribute `names`, or x and y."""
    given = [str(name) for name in np.atleast_1d(data.attrs.get("names", ("x", "y")))]
    return [plain(name) for name in [*given, "x", "y"][:dimension]]


def points(data: xr.Dataset, dimension: int) -> np.ndarray[Any, Any]:
    """The known minima of a landscape or of basins: one a row, possibly none."""
    if "minima" not in data:
        return np.empty((0, dimension))
    return data["minima"].transpose(..., "dim").values.astype(float).reshape(-1, dimension)


def star(axes: Axes, x: Any, y: Any, **more: Any) -> None:
    """Minima: stars that stand out from every shade."""
    look = keywords(color=current().background, mec=current().text, mew=1.4, ms=15, zorder=7)
    axes.plot(x, y, ls="", marker="*", path_effects=halo(2), **(look | more))

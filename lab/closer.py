"""A closer look at one optimizer, at the setting that did best: curve, paths, basins."""

from collections.abc import Sequence

import numpy as np
import optax
import xarray as xr

from lab import compare, starts, theory
from lab.engine import Engine

BAND_LANES = 1024
"""The most lanes that a curve's quantiles are of."""

CURVE_STEPS = 501
"""The most steps at which a curve or path is looked at."""

CONTOUR_POINTS = 201
"""Points along each side of a landscape."""


class Closer:
    """Replays and images of an optimizer's best setting, as labelled arrays ready to be drawn.

    Where the loss's own parameters are swept too, all optimizers are looked at with the first
    values of these, so that their pictures show one and the same loss.
    """

    def __init__(self, engine: Engine, data: xr.Dataset):
        self.engine, self.plan, self.data = engine, engine.plan, data
        first = {self.plan.loss_axis(name): 0 for name in self.plan.loss.swept}
        chosen = compare.best(compare.summarize(data.isel(first)))
        self.index = {**first, **chosen.index}
        self.text = compare.setting_text(data.isel(self.index), self.index)
        self.setting = self.plan.setting(self.index)

    @property
    def drawable(self) -> bool:
        """Whether the loss has one or two variables and the starts lie in a box."""
        return self.plan.dimension <= 2 and bool(np.all(np.isfinite(self.box)))

    @property
    def box(self) -> np.ndarray:
        """The corners, low and high, of what is drawn: the starts' own box; NaN if it has none."""
        low, high = self.plan.starts.low, self.plan.starts.high
        if low is None or high is None:
            return np.full((2, self.plan.dimension), np.nan)
        wide = np.where(high > low, 0.0, 0.5)
        return np.stack([low - wide, high + wide])

    def curve(self) -> xr.Dataset:
        """Quantiles of the excess loss at each step; and how many replays end unlike the sweep."""
        chosen = self._some(min(BAND_LANES, self.engine.capacity))
        at = self._steps()
        losses = self.engine.replay(self._ids(chosen), at).loss.astype(np.float64)
        losses = np.where(np.isfinite(losses), losses, np.inf)
        reached = np.where(losses > self.plan.run.diverged_above, np.inf, losses)
        stored = self._stored(chosen)
        excess = xr.DataArray(
            reached - self.plan.minimum[0], dims=("lane", "step"), coords={"step": at}
        )
        return xr.Dataset(
            {
                "loss_quantile": compare.quantiles(excess, ["lane"]).assign_coords(step=at),
                "replays": len(chosen),
                "replays_that_differ": int(np.sum(losses[:, -1] != stored)),
            },
            attrs={
                "setting": self.text,
                "targets": list(self.plan.run.targets),
                "starts": len(chosen),
            },
        )

    def paths(self, count: int, points: Sequence[Sequence[float]] = ()) -> xr.Dataset:
        """Whole paths from these points or, if there are none, from so many of the starts."""
        if points:
            engine = self.engine.elsewhere(starts.points(points))
            chosen = np.arange(len(points))
        else:
            engine, chosen = self.engine, self._some(count)
        ids, at = self._ids(chosen), self._steps()
        walked, ended = engine.replay(ids, at), engine.lanes(ids)
        return xr.Dataset(
            {
                "point": (("lane", "step", "dim"), walked.point.astype(np.float64)),
                "loss": (("lane", "step"), walked.loss.astype(np.float64)),
                "steps": ("lane", np.searchsorted(at, ended["steps"])),
                "outcome": ("lane", ended["outcome"]),
            },
            coords={"step": at},
            attrs={"setting": self.text},
        )

    def sharpness(self) -> xr.Dataset:
        """Quantiles of the recorded sharpness over starts and seeds, and its limit (NaN: none)."""
        lanes = self.data.sharpness.isel(self.index).rename(sharpness_step="step")
        pool = [dim for dim in lanes.dims if dim != "step"]
        quantile = compare.quantiles(lanes, pool).assign_coords(step=lanes.step.values)
        return xr.Dataset(
            {"sharpness_quantile": quantile, "limit": self._sharpness_limit()},
            attrs={"setting": self.text, "starts": self.plan.starts.count},
        )

    def _sharpness_limit(self) -> float:
        """What `theory.sharpness_limit` says of an `sgd` of constant rate; NaN for others."""
        node = self.plan.optimizer.recipe.node
        if getattr(node, "function", None) is not optax.sgd:
            return np.nan
        swept = self.plan.optimizer.swept
        chosen = {name: swept[name][self.index[name]].item() for name in swept if "." not in name}
        given = {**node.arguments, **chosen}
        if not isinstance(given["learning_rate"], int | float):
            return np.nan
        momentum, nesterov = given.get("momentum") or 0.0, bool(given.get("nesterov"))
        return theory.sharpness_limit(given["learning_rate"], momentum, nesterov)

    def basins(self, shape: Sequence[int]) -> xr.Dataset:
        """The known minimum reached from each point of a grid over the box: rows, columns."""
        shape = tuple(shape)[-self.plan.dimension :]
        low, high = self.box
        grid = starts.grid(low.tolist(), high.tolist(), shape[::-1])
        ended = self.engine.elsewhere(grid).lanes(self._ids(np.arange(grid.count)))
        dims = ("x", "y")[: self.plan.dimension]
        names = ("minimum", "steps", "outcome")
        return xr.Dataset(
            {name: (dims, ended[name].reshape(shape[::-1])) for name in names}
            | {"minima": (("known_minimum", "dim"), self.plan.minima[0])},
            coords=self._ticks(shape),
            attrs={"setting": self.text},
        ).transpose(*dims[::-1], ...)

    def landscape(self) -> xr.Dataset:
        """The loss over the box."""
        count = (CONTOUR_POINTS,) * self.plan.dimension
        ticks = self._ticks(count)
        points = np.stack(np.meshgrid(*ticks.values(), indexing="ij"), axis=-1)
        loss = self.plan.losses(points.reshape(-1, self.plan.dimension)).reshape(count)
        dims = tuple(ticks)
        return xr.Dataset(
            {"loss": (dims, loss), "minima": (("known_minimum", "dim"), self.plan.minima[0])},
            coords=ticks,
        ).transpose(*dims[::-1], ...)

    def _stored(self, chosen: np.ndarray) -> np.ndarray:
        """The final losses from these starts: the sweep's or, where it kept none, run again."""
        if "final_loss" not in self.data:
            return self.engine.lanes(self._ids(chosen))["final_loss"]
        stored = self.data.final_loss.isel(self.index)
        return (stored.isel(seed=0) if "seed" in stored.dims else stored).values[chosen]

    def _ids(self, chosen: np.ndarray) -> np.ndarray:
        """The lanes of the best setting from these starts."""
        ids = np.zeros((len(chosen), 3), np.int32)
        ids[:, 0], ids[:, 2] = self.setting, chosen
        return ids

    def _some(self, most: int) -> np.ndarray:
        """At most so many starts, spread over all of them, their ends left out where possible."""
        count = self.plan.starts.count
        middles = (np.arange(min(most, count)) + 0.5) * count // min(most, count)
        return np.unique(middles.astype(int))

    def _steps(self) -> np.ndarray:
        """The steps that are looked at: all, or some of them, evenly."""
        steps = self.plan.run.steps
        return np.unique(np.linspace(0, steps, min(steps + 1, CURVE_STEPS)).astype(int))

    def _ticks(self, shape: Sequence[int]) -> dict[str, np.ndarray]:
        """The coordinates of an image with so many (rows and) columns."""
        sides = zip(("x", "y"), *self.box, tuple(shape)[::-1], strict=False)
        return {name: np.linspace(low, high, count) for name, low, high, count in sides}

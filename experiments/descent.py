"""Which optimizer, which step size, how sure? Descents of one loss from many starts, compared."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import numpy as np
import xarray as xr
from pydantic import Field

from lab import compare, config, plots, proofs, starts
from lab.api import make_plan
from lab.check import Check
from lab.engine import Engine
from lab.experiment import Session
from lab.plan import Plan, Run
from lab.results import labels
from lab.table import Column, Table

BAND_LANES = 1024
"""The most lanes that a curve's quantiles are of."""

CURVE_STEPS = 501
"""The most steps at which a curve or path is looked at."""

CONTOUR_POINTS = 201


class FiguresSection(config.Section):
    """What is drawn beyond the sweep itself."""

    paths: Annotated[int, Field(ge=1, le=12)] = Field(3, description="Paths per optimizer.")
    paths_from: tuple[tuple[float, ...], ...] = Field(
        (), description="Starts of the paths; absent: some of the sweep's own."
    )
    basin_shape: tuple[config.Count, config.Count] = Field(
        (256, 256), description="Rows and columns of the basin images of a two-dimensional loss."
    )


class Config(config.ExperimentConfig):
    """A loss, starts, and the optimizers that meet on them."""

    loss: config.LossField
    starts: config.StartsField
    run: config.RunSection = config.RunSection()
    optimizers: config.OptimizersField
    figures: FiguresSection = FiguresSection()

    def run_settings(self) -> Run:
        """The engine's settings."""
        return Run(**self.run.model_dump(), seed=self.seed, precision=self.precision)


def plans(config: Config) -> dict[str, Plan]:
    """One sweep for each optimizer."""
    run = config.run_settings()
    return {
        label: make_plan(config.loss, optimizer, config.starts, run)
        for label, optimizer in config.optimizers.items()
    }


def compute(config: Config, session: Session) -> None:
    """Sweep every optimizer; then look closer at the best setting of each."""
    for label, plan in plans(config).items():
        engine = session.sweep(label, plan)
        closer = Closer(config, engine, session.data()[label].to_dataset())
        session.save(f"_curves/{label}", closer.curve())
        session.save(f"_paths/{label}", closer.paths())
        if closer.flat:
            session.save(f"_basins/{label}", closer.basins())
    if closer.flat:
        session.save("_landscape", closer.landscape())


class Closer:
    """A closer look at one optimizer, at the setting that did best.

    Where the loss's own parameters are swept too, all optimizers are looked at with the first
    values of these, so that their pictures show one and the same loss.
    """

    def __init__(self, config: Config, engine: Engine, data: xr.Dataset):
        self.config, self.engine, self.data = config, engine, data
        self.plan = engine.plan
        first = {self.plan.loss_axis(name): 0 for name in config.loss.swept}
        chosen = compare.best(compare.summarize(data.isel(first)))
        self.index = {**first, **chosen.index}
        self.text = setting_text(data.isel(self.index))
        self.setting = self.plan.setting(self.index)
        self.flat = self.plan.dimension <= 2 and bool(np.all(np.isfinite(self.box)))

    @property
    def minima(self) -> np.ndarray:
        """The known minima of the loss that is looked at."""
        return self.plan.minima[0]

    @property
    def box(self) -> np.ndarray:
        """The corners, low and high, of what is drawn: the starts' own box; NaN if it has none."""
        low, high = self.config.starts.low, self.config.starts.high
        if low is None or high is None:
            return np.full((2, self.plan.dimension), np.nan)
        wide = np.where(high > low, 0.0, 0.5)
        return np.stack([low - wide, high + wide])

    def ids(self, chosen: np.ndarray) -> np.ndarray:
        """The lanes of the best setting from these starts."""
        ids = np.zeros((len(chosen), 3), np.int32)
        ids[:, 0], ids[:, 2] = self.setting, chosen
        return ids

    def some(self, most: int) -> np.ndarray:
        """At most so many starts, spread over all of them, their ends left out where possible."""
        count = self.config.starts.count
        middles = (np.arange(min(most, count)) + 0.5) * count // min(most, count)
        return np.unique(middles.astype(int))

    def steps(self) -> np.ndarray:
        """The steps that are looked at: all, or some of them, evenly."""
        steps = self.plan.run.steps
        return np.unique(np.linspace(0, steps, min(steps + 1, CURVE_STEPS)).astype(int))

    def curve(self) -> xr.Dataset:
        """Quantiles of the excess loss at each step; and how many replays end unlike the sweep."""
        chosen = self.some(min(BAND_LANES, self.engine.capacity))
        at = self.steps()
        losses = self.engine.replay(self.ids(chosen), at).loss.astype(np.float64)
        losses = np.where(np.isfinite(losses), losses, np.inf)
        reached = np.where(losses > self.plan.run.diverged_above, np.inf, losses)
        stored = self.data.final_loss.isel(self.index)
        stored = (stored.isel(seed=0) if "seed" in stored.dims else stored).values[chosen]
        excess = xr.DataArray(
            reached - self.plan.minimum[0], dims=("lane", "step"), coords={"step": at}
        )
        return xr.Dataset(
            {
                "loss_quantile": compare.quantiles(excess, ["lane"]).assign_coords(step=at),
                "replays": len(chosen),
                "replays_that_differ": int(np.sum(losses[:, -1] != stored)),
            },
            attrs={"setting": self.text, "targets": list(self.plan.run.targets)},
        )

    def paths(self) -> xr.Dataset:
        """Whole paths from the starts that the config names, or from some of the sweep's own."""
        wanted = self.config.figures
        if wanted.paths_from:
            engine = self.engine.elsewhere(starts.points(wanted.paths_from))
            chosen = np.arange(len(wanted.paths_from))
        else:
            engine, chosen = self.engine, self.some(wanted.paths)
        ids, at = self.ids(chosen), self.steps()
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

    def basins(self) -> xr.Dataset:
        """The known minimum reached from each point of a grid over the box of the starts."""
        shape = self.config.figures.basin_shape[-self.plan.dimension :]
        low, high = self.box
        grid = starts.grid(low.tolist(), high.tolist(), shape[::-1])
        engine = self.engine.elsewhere(grid)
        ended = engine.lanes(self.ids(np.arange(grid.count)))
        dims = ("x", "y")[: self.plan.dimension]
        pixels = {
            name: (dims, ended[name].reshape(shape[::-1]))
            for name in ("minimum", "steps", "outcome")
        }
        return xr.Dataset(
            {**pixels, "minima": (("known_minimum", "dim"), self.minima)},
            coords=self._ticks(shape),
            attrs={"setting": self.text},
        ).transpose(*dims[::-1], ...)

    def landscape(self) -> xr.Dataset:
        """The loss over the box of the starts."""
        count = (CONTOUR_POINTS,) * self.plan.dimension
        ticks = self._ticks(count)
        points = np.stack(np.meshgrid(*ticks.values(), indexing="ij"), axis=-1)
        dims = tuple(ticks)
        loss = self.plan.losses(points.reshape(-1, self.plan.dimension))
        return xr.Dataset(
            {
                "loss": (dims, loss.reshape(count)),
                "minima": (("known_minimum", "dim"), self.minima),
            },
            coords=ticks,
        ).transpose(*dims[::-1], ...)

    def _ticks(self, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """The coordinates of an image with so many (rows and) columns."""
        sides = zip(("x", "y"), *self.box, shape[::-1], strict=False)
        return {name: np.linspace(low, high, count) for name, low, high, count in sides}


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """What every comparison of descents must show, whatever the loss and the optimizers."""
    contenders = {label: data[label].to_dataset() for label in labels(data)}
    curves = [data[f"_curves/{label}"] for label in contenders]
    replays = sum(int(curve.replays) for curve in curves)
    differ = sum(int(curve.replays_that_differ) for curve in curves)
    return [
        *proofs.minima_by_newton(config.loss, contenders),
        *proofs.nothing_below(config.loss, contenders, config.precision),
        proofs.closed_form(config.precision),
        *proofs.stability(config.loss, config.optimizers, contenders),
        Check(
            f"lanes that end elsewhere when replayed, of {replays}",
            expected=0,
            measured=differ,
            tolerance=0,
            source="a run is a pure function of its config",
        ),
    ]


def summary(data: xr.DataTree) -> Table:
    """One row a contender, at its best setting."""
    rows = []
    for label in labels(data):
        summary = compare.summarize(data[label].to_dataset())
        best = compare.best(summary)
        rows.append(
            {"label": label, "setting": setting_text(best.summary), **numbers(summary, best)}
        )
    return Table(COLUMNS, tuple(rows))


COLUMNS = (
    Column("label", "optimizer", "the label in the config", ""),
    Column(
        "setting",
        "best setting",
        "the fastest of those with which most starts reached the tightest target",
        "",
    ),
    Column(
        "reached", "reached", "starts that reached the tightest target; 95 % Wilson interval", ""
    ),
    Column("hit_step", "steps", "median step at which these reached it", ".0f"),
    Column(
        "ert", "ERT", "expected steps to reach it with restarts: all steps spent by hits", ".4g"
    ),
    Column("median", "median loss", "median final loss above the known minimum", ".2e"),
    Column(
        "good_decades", "good over", "decades of learning rate with 0.9 of the best share", ".2f"
    ),
    Column("failed", "failed", "runs at all settings that diverged or left the domain", "%"),
)


def numbers(summary: xr.Dataset, best: compare.Best) -> dict[str, Any]:
    """The numbers of one contender's row."""
    at = best.summary
    quartiles = [float(at.final_loss_quantile.sel(quantile=q)) for q in (0.25, 0.5, 0.75)]
    failed = summary.outcome_share.sel(outcome=["diverged", "left_domain"]).sum("outcome").mean()
    row = {
        **{name: float(at[name]) for name in best.index},
        "median": quartiles[1],
        "lower_quartile": quartiles[0],
        "upper_quartile": quartiles[2],
        "spread": f"{quartiles[0]:.1e} – {quartiles[2]:.1e}",
        "failed": float(failed),
        "lanes": int(at.lanes),
    }
    if not at.sizes.get("target"):
        return row
    tightest = at.isel(target=int(np.argmin(at.target.values)))
    share, low, high = (float(tightest[f"hit_share{end}"]) for end in ("", "_low", "_high"))
    axis = "learning_rate" if "learning_rate" in best.index else next(iter(best.index), None)
    return row | {
        "target": float(tightest.target),
        "share": share,
        "share_low": low,
        "share_high": high,
        "reached": f"{100 * share:.1f} % ({100 * low:.1f}–{100 * high:.1f})",
        "hit_step": float(tightest.hit_step_quantile.sel(quantile=0.5)),
        "ert": float(tightest.ert),
        "good_decades": compare.good_decades(summary, axis) if axis else float("nan"),
    }


def verdict(data: xr.DataTree) -> str:
    """The answer in a sentence or two: which optimizer, which setting, how sure."""
    rows = [row for row in summary(data).rows if row.get("share")]
    if not rows:
        return "No optimizer reached the tightest target at any setting."
    first, *others = sorted(rows, key=lambda row: (-row["share"], row["ert"]))
    said = (
        f"{first['label']} at {first['setting'] or 'its only setting'} reached within "
        f"{first['target']:g} of the lowest known loss from the most starts: {first['reached']}, "
        f"95 % interval, median {first['hit_step']:.0f} steps."
    )
    level = [row["label"] for row in others if row["share_high"] >= first["share_low"]]
    if level:
        return f"{said} By share it cannot be told apart from {', '.join(level)}."
    if others:
        return f"{said} The intervals of all others lie below."
    return said


def outcomes(data: xr.DataTree) -> Table:
    """Shares of the outcomes at all settings, one row a contender."""
    names = [outcome.label for outcome in compare.OUTCOMES]
    rows = []
    for label in labels(data):
        share = compare.summarize(data[label].to_dataset()).outcome_share
        mean = share.mean([dim for dim in share.dims if dim != "outcome"])
        rows.append({"label": label, **dict(zip(names, map(float, mean.values), strict=True))})
    columns = [Column(name, name.replace("_", " "), "share of all runs", "%") for name in names]
    return Table((COLUMNS[0], *columns), tuple(rows))


def setting_text(at: xr.Dataset) -> str:
    """`learning_rate 0.01, momentum 0.9` of a dataset at one setting."""
    scalars = [name for name in at.coords if at[name].dims == () and name != "minimum_loss"]
    return ", ".join(f"{name} {float(at[name]):.3g}" for name in scalars)


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Every figure that the results have the numbers for."""
    contenders = {label: data[label].to_dataset() for label in labels(data)}
    summaries = {label: compare.summarize(one) for label, one in contenders.items()}
    closer = {
        kind: {label: data[f"_{kind}/{label}"].to_dataset() for label in contenders}
        for kind in ("curves", "paths", "basins")
        if f"_{kind}" in data.children
    }
    curves = closer["curves"]
    targets = next(iter(curves.values())).attrs["targets"]
    made: dict[str, Callable[[], plots.Figure]] = {"curves": partial(plots.curves, curves, targets=targets)}
    axis = common_axis(summaries)
    made["outcomes"] = partial(plots.outcomes, summaries, axis)
    if axis is not None:
        made = {"sensitivity": partial(plots.sensitivity, summaries, axis), **made}
    if "basins" in closer:
        landscape = data["_landscape"].to_dataset()
        made["paths"] = partial(plots.paths, landscape, closer["paths"])
        made["basins"] = partial(plots.basins, closer["basins"])
    return made


def common_axis(summaries: dict[str, xr.Dataset]) -> str | None:
    """The swept key to draw along: the learning rate, or else the first that is swept at all."""
    swept = [dim for summary in summaries.values() for dim in summary.lanes.dims]
    return "learning_rate" if "learning_rate" in swept else next(iter(swept), None)

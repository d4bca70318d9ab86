"""Which minimum does each start reach, and at which rates does a minimum lose its basin?"""

from collections.abc import Callable
from typing import Self

import jax
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, optimizers, plots, proofs, starts, theory
from lab.api import make_plan
from lab.basins import image, reached, shares
from lab.check import Check
from lab.descent import Outcome
from lab.engine import Engine
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plan import Plan, Run
from lab.plots.basins_by_rate import basins_by_rate
from lab.plots.text import listed, number, percent, position
from lab.record import Last
from lab.starts import Starts
from lab.table import Column, Table

NEAR = 1e-3
"""How far from a minimum, in each coordinate, the start is that tells its limit."""

LIMIT_STEPS = 5000
SPREAD = 0.02
"""Rates about a limit: relative distance of the outermost."""

PATH_STEPS = 60


class Config(config.ExperimentConfig):
    """A loss of two variables with known minima, a grid of starts, and rates."""

    loss: config.LossField
    starts: config.StartsField
    run: config.RunSection = config.RunSection()
    learning_rate: config.Positive = Field(description="The rate of the map.")
    rates: config.SweepField = Field(description="The rates of the frames, increasing.")
    frame_points: config.Side = Field(160, description="Points of a frame's map, each way.")
    sample: config.Count = Field(1 << 18, description="Random starts that check the shares.")
    near: config.Side = Field(81, description="Rates about each limit.")
    paths_from: tuple[tuple[config.Finite, config.Finite], ...] = Field(
        min_length=1, max_length=6, description="Starts of the paths."
    )

    @model_validator(mode="after")
    def _square_with_minima(self) -> Self:
        faults = []
        if len(self.loss.minima()) == 0 or self.loss.dimension != 2 or self.loss.swept:
            told = "must be one loss of two variables whose minima are known"
            faults.append(Fault(("loss",), told))
        if self.starts.kind != "grid" or self.starts.dimension != 2:
            faults.append(Fault(("starts",), "must be a grid over two coordinates"))
        if not 2 <= len(self.rates) <= 100 or np.any(np.diff(self.rates) <= 0):
            faults.append(Fault(("rates",), "must be 2 to 100 increasing rates, one a frame"))
        elif self.rates[0] <= 0:
            faults.append(Fault(("rates",), "must be above 0"))
        if faults:
            raise SpecError(faults)
        return self

    def plan(self, rates: np.ndarray | float, begin: Starts, **changed: object) -> Plan:
        """Gradient descent at these rates from these starts; only how lanes end is kept."""
        given = self.run.model_dump() | {"seed": self.seed, "precision": self.precision}
        descent = optimizers.optimizer("sgd", learning_rate=rates)
        return make_plan(self.loss, descent, begin, Run(**(given | {"record": ()} | changed)))

    def box(self) -> tuple[list[float], list[float]]:
        """The corners of the grid."""
        low, high = self.starts.low, self.starts.high
        assert low is not None and high is not None
        return low.tolist(), high.tolist()


def plans(config: Config) -> dict[str, Plan]:
    """The map; coarser ones at many rates; and starts beside each minimum, about its limit."""
    coarse = starts.grid(*config.box(), [config.frame_points] * 2)
    limits = [theory.stability_limit(curvature) for curvature in _curvatures(config)]
    close = np.sort(np.outer(limits, np.linspace(1 - SPREAD, 1 + SPREAD, config.near)).ravel())
    local = {"steps": LIMIT_STEPS, "precision": "float64", "record": (Last(),)}
    return {
        "map": config.plan(config.learning_rate, config.starts),
        "rates": config.plan(config.rates, coarse),
        "limits": config.plan(close, starts.points(config.loss.minima() + NEAR), **local),
    }


def _curvatures(config: Config) -> np.ndarray:
    """The largest eigenvalue of the Hessian at each minimum."""
    with jax.enable_x64(True):
        minima = np.asarray(config.loss.minima(), np.float64)
        hessians = jax.vmap(jax.hessian(config.loss))(minima)
        return np.linalg.eigvalsh(np.asarray(hessians))[:, -1]


def compute(config: Config, session: Session) -> None:
    """The sweeps; random starts and paths in the map's program; and Newton's minima."""
    made = plans(config)
    engines = {label: session.sweep(label, plan) for label, plan in made.items()}
    drawn = starts.uniform(*config.box(), config.sample)
    ended = engines["map"].elsewhere(drawn).lanes(_ids(config.sample))
    session.save("_sample", xr.Dataset({"minimum": ("lane", ended["minimum"])}))
    session.save("_paths", _paths(config, engines["map"]))
    known, settle = config.loss.minima(), proofs.newton(config.loss)
    newton = np.array([settle(near) for near in known + NEAR])
    found = xr.Dataset(
        {
            "point": (("known_minimum", "dim"), newton),
            "listed": (("known_minimum", "dim"), known),
            "loss": ("known_minimum", made["map"].losses(newton)),
            "curvature": ("known_minimum", _curvatures(config)),
        }
    )
    about = {"rate": config.learning_rate, "shape": [*config.starts.shape], "box": config.box()}
    session.save("_minima", found.assign_attrs(about))


def _ids(count: int) -> np.ndarray:
    """The lanes of the only setting, from so many starts."""
    ids = np.zeros((count, 3), np.int32)
    ids[:, 2] = np.arange(count)
    return ids


def _paths(config: Config, engine: Engine) -> xr.Dataset:
    """The first steps from the chosen starts, and how the same lanes end."""
    elsewhere, ids = (
        engine.elsewhere(starts.points(config.paths_from)),
        _ids(len(config.paths_from)),
    )
    walked = elsewhere.replay(ids, range(min(PATH_STEPS, config.run.steps) + 1))
    point = walked.point.astype(np.float64)
    ended = {name: ("lane", elsewhere.lanes(ids)[name]) for name in ("outcome", "minimum")}
    return xr.Dataset({"point": (("lane", "step", "dim"), point)} | ended)


def shown(data: xr.DataTree, label: str = "map", index: int = 0) -> xr.DataArray:
    """The minimum reached from each point (y, x); one past the last where none was."""
    about, lanes = data["_minima"].attrs, data[label].to_dataset()
    found = reached(lanes.isel(learning_rate=index) if "learning_rate" in lanes.dims else lanes)
    side = round(found.size**0.5)
    shape = about["shape"] if label == "map" else (side, side)
    low, high = about["box"]
    return image(found, len(_limits(data)), low, high, shape)


def by_rate(data: xr.DataTree) -> np.ndarray:
    """The share of the coarse starts that settle in each minimum: (rate, minimum)."""
    came = reached(data["rates"].to_dataset()).values
    return np.stack([(came == i).mean(-1) for i in range(len(_limits(data)))], 1)


def _limits(data: xr.DataTree) -> np.ndarray:
    curvatures = data["_minima"].curvature.values
    return np.array([theory.stability_limit(float(curvature)) for curvature in curvatures])


def measured_limits(data: xr.DataTree) -> np.ndarray:
    """The largest rate at which a start beside each minimum came nearer to it."""
    lanes, listed = data["limits"].to_dataset(), data["_minima"].listed.values
    away = np.linalg.norm(lanes.final_point.values - listed, axis=-1)  # (rate, minimum)
    nearer = away < NEAR  # it began sqrt(2) times as far
    return np.array([lanes.learning_rate.values[came].max(initial=0) for came in nearer.T])


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Minima by Newton; shares against a sample; limits against 2 / lambda; paths replayed."""
    minima = data["_minima"].to_dataset()
    listed_in = f"catalogue of losses: {config.loss.source}"
    made = []
    for i, point in enumerate(minima.listed.values):
        off = float(np.linalg.norm(minima.point.values[i] - point))
        made.append(Check(f"Newton ends at the minimum {position(point)}", 0, off, 1e-9, listed_in))
    lost = int(((data["map"].outcome == Outcome.CONVERGED) & (data["map"].minimum < 0)).sum())
    made.append(Check("starts that converge to no listed minimum", 0, lost, 0, listed_in))
    return [*made, *_share_checks(config, data), *_limit_checks(config, data), _path_check(data)]


def _share_checks(config: Config, data: xr.DataTree) -> list[Check]:
    count = len(_limits(data))
    found = shares(shown(data).values, count)
    drawn = data["_sample"].minimum.values
    made = []
    for i, point in enumerate(data["_minima"].listed.values):
        share = float(np.mean(drawn == i))
        error = 4 * np.sqrt(share * (1 - share) / drawn.size) + (found.high - found.low)[i] / 2
        name = f"share of the square that reaches {position(point)}"
        source = f"{drawn.size} independent random starts, within 4 standard errors"
        made.append(Check(name, share, float(found.estimate[i]), float(error), source))
    return made


def _limit_checks(config: Config, data: xr.DataTree) -> list[Check]:
    minima, limits = data["_minima"].listed.values, _limits(data)
    rates, share = data["rates"].learning_rate.values, by_rate(data)
    spacing = 2 * SPREAD / (config.near - 1)
    source = "2 / lambda_max: linear stability of the fixed point"
    made = []
    for i, largest in enumerate(measured_limits(data)):
        at = position(minima[i])
        name = f"largest rate at which starts beside it come nearer to {at}"
        expected = float(limits[i])
        made.append(Check(name, expected, float(largest), 1.01 * spacing * expected, source))
        beyond = float(share[rates > (1 + SPREAD) * limits[i], i].max(initial=0))
        name = f"share of the square that converges to {at} at rates {SPREAD:.0%} above its limit"
        made.append(Check(name, 0, beyond, 1e-4, source, at_most=True))
    return made


def _path_check(data: xr.DataTree) -> Check:
    """The drawn paths end in the basin that the map, another set of lanes, has at their start."""
    walked, found = data["_paths"], shown(data)
    came, differ = reached(walked.to_dataset()).values, 0
    for lane in range(walked.sizes["lane"]):
        x, y = walked.point.values[lane, 0]
        ends = int(came[lane]) if came[lane] >= 0 else len(_limits(data))
        differ += int(found.sel(x=x, y=y, method="nearest")) != ends
    name = f"paths that end elsewhere than the map says at their start, of {walked.sizes['lane']}"
    return Check(name, 0, differ, 0, "a start decides where it ends")


def summary(data: xr.DataTree) -> Table:
    """One row a minimum."""
    columns = (
        Column("minimum", "minimum", "where it is", ""),
        Column("loss", "loss", "its value", ".6g"),
        Column("share", "basin", "share of the square, at the map's rate", "%"),
        Column("unsure", "±", "half of what the cells on its boundary take", ".2e"),
        Column("limit", "2/λ", "its stability limit", ".5g"),
        Column("measured", "largest rate", "the largest that still converged to it", ".5g"),
    )
    minima, found = data["_minima"], shares(shown(data).values, len(_limits(data)))
    measured = measured_limits(data)
    rows = [
        {
            "minimum": position(point),
            "loss": float(minima.loss[i]),
            "share": float(found.estimate[i]),
            "unsure": float(found.high[i] - found.low[i]) / 2,
            "limit": float(_limits(data)[i]),
            "measured": float(measured[i]),
        }
        for i, point in enumerate(minima.listed.values)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Whose basin is how large, and when it is lost."""
    rows, rate = summary(data).rows, data["_minima"].attrs["rate"]
    said = [f"{percent(row['share'])} of the starts reach {row['minimum']}" for row in rows]
    lost = [f"{number(row['measured'], 4)}" for row in rows]
    return f"At rate {rate:g}, {listed(said)}; they can be reached up to rates {listed(lost)}."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The map with its paths, beside the shares over the rate; moving: the map at every rate."""
    minima, walked = data["_minima"], data["_paths"].point.values
    rates, share = data["rates"].learning_rate.values, by_rate(data)
    return {
        "basins_three_wells": lambda: basins_by_rate(
            xr.Dataset({"share": (("rate", "minimum"), share)}, {"rate": rates}),
            float(minima.attrs["rate"]),
            shown(data),
            lambda index: shown(data, "rates", index),
            summary(data).rows,
            minima.listed.values,
            walked,
        )
    }

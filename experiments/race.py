"""Do optimizers agree on which minimum a start leads to?"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots, proofs, starts
from lab.api import make_plan
from lab.basins import differing, image, reached
from lab.check import Check
from lab.engine import Engine
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plan import Plan, Run
from lab.plots.basin_panel import LETTERS, basin_panel, shares_note
from lab.plots.text import listed, percent, position
from lab.table import Column, Table

NEAR = 1e-2
POINTS = 121
PATH_STEPS = 300


class Config(config.ExperimentConfig):
    """A loss of two variables with known minima, a grid of starts, and the optimizers."""

    loss: config.LossField
    starts: config.StartsField
    run: config.MovingSection = config.MovingSection()
    optimizers: config.OptimizersField
    path_from: tuple[config.Finite, config.Finite] = Field(description="Start of the paths.")
    mirror: bool = Field(False, description="Whether the loss is the same at (x, y) and (x, -y).")

    @model_validator(mode="after")
    def _square_with_minima(self) -> Self:
        faults = []
        if len(self.loss.minima()) == 0 or self.loss.dimension != 2 or self.loss.swept:
            told = "must be one loss of two variables whose minima are known"
            faults.append(Fault(("loss",), told))
        if self.starts.kind != "grid" or self.starts.dimension != 2 or min(self.starts.shape) < 2:
            faults.append(Fault(("starts",), "must be a grid over two coordinates"))
        faults += [
            Fault(("optimizers", label), "must have one setting, not a sweep")
            for label, optimizer in self.optimizers.items()
            if optimizer.swept
        ]
        if faults:
            raise SpecError(faults)
        return self


def plans(config: Config) -> dict[str, Plan]:
    """One sweep for each optimizer; only how lanes end is kept."""
    given = config.run.model_dump() | {"seed": config.seed, "precision": config.precision}
    run = Run(**given, record=())
    return {
        label: make_plan(config.loss, optimizer, config.starts, run)
        for label, optimizer in config.optimizers.items()
    }


def compute(config: Config, session: Session) -> None:
    """The sweeps, a path of each optimizer, the minima by Newton, and the loss to draw."""
    made = plans(config)
    for label, plan in made.items():
        session.save(f"_paths/{label}", _path(config, session.sweep(label, plan)))
    low, high = config.starts.low, config.starts.high
    assert low is not None and high is not None
    known, settle = config.loss.minima(), proofs.newton(config.loss)
    x, y = (np.linspace(low[i], high[i], POINTS) for i in (0, 1))
    points = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    found = xr.Dataset(
        {
            "point": (("known_minimum", "dim"), [settle(near) for near in known + NEAR]),
            "listed": (("known_minimum", "dim"), known),
            "loss": (("y", "x"), next(iter(made.values())).losses(points).reshape(POINTS, POINTS)),
        },
        {"x": x, "y": y},
        {
            "box": [low.tolist(), high.tolist()],
            "shape": [*config.starts.shape],
            "labels": list(made),
        },
    )
    session.save("_minima", found)


def _path(config: Config, engine: Engine) -> xr.Dataset:
    """The first steps from the chosen start, and the minimum that it reaches."""
    elsewhere, ids = engine.elsewhere(starts.points([config.path_from])), np.zeros((1, 3), np.int32)
    walked = elsewhere.replay(ids, range(min(PATH_STEPS, config.run.steps) + 1))
    return xr.Dataset(
        {
            "point": (("step", "dim"), walked.point[0].astype(np.float64)),
            "minimum": int(elsewhere.lanes(ids)["minimum"][0]),
        }
    )


def maps(data: xr.DataTree) -> dict[str, xr.DataArray]:
    """Where each optimizer's starts end: (y, x), one past the last minimum for none."""
    about = data["_minima"].attrs
    none = data["_minima"].sizes["known_minimum"]
    low, high = about["box"]
    return {
        label: image(reached(data[label].to_dataset(), False), none, low, high, about["shape"])
        for label in about["labels"]
    }


def agreed(found: dict[str, xr.DataArray], none: int) -> xr.DataArray:
    """The minimum that all optimizers reach from a start; one past `none` where they differ."""
    first, *others = found.values()
    same = np.all([(first == other).values for other in others], 0)
    return first.where(same, none + 1).astype(int)


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Newton's minima; mirror images; and that the drawn paths end as the maps say."""
    minima, found = data["_minima"].to_dataset(), maps(data)
    made = []
    for i, point in enumerate(minima.listed.values):
        off = float(np.linalg.norm(minima.point.values[i] - point))
        source = f"catalogue of losses: {config.loss.source}"
        made.append(Check(f"Newton ends at the minimum {position(point)}", 0, off, 1e-9, source))
    for label, one in found.items():
        if config.mirror:
            off = differing(one.values, 0)
            name = f"{label}: share of starts whose mirror image ends elsewhere"
            made.append(Check(name, 0, off, 2e-3, "f(x, y) = f(x, -y)", at_most=True))
    made.append(_path_check(config, data, found))
    return made


def _path_check(config: Config, data: xr.DataTree, found: dict[str, xr.DataArray]) -> Check:
    x, y = config.path_from
    said = {label: int(one.sel(x=x, y=y, method="nearest")) for label, one in found.items()}
    differ = sum(int(data[f"_paths/{label}"].minimum) != said[label] for label in found)
    name = f"paths that end elsewhere than the map says at their start, of {len(found)}"
    return Check(name, 0, differ, 0, "a start decides where it ends")


def summary(data: xr.DataTree) -> Table:
    """One row an optimizer."""
    minima, found = data["_minima"].listed.values, maps(data)
    columns = (
        Column("label", "optimizer", "its label", ""),
        *(
            Column(f"m{i}", f"{LETTERS[i]} {position(m)}", "share of starts", "%")
            for i, m in enumerate(minima)
        ),
        Column("none", "neither", "share that ends near no minimum", "%"),
    )
    rows = [
        {"label": label}
        | {f"m{i}": float((one == i).mean()) for i in range(len(minima))}
        | {"none": float((one == len(minima)).mean())}
        for label, one in found.items()
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How often they differ, and who is most often in the deepest."""
    found, none = maps(data), data["_minima"].sizes["known_minimum"]
    differ = float((agreed(found, none) > none).mean())
    said = [f"{row['label']} {percent(row['m0'])}" for row in summary(data).rows]
    return (
        f"From {percent(differ)} of the starts the optimizers differ; the first minimum gets "
        f"{listed(said)}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Every optimizer's map, the map of where they differ, and one path of each."""
    return {"optimizer_race": partial(race, data)}


def race(data: xr.DataTree) -> plots.Figure:
    """Maps, and paths over contours."""
    minima, found = data["_minima"].listed.values, maps(data)
    names = [f"ends in {LETTERS[i]} {position(m)}" for i, m in enumerate(minima)]
    names += ["ends in neither", "the optimizers differ"]
    letters = [*LETTERS[: len(minima)], "none", "differ"]
    panels = [
        basin_panel(one, minima, names, title=label, note=shares_note(one, letters))
        for label, one in found.items()
    ]
    both = agreed(found, len(minima))
    differ = percent(float((both > len(minima)).mean()))
    note = f"they differ: {differ}"
    panels.append(basin_panel(both, minima, names, title="where they agree", note=note))
    panels.append(_paths_panel(data, list(found)))
    across = -(-len(panels) // 2)
    panels = [replace(panel, x="") for panel in panels[:across]] + panels[across:]
    rows = summary(data).rows
    told = " ".join(
        f"{row['label']}: {percent(row['m0'])} in A, {percent(row['m1'])} in B."
        for row in rows
        if "m1" in row
    )
    return plots.chart(
        "The optimizer, too, decides where a start ends",
        panels,
        caption=f"One pixel is one start ({both.size} of them), its shade and hatching the minimum "
        "that it ends in. The last map shows where all optimizers agree. The last panel shows one "
        "run of each from the same start.",
        alt=f"Maps of {len(rows)} optimizers on a loss of {len(minima)} minima. {told} They "
        f"differ from {percent(float((both > len(minima)).mean()))} of the starts.",
        grid=(2, across),
        height=8.0,
        columns=("optimizer", *letters[: len(minima)], "neither"),
        rows=[tuple(row.values()) for row in rows],
    )


def _paths_panel(data: xr.DataTree, labels: list[str]) -> plots.Panel:
    field = data["_minima"].to_dataset()
    x, y = field.x.values, field.y.values
    marks: list[plots.Mark] = [plots.Contours(x=x, y=y, values=field.loss.values, width=0.8)]
    for place, label in enumerate(labels):
        at = data[f"_paths/{label}"].point.values
        every = max(1, len(at) // 12)
        marks.append(
            plots.Line(x=at[:, 0], y=at[:, 1], label=label, tone=place + 4, marked=every, width=2.0)
        )
    marks.append(plots.Points(x=at[0, 0], y=at[0, 1], tone="text", marker="o", hollow=True))
    ends = (float(x[0]), float(x[-1])), (float(y[0]), float(y[-1]))
    return plots.Panel(
        marks, title="one run of each", note="from the ring", x="x", y="y",
        xlim=ends[0], ylim=ends[1], equal=True,
    )  # fmt: skip

"""Which optimizer, which step size, how sure? Descents of one loss from many starts, compared."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Self

import xarray as xr
from pydantic import Field, model_validator

from lab import answers, compare, config, plots, proofs
from lab.api import make_plan
from lab.check import Check
from lab.closer import Closer
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plan import Plan, Run
from lab.results import labels
from lab.table import Table


class FiguresSection(config.Section):
    """What is drawn beyond the sweep itself."""

    paths: config.Count = Field(3, le=12, description="Paths per optimizer.")
    paths_from: tuple[tuple[config.Finite, ...], ...] = Field(
        (), description="Starts of the paths; absent: some of the sweep's own."
    )
    basin_shape: tuple[config.Side, config.Side] = Field(
        (256, 256), description="Rows and columns of the basin images of a two-dimensional loss."
    )


class Config(config.ExperimentConfig):
    """A loss, starts, and the optimizers that meet on them."""

    loss: config.LossField
    starts: config.StartsField
    run: config.RunSection = config.RunSection()
    optimizers: config.OptimizersField
    figures: FiguresSection = FiguresSection()

    @model_validator(mode="after")
    def _paths_from_points_of_the_loss(self) -> Self:
        for i, point in enumerate(self.figures.paths_from):
            if len(point) != self.starts.dimension:
                message = f"{len(point)} coordinates, but the starts have {self.starts.dimension}"
                raise SpecError([Fault(("figures", "paths_from", i), message)])
        return self

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
    wanted = config.figures
    for label, plan in plans(config).items():
        engine = session.sweep(label, plan)
        with session.times.spent("tables"):
            closer = Closer(engine, session.group(label))
        session.save(f"_curves/{label}", closer.curve())
        if plan.run.sharpness:
            session.save(f"_sharpness/{label}", closer.sharpness())
        if closer.drawable:
            session.save(f"_paths/{label}", closer.paths(wanted.paths, wanted.paths_from))
            if not session.group("_landscape"):  # the same for every optimizer
                session.save("_landscape", closer.landscape())
            if plan.minima.shape[1]:  # without a known minimum there is nothing to reach
                session.save(f"_basins/{label}", closer.basins(wanted.basin_shape))


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """What every comparison of descents must show, whatever the loss and the optimizers."""
    contenders = {label: data[label].to_dataset() for label in labels(data)}
    curves = [data[f"_curves/{label}"] for label in contenders]
    return [
        *proofs.minima_by_newton(config.loss, contenders),
        *proofs.nothing_below(config.loss, contenders, config.precision),
        proofs.closed_form(config.precision),
        *proofs.stability(config.loss, config.optimizers, contenders),
        proofs.replays(
            sum(int(curve.replays_that_differ) for curve in curves),
            sum(int(curve.replays) for curve in curves),
        ),
    ]


class Findings:
    """The results, and what is computed from all lanes, once."""

    def __init__(self, data: xr.DataTree):
        self.data = data

    @cached_property
    def contenders(self) -> dict[str, xr.Dataset]:
        """The summary of each contender."""
        return {
            label: compare.summarize(self.data[label].to_dataset()) for label in labels(self.data)
        }

    @cached_property
    def table(self) -> Table:
        """One row a contender, at its best setting."""
        return answers.summary(self.contenders)


findings = Findings


def summary(found: Findings) -> Table:
    """One row a contender, at its best setting."""
    return found.table


def outcomes(found: Findings) -> Table:
    """How the runs of each contender ended."""
    return answers.outcomes(found.contenders)


def verdict(found: Findings) -> str:
    """Which optimizer, which setting, how sure."""
    return answers.verdict(found.table)


def figures(found: Findings) -> dict[str, Callable[[], plots.Figure]]:
    """Every figure that the results have the numbers for."""
    data, contenders = found.data, found.contenders
    closer = {
        kind: {label: data[f"_{kind}/{label}"].to_dataset() for label in contenders}
        for kind in ("curves", "sharpness", "paths", "basins")
        if f"_{kind}" in data.children
    }
    styles = plots.styles(list(contenders))
    axis = compare.common_axis(contenders.values())
    targets = next(iter(closer["curves"].values())).attrs["targets"]
    made: dict[str, Callable[[], plots.Figure]] = {}
    if axis is not None:
        made["sensitivity"] = partial(plots.sensitivity, contenders, axis, styles=styles)
    made["curves"] = partial(plots.curves, closer["curves"], targets=targets, styles=styles)
    made["outcomes"] = partial(plots.outcomes, contenders, axis)
    if "sharpness" in closer:
        made["sharpness"] = partial(plots.sharpness, closer["sharpness"], styles=styles)
    if "paths" in closer:
        landscape = data["_landscape"].to_dataset()
        made["paths"] = partial(plots.paths, landscape, closer["paths"], styles=styles)
    if "basins" in closer:
        made["basins"] = partial(plots.basins, closer["basins"])
    return made

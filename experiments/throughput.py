"""How many lane-steps a second, against whom? The lab and its peers, timed in turns in one run."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.bench import answers, compilations, cost, footprint, race
from lab.bench.sections import MemorySection, PictureSection, TasksSection
from lab.check import Check
from lab.devices import local_devices
from lab.experiment import Session
from lab.peers import Task, fractal_loop, reference
from lab.table import Table


class Config(config.ExperimentConfig):
    """What is timed, and what is measured besides."""

    precision: Literal["float32", "float64"] = "float32"
    tasks: TasksSection | None = None
    fractal: PictureSection | None = None
    memory: MemorySection | None = None
    compilations: Annotated[tuple[config.Count, ...], Field(max_length=8)] = Field(
        (), description="Numbers of step sizes whose compilations are counted."
    )
    peak: bool = Field(False, description="Measure the arithmetic peak of the cores.")


def tasks(config: Config) -> Iterator[Task]:
    """The product of the lists of `[tasks]`."""
    wanted = config.tasks
    if wanted is None:
        return
    devices = local_devices()
    losses = [
        (loss.name, dimension, steps)
        for loss in wanted.losses
        for dimension in loss.dimensions
        for steps in loss.steps or wanted.steps
    ]
    cores = [n for n in wanted.cores or (len(devices),) if n <= len(devices)]
    lists = (losses, wanted.optimizers, wanted.recording, wanted.lanes, cores)
    for (loss, dimension, steps), optimizer, recording, lanes, core in itertools.product(*lists):
        yield Task(
            loss, dimension, optimizer.name, optimizer.learning_rate, lanes, steps, recording,
            config.precision, devices[0].platform, core, config.seed,
        )  # fmt: skip


def races(config: Config) -> Iterator[tuple[race.Race, int]]:
    """Every race and its rounds."""
    wanted, drawn = config.tasks, config.fractal
    for task in tasks(config):
        assert wanted is not None
        peers = {str(name): wanted.most_lanes.get(name, task.lanes) for name in wanted.peers}
        yield race.of_task(task, peers, wanted.backends), wanted.repeats
    for side in drawn.side if drawn else ():
        assert drawn is not None
        picture = fractal_loop.Picture(
            side, drawn.width, drawn.steps, config.precision, config.seed
        )
        backends = wanted.backends if wanted else ("auto",)
        yield race.of_picture(picture, backends), drawn.repeats


def compute(config: Config, session: Session) -> None:
    """Race after race, each kept when it is over; then what is measured besides."""
    for number, (one, rounds) in enumerate(races(config)):
        _once(session, f"_races/{number:04d}", partial(_timed, session, one, rounds, config.seed))
    if config.memory:
        _once(session, "_memory", partial(_memory, config.memory))
    if config.compilations:
        _once(session, "_compilations", partial(_compilations, config))
    if config.peak:
        _once(session, "_peak", partial(_peak, config))


def _once(session: Session, group: str, measure: Callable[[], xr.Dataset]) -> None:
    """Measure and save, unless an earlier, interrupted run has; the mark is written last."""
    mark, marks = group.replace("/", " "), session.data().children.get("_measured")
    if marks is None or mark not in marks.children:
        session.save(group, measure())
        session.save(f"_measured/{mark}", xr.Dataset())


def _timed(session: Session, one: race.Race, rounds: int, seed: int) -> xr.Dataset:
    label = f"{one.facts['label']}, {one.facts['optimizer']}"
    with session.reporter.task(label, rounds * sum(one.lane_steps.values())) as report:
        found = one.run(rounds, seed, lambda name: report(one.lane_steps[name]))
    ours = race.named(found).sel(contender=race.LAB)
    session.meter.compile += float(ours.compile_seconds)
    session.meter.run += float(ours.seconds.sum())
    session.meter.lane_steps += rounds * int(ours.lane_steps)
    return found


def _memory(wanted: MemorySection) -> xr.Dataset:
    peaks = [footprint.measured(lanes, wanted.steps) for lanes in wanted.lanes]
    about = {"long_name": "peak resident memory", "units": "B"}
    return xr.Dataset({"peak": ("lanes", peaks, about)}, {"lanes": list(wanted.lanes)})


def _compilations(config: Config) -> xr.Dataset:
    task = Task("rosenbrock", 2, "adam", 1e-3, 16, 10, precision=config.precision)
    counts = [compilations.counted(task, n, "auto") for n in config.compilations]
    about = {"long_name": "functions compiled"}
    coordinates = {"settings": list(config.compilations)}
    return xr.Dataset({"compilations": ("settings", counts, about)}, coordinates)


def _peak(config: Config) -> xr.Dataset:
    cores = sorted({task.cores for task in tasks(config)})
    known = {n: cost.peak_flops(config.precision, n) for n in cores}
    kept = {n: flops for n, flops in known.items() if flops is not None}
    about = {"long_name": "multiply-adds in registers", "units": "flop/s"}
    return xr.Dataset({"peak": ("cores", list(kept.values()), about)}, {"cores": list(kept)})


def raced(data: xr.DataTree) -> list[xr.Dataset]:
    """The races of a run, in order."""
    group = data.children.get("_races")
    names = sorted(group.children) if group else []
    return [race.named(data[f"_races/{name}"].to_dataset()) for name in names]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Ends agree, memory is constant, compilations are few; no check is of a speed."""
    found = [check for one in raced(data) for check in _agreement(one)]
    if config.memory:
        peak = data["_memory"].peak
        found.append(
            Check(
                f"peak memory of {int(peak.lanes[-1]):,} lanes over that of {int(peak.lanes[0]):,}",
                1, float(peak[-1] / peak[0]), 0.2, "blocks stream", at_most=True,
            )
        )  # fmt: skip
    if config.compilations:
        few, many = data["_compilations"].compilations.values[[0, -1]].tolist()
        name = f"compilations for {config.compilations[-1]} step sizes"
        found.append(Check(name, few, many, 0, f"as for {config.compilations[0]}"))
    return found


def _agreement(one: xr.Dataset) -> Iterator[Check]:
    source = "plain descent in float64 of the first lanes, the best 90 % of them"
    worst = one.error.isel(contender=int(np.argmax(one.error.values)))
    name = f"{answers.title(one)}: largest error, {worst.contender.item()}"
    yield Check(name, 0, float(worst), one.attrs["tolerance"], source, at_most=True)
    if one.attrs["recording"]:
        name = f"{answers.title(one)}: share of outcomes that differ"
        allowed = 1 - reference.AGREEING
        yield Check(name, 0, float(one.outcomes_differ.max()), allowed, source, at_most=True)


def summary(data: xr.DataTree) -> Table:
    """One row a task or, where only memory was measured, a number of lanes."""
    found = raced(data)
    only_memory = not found and "_memory" in data.children
    return answers.sizes(data["_memory"].peak) if only_memory else answers.summary(found)


def outcomes(data: xr.DataTree) -> Table:
    """One row a contender."""
    return answers.contenders(raced(data))


def verdict(data: xr.DataTree) -> str:
    """How many times as fast as whom."""
    return answers.verdict(raced(data))


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Every figure that the results have the numbers for."""
    found, made = raced(data), dict[str, Callable[[], plots.Figure]]()
    axes = answers.swept(found)
    if found and not axes:
        made["ratios"] = partial(plots.ratios, answers.ratio_quartiles(found))
    for axis in axes:
        made[f"by_{axis}"] = partial(plots.scaling, answers.lines(found, axis), axis)
    if "_peak" in data.children and (peak := data["_peak"].peak).size:
        flops = dict(zip(peak.cores.values.tolist(), peak.values.tolist(), strict=True))
        made["peak"] = partial(plots.shares, answers.shares_of_peak(found, flops))
    if "_memory" in data.children:
        made["memory"] = partial(plots.memory, data["_memory"].peak)
    return made

"""Timings in numbers: rates, ratios within rounds, the table, the verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from lab.bench.race import LAB, UNRECORDED, descriptions
from lab.bench.timing import QUARTILES, geometric_mean, quartiles
from lab.plots.text import number
from lab.progress import rate_text
from lab.table import Column, Table

AXES = ("lanes", "steps", "dimension", "cores")
"""Facts of a task that may be swept."""

ENDS = ("", "_low", "_high")


def rates(race: xr.Dataset) -> dict[str, tuple[float, float, float]]:
    """Lane-steps a second of each contender: lower quartile, median, upper quartile."""
    return {
        str(name): quartiles((race.lane_steps / race.seconds).sel(contender=name).values)
        for name in race.contender.values
    }


def ratios(race: xr.Dataset) -> dict[str, Float[np.ndarray, " round"]]:
    """Seconds a lane-step over the lab's, in each round: above 1 the lab is faster."""
    each = race.seconds / race.lane_steps
    return {
        str(name): (each.sel(contender=name) / each.sel(contender=LAB)).values
        for name in race.contender.values
        if name != LAB
    }


def swept(races: Sequence[xr.Dataset]) -> list[str]:
    """The axes along which otherwise equal tasks differ.

    Two dimensions of a loss are two tasks; only more make a scaling.
    """
    found = []
    for axis in AXES:
        values: dict[tuple[Any, ...], set[int]] = {}
        for race in races:
            values.setdefault(_but(race, axis), set()).add(int(race.attrs[axis]))
        if any(len(each) > (2 if axis == "dimension" else 1) for each in values.values()):
            found.append(axis)
    return found


def _but(race: xr.Dataset, axis: str) -> tuple[Any, ...]:
    """All that tells a task from others, apart from one axis."""
    names = ("loss", "optimizer", "recording", *AXES)
    return tuple(race.attrs[name] for name in names if name != axis)


def varying(races: Sequence[xr.Dataset]) -> list[str]:
    """Sizes that are not the same in all tasks; the loss's label holds the dimension."""
    return [
        axis for axis in AXES if axis != "dimension" and len({r.attrs[axis] for r in races}) > 1
    ]


def title(race: xr.Dataset) -> str:
    """`rosenbrock 2-D, adam, recorded`."""
    recorded = ", recorded" if race.attrs["recording"] else ""
    return f"{race.attrs['label']}, {race.attrs['optimizer']}{recorded}"


def summary(races: Sequence[xr.Dataset]) -> Table:
    """One row a task: the lab's rate, and how many times as long each peer takes."""
    axes = varying(races)
    peers = list(dict.fromkeys(name for race in races for name in ratios(race)))
    columns = [
        Column("label", "loss", "the loss and its dimension", ""),
        Column("optimizer", "optimizer", "optax's, with its usual settings", ""),
        Column("recorded", "recorded", "best, last, three hitting times, outcome; or nothing", ""),
        *(Column(axis, axis, f"{axis} of the task", ",d") for axis in axes),
        Column("rate", "lab, lane-steps/s", "of the lab, median over rounds", ""),
        *(Column(f"{name} text", name.replace("_", " "), _meaning(name), "") for name in peers),
    ]
    return Table(tuple(columns), tuple(row(race, axes) for race in races))


def _meaning(name: str) -> str:
    said = descriptions().get(name, "the lab otherwise")
    return f"times the lab's seconds a lane-step, median and quartiles over rounds: {said}"


def row(race: xr.Dataset, axes: Sequence[str]) -> dict[str, Any]:
    """The numbers of one task."""
    low, middle, high = rates(race)[LAB]
    numbers = {
        "label": race.attrs["label"],
        "optimizer": race.attrs["optimizer"],
        "recorded": "yes" if race.attrs["recording"] else "no",
        **{axis: int(race.attrs[axis]) for axis in axes},
        "rate": rate_text(middle).removesuffix(" lane-steps/s"),
        "lane_steps_per_second": middle,
        "lane_steps_per_second_low": low,
        "lane_steps_per_second_high": high,
    }
    for name, values in ratios(race).items():
        low, middle, high = quartiles(values)
        numbers[f"{name} text"] = f"{number(middle, 2)} ({number(low, 2)}–{number(high, 2)})"
        numbers |= dict(zip((f"{name}{e}" for e in ENDS), (middle, low, high), strict=True))
    return numbers


def contenders(races: Sequence[xr.Dataset]) -> Table:
    """One row a contender: tasks taken, seconds of compiling, the largest error, why it lacked."""
    names = dict.fromkeys(str(n) for race in races for n in race.contender.values)
    missing = {n: why for race in races for n, why in race.attrs["missing"].items()}
    columns = (
        Column("label", "contender", "who was timed", ""),
        Column("tasks", "tasks", "how many it took", "d"),
        Column("compile", "compile, s", "median over tasks of compiling and warming up", ".2f"),
        Column("error", "error", "largest over tasks, against float64 descent", ".1e"),
        Column("missing", "not everywhere", "why it did not take a task", ""),
    )
    rows = [_contender(name, races, missing.get(name, "")) for name in {**names, **missing}]
    return Table(columns, tuple(rows))


def _contender(name: str, races: Sequence[xr.Dataset], missing: str) -> dict[str, Any]:
    taken = [race.sel(contender=name) for race in races if name in race.contender.values]
    numbers = {"label": name, "tasks": len(taken), "missing": missing}
    if not taken:
        return numbers
    compiling = float(np.median([float(one.compile_seconds) for one in taken]))
    return {**numbers, "compile": compiling, "error": max(float(one.error) for one in taken)}


def sizes(peak: xr.DataArray) -> Table:
    """One row a number of lanes: the peak of memory."""
    columns = (
        Column("lanes", "lanes", "how many a process ran", ",d"),
        Column("megabytes", "peak memory, MB", "the most it held, libraries included", ".0f"),
    )
    pairs = zip(peak.lanes.values.tolist(), (peak.values / 1e6).tolist(), strict=True)
    return Table(columns, tuple({"lanes": n, "megabytes": size} for n, size in pairs))


def verdict(races: Sequence[xr.Dataset]) -> str:
    """How many times as fast the lab is as each peer, and what recording costs."""
    medians: dict[str, list[float]] = {}
    for race in races:
        for name, values in ratios(race).items():
            medians.setdefault(name, []).append(quartiles(values)[1])
    recording = medians.pop(UNRECORDED, [])
    said = [_against(name, values) for name, values in medians.items()]
    text = (
        f"The lab does, of lane-steps, {'; '.join(said)}."
        if said
        else "The lab was compared with nobody."
    )
    if recording:
        cost = geometric_mean(1 / np.array(recording))
        text += f" Recording everything takes {number(cost)} times as long as recording nothing."
    return text


def _against(name: str, values: Sequence[float]) -> str:
    mean, n = number(geometric_mean(np.array(values))), len(values)
    spread = f", {number(min(values))}–{number(max(values))} over {n} tasks" if n > 1 else ""
    return f"{mean} times as many as {name}{spread}"


def shares_of_peak(races: Sequence[xr.Dataset], peak: Mapping[int, float]) -> dict[str, float]:
    """The lab's share of the arithmetic peak, by task; only where both are known."""
    return {
        title(race): rates(race)[LAB][1] * race.attrs["flops"] / peak[int(race.attrs["cores"])]
        for race in races
        if int(race.attrs["cores"]) in peak and np.isfinite(race.attrs["flops"])
    }


def ratio_quartiles(races: Sequence[xr.Dataset]) -> xr.DataArray:
    """Quartiles of each ratio, [task, contender, quantile]; NaN where a peer did not take part."""
    found = [
        {n: quartiles(v) for n, v in ratios(race).items() if n != UNRECORDED} for race in races
    ]
    names = list(dict.fromkeys(name for each in found for name in each))
    missing = (np.nan,) * len(QUARTILES)
    values = np.array([[each.get(name, missing) for name in names] for each in found])
    coordinates = {
        "task": [title(race) for race in races],
        "contender": names,
        "quantile": list(QUARTILES),
    }
    shape = (len(found), len(names), len(QUARTILES))
    return xr.DataArray(values.reshape(shape), coordinates, tuple(coordinates))


def lines(races: Sequence[xr.Dataset], axis: str) -> dict[str, xr.DataArray]:
    """Lane-steps a second against one axis, [contender, axis, quantile], for each kind of task."""
    groups: dict[str, list[xr.Dataset]] = {}
    for race in races:
        groups.setdefault(_kind(race, axis, races), []).append(race)
    return {
        kind: xr.concat([_line(race, axis) for race in group], axis, join="outer")
        for kind, group in groups.items()
        if len(group) > 1
    }


def _kind(race: xr.Dataset, axis: str, races: Sequence[xr.Dataset]) -> str:
    """The task in words, without this axis, and with the others that are swept too."""
    loss = race.attrs["loss"].replace("_", " ") if axis == "dimension" else race.attrs["label"]
    recorded = ["recorded"] if race.attrs["recording"] else []
    others = [f"{race.attrs[a]:,} {a}" for a in varying(races) if a != axis]
    return ", ".join([loss, race.attrs["optimizer"], *recorded, *others])


def _line(race: xr.Dataset, axis: str) -> xr.DataArray:
    found = {name: each for name, each in rates(race).items() if name != UNRECORDED}
    return xr.DataArray(
        np.array(list(found.values())),
        {"contender": list(found), "quantile": list(QUARTILES), axis: race.attrs[axis]},
        ("contender", "quantile"),
    )

"""One task, several contenders: prepared, proven against float64, timed in turns, as a dataset."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from lab.bench.cost import flops_of
from lab.bench.timing import interleaved, on_cores, timed
from lab.errors import LabError
from lab.peers import PEERS, Contender, Ends, Task, fractal_loop, ours, peer, reference

LAB = "lab"
UNRECORDED = "lab, nothing recorded"
PROVEN = 64
"""Lanes whose ends are compared with float64 descent."""


@dataclass
class Race:
    """What will be timed.

    Attributes:
        facts: what is the same for all contenders; they become the dataset's attributes.
        prepare: contenders by name, each compiled by a call; the first is the lab.
        lane_steps: of one call of each.
        exact: the ends that all must agree with.
        ends: what of a contender's ends is compared.
        tolerance: the error that passes.
        missing: contenders that cannot take part, and why.
        cores: CPU cores that all are confined to; 0: none are.
    """

    facts: Mapping[str, Any]
    prepare: Mapping[str, Callable[[], Contender]]
    lane_steps: Mapping[str, int]
    exact: Callable[[], Ends]
    tolerance: float
    ends: Callable[[Ends], Ends] = lambda ends: ends
    missing: dict[str, str] = field(default_factory=dict)
    cores: int = 0

    def run(self, repeats: int, seed: int, done: Callable[[str], None]) -> xr.Dataset:
        """Prepare, prove and time them all."""
        with on_cores(self.cores):
            return self._run(repeats, seed, done)

    def _run(self, repeats: int, seed: int, done: Callable[[str], None]) -> xr.Dataset:
        exact, contenders = self.exact(), dict[str, Contender]()
        compiling, errors, differing = {}, {}, {}
        for name, prepare in self.prepare.items():
            contenders[name], compiling[name] = timed(prepare)
            ends = contenders[name]()
            errors[name] = reference.error(self.ends(ends), exact)
            differing[name] = _differing(ends, exact)
        seconds = interleaved(contenders, repeats, seed, done)
        names = list(contenders)
        per_name = {
            "compile_seconds": ([compiling[n] for n in names], "compiling and warming up", "s"),
            "lane_steps": ([self.lane_steps[n] for n in names], "lane-steps of one call", "1"),
            "error": ([errors[n] for n in names], "error against float64 descent", "1"),
            "outcomes_differ": ([differing[n] for n in names], "share of lanes that end", "1"),
        }
        variables: dict[str, Any] = {
            name: ("contender", np.array(values), {"long_name": said, "units": unit})
            for name, (values, said, unit) in per_name.items()
        }
        rounds = np.array([seconds[name] for name in names])
        about = {"long_name": "one whole run", "units": "s"}
        variables["seconds"] = (("contender", "round"), rounds, about)
        told = {"contenders": names, "tolerance": self.tolerance, "missing": self.missing}
        return xr.Dataset(variables, attrs={**self.facts, **told})


def named(race: xr.Dataset) -> xr.Dataset:
    """With its contenders as labels, which files hold as an attribute: zarr 3 has no strings."""
    return race.assign_coords(contender=race.attrs["contenders"])


def _differing(ends: Ends, exact: Ends) -> float:
    """The share of lanes with another outcome; 0 where none is kept."""
    if "outcome" not in ends or "outcome" not in exact:
        return 0.0
    return float(np.mean(np.asarray(ends["outcome"])[: len(exact["outcome"])] != exact["outcome"]))


def of_task(task: Task, peers: Mapping[str, int], backends: tuple[str, ...] = ("auto",)) -> Race:
    """The lab's backends, then the peers, each with the lanes that it is given.

    Args:
        task: what all compute.
        peers: their names, and the most lanes of each.
        backends: of the lab; the first is what the others are compared with. Where records are
            kept, the lab without them takes part too.

    Raises:
        LabError: when the first backend cannot take the task.
    """
    wanted: dict[str, tuple[Any, Task, tuple[str, ...]]] = {
        LAB if i == 0 else f"lab, {backend}": (ours, task, (backend,))
        for i, backend in enumerate(backends)
    }
    if task.recording:
        wanted[UNRECORDED] = (ours, replace(task, recording=False), backends[:1])
    for name, most in peers.items():
        wanted[name] = (peer(name), replace(task, lanes=min(task.lanes, most)), ())
    reasons = {name: one.reason_missing(t, *more) for name, (one, t, more) in wanted.items()}
    if (reason := reasons[LAB]) is not None:
        raise LabError(f"the lab ({backends[0]}) cannot take {task}: {reason}")
    taking = {name: each for name, each in wanted.items() if reasons[name] is None}
    facts = {
        **asdict(task),
        "label": f"{task.loss.replace('_', ' ')} {task.dimension}-D",
        "recording": int(task.recording),
        "flops": flops_of(task),
    }
    return Race(
        facts=facts,
        prepare={n: partial(one.prepare, t, *more) for n, (one, t, more) in taking.items()},
        lane_steps={name: t.lanes * t.steps for name, (_, t, _) in taking.items()},
        exact=partial(reference.descend, task, PROVEN),
        tolerance=reference.tolerance(task),
        missing={name: reason for name, reason in reasons.items() if reason is not None},
        cores=task.cores if task.platform == "cpu" else 0,
    )


def of_picture(picture: fractal_loop.Picture, backends: tuple[str, ...]) -> Race:
    """The lab against the notebook's way of drawing where training converges."""
    names = [LAB if i == 0 else f"lab, {backend}" for i, backend in enumerate(backends)]
    prepare: dict[str, Callable[[], Contender]] = {
        name: partial(fractal_loop.ours, picture, backend)
        for name, backend in zip(names, backends, strict=True)
    }
    prepare["fractal_loop"] = partial(fractal_loop.notebook, picture)
    exact = replace(picture, precision="float64")
    return Race(
        facts={
            **asdict(picture),
            "label": f"fractal network, width {picture.width}",
            "optimizer": "two rates",
            "loss": "fractal_network",
            "dimension": picture.weights,
            "recording": 1,
            "lanes": picture.lanes,
            "cores": 0,
            "flops": float("nan"),
        },
        prepare=prepare,
        lane_steps=dict.fromkeys(prepare, picture.lanes * picture.steps),
        exact=lambda: fractal_loop.losses_of(fractal_loop.notebook(exact)()),
        ends=fractal_loop.losses_of,
        tolerance=1e-2,
    )


def descriptions() -> dict[str, str]:
    """Contenders in words."""
    return {**PEERS, "fractal_loop": "a scan that keeps every loss, under vmap over pairs of rates"}

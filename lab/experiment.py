"""From a config to a run directory: load an experiment, compute, check, draw, report.

An experiment is a Python file with

    class Config(lab.config.ExperimentConfig)         the tables of its configs
    plans(config) -> dict[str, Plan]                  the sweeps that it will run (may be left out)
    compute(config, session) -> None                  fills the run directory's results
    checks(config, data) -> list[lab.Check]           what the results prove
    findings(data) -> Any                             what the next four share (may be left out)
    summary(found) -> lab.table.Table                 the numbers, one row a contender
    outcomes(found) -> lab.table.Table                how the runs ended (may be left out)
    verdict(found) -> str                             the answer in a sentence or two
    figures(found) -> dict[str, () -> plots.Figure]   pictures of the results

where `data` is the `xarray.DataTree` of the results, and `found` what `findings` makes of it: an
object that computes what several of the parts need once, when it is first asked for; without
`findings` it is the data itself. Only `compute` and `checks` see the config: table and figures can
be made from a run directory alone.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import xarray as xr

from lab import builtin, results
from lab.batch import BLOCK, batched
from lab.cluster import Workers
from lab.config import ExperimentConfig
from lab.engine import Engine
from lab.errors import LabError
from lab.plan import Plan
from lab.progress import Reporter
from lab.table import Table
from lab.times import Times

PARTS = ("Config", "compute", "checks", "summary", "verdict", "figures")
NONE = {
    "plans": lambda config: {},
    "findings": lambda data: data,
    "outcomes": lambda found: Table((), ()),
}
"""The parts that an experiment may leave out, and what stands for them."""


class Session:
    """What `compute` works with: where results go, who watches, and where the time went.

    `meter` counts the sweeps, `closer` what is computed besides them, `times` everything. Sweeps,
    and nothing else, are run by `workers` if there are any.
    """

    def __init__(
        self,
        folder: Path,
        reporter: Reporter,
        times: Times | None = None,
        workers: Workers | None = None,
    ):
        self.folder, self.reporter, self.workers = folder, reporter, workers
        self.times = Times() if times is None else times
        self.meter, self.closer = self.times.sweeps, self.times.closer

    def sweep(self, label: str, plan: Plan) -> Engine:
        """Run a plan's lanes into the results, as a group of this label, and tell how it goes.

        Blocks that an earlier, interrupted run left are not run again.

        Returns:
            The engine, with its compiled programs, for `lanes` and `replay`.
        """
        engine = Engine(plan, meter=self.meter)
        blocks = partial(self.workers.blocks, plan, self.meter) if self.workers else engine.blocks
        with self.reporter.task(label, plan.layout.lanes * plan.run.steps) as report:
            self.meter.listener = report
            results.run_into(self.folder, label, plan, blocks, stored=self.times.keep)
            self.meter.listener = lambda lane_steps: None
        engine.meter = self.closer
        return engine

    def batched(self, function: Callable[..., Any], *points: Any, block: int = BLOCK) -> Any:
        """`lab.batch.batched`, its time counted as the run's: one point is one lane-step."""
        return batched(function, *points, meter=self.meter, block=block)

    def save(self, group: str, data: xr.Dataset) -> None:
        """Keep a dataset in the results; names of groups that are no labels begin with `_`."""
        with self.times.spent("store"):
            results.save(self.folder / results.RESULTS, group, data)
        self.times.keep()

    def group(self, name: str) -> xr.Dataset:
        """One group of the results so far; empty if it is not there."""
        return results.load_group(self.folder / results.RESULTS, name)

    def data(self) -> xr.DataTree:
        """The results so far."""
        return results.load(self.folder / results.RESULTS)


def load_experiment(path: Path) -> ModuleType:
    """The module of an experiment file.

    Raises:
        LabError: when it cannot be imported, or a part is missing.
    """
    name = f"lab_experiment_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LabError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic looks up annotations there
    with told_of(path):
        spec.loader.exec_module(module)
    for part, nothing in NONE.items():
        if not hasattr(module, part):
            setattr(module, part, nothing)
    missing = [part for part in PARTS if not callable(getattr(module, part, None))]
    if missing:
        raise LabError(f"{path} is no experiment: it has no {', '.join(missing)}")
    if not (isinstance(module.Config, type) and issubclass(module.Config, ExperimentConfig)):
        raise LabError(f"{path}: Config must be a subclass of lab.config.ExperimentConfig")
    return module


@contextmanager
def told_of(path: Path) -> Iterator[None]:
    """Tell of what a user's own experiment file raises as of any other wrong input.

    Raises:
        LabError: `mine.py:12: NameError: ...`, at the last line of the file that was running.
    """
    try:
        yield
    except LabError:
        raise
    except (Exception, SystemExit) as error:
        if builtin.is_ours(path):
            raise
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if _is(path, frame.filename)]
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, SyntaxError) and _is(path, error.filename):
            lines, said = [error.lineno], f"cannot be read as Python: {error.msg}"
        place = f"{path}:{lines[-1]}" if lines else f"{path}"
        raise LabError(f"{place}: {said}") from error


def _is(path: Path, filename: str | None) -> bool:
    return filename is not None and Path(filename).resolve() == path.resolve()

"""`lab.run` and `lab.open`: a run from its config to its report, and back from its directory."""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from lab import builtin
from lab.config import Document, load
from lab.devices import local_devices, spread_over_cores
from lab.errors import LabError
from lab.files import replace_text
from lab.progress import Reporter, Silent
from lab.result import Result
from lab.rundir import RunDirectory, identity, now


def run(
    config: str | Path,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    out: str | Path | None = None,
    smoke: bool = False,
    fresh: bool = False,
    reporter: Reporter | None = None,
) -> Result:
    """Run a config, take up its interrupted run, or open its finished one.

    Args:
        config: a TOML file, or the name of a built-in config.
        overrides: `{"run.steps": 200}` or `["run.steps=200"]`.
        out: the run directory; by default `runs/<config stem>`.
        smoke: apply the config's `[smoke]` table: a run of seconds.
        fresh: delete what an earlier run left there.
        reporter: who is told how it goes; by default nobody.

    Raises:
        LabError: for whatever is wrong with the input, in words for the user.
    """
    spread_over_cores()
    reporter = reporter or Silent()
    path = builtin.find_config(str(config))
    document = load(path, overrides, smoke, experiments=builtin.experiments())
    file = builtin.find_experiment(document.experiment, document.folder)
    directory = RunDirectory(default_directory(path, smoke) if out is None else Path(out))
    known = directory.manifest
    if known is not None and known["finished"] and not fresh:
        directory.refuse_changes(document, identity(document, file, ""))
        reporter.say(f"{directory.path} is finished since {known['finished']}; --fresh runs it anew")
        return Result(directory.path, known)
    words = [f"{k}={json.dumps(v)}" for k, v in overrides.items()] if isinstance(overrides, Mapping) else overrides
    return _compute(document, file, directory, fresh, reporter, command(document, words, directory.path))


def open_run(directory: str | Path) -> Result:
    """The result that a run left in its directory.

    Raises:
        LabError: when there is no run, or it is not finished.
    """
    path = Path(directory)
    manifest = RunDirectory(path).manifest
    if manifest is None:
        raise LabError(f"{path} holds no run of the lab: it has no manifest.json")
    if not manifest["finished"]:
        raise LabError(f"the run in {path} is not finished; `{manifest['command']}` goes on with it")
    return Result(path, manifest)


def default_directory(config: Path, smoke: bool) -> Path:
    """`runs/<config stem>`, and a directory of its own for a smoke run."""
    return Path("runs") / (config.stem + ("-smoke" if smoke else ""))


def _compute(
    document: Document,
    file: Path,
    directory: RunDirectory,
    fresh: bool,
    reporter: Reporter,
    command: str,
) -> Result:
    """Validate, compute, prove, draw and report; the manifest says `finished` last of all."""
    from lab.experiment import Session, load_experiment

    experiment = load_experiment(file)
    config = document.validate(experiment.Config)
    devices = local_devices()
    with directory.writing():
        if fresh:
            directory.clear()
        who = identity(document, file, devices[0].platform)
        manifest = directory.begin(document, who) | {
            "experiment": str(file.resolve()),
            "title": config.title,
            "command": command,
            "seed": config.seed,
            "precision": config.precision,
            "devices": [f"{device.platform} ({device.device_kind})" for device in devices],
        }
        reporter.say(f"{document.path}: {config.title}")
        begun = time.perf_counter()
        session = Session(directory.path, reporter)
        experiment.compute(config, session)
        _conclude(experiment, config, session, manifest)
        manifest["seconds"]["total"] = time.perf_counter() - begun
        directory.finish(manifest)
    return Result(directory.path, manifest)


def _conclude(
    experiment: ModuleType, config: Any, session: Any, manifest: dict[str, Any]
) -> None:
    """Write checks, summary, figures, report and log, and note them in the manifest."""
    from lab import pages, plots, report, terminal

    folder, data, meter = session.folder, session.data(), session.meter
    checks = [check.as_row() for check in experiment.checks(config, data)]
    replace_text(folder / "checks.json", json.dumps(checks, indent=1) + "\n")
    table = experiment.summary(data)
    replace_text(folder / "summary.csv", table.as_csv())
    replace_text(folder / "summary.json", table.as_json())
    session.reporter.say("drawing figures")
    drawn = time.perf_counter()
    makers = experiment.figures(data)
    for name, make in makers.items():
        plots.save(make, folder / "figures", name)
    manifest |= {
        "figures": list(makers),
        "verdict": experiment.verdict(data),
        "outcomes": experiment.outcomes(data).as_json(),
        "criteria": config.run_settings().criteria,
        "lane_steps": meter.lane_steps,
        "compilations": meter.compilations,
        "seconds": {
            "compile": meter.compile,
            "run": meter.run,
            "transfer": meter.transfer,
            "plot": time.perf_counter() - drawn,
        },
        "finished": now(),
    }
    result = Result(folder, manifest)
    replace_text(result.report, report.render(pages.page_of(result)))
    replace_text(folder / "log.txt", terminal.shown(result))


def command(document: Document, overrides: Sequence[str], out: Path) -> str:
    """What a person would type to run this."""
    words = ["lab", "run", str(document.path), *overrides]
    if document.smoke:
        words.append("--smoke")
    if out != default_directory(document.path, document.smoke):
        words += ["--out", str(out)]
    return shlex.join(words)

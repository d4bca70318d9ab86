"""`lab.run` and `lab.open`: a run from its config to its report, and back from its directory."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from lab import builtin
from lab.config import Document, load
from lab.devices import local_devices, spread_over_cores
from lab.errors import LabError, close
from lab.files import replace_text
from lab.progress import Reporter, Silent
from lab.result import Result
from lab.rundir import RunDirectory, identity, now
from lab.table import plain


def run(
    config: str | Path,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    out: str | Path | None = None,
    smoke: bool = False,
    fresh: bool = False,
    reporter: Reporter | None = None,
    cluster: str | None = None,
) -> Result:
    """Run a config, take up its interrupted run, or open its finished one.

    Args:
        config: a TOML file, or the name of a built-in config.
        overrides: `{"run.steps": 200}` or `["run.steps=200"]`.
        out: the run directory; by default `runs/<config stem>`.
        smoke: apply the config's `[smoke]` table: a run of seconds.
        fresh: delete what an earlier run left there.
        reporter: who is told how it goes; by default nobody.
        cluster: the address of a Dask scheduler whose workers run the sweeps, to the same bits.

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
        try:
            directory.refuse_changes(document, identity(document, file, ""))
        except LabError:
            _validated(document, file)  # what is wrong in the config is told before what is new
            raise
        reporter.say(f"{directory.path} was finished {known['finished']}; --fresh runs it anew")
        return Result(directory.path, known)
    directory.refuse_strangers()
    name = builtin.called(str(config))
    asked = command(name, document, overrides, directory.path)
    return _compute(name, document, file, directory, fresh, reporter, cluster, asked)


def open_run(directory: str | Path) -> Result:
    """The result that a run left in its directory.

    Raises:
        LabError: when there is no run, or it is not finished.
    """
    path = Path(directory)
    manifest = RunDirectory(path).manifest
    if manifest is None:
        raise LabError(_no_run(path))
    if not manifest["finished"]:
        command = manifest["command"]
        raise LabError(f"the run in {path} is not finished; `{command}` goes on with it")
    return Result(path, manifest)


def _no_run(path: Path) -> str:
    if path.is_dir():
        return f"{path} holds no run of the lab: it has no manifest.json"
    if path.exists():
        return f"{path} is a file; a run is a directory, such as runs/quickstart"
    homes = dict.fromkeys([path.parent, Path("runs")])
    runs = {run.parent.name: run.parent for home in homes for run in home.glob("*/manifest.json")}
    if found := close(path.name, runs):
        return f"{path}: no such run directory; did you mean '{runs[found]}'?"
    near = sorted(map(str, runs.values()))
    listed = ", ".join(near[:8]) + (", ..." if len(near) > 8 else "")
    return f"{path}: no such run directory; {f'there are {listed}' if near else 'there is none'}"


def default_directory(config: Path, smoke: bool) -> Path:
    """`runs/<config stem>`, and a directory of its own for a smoke run."""
    return Path("runs") / (config.stem + ("-smoke" if smoke else ""))


def _compute(
    name: str,
    document: Document,
    file: Path,
    directory: RunDirectory,
    fresh: bool,
    reporter: Reporter,
    cluster: str | None,
    command: str,
) -> Result:
    """Validate, compute, prove, draw and report; the manifest says `finished` last of all."""
    from lab.times import Times

    times = Times()
    with times.spent("start"):
        from lab.capacity import refuse_what_does_not_fit
        from lab.cluster import connected
        from lab.experiment import Session, told_of

        devices = local_devices()
        experiment, config, plans = _validated(document, file)
    facts = {
        "experiment": document.experiment if builtin.is_ours(file) else str(file.resolve()),
        "title": config.title,
        "command": command,
        "seed": config.seed,
        "precision": config.precision,
        "devices": [f"{device.platform} ({device.device_kind})" for device in devices],
        "backends": {label: plan.choice.backend for label, plan in plans.items()},
        "criteria": next((plan.run.criteria for plan in plans.values()), {}),
    }
    with directory.writing(), told_of(file), connected(cluster) as workers:
        with times.spent("start"):
            refuse_what_does_not_fit(plans, directory.path)
        if fresh:
            directory.clear()
        if workers:
            facts["devices"] = [*facts["devices"], str(workers)]
        manifest = directory.begin(document, identity(document, file, devices[0].platform), facts)
        reporter.say(f"{name}: {config.title}" if config.title else name)
        if directory.begun:
            reporter.say(f"going on with the run that was begun {manifest['started']}")
        session = Session(directory.path, reporter, times, workers)
        with times.kept(manifest, directory.write_manifest):
            experiment.compute(config, session)
            _conclude(experiment, config, session, manifest)
        directory.finish(manifest)
    return Result(directory.path, manifest)


def _validated(document: Document, file: Path) -> tuple[ModuleType, Any, Mapping[str, Any]]:
    """The experiment, its config and its plans, if there is nothing wrong with them."""
    from lab.experiment import load_experiment, told_of

    experiment = load_experiment(file)
    with told_of(file):
        config = document.validate(experiment.Config)
        return experiment, config, experiment.plans(config)


def _conclude(experiment: ModuleType, config: Any, session: Any, manifest: dict[str, Any]) -> None:
    """Write checks, summary, figures, report and log, and note them in the manifest."""
    from lab import pages, plots, report, terminal
    from lab.times import summed

    folder, data, times = session.folder, session.data(), session.times
    with times.spent("check"):
        checks = [plain(check.as_row()) for check in experiment.checks(config, data)]
        replace_text(folder / "checks.json", json.dumps(checks, indent=1) + "\n")
    with times.spent("tables"):
        found = experiment.findings(data)
        table = experiment.summary(found)
        replace_text(folder / "summary.csv", table.as_csv())
        replace_text(folder / "summary.json", table.as_json())
        manifest["verdict"] = experiment.verdict(found)
        manifest["outcomes"] = experiment.outcomes(found).as_json()
    session.reporter.say("drawing figures")
    with times.spent("plot"):
        makers = experiment.figures(found)
        for name, make in makers.items():
            plots.save(make, folder / "figures", name)
            times.keep()
    manifest |= {"figures": list(makers), **summed(times.stretches), "finished": now()}
    result = Result(folder, manifest)
    replace_text(result.report, report.render(pages.page_of(result)))
    replace_text(folder / "log.txt", terminal.shown(result))


def command(
    name: str, document: Document, overrides: Mapping[str, Any] | Sequence[str], out: Path
) -> str:
    """What a person would type to run the config of this name."""
    if isinstance(overrides, Mapping):
        overrides = [f"{key}={json.dumps(value)}" for key, value in overrides.items()]
    words = ["lab", "run", name, *overrides]
    if document.smoke:
        words.append("--smoke")
    if out != default_directory(document.path, document.smoke):
        words += ["--out", str(out)]
    return shlex.join(words)

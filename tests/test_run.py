"""`lab.run` and `lab.open`: what a finished run leaves behind, and what comes back from it."""

import csv
import json
from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
from tiny import TINY

import lab
from lab import builtin, compare, running
from lab.experiment import load_experiment
from lab.outcome import Outcome
from lab.times import PARTS

pytest_plugins = ["tiny_homes"]

OVERRIDE = {"optimizers.SGD.learning_rate.count": 5}
FIGURES = ["sensitivity", "curves", "outcomes", "paths", "basins"]


@pytest.fixture
def run(finished):
    return lab.open("runs/tiny")


@pytest.fixture
def no_computing(monkeypatch):
    def compute(*arguments):
        raise AssertionError("a finished run is not computed again")

    monkeypatch.setattr(running, "_compute", compute)


def test_what_the_command_said(finished):
    said, shown = (Path(f"{name}.txt").read_text() for name in ("said", "shown"))
    assert Path("code.txt").read_text() == "0", said
    assert said.splitlines()[0] == "tiny.toml: Which of two?"
    assert "checks hold" in shown
    assert not set(map(ord, said + shown)) & {*range(10), *range(11, 32)}
    assert Path("runs/tiny/log.txt").read_text().split() == shown.split()


def test_data(run):
    assert list(run.data.children)[:2] == ["SGD", "Adam"]
    sgd = run.data["SGD"]
    assert dict(sgd.final_loss.sizes) == {"learning_rate": 5, "start": 16}
    assert {"best_loss", "steps", "outcome", "hit_step", "final_point", "minimum"} <= set(sgd)
    assert sgd.hit_step.dims == ("learning_rate", "start", "target")
    assert np.all(sgd.best_loss <= sgd.final_loss)
    assert sgd.outcome.attrs["flag_meanings"].split()[0] == "converged"


def test_no_step_at_all_is_a_look_at_the_starts(finished):
    """Of a config as in Python: the losses of the starts, five figures, and every check holds."""
    result = lab.run("tiny.toml", {"run.steps": 0}, out="zero")
    assert result.passed and list(result.manifest["figures"]) == FIGURES
    axis = np.linspace(0.0, 5.0, 4)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    wells = lab.losses.three_wells()
    losses = np.array([wells(point) for point in points.astype(np.float32)])
    sgd = result.data["SGD"]
    np.testing.assert_allclose(sgd.final_loss.values, np.tile(losses, (4, 1)), rtol=1e-5)
    assert sgd.steps.values.max() == 0 and set(sgd.outcome.values.ravel()) == {Outcome.BUDGET_SPENT}
    python = lab.sweep(wells, lab.optimizer("sgd", learning_rate=[0.1]), points, steps=0)
    np.testing.assert_array_equal(python.final_loss.values[0], sgd.final_loss.values[0])


def test_table_and_checks(run):
    assert [row["label"] for row in run.table.rows] == ["SGD", "Adam"]
    assert run.passed
    assert len(run.checks) > 4
    assert all(check.source for check in run.checks)
    with (run.directory / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["learning_rate"]) for row in rows] == [
        pytest.approx(row["learning_rate"]) for row in run.table.rows
    ]
    for check in json.loads(
        (run.directory / "checks.json").read_text(), parse_constant=pytest.fail
    ):
        assert set(check) > {"name", "expected", "measured", "tolerance", "source", "passed"}


def test_figures(run):
    assert list(run.figures) == FIGURES
    assert isinstance(run.figures["outcomes"], matplotlib.figure.Figure)
    names = {
        f"{f}{end}" for f in FIGURES for end in (".png", ".svg", "-dark.png", "-dark.svg", ".txt")
    }
    assert {path.name for path in (run.directory / "figures").iterdir()} == names


def test_report_and_notebook(run):
    page = run.report.read_text()
    assert run.manifest["verdict"].split(":")[0] in page
    assert "Which of two?" in run._repr_html_()
    assert repr(run) == "<run 'runs/tiny': Which of two?>"


def test_manifest(run):
    manifest = run.manifest
    assert set(manifest["identity"]) == {"files", "lab", "versions", "platform"}
    seconds = manifest["seconds"]
    assert set(seconds) == {*PARTS, "total"}
    assert seconds["total"] > seconds["compile"] > 0
    one_after_the_other = ("start", "run", "replay", "transfer", "store", "check", "tables", "plot")
    assert all(seconds[part] > 0 for part in one_after_the_other)
    assert sum(seconds[part] for part in one_after_the_other) < seconds["total"]
    assert [stretch["seconds"] for stretch in manifest["stretches"]] == [seconds]
    assert manifest["lane_steps"] > 0
    assert (manifest["seed"], manifest["precision"]) == (0, "float32")
    assert manifest["devices"] == ["cpu (cpu)"] * 2
    assert manifest["started"] < manifest["finished"]
    assert manifest["command"].startswith("lab run tiny.toml optimizers.SGD")
    assert manifest["config"]["optimizers"]["SGD"]["learning_rate"]["count"] == 5


@pytest.mark.parametrize("given", ["quickstart", "configs/quickstart.toml", "path"])
def test_a_built_in_config_is_recorded_by_its_name(home, monkeypatch, given):
    """Never by where the lab itself lies; the command can be typed anywhere."""
    asked = []
    monkeypatch.setattr(running, "_compute", lambda *arguments: asked.append(arguments))
    own = builtin.configs()["quickstart"].resolve()
    lab.run(own if given == "path" else given, ["run.steps=3"], smoke=True)
    (name, *_, command), named = asked[0], "quickstart" if given == "path" else given
    assert (name, command) == (named, f"lab run {named} run.steps=3 --smoke")
    assert builtin.find_config(name).resolve() == own


def test_lanes_are_summarized_once_for_all_tables_and_figures(run, monkeypatch):
    summarize, seen = compare.summarize, []

    def counted(data):
        seen.append(data.sizes["learning_rate"])
        return summarize(data)

    monkeypatch.setattr(compare, "summarize", counted)
    experiment = load_experiment(builtin.find_experiment("descent", Path()))
    found = experiment.findings(run.data)
    assert seen == []
    assert experiment.summary(found) == run.table
    assert experiment.verdict(found) == run.manifest["verdict"]
    assert experiment.outcomes(found).as_json() == run.manifest["outcomes"]
    assert list(experiment.figures(found)) == FIGURES
    assert seen == [5, 4]


def test_the_config_is_kept_to_the_byte(run):
    assert (run.directory / "config.toml").read_bytes() == TINY.encode()
    assert b"\r" in TINY.encode()


def test_a_second_run_only_shows(finished, no_computing, run):
    again = lab.run("tiny.toml", OVERRIDE)
    assert again.manifest == run.manifest
    assert again.table == run.table
    assert lab.run("tiny.toml", ["optimizers.SGD.learning_rate.count=5"]).table == run.table


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("summary.json", None, "summary.json cannot be read: No such file"),
        ("summary.json", "{", "summary.json is damaged"),
        ("checks.json", "[{}]", "checks.json is damaged"),
        ("manifest.json", "{", "manifest.json is damaged"),
        ("manifest.json", "[]", "is not, or no longer, the manifest of a run"),
        ("manifest.json", None, "holds no run of the lab"),
    ],
)
def test_damaged(finished, name, text, message):
    path = Path("runs/tiny") / name
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(lab.LabError, match=message):
        found = lab.open("runs/tiny")
        _ = found.table, found.checks


def test_no_run_there(finished):
    with pytest.raises(
        lab.LabError, match="runs/tinny: no such run directory; did you mean 'runs/tiny'"
    ):
        lab.open("runs/tinny")
    with pytest.raises(lab.LabError, match="is a file; a run is a directory"):
        lab.open("tiny.toml")
    with pytest.raises(lab.LabError, match="no longer there"):
        manifest = {**lab.open("runs/tiny").manifest, "experiment": "/nowhere/descent.py"}
        lab.running.Result(Path("runs/tiny"), manifest).makers()

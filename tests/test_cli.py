"""The command: what it prints, its exit codes, and that it is quick where nothing is computed."""

import io
import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tiny import BARE, LAB, invoke

import lab
from lab import builtin, progress

pytest_plugins = ["tiny_homes"]


def test_help_names_the_commands():
    said = invoke("--help").stdout
    for command in ("run", "course", "check", "show", "compare", "list", "schema", "doctor"):
        assert f"\n  {command} " in said
        assert invoke(command, "--help").exit_code == 0
    assert invoke().exit_code == 2


def test_several_configs_with_overrides(home):
    (home / "other.toml").write_text(BARE)
    result = invoke("run", "bare.toml", "run.steps=7", "other.toml")
    assert result.exit_code == 0
    assert result.stdout.count("How many lanes?") == 2
    for name in ("bare", "other"):
        assert lab.open(f"runs/{name}").manifest["config"]["run"]["steps"] == 7
    refused = invoke("run", "bare.toml", "other.toml", "--out", "x")
    assert refused.exit_code == 2
    assert refused.stderr == "lab: --out names one directory, but 2 configs are given\n"


def test_smoke_has_its_own_directory(home):
    assert invoke("run", "bare.toml", "--smoke").exit_code == 0
    assert [path.name for path in (home / "runs").iterdir()] == ["bare-smoke"]
    assert lab.open("runs/bare-smoke").manifest["config"]["run"]["steps"] == 5


def test_finished_runs_are_shown(finished):
    words = ("run", "tiny.toml", "optimizers.SGD.learning_rate.count=5")
    again, shown = invoke(*words), invoke("show", "runs/tiny")
    assert again.exit_code == shown.exit_code == 0
    assert again.stdout == shown.stdout == Path("shown.txt").read_text()
    assert again.stderr.startswith("runs/tiny was finished 20")
    assert again.stderr.endswith("; --fresh runs it anew\n")


def test_compare(finished):
    os.rename("runs", "old")
    Path("new").symlink_to("old")
    result = invoke("compare", "old/tiny", "new/tiny")
    assert result.exit_code == 0
    assert [result.stdout.count(name) for name in ("old/tiny", "new/tiny", "SGD")] == [2, 2, 2]


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ("tiny", "did you mean 'runs/tiny'?"),
        ("runs/tinny", "did you mean 'runs/tiny'?"),
        ("nosuch", "there are runs/other, runs/tiny"),
        ("empty/nosuch", "there are runs/other, runs/tiny"),
    ],
)
def test_compare_with_no_run(finished, run, told):
    Path("runs/other").mkdir()
    Path("runs/other/manifest.json").write_text("{}")
    Path("runs/no_run").mkdir()
    result = invoke("compare", "runs/tiny", run)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"lab: {run}: no such run directory; {told}\n"


def test_a_failing_check(home):
    (home / "bare.toml").write_text(f"lanes = 65\n{BARE}")
    for words in (["run", "bare.toml"], ["run", "bare.toml"]):
        result = invoke(*words)
        assert result.exit_code == 1
        assert "0 of 1 checks hold" in result.stdout
        assert "FAILS" in result.stdout
    assert not lab.open("runs/bare").passed


def test_check(home):
    result = invoke("check", "bare.toml", "run.seeds=2")
    assert result.exit_code == 0
    assert "bare.toml is valid" in result.stdout
    assert "128 lanes, 2,560 lane-steps" in result.stdout
    for word in ("of memory", "expected: about", "backend kernel for SGD", "2 cpu devices"):
        assert word in result.stdout
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("losses", ["rosenbrock", "three_wells"]),
        ("optimizers", ["sgd", "adam", "cosine_decay_schedule"]),
        ("experiments", ["descent"]),
        ("configs", ["quickstart"]),
    ],
)
def test_list(what, names):
    result = invoke("list", what)
    assert result.exit_code == 0
    assert all(f"\n {name} " in result.stdout for name in names)


def listed(what):
    """The rows of `lab list WHAT --json` by name; JSON without NaN or infinities."""
    result = invoke("list", what, "--json")
    assert result.exit_code == 0
    rows = json.loads(result.stdout, parse_constant=pytest.fail)
    return {row["name"]: row for row in rows}


def test_losses_as_json():
    rows = listed("losses")
    assert set(rows) == {*lab.losses.catalogue, *lab.losses.MODELS, "bbob"}
    himmelblau, rosenbrock = rows["himmelblau"], rows["rosenbrock"]
    assert himmelblau["minima"] == lab.losses.himmelblau().minima().tolist()
    assert (himmelblau["dimension"], himmelblau["minimum"], himmelblau["low"]) == (2, 0, [-5, -5])
    assert rosenbrock["parameters"] == {"a": 1.0, "b": 100.0}
    assert (rosenbrock["dimension"], rosenbrock["shown_dimension"]) == (None, 2)
    assert rosenbrock["start"] == [-1.2, 1.0] and rosenbrock["least_squares"]
    assert rows["saddle"]["minima"] == [] and rows["saddle"]["minimum"] is None
    assert (himmelblau["kind"], rows["meyer"]["kind"]) == ("wells", "more_garbow_hillstrom")
    assert rows["bbob"]["ranges"] == {"function": [1, 24]}
    assert rows["bbob"]["minimum"] == lab.losses.bbob(1).minimum()


def test_optimizers_as_json():
    adam = listed("optimizers")["adam"]
    assert (adam["kind"], adam["module"], adam["required"]) == (
        "optimizer",
        "optax",
        ["learning_rate"],
    )
    numbers = {"b1": 0.9, "b2": 0.999, "eps": 1e-8, "nesterov": False, "mu_dtype": None}
    assert adam["hyperparameters"].items() >= numbers.items()


def test_experiments_and_configs_as_json():
    assert listed("experiments")["descent"]["question"].endswith("compared.")
    assert set(listed("configs")) == set(builtin.configs())
    quickstart = listed("configs")["quickstart"]
    assert quickstart["experiment"] == "descent" and quickstart["title"].endswith("?")


def test_the_table_of_losses_is_readable():
    """About a line a loss, however many there are, and no name or box broken in two."""
    lines = invoke("list", "losses").stdout.splitlines()
    assert len(lines) < 1.6 * len([*lab.losses.catalogue, *lab.losses.MODELS, "bbob"])
    for name, family in lab.losses.catalogue.items():
        (line,) = [line for line in lines if line.startswith(f" {name} ")]
        assert f"[{min(family().low):g}, {max(family().high):g}]" in line


def test_list_of_nothing():
    result = invoke("list", "loss")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "lab: there is no catalogue 'loss'; did you mean 'losses'?\n"


def test_every_config_of_the_list_can_be_named():
    assert set(builtin.configs()) == {
        path.relative_to(builtin.folder("configs")).with_suffix("").as_posix()
        for path in builtin.folder("configs").rglob("*.toml")
    }
    assert builtin.find_config("configs/quickstart.toml").name == "quickstart.toml"


def test_schema_and_doctor(home):
    assert json.loads(invoke("schema").stdout)["properties"]["optimizers"]
    said = invoke("doctor").stdout
    for word in ("Python", "jax", "2 x cpu (cpu)", "memory", "GB", "free disk here"):
        assert word in said


def test_plain_lines_elsewhere(home, monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0)
    stream = io.StringIO()
    lab.run("bare.toml", reporter=progress.Reporter(stream))
    first, *lines, last = stream.getvalue().splitlines()
    assert (first, last) == ("bare.toml: How many lanes?", "drawing figures")
    assert "SGD: 100%, " in lines[-1]
    assert lines[-1].endswith("lane-steps/s, 0 s left")
    assert stream.getvalue().isprintable() or set("\x1b\r").isdisjoint(stream.getvalue())


def test_a_bar_on_a_terminal(home, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    seen = []
    reader = threading.Thread(target=lambda: seen.append(read(ours)))
    reader.start()
    with os.fdopen(theirs, "w") as stream:
        lab.run("bare.toml", reporter=progress.Reporter(stream))
    reader.join()
    assert "\x1b[" in seen[0]
    assert "━" in seen[0]
    assert "100 %" in seen[0]


def read(terminal):
    """All that is written to a terminal until it is closed."""
    pieces = []
    while True:
        try:
            pieces.append(os.read(terminal, 4096))
        except OSError:
            return b"".join(pieces).decode()


def test_a_closed_pipe_leaves_no_traceback():
    command = f"'{LAB}' list losses | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""


def test_a_terminal_without_our_signs(finished):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([LAB, "show", "runs/tiny"], env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"checks hold" in done.stdout


QUICK = """
import sys
from lab.cli import app
assert not {"jax", "numpy", "pydantic"} & set(sys.modules), "import lab.cli"
for words in (["--help"], ["show", "runs/tiny"], ["compare", "runs/tiny", "runs/tiny"],
              ["run", "tiny.toml", "optimizers.SGD.learning_rate.count=5"],
              ["list", "configs"], ["list", "experiments"],
              ["list", "configs", "--json"]):
    try:
        app(words)
    except SystemExit as end:
        assert not end.code, words
    heavy = {"jax", "xarray", "matplotlib", "zarr", "optax"} & set(sys.modules)
    assert not heavy, (words, heavy)
"""


def test_what_computes_nothing_imports_no_jax(finished):
    done = subprocess.run([sys.executable, "-c", QUICK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

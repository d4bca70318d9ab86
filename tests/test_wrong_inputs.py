"""Wrong words, files and folders given to the command; and the unusual that is allowed."""

from pathlib import Path

import pytest
from tiny import BARE, BARE_PY, TINY, invoke, refused

pytest_plugins = ["tiny_homes"]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("run.steps", "an override is KEY=VALUE"),
        ("run.steps=", "run.steps"),
        ("run.steps=many", "run.steps"),
        ("run.stepps=3", "did you mean 'steps'?"),
        ("steps=3", "did you mean 'run.steps'?"),
        ("=3", "=3"),
        ("optimizers.Adm.learning_rate=3", "Adm"),
        ("starts.grid.shape=[4]", "starts.grid"),
    ],
)
def test_override(folder, word, told):
    Path("good.toml").write_text(TINY)
    assert told in refused("run", "good.toml", word)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("empty.toml", b"", "empty.toml: the file is empty"),
        ("binary.toml", bytes(range(256)), "binary.toml"),
        ("utf16.toml", TINY.encode("utf-16"), "saved as UTF-16"),
        ("broken.toml", b"[run\nsteps = 3", "broken.toml:1"),
    ],
)
def test_file(folder, name, data, told):
    Path(name).write_bytes(data)
    assert told in refused("run", name)


def test_no_topic(folder):
    assert "several topics 'deriv': 03_derivatives, 04_partial" in refused("course", "deriv")
    assert "did you mean '08_gradient_descent'?" in refused("course", "gradent")


def test_no_file(folder):
    Path("good.toml").write_text(TINY)
    Path("folder").mkdir()
    assert "did you mean 'good.toml'?" in refused("run", "god.toml")
    assert "did you mean 'quickstart'?" in refused("run", "quikstart")
    assert "folder: this is a folder, not a file" in refused("check", "folder")
    assert "no config is given" in refused("run", "run.steps=3")
    assert "good.toml is a file; a run is a directory" in refused("show", "good.toml")
    assert "nosuch: no such run directory; there is none" in refused("show", "nosuch")
    assert "folder holds no run" in refused("compare", "folder")


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("good.toml", "good.toml is a file; a run needs a directory of its own"),
        ("good.toml/deeper", "cannot be written: Not a directory"),
        ("/proc/lab", "cannot be written"),
        ("a" * 300, "File name too long"),
    ],
    ids=["file", "below a file", "proc", "long"],
)
def test_output_that_cannot_be_written(folder, out, told):
    Path("good.toml").write_text(TINY)
    assert told in refused("run", "good.toml", "--out", out)


@pytest.mark.parametrize("part", ["plans", "compute"])
def test_an_experiment_that_raises_at_once(home, part):
    lines = BARE_PY.split("\n")
    line = next(i for i, each in enumerate(lines) if each.startswith(f"def {part}")) + 1
    lines[line] = "    1 / 0"
    Path("bare.py").write_text("\n".join(lines))
    assert f"bare.py:{line + 1}: ZeroDivisionError: division by zero" in refused("run", "bare.toml")


def test_an_experiment_that_raises_late_keeps_the_results(home):
    Path("bare.py").write_text(BARE_PY.replace('return "Some."', "return 1 / 0"))
    result = invoke("run", "bare.toml")
    assert result.exit_code == 2
    assert "ZeroDivisionError" in result.stderr
    assert Path("runs/bare/results.zarr/SGD").is_dir()
    assert "is not finished" in invoke("show", "runs/bare").stderr


ALLOWED = {
    "unsorted targets": ("steps = 20", "steps = 20\ntargets = [1e-2, 1.0, 1e-1]"),
    "no targets": ("steps = 20", "steps = 20\ntargets = []"),
    "an odd block": ("steps = 20", "steps = 20\nblock = 3"),
    "one point": (
        "grid = { low = [0.0, 0.0], high = [5.0, 5.0], shape = [4, 4] }",
        "points = [[1.0, 2.0]]",
    ),
    "one step": ("steps = 20", "steps = 1"),
    "no step": ("steps = 20", "steps = 0"),
    "the same twice": ("{ geomspace = [1e-3, 1.0], count = 4 }", "[0.1, 0.1]"),
    "a matrix optimizer": ('"sgd"', '"muon"'),
    "a label of signs": ("optimizers.SGD", 'optimizers."ü: %20 α²"'),
}


@pytest.mark.parametrize(("old", "new"), ALLOWED.values(), ids=ALLOWED)
def test_unusual_and_allowed(home, old, new):
    assert old in BARE
    Path("bare.toml").write_text(BARE.replace(old, new))
    result = invoke("run", "bare.toml")
    assert result.exit_code in (0, 1), result.output
    assert invoke("show", "runs/bare").exit_code == result.exit_code

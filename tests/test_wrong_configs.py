"""Wrong configs through the command: the file, line and key are told, and nothing is left."""

from pathlib import Path

import pytest
from tiny import TINY, refused

pytest_plugins = ["tiny_homes"]

LOSS = 'name = "three_wells"'
STARTS = "grid = { low = [0.0, 0.0], high = [5.0, 5.0], shape = [4, 4] }"
SGD = 'name = "sgd"\nlearning_rate = { geomspace = [1e-3, 1.0], count = 4 }'
EXPERIMENT = '"descent"'

CASES = [
    # what the config says: what stands there, what is put there, and what is told
    ("steps = 20", "steps = -1", ["bad.toml:10: run.steps: -1 is not allowed", "at least 0"]),
    ("steps = 20", "steps = -3", ["bad.toml:10: run.steps: -3"]),
    ("steps = 20", "steps = nan", ["bad.toml:10: run.steps: nan"]),
    ("steps = 20", "steps = inf", ["bad.toml:10: run.steps: inf"]),
    ("steps = 20", 'steps = "20"', ["bad.toml:10: run.steps: '20'"]),
    ("steps = 20", "stesp = 20", ["bad.toml:10: run.stesp: unknown key; did you mean 'steps'?"]),
    ("steps = 20", "steps = 20 20", ["bad.toml:10:"]),
 ("steps = 20", "steps = 20\nsnapshots = [0, 21]", ["run.snapshots.1: 21 is beyond the last"]),
    ("steps = 20", "block = 0", ["bad.toml:10: run.block"]),
    ("[run]", "[runn]", ["runn: unknown table; did you mean 'run'?"]),
    ("paths = 2", "pahts = 2", ["figures.pahts: unknown key; did you mean 'paths'?"]),
    ("[1e-1, 1e-2]", "[0.0]", ["bad.toml:11: run.targets.0: 0.0", "above 0"]),
    ("[1e-1, 1e-2]", "[1e-1, 1e-1]", ["run.targets: the same value stands here twice"]),
    ("paths = 2", "paths_from = [[1.0, nan]]", ["figures.paths_from.0.1: nan"]),
    ("paths = 2", "paths_from = [[1.0, 2.0, 3.0]]", ["figures.paths_from.0: 3 coordinates"]),
    ("[8, 8]", "[8, 1]", ["figures.basin_shape.1: 1 is not allowed"]),
    (EXPERIMENT, '"decent"', ["bad.toml:3: experiment", "did you mean 'descent'?"]),
    (EXPERIMENT, '"min.py"', ["bad.toml:3: experiment: there is no file 'min.py'", "'my.py'"]),
    (EXPERIMENT, '"fails.py"', ["fails.py:2: ValueError: at import"]),
    (EXPERIMENT, '"syntax.py"', ["syntax.py:1: cannot be read as Python: '(' was never closed"]),
    (EXPERIMENT, '"exits.py"', ["exits.py:1: SystemExit: 3"]),
    (EXPERIMENT, '"lacks.py"', ["lacks.py is no experiment: it has no compute, summary, verdict"]),
    (EXPERIMENT, '"other.py"', ["Config must be a subclass of lab.config.ExperimentConfig"]),
    (LOSS, 'name = "three_wels"', ["loss.name: unknown loss", "did you mean 'three_wells'?"]),
    (LOSS, f"{LOSS}\nwidth = 2", ["loss.width"]),
    (LOSS, f'{LOSS}\nformula = "x + y"', ["either 'name' or 'formula', not both"]),
    (LOSS, 'formula = "x**2 + y*("', ["bad.toml:6: loss.formula"]),
    (LOSS, 'name = "my.py:rises"', ["bad.toml:6: loss.name: my.py has no 'rises'", "'raises'"]),
    (LOSS, 'name = "mu.py:good"', ["there is no file 'mu.py'", "did you mean 'my.py'?"]),
    (LOSS, 'name = "my.py:raises"', ["bad.toml:6: loss.name: raises", "RuntimeError: boom"]),
    (LOSS, 'name = "my.py:vector"', ["vector returns float32 of shape (2,)"]),
    (LOSS, 'name = "my.py:branches"', ["branches fails", "TracerBoolConversionError"]),
    (LOSS, 'name = "my.py:needs"', ["needs a value for 'width'"]),
    (LOSS, 'name = "fails.py:f"', ["fails.py:2: ", "ValueError: at import"]),
    (STARTS, "points = [[1.0]]", ["bad.toml:8: starts.points: 1 coordinate", "dimension 2"]),
    (STARTS, f"{STARTS}\npoints = [[1.0, 2.0]]", ["starts", "grid", "points"]),
    (STARTS, "", ["starts"]),
    (STARTS, STARTS.replace("5.0]", "nan]"), ["bad.toml:8: starts.grid.high"]),
    (STARTS, STARTS.replace("[4, 4]", "[1000000, 1000000]"), ["starts.grid.shape: makes 1000000"]),
    (STARTS, "uniform = { low = [0, 0], high = [1, 1], count = -1 }", ["starts.uniform.count"]),
    (SGD, 'name = "sgdd"', ["bad.toml:13: optimizers.SGD.name", "did you mean 'sgd'?"]),
    (SGD, 'name = "sgd"', ["optimizers.SGD.learning_rate: required by optax.sgd"]),
    (SGD, 'name = "sgd"\nlearning_rate = "0.1"', ["bad.toml:14: optimizers.SGD.learning_rate"]),
    (SGD, 'name = "sgd"\nlearning_rate = []', ["bad.toml:14: optimizers.SGD.learning_rate"]),
    (SGD, 'name = "sgd"\nlearning_rate = { schedule = "cosine_decay_shedule" }',
     ["optimizers.SGD.learning_rate.schedule", "did you mean 'cosine_decay_schedule'?"]),
    (SGD, 'name = "my.py:no_optimizer"\nlearning_rate = 1.0', ["it returned int"]),
    (SGD, 'name = "my.py:stuck"\nlearning_rate = 1.0', ["optimizers.SGD: it cannot take a step"]),
    (SGD, 'name = "lbfgs"\nlearning_rate = "x"', ["optimizers.SGD.learning_rate"]),
    ("optimizers.SGD", 'optimizers."a/b"', ['optimizers."a/b"', "cannot contain '/'"]),
    ("optimizers.SGD", "optimizers.adam", ["optimizers.Adam: differs from 'adam' only in case"]),
    ("optimizers.SGD", 'optimizers."_a"', ["cannot begin with '_'"]),
    (TINY[TINY.index("[optimizers.SGD]") :], "[optimizers]\n", ["no optimizer is given"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), CASES, ids=[new[:40] for _, new, _ in CASES])
def test_config(folder, old, new, told):
    assert TINY.count(old) == 1 or old in (SGD, "optimizers.SGD")
    Path("bad.toml").write_text(TINY.replace(old, new, 1))
    for command in ("run", "check"):
        said = refused(command, "bad.toml")
        assert said.startswith("lab: ")
        assert all(part in said for part in told), said


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("count = 2_000_000_000", ["results of SGD (8,000,000,000 lanes)", 'keep = "reduced"']),
        ("count = 2_000_000_000\nblock = 2_000_000_000", ["run.block: blocks of", "of memory"]),
    ],
)
def test_more_than_the_machine_has(folder, lines, told):
    count, _, block = lines.partition("\n")
    text = TINY.replace(STARTS, f"uniform = {{ low = [0, 0], high = [5, 5], {count} }}")
    Path("bad.toml").write_text(text.replace("[run]", f"[run]\n{block}"))
    said = refused("run", "bad.toml")
    assert all(part in said for part in told), said

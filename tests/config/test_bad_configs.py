"""Configs that are wrong: each gives exactly these messages, at these lines, and no others."""

from pathlib import Path

import pytest

# The head and [run] ------------------------------

WHOLE = "give a whole number of at least"
ABOVE = "is not allowed; give a finite number above 0"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("steps = -1", f"steps: -1 is not allowed; {WHOLE} 0"),
        ("steps = -5", f"steps: -5 is not allowed; {WHOLE} 0"),
        ("steps = 1.5", f"steps: 1.5 is not allowed; {WHOLE} 0"),
        ('steps = "10"', f"steps: '10' is not allowed; {WHOLE} 0"),
        ("steps = true", f"steps: true is not allowed; {WHOLE} 0"),
        ("steps = [10, 20]", f"steps: [10, 20] is not allowed; {WHOLE} 0"),
        ("steps = nan", f"steps: nan is not allowed; {WHOLE} 0"),
        ("steps = inf", f"steps: inf is not allowed; {WHOLE} 0"),
        ("steps = 3_000_000_000", "steps: must be at most 2147483647, not 3000000000"),
        ("seeds = 0", f"seeds: 0 is not allowed; {WHOLE} 1"),
        ("patience = -1", f"patience: -1 is not allowed; {WHOLE} 1"),
        ("block = 2020-01-01", f"block: 2020-01-01 is not allowed; {WHOLE} 1"),
        ("diverged_above = nan", f"diverged_above: nan {ABOVE}"),
        ("diverged_above = inf", f"diverged_above: inf {ABOVE}"),
        ("diverged_above = 0", f"diverged_above: 0 {ABOVE}"),
        ("gradient_below = -1.0", "gradient_below: -1.0 is not allowed; "
         "give a finite number of at least 0"),
        ("targets = [1.0, -1.0]", "targets.1: -1.0 is not allowed; give a finite number above 0"),
        ("targets = 1.0", "targets: 1.0 is not allowed; "
         "give a list, each element a finite number above 0"),
        ("targets = [1.0, 1.0]", "targets: the same value stands here twice"),
        ("snapshots = [-1]", f"snapshots.0: -1 is not allowed; {WHOLE} 0"),
        ('keep = "lane"', "keep: 'lane' is not allowed; did you mean 'lanes'?"),
        ("keep = 3", "keep: 3 is not allowed; give 'lanes' or 'reduced'"),
        ('backend = "gpu"', "backend: 'gpu' is not allowed; "
         "give 'auto', 'vmap', 'scalar' or 'kernel'"),
        ("stpes = 3", "stpes: unknown key; did you mean 'steps'?"),
        ("[run.steps]", f"steps: {{}} is not allowed; {WHOLE} 0"),
    ],
    ids=str,
)  # fmt: skip
def test_run(faults, line, message, good):
    assert faults(good.replace("steps = 10", line)) == [f"bad.toml:7: run.{message}"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("seed = -1", f"seed: -1 is not allowed; {WHOLE} 0"),
        ("title = 3", "title: 3 is not allowed; give text in quotes"),
        ('precision = "float3"', "precision: 'float3' is not allowed; did you mean 'float32'?"),
        ("precision = 32", "precision: 32 is not allowed; give 'float32', 'float64' or 'bfloat16'"),
        ('tilte = "x"', "tilte: unknown key; did you mean 'title'?"),
        ("run.steps = 3\n[lss]", "lss: unknown table; did you mean 'loss'?"),
    ],
    ids=str,
)
def test_head(faults, line, message, good):
    text = good.replace("[run]\nsteps = 10\n", "")
    where = 2 + line.count("\n")
    assert faults(text.replace("[loss]", f"{line}\n[loss]")) == [f"bad.toml:{where}: {message}"]


def test_a_section_that_is_no_table(faults):
    text = 'experiment = "descent"\nrun = 1\nloss = "rosenbrock"\nstarts = [1]\noptimizers = 2\n'
    assert faults(text) == [
        "bad.toml:2: run: 1 is not allowed; give a table",
        "bad.toml:3: loss: 'rosenbrock' is not allowed; give a table",
        "bad.toml:4: starts: [1] is not allowed; give a table",
        "bad.toml:5: optimizers: 2 is not allowed; give a table",
    ]


def test_missing_tables(faults):
    assert faults('experiment = "descent"\n') == [
        "bad.toml: loss: missing; add [loss]",
        "bad.toml: starts: missing; add [starts]",
        "bad.toml: optimizers: missing; add [optimizers.adam]",
    ]


# The experiment ------------------------------


@pytest.mark.parametrize(
    ("line", "messages"),
    [
        ("seed = 0", [": experiment: missing; give text in quotes"]),
        (
            'expermient = "descent"',
            [":1: expermient: unknown key; did you mean 'experiment'?"],
        ),
        (
            'experiment = "decsent"',
            [":1: experiment: unknown experiment 'decsent'; did you mean 'descent'?"],
        ),
        (
            'experiment = "zzz"',
            [":1: experiment: unknown experiment 'zzz'; allowed: descent, limits, plane"],
        ),
        ("experiment = 3", [":1: experiment: 3 is not allowed; give text in quotes"]),
        ('experiment = "mine.py"', [":1: experiment: there is no file 'mine.py'"]),
    ],
    ids=str,
)
def test_experiment(faults, line, messages, good):
    text = good.replace('experiment = "descent"', line)
    assert faults(text) == [f"bad.toml{message}" for message in messages]
    after = f"bad.toml:7: run.steps: -1 is not allowed; {WHOLE} 0"
    assert faults(text.replace("steps = 10", "steps = -1"))[-1] == after


def test_experiment_file_beside_the_config(faults, good):
    Path("mine.py").touch()
    assert not faults(good.replace('"descent"', '"mine.py"'))
    assert faults(good.replace('"descent"', '"mime.py"')) == [
        "bad.toml:1: experiment: there is no file 'mime.py'; did you mean 'mine.py'?"
    ]

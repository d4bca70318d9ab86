"""Tiny configs, and an experiment without pictures, for tests that run whole configs."""

import sys
from pathlib import Path

from typer.testing import CliRunner

from lab.cli import app

LAB = Path(sys.executable).with_name("lab")

TINY = """\
#:schema schema.json
# Two optimizers.\r
experiment = "descent"
title = "Which of two?"
[loss]
name = "three_wells"
[starts]
grid = { low = [0.0, 0.0], high = [5.0, 5.0], shape = [4, 4] }
[run]
steps = 20
targets = [1e-1, 1e-2]
[optimizers.SGD]
name = "sgd"
learning_rate = { geomspace = [1e-3, 1.0], count = 4 }
[optimizers.Adam]
name = "adam"
learning_rate = { geomspace = [1e-3, 1.0], count = 4 }
[figures]
paths = 2
basin_shape = [8, 8]
"""

BARE = """\
experiment = "bare.py"
title = "How many lanes?"
[loss]
name = "three_wells"
[starts]
grid = { low = [0.0, 0.0], high = [5.0, 5.0], shape = [4, 4] }
[run]
steps = 20
[optimizers.SGD]
name = "sgd"
learning_rate = { geomspace = [1e-3, 1.0], count = 4 }
[smoke]
"run.steps" = 5
"""

BARE_PY = '''\
"""How many lanes are there? The least that an experiment can be: sweeps, and one check."""

import lab
from lab import config
from lab.api import make_plan
from lab.plan import Run
from lab.results import labels
from lab.table import Column, Table


class Config(config.ExperimentConfig):
    """The usual tables."""

    loss: config.LossField
    starts: config.StartsField
    run: config.RunSection = config.RunSection()
    optimizers: config.OptimizersField
    lanes: int = 64


def plans(config):
    """One sweep for each optimizer."""
    run = Run(**config.run.model_dump(), seed=config.seed, precision=config.precision)
    return {
        label: make_plan(config.loss, optimizer, config.starts, run)
        for label, optimizer in config.optimizers.items()
    }


def compute(config, session):
    """Sweep them all."""
    for label, plan in plans(config).items():
        session.sweep(label, plan)


def checks(config, data):
    """There are as many lanes as expected."""
    counted = sum(data[label].outcome.size for label in labels(data))
    return [lab.Check("lanes", config.lanes, counted, tolerance=0, source="arithmetic")]


def summary(data):
    """The labels."""
    return Table((Column("label", "optimizer", "", ""),), tuple({"label": x} for x in labels(data)))


outcomes = summary


def verdict(data):
    """Nothing of interest."""
    return "Some."


def figures(data):
    """None."""
    return {}
'''

runner = CliRunner()


def invoke(*words):
    """The command, in this process; what it prints must be free of control characters."""
    result = runner.invoke(app, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "\x1b" not in result.output
    assert "\r" not in result.output
    return result


def refused(*words):
    """What the command says against it; it must leave no trace."""
    before = sorted(Path().rglob("[!_]*"))
    result = invoke(*words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert sorted(path for path in Path().rglob("[!_]*") if path.suffix != ".pyc") == before
    return result.stderr


def write_bare(folder, text=BARE):
    """`bare.toml` and the experiment beside it."""
    (folder / "bare.toml").write_text(text)
    (folder / "bare.py").write_text(BARE_PY)

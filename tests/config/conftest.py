"""What the tests of configs share: a good config, a model for it, and the faults of a bad one."""

from pathlib import Path

import pytest

from lab.config import (
    ConfigError,
    ExperimentConfig,
    LossField,
    OptimizersField,
    RunSection,
    StartsField,
    SweepField,
    load,
)

EXPERIMENTS = ["descent", "plane", "limits"]


class Config(ExperimentConfig):
    loss: LossField
    starts: StartsField
    run: RunSection = RunSection()
    optimizers: OptimizersField
    at: SweepField | None = None


class Small(ExperimentConfig):
    run: RunSection = RunSection()
    at: SweepField | None = None
    tables: dict[str, RunSection] | None = None


GOOD = """\
experiment = "descent"
[loss]
name = "rosenbrock"
[starts]
grid = { low = [-2, -1], high = [2, 3], shape = [4, 4] }
[run]
steps = 10
[optimizers.sgd]
learning_rate = 1e-3
"""


@pytest.fixture(scope="session")
def good():
    return GOOD


@pytest.fixture(scope="session")
def full():
    """The model of an experiment with all the usual tables."""
    return Config


@pytest.fixture(scope="session")
def small():
    """The model of an experiment without losses, starts and optimizers."""
    return Small


@pytest.fixture(scope="session")
def data():
    return Path(__file__).parent / "data"


@pytest.fixture
def config(tmp_path):
    """A config with this text below its first line."""

    def write(text, *overrides, smoke=False):
        path = tmp_path / "some.toml"
        path.write_text(f'experiment = "descent"\n{text}')
        return load(path, overrides, smoke)

    return write


@pytest.fixture
def faults(tmp_path, monkeypatch):
    """The messages that a text gives as `bad.toml`, without the lines shown below them."""
    monkeypatch.chdir(tmp_path)

    def found(text, *words, smoke=False, shown=False, model=Config):
        data = text if isinstance(text, bytes) else text.encode()
        Path("bad.toml").write_bytes(data)
        try:
            load("bad.toml", words, smoke, EXPERIMENTS).validate(model)
        except ConfigError as error:
            lines = str(error).split("\n")
            return lines if shown else [line for line in lines if not line.startswith("    ")]
        return []

    return found

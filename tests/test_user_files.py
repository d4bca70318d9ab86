"""Somebody else's losses, optimizers, experiments and configs, in an empty folder of theirs."""

import subprocess
from pathlib import Path

import pytest
from tiny import BARE, LAB, TINY, invoke

import lab

pytest_plugins = ["tiny_homes"]

LOSSES = '''\
"""My losses."""

import jax.numpy as jnp


def valley(x, steepness=10.0):
    """A valley along the parabola y = x^2."""
    return (1 - x[0]) ** 2 + steepness * (x[1] - x[0] ** 2) ** 2 + 0 * jnp.sum(x)
'''

OPTIMIZERS = '''\
"""My optimizers."""

import optax


def clipped(learning_rate, limit=1.0):
    """Gradient descent with clipped gradients."""
    return optax.chain(optax.clip(limit), optax.sgd(learning_rate))
'''

CONFIG = TINY.replace('"three_wells"', '"my_losses.py:valley"\nsteepness = [5.0, 10.0]').replace(
    'name = "sgd"', 'name = "my_optimizers.py:clipped"\nlimit = 0.5'
)


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my_losses.py").write_text(LOSSES)
    Path("my_optimizers.py").write_text(OPTIMIZERS)
    Path("mine.toml").write_text(CONFIG)


def test_losses_and_optimizers(own):
    done = subprocess.run([LAB, "run", "mine.toml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.splitlines() == ["mine.toml: Which of two?", "drawing figures"]
    run = lab.open("runs/mine")
    assert dict(run.data["SGD"].final_loss.sizes) == {
        "steepness": 2,
        "learning_rate": 4,
        "start": 16,
    }
    assert set(run.manifest["identity"]["files"]) == {"my_losses.py", "my_optimizers.py"}
    assert lab.run("mine.toml").manifest == run.manifest

    Path("my_losses.py").write_text(LOSSES.replace("1 -", "2 -"))
    refused = invoke("run", "mine.toml")
    assert refused.exit_code == 2
    assert "my_losses.py: edited" in refused.stderr
    assert invoke("show", "runs/mine").exit_code == 0


def test_a_formula_and_an_experiment_in_a_folder_below(home):
    Path("below").mkdir()
    Path("bare.py").rename("below/mine.py")
    text = BARE.replace("bare.py", "below/mine.py").replace(
        'name = "three_wells"', 'formula = "x**2 + a*y**4"\na = 3.0'
    )
    Path("bare.toml").write_text(text)
    result = invoke("run", "bare.toml")
    assert result.exit_code == 0
    run = lab.open("runs/bare")
    assert set(run.manifest["identity"]["files"]) == {"below/mine.py"}
    assert run.data["SGD"].final_loss.shape == (4, 16)
    assert dict(run.figures) == {}


def test_another_folder_than_the_configs(own, tmp_path, monkeypatch):
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    result = invoke("check", "../mine.toml")
    assert result.exit_code == 0
    assert "../mine.toml is valid" in result.stdout

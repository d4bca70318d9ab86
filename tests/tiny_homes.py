"""Folders to run tiny configs in; a test file asks for them by `pytest_plugins`."""

import os
import shutil
import subprocess
from pathlib import Path

import filelock
import pytest
from tiny import BARE_PY, LAB, TINY, write_bare

FILES = {
    "my.py": """\
import jax.numpy as jnp
import optax
def raises(x):
    raise RuntimeError("boom")
def vector(x): return 2 * x
def branches(x): return x[0] if x[0] > 0 else x[1]
def needs(x, width): return width * jnp.sum(x)
def good(x): return jnp.sum(x**2)
def no_optimizer(learning_rate): return 3
def stuck(learning_rate):
    def update(g, s, p=None): raise RuntimeError("bang")
    return optax.GradientTransformation(lambda p: (), update)
""",
    "fails.py": "x = 1\nraise ValueError('at import')\n",
    "syntax.py": "def f(x:\n",
    "exits.py": "raise SystemExit(3)\n",
    "lacks.py": "Config = checks = print\n",
    "other.py": BARE_PY.replace("(config.ExperimentConfig)", ""),
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder to work in, with `bare.toml` and its experiment."""
    monkeypatch.chdir(tmp_path)
    write_bare(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def finished_home(tmp_path_factory):
    """Where `lab run tiny.toml` has finished, once for all test processes; not to be changed."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    with filelock.FileLock(f"{home}.lock"):
        if not home.exists():
            home.mkdir()
            (home / "tiny.toml").write_bytes(TINY.encode())
            words = [LAB, "run", "tiny.toml", "optimizers.SGD.learning_rate.count=5"]
            done = subprocess.run(words, cwd=home, capture_output=True, text=True)
            (home / "said.txt").write_text(done.stderr)
            (home / "shown.txt").write_text(done.stdout)
            (home / "code.txt").write_text(str(done.returncode))
    return home


@pytest.fixture
def finished(finished_home, tmp_path, monkeypatch):
    """A copy of the finished run's folder, to work in."""
    home = tmp_path / "home"
    shutil.copytree(finished_home, home)
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of files that are wrong in many ways."""
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)

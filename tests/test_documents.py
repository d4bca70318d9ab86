"""README and CONTRIBUTING say what works: their code runs, their configs validate."""

import re
from pathlib import Path

import pytest

from lab.config import load
from lab.experiment import load_experiment

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md")


def blocks(document, language):
    text = (ROOT / document).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_python_of_the_readme_runs_as_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("README.md", "python")
    exec(compile(code, "README.md", "exec"), {})
    assert "True" in capsys.readouterr().out  # every check of the smoke run holds
    assert (tmp_path / "sensitivity.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("document", DOCUMENTS)
def test_whole_configs_validate(document, tmp_path):
    whole = [block for block in blocks(document, "toml") if "experiment =" in block]
    assert whole
    config = load_experiment(ROOT / "experiments" / "descent.py").Config
    for block in whole:
        path = tmp_path / "config.toml"
        path.write_text(block)
        assert load(path, experiments=["descent"]).validate(config).optimizers


def test_the_users_own_optimizer_of_contributing_works(tmp_path):
    (code,) = [block for block in blocks("CONTRIBUTING.md", "python") if "import optax" in block]
    (table,) = [block for block in blocks("CONTRIBUTING.md", "toml") if "my_optimizers" in block]
    (tmp_path / "my_optimizers.py").write_text(code)
    path = tmp_path / "own.toml"
    path.write_text(
        'experiment = "descent"\n[loss]\nname = "beale"\n[starts]\npoints = [[1.0, 1.0]]\n' + table
    )
    config = load_experiment(ROOT / "experiments" / "descent.py").Config
    swept = load(path, experiments=["descent"]).validate(config).optimizers["mine"].swept
    assert {key: len(values) for key, values in swept.items()} == {"learning_rate": 32, "bound": 3}


def test_the_new_loss_of_contributing_keeps_the_contract():
    import jax
    import jax.numpy as jnp

    from lab.losses.base import Point, Scalar, surface

    (code,) = [block for block in blocks("CONTRIBUTING.md", "python") if "@surface" in block]
    names = {"surface": surface, "Point": Point, "Scalar": Scalar}
    exec(compile(code, "CONTRIBUTING.md", "exec"), names)
    booth = names["booth"]()
    assert float(booth(jnp.asarray(booth.minima()[0]))) == booth.minimum() == 0.0
    assert not jnp.any(jax.grad(booth)(jnp.asarray([1.0, 3.0])))


def test_every_named_file_is_there():
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        named = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(
            r"`((?:lab|tests|experiments)/[\w/.]+)`", text
        )
        missing = [name for name in named if not (ROOT / name).exists()]
        assert not missing, (document, missing)

"""Configs that are right: what they become, and where their keys stand."""

import subprocess
import sys

import numpy as np
import pytest

from lab.config import ConfigError, RunSection, load
from lab.config.fields import label_faults
from lab.config.messages import key_text, show
from lab.config.positions import lines


@pytest.fixture(scope="module")
def example(data):
    return load(data / "example.toml", experiments=["descent", "plane"])


@pytest.fixture(scope="module")
def built(example, full):
    return example.validate(full)


def test_example_head_and_run(example, built, data):
    assert example.experiment == built.experiment == "descent"
    assert example.folder == data
    assert example.text.encode() == (data / "example.toml").read_bytes()
    assert "smoke" not in example.table
    assert built.title == "Which step sizes work on the Rosenbrock valley?"
    assert (built.seed, built.precision) == (0, "float32")
    assert built.run == RunSection(
        steps=1000,
        seeds=1,
        targets=(1e-2, 1e-4, 1e-6),
        diverged_above=1e8,
        keep="lanes",
        backend="auto",
        block=65536,
    )


def test_example_loss_and_starts(built):
    assert (built.loss.name, built.loss.dimension) == ("rosenbrock", 2)
    assert built.loss.parameters["b"] == 100.0
    assert float(built.loss([1.0, 1.0])) == 0.0
    assert (built.starts.count, built.starts.dimension) == (512 * 512, 2)
    assert built.starts.shape == (512, 512)


def test_example_optimizers(built):
    adam, clipped = built.optimizers["adam"], built.optimizers["clipped"]
    assert list(built.optimizers) == ["sgd", "heavy ball", "adam", "clipped", "mine"]
    assert {label: o.label for label, o in built.optimizers.items()} == {
        label: label for label in built.optimizers
    }
    sgd = built.optimizers["sgd"].swept
    np.testing.assert_array_equal(sgd["learning_rate"], np.geomspace(1e-5, 1.0, 200))
    heavy = built.optimizers["heavy ball"]
    assert heavy.name == "sgd"
    assert {key: each.tolist() for key, each in heavy.swept.items()} == {
        "momentum": [0.5, 0.9, 0.99]
    }
    assert not adam.swept and not clipped.swept


def test_example_smoke(full, data):
    document = load(data / "example.toml", smoke=True)
    assert document.validate(full).run.steps == 20
    assert load(data / "example.toml").table["run"]["steps"] == 1000


def test_ready_objects_pass_as_they_are(built, full):
    again = full(
        experiment="descent",
        loss=built.loss,
        starts=built.starts,
        optimizers=built.optimizers,
    )
    assert again.loss is built.loss
    assert again.starts is built.starts
    assert again.optimizers == built.optimizers


def test_a_plain_function_is_a_loss_without_dimension(config, tmp_path, full):
    (tmp_path / "my.py").write_text("def bowl(x, a=1.0):\n    return a * (x * x).sum()\n")
    text = '[loss]\nname = "my.py:bowl"\na = [1, 2]\n[starts]\npoints = [[1, 2, 3]]\n'
    found = config(f"{text}[optimizers.sgd]\nlearning_rate = 0.1").validate(full)
    assert found.loss.dimension is None
    assert found.loss.swept["a"].tolist() == [1.0, 2.0]


def test_reading_a_config_does_not_import_jax(data):
    program = (
        "import sys; import lab.config; "
        f"lab.config.load({str(data / 'example.toml')!r}).table; "
        "sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Lines ------------------------------

SPELLINGS = r"""#:schema lab.schema.json
a = 1
"b c".'d'.e = { x = 1, y.z = [1, { q = 2 }] }

[t."u v"]     # a table
'w.x' = '''
text'''
[[k]]
n = 1
[[k]]
n = 2
[k.sub]
"\u00e9" = 1
[[k.more]]
p = [
  { name = "x" },  # first

  { name = "y" },
]
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("b c",), 3),
        (("b c", "d", "e"), 3),
        (("b c", "d", "e", "y", "z", 1, "q"), 3),
        (("t",), 5),
        (("t", "u v"), 5),
        (("t", "u v", "w.x"), 6),
        (("k", 0), 8),
        (("k", 0, "n"), 9),
        (("k", 1), 10),
        (("k", 1, "n"), 11),
        (("k", 1, "sub"), 12),
        (("k", 1, "sub", "é"), 13),
        (("k", 1, "more", 0), 14),
        (("k", 1, "more", 0, "p"), 15),
        (("k", 1, "more", 0, "p", 0, "name"), 16),
        (("k", 1, "more", 0, "p", 1), 18),
    ],
    ids=str,
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_lines(path, line, ends):
    assert lines(SPELLINGS.replace("\n", ends))[path] == line


def test_a_byte_order_mark_is_no_harm(tmp_path, small):
    path = tmp_path / "some.toml"
    path.write_bytes(b'\xef\xbb\xbfexperiment = "descent"\r\nseed = 3\r\n')
    document = load(path)
    assert document.validate(small).seed == 3
    assert document.text.encode() == path.read_bytes()


# Words ------------------------------


def test_key_text_quotes_what_toml_quotes():
    assert key_text(("a", "heavy ball", "b-1", 0, "x.y")) == 'a."heavy ball".b-1.0."x.y"'


def test_show_is_nearly_toml():
    assert show({"a": [True, 1e-3, "x"]}) == "{a = [true, 0.001, 'x']}"
    assert len(show(list(range(1000)))) == 60
    assert show(10**50) == "a number of more than 40 digits"


@pytest.mark.parametrize("label", ["adam", "heavy ball", "a.b", "Ωμέγα", "a_b", "1e-3"])
def test_good_labels(label):
    assert not label_faults(label)


def test_a_config_error_is_a_lab_error():
    from lab.errors import LabError

    assert issubclass(ConfigError, LabError)

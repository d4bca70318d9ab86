"""The figures of backpropagation: their checks hold, and fail where the mathematics is broken."""

from pathlib import Path

import numpy as np
import pytest

import lab
from lab import plots
from lab.calculus import depth, tape, trainability
from lab.config import ConfigError
from lab.plots.graph import Vertex, layers, places

pytestmark = pytest.mark.usefixtures("quick_compiles", "unpictured")
CONFIGS = Path(__file__).parents[1] / "configs" / "course" / "09_backpropagation"
NAMES = ("backprop_graph", "reverse_vs_forward", "vanishing_gradients", "trainability_map")


def run(name, folder, **overrides):
    return lab.run(CONFIGS / f"{name}.toml", overrides, out=folder, smoke=True)


def failed(result):
    return [check.name for check in result.checks if not check.passed]


@pytest.mark.parametrize("name", NAMES)
def test_the_checks_hold(name, tmp_path):
    result = run(name, tmp_path)
    assert failed(result) == [] and name in result.figures
    assert result.figures[name].alt and result.manifest["verdict"]


def test_a_wrong_rule_on_the_tape_is_found(tmp_path, monkeypatch):
    wrong = tape.Rule(tape.RULES["**"].value, (lambda m, v, a, b: b * a**b,) * 2)
    monkeypatch.setitem(tape.RULES, "**", wrong)
    found = failed(run("backprop_graph", tmp_path))
    assert "backprop_graph: adjoint of w" in found
    assert "backprop_graph: tape beside jax.grad" in found
    assert not any("value of" in name for name in found)


def test_adjoints_that_are_not_summed_are_found(tmp_path, monkeypatch):
    def last_use_only(self, outputs, seeds):
        found = [0.0] * len(self.values)
        for output, seed in zip(outputs, seeds, strict=True):
            found[output.index] = seed
        for index in reversed(range(len(found))):
            for argument, local in self.edges[index]:
                found[argument] = found[index] * local
        return found

    monkeypatch.setattr(tape.Tape, "walk_back", last_use_only)
    found = failed(run("reverse_vs_forward", tmp_path))
    assert "both modes beside the Jacobian written out" in found
    assert "reverse: operations beside those counted on paper" in found


def test_a_wrong_activation_is_found(tmp_path, monkeypatch):
    right = depth.jax.nn.relu
    monkeypatch.setattr(depth.jax.nn, "relu", lambda z: right(z) + 0.1 * z)
    found = failed(run("vanishing_gradients", tmp_path))
    assert "signal: mean square ratio of a layer over D var / 2" in found


def test_a_wrong_plain_loop_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(trainability, "np", Bent())
    found = failed(run("trainability_map", tmp_path))
    assert any("agree" in name for name in found)


class Bent:
    """NumPy with a tanh that is four times too small: its loop trains where it must not."""

    def __getattr__(self, name):
        return (lambda x: np.tanh(x) / 4) if name == "tanh" else getattr(np, name)


@pytest.mark.parametrize(
    ("name", "overrides", "told"),
    [
        ("backprop_graph", {"graphs.scalar_chain.steps.f": "beta3 + nu"}, "names 'nu', which"),
        ("backprop_graph", {"graphs.backprop_graph.adjoints.q": 1.0}, "names no node"),
        ("backprop_graph", {"networks.widths": [2, 2]}, "the last width is of the output"),
        ("vanishing_gradients", {"scales": [1.0, 1.5]}, "both sides of 2"),
        ("trainability_map", {"windows.nearer.first": [2.0, 1.0]}, "low end must be below"),
        ("reverse_vs_forward", {"sizes": [4]}, "sizes"),
    ],
)
def test_what_is_refused(name, overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        run(name, tmp_path, **overrides)


def vertices():
    return [
        Vertex("p", "", 1.0, 2.0),
        Vertex("q", "", 1.0, -0.0),
        Vertex("a", "p²", 1.0, 2.0, ("p",)),
        Vertex("f", "a + q", 2.0, 1.0, ("a", "q")),
    ]


def test_a_graph_is_laid_out_in_layers():
    assert [[v.name for v in layer] for layer in layers(vertices())] == [["p"], ["q", "a"], ["f"]]
    at = places(vertices())
    assert at["p"][1] == at["a"][1] == at["f"][1] > at["q"][1]
    assert at["p"][0] < at["a"][0] == at["q"][0] < at["f"][0]


def test_a_graph_tells_its_numbers():
    partials = {("p", "a"): 2.0, ("a", "f"): 1.0, ("q", "f"): 1.0}
    figure = plots.graph("t", vertices(), partials, caption="c", alt="a")
    figure.settle()
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written.count("a + q") == 1 and "0" in written and "-0" not in written
    assert figure.rows[2] == ("a", "p²", 1.0, 2.0)

"""Topic 1 of the course: functions, how straight they are from close by, and activations."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import lab
from lab.batch import batched
from lab.calculus import function, zoom
from lab.calculus.activations import ACTIVATIONS, activate
from lab.calculus.zoom import departure
from lab.config import ConfigError

pytestmark = pytest.mark.usefixtures("unpictured")
ZOOM, ACTIVATE = "course/01_functions/zoom_line", "course/01_functions/activations"
X = np.linspace(-6, 6, 101)
PHI = np.exp(-(X**2) / 2) / math.sqrt(2 * math.pi)
BY_SCIPY = {
    "ReLU": (np.maximum(X, 0), (X > 0) * 1.0),
    "sigmoid": (special.expit(X), special.expit(X) * special.expit(-X)),
    "tanh": (np.tanh(X), 1 / np.cosh(X) ** 2),
    "GELU": (X * special.ndtr(X), special.ndtr(X) + X * PHI),
    "softplus": (np.log1p(np.exp(X)), special.expit(X)),
    "swish": (X * special.expit(X), special.expit(X) * (1 + X * special.expit(-X))),
}


def failures(result):
    return [check.name for check in result.checks if not check.passed]


def test_activations_and_their_slopes_are_scipys():
    found = batched(activate, X)
    assert set(found) == set(BY_SCIPY)
    for name, expected in BY_SCIPY.items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-12, atol=1e-14, err_msg=name)


def test_departure_of_a_parabola_is_the_square_of_the_width(float64):
    found = departure(function("3*x**2 - x"), jnp.array(0.7), jnp.array([0.25, 0.01])[0])
    assert float(found) == pytest.approx(3 * 0.25**2, rel=1e-12)
    assert np.isnan(departure(function("sqrt(x)"), jnp.array(0.1), jnp.array(0.2)))


def test_departure_is_the_plain_loops():
    f = function("sin(x**x)")
    centres, widths = np.linspace(1.1, 2.9, 7), np.geomspace(0.5, 0.01, 7)
    found = batched(partial(departure, f), centres, widths)
    for x, w, value in zip(centres, widths, found, strict=True):
        slope = math.cos(x**x) * x**x * (1 + math.log(x))
        gaps = [
            abs(math.sin((x + t) ** (x + t)) - math.sin(x**x) - slope * t)
            for t in np.linspace(-w, w, zoom.SAMPLES)
        ]
        assert value == pytest.approx(max(gaps), rel=1e-9)


@pytest.fixture(scope="module")
def zoomed(tmp_path_factory):
    return lab.run(ZOOM, out=tmp_path_factory.mktemp("zoom"), smoke=True)


def test_the_zoom(zoomed):
    assert not failures(zoomed) and len(zoomed.checks) == 7
    assert list(zoomed.figures) == ["zoom_line"]
    assert len(zoomed.figures["zoom_line"].axes) == 12
    rows = zoomed.table.rows
    assert [round(row["power"], 1) for row in rows] == [2.0, 2.0, 1.0]


def test_a_wrong_tangent_fails_the_zoom(monkeypatch, tmp_path):
    """With a slope that is off by 0.1, the curve leaves the line with the width itself."""

    def wrong(f, x, w):
        return departure(f, x, w) + 0.1 * w

    monkeypatch.setattr(zoom, "departure", wrong)
    failed = failures(lab.run(ZOOM, out=tmp_path, smoke=True))
    assert any("x² + 2x + 2: power of the width that the departure at -1" in n for n in failed)
    assert any("sin(x^x): the same, median" in n for n in failed)
    assert any("|x|: departure at 0" in n for n in failed)


def test_activations(tmp_path):
    result = lab.run(ACTIVATE, out=tmp_path, smoke=True)
    assert not failures(result) and len(result.checks) == 17
    assert list(result.figures) == ["activations", "vanishing"]
    assert "at most 0.25 of a gradient" in result.manifest["verdict"]


def test_wrong_activations_fail(monkeypatch, tmp_path):
    monkeypatch.setitem(ACTIVATIONS, "sigmoid", lambda x: jax.nn.sigmoid(1.1 * x))
    monkeypatch.setitem(ACTIVATIONS, "GELU", jax.nn.gelu)  # the approximation by tanh
    failed = failures(lab.run(ACTIVATE, out=tmp_path, smoke=True))
    assert "sigmoid: largest slope" in failed
    assert "softplus: slope minus sigmoid, largest" in failed
    assert "sigmoid, float32: last x with a slope" in failed
    assert "tanh: largest slope" not in failed


@pytest.mark.parametrize(
    ("config", "overrides", "told"),
    [
        (ACTIVATE, {"window": [1.0, -1.0]}, "the low end must be below the high end"),
        (ZOOM, {"widths": [0.1, 0.2, 0.3, 0.4]}, "each smaller than the one before"),
        (ZOOM, {"count": 1}, "greater than or equal to 2|at least 2"),
    ],
)
def test_what_is_refused(config, overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        lab.run(config, overrides, out=tmp_path)

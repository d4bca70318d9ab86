"""The figures of vector calculus: their checks hold, and fail when the mathematics is wrong."""

import numpy as np
import pytest

import lab
from lab.calculus import fields, vectors
from lab.config import ConfigError

pytestmark = pytest.mark.usefixtures("quick_compiles", "unpictured")
TOPIC = "configs/course/05_vector_calculus"
COUNTS = {
    "vector_operations": 12,
    "div_curl": 22,
    "line_integral_green": 11,
    "flow_and_descent": 9,
}


def smoke(name, out, overrides=None):
    return lab.run(f"{TOPIC}/{name}.toml", overrides or {}, out=out, smoke=True)


@pytest.mark.parametrize("name", COUNTS)
def test_the_checks_hold(name, tmp_path):
    result = smoke(name, tmp_path)
    assert result.passed and len(result.checks) == COUNTS[name]
    assert list(result.figures) == [name]
    if name == "flow_and_descent":
        assert result.figures[name].animation.count == 3
        first, last = (result.data["_flows"]["path"].values[:, :, step] for step in (0, -1))
        far = np.linalg.norm(last, axis=-1) / np.linalg.norm(first, axis=-1)
        assert (far[:, :2] < 2e-3).all() and (far[:, 2] > 0.999).all() and (far[:, 3] > 1.6).all()


def failing(name, out):
    return [check.name for check in smoke(name, out).checks if not check.passed]


def test_a_curl_of_the_wrong_sign_is_caught(tmp_path, monkeypatch):
    right = fields.curl
    monkeypatch.setattr(fields, "curl", lambda field, point: -right(field, point))
    caught = failing("line_integral_green", tmp_path)
    assert caught == ["circulation against curl inside: worst gap over 200 random loops"]


def test_a_stencil_over_the_wrong_distance_is_caught(tmp_path, monkeypatch):
    right = fields.laplacian_stencil
    wrong = lambda f, point, h: right(f, point, h) * 1.01  # noqa: E731
    monkeypatch.setattr(fields, "laplacian_stencil", wrong)
    assert failing("div_curl", tmp_path) == ["grad exp(−r²): order of the laplacian's stencil"]


def test_a_left_handed_cross_product_is_caught(tmp_path, monkeypatch):
    right = vectors.cross

    def wrong(a, b):
        return right(a, b) if a.shape == (2,) else right(a, b).at[1].multiply(-1)

    monkeypatch.setattr(vectors, "cross", wrong)
    caught = failing("vector_operations", tmp_path)
    assert any("(a x b) . a = (a x b) . b = 0" in name for name in caught)


@pytest.mark.parametrize(
    ("name", "overrides", "told"),
    [
        ("vector_operations", {"b": [2.0, 4.0]}, "lie on one line"),
        ("div_curl", {"cases": [{"title": "t", "divergence": 0, "curl": 0}]}, "give either"),
        ("div_curl", {"heat_side": 15}, "heat_side"),
        ("flow_and_descent", {"rate": -0.1}, "rate"),
        ("flow_and_descent", {"frames": 101}, "frames"),
    ],
)
def test_what_is_refused(name, overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        smoke(name, tmp_path, overrides)

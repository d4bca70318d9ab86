"""The figures of partial derivatives: their checks hold, and fail when the mathematics is wrong."""

import jax.numpy as jnp
import pytest

import lab
from lab.calculus import partial as room
from lab.config import ConfigError

pytestmark = pytest.mark.usefixtures("quick_compiles", "unpictured")
TOPIC = "configs/course/04_partial_derivatives"
COUNTS = {
    "partial_slices": 12,
    "gradient_quiver": 4,
    "directional_derivative": 4,
    "hessian_classify": 17,
    "quadratic_model": 4,
}


def smoke(name, out, overrides=None):
    return lab.run(f"{TOPIC}/{name}.toml", overrides or {}, out=out, smoke=True)


@pytest.mark.parametrize("name", COUNTS)
def test_the_checks_hold(name, tmp_path):
    result = smoke(name, tmp_path)
    assert result.passed and len(result.checks) == COUNTS[name]
    assert list(result.figures) == [name]


def failing(name, out):
    return [check.name for check in smoke(name, out).checks if not check.passed]


def test_a_gradient_along_the_contours_is_caught(tmp_path, monkeypatch):
    right = room.gradient
    turned = lambda f, p: jnp.stack([-right(f, p)[1], right(f, p)[0]])  # noqa: E731
    monkeypatch.setattr(room, "gradient", turned)
    caught = failing("gradient_quiver", tmp_path)
    assert sum("worst departure from 90 degrees" in name for name in caught) == 2


def test_a_partial_derivative_of_the_wrong_variable_is_caught(tmp_path, monkeypatch):
    right = room.partial_derivative
    monkeypatch.setattr(room, "partial_derivative", lambda f, p, index: right(f, p, 1 - index))
    caught = failing("partial_slices", tmp_path)
    assert "dV/dr of pi·x²·y at (3, 5)" in caught
    assert not any("read off" in name for name in caught)


def test_minima_taken_for_maxima_are_caught(tmp_path, monkeypatch):
    right = room.classify
    swapped = lambda f, p, tolerance: right(lambda *x: -f(*x), p, tolerance)  # noqa: E731
    monkeypatch.setattr(room, "classify", swapped)
    caught = failing("hessian_classify", tmp_path)
    assert "Himmelblau: how many are minimum" in caught
    assert not any("saddle" in name.split(":")[1] for name in caught)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"window": [[1.0, 0.0], [0.0, 1.0]]}, "the low end must be below the high end"),
        ({"function": "x**2"}, "give a formula in two variables, x and y"),
        ({"function": "sine(x)*y"}, "sine"),
        ({"at": [[1.0]]}, "at"),
    ],
)
def test_what_is_refused(overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        smoke("directional_derivative", tmp_path, overrides)


def test_a_degenerate_point_needs_its_index(tmp_path):
    known = [{"at": [0.0, 0.0], "kind": "degenerate"}]
    cases = [{"function": "x**3 - 3*x*y**2", "window": [[-1.0, 1.0], [-1.0, 1.0]], "known": known}]
    with pytest.raises(ConfigError, match="needs the turns of its gradient"):
        smoke("hessian_classify", tmp_path, {"cases": cases})

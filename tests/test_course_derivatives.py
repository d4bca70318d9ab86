"""Derivatives: the room against closed forms, the figures' checks, and that they can fail."""

import builtins
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lab
from lab.calculus import derivatives as d
from lab.calculus import function, symbolic, taylor
from lab.config import ConfigError
from lab.errors import LabError

CONFIGS = "configs/course/03_derivatives/"

pytestmark = pytest.mark.usefixtures("quick_compiles", "unpictured")


def run(name, folder, **overrides):
    return lab.run(f"{CONFIGS}{name}.toml", overrides, out=folder, smoke=True)


def failed(result):
    return [check.name for check in result.checks if not check.passed]


# The room


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("method", "order", "constant"),
    [
        (d.forward_difference, 1, 1 / 2),
        (d.backward_difference, 1, -1 / 2),
        (d.central_difference, 2, 1 / 6),
        (d.five_point_difference, 4, -1 / 30),
        (d.complex_step, 2, -1 / 6),
    ],
)
def test_the_error_of_a_difference_is_its_leading_term(method, order, constant):
    """All derivatives of exp at 0 are 1."""
    h = 1e-2
    error = float(method(jnp.exp, jnp.asarray(0.0), jnp.asarray(h))) - 1
    assert error == pytest.approx(constant * h**order, rel=0.02)


@pytest.mark.usefixtures("float64")
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=6), st.integers(-3, 3), st.integers(0, 3))
def test_higher_orders_are_those_of_numpys_polynomials(coefficients, x, order):
    polynomial = np.polynomial.Polynomial(coefficients)
    f = lambda t: sum(c * t**k for k, c in enumerate(coefficients)) + 0 * t  # noqa: E731
    with jax.disable_jit():
        found = d.derivative(f, order)(jnp.asarray(float(x)))
    assert float(found) == float(polynomial.deriv(order)(x) if order else polynomial(x))


def test_values_are_rounded_to_the_precision_of_the_argument():
    x = jnp.asarray(1.0, jnp.bfloat16)
    assert float(jax.jit(d.rounding(lambda x: x / 3))(x)) == float(jnp.bfloat16(1 / 3))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("x**4", 0.0, "minimum"),
        ("-x**4", 0.0, "maximum"),
        ("x**3", 0.0, "level inflection"),
        ("cos(x)", math.pi, "minimum"),
        ("0*x", 0.0, "flat"),
    ],
)
def test_kinds(text, x, expected):
    assert d.KINDS[int(d.kind(function(text), jnp.asarray(x)))] == expected


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("exp(x)", 0.0, lambda k: 1 / math.factorial(k)),
        ("sin(x)", 0.0, lambda k: [0, 1, 0, -1][k % 4] / math.factorial(k)),
        ("cos(2*x)", 0.0, lambda k: [1, 0, -1, 0][k % 4] * 2.0**k / math.factorial(k)),
        ("log(x)", 1.0, lambda k: -((-1) ** k) / k if k else 0),
        ("1 / (1 + x**2)", 0.0, lambda k: [1, 0, -1, 0][k % 4]),
        ("x**-1", 2.0, lambda k: (-1) ** k / 2.0 ** (k + 1)),
        ("(1 + x)**5", 0.0, lambda k: math.comb(5, k)),
        ("exp(x) / (1 - x)", 0.0, lambda k: sum(1 / math.factorial(j) for j in range(k + 1))),
    ],
)
def test_taylor_coefficients_are_those_of_the_series_up_to_60(text, x, expected):
    found = jax.jit(partial(taylor.taylor_coefficients, function(text), degree=60))(x)
    np.testing.assert_allclose(found, [expected(k) for k in range(61)], rtol=1e-11, atol=1e-100)


@pytest.mark.usefixtures("float64")
def test_taylor_coefficients_are_nested_gradients():
    f = function("exp(sin(x)) * sqrt(1 + x)")
    found = taylor.taylor_coefficients(f, jnp.asarray(0.3), 3)
    nested = [float(d.derivative(f, k)(0.3)) / math.factorial(k) for k in range(4)]
    np.testing.assert_allclose(found, nested, rtol=1e-12)


def test_what_has_no_taylor_rule_is_told():
    with pytest.raises(LabError, match=r"'abs\(x\)' has no Taylor rule for abs"):
        taylor.taylor_coefficients(function("abs(x)"), jnp.asarray(1.0), 3)


def test_a_formula_is_the_same_in_sympy():
    f, x = function("exp(-x**2)/3 + 0.5*sin(x) - 2"), symbolic.symbol()
    written = symbolic.compiled(symbolic.expression(f, x), x, "numpy")
    at = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(written(at), np.exp(-(at**2)) / 3 + np.sin(at) / 2 - 2, rtol=1e-14)


# The figures

FIGURES = {
    "secant_tangent": ["secant_tangent"],
    "fd_u_curve": ["fd_u_curve"],
    "diff_methods_cost": ["diff_methods_cost"],
    "taylor": ["taylor", "taylor_error"],
    "critical_points": ["critical_points"],
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_checks_of_a_figure_hold(name, tmp_path):
    result = run(name, tmp_path)
    assert result.checks and not failed(result)
    assert list(result.figures) == FIGURES[name]


def backwards(f, x, h):
    return (f(x) - f(x - h)) / h


def test_a_backward_difference_is_no_forward_difference(tmp_path, monkeypatch):
    monkeypatch.setattr(d, "forward_difference", backwards)
    assert len(failed(run("secant_tangent", tmp_path))) == 6


def test_a_one_sided_difference_is_no_central_difference(tmp_path, monkeypatch):
    monkeypatch.setattr(d, "central_difference", backwards)
    found = failed(run("fd_u_curve", tmp_path))
    assert "exp(x), float64, central: power of h above the best step" in found
    assert not [name for name in found if "forward" in name]


def test_a_wrong_series_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setitem(taylor.RULES, "sin", taylor.cosine)
    found = failed(run("taylor", tmp_path))
    assert len(found) == 18 and all("sin" in name for name in found)


def test_a_wrong_second_derivative_makes_wrong_kinds(tmp_path, monkeypatch):
    right = d.derivatives
    monkeypatch.setattr(d, "derivatives", lambda f, x, order: -right(f, x, order))
    found = failed(run("critical_points", tmp_path))
    assert "x² + 3x + 4: points of the known kind" in found


def test_a_wrong_symbolic_derivative_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setitem(symbolic.OPERATORS, "-", lambda a, b: a + b)
    found = failed(run("diff_methods_cost", tmp_path))
    assert len(found) == 3 and all("nested" in name for name in found)


def test_without_sympy_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "sympy":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LabError, match=r"pip install 'gradient-descent-lab\[symbolic\]'"):
        run("diff_methods_cost", tmp_path)


@pytest.mark.parametrize(
    ("name", "overrides", "told"),
    [
        ("taylor", {"degrees": [1, 99]}, "goes up to degree 99, above highest = 12"),
        ("diff_methods_cost", {"window": [1.0, 0.0]}, "the low end must be below the high end"),
        (
            "secant_tangent",
            {"cases": [{"function": "x**2", "at": 1.0, "window": [0.0, 2.0], "second": [1.0]}]},
            "the second point must not be the point of the tangent",
        ),
        (
            "critical_points",
            {"cases": [{"function": "x**2", "window": [2.0, 0.0]}]},
            "the low end must be below the high end",
        ),
    ],
)
def test_what_is_refused(name, overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        lab.run(f"{CONFIGS}{name}.toml", overrides, out=tmp_path, smoke=True)

"""Integration and probability: rules against closed forms and scipy, and runs of the figures."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats
from unpictured import failed_checks

import lab
from lab.calculus import integrals, probability
from lab.calculus.integrals import legendre_rule, midpoint, riemann, romberg, simpson, trapezoid
from lab.config import ConfigError

FOLDER = "course/07_integration"
pytestmark = pytest.mark.usefixtures("quick_compiles", "unpictured")


@pytest.mark.usefixtures("float64")
class TestRules:
    def test_errors_of_exp_are_the_published_asymptotic_constants(self):
        exact, h = math.e - 1, 1 / 32
        found = {
            trapezoid: (h**2 / 12, 0.99998),
            midpoint: (-(h**2) / 24, 0.99997),
            simpson: (h**4 / 180, 0.99988),
        }
        for rule, (constant, expected) in found.items():
            ratio = (float(rule(jnp.exp, 0.0, 1.0, 32)) - exact) / (constant * exact)
            assert ratio == pytest.approx(expected, abs=1e-5)

    @pytest.mark.parametrize("at", [0.0, 0.3, 1.0])
    def test_a_riemann_sum_is_the_plain_loop(self, at):
        h = 3.0 / 7
        loop = sum(h * math.sin(1.0 + (i + at) * h) for i in range(7))
        assert float(riemann(jnp.sin, 1.0, 4.0, 7, at)) == pytest.approx(loop, rel=1e-14)

    def test_rules_agree_with_scipy(self):
        x = np.linspace(0.5, 2.0, 33)
        y = np.log(x)
        f, a, b = jnp.log, 0.5, 2.0
        assert float(trapezoid(f, a, b, 32)) == pytest.approx(integrate.trapezoid(y, x), rel=1e-13)
        assert float(simpson(f, a, b, 32)) == pytest.approx(integrate.simpson(y, x=x), rel=1e-13)
        best = integrate.romb(y, dx=x[1] - x[0])
        assert float(romberg(f, a, b, 5)[-1]) == pytest.approx(best, rel=1e-12)

    @pytest.mark.parametrize("n", [1, 2, 5, 16, 64])
    def test_legendre_rules_are_those_of_numpy(self, n):
        x, w = np.polynomial.legendre.leggauss(n)
        np.testing.assert_allclose(legendre_rule(n)[0], x, atol=1e-15)
        np.testing.assert_allclose(legendre_rule(n)[1], w, rtol=2e-12)

    @pytest.mark.parametrize("n", [1, 2, 3, 4])
    def test_gauss_legendre_is_exact_up_to_degree_2n_minus_1_and_errs_by_the_formula_then(self, n):
        def error(power):
            found = integrals.gauss_legendre(lambda x: x**power, 0.0, 1.0, n)
            return float(found) - 1 / (power + 1)

        for power in range(2 * n):
            assert abs(error(power)) < 1e-14
        factorial = math.factorial
        constant = factorial(n) ** 4 / ((2 * n + 1) * factorial(2 * n) ** 2)
        assert error(2 * n) == pytest.approx(-constant, rel=1e-9)

    def test_the_adaptive_rule_works_where_the_function_does(self):
        def peak(x):
            return 1e-3 / (x**2 + 1e-6)

        value, kept = integrals.adaptive_simpson(peak, -1.0, 2.0, 1e-9)
        exact = math.atan(2e3) + math.atan(1e3)
        assert float(value) == pytest.approx(exact, abs=1e-8)
        even = float(simpson(peak, -1.0, 2.0, 4 * int(kept)))
        assert abs(even - exact) > 100 * abs(float(value) - exact)

    def test_an_integral_over_the_line(self):
        for f in (jnp.exp(0) * 0 + 1, 2.0):
            whole = integrals.over_the_line(lambda x, f=f: f * jnp.exp(-(x**2)))
            value, _ = integrals.adaptive_simpson(whole, -1.0, 1.0, 1e-11)
            assert float(value) == pytest.approx(float(f) * math.sqrt(math.pi), abs=1e-9)


@pytest.mark.usefixtures("float64")
class TestProbability:
    def test_running_means_are_those_of_the_values(self):
        values = np.random.default_rng(0).normal(size=1000)
        padded = jnp.asarray(np.append(values, np.full(64, np.nan)))

        def some(first):
            return jax.lax.dynamic_slice(padded, (first,), (64,))

        stops = np.array([1, 2, 63, 64, 65, 500, 1000])
        found = probability.running_means(some, stops)
        np.testing.assert_allclose(found, [values[:n].mean() for n in stops], rtol=1e-12)

    def test_even_points_are_the_plain_kronecker_sequence(self):
        g = integrals.PLASTIC
        assert g**3 == pytest.approx(g + 1, rel=1e-15)
        stops = np.arange(1, 101)
        key = jax.random.key(3)
        means = [
            np.asarray(
                integrals.quasi_monte_carlo(lambda x, a=a: x[a], (0, 0), (1, 1), key, stops, 7)
            )
            for a in (0, 1)
        ]
        points = np.diff(np.stack(means) * stops, axis=1, prepend=0.0)
        for axis, alpha in enumerate((1 / g, 1 / g**2)):
            turned = (points[axis] - points[axis][0] - np.arange(100) * alpha) % 1
            assert np.minimum(turned, 1 - turned).max() < 1e-5

    def test_a_mixture_agrees_with_scipy(self):
        parts = ((0.2, 0.8), (3.0, -1.0), (1.0, 2.0))
        x = jnp.linspace(-5.0, 5.0, 11)
        expected = 0.2 * stats.norm.pdf(x, 3, 1) + 0.8 * stats.norm.pdf(x, -1, 2)
        np.testing.assert_allclose(probability.mixture_density(x, *parts), expected, rtol=1e-12)
        area, _ = integrate.quad(
            lambda x: 0.2 * stats.norm.pdf(x, 3, 1) + 0.8 * stats.norm.pdf(x, -1, 2), -2, 3
        )
        found = probability.mixture_area(jnp.float64(-2), jnp.float64(3), *parts)
        assert float(found) == pytest.approx(area, rel=1e-12)

    @pytest.mark.parametrize("digits", [0, 3])
    def test_the_roc_area_is_mann_and_whitneys_statistic(self, digits):
        random = np.random.default_rng(1)
        p, n = (np.round(random.normal(m, 1, 80), digits) for m in (1.0, 0.0))
        area = float(probability.area_under(*probability.roc_curve(jnp.asarray(p), jnp.asarray(n))))
        expected = stats.mannwhitneyu(p, n).statistic / (len(p) * len(n))
        assert area == pytest.approx(expected, rel=1e-12)
        wins = sum(float(probability.wins(score, jnp.asarray(n))) for score in p)
        assert wins / (len(p) * len(n)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("riemann", ["riemann", "riemann_errors"]),
        ("quadrature_orders", ["quadrature_orders", "quadrature_floor"]),
        ("fundamental_theorem", ["fundamental_theorem"]),
        ("monte_carlo", ["monte_carlo", "monte_carlo_points"]),
        ("probability_area", ["probability_area", "running_means", "roc_area"]),
    ],
)
def test_the_checks_of_a_figure_hold(name, figures, tmp_path):
    result = lab.run(f"{FOLDER}/{name}", out=tmp_path, smoke=True)
    assert result.passed, result.checks
    assert list(result.figures) == figures
    if name == "riemann":
        the_integrals_are_those_of_the_course(result.table.rows)


def the_integrals_are_those_of_the_course(rows):
    assert rows[0]["exact"] == pytest.approx(math.log(5) / 2, rel=1e-12)
    assert rows[1]["exact"] == pytest.approx(256 / 3, rel=1e-12)
    assert (rows[0]["count"], rows[0]["left_order"]) == (40, pytest.approx(1, abs=0.03))


def test_a_wrong_rule_fails_its_checks(tmp_path, monkeypatch):
    """The left rule in place of the midpoint rule: of order 1, and with other constants."""
    right = integrals.riemann
    monkeypatch.setattr(
        integrals, "riemann", lambda f, a, b, n, at=0.0: right(f, a, b, n, min(at, 0.4))
    )
    wrong = failed_checks(f"{FOLDER}/quadrature_orders", tmp_path)
    assert "exp(x): midpoint order" in wrong and "exp(x): Simpson order" in wrong
    assert "exp(x): trapezoid order" not in wrong


def test_an_unfair_sampler_fails_its_checks(tmp_path, monkeypatch):
    """Pairs of equal draws: twice the variance."""
    right = probability.running_means
    monkeypatch.setattr(
        integrals,
        "running_means",
        lambda values, stops: right(lambda i: jnp.repeat(values(i)[::2], 2), stops),
    )
    wrong = failed_checks(f"{FOLDER}/monte_carlo", tmp_path)
    assert "π by a quarter disc: Monte Carlo error times sqrt(n)" in wrong


def test_ties_that_count_in_full_fail_the_check_of_the_rounded_scores(tmp_path, monkeypatch):
    monkeypatch.setattr(probability, "wins", lambda score, others: jnp.sum(others <= score) * 1.0)
    assert failed_checks(f"{FOLDER}/probability_area", tmp_path) == ["ROC area, rounded scores"]


@pytest.mark.parametrize(
    ("name", "overrides", "told"),
    [
        ("riemann", {"cases": [{"function": "x*y", "antiderivative": "x", "interval": [0.0, 1.0],
                                "width": 0.1}]}, "in x alone, but has 2 variables"),
        ("fundamental_theorem", {"integral.interval": [1.0, 0.0]}, "first end must be below"),
        ("quadrature_orders", {"counts": [2, 4, 7, 8]}, "even numbers of panels, not 7"),
        ("monte_carlo", {"counts": [64, 32, 128]}, "numbers of points must rise"),
        ("probability_area", {"mixture.weights": [0.2, 0.7]}, "must add up to 1, not 0.9"),
        ("probability_area", {"mixture.means": [0.2]}, "must have 2 values"),
    ],
)  # fmt: skip
def test_what_is_refused(name, overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        lab.run(f"{FOLDER}/{name}", overrides, out=tmp_path)

"""Newton, noise, regression, schedules and the modified loss: against other ways, and broken."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import lab
from lab import optimizer, theory
from lab.calculus import modified, newton, noise, rates, regression
from lab.config import ConfigError
from lab.optimizers.classical import inverse_root_schedule

pytestmark = pytest.mark.usefixtures("quick_compiles", "unpictured")
COURSE = "course/08_gradient_descent/"
LONG = ("newton_vs_gd", "sgd_noise", "regression_descent", "learning_rate_schedules")
NAMES = [
    "implicit_regularisation",
    *(pytest.param(name, marks=pytest.mark.configs) for name in LONG),
]


def smoke(name, folder, overrides=None):
    return lab.run(COURSE + name, overrides or {}, out=folder, smoke=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_checks_of_a_smoke_run_hold(name, tmp_path):
    result = smoke(name, tmp_path)
    assert result.passed, [check for check in result.checks if not check.passed]
    assert name in result.figures


def test_a_wrong_modified_loss_is_found_out(tmp_path, monkeypatch):
    right = modified.modified
    monkeypatch.setattr(modified, "modified", lambda f, x, rate: right(f, x, 2 * rate))
    failed = [c.name for c in smoke("implicit_regularisation", tmp_path).checks if not c.passed]
    assert failed == ["median power of eta in the distance from the end of the modified flow"]


def test_a_wrong_variance_is_found_out(tmp_path, monkeypatch):
    right = theory.stationary_variance
    wrong = lambda curvature, rate, noise: 1.5 * right(curvature, rate, noise)  # noqa: E731
    monkeypatch.setattr(theory, "stationary_variance", wrong)
    few = {"optimizers": {"constant": {"name": "sgd", "learning_rate": 0.1}}}
    failed = [c.name for c in smoke("sgd_noise", tmp_path, few).checks if not c.passed]
    assert len(failed) == 1 and "stationary variances" in failed[0]


def test_stationary_variance_is_where_the_recursion_goes():
    curvature, rate = np.array([2.0, 4.0]), 0.1
    mean, variance = theory.noisy_descent(
        np.array([-5.0, -2.0]), curvature, np.full(400, rate), 1.0
    )
    exact = theory.stationary_variance(curvature, np.float64(rate))
    np.testing.assert_allclose(variance[-1], exact, rtol=1e-12)
    np.testing.assert_allclose(exact, [1 / 36, 1 / 64])
    np.testing.assert_allclose(mean[3], np.array([-5.0, -2.0]) * (1 - rate * curvature) ** 3)
    assert theory.stationary_variance(np.float64(4.0), np.float64(0.5)) == np.inf


def test_a_noisy_bowl_has_the_gradient_of_the_bowl_on_average(float64):
    loss, x = noise.noisy_bowl(np.array([2.0, 4.0]), 0.5), jnp.array([1.0, -3.0])
    keys = jax.random.split(jax.random.key(1), 20_000)
    found = jax.vmap(lambda key: jax.grad(loss)(x, key=key))(keys)
    np.testing.assert_allclose(found.mean(0), [2.0, -12.0], atol=5 * 0.5 / 20_000**0.5)
    np.testing.assert_allclose(found.std(0), 0.5, rtol=0.03)
    assert loss(x) == 1.0 + 18.0


SCHEDULES = {
    "exponential_decay": {"init_value": 0.3, "transition_steps": 10, "decay_rate": 0.6},
    "inverse_root_schedule": {"init_value": 0.3, "slope": 2.0},
    "piecewise_constant_schedule": {"init_value": 0.3, "boundaries_and_scales": {4: 0.5, 9: 0.1}},
    "cosine_decay_schedule": {"init_value": 0.3, "decay_steps": 15, "alpha": 0.1},
    "warmup_cosine_decay_schedule": {
        "init_value": 0.1, "peak_value": 0.5, "warmup_steps": 5, "decay_steps": 18,
        "end_value": 0.05,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_taken_rates_are_those_of_the_formula(name):
    sgd = optimizer("sgd", learning_rate={"schedule": name, **SCHEDULES[name]})
    formula = rates.rates_by_formula(sgd.recipe.node.arguments["learning_rate"], 25)
    np.testing.assert_allclose(noise.taken_rates(sgd, 25), formula, atol=1e-7)


def test_an_inverse_root_against_a_loop():
    schedule = inverse_root_schedule(0.2, slope=3.0)
    found = [float(schedule(t)) for t in range(5)]
    np.testing.assert_allclose(found, [0.2 / (1 + 3 * t) ** 0.5 for t in range(5)], rtol=1e-6)


def test_the_normal_equations_against_lstsq_and_the_spread_against_a_loop(float64):
    data = regression.noisy_line(50, 0.8, 1.0, 0.5, seed=3)
    z = np.stack([data.u, np.ones(50)], axis=1)
    solution = np.linalg.lstsq(z, data.y)[0]
    np.testing.assert_allclose(regression.least_squares_line(data), solution, rtol=1e-10)
    rng, w, rate = np.random.default_rng(0), np.tile(solution, (20_000, 1)), 0.1
    for _ in range(150):
        drawn = rng.integers(0, 50, (20_000, 4))
        error = np.einsum("cbi,ci->cb", z[drawn], w) - data.y[drawn]
        w = w - rate * 2 * np.einsum("cb,cbi->ci", error, z[drawn]) / 4
    exact = regression.minibatch_covariance(data, rate, 4)
    np.testing.assert_allclose(np.cov(w.T), exact, rtol=0.05, atol=2e-3 * np.abs(exact).max())


def test_the_hessian_of_a_line(float64):
    data = regression.noisy_line(40, 0.8, 1.0, 0.5, seed=1)
    loss = regression.line_loss(data)
    np.testing.assert_allclose(jax.hessian(loss)(jnp.zeros(2)), regression.curvature(data))


def test_gauss_newton_on_the_cube_roots_is_newtons_map(float64):
    loss, method = newton.cube_roots(), optimizer("gauss_newton").build()
    x = jnp.array([0.3, -0.7])
    step, _ = method.update(
        jax.grad(loss)(x), method.init(x), x, value_fn=loss, residual_fn=loss.residuals
    )
    z = 0.3 - 0.7j
    there = z - (z**3 - 1) / (3 * z**2)
    np.testing.assert_allclose(optax.apply_updates(x, step), [there.real, there.imag], rtol=1e-12)


def test_orders_and_bracketed_roots():
    assert newton.orders(0.5 ** (2.0 ** np.arange(5))) == pytest.approx([2, 2, 2])
    assert newton.orders(0.5 ** np.arange(1.0, 6)) == pytest.approx([1, 1, 1])
    found = newton.bracketed_roots(np.cos, np.linspace(0, 10, 101))
    np.testing.assert_allclose(found, np.pi * (np.arange(3) + 0.5), atol=1e-14)


def test_flow_of_a_quadratic(float64):
    """The modified loss of lambda x^2 / 2 has curvature lambda + eta lambda^2 / 2."""
    for rate in (0.0, 0.1):
        end = modified.flow(lambda x: x[0] ** 2, jnp.array([3.0]), jnp.float64(rate), 1.0, 200)
        assert float(end[0]) == pytest.approx(3 * np.exp(-2 - rate * 2), rel=1e-9)
    x = jnp.array([0.01, 0.1, 1.0])
    assert float(modified.log_slope(x, 7 * x**1.5)) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("name", "overrides", "told"),
    [
        ("sgd_noise", {"rates": [0.1, 0.6]}, "beyond it nothing settles"),
        ("regression_descent", {"rate": 0.9}, "must be below 2 / lambda_max"),
        ("newton_vs_gd", {"side": 33}, "must be even"),
        ("implicit_regularisation", {"rates": [0.1, 0.05]}, "must rise"),
        ("learning_rate_schedules", {"optimizers.constant.learning_rate": [0.1, 0.2]}, "no sweep"),
    ],
)
def test_what_is_refused(name, overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        lab.run(COURSE + name, overrides, out=tmp_path, smoke=True)

"""Descents whose course is known in closed form, from the sources that each test names."""

import numpy as np
import pytest

import lab
from lab.descent import Outcome

pytestmark = pytest.mark.usefixtures("quick_compiles")

WELL = lab.losses.double_well()


def well(rates, starts, **run):
    sgd = lab.optimizer("sgd", learning_rate=np.atleast_1d(rates))
    return lab.sweep(WELL, sgd, np.reshape(starts, (-1, 1)), precision="float64", block=1024, **run)


def test_the_double_well_holds_what_starts_within_its_two_cycle():
    """Bounded iff |x0| <= sqrt(1 + 2/eta), for eta <= 2: beyond lies a repelling 2-cycle."""
    rates = np.array([0.3, 0.7, 1.0, 1.3, 1.7, 1.99])
    edges = np.sqrt(1 + 2 / rates)
    near = np.concatenate([edges * (1 - 1e-9), edges * (1 + 1e-9)])
    starts = np.concatenate([near, -near, np.linspace(-3, 3, 1001)])
    data = well(rates, starts, steps=300)
    bounded = np.abs(starts)[None, :] <= edges[:, None]
    np.testing.assert_array_equal(data.outcome != Outcome.DIVERGED, bounded)


def test_at_rate_two_the_double_well_is_the_tripling_of_an_angle():
    """x_t = sqrt2 sin(3^t asin(x0 / sqrt2)); every step triples an error."""
    starts, t = np.linspace(-1.3, 1.4, 28), np.arange(21)
    sgd = lab.optimizer("sgd", learning_rate=2.0)
    run = {"steps": 20, "precision": "float64", "gradient_below": 0.0, "block": 32}
    paths = lab.replay(WELL, sgd, starts[:, None], **run).point.squeeze("dim")
    angle = np.arcsin(np.longdouble(starts) / np.sqrt(np.longdouble(2)))
    exact = np.sqrt(2) * np.sin(3.0**t * angle[:, None]).astype(float)
    assert np.all(np.abs(paths - exact) < 2e-15 * 3.0**t)


def test_the_double_well_has_period_two_between_rates_one_and_root_five_less_one():
    rates = np.array([0.98, 1.02, 1.1, np.sqrt(5) - 1.01, np.sqrt(5) - 0.99])
    sgd = lab.optimizer("sgd", learning_rate=rates)
    paths = lab.replay(WELL, sgd, [[1.1]], steps=2000, precision="float64", gradient_below=1e-12,
                       block=32)  # fmt: skip
    x = paths.point.values[:, 0, :, 0]
    one, two = (np.abs(x[:, -1] - x[:, -1 - n]) < 1e-6 for n in (1, 2))
    assert (one | two).tolist() == [True, True, True, True, False]
    assert one.tolist() == [True, False, False, False, False]
    assert paths.outcome.values.ravel().tolist() == [Outcome.CONVERGED] + 4 * [Outcome.OSCILLATING]


def test_warm_up_saves_a_descent_that_would_diverge():
    rise = {"schedule": "linear_schedule", "init_value": 0.0, "end_value": 0.9}
    rise = {**rise, "transition_steps": [1, 2, 10]}
    run = {"steps": 500, "precision": "float64", "block": 32}
    data = lab.sweep(WELL, lab.optimizer("sgd", learning_rate=rise), [[1.9]], **run).squeeze()
    assert data.outcome.values.tolist() == [Outcome.DIVERGED] + 2 * [Outcome.CONVERGED]
    np.testing.assert_allclose(np.abs(data.final_point[1:]), 1, atol=1e-4)
    constant = well(0.9, [1.9], steps=500).squeeze()
    assert (constant.outcome.item(), constant.steps.item()) == (Outcome.DIVERGED, 3)


def test_scalar_factorisation_converges_where_liang_and_montufar_say():
    """eta < min(1/|y|, 8 / (s + sqrt(s^2 - 16 y (u v - y)))), s = u^2 + v^2; no cell disagrees."""
    y, eta = np.array([1.0, 0.5, -0.6, -1.0]), np.array([0.5, 0.8, 0.9])
    loss = lab.losses.scalar_factorisation(y=y)
    grid = lab.starts.grid(low=[-4, -4], high=[4, 4], shape=[101, 101])
    sgd = lab.optimizer("sgd", learning_rate=eta)
    data = lab.sweep(
        loss, sgd, grid, steps=400, diverged_above=1e6, precision="float64", targets=()
    )
    u, v = np.meshgrid(*2 * [np.linspace(-4, 4, 101)], indexing="ij")
    s, y, eta = u.ravel() ** 2 + v.ravel() ** 2, y[:, None, None], eta[:, None]
    root = np.sqrt(s**2 - 16 * y * (u.ravel() * v.ravel() - y))
    with np.errstate(divide="ignore"):
        converges = eta < np.minimum(1 / np.abs(y), 8 / (s + root))
    held = data.outcome.values != Outcome.DIVERGED
    assert np.mean(held != converges, axis=-1).max() <= 1e-4


def test_momentum_contracts_by_the_spectral_radius_of_its_recursion():
    """Heavy ball on lambda x^2/2: x_t is the recursion's matrix to the power t."""
    alpha, beta = np.array([0.002, 0.02, 0.035]), np.array([0.0, 0.5, 0.9])
    loss = lab.losses.quadratic(condition_number=100.0)
    ball = lab.optimizer("sgd", momentum=beta, learning_rate=alpha)
    data = lab.sweep(loss, ball, [[1.0, 1.0]], steps=60, precision="float64", gradient_below=0.0)
    taken = data.steps.values[..., 0]  # fewer where it diverges
    for i, b in enumerate(beta):
        for j, a in enumerate(alpha):
            for k, curvature in enumerate([1.0, 100.0]):
                matrix = np.array([[1 + b - a * curvature, -b], [1.0, 0.0]])
                exact = (np.linalg.matrix_power(matrix, int(taken[i, j])) @ [1.0, 1.0])[0]
                found = data.final_point.values[i, j, 0, k]
                np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_stability_limit_is_where_the_spectral_radius_passes_one(momentum):
    limit = lab.theory.stability_limit(7.0, momentum)
    for factor, stable in [(1 - 1e-6, True), (1 + 1e-6, False)]:
        a = factor * limit * 7.0
        roots = np.roots([1, -(1 + momentum - a), momentum])
        assert (np.abs(roots).max() < 1) == stable

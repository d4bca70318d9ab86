"""The double well and the scalar factorisation: where descent holds, cycles, and is chaotic."""

import numpy as np
import pytest
from oracles.descent import FACTORISATION

import lab
from lab.outcome import Outcome

pytestmark = pytest.mark.usefixtures("quick_compiles")

WELL = lab.losses.double_well()
CHAOS = {"precision": "float64", "gradient_below": 0.0, "block": 1024}


def sweep_well(rates, starts, **run):
    sgd = lab.optimizer("sgd", learning_rate=rates)
    run = {"precision": "float64", "block": 1024, **run}
    return lab.sweep(WELL, sgd, np.reshape(starts, (-1, 1)), **run)


@pytest.mark.parametrize(("y", "eta"), FACTORISATION)
def test_scalar_factorisation_converges_where_liang_and_montufar_say(y, eta):
    """eta < min(1/|y|, 8/(s + sqrt(s^2 - 16 y (u v - y)))), s = u^2 + v^2."""
    side = np.linspace(-4, 4, 401)
    data = lab.sweep(
        lab.losses.scalar_factorisation(y=y),
        lab.optimizer("sgd", learning_rate=eta),
        lab.starts.grid(low=[-4, -4], high=[4, 4], shape=[401, 401]),
        steps=400, diverged_above=1e6, precision="float64", targets=(),
    )  # fmt: skip
    u, v = side[:, None], side[None, :]
    s = u**2 + v**2
    root = np.sqrt(s**2 - 16 * y * (u * v - y))
    with np.errstate(divide="ignore"):
        converges = eta < np.minimum(1 / abs(y), 8 / (s + root))
    held = data.outcome.values.reshape(401, 401) != Outcome.DIVERGED
    assert 0.01 < converges.mean() < 0.99
    assert np.mean(held != converges) <= 1e-4


def test_the_double_well_holds_what_starts_within_its_two_cycle():
    """Bounded iff |x0| <= sqrt(1 + 2/eta), for eta <= 2: beyond lies a repelling 2-cycle."""
    rates = np.linspace(0.05, 1.99, 98)
    edges = np.sqrt(1 + 2 / rates)
    near = np.concatenate([edges * (1 - 1e-9), edges * (1 + 1e-9)])
    starts = np.concatenate([near, -near, np.linspace(-3, 3, 1001)])
    data = sweep_well(rates, starts, steps=1000)
    bounded = np.abs(starts) <= edges[:, None]
    np.testing.assert_array_equal(data.outcome != Outcome.DIVERGED, bounded)


def tripled(p, q, t):
    """sqrt2 sin(3^t pi p/q): the angle is tripled in whole numbers, and so exactly."""
    angles = np.array([[pow(3, int(n)) * int(k) % (2 * q) for n in t] for k in p], float)
    return np.sqrt(2) * np.sin(np.pi * angles / q)


@pytest.mark.parametrize(("precision", "steps"), [("float64", 28), ("float32", 13)])
def test_at_rate_two_the_double_well_is_the_tripling_of_an_angle(precision, steps):
    """x_t = sqrt2 sin(3^t asin(x0/sqrt2)): every step triples an error, to the last digit."""
    p, q, t = np.arange(-60, 60, 7), 200, np.arange(steps + 1)  # angles within 54 degrees
    exact = tripled(p, q, t)
    sgd = lab.optimizer("sgd", learning_rate=2.0)
    run = {**CHAOS, "precision": precision, "steps": steps, "block": 32}
    paths = lab.replay(WELL, sgd, exact[:, :1], **run).point.squeeze("dim")
    error = np.abs(paths - exact)
    assert np.all(error <= 8 * np.finfo(precision).eps * 3.0**t)
    assert error[:, -1].median() < 0.05


def test_the_double_well_at_rate_two_has_the_lyapunov_exponent_ln_3():
    """The mean of ln|g'(x_t)| for the map g(x) = x - 2 f'(x): ln 3, as for the Chebyshev T_3."""
    starts = np.sqrt(2) * np.sin(np.linspace(-1.5, 1.5, 128))[:, None]
    sgd = lab.optimizer("sgd", learning_rate=2.0)
    x = lab.replay(WELL, sgd, starts, steps=2000, **CHAOS).point.values
    assert np.abs(x).max() <= np.sqrt(2) * (1 + 1e-12)
    assert np.log(np.abs(1 - 2 * (3 * x**2 - 1))).mean() == pytest.approx(np.log(3), abs=5e-3)


def test_the_double_well_has_period_two_between_rates_one_and_root_five_less_one():
    """A 2-cycle {a, b} has a b = 1/eta and a^2 + b^2 = 1 + 1/eta, so it exists for eta > 1.

    Its multiplier 9 - 2 (1 + eta)^2 is within +-1 up to eta = sqrt5 - 1.
    """
    end = np.sqrt(5) - 1
    rates = np.array([0.9, 0.99, *np.linspace(1.01, end - 0.005, 23), end + 0.005])
    sgd = lab.optimizer("sgd", learning_rate=rates)
    run = {**CHAOS, "gradient_below": 1e-12, "steps": 2000, "block": 32}
    x = lab.replay(WELL, sgd, [[1.1]], **run).point.values[:, 0, -5:, 0]
    period = [next((n for n in (1, 2) if np.ptp(path[::n]) < 1e-9), 4) for path in x]
    assert period == [1, 1, *23 * [2], 4]
    (a, b), eta = x[2:-1, -2:].T, rates[2:-1]
    np.testing.assert_allclose(a * b, 1 / eta, rtol=1e-9)
    np.testing.assert_allclose(a**2 + b**2, 1 + 1 / eta, rtol=1e-9)


def test_warm_up_saves_a_descent_that_would_diverge():
    """From 1.9 at rate .9: beyond sqrt(1 + 2/.9) = 1.795, where the constant rate diverges."""
    rise = {"schedule": "linear_schedule", "init_value": 0.0, "end_value": 0.9}
    rise = {**rise, "transition_steps": [1, 2, 5, 10]}
    data = sweep_well(rise, [1.9], steps=500).squeeze()
    assert data.outcome.values.tolist() == [Outcome.DIVERGED] + 3 * [Outcome.CONVERGED]
    np.testing.assert_allclose(np.abs(data.final_point[1:]), 1, atol=1e-4)
    constant = sweep_well(0.9, [1.9], steps=500).squeeze()
    assert (constant.outcome.item(), constant.steps.item()) == (Outcome.DIVERGED, 3)

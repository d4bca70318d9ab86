"""Rates on quadratics, worst cases, thresholds of stability, and the flow that momentum follows."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special
from oracles.descent import CONDITION_NUMBERS, HIMMELBLAU_TOP, NESTEROV_ODE_ERROR, THRESHOLDS

import lab
from lab.outcome import Outcome

pytestmark = pytest.mark.usefixtures("quick_compiles")

EXACT = {"precision": "float64", "gradient_below": 0.0, "block": 64}
KAPPA = 100.0
LAMBDA = np.array([1.0, KAPPA])


def spectral_radius(alpha, beta, curvature):
    """Of the heavy ball's step on lambda x^2/2 (Goh 2017, Why Momentum Really Works, Distill).

    max |1 - a l + b +- sqrt((1 - a l + b)^2 - 4 b)|/2. Where the roots are complex that is sqrt(b);
    the article prints 2 sqrt(b).
    """
    middle = 1 - alpha * curvature + beta
    root = np.sqrt(middle**2 - 4 * beta + 0j)
    return np.maximum(abs(middle + root), abs(middle - root)) / 2


def fitted_rates(alpha, beta, steps=400):
    """By how much each eigencomponent shrinks a step, from |(x_t, x_{t-1})|: [beta, alpha, dim]."""
    ball = lab.optimizer("sgd", momentum=beta, learning_rate=alpha)
    loss = lab.losses.quadratic(condition_number=KAPPA)
    x = lab.replay(loss, ball, [[1.0, 1.0]], steps=steps, **EXACT).point.values[:, :, 0]
    size = np.log(np.hypot(x[..., 1:, :], x[..., :-1, :]))[..., steps // 4 :, :]
    t = np.arange(size.shape[-2]) - (size.shape[-2] - 1) / 2
    return np.exp(np.einsum("t,...td->...d", t, size) / np.sum(t**2))


def test_heavy_ball_shrinks_by_its_spectral_radius():
    alpha = np.array([0.001, 0.002, 0.003, 0.005, 0.008, 0.012, 0.015, 0.0185])
    beta = np.array([0.0, 0.3, 0.6, 0.9, 0.97])
    radius = spectral_radius(alpha[:, None], beta[:, None, None], LAMBDA)
    np.testing.assert_allclose(fitted_rates(alpha, beta), radius, rtol=0.01)
    complex_ = (1 - alpha[:, None] * LAMBDA + beta[:, None, None]) ** 2 < 4 * beta[:, None, None]
    root = np.broadcast_to(np.sqrt(beta)[:, None, None], radius.shape)
    assert complex_.sum() > 20
    np.testing.assert_allclose(radius[complex_], root[complex_], rtol=1e-12)


@pytest.mark.parametrize("method", ["gradient descent", "heavy ball"])
def test_the_best_rates_of_quadratics(method):
    """(k - 1)/(k + 1) at 2/(l1 + ln); (sqrt k - 1)/(sqrt k + 1) at Polyak's alpha and beta."""
    low, high = np.sqrt(LAMBDA) if method == "heavy ball" else LAMBDA
    best = (high - low) / (high + low)
    alpha = (2 / (low + high)) ** (2 if method == "heavy ball" else 1)
    beta = best**2 if method == "heavy ball" else 0.0
    near = np.array([0.9, 0.95, 1.0, 1.05, 1.1])
    rates = fitted_rates(alpha * near, beta * near if beta else np.zeros(1)).max(axis=-1)
    found = rates[len(rates) // 2, 2]
    assert found == pytest.approx(best, rel=0.01)
    assert rates.min() >= found * (1 - 0.01)


def test_huber_is_the_worst_case_of_rate_one():
    """f_N - f* = L R^2/(4 N + 2) with threshold 1/(2 N + 1), and no other threshold is worse.

    Drori & Teboulle 2014, Math. Program. 145: performance estimation, L = R = 1.
    """
    n = np.array([1, 2, 3, 5, 10, 30])
    delta = np.concatenate([1 / (2 * n + 1), np.geomspace(1e-3, 1, 58)])
    sgd = lab.optimizer("sgd", learning_rate=1.0)
    loss = lab.losses.huber(delta=delta, dimension=1)
    f = lab.replay(loss, sgd, [[1.0]], steps=30, **EXACT).loss.values[:, 0]
    np.testing.assert_allclose(f[range(len(n)), n], 1 / (4 * n + 2), rtol=1e-13)
    assert np.all(f[:, n] <= 1 / (4 * n + 2) * (1 + 1e-13))


def test_strongly_convex_descent_contracts_no_slower_than_at_an_end_of_the_spectrum():
    """f_N <= max{(1 - L g)^2, (1 - m g)^2}^N f_0: Taylor, Hendrickx & Glineur 2018, JOTA 178."""
    rates, starts, steps = np.linspace(0.001, 0.021, 21), [*np.eye(2).tolist(), [1, 0.3]], 20
    loss = lab.losses.quadratic(condition_number=KAPPA)
    f = lab.replay(
        loss, lab.optimizer("sgd", learning_rate=rates), starts, steps=steps, **EXACT
    ).loss.values  # fmt: skip
    bound = np.maximum((1 - KAPPA * rates) ** 2, (1 - rates) ** 2) ** steps
    shrunk = f[..., -1] / f[..., 0]
    assert np.all(shrunk <= bound[:, None] * (1 + 1e-12))
    np.testing.assert_allclose(shrunk[:, :2].max(axis=1), bound, rtol=1e-12)


def test_exact_line_search_can_do_no_better_than_kantorovich_allows():
    """From (1/m, 1/L) its steps are all 2/(L + m), and f_N = ((L - m)/(L + m))^(2 N) f_0.

    Kantorovich 1948; attained: de Klerk, Glineur & Taylor 2017, Optim. Lett. 11. Each step ends
    where the new gradient is orthogonal to the old: no other length would lead lower.
    """
    sgd = lab.optimizer("sgd", learning_rate=2 / LAMBDA.sum())
    loss = lab.losses.quadratic(condition_number=KAPPA)
    path = lab.replay(loss, sgd, (1 / LAMBDA)[None], steps=100, **EXACT)
    g = path.point.values[0] * LAMBDA
    cosines = np.sum(g[1:] * g[:-1], axis=1) / np.sum(g[:-1] ** 2, axis=1)
    np.testing.assert_allclose(cosines, 0, atol=1e-12)
    f, factor = path.loss.values[0], (KAPPA - 1) / (KAPPA + 1)
    np.testing.assert_allclose(f, factor ** (2 * np.arange(101)) * f[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "minimum", "threshold"),
    [(name, *row) for name, rows in THRESHOLDS.items() for row in rows.items()],
)
def test_a_minimum_repels_at_rates_above_the_published_two_over_lambda(name, minimum, threshold):
    """Along the steepest direction, nearer at a rate 1e-5 below the threshold, farther above."""
    loss = getattr(lab.losses, name)()
    at = loss.minima()[np.argmin(np.linalg.norm(loss.minima() - minimum, axis=1))]
    np.testing.assert_allclose(at, minimum, atol=5e-7)
    with jax.enable_x64(True):
        steepest = np.linalg.eigh(jax.hessian(loss)(jnp.array(at)))[1][:, -1]
    sgd = lab.optimizer("sgd", learning_rate=threshold * (1 + np.array([-1e-5, 1e-5])))
    data = lab.sweep(loss, sgd, (at + 1e-6 * steepest)[None], steps=50_000, **EXACT)
    below, above = np.linalg.norm(data.final_point.values[:, 0] - at, axis=-1) / 1e-6
    assert np.log(below) == pytest.approx(-1, abs=0.3)  # 2 x 1e-5 x 50,000, to six digits
    assert np.log(above) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("name", CONDITION_NUMBERS)
def test_condition_numbers_by_the_slowest_rate(name):
    """At rate 1/lambda_max what is left shrinks by 1 - 1/kappa a step."""
    loss, (kappa, half_a_digit) = getattr(lab.losses, name)(), CONDITION_NUMBERS[name]
    ((minimum, threshold),) = THRESHOLDS[name].items()
    sgd = lab.optimizer("sgd", learning_rate=threshold / 2)
    x = lab.replay(loss, sgd, np.array([minimum]) + 1e-6, steps=400, **EXACT).point.values[0]
    distance = np.linalg.norm(x - np.array(minimum), axis=1)
    slowest = (distance[400] / distance[200]) ** (1 / 200)
    assert 1 / (1 - slowest) == pytest.approx(kappa, rel=1e-4)
    with jax.enable_x64(True):
        low, high = np.linalg.eigvalsh(jax.hessian(loss)(jnp.array(minimum)))
    assert high / low == pytest.approx(kappa, abs=half_a_digit)


def test_the_only_maximum_of_himmelblau():
    top, height = HIMMELBLAU_TOP
    himmelblau = lab.losses.himmelblau()
    hill = lab.losses.as_loss(lambda point: -himmelblau(point), dimension=2)
    around = np.array(top) + list(itertools.product([-0.5, 0.5], repeat=2))
    run = {**EXACT, "gradient_below": 1e-10, "steps": 2000}
    data = lab.sweep(hill, lab.optimizer("sgd", learning_rate=0.01), around, **run)
    assert np.all(data.outcome == Outcome.CONVERGED)
    np.testing.assert_allclose(data.final_point, np.broadcast_to(top, (4, 2)), atol=5e-7)
    np.testing.assert_allclose(data.final_loss, -height, atol=5e-7)


def su_boyd_candes(learning_rate):
    """x_k = y_{k-1} - s f'(y_{k-1}), y_k = x_k + (k - 1)/(k + 2) (x_k - x_{k-1}); a lane is y."""

    def init(y):
        return y, jnp.zeros((), jnp.int32)

    def update(gradient, state, y):
        x, k = state[0], state[1] + 1
        ahead = y - learning_rate * gradient
        weight = ((k - 1) / (k + 2)).astype(y.dtype)
        return ahead + weight * (ahead - x) - y, (ahead, k)

    return optax.GradientTransformation(init, update)


def test_nesterovs_momentum_follows_its_ode():
    """X'' + 3/t X' + X = 0 from 1: X(t) = 2 J1(t)/t at t = k sqrt(s), up to .318 sqrt(s) at 5."""
    s = np.array([1e-4, 1e-5])
    loss = lab.losses.quadratic(dimension=1)
    nesterov = lab.optimizer(su_boyd_candes, learning_rate=s)
    y = lab.replay(loss, nesterov, [[1.0]], steps=1600, **EXACT).point.values[:, 0, :, 0]
    x = (1 - s[:, None]) * y  # x_{k+1} is a gradient step from y_k
    t = np.sqrt(s[:, None]) * np.arange(1, x.shape[1] + 1)
    error = np.abs(x - 2 * scipy.special.j1(t) / t) / np.sqrt(s[:, None])
    assert np.all(error[t <= 5] < 1)
    coarse, fine = (np.interp(5, *row) for row in zip(t, error, strict=True))
    limit = fine + (fine - coarse) / (np.sqrt(10) - 1)  # the next term is of order s
    assert limit == pytest.approx(NESTEROV_ODE_ERROR, abs=5e-4)

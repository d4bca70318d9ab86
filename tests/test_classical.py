"""Second-order, conjugate and optimal methods: step by step as plain NumPy, and their theorems."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.special
from scipy.optimize import rosen_der, rosen_hess

import lab
from lab import optimizers
from lab.api import make_plan
from lab.errors import SpecError
from lab.losses.more_garbow_hillstrom import PROBLEMS
from lab.optimizers.classical.schedules import chebyshev_schedule, stable_order
from lab.optimizers.classical.solving import UNROLLED, solve
from lab.plan import Run

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")

RUN = {"gradient_below": 0.0, "precision": "float64", "block": 32, "diverged_above": 1e12}
START = np.array([-1.2, 1.0])
STEPS = 12


def path(loss, optimizer, start, steps):
    """x_0 ... x_T of one lane, through the whole engine."""
    data = lab.replay(loss, optimizer, np.array([start], float), steps=steps, **RUN)
    return data.point.squeeze("start").values


def walk(move, start, steps):
    """The same by a plain loop of `move(t, x) -> x`."""
    points = [np.asarray(start, float)]
    for t in range(steps):
        points.append(move(t, points[-1]))
    return np.array(points)


def residuals(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def jacobian(x):
    return np.array([[-20 * x[0], 10], [-1, 0]])


def newton(t, x):
    return x - 0.7 * np.linalg.solve(rosen_hess(x) + 2.0 * np.eye(len(x)), rosen_der(x))


def damped_newton(t, x):
    d = np.linalg.solve(rosen_hess(x), rosen_der(x))
    return x - d / (1 + 0.5 * np.sqrt(abs(rosen_der(x) @ d)))


def gauss_newton(t, x):
    return x - 0.5 * np.linalg.lstsq(jacobian(x), residuals(x))[0]


def levenberg_marquardt():
    damping, growth, scale = 0.1, 2.0, np.zeros(2)

    def move(t, x):
        nonlocal damping, growth, scale
        r, j = residuals(x), jacobian(x)
        scale = np.maximum(scale, np.diag(j.T @ j))
        # The least-squares form: rows sqrt(mu D) below J.
        rows = np.concatenate([j, np.diag(np.sqrt(damping * scale))])
        h = np.linalg.lstsq(rows, -np.concatenate([r, np.zeros(2)]))[0]
        promised = r @ r - np.sum((r + j @ h) ** 2)
        gain = (r @ r - np.sum(residuals(x + h) ** 2)) / promised
        if gain > 0:
            damping, growth = damping * max(1 / 3, 1 - (2 * gain - 1) ** 3), 2.0
            return x + h
        damping, growth = damping * growth, 2 * growth
        return x

    return move


def conjugate(beta):
    before, direction = None, None

    def move(t, x):
        nonlocal before, direction
        g = rosen_der(x)
        d = g if t == 0 else g + beta(g, before) * direction
        d = d if g @ d > 0 else g
        before, direction = g, d
        return x - d * (g @ d) / abs(d @ rosen_hess(x) @ d)

    return move


def fletcher_reeves(g, before):
    return g @ g / (before @ before)


def polak_ribiere(g, before):
    return max(0, g @ (g - before) / (before @ before))


def nesterov(rate):
    x = START

    def move(t, y):
        nonlocal x
        old, x = x, y - rate * rosen_der(y)
        return x + t / (t + 3) * (x - old)

    return move


def ogm(rate, steps):
    y, theta = START, 1.0

    def move(t, x):
        nonlocal y, theta
        old, y = y, x - rate * rosen_der(x)
        past, theta = theta, (1 + np.sqrt(1 + (8 if t == steps - 1 else 4) * theta**2)) / 2
        return y + (past - 1) / theta * (y - old) + past / theta * (y - x)

    return move


def chebyshev(m, largest, period):
    nodes = np.cos(np.pi * (2 * np.array([0, 3, 1, 2]) + 1) / (2 * period))
    rates = 1 / ((largest + m) / 2 + (largest - m) / 2 * nodes)
    return lambda t, x: x - rates[t % period] * rosen_der(x)


PLAIN = {
    "newton": ({"learning_rate": 0.7, "damping": 2.0}, lambda: newton),
    "damped_newton": ({"self_concordance": 0.5}, lambda: damped_newton),
    "gauss_newton": ({"learning_rate": 0.5}, lambda: gauss_newton),
    "levenberg_marquardt": ({"damping": 0.1}, levenberg_marquardt),
    "fletcher_reeves": ({}, lambda: conjugate(fletcher_reeves)),
    "polak_ribiere": ({}, lambda: conjugate(polak_ribiere)),
    "steepest_descent": ({}, lambda: conjugate(lambda g, before: 0)),
    "nesterov": ({"learning_rate": 1e-3}, lambda: nesterov(1e-3)),
    "ogm": ({"learning_rate": 1e-3, "steps": STEPS}, lambda: ogm(1e-3, STEPS)),
    "chebyshev": (
        {"smallest": 100.0, "largest": 2000.0, "period": 4},
        lambda: chebyshev(100.0, 2000.0, 4),
    ),
}


def test_all_of_ours_are_tested_here():
    ours = {n for n, e in optimizers.names().items() if e.module == "lab"}
    assert set(PLAIN) == {n for n in ours if optimizers.names()[n].kind == "optimizer"}
    assert ours - set(PLAIN) == {
        "chebyshev_schedule", "inverse_root_schedule", "scale_by_exact_linesearch",
        "scale_by_fletcher_reeves", "scale_by_polak_ribiere",
    }  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_steps_are_those_of_plain_numpy(name):
    settings, move = PLAIN[name]
    ours = path(lab.losses.rosenbrock(), lab.optimizer(name, **settings), START, STEPS)
    np.testing.assert_allclose(ours, walk(move(), START, STEPS), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", PLAIN)
def test_every_step_can_be_taken_apart_into_scalars(name):
    plan = make_plan(
        lab.losses.extended_rosenbrock(dimension=4), lab.optimizer(name, **PLAIN[name][0]),
        np.ones((2, 4)), Run(precision="float64"),
    )  # fmt: skip
    assert plan.choice.backend == "kernel"


def test_hyperparameters_sweep_in_one_program():
    rates = [0.25, 0.5, 1.0]
    swept = lab.optimizer("newton", learning_rate=rates, damping=[0.0, 2.0])
    assert swept.untraceable == frozenset()
    meter = lab.api.Meter()
    data = lab.sweep(lab.losses.rosenbrock(), swept, START[None], steps=3, meter=meter, **RUN)
    assert data.sizes["learning_rate"] == 3 and data.sizes["damping"] == 2
    for rate in rates:
        alone = lab.optimizer("newton", learning_rate=rate, damping=2.0)
        end = path(lab.losses.rosenbrock(), alone, START, 3)[-1]
        there = data.final_point.sel(learning_rate=rate, damping=2.0).squeeze()
        np.testing.assert_allclose(there, end, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 5, UNROLLED, UNROLLED + 1, 20])
def test_solve_is_numpys_for_indefinite_matrices(n):
    rng = np.random.default_rng(n)
    matrix = rng.normal(size=(n, n))
    matrix[np.diag_indices(n)] *= 1 - (np.arange(n) % 2)  # zeros on the diagonal want a pivot
    matrix = matrix + matrix.T if n > 1 else matrix
    x = rng.normal(size=n)
    found = solve(jnp.asarray(matrix), jnp.asarray(matrix @ x))
    tolerance = 100 * np.linalg.cond(matrix) * np.finfo(float).eps
    np.testing.assert_allclose(found, x, rtol=0, atol=tolerance * np.abs(x).max())


def test_solve_of_a_singular_matrix_is_not_finite():
    assert not np.all(np.isfinite(solve(jnp.ones((2, 2)), jnp.array([1.0, 2.0]))))


@pytest.mark.parametrize("n", [2, 5, 12])
def test_newton_lands_on_the_minimum_of_a_quadratic_in_one_step(n):
    loss = lab.losses.quadratic(condition_number=1000.0, dimension=n)
    starts = np.random.default_rng(n).normal(size=(8, n))
    data = lab.sweep(loss, lab.optimizer("newton"), starts, steps=1, **RUN)
    assert np.abs(data.final_point).max() < 1e-14


def linear(n=3):
    """|A x - b|^2 with its minimum x."""
    rng = np.random.default_rng(0)
    matrix, right = rng.normal(size=(2 * n, n)), rng.normal(size=2 * n)

    @lab.losses.least_squares(low=-1.0, high=1.0, dimension=n, source="a system of equations, 2026")
    def system(x):
        return jnp.asarray(matrix, x.dtype) @ x - jnp.asarray(right, x.dtype)

    return system(), np.linalg.lstsq(matrix, right)[0]


def test_gauss_newton_solves_linear_least_squares_in_one_step():
    loss, minimum = linear()
    end = path(loss, lab.optimizer("gauss_newton"), np.ones(3), 1)[-1]
    np.testing.assert_allclose(end, minimum, rtol=1e-12)


MGH = [2, 5, 7, 8, 12, 14, 15, 17]


@pytest.mark.parametrize("number", MGH)
def test_levenberg_marquardt_ends_where_scipys_does(number):
    loss = PROBLEMS[number]()
    method = lab.optimizer("levenberg_marquardt")
    data = lab.sweep(loss, method, loss.start()[None], steps=400, **RUN)
    residuals, slopes = jax.jit(loss.residuals), jax.jit(jax.jacfwd(loss.residuals))
    scipys = scipy.optimize.least_squares(
        lambda x: np.asarray(residuals(x)), loss.start(), lambda x: np.asarray(slopes(x)),
        x_scale="jac", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=2000,
    )  # fmt: skip
    assert float(data.final_loss.squeeze()) == pytest.approx(2 * scipys.cost, rel=1e-8, abs=1e-14)


@pytest.mark.parametrize("name", ["gauss_newton", "levenberg_marquardt"])
def test_a_loss_without_residuals_is_told(name):
    with pytest.raises(SpecError, match="sum of squares with known residuals"):
        lab.sweep(lab.losses.himmelblau(), lab.optimizer(name), [[1.0, 1.0]], steps=1)


@pytest.mark.parametrize("name", ["fletcher_reeves", "polak_ribiere"])
@pytest.mark.parametrize("n", [2, 6])
def test_conjugate_gradients_end_in_n_steps(name, n):
    loss = lab.losses.quadratic(condition_number=50.0, dimension=n)
    x = path(loss, lab.optimizer(name), np.ones(n), n)
    excess = np.array([float(loss(point)) for point in x])
    assert excess[-1] < 1e-20 * excess[0] and excess[-2] > 1e-6 * excess[0]


def test_steepest_descent_meets_its_worst_case():
    """From (1/m, 1/L) each exact step cuts the loss by ((L - m)/(L + m))^2 and no more."""
    L, m, steps = 10.0, 1.0, 20
    x = path(
        lab.losses.quadratic(condition_number=L), lab.optimizer("steepest_descent"),
        [1 / m, 1 / L], steps,
    )  # fmt: skip
    excess = 0.5 * (m * x[:, 0] ** 2 + L * x[:, 1] ** 2)
    cut = ((L - m) / (L + m)) ** (2 * np.arange(steps + 1))
    np.testing.assert_allclose(excess / excess[0], cut, rtol=1e-12)


def test_a_line_search_of_optax_serves_too():
    search = {"name": "scale_by_zoom_linesearch", "max_linesearch_steps": 20}
    method = lab.optimizer("polak_ribiere", linesearch=search)
    end = lab.sweep(lab.losses.rosenbrock(), method, START[None], steps=60, **RUN)
    assert float(end.final_loss.squeeze()) < 1e-3


def thetas(steps):
    theta = 1.0
    for k in range(1, steps + 1):
        theta = (1 + np.sqrt(1 + (8 if k == steps else 4) * theta**2)) / 2
    return theta


@pytest.mark.parametrize("steps", [1, 20])
def test_the_worst_case_of_ogm_is_attained_by_a_huber_loss(steps):
    """f(x_N) - f* = L R^2 / (2 theta_N^2), and at most L R^2 / ((N + 1)(N + 1 + sqrt 2))."""
    theta = thetas(steps)
    huber = lab.losses.huber(delta=1 / theta**2, dimension=1)
    method = lab.optimizer("ogm", learning_rate=1.0, steps=steps)
    end = path(huber, method, [1.0], steps)[-1]
    assert float(huber(end)) == pytest.approx(1 / (2 * theta**2), rel=1e-12)
    assert 1 / (2 * theta**2) <= 1 / ((steps + 1) * (steps + 1 + np.sqrt(2)))


@pytest.mark.parametrize("steps", [2, 5])
def test_ogm_keeps_its_promise_from_everywhere_on_other_losses(steps):
    method = lab.optimizer("ogm", learning_rate=1.0, steps=steps)
    starts = np.geomspace(1e-3, 1e3, 61)[:, None]
    bound = starts[:, 0] ** 2 / (2 * thetas(steps) ** 2)
    data = lab.sweep(lab.losses.huber(delta=1.0, dimension=1), method, starts, steps=steps, **RUN)
    assert np.all(data.final_loss.values <= bound * (1 + 1e-12))


def test_nesterov_follows_its_differential_equation():
    """On x^2 / 2 from 1, x_k nears 2 J_1(t) / t, t = k sqrt(s); .318 sqrt(s) off at t = 5."""
    for s in (1e-3, 1e-5):
        steps = round(5 / np.sqrt(s))
        method = lab.optimizer("nesterov", learning_rate=s)
        run = {"steps": steps - 1, **RUN}
        data = lab.sweep(lab.losses.quadratic(dimension=1), method, [[1.0]], **run)
        x = (1 - s) * float(data.final_point.squeeze())  # the gradient step from y_{k-1}
        error = abs(x - 2 * scipy.special.j1(5) / 5)
        assert error / np.sqrt(s) == pytest.approx(0.318, abs=0.03 if s > 1e-4 else 0.005)


def test_chebyshev_steps_have_the_published_worst_case():
    """Condition number 100, 8 steps: worst |P| = .386063 = 1 / T_8(101/99)."""
    schedule = chebyshev_schedule(1.0, 100.0, 8)
    rates = np.array([float(schedule(k)) for k in range(8)])
    curvatures = np.linspace(1, 100, 20001)
    worst = np.abs(np.prod(1 - rates * curvatures[:, None], axis=1)).max()
    assert worst == pytest.approx(1 / scipy.special.eval_chebyt(8, 101 / 99), rel=1e-10)
    assert worst == pytest.approx(0.386063, abs=5e-7)


def test_chebyshev_descent_has_the_worst_case_at_the_smallest_curvature():
    loss = lab.losses.quadratic(condition_number=100.0)
    method = lab.optimizer("chebyshev", smallest=[1.0], largest=[100.0], period=8)
    data = lab.sweep(loss, method, [[1.0, 1.0]], steps=8, **RUN)
    np.testing.assert_allclose(np.abs(data.final_point).squeeze(), 0.386063, atol=5e-7)


def test_chebyshev_order_is_stable():
    """Lebedev and Finogenov's for powers of two; at 256 steps the natural order overflows."""
    assert stable_order(8) == [0, 7, 3, 4, 1, 6, 2, 5]
    assert sorted(stable_order(12)) == list(range(12)) and stable_order(3) == [0, 1, 2]
    schedule = chebyshev_schedule(1.0, 1e4, 256)
    rates = np.array([float(schedule(k)) for k in range(256)])
    partial = np.cumprod(1 - rates[:, None] * np.linspace(1, 1e4, 501), axis=0)
    assert np.abs(partial).max() < 1e4
    assert np.abs(np.cumprod(1 - np.sort(rates)[::-1, None] * 1e4, axis=0)).max() > 1e100

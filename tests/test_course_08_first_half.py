"""Rates, domains, basins, races and momentum: smoke runs, plain loops, and broken on purpose."""

import math

import numpy as np
import pytest

import lab
from lab import basins, theory
from lab.config import ConfigError

pytestmark = pytest.mark.usefixtures("quick_compiles", "unpictured")
COURSE = "course/08_gradient_descent/"
NAMES = (
    "gd_1d_rates",
    "gd_exp_log",
    "gd_two_minima",
    "basins_three_wells",
    "optimizer_race",
    "momentum_valley",
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The smoke runs, each made once."""
    made = {}

    def result(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            made[name] = lab.run(COURSE + name, out=folder, smoke=True)
        return made[name]

    return result


@pytest.mark.parametrize("name", NAMES)
def test_the_checks_of_a_smoke_run_hold(name, results):
    result = results(name)
    assert result.passed, [check for check in result.checks if not check.passed]
    assert name in result.figures
    assert result.manifest["command"].startswith(f"lab run {COURSE}{name} --smoke --out ")


def failed(name, folder, overrides=None):
    result = lab.run(COURSE + name, overrides or {}, out=folder, smoke=True)
    return [check.name for check in result.checks if not check.passed]


def test_the_misprinted_rate_of_momentum_is_found_out(tmp_path, monkeypatch):
    """Where the roots are complex, 2 sqrt(beta) stands in print for sqrt(beta)."""

    right = theory.heavy_ball_rate

    def misprint(curvature, learning_rate, momentum):
        complex_roots = (1 - learning_rate * curvature + momentum) ** 2 < 4 * momentum
        return right(curvature, learning_rate, momentum) * np.where(complex_roots, 2, 1)

    monkeypatch.setattr(theory, "heavy_ball_rate", misprint)
    few = {"optimizers": {"gradient descent": {"name": "sgd", "learning_rate": [0.4, 0.6]}}}
    assert len(failed("momentum_valley", tmp_path, few)) == 2


def test_a_wrong_limit_is_found_out(tmp_path, monkeypatch):
    monkeypatch.setattr(theory, "stability_limit", lambda curvature, momentum=0: 1.9 / curvature)
    wrong = failed("basins_three_wells", tmp_path)
    assert len([name for name in wrong if name.startswith("largest rate")]) == 3


def slope(x, y):
    """The gradient of the three wells, by hand."""
    gx, gy = np.zeros_like(x), np.zeros_like(y)
    for top, (c, d), wide, base in (
        (10, (0.5, 0.5), 3, 3),
        (2, (3, 1.5), 2, 1),
        (3, (3.5, 4), 0.5, 1),
    ):
        below = base + wide * ((x - c) ** 2 + (y - d) ** 2)
        gx += top * 2 * wide * (x - c) / below**2
        gy += top * 2 * wide * (y - d) / below**2
    return gx, gy


def test_the_map_of_three_wells_is_that_of_a_plain_loop(results):
    data = results("basins_three_wells").data
    side = np.linspace(0, 5, 64)
    x, y = np.meshgrid(side, side, indexing="ij")
    for _ in range(400):
        gx, gy = slope(x, y)
        x, y = x - 0.2 * gx, y - 0.2 * gy
    minima = data["_minima"].listed.values
    away = np.hypot(x[..., None] - minima[:, 0], y[..., None] - minima[:, 1])
    ours = data["map"].minimum.values.reshape(64, 64)
    assert away.min(-1).max() < 1e-3
    assert np.mean(away.argmin(-1) == ours) > 0.999


def test_adam_of_the_race_is_that_of_a_plain_loop(results):
    data = results("optimizer_race").data
    side = np.linspace(-2, 2, 32)
    point = np.stack(np.meshgrid(side, side, indexing="ij"))
    m, v = np.zeros_like(point), np.zeros_like(point)
    for k in range(1, 2001):
        x, y = point
        right = 2 * np.exp(-((x - 1) ** 2 + y**2) / 0.2)
        left = 3 * np.exp(-((x + 1) ** 2 + y**2) / 0.2)
        gx = 2 * x + right * 10 * (x - 1) + left * 10 * (x + 1)
        gradient = np.stack([gx, 2 * y + 10 * y * (right + left)])
        m, v = 0.7 * m + 0.3 * gradient, 0.999 * v + 0.001 * gradient**2
        root = np.sqrt(v / (1 - 0.999**k)) + 1e-8
        point = point - 0.01 * m / (1 - 0.7**k) / root
    ours = data["Adam"].minimum.values.reshape(32, 32)
    assert np.mean(np.where(point[0] < 0, 0, 1) == ours) > 0.99


def test_the_plane_of_two_minima_is_that_of_a_plain_loop(results):
    """One lane below the limit of the sharper minimum, and one above."""
    data = results("gd_two_minima").data
    for lane, settles in ((0, True), (2, False)):
        rate, x = (float(data["_lanes"][key][lane]) for key in ("rate", "start"))
        for _ in range(3000):
            turn, wave = 2 * math.pi * x, math.exp(x) - math.log(x)
            x -= rate * (
                (math.exp(x) - 1 / x) * math.sin(turn) + wave * 2 * math.pi * math.cos(turn)
            )
        assert (abs(x - float(data["_curve"].minimum[1])) < 1e-6) == settles


def test_the_rate_of_momentum_is_the_spectral_radius_of_its_matrix():
    rng = np.random.default_rng(1)
    for curvature, rate, momentum in rng.uniform([0.1, 0, 0], [5, 1, 1], (50, 3)):
        step = [[1 - rate * curvature + momentum, -momentum], [1, 0]]
        exact = np.abs(np.linalg.eigvals(step)).max()
        assert theory.heavy_ball_rate(curvature, rate, momentum) == pytest.approx(exact, abs=1e-7)


def test_the_best_momentum_is_the_lowest_place_of_a_fine_plane():
    rates, momenta = np.linspace(0.6, 0.74, 281), np.linspace(0.33, 0.47, 281)[:, None]
    both = [theory.heavy_ball_rate(curvature, rates, momenta) for curvature in (0.2, 4.0)]
    worst = np.maximum(*both)
    row, column = np.unravel_index(worst.argmin(), worst.shape)
    rate, momentum, best = theory.best_heavy_ball(0.2, 4.0)
    assert rates[column] == pytest.approx(rate, abs=2e-3)
    assert momenta[row, 0] == pytest.approx(momentum, abs=2e-3)
    assert 0 <= worst.min() - best < 0.02


def test_the_share_of_a_disc_lies_within_its_bounds():
    side = np.linspace(-1, 1, 400)
    disc = (np.hypot(side, side[:, None]) > 0.8).astype(int)
    found = basins.shares(disc, 2)
    exact = np.pi * 0.8**2 / 4
    assert found.low[0] < exact < found.high[0]
    assert found.estimate[0] == pytest.approx(exact, abs=2e-4)
    assert found.estimate.sum() == pytest.approx(1)
    assert basins.differing(disc, 0) == 0 and basins.differing(disc + (side > 0), 1) > 0.9


@pytest.mark.parametrize(
    ("name", "overrides", "told"),
    [
        ("basins_three_wells", {"rates": [0.2, 0.1]}, "2 to 100 increasing rates"),
        ("basins_three_wells", {"loss.name": "saddle"}, "whose minima are known"),
        ("optimizer_race", {"optimizers.Adam.b1": [0.5, 0.7]}, "one setting, not a sweep"),
        ("momentum_valley", {"loss.formula": "x**4 + y**2"}, "its curvature changes"),
        ("gd_exp_log", {"loss.formula": "x + y"}, "one loss of one variable"),
        ("gd_two_minima", {"window": [2.0, 1.0]}, "low end must be below"),
    ],
)
def test_what_is_refused(name, overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        lab.run(COURSE + name, overrides, out=tmp_path, smoke=True)

"""Each proof holds for a right run, and fails when its mathematics is broken on purpose."""

from dataclasses import replace

import numpy as np
import pytest

import lab
from lab import api, proofs, theory
from lab.check import Check

pytestmark = pytest.mark.usefixtures("quick_compiles")

WELL, HIMMELBLAU = lab.losses.double_well(), lab.losses.himmelblau()
RATES = np.geomspace(2e-3, 1.9, 40)
SGD = lab.optimizer("sgd", learning_rate=RATES)
BALL = lab.optimizer("sgd", learning_rate=RATES, momentum=0.5)


@pytest.fixture(scope="module")
def wells():
    starts = lab.starts.uniform([-1.7], [1.7], 400)
    return {name: lab.sweep(WELL, o, starts, steps=1000) for name, o in contenders().items()}


@pytest.fixture(scope="module")
def himmelblau():
    """A grid with a minimum of the catalogue, (3, 2), among its points."""
    grid = lab.starts.grid([-5, -5], [5, 5], [41, 41])
    return {name: lab.sweep(HIMMELBLAU, o, grid, steps=300) for name, o in contenders().items()}


def contenders():
    return {"sgd": SGD, "ball": BALL}


def passed(checks):
    return [check.passed for check in checks]


def test_newton_finds_the_minima_of_the_catalogue_and_no_others(himmelblau):
    assert passed(proofs.minima_by_newton(HIMMELBLAU, himmelblau)) == [True] * 4
    misprinted = HIMMELBLAU.minima()
    misprinted[1, 0] += 1e-5
    wrong = replace(HIMMELBLAU, known_minima=misprinted)
    assert passed(proofs.minima_by_newton(wrong, himmelblau)) == [True, False, True, True]


def test_newton_leaves_a_flat_direction_alone():
    """The minima of (u v - 1)^2/2 are a curve; from (2, .6) the nearest is orthogonal to it."""
    x = proofs.newton(lab.losses.scalar_factorisation())(np.array([2.0, 0.6]))
    assert abs(x[0] * x[1] - 1) < 1e-12 and np.linalg.norm(x - [2.0, 0.6]) < 0.2


def test_nothing_lies_below_the_lowest_loss(himmelblau):
    assert passed(proofs.nothing_below(HIMMELBLAU, himmelblau, "float32")) == [True]
    raised = {name: data.assign_coords(minimum_loss=0.01) for name, data in himmelblau.items()}
    (check,) = proofs.nothing_below(HIMMELBLAU, raised, "float32")
    assert not check.passed and check.measured == pytest.approx(0.01, rel=1e-3)
    unknown = {name: data.assign_attrs(minimum_known=0) for name, data in himmelblau.items()}
    assert proofs.nothing_below(HIMMELBLAU, unknown, "float32") == []


@pytest.mark.parametrize("precision", ["float32", "float64", "bfloat16"])
def test_the_engine_follows_the_closed_form(precision):
    check = proofs.closed_form(precision)
    assert check.passed and 0 < check.measured


@pytest.mark.parametrize("slip", [1e-4, -1e-4], ids=["faster", "slower"])
def test_a_learning_rate_a_little_off_does_not(monkeypatch, slip):
    def slipped(loss, optimizer, *arguments, **run):
        rates = optimizer.swept["learning_rate"] * (1 + slip)
        return api.sweep(loss, lab.optimizer("sgd", learning_rate=rates), *arguments, **run)

    monkeypatch.setattr(proofs, "sweep", slipped)
    assert not proofs.closed_form("float32").passed


def test_replays_that_differ_are_told():
    assert proofs.replays(0, of=10).passed and not proofs.replays(1, of=10).passed


@pytest.mark.parametrize("loss", ["wells", "himmelblau"])
def test_no_minimum_attracts_above_its_limit(loss, request):
    """Though chaotic lanes pass by the double well's minima, and one start is a minimum."""
    results = request.getfixturevalue(loss)
    which = WELL if loss == "wells" else HIMMELBLAU
    checks = proofs.stability(which, contenders(), results)
    assert len(checks) == 2 * len(which.minima()) and all(passed(checks))
    step = RATES[1] / RATES[0]
    for check in checks:  # and the limit is nearly reached: the proof is not an empty one
        assert check.measured > check.expected / step**3


@pytest.mark.parametrize("slip", [0.5, 2.0], ids=["halved", "doubled"])
def test_rates_that_are_not_those_said_are_found_out(wells, slip):
    """Lanes run at other rates than the results say, in the direction that looks too stable."""
    said = {name: data.assign_coords(learning_rate=RATES * slip) for name, data in wells.items()}
    checks = proofs.stability(WELL, contenders(), said)
    assert passed(checks) == [slip < 1] * 4


def test_a_wrong_limit_is_found_out(wells, monkeypatch):
    monkeypatch.setattr(theory, "stability_limit", lambda curvature, momentum=0.0: 1 / curvature)
    assert not any(passed(proofs.stability(WELL, contenders(), wells)))


def test_stability_speaks_only_of_what_its_theory_covers(wells):
    others = {
        "adam": lab.optimizer("adam", learning_rate=RATES),
        "nesterov": lab.optimizer("sgd", learning_rate=RATES, momentum=0.5, nesterov=True),
        "scheduled": lab.optimizer("sgd", learning_rate=lambda t: 0.1),
        "two sweeps": lab.optimizer("sgd", learning_rate=RATES, momentum=[0.5, 0.9]),
    }
    assert proofs.stability(WELL, others, dict.fromkeys(others, wells["sgd"])) == []


@pytest.mark.parametrize(
    ("expected", "measured", "at_most", "holds"),
    [
        (1.0, 1.1, False, True),
        (1.0, 0.8, False, False),
        (1.0, 0.8, True, True),
        (1.0, 1.2, True, False),
        (0.0, np.nan, False, False),
        (0.0, np.nan, True, False),
        (np.inf, np.inf, False, True),
        (np.inf, 1.0, False, False),
    ],
)
def test_a_check_says_whether_it_holds(expected, measured, at_most, holds):
    check = Check("name", expected, measured, 0.125, "source", at_most)
    assert check.passed == holds
    assert Check.from_row(check.as_row()).passed == holds

"""Topic 2 of the course: limits, epsilon and delta, and kinds of discontinuity."""

import math
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest

import lab
from lab.batch import batched
from lab.calculus import continuity, function, limits
from lab.calculus.continuity import KINDS, detect, merge
from lab.calculus.limits import approach, delta, extrapolate
from lab.config import ConfigError

pytestmark = pytest.mark.usefixtures("quick_compiles", "unpictured")
TOPIC = "course/02_limits_and_continuity/"
APPROACH, DELTA, ZOO = (
    TOPIC + name for name in ("limit_approach", "epsilon_delta", "discontinuity_zoo")
)


def failures(result):
    return [check.name for check in result.checks if not check.passed]


def search(text, low, high, cells=3000):
    width = (high - low) / cells
    at = low + (high - low) * (np.arange(cells) / cells)
    found = batched(partial(detect, function(text)), at, np.full(cells, width))
    return merge(found), np.bincount(found.kind, minlength=len(KINDS)).tolist()


def test_both_sides_of_a_point_and_of_infinity(float64):
    h = jnp.array(0.25)
    assert [float(v) for v in approach(function("x**2"), 3.0, h)] == [2.75**2, 3.25**2]
    assert [float(v) for v in approach(function("x"), math.inf, h)] == [-4.0, 4.0]


def test_extrapolation_finds_limits_to_many_digits():
    h = 2.0 ** -np.arange(17)
    rows = np.stack([np.exp(h), (np.expm1(h)) / h, np.cos(h) + h**3, np.full(17, 5.0)])
    found, doubt = batched(extrapolate, rows)
    np.testing.assert_allclose(found, [1, 1, 1, 5], atol=1e-11)
    assert doubt.max() < 1e-10
    lost, _ = batched(extrapolate, np.array([[1.0, np.nan, np.nan]]))
    assert lost[0] == 1.0


@pytest.mark.parametrize(
    ("text", "at", "limit", "known"),
    [
        ("x**2", 2.0, 4.0, lambda e: math.sqrt(4 + e) - 2),
        ("1/x", 0.5, 2.0, lambda e: 0.5 - 1 / (2 + e)),
        ("3*x + 1", 0.0, 1.0, lambda e: e / 3),
        ("sqrt(abs(x))", 0.0, 0.0, lambda e: e**2),
        ("where(x < 0, x, x + 1)", 0.0, 1.0, lambda e: 0.0),
        ("0*x", 0.0, 0.0, lambda e: 0.4),  # all values are close as far as one looks
    ],
)
def test_delta_is_that_of_a_textbook(text, at, limit, known):
    epsilons = np.array([0.5, 0.1, 0.01])
    found = batched(lambda e: delta(function(text), at, limit, e, 0.4), epsilons)
    expected = [min(known(e), 0.4) for e in epsilons]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "ends", "kind", "at", "size"),
    [
        ("floor(x)", (0.3, 1.4), "jump", 1.0, 1.0),
        ("where(x < 0.1234567, sin(9*x), sin(9*x) - 0.01)", (-1, 1), "jump", 0.1234567, -0.01),
        ("tan(x)", (0.1, 3.0), "infinite", math.pi / 2, None),
        ("log(abs(x))", (-1, 1), "infinite", 0.0, None),
        ("1/x**2", (-1, 1), "infinite", 0.0, None),
        ("where(x == 0, 5, x)", (-1, 1), "removable", 0.0, 0.0),
        ("(x**2 - 1)/(x - 1)", (0, 2), "removable", 1.0, 0.0),
        ("sin(1/x)", (-1, 1), "oscillating", 0.0, None),
        ("1/(1 + exp(1/x))", (-1, 1), "jump", 0.0, -1.0),
    ],
)
def test_the_detector_finds_the_only_discontinuity(text, ends, kind, at, size):
    told, _ = search(text, *ends)
    assert [one[0] for one in told] == [kind]
    _, where, left, right = told[0]
    assert where == pytest.approx(at, abs=1e-11)
    if size is not None:
        assert right - left == pytest.approx(size, abs=1e-9)


@pytest.mark.parametrize("text", ["abs(x)", "x**3 - x", "cbrt(x)", "exp(5*x)", "1/(x + 3)", "0*x"])
def test_the_detector_finds_nothing_in_continuous_functions(text):
    assert search(text, -1, 1)[0] == []


def test_the_detector_says_where_there_is_no_function():
    told, kinds = search("sqrt(x)", -1, 1, 1000)
    assert told == []
    assert 499 <= kinds[KINDS.index("undefined")] <= 501


def test_several_jumps_in_order():
    told, _ = search("floor(3*x)", -0.9, 0.9)
    np.testing.assert_allclose([one[1] for one in told], np.arange(-2, 3) / 3, atol=1e-11)


def test_limits_are_found_and_lost_where_theory_says(tmp_path):
    result = lab.run(APPROACH, out=tmp_path, smoke=True)
    assert not failures(result) and len(result.checks) == 36
    lost = {row["function"]: row["float64"] for row in result.table.rows}
    assert lost["sin(x)/x"] == 0 and 1e-9 < lost["(1 − cos(x))/x²"] < 1e-7
    assert "lost from 7e-09 (float64)" in result.figures["limit_approach"].alt


def test_a_wrong_approach_fails(monkeypatch, tmp_path):
    """Values that are off by the distance itself, and the nearest of them for the limit."""
    monkeypatch.setattr(limits, "approach", lambda f, at, h: approach(lambda x: f(x) + h, at, h))
    monkeypatch.setattr(limits, "extrapolate", lambda values: (values[-1], values[-1]))
    failed = failures(lab.run(APPROACH, out=tmp_path, smoke=True))
    assert "sin(x)/x, x → 0: power of the distance that the error goes with" in failed
    assert "(x² − 1)/(x − 1), x → 1: limit from the right, extrapolated" in failed


def test_delta_stands_its_trials(tmp_path):
    result = lab.run(DELTA, out=tmp_path, smoke=True)
    assert not failures(result) and len(result.checks) == 13
    powers = {row["function"]: row["power"] for row in result.table.rows}
    assert powers["sin(x)/x"] == pytest.approx(0.5, abs=1e-4)
    assert powers["x²"] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("factor", "told"), [(1.05, "points within delta"), (0.99, "a delta larger by 1e-5 serves")]
)
def test_a_wrong_delta_fails(factor, told, monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "delta", lambda *given: factor * delta(*given))
    failed = failures(lab.run(DELTA, out=tmp_path, smoke=True))
    assert any(told in name for name in failed)
    assert "sin(x)/x: delta over sqrt(6ε), for the last epsilon" in failed


def test_the_zoo(tmp_path):
    result = lab.run(ZOO, out=tmp_path, smoke=True)
    assert not failures(result) and len(result.checks) == 19
    kinds = [row["kind"] for row in result.table.rows]
    assert kinds == ["none", "removable", "jump", "infinite", "removable", "oscillating"]


def test_a_blind_detector_fails(monkeypatch, tmp_path):
    """One that takes every change for one that shrinks sees no jump and no pole."""
    monkeypatch.setattr(continuity, "SHRINKS", 1e9)
    failed = failures(lab.run(ZOO, out=tmp_path, smoke=True))
    assert "x, then x + 1: jump ones among them" in failed
    assert "1/x: infinite ones among them" in failed or "1/x: where" in failed
    assert "x²: discontinuities in 4096 cells" not in failed


@pytest.mark.parametrize(
    ("config", "overrides", "told"),
    [
        (DELTA, {"epsilons": [0.1, 0.2]}, "each smaller than the one before"),
        (APPROACH, {"scales": 10}, "give 54 to 100"),
        (ZOO, {"cells": 1}, "2"),
    ],
)
def test_what_is_refused(config, overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        lab.run(config, overrides, out=tmp_path)

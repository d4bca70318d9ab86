"""Every peer that is here, against plain descent in float64; what is not here says why."""

import shutil
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lab.outcome import Outcome
from lab.peers import PEERS, Task, fractal_loop, native, ours, peer, reference
from lab.peers.gradients import GRADIENTS
from lab.peers.task import LOSSES, OPTIMIZERS

pytestmark = pytest.mark.usefixtures("quick_compiles")

RATES = {"sgd": 1e-4, "heavy ball": 1e-5, "adam": 1e-3, "lion": 1e-4}
DIMENSIONS = {"rosenbrock": 3, "rastrigin": 4, "tanh_network": 16, "logistic_regression": 5}
PAIRS = [(loss, "adam") for loss in LOSSES] + [("three_wells", name) for name in RATES]
RECORDS = ("hit_step", "outcome")

descended = cache(reference.descend)
"""The exact ends of a task, which all of its peers are held against."""


def task(loss="three_wells", optimizer="adam", lanes=70, steps=20, **more):
    rate = more.pop("learning_rate", RATES[optimizer])
    return Task(loss, DIMENSIONS.get(loss, 2), optimizer, rate, lanes, steps, **more)


def run(name, one):
    """The peer's ends, copied; the test is skipped, with the reason, where it is missing."""
    module = ours if name == "ours" else peer(name)
    reason = module.reason_missing(one)
    if reason is not None:
        pytest.skip(f"{name} {reason}")
    return {key: np.array(value) for key, value in module.prepare(one)().items()}


@pytest.mark.parametrize("name", ["ours", *PEERS])
@pytest.mark.parametrize(("loss", "optimizer"), dict.fromkeys(PAIRS))
def test_ends_are_those_of_plain_descent(name, loss, optimizer):
    one = task(loss, optimizer, learning_rate=10 * RATES[optimizer])
    ends = run(name, one)
    assert ends["final_point"].shape == (70, one.dimension)
    assert ends["final_point"].dtype == np.float32
    moved = np.abs(ends["final_point"] - one.points()).max(axis=1)
    assert np.quantile(moved, 0.1) > 2 * reference.tolerance(one) or optimizer != "adam"
    exact = descended(one, 70)
    assert reference.error(ends, exact) <= reference.tolerance(one)


@pytest.mark.parametrize("name", ["ours", "plain_jax", "c_openmp"])
@pytest.mark.parametrize("rate", [1e-4, 3e-3])
def test_records_are_those_of_plain_descent(name, rate):
    """At the larger rate many lanes diverge and are frozen."""
    one = task("rosenbrock", "sgd", learning_rate=rate, recording=True, precision="float64")
    ends, exact = run(name, one), descended(one, 70)
    for key in RECORDS:
        np.testing.assert_array_equal(ends[key], exact[key])
    if rate > 1e-3:
        assert {Outcome.DIVERGED, Outcome.BUDGET_SPENT} <= set(exact["outcome"])
    for key in ("final_loss", "best_loss", "final_point"):
        np.testing.assert_allclose(ends[key], exact[key], rtol=1e-9)


@pytest.mark.parametrize("name", ["ours", "plain_jax", "c_openmp"])
def test_records_say_how_lanes_ended(name):
    one = task("rastrigin", "lion", steps=60, learning_rate=0.3, recording=True)
    ends, exact = run(name, one), descended(one, 70)
    assert {Outcome.OSCILLATING, Outcome.BUDGET_SPENT} <= set(exact["outcome"])
    assert np.mean(ends["outcome"] == exact["outcome"]) >= reference.AGREEING


@pytest.mark.parametrize("name", ["plain_jax", "numpy_loop", "c_openmp"])
def test_float64(name):
    one = task("rosenbrock", "adam", precision="float64")
    error = reference.error(run(name, one), descended(one, 70))
    assert error <= reference.tolerance(one) < 1e-12


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_formulas_are_those_of_optax(optimizer, float64):
    one, rng = task(optimizer=optimizer), np.random.default_rng(0)
    x = theirs = jnp.asarray(rng.normal(size=(5, 2)))
    ours, transformation = reference.Steps(optimizer, RATES[optimizer]), one.transformation
    state = transformation.init(theirs)
    for _ in range(5):
        g = jnp.asarray(rng.normal(size=(5, 2)))
        updates, state = transformation.update(g, state, theirs)
        theirs = optax.apply_updates(theirs, updates)
        x = ours(np.asarray(x), np.asarray(g))
    np.testing.assert_allclose(x, theirs, rtol=1e-13)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_by_hand(loss, float64):
    one = task(loss, precision="float64")
    x = one.points()
    exact = jax.vmap(jax.grad(one.lab_loss))(jnp.asarray(x))
    np.testing.assert_allclose(GRADIENTS[loss](x.T).T, exact, rtol=1e-9, atol=1e-11)


def test_starts_do_not_depend_on_how_many_there_are():
    np.testing.assert_array_equal(task(lanes=10).points(), task(lanes=200).points()[:10])


def test_error_is_of_the_best_nine_tenths():
    exact = {"final_point": np.zeros((10, 1))}
    wrong = np.array([[0.0]] * 8 + [[0.5], [np.nan]])
    assert reference.error({"final_point": wrong}, exact) == 0.5


def test_what_is_missing_says_why(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert peer("c_openmp").reason_missing(task()) == "there is no C compiler `cc`"
    assert peer("cuda").reason_missing(task()) == "there is no CUDA compiler `nvcc`"
    recording = task(recording=True)
    assert peer("numpy_loop").reason_missing(recording) == "keeps no records"
    other = Task("himmelblau", 2, "sgd", 1e-3, 10, 10)
    assert peer("plain_jax").reason_missing(other) == "has no himmelblau"
    assert "devices" in ours.reason_missing(task(cores=100))


def test_a_compiler_that_fails_is_heard():
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler `cc`")
    with pytest.raises(RuntimeError, match="cc fails"):
        native.compile_library(["cc", "-fno-such-flag-there-is"], "openmp.c", task())


def test_both_ways_draw_the_same_fractal():
    picture = fractal_loop.Picture(side=6, width=2, steps=12, precision="float64")
    notebook, lab = fractal_loop.notebook(picture)(), fractal_loop.ours(picture)()
    assert notebook["colour"].shape == notebook["final_loss"].shape == (36,)
    exact = fractal_loop.losses_of(notebook)
    assert reference.error(fractal_loop.losses_of(lab), exact) < 1e-9
    assert len(np.unique(np.sign(notebook["colour"]))) == 2  # trained here, not there


def test_loading_fast_c_leaves_denormal_numbers_alone():
    """Linked with -ffast-math, a library would flush them to 0 in the whole process."""
    run("c_openmp", task("rosenbrock", "sgd"))
    assert np.float32(1e-40) * np.float32(0.5) > 0

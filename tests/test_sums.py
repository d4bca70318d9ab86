"""Averages kept as sums: which are, and that what they mean stays the same."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lab
from lab.api import make_plan
from lab.backends.forms import summed
from lab.settings import Run

LOSS = lab.losses.rosenbrock(b=100.0)
STARTS = lab.starts.uniform([-2.0, -1.0], [2.0, 3.0], 64)

AVERAGES = {
    "adam": (dict(learning_rate=1e-3), 4),
    "rmsprop": (dict(learning_rate=1e-3), 2),
    "adabelief": (dict(learning_rate=1e-3), 2),  # the other one has a term more
    "sgd": (dict(learning_rate=1e-4, momentum=0.9), 2),  # a m + g, but g has 2 or 200 in front
    "adagrad": (dict(learning_rate=1e-2), 0),
}


def kept(optimizer, **run):
    """Which numbers of the optimizer's state are kept as sums, and the sums' loop."""
    plan = make_plan(LOSS, optimizer, STARTS, Run(**run))
    with plan.precision():
        sums = summed(plan.problem({}), plan.inputs())
    found = [u for u in sums.factors if u is not None]
    return np.concatenate([np.ravel(u) for u in found]) if found else np.zeros(0), sums.loop


@pytest.mark.parametrize("name", AVERAGES)
def test_averages_of_optimizers(name):
    settings, count = AVERAGES[name]
    factors, _ = kept(lab.optimizer(name, **settings))
    assert np.sum(factors != 1.0) == count


def test_factors_of_adam():
    """1 - b1 and 1 - b2, times what gradients have as powers of two in front: 2 and its square."""
    factors, _ = kept(lab.optimizer("adam", learning_rate=1e-3, b1=0.75, b2=0.984375))
    np.testing.assert_array_equal(np.abs(factors), [0.5, 0.25, 0.0625, 0.015625])


def test_swept_decay_rates_are_left_as_they_are():
    """They differ from lane to lane, and so would the factors."""
    factors, _ = kept(lab.optimizer("adam", learning_rate=1e-3, b1=[0.8, 0.9], b2=[0.99, 0.999]))
    assert np.all(factors == 1.0)


@pytest.mark.parametrize("b1", [1.0, 1.0 - 1e-9])
def test_factors_near_0_are_not_divided_by(b1):
    """Nothing is learned of the gradient then, and 0 / 0 would come of it."""
    adam = lab.optimizer("adam", learning_rate=1e-3, b1=b1)
    data = lab.sweep(LOSS, adam, STARTS, steps=20, precision="float64")
    other = lab.sweep(LOSS, adam, STARTS, steps=20, precision="float64", backend="vmap")
    np.testing.assert_allclose(data.final_loss, other.final_loss, rtol=1e-9)


@pytest.mark.parametrize("watch", [True, False])
def test_the_same_lanes_as_with_averages(watch):
    """In float64, after 400 steps in chunks, and from starts that the program was not made for."""
    adam = lab.optimizer("adam", learning_rate=[1e-3, 0.01])
    run = dict(steps=400, precision="float64", watch=watch, record=(lab.record.Last(),))
    points = np.asarray(jnp.stack(jax.random.normal(jax.random.key(0), (50, 2))))
    for starts in (STARTS, points):
        data = lab.sweep(LOSS, adam, starts, **run)
        other = lab.sweep(LOSS, adam, starts, backend="vmap", **run)
        np.testing.assert_allclose(data.final_point, other.final_point, rtol=1e-9, atol=1e-12)

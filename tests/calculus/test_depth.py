"""Deep networks and products of matrices against NumPy, jax.grad and Monte Carlo."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lab.calculus.depth import log_growth, relu_growth, relu_network, vector_growth
from lab.calculus.trainability import box_counts, box_dimension, last_layer_limit, plain_loop
from lab.losses import fractal_network

pytestmark = pytest.mark.usefixtures("quick_compiles")


def test_lengths_of_signal_and_gradient_are_those_of_the_network():
    width, depth, scale, key = 5, 3, 1.7, jax.random.key(3)
    first, last, *keys = jax.random.split(key, depth + 2)
    h0, v = (jax.random.normal(own, (width,)) for own in (first, last))
    layers = [
        jax.random.normal(own, (width, width)) * np.float32((scale / width) ** 0.5) for own in keys
    ]

    def after(h, at):
        for w in layers[at:]:
            h = jnp.maximum(w @ h, 0)
        return v @ h

    found = relu_network(key, jnp.float32(scale), width, depth)
    h, signals, gradients = h0, [], []
    for at in range(depth + 1):
        signals.append(float(h @ h / (h0 @ h0)))
        g = jax.grad(after)(h, at)
        gradients.append(float(g @ g / (v @ v)))
        h = jnp.maximum(layers[at] @ h, 0) if at < depth else h
    np.testing.assert_allclose(found["signal"], signals, rtol=1e-5)
    np.testing.assert_allclose(found["gradient"], gradients[::-1], rtol=1e-5)


def test_products_are_those_of_the_matrices():
    key = jax.random.key(1)
    v, logs = np.eye(4)[0], []
    for own in jax.random.split(key, 6):
        v = np.asarray(jax.random.normal(own, (4, 4)), float) @ v
        logs.append(np.log(np.linalg.norm(v)))
    np.testing.assert_allclose(log_growth(key, 4, 6), logs, rtol=1e-5)


def test_growth_is_the_mean_of_logarithms():
    rng = np.random.default_rng(0)
    logs = np.log(rng.chisquare(4, size=400_000)) / 2
    mean, std = vector_growth(4)
    assert mean == pytest.approx(logs.mean(), abs=0.003)
    assert std == pytest.approx(logs.std(), rel=0.01)
    k = rng.binomial(8, 0.5, size=400_000)
    logs = np.log(rng.chisquare(k[k > 0]) * 1.5 / 8)
    assert relu_growth(1.5, 8) == pytest.approx(logs.mean(), abs=0.01)


def drawn(n=3):
    rng = np.random.default_rng(0)
    weights = n * n + n
    return rng.normal(size=(weights, n)), rng.normal(size=weights), rng.normal(size=weights)


def test_the_plain_loop_descends_the_loss_of_the_catalogue(float64):
    inputs, targets, weights = drawn()
    loss = fractal_network(width=3)
    rates = np.array([[0.5, 2.0], [3.0, 0.1]])
    found = plain_loop(inputs, targets, weights, rates, 7, 1e8)
    for (first, second), final in zip(rates, found, strict=True):
        w = jnp.asarray(weights)
        for _ in range(7):
            w = w - jnp.where(jnp.arange(12) < 9, first, second) * jax.grad(loss)(w)
        assert final == pytest.approx(float(loss(w)), rel=1e-10)


def test_the_last_layer_alone_diverges_above_its_limit():
    inputs, targets, weights = drawn()
    limit = last_layer_limit(inputs, weights)
    rates = np.array([[0.0, 0.9 * limit], [0.0, 1.1 * limit]])
    below, above = plain_loop(inputs, targets, weights, rates, 300, 1e8)
    start = plain_loop(inputs, targets, weights, rates[:1], 0, 1e8)[0]
    assert below < start < 1e3 < above


def test_boxes_of_a_straight_border_and_of_a_board():
    half = np.arange(64)[None, :] < np.full((64, 1), 31)
    assert box_counts(half, [1, 2, 4, 8]).tolist() == [64, 32, 16, 8]
    assert box_dimension(half, [2, 4, 8]) == pytest.approx(1)
    board = np.indices((64, 64)).sum(0) % 2 == 0
    assert box_dimension(board, [2, 4, 8]) == pytest.approx(2)

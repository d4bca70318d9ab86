"""Models of other sizes than their own, their batches, and what is told of faults.

At their own sizes they are under the contract of all losses (test_losses.py).
"""

import sys

import jax
import numpy as np
import pytest

import lab
from lab.errors import SpecError
from lab.losses import MODELS
from lab.losses.data import CLASSES, DATA, arms, clouds
from lab.peers.fractal_loop import Picture

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")

CASES = {
    "linear_regression": [{"inputs": 7, "seed": 3, "ridge": 0.2}],
    "logistic_regression": [
        {"inputs": 6, "samples": 50, "seed": 2, "ridge": 0.1},
        {"data": "blobs", "samples": 20},
    ],
    "softmax_regression": [
        {"data": "spirals", "classes": 4, "samples": 12, "seed": 1, "ridge": 0.1},
        {"data": "moons", "samples": 20},
    ],
    "matrix_factorisation": [{"rows": 3, "columns": 5, "rank": 4}],
    "deep_linear_network": [{"depth": 1}, {"depth": 2, "width": 5, "outputs": 4}],
    "fractal_network": [{"width": 3, "samples": 5, "activation": "identity"}],
    "mlp": [
        {"width": 3, "depth": 2, "data": "chebyshev", "activation": "tanh"},
        {"width": 4, "data": "spirals", "error": "logistic", "samples": 20},
    ],
}
each = pytest.mark.parametrize(
    ("name", "given"), [(n, g) for n, rows in CASES.items() for g in rows], ids=str
)


def test_every_model_is_tested_here():
    assert set(CASES) == set(MODELS)


@each
def test_facts_and_gradients(name, given):
    loss = getattr(lab.losses, name)(**given)
    assert lab.losses.from_spec({"name": name, **given}, None).function is loss.function
    assert loss.formula.startswith("f(") and loss.source and loss.name == name
    x = np.random.default_rng(0).uniform(-1, 1, loss.dimension)
    f, slope = jax.jit(jax.value_and_grad(loss))(x)
    h = 1e-6 * np.eye(loss.dimension)
    values = np.asarray(jax.jit(jax.vmap(loss))(np.concatenate([x + h, x - h])))
    central = (values[: len(x)] - values[len(x) :]) / 2e-6
    np.testing.assert_allclose(slope, central, rtol=1e-6, atol=1e-7)
    if loss.residual_function is not None:
        np.testing.assert_allclose(f, np.sum(np.asarray(loss.residuals(x)) ** 2), rtol=1e-13)


@each
def test_minima_are_minima(name, given):
    loss = getattr(lab.losses, name)(**given)
    if loss.minimum() is None:
        assert name in ("mlp", "fractal_network")
        return
    (x,) = loss.minima()
    assert float(loss(x)) == pytest.approx(loss.minimum(), rel=1e-12, abs=1e-25)
    assert np.abs(jax.jit(jax.grad(loss))(x)).max() < 1e-12
    assert np.linalg.eigvalsh(jax.jit(jax.hessian(loss))(x)).min() > -1e-10


def test_a_narrow_deep_linear_network_has_no_known_minimum():
    assert lab.losses.deep_linear_network(width=1, inputs=3, outputs=2).minimum() is None


def test_the_network_is_the_one_written_out():
    loss = lab.losses.mlp(width=2, depth=2, data="line", samples=5)
    w = np.random.default_rng(1).normal(size=loss.dimension)
    x, y = DATA["line"](5, 0)
    one = np.tanh(x @ w[:2].reshape(2, 1).T + w[2:4])
    two = np.tanh(one @ w[4:8].reshape(2, 2).T / np.sqrt(2) + w[8:10])
    out = two @ w[10:12] / np.sqrt(2) + w[12]
    assert float(loss(w)) == pytest.approx(np.mean((out - y) ** 2), rel=1e-13)


def test_the_logistic_error_is_the_one_written_out():
    loss = lab.losses.mlp(width=1, data="blobs", samples=6, error="logistic", activation="relu")
    x, y = DATA["blobs"](6, 0)
    w = np.array([0.5, -1.5, 0.2, 2.0, -0.3])
    out = 2 * np.maximum(x @ w[:2] / np.sqrt(2) + 0.2, 0) - 0.3
    assert float(loss(w)) == pytest.approx(np.mean(np.log1p(np.exp(-y * out))), rel=1e-13)


def test_logistic_regression_on_digits_and_by_scikit_learn():
    linear = pytest.importorskip("sklearn.linear_model")
    loss = lab.losses.logistic_regression(data="digits", samples=300, ridge=0.02)
    x, y = DATA["digits"](300, 0)
    x = np.concatenate([x, np.ones((300, 1))], axis=1)
    fitted = linear.LogisticRegression(C=1 / (300 * 0.02), fit_intercept=False, tol=1e-12,
                                       solver="newton-cholesky").fit(x, y)  # fmt: skip
    np.testing.assert_allclose(loss.minima()[0], fitted.coef_[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("given", "classes"), [
    ({"data": "digits", "samples": 150, "ridge": 0.02}, 10),
    ({"data": "blobs", "samples": 200}, 3),
    ({"data": "blobs", "samples": 60, "classes": 5, "ridge": 0.5, "seed": 4}, 5),
], ids=str)  # fmt: skip
def test_softmax_regression_is_scikit_learns(given, classes):
    """Its multinomial logistic regression: C sum_j loss_j + |W|^2 / 2, with C = 1/(n r)."""
    linear = pytest.importorskip("sklearn.linear_model")
    loss = lab.losses.softmax_regression(**given)
    samples, ridge = given["samples"], given.get("ridge", 0.01)
    x, y = CLASSES[given["data"]].make(samples, given.get("seed", 0), classes)
    assert set(y) == set(range(classes))
    x = np.concatenate([x, np.ones((samples, 1))], axis=1)
    fitted = linear.LogisticRegression(C=1 / (samples * ridge), fit_intercept=False, tol=1e-12,
                                       solver="newton-cg", max_iter=1000).fit(x, y)  # fmt: skip
    (w,) = loss.minima()
    np.testing.assert_allclose(w.reshape(classes, -1), fitted.coef_, rtol=1e-6, atol=1e-7)
    chances = fitted.predict_proba(x)[np.arange(samples), y.astype(int)]
    there = -np.log(chances).mean() + ridge * np.sum(fitted.coef_**2) / 2
    assert loss.minimum() == pytest.approx(there, rel=1e-10)
    assert float(jax.jit(loss)(fitted.coef_.ravel())) == pytest.approx(there, rel=1e-12)


@pytest.mark.parametrize(("many", "two"), [(clouds, "blobs"), (arms, "spirals")])
def test_two_classes_are_the_two_labels(many, two):
    points, label = many(20, 3, 2)
    expected = DATA[two](20, 3)
    np.testing.assert_allclose(points, expected[0], atol=1e-12)
    np.testing.assert_array_equal(2 * label - 1, expected[1])


def test_the_fractal_network_is_that_of_the_picture():
    picture = Picture(side=2, width=3, steps=1)
    loss = lab.losses.fractal_network(width=3)
    w = picture.drawn[2]
    assert float(loss(w)) == pytest.approx(float(picture.loss(w)), rel=1e-13)


def test_batches_are_drawn_anew_and_right_in_the_mean():
    full, some = lab.losses.mlp(), lab.losses.mlp(batch=4)
    assert some.takes_key and not full.takes_key and full.dimension == some.dimension
    w = np.random.default_rng(1).normal(size=full.dimension)
    assert float(some(w)) == float(full(w))
    values = jax.vmap(lambda key: some(w, key=key))(jax.random.split(jax.random.key(0), 4000))
    error = float(np.std(values)) / np.sqrt(4000)
    assert float(np.mean(values)) == pytest.approx(float(full(w)), abs=5 * error)
    sgd = lab.optimizer("sgd", learning_rate=0.1)
    starts = lab.starts.normal(mean=[0.0] * full.dimension, std=0.5, count=2)
    data = lab.sweep(some, sgd, starts, steps=30, seeds=2, backend="vmap", block=32)
    assert np.all(data.final_loss.isel(seed=0) != data.final_loss.isel(seed=1))


def test_a_ridge_may_be_swept():
    loss = lab.losses.linear_regression(ridge=[0.1, 1.0])
    data = lab.sweep(
        loss, lab.optimizer("gauss_newton"), np.zeros((1, 4)), steps=2, precision="float64"
    )
    expected = np.concatenate([loss.minima(ridge=0.1), loss.minima(ridge=1.0)])
    np.testing.assert_allclose(data.final_point.squeeze(), expected, rtol=1e-9)


@pytest.mark.parametrize("name", sorted(DATA.keys() - {"digits"}))
def test_data_come_from_their_seed(name):
    x, y = DATA[name](40, 1)
    assert x.shape[0] == y.shape[0] == 40 and np.abs(x).max() < 4 and np.all(np.isfinite(y))
    np.testing.assert_array_equal(x, DATA[name](40, 1)[0])
    assert name == "chebyshev" or np.any(x != DATA[name](40, 2)[0])


def test_digits_come_with_scikit_learn():
    pytest.importorskip("sklearn")
    x, y = DATA["digits"](100, 0)
    assert x.shape == (100, 64) and set(y) == {-1.0, 1.0}
    assert x.min() == -1 and x.max() == 1
    with pytest.raises(SpecError, match="samples: there are 1797 digits"):
        lab.losses.mlp(data="digits", samples=2000)


def test_digits_are_missed_in_words(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SpecError, match=r"data: needs scikit-learn: pip install .*\[digits\]"):
        lab.losses.mlp(data="digits", samples=11)


@pytest.mark.parametrize(("given", "told"), [
    ({"width": 0}, "width: must be a whole number from 1"),
    ({"data": "moon"}, "data: must be one of .* did you mean 'moons'"),
    ({"widht": 3}, "widht: mlp has no parameter 'widht'; did you mean 'width'"),
    ({"width": [3, 4]}, "width: must be a whole number"),
    ({"data": "line", "error": "logistic"}, "error: the logistic error needs labels; data may be"),
], ids=str)  # fmt: skip
def test_faults(given, told):
    with pytest.raises(SpecError, match=told):
        lab.losses.mlp(**given)


@pytest.mark.parametrize(("given", "told"), [
    ({"data": "moons", "classes": 3}, "classes: moons have 2, not 3"),
    ({"data": "digits", "classes": 11}, "classes: digits have from 2 to 10, not 11"),
    ({"classes": 1}, "classes: blobs have from 2 to 1000, not 1"),
    ({"data": "rule"}, "data: must be one of blobs, moons, spirals, digits, not 'rule'"),
])  # fmt: skip
def test_faults_of_classes(given, told):
    with pytest.raises(SpecError, match=told):
        lab.losses.softmax_regression(**given)

"""What may be swept, descended on and started from; each against a loop or a formula."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import lab
from lab.errors import SpecError
from lab.flow import Meter
from lab.names import RESERVED

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")

SMALL = {"precision": "float64", "block": 64, "gradient_below": 0.0}


def bowl(x, curvature=1.0, centre=0.0):
    return curvature * jnp.sum((x - centre) ** 2) / 2


def by_optax(tx, loss, x, steps):
    """Last point of a Python loop over an optax transformation that needs the gradient only."""
    x = jnp.asarray(x)
    gradient, update, state = jax.jit(jax.grad(loss)), jax.jit(tx.update), tx.init(x)
    for _ in range(steps):
        updates, state = update(gradient(x), state, x)
        x = x + updates
    return np.asarray(x)


def test_flags_are_programs_of_their_own():
    rates, starts, meter = [0.05, 0.1], [[1.0, -2.0], [0.5, 3.0]], Meter()
    ball = lab.optimizer("sgd", learning_rate=rates, momentum=0.8, nesterov=[True, False])
    data = lab.sweep(bowl, ball, starts, steps=6, meter=meter, **SMALL)
    assert data.final_point.dims == ("learning_rate", "nesterov", "start", "dim")
    assert data.nesterov.values.tolist() == [True, False] and meter.compilations == 2
    paths = lab.replay(bowl, ball, starts, steps=6, **SMALL)
    for i, rate in enumerate(rates):
        for j, nesterov in enumerate([True, False]):
            for k, x0 in enumerate(starts):
                end = by_optax(optax.sgd(rate, 0.8, nesterov), bowl, x0, 6)
                np.testing.assert_allclose(data.final_point[i, j, k], end, rtol=1e-13)
                np.testing.assert_array_equal(paths.final_point[i, j, k], data.final_point[i, j, k])
                np.testing.assert_array_equal(paths.point[i, j, k, -1], data.final_point[i, j, k])


def test_a_memory_size_is_a_program_of_its_own():
    """One pair remembers enough for one dimension; with many it is the same there."""
    searcher = {"learning_rate": 0.5, "linesearch": {"name": "identity"}}
    lbfgs = lab.optimizer("lbfgs", memory_size=[1, 3], **searcher)
    assert lbfgs.untraceable == {"memory_size"}
    valley = lab.losses.quadratic(condition_number=10.0)
    data = lab.sweep(valley, lbfgs, [[1.0, 1.0]], steps=8, **SMALL)
    for i, size in enumerate([1, 3]):
        tx = optax.lbfgs(0.5, memory_size=size, linesearch=optax.identity())
        end = by_optax(tx, valley, [1.0, 1.0], 8)
        np.testing.assert_allclose(data.final_point[i, 0], end, rtol=1e-12, atol=1e-15)
    assert not np.array_equal(data.final_point[0], data.final_point[1])


def test_the_losss_own_parameters_come_first_and_keep_their_minima():
    """Where one combination has two known minima and another one, neither loses them."""
    y, rates = [1.0, -4.0, 0.0], [0.05, 0.1]
    starts = [[1.5, 1.5], [-2.0, 2.0], [0.005, 0.004], [-1.2, -1.2], [3.0, 0.1]]
    loss = lab.losses.scalar_factorisation(y=y)
    data = lab.sweep(loss, lab.optimizer("sgd", learning_rate=rates), starts, steps=900, **SMALL)
    assert data.final_point.dims == ("y", "learning_rate", "start", "dim")
    assert np.isnan(data.minima.sel(y=0.0)[1]).all() and data.minima.dims[0] == "y"
    near = np.linalg.norm(
        data.final_point.values[..., None, :] - data.minima.values[:, None, None], axis=-1
    )  # (y, rate, start, minimum)
    near = np.where(np.isnan(near), np.inf, near)
    expected = np.where(near.min(axis=-1) <= 1e-2, near.argmin(axis=-1), -1)
    np.testing.assert_array_equal(data.minimum, expected)
    assert [sorted({*row.ravel()}) for row in expected] == [[-1, 0, 1], [-1, 0, 1], [-1, 0]]


def test_a_key_that_loss_and_optimizer_share_is_told_apart():
    loss = lab.losses.as_loss(lambda x, learning_rate=1.0: learning_rate * x[0] ** 2 / 2,
                              learning_rate=[1.0, 2.0])  # fmt: skip
    data = lab.sweep(
        loss, lab.optimizer("sgd", learning_rate=[0.1, 0.2]), [[1.0]], steps=3, **SMALL
    )
    assert data.final_point.dims[:2] == ("loss.learning_rate", "learning_rate")
    np.testing.assert_allclose(data.final_point.squeeze(), [[0.9**3, 0.8**3], [0.8**3, 0.6**3]])


def weighted(x, w=(1.0, 1.0)):
    return jnp.sum(jnp.asarray(w) * x**2) / 2


def test_arrays_may_be_parameters_and_be_swept():
    weights, sgd = np.array([[1.0, 2.0], [3.0, 0.5]]), lab.optimizer("sgd", learning_rate=0.1)
    exact = (1 - 0.1 * weights) ** 4 * [1.0, -1.0]
    for w, expected in [(weights, exact), (weights[1], exact[1])]:
        loss = lab.losses.as_loss(weighted, w=w)
        data = lab.sweep(loss, sgd, [[1.0, -1.0]], steps=4, **SMALL)
        np.testing.assert_allclose(data.final_point.sel(start=0), expected, rtol=1e-14)


def test_an_online_loss_is_told_the_step():
    """x_{t+1} = x_t - eta c_t for f_t(x) = c_t x, c_t = t + 1: triangular numbers."""
    online = lambda x, *, step: (step + 1.0) * x[0]  # noqa: E731
    data = lab.replay(online, lab.optimizer("sgd", learning_rate=1.0), [[0.0]], steps=5, **SMALL)
    assert data.point.values.ravel().tolist() == [0, -1, -3, -6, -10, -15]
    assert data.loss.values.ravel().tolist() == [0, -2, -9, -24, -50, -90]


def noisy(x, *, key):
    """Gradient x + n, n standard normal."""
    return bowl(x) + jnp.dot(x, jax.random.normal(key, x.shape))


def test_noise_is_common_to_settings_and_differs_between_seeds_starts_and_steps():
    """With rates eta and 2 eta on a plane without slope, one path is the other, stretched."""
    slope = lambda x, *, key: jnp.dot(x, jax.random.normal(key, x.shape))  # noqa: E731
    sgd = lab.optimizer("sgd", learning_rate=[0.1, 0.2])
    data = lab.replay(slope, sgd, np.zeros((3, 1)), steps=40, seeds=2, seed=5, **SMALL)
    assert data.final_point.dims == ("learning_rate", "seed", "start", "dim")
    path = data.point.values[..., 0]
    np.testing.assert_allclose(path[1], 2 * path[0], rtol=1e-13)
    noise = np.diff(path[0].reshape(6, -1)) / 0.1
    assert len(np.unique(np.round(noise, 9))) == noise.size == 240
    assert abs(noise.mean()) < 4 / np.sqrt(240) and abs(noise.std() - 1) < 4 / np.sqrt(480)


def test_noise_is_the_same_again_and_another_for_another_seed():
    sgd = lab.optimizer("sgd", learning_rate=0.1)
    runs = [lab.sweep(noisy, sgd, [[1.0]], steps=9, seed=s, **SMALL) for s in (0, 0, 1)]
    ends = [run.final_point.item() for run in runs]
    assert ends[0] == ends[1] != ends[2]


def test_points_and_parameters_may_be_trees():
    """f = sum_k c_k |w_k|^2 / 2 with c a tree too: every leaf shrinks at its own pace."""
    scale = {"a": 1.0, "b": np.array([2.0, 4.0])}

    def loss(point, scale=scale):
        weighted = jax.tree.map(lambda x, c: jnp.sum(c * x**2) / 2, point, scale)
        return sum(jax.tree.leaves(weighted))

    starts = {"a": np.array([1.0, -2.0]), "b": np.array([[1.0, 3.0], [0.5, -1.0]])}
    sgd = lab.optimizer("sgd", learning_rate=[0.1, 0.2])
    data = lab.sweep(loss, sgd, lab.starts.points(starts), steps=5, snapshots=(0, 5), **SMALL)
    flat = np.concatenate([starts["a"][:, None], starts["b"]], axis=1)
    for i, rate in enumerate([0.1, 0.2]):
        exact = (1 - rate * np.array([1.0, 2.0, 4.0])) ** 5 * flat
        np.testing.assert_allclose(data.final_point[i], exact, rtol=1e-13)
        np.testing.assert_array_equal(data.snapshot_point[i, :, 0], flat)


@pytest.mark.parametrize("precision", ["bfloat16", "float32", "float64"])
def test_precision_is_the_runs_whatever_jaxs_default(precision):
    sgd, run = lab.optimizer("sgd", learning_rate=[0.25]), {**SMALL, "precision": precision}
    data = lab.sweep(bowl, sgd, [[1.0, 1.0]], steps=8, **run)
    exact, found = 0.75**8, data.final_point.values.ravel().astype(float)
    eps = float(jnp.finfo(precision).eps)
    assert np.all(np.abs(found - exact) <= 8 * eps * exact)
    assert np.all((found != exact) | (precision != "bfloat16"))  # 3^8 / 4^8 needs 13 bits
    assert data.final_loss.dtype == ("float64" if precision == "float64" else "float32")


def test_faults_of_what_does_not_fit_together():
    sgd = lab.optimizer("sgd", learning_rate=0.1)
    with pytest.raises(SpecError, match="has 2"):
        lab.sweep(lab.losses.beale(), sgd, [[1.0, 2.0, 3.0]], **SMALL)


@pytest.mark.parametrize("keep", ["lanes", "reduced"])
def test_a_run_may_have_no_targets_and_an_unknown_minimum(keep):
    sgd = lab.optimizer("sgd", learning_rate=[0.1, 3.0])
    data = lab.sweep(bowl, sgd, [[1.0], [2.0]], steps=60, keep=keep, targets=(), **SMALL)
    summary = lab.compare.summarize(data)
    assert (data.sizes["target"], data.sizes["known_minimum"]) == (0, 0)
    exact = [[0.9**120 / 2, 0.9**120 * 2], [np.inf, np.inf]]
    median = summary.final_loss_quantile.sel(quantile=[0.5, 0.95])
    np.testing.assert_allclose(median, exact, rtol=1e-10 if keep == "lanes" else 0.03)


def test_the_names_that_results_use_are_reserved():
    """All that stand in a sweep with every recorder, in its counts and in a replay."""
    rates = lab.optimizer("sgd", learning_rate=[0.1, 0.2])
    valley = lab.losses.quadratic(condition_number=10.0)
    given = (valley, rates, [[1.0, 1.0]])
    made = [
        lab.sweep(*given, steps=3, snapshots=[1], sharpness=[1], **SMALL),
        lab.sweep(*given, steps=3, keep="reduced", **SMALL),
        lab.replay(*given, steps=3, **SMALL),
    ]
    names = {str(name) for data in made for name in (*data.variables, *data.dims)}
    assert len(names) > 25 and names - RESERVED == {"learning_rate"}

"""Sharpness against NumPy's eigenvalues along a replayed path, and the catapult."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lab
from lab import theory
from lab.errors import SpecError
from lab.sharpness import LANCZOS_STEPS, Sharpness, sharpness

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")

RUN = {"precision": "float64", "block": 32, "gradient_below": 0.0}
AT = (0, 1, 5, 20, 40)


def by_numpy(loss, points):
    """The largest eigenvalue of the whole Hessian at each of these points."""
    hessians = jax.jit(jax.vmap(jax.hessian(loss)))(jnp.asarray(points))
    return np.linalg.eigvalsh(hessians)[..., -1]


CASES = {
    "2 numbers": (lab.losses.rosenbrock(), 1e-3),
    "3 numbers": (lab.losses.helical_valley(), 1e-4),
    "a network": (lab.losses.tanh_network(), 0.05),
    "more than Lanczos has steps": (lab.losses.rosenbrock(dimension=LANCZOS_STEPS + 16), 1e-3),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_sharpness_is_numpys_along_a_path(case):
    loss, rate = CASES[case]
    starts = np.random.default_rng(0).uniform(-1, 1, (2, loss.dimension))
    sgd = lab.optimizer("sgd", learning_rate=[rate, rate / 3])
    paths = lab.replay(loss, sgd, starts, steps=40, sharpness=AT, backend="vmap", **RUN)
    assert paths.sharpness.dims == ("learning_rate", "start", "sharpness_step")
    assert paths.sharpness_step.values.tolist() == list(AT)
    points = paths.point.isel(step=list(AT)).values
    expected = by_numpy(loss, points.reshape(-1, loss.dimension)).reshape(2, 2, len(AT))
    exact = loss.dimension <= LANCZOS_STEPS
    np.testing.assert_allclose(paths.sharpness, expected, rtol=1e-9 if exact else 1e-4)


def test_a_quadratic_is_as_sharp_everywhere():
    loss = lab.losses.quadratic(condition_number=30.0, dimension=6)
    sgd = lab.optimizer("sgd", learning_rate=0.01)
    data = lab.sweep(loss, sgd, np.ones((1, 6)), steps=40, sharpness=AT, **RUN)
    np.testing.assert_allclose(data.sharpness.squeeze(), 30.0, rtol=1e-12)


def test_a_lane_that_has_ended_stays_as_sharp_as_it_ended():
    sgd = lab.optimizer("sgd", learning_rate=[1e-3, 1.0])
    loss, start = lab.losses.rosenbrock(), np.array([[1.0, 1.0]])
    data = lab.sweep(loss, sgd, start, steps=40, sharpness=AT, precision="float64", block=32)
    np.testing.assert_allclose(data.sharpness, by_numpy(loss, start)[0], rtol=1e-12)
    lost = lab.sweep(loss, sgd, 2 * start, steps=40, sharpness=(0, 40), block=32)
    assert lost.outcome[1] == lab.descent.Outcome.DIVERGED
    assert not np.any(np.isnan(lost.sharpness)) and lost.sharpness[1, 0, 1] > 1e6


def test_a_loss_that_changes_is_seen_as_it_is_at_that_step():
    def loss(x, *, step):
        return (1.0 + step) * jnp.sum(x**2) / 2

    sgd = lab.optimizer("sgd", learning_rate=1e-3)
    data = lab.sweep(loss, sgd, np.ones((1, 3)), steps=40, sharpness=AT, **RUN)
    np.testing.assert_allclose(data.sharpness.squeeze(), 1.0 + np.array(AT), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, LANCZOS_STEPS])
def test_largest_not_in_magnitude_and_exact_where_all_steps_can_be_taken(n):
    rng = np.random.default_rng(n)
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    for values in (-np.geomspace(1, 1e6, n), rng.normal(size=n), np.ones(n), np.zeros(n)):
        matrix = jnp.asarray(q @ np.diag(values) @ q.T)
        found = jax.jit(lambda m: sharpness(lambda x: x @ m @ x / 2, jnp.ones(n)))(matrix)
        scale = np.abs(values).max()
        assert float(found) == pytest.approx(values.max(), rel=1e-12, abs=1e-13 * scale)


def test_not_finite_is_infinite():
    """At a kink whose curvature is not a number, too."""
    sgd = lab.optimizer("sgd", learning_rate=0.0)
    data = lab.sweep(
        lambda x: jnp.sum(jnp.sqrt(x**2)) + jnp.sum(x), sgd, np.zeros((1, 3)), steps=1,
        sharpness=(0,), **RUN,
    )  # fmt: skip
    assert np.all(data.sharpness == np.inf)


@pytest.mark.parametrize(("run", "told"), [
    ({"sharpness": (41,)}, "sharpness: every step must lie between 0 and 40"),
    ({"sharpness": (1,), "watch": False}, "sharpness: need watch = true"),
    ({"sharpness": (1,), "keep": "reduced"}, 'sharpness: needs keep = "lanes"'),
], ids=["late", "unwatched", "reduced"])  # fmt: skip
def test_what_cannot_be_recorded_is_told(run, told):
    with pytest.raises(SpecError, match=told):
        lab.sweep(lab.losses.beale(), lab.optimizer("sgd", learning_rate=0.1), [[0.0, 0.0]],
                  steps=40, **run)  # fmt: skip


def test_recorders_may_be_given():
    sgd = lab.optimizer("sgd", learning_rate=0.1)
    data = lab.sweep(
        lab.losses.quadratic(condition_number=5.0), sgd, [[1.0, 1.0]], steps=4,
        record=[Sharpness((2, 4))], **RUN,
    )  # fmt: skip
    np.testing.assert_allclose(data.sharpness.squeeze(), [5.0, 5.0], rtol=1e-13)


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("nesterov", [False, True])
def test_the_limit_is_where_the_step_stops_contracting(momentum, nesterov):
    """The spectral radius of one step of optax's sgd on curvature * x^2 / 2 is 1 there."""
    rate = 0.3
    limit = theory.sharpness_limit(rate, momentum, nesterov)

    def radius(curvature):
        g = np.array([curvature, 0.0])  # of the state (x, trace)
        trace = np.array([0.0, momentum]) + g
        move = g + momentum * trace if nesterov else trace
        return np.abs(np.linalg.eigvals([np.array([1.0, 0.0]) - rate * move, trace])).max()

    assert radius(limit) == pytest.approx(1, abs=1e-12)
    assert radius(0.99 * limit) < 1 < radius(1.01 * limit)


WIDTH = 100
PHASES = {1.0: "lazy", 1.9: "lazy", 2.1: "catapult", 3.0: "catapult", 3.9: "catapult", 4.1: "lost"}


def wide_network(x):
    """(u.v)^2 / (2 n): one linear hidden layer, one example."""
    return (x[:WIDTH] @ x[WIDTH:]) ** 2 / (2 * WIDTH)


@pytest.fixture(scope="module")
def catapults():
    with jax.enable_x64(True):
        start = np.random.default_rng(4).normal(size=(1, 2 * WIDTH))
        kernel = np.sum(start**2) / WIDTH
        sgd = lab.optimizer("sgd", learning_rate=np.array([*PHASES]) / kernel)
        run = {**RUN, "backend": "vmap", "sharpness": (0, 300)}
        return lab.replay(wide_network, sgd, start, steps=300, **run).squeeze("start")


def output_and_kernel(points):
    u, v = points[..., :WIDTH], points[..., WIDTH:]
    return np.sum(u * v, -1) / np.sqrt(WIDTH), np.sum(points**2, -1) / WIDTH


def test_the_catapult_obeys_its_recursions(catapults):
    """f' = f (1 - eta l + eta^2 f^2 / n), l' = l + (eta f^2 / n)(eta l - 4) (Lewkowycz 2020)."""
    rate = catapults.learning_rate.values[:, None]
    f, kernel = output_and_kernel(catapults.point.values[:, :100])
    kept = np.abs(f) < 1e2
    after = f * (1 - rate * kernel + rate**2 * f**2 / WIDTH)
    later = kernel + rate * f**2 / WIDTH * (rate * kernel - 4)
    scale = np.maximum(1, np.abs(f))[:, 1:]
    close = np.abs(f[:, 1:] - after[:, :-1]) / scale, np.abs(kernel[:, 1:] - later[:, :-1])
    for error in close:
        assert np.max(error[kept[:, 1:] & kept[:, :-1]]) < 1e-13


def test_the_catapult_has_its_phases(catapults):
    """Lazy below eta l = 2; above, the loss grows first and ends where eta l < 2; lost above 4."""
    f, kernel = output_and_kernel(catapults.point.values)
    for i, phase in enumerate(PHASES.values()):
        rate = float(catapults.learning_rate[i])
        if phase == "lost":
            assert catapults.outcome[i] == lab.descent.Outcome.DIVERGED
            continue
        assert abs(f[i, -1]) < 1e-6
        assert rate * kernel[i, -1] < 2
        grown = np.max(np.abs(f[i])) > 1.05 * abs(f[i, 0])
        assert grown == (phase == "catapult")
        fallen = kernel[i, -1] / kernel[i, 0]
        assert fallen < 0.95 if phase == "catapult" else fallen > 0.9


def test_the_catapult_ends_where_it_is_flat_enough(catapults):
    """At f = 0 the sharpness is the kernel; it ends below 2/eta."""
    _, kernel = output_and_kernel(catapults.point.values)
    ended = [i for i, phase in enumerate(PHASES.values()) if phase != "lost"]
    sharp = catapults.sharpness.sel(sharpness_step=300).values
    np.testing.assert_allclose(sharp[ended], kernel[ended, -1], rtol=1e-5)
    limits = [theory.sharpness_limit(float(rate)) for rate in catapults.learning_rate]
    assert np.all(sharp[ended] < np.array(limits)[ended])

"""Each way that a lane can end, provoked on both sides of its criterion by a case known exactly."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import lab
from lab.outcome import Limits, Outcome, calm, judge

pytestmark = pytest.mark.usefixtures("quick_compiles")


def sweep(loss, optimizer, starts, **run):
    starts = np.reshape(np.asarray(starts, float), (len(starts), -1))
    data = lab.sweep(loss, optimizer, starts, precision="float64", block=64, **run)
    for name, values in data.data_vars.items():
        if values.dtype.kind == "f" and name != "final_point":
            assert not np.isnan(values).any(), name
    return data


def descend(loss, x0, rate, **run):
    """Plain gradient descent from one point: a dataset over `learning_rate`."""
    sgd = lab.optimizer("sgd", learning_rate=np.atleast_1d(rate))
    return sweep(loss, sgd, [x0], **run).isel(start=0)


def parabola(x):
    return x[0] ** 2 / 2


def outcomes(data):
    return [Outcome(code).label for code in data.outcome.values.ravel()]


def test_a_parabola_on_both_sides_of_twice_the_inverse_curvature():
    """x_t = (1 - eta)^t: below 2 it comes within 1e-4; at 2 it jumps between -1 and 1 for ever."""
    data = descend(parabola, [1.0], [1.98, 2.0, 2.02], steps=1000, gradient_below=1e-4)
    assert outcomes(data) == ["converged", "oscillating", "diverged"]
    inside, beyond = np.log(1e-4) / np.log(0.98), np.log(np.sqrt(2e8)) / np.log(1.02)
    assert data.steps.values.tolist() == [np.ceil(inside), 1000, np.ceil(beyond)]
    assert data.best_step.values.tolist() == [np.ceil(inside), 0, 0]
    np.testing.assert_allclose(data.final_loss[0], 0.98 ** (2 * np.ceil(inside)) / 2, rtol=1e-12)
    assert data.final_loss.values[1] == 0.5


def test_convergence_is_judged_at_each_point_the_start_included():
    """The gradient of x^2/2 is x: the bound itself converges, the next number above it does not."""
    bound = 0.25
    above = np.nextafter(bound, 1)
    sgd = lab.optimizer("sgd", learning_rate=0.5)
    data = sweep(parabola, sgd, [[bound], [above]], steps=3, gradient_below=bound)
    assert outcomes(data) == ["converged", "converged"]
    assert data.steps.values.tolist() == [0, 1]
    assert data.final_point.values.ravel().tolist() == [bound, above / 2]


def test_divergence_is_a_loss_or_a_coordinate_beyond_the_bound():
    """Steps of -eta on f = -c x: the coordinate passes 100, or the loss, whichever is first."""
    data = descend(lambda x: -x[0], [0.0], [10.0, 10.1], steps=10, diverged_above=100.0)
    assert outcomes(data) == ["budget_spent", "diverged"]  # 100 itself is not beyond
    rising = lambda x: 3.0 * jnp.abs(x[0])  # noqa: E731
    data = descend(rising, [0.0 + 30.0], [-1.0], steps=10, diverged_above=100.0)
    assert (outcomes(data), data.steps.item()) == (["diverged"], 2)  # 90, 99, 108


@pytest.mark.parametrize("backend", ["kernel", "scalar", "vmap"])
def test_infinity_is_beyond_every_limit(backend):
    """Also where the limit is infinite in the run's precision: x doubles, and -x^2 overflows."""
    double = lab.optimizer("sgd", learning_rate=0.5)
    data = lab.sweep(
        lambda x: -jnp.sum(x**2), double, [[1.0], [0.25]], steps=127, diverged_above=1e39,
        backend=backend, record=(lab.record.Last(),),
    )  # fmt: skip
    assert outcomes(data) == ["diverged", "diverged"]
    assert data.steps.values.tolist() == [64, 66]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("above", "below"), [(1e8, 1e-4), (1e30, 0.0), (1e-20, 1e-25), (1e39, 1e-30)]
)
def test_a_lane_that_is_calm_does_not_end(above, below, dtype):
    """Over all of special and of ordinary numbers; and one whose numbers are between is calm."""
    values = [0.0, 1e-30, 1e-25, 1e-21, 1e-5, 1e-4, 2e-4, 1.0, 1e8, 1.1e8, 1e25, np.inf, np.nan]
    values = np.array([*values, *(-v for v in values)], dtype)
    x, f, g, h = (a.ravel() for a in np.meshgrid(values, values, values, values))
    largest = float(np.finfo(dtype).max)
    limits = Limits(10, dtype(min(above, largest)), dtype(below), 3)
    with jax.enable_x64(dtype is np.float64):
        ended, outcome = jax.vmap(lambda x, f, g, h: judge(limits, x, f, (g, h)))(x, f, g, h)
        plainly = jax.vmap(lambda x, f, g, h: calm(limits, x, f, (g, h)))(x, f, g, h)
    assert not np.any(plainly & ended)
    np.testing.assert_array_equal(ended, outcome != Outcome.RUNNING)
    size = np.max(np.abs([x, f, g, h]), axis=0)  # NaN if one is
    slope = np.maximum(np.abs(g), np.abs(h))
    between = (size < min(above / 2.1, largest**0.5 / 2.1)) & (slope > max(1.5 * below, 1.1e-15))
    assert np.all(plainly[between & (above > 1e-15)])


def test_the_domain_of_a_logarithm():
    """exp(x) - log(x) from 2: the first step is exp(2) - 1/2 long, and the domain ends at 0."""
    edge = 2 / (np.exp(2) - 0.5)
    loss = lambda x: jnp.exp(x[0]) - jnp.log(x[0])  # noqa: E731
    data = descend(loss, [2.0], [edge * (1 - 1e-9), edge * (1 + 1e-9)], steps=1)
    assert outcomes(data) == ["budget_spent", "left_domain"]
    assert data.steps.values.tolist() == [1, 1]
    assert np.isinf(data.final_loss.values).tolist() == [False, True]
    assert data.best_loss.values[1] == pytest.approx(np.exp(2) - np.log(2), rel=1e-15)


def test_a_slope_that_is_no_number_leaves_the_domain_too():
    """sqrt(|x|) from 1 with rate 2 lands on 0, where the loss is 0 and the slope has no value."""
    data = descend(lambda x: jnp.sqrt(jnp.abs(x[0])), [1.0], [2.0], steps=5)
    assert (outcomes(data), data.steps.item()) == (["left_domain"], 1)
    assert (data.final_loss.item(), data.final_point.item()) == (0.0, 0.0)


def test_an_infinitely_low_loss_is_no_best_loss_and_hits_no_target():
    """log|x| from 2 with rate 4 lands on 0, where the loss is minus infinity."""
    data = descend(lambda x: jnp.log(jnp.abs(x[0])), [2.0], [4.0], steps=5, targets=(0.1,))
    assert outcomes(data) == ["diverged"]
    assert (data.best_loss.item(), data.best_step.item()) == (np.log(2.0), 0)
    assert data.final_loss.item() == np.inf
    assert data.hit_step.values.tolist() == [[-1]]


def until(stop: float) -> optax.GradientTransformation:
    """Gradient descent that stands still from step `stop` on."""
    return optax.sgd(lambda t: jnp.where(t < stop, 0.1, 0.0))


def test_stalled_is_no_movement_for_the_whole_of_the_patience():
    stops = [9, 10, 11]  # x_9, x_10, x_11 is the last new point, of x_0 ... x_30
    data = sweep(parabola, lab.optimizer(until, stop=stops), [[1.0]], steps=30, patience=20)
    assert outcomes(data) == ["stalled", "stalled", "budget_spent"]


def test_a_rate_below_rounding_never_moves():
    """1 - eta is 1 in float64 for eta < 2^-54, and the number before 1 for a little more."""
    data = descend(parabola, [1.0], [2.0**-54, 2.0**-53], steps=50, patience=50)
    assert outcomes(data) == ["stalled", "budget_spent"]
    assert data.final_point.values[0] == 1.0


@pytest.mark.parametrize(("steps", "ends"), [(13, "oscillating"), (12, "budget_spent")])
def test_sign_descent_ends_in_a_two_cycle(steps, ends):
    """|x| from 1 with rate .3: 1, .7, .4, .1, -.2, .1, ...: the lowest is first seen at step 3."""
    absolute = lambda x: jnp.abs(x[0])  # noqa: E731
    sign = lab.optimizer("sign_sgd", learning_rate=0.3)
    paths = lab.replay(
        absolute, sign, np.array([[1.0]]), steps=steps, precision="float64", block=64
    )
    assert outcomes(paths) == [ends]
    cycle = [0.1, -0.2] * 6
    np.testing.assert_allclose(paths.point.values.ravel()[3:], cycle[: steps - 2], atol=1e-15)


def test_no_step_at_all_is_a_look_at_the_start():
    data = sweep(parabola, lab.optimizer("sgd", learning_rate=0.1), [[3.0], [0.0]], steps=0)
    assert outcomes(data) == ["budget_spent", "converged"]
    assert data.final_loss.values.tolist() == [4.5, 0.0]


def test_an_ended_lane_is_frozen():
    """Ten times the steps change not a bit of lanes that did not end with their budget."""
    rates = np.geomspace(1e-3, 10, 40)
    adam = lab.optimizer("adam", learning_rate=rates)
    loss = lambda x: jnp.exp(x[0]) - jnp.log(x[0]) + (x[0] - x[1] ** 2) ** 2  # noqa: E731
    starts = jax.random.uniform(jax.random.key(0), (20, 2), minval=0.1, maxval=3.0)
    short, long = (
        sweep(loss, adam, starts, steps=n, patience=10, gradient_below=0.3) for n in (60, 600)
    )
    ended = short.outcome.isin([Outcome.CONVERGED, Outcome.DIVERGED, Outcome.LEFT_DOMAIN]).values
    assert 0.1 < ended.mean() < 0.9
    assert set(np.unique(short.outcome.values[ended])) >= {Outcome.CONVERGED, Outcome.LEFT_DOMAIN}
    for name in short.data_vars:
        np.testing.assert_array_equal(short[name].values[ended], long[name].values[ended], name)
    assert np.all(long.steps.values[~ended] > 60)

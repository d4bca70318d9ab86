"""Methods that go by the sign or by the size of gradients: cycles, steps, and a wrong limit."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import lab

pytestmark = pytest.mark.usefixtures("quick_compiles")

EXACT = {"precision": "float64", "gradient_below": 0.0, "block": 32}


def alternating(x, *, step):
    """f_t(x) = 4x where t mod 3 = 1, -x else, t = 1, 2, ...: lowest on the whole at x = -1.

    Reddi, Kale & Kumar 2018, On the Convergence of Adam and Beyond, ICLR, theorem 1 with C = 4.
    """
    return jnp.where((step + 1) % 3 == 1, 4.0, -1.0).astype(x.dtype) * x[0]


def projected_adam(amsgrad, alpha=0.5, b2=1 / 17):
    """Adam with b1 = 0, without bias correction, at rate alpha sqrt(1 - b2)/sqrt(t), in [-1, 1]."""

    def init(x):
        return jnp.zeros((), jnp.int32), jnp.zeros_like(x), jnp.zeros_like(x)

    def update(gradient, state, x):
        t, v, highest = state
        v = b2 * v + (1 - b2) * gradient**2
        highest = jnp.maximum(highest, v) if amsgrad else v
        rate = alpha * (1 - b2) ** 0.5 / jnp.sqrt((t + 1).astype(x.dtype))
        return jnp.clip(x - rate * gradient / jnp.sqrt(highest), -1, 1) - x, (t + 1, v, highest)

    return optax.GradientTransformation(init, update)


@pytest.mark.parametrize(
    ("amsgrad", "end", "regret", "within"), [(False, 1, 4 / 3, 0.01), (True, -1, 0, 0.02)]
)
def test_adam_goes_to_the_worst_point_and_amsgrad_to_the_best(amsgrad, end, regret, within):
    """Every three steps sum to 2x: +1 costs 2/3 a step, where -1 would gain 2/3.

    AMSGrad's average regret fades as 1/sqrt(T).
    """
    optimizer = lab.optimizer(projected_adam, amsgrad=amsgrad)
    path = lab.replay(alternating, optimizer, [[0.0]], steps=1500, **EXACT)
    x, f = path.point.values[0, :, 0], path.loss.values[0]
    assert np.abs(x).max() <= 1
    np.testing.assert_allclose(x[-100:], end, atol=0.05)
    assert f[:-1].mean() + 2 / 3 == pytest.approx(regret, abs=within)


@pytest.mark.parametrize("name", ["sign_sgd", "sgd"])
def test_sign_descent_ends_in_a_two_cycle(name):
    """On |x| at rate .3 from 1: 1, .7, .4, .1, -.2, .1, -.2, ...; arithmetic."""
    optimizer = lab.optimizer(name, learning_rate=0.3)
    path = lab.replay(lab.losses.absolute(dimension=1), optimizer, [[1.0]], steps=101, **EXACT)
    x = path.point.values[0, :, 0]
    np.testing.assert_allclose(x[:5], [1, 0.7, 0.4, 0.1, -0.2], atol=1e-15)
    np.testing.assert_allclose(x[3:], np.tile([0.1, -0.2], 50)[:99], atol=1e-15)
    assert lab.descent.Outcome(path.outcome.item()).label == "oscillating"


def test_every_step_of_lion_has_the_learning_rate_in_each_coordinate():
    """Without decay the update is lr sign(...): Chen et al. 2023, arXiv 2302.06675."""
    rates, starts = np.geomspace(1e-4, 0.1, 7), [[-1.2, 1.0], [0.3, 2.0], [1.7, -0.5]]
    lion = lab.optimizer("lion", weight_decay=0.0, learning_rate=rates)
    x = lab.replay(lab.losses.rosenbrock(), lion, starts, steps=300, **EXACT).point.values
    steps = np.abs(np.diff(x, axis=-2)) / rates[:, None, None, None]
    np.testing.assert_allclose(steps, 1, rtol=1e-11)

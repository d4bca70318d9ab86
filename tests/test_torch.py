"""optax through the lab against torch.optim, whose paths are frozen in `oracles/`.

Where the definitions agree, so do the paths. Where they differ, both are written down as a
recurrence in NumPy: ours follows one, torch's the other, and a sentence says what differs.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lab import optimizers

pytestmark = pytest.mark.usefixtures("quick_compiles")
FROZEN = json.loads((Path(__file__).parent / "oracles" / "torch_trajectories.json").read_text())
LOSSES = ("rosenbrock", "quadratic")


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def gradient(loss, x):
    """By hand, so that it is jax's, torch's and NumPy's alike."""
    u, v = x[0], x[1]
    if loss == "rosenbrock":
        return 2.0 * (u - 1.0) - 400.0 * u * (v - u * u), 200.0 * (v - u * u)
    return u + v, 10.0 * v + u


def frozen(label, loss):
    return np.array(FROZEN["runs"][label]["paths"][loss])


def ours(spec, start, loss):
    """The path of the lab's optimizer, all numbers traced."""
    optimizer = optimizers.from_spec("ours", spec, Path())

    @jax.jit
    def path(values):
        tx = optimizer.build(values)

        def step(carry, _):
            x, state = carry
            updates, state = tx.update(jnp.stack(gradient(loss, x)), state, x)
            return (optax.apply_updates(x, updates), state), x

        x = jnp.asarray(start)
        return jax.lax.scan(step, (x, tx.init(x)), length=FROZEN["steps"] + 1)[1]

    return path({key: jnp.asarray(values[0]) for key, values in optimizer.swept.items()})


def assert_same(path, other):
    scale = np.abs(other).max()
    np.testing.assert_allclose(path, other, rtol=0, atol=1e-12 * scale)


def decayed(weight_decay, then):
    """Weight decay as an addition to the gradient: torch's `weight_decay`, except AdamW's."""
    return {"chain": [{"name": "add_decayed_weights", "weight_decay": weight_decay}, then]}


AGREE: dict[str, dict[str, Any]] = {
    "sgd": {"name": "sgd", "learning_rate": [5e-4]},
    "sgd_weight_decay": decayed([0.1], {"name": "sgd", "learning_rate": [5e-4]}),
    "momentum": {"name": "sgd", "learning_rate": [2e-4], "momentum": [0.9]},
    "nesterov": {"name": "sgd", "learning_rate": [2e-4], "momentum": [0.9], "nesterov": True},
    "adam": {"name": "adam", "learning_rate": [0.02], "b1": [0.9], "b2": [0.999], "eps": [1e-8]},
    "adam_weight_decay": decayed([0.1], {"name": "adam", "learning_rate": [0.02]}),
    "adamw": {"name": "adamw", "learning_rate": [0.02], "weight_decay": [0.1]},
    "adagrad_eps0": {"name": "adagrad", "learning_rate": [0.1], "eps": [0.0]},
    "rmsprop": {
        "name": "rmsprop", "learning_rate": [0.01], "decay": [0.9], "eps": [0.1],
        "eps_in_sqrt": False,
    },
    "rmsprop_centered": {
        "name": "rmsprop", "learning_rate": [0.01], "decay": [0.9], "eps": [0.1],
        "eps_in_sqrt": False, "centered": True,
    },
    "rmsprop_momentum": {
        "name": "rmsprop", "learning_rate": [0.01], "decay": [0.9], "eps": [0.1],
        "eps_in_sqrt": False, "momentum": [0.8],
    },
    "adadelta": {"name": "adadelta", "learning_rate": [1.0], "rho": [0.9], "eps": [1e-4]},
    "adamax": {"name": "adamax", "learning_rate": [0.02]},
    "nadam_settled": {"name": "nadam", "learning_rate": [0.02]},
    "radam_eps0": {"name": "radam", "learning_rate": [5e-4], "eps": [0.0]},
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("label", AGREE)
def test_where_the_definitions_agree_so_do_the_paths(label, loss):
    path = frozen(label, loss)
    assert_same(ours(AGREE[label], path[0], loss), path)


Step = Callable[[int, np.ndarray, np.ndarray, dict[str, Any]], np.ndarray]


class Difference(NamedTuple):
    """What differs, our optimizer, and the two definitions: step, gradient, point, memory."""

    sentence: str
    spec: dict[str, Any]
    optax: Step
    torch: Step


def moments(g, memory, b1=0.9, b2=0.999):
    """Averages of the gradient and of its square, neither corrected."""
    memory["m"] = b1 * memory.get("m", 0.0) + (1 - b1) * g
    memory["v"] = b2 * memory.get("v", 0.0) + (1 - b2) * g * g
    return memory["m"], memory["v"]


def amsgrad(corrected_before):
    def step(t, g, x, memory):
        m, v = moments(g, memory, b2=0.9)
        correction = 1 - 0.9**t
        memory["max"] = np.maximum(
            memory.get("max", 0.0), v / correction if corrected_before else v
        )
        largest = memory["max"] if corrected_before else memory["max"] / correction
        return -0.02 * m / correction / (np.sqrt(largest) + 1e-8)

    return step


def adagrad(denominator):
    def step(t, g, x, memory):
        memory["sum"] = memory.get("sum", 0.1) + g * g
        return -0.1 * g / denominator(memory["sum"])

    return step


def rmsprop(denominator):
    def step(t, g, x, memory):
        memory["v"] = 0.9 * memory.get("v", 0.0) + 0.1 * g * g
        return -0.01 * g / denominator(memory["v"])

    return step


def inside(v):
    return np.sqrt(v + 0.1)


def outside(v):
    return np.sqrt(v) + 0.1


def nadam(momentum):
    """Dozat's: the momentum is a schedule, and its product corrects the bias."""

    def step(t, g, x, memory):
        m, v = moments(g, memory)
        memory["product"] = memory.get("product", 1.0) * momentum(t)
        now = (1 - momentum(t)) / (1 - memory["product"]) * g
        ahead = momentum(t + 1) / (1 - memory["product"] * momentum(t + 1)) * m
        return -0.02 * (now + ahead) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    return step


def radam(eps):
    """Rectified Adam; `eps(correction)` stands beside the root of the corrected square."""

    def step(t, g, x, memory):
        m, v = moments(g, memory)
        correction = 1 - 0.999**t
        longest = 2 / (1 - 0.999) - 1
        length = longest - 2 * t * 0.999**t / correction
        m = m / (1 - 0.9**t)
        if length < 5:
            return -5e-4 * m
        ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        return -5e-4 * np.sqrt(ratio) * m / (np.sqrt(v / correction) + eps(correction))

    return step


def adam_with_decay(decoupled):
    def step(t, g, x, memory):
        m, v = moments(g if decoupled else g + 0.1 * x, memory)
        adam = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return -0.02 * (adam + 0.1 * x if decoupled else adam)

    return step


def rprop(smallest, largest, delayed):
    """Step sizes of its own for each coordinate, and none where the gradient changed its sign."""

    def step(t, g, x, memory):
        turn = g * memory.get("g", 0.0)
        factor = np.where(turn > 0, 1.2, np.where(turn < 0, 0.5, 1.0))
        size = np.clip(memory.get("size", 0.01) * factor, smallest, largest)
        kept = np.where(turn < 0, 0.0, g)
        now = -size * np.sign(kept)
        before = np.where(turn < 0, 0.0, memory.get("step", 0.0))
        memory.update(g=kept, size=size, step=now)
        return before if delayed else now

    return step


RPROP = "optax takes the step that it worked out one gradient earlier, the first being none"

DIFFER = {
    "amsgrad": Difference(
        "optax takes the largest of the bias-corrected averages of squares, torch corrects the "
        "largest of the uncorrected ones",
        {"name": "amsgrad", "learning_rate": [0.02], "b2": [0.9]},
        amsgrad(corrected_before=True),
        amsgrad(corrected_before=False),
    ),
    "adagrad": Difference(
        "optax has epsilon inside the root, torch outside",
        {"name": "adagrad", "learning_rate": [0.1], "eps": [0.1]},
        adagrad(inside),
        adagrad(outside),
    ),
    "rmsprop": Difference(
        "optax has epsilon inside the root unless eps_in_sqrt is false, torch outside",
        {"name": "rmsprop", "learning_rate": [0.01], "decay": [0.9], "eps": [0.1]},
        rmsprop(inside),
        rmsprop(outside),
    ),
    "nadam": Difference(
        "optax keeps the momentum at b1, torch lets it rise from b1 / 2 to b1 with 0.96^(t / 250)",
        {"name": "nadam", "learning_rate": [0.02]},
        nadam(lambda t: 0.9),
        nadam(lambda t: 0.9 * (1 - 0.5 * 0.96 ** (t * 0.004))),
    ),
    "radam": Difference(
        "optax adds epsilon to the root of the bias-corrected square, torch before the correction",
        {"name": "radam", "learning_rate": [5e-4], "eps": [0.1]},
        radam(lambda correction: 0.1),
        radam(lambda correction: 0.1 / np.sqrt(correction)),
    ),
    "rprop": Difference(
        RPROP,
        {"name": "rprop", "learning_rate": [0.01]},
        rprop(1e-6, 50.0, delayed=True),
        rprop(1e-6, 50.0, delayed=False),
    ),
    "rprop_clipped": Difference(
        RPROP,
        {
            "name": "rprop",
            "learning_rate": [0.01],
            "min_step_size": [5e-3],
            "max_step_size": [0.05],
        },
        rprop(5e-3, 0.05, delayed=True),
        rprop(5e-3, 0.05, delayed=False),
    ),
    "adam_weight_decay": Difference(
        "optax's adamw adds the decay to the step, torch's Adam to the gradient",
        {"name": "adamw", "learning_rate": [0.02], "weight_decay": [0.1]},
        adam_with_decay(decoupled=True),
        adam_with_decay(decoupled=False),
    ),
}


def recurrence(step, start, loss):
    x, memory = np.array(start), {}
    path = [x]
    for t in range(1, FROZEN["steps"] + 1):
        x = x + step(t, np.array(gradient(loss, x)), x, memory)
        path.append(x)
    return np.array(path)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("label", DIFFER)
def test_where_the_definitions_differ_each_follows_its_own(label, loss):
    difference = DIFFER[label]
    torch = frozen(label, loss)
    path = ours(difference.spec, torch[0], loss)
    assert_same(path, recurrence(difference.optax, torch[0], loss))
    assert_same(torch, recurrence(difference.torch, torch[0], loss))
    assert np.abs(path - torch).max() > 1e-5, f"no longer so: {difference.sentence}"


def test_every_frozen_path_is_compared():
    assert set(AGREE) | set(DIFFER) == set(FROZEN["runs"])


def test_the_file_says_where_it_comes_from():
    assert FROZEN["torch"].startswith("2.13.0")
    assert FROZEN["dtype"] == "float64"
    for loss in LOSSES:
        assert frozen("sgd", loss).shape == (FROZEN["steps"] + 1, 2)

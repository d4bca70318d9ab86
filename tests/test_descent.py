"""Every optimizer x every loss, through the engine, against a Python loop over optax's own calls.

An optimizer's losses are one program: branches of a switch whose number is a swept parameter.
"""

import warnings
from functools import cache
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from by_hand import assert_lane_is, told, walk
from test_optimizers import OPTAX, everything_swept, plain

import lab
from lab.problem import NOISE

STEPS, PATIENCE = 25, 5
FEWER_STEPS = {"adafactor": 5, "lbfgs": 8, "momo": 8, "momo_adam": 5, "polyak_sgd": 5}
"""Their own choice of the step's length amplifies rounding, from step to step, on steep walls."""
TARGETS = (10.0, 1.0, 0.1)
STARTS = np.array([[0.5, -0.4], [1.3, 0.7], [-0.8, 1.1]])
LOSSES = {
    name: lab.losses.catalogue[name]()
    for name in (
        *("ackley", "beale", "double_well", "himmelblau", "quadratic", "rastrigin", "rosenbrock"),
        *("scalar_factorisation", "three_wells", "two_gaussians"),
    )
}
OPTIMIZERS = [name for name, entry in OPTAX.items() if entry.kind == "optimizer"]

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")


@cache
def one_of(*names):
    """A loss of two numbers, chosen by number; one-dimensional losses see the first.

    It is traced once for all optimizers.
    """
    losses = [lab.losses.catalogue[name]() for name in names]
    branches = [lambda x, loss=loss: loss(x[: loss.dimension]) for loss in losses]

    @jax.jit
    def one_of_them(x, which=0.0):
        return jax.lax.switch(jnp.asarray(which, int), branches, x)

    return one_of_them


@cache
def look(name):
    """Value and gradient of one loss of the catalogue."""
    value_and_grad = jax.jit(jax.value_and_grad(one_of(name)))
    return lambda x, t: value_and_grad(x)


def gentle(spec):
    """The same hyperparameters with the rate .05 made .002: the walls of these losses are steep."""
    if isinstance(spec, dict):
        return {key: gentle(value) for key, value in spec.items()}
    return [0.002] if spec == [0.05] else spec


def spec_of(name):
    """Every numeric hyperparameter, swept over one value."""
    rate = {"learning_rate": [0.002]} if name == "schedule_free_sgd" else {}  # 1 by default
    return gentle(everything_swept(name)) | rate


def mover(name, spec, names):
    """`begin(x, which, start) -> move` of optax's own transformation, called by hand."""
    tx_of = {"name": name, **spec}
    used = {"sam": ["grad_fn"], "sophia": ["obj_fn"], "lbfgs": ["value", "grad", "value_fn"]}
    used = used.get(name, ["value"])
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        tx = plain(tx_of | ({"key": jax.random.key(0)} if name == "noisy_sgd" else {}))
    tx = optax.with_extra_args_support(getattr(tx, "gradient_transformation", lambda: tx)())
    loss = one_of(*names)

    @jax.jit
    def update(g, state, x, f, which):
        value_fn, grad_fn = (lambda x: loss(x, which)), (lambda x, _: jax.grad(loss)(x, which))
        extra = {
            "value": f,
            "grad": g,
            "value_fn": value_fn,
            "obj_fn": value_fn,
            "grad_fn": grad_fn,
        }
        updates, state = tx.update(g, state, x, **{key: extra[key] for key in used})
        return optax.apply_updates(x, updates), state

    def begin(x0, which, start):
        own = tx if name != "noisy_sgd" else plain({**tx_of, "key": own_key(start)})
        state = own.init(jnp.asarray(x0))

        def move(t, x, f, g):
            nonlocal state
            x, state = update(g, state, x, f, which)
            return np.asarray(x)

        return move

    return begin


def own_key(start):
    """What a random optimizer is given: the first key of the second half of its lane's noise."""
    noise = jax.random.fold_in(jax.random.key(0), NOISE)
    lane = jax.random.fold_in(jax.random.fold_in(noise, 0), start)
    return jax.random.fold_in(jax.random.split(lane)[1], 0)


def lookahead(name, spec, names):
    """Gradient descent; every third step goes halfway back to where the last third one led."""
    rate = spec["fast_optimizer"]["learning_rate"][0]

    def begin(x0, which, start):
        slow = x0

        def move(t, x, f, g):
            nonlocal slow
            x = x - rate * g
            if t % 3 == 2:
                slow = x = slow + 0.5 * (x - slow)
            return x

        return move

    return begin


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_engine_descends_as_a_python_loop_does(name):
    names, spec = list(LOSSES), spec_of(name)
    steps = FEWER_STEPS.get(name, STEPS)
    loss = lab.losses.as_loss(one_of(*names), which=np.arange(len(names)))
    data = lab.sweep(
        loss, lab.optimizer(name, **spec), STARTS, steps=steps, patience=PATIENCE,
        targets=TARGETS, precision="float64", block=32,
    ).squeeze(drop=True)  # fmt: skip
    begin = (lookahead if name == "lookahead" else mover)(name, spec, names)
    for (which, called), (start, x0) in product(enumerate(names), enumerate(STARTS)):
        expected = walk(look(called), begin(x0, which, start), x0, steps, patience=PATIENCE)
        assert_lane_is(data.isel(which=which, start=start), told(expected, TARGETS))

"""Optimizers by name: the same paths as optax called by hand, and faults that can be read.

`by_hand` is the independent way: optax's own function with Python numbers, and a Python loop.
"""

import warnings
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest

from lab import optimizers
from lab.errors import SpecError
from lab.optimizers.accepts import REQUIRED, accepts, parameters
from lab.optimizers.catalogue import factories, schedules

STEPS = 30
START = (0.7, -0.4)

pytestmark = pytest.mark.usefixtures("quick_compiles")


@pytest.fixture(autouse=True)
def strict_float64():
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        yield


def loss(x, convex):
    """A valley of condition number 5, or two waves over a bowl."""
    u, v = x
    valley = 0.5 * u**2 + 2.5 * (v - 0.3 * u) ** 2
    waves = 1.0 + jnp.sin(2.0 * u) * jnp.cos(3.0 * v) + 0.25 * (u**2 + v**2)
    return jnp.where(convex, valley, waves)


def extras(x, convex):
    f = partial(loss, convex=convex)
    value, gradient = jax.value_and_grad(f)(x)
    same = {"value": value, "grad": gradient, "value_fn": f}
    return gradient, {**same, "obj_fn": f, "grad_fn": jax.grad(f)}


def run(optimizer, values, convex, key=None, steps=STEPS, start=START):
    """The path of an `Optimizer`, built inside the traced program."""
    tx = optimizer.build(values, key=key)

    def step(carry, _):
        x, state = carry
        gradient, extra = extras(x, convex)
        updates, state = tx.update(gradient, state, x, **extra)
        x = optax.apply_updates(x, updates)
        return (x, state), x

    x = jnp.array(start)
    return jax.lax.scan(step, (x, tx.init(x)), length=steps)[1]


def by_hand(tx, used=("value", "grad", "value_fn")):
    """`path(convex)` of an optax transformation in a Python loop."""
    tx = optax.with_extra_args_support(tx)

    @jax.jit
    def step(x, state, convex):
        gradient, extra = extras(x, convex)
        extra["grad_fn"] = lambda x, inner_step: jax.grad(loss)(x, convex)
        updates, state = tx.update(gradient, state, x, **{name: extra[name] for name in used})
        return optax.apply_updates(x, updates), state

    def path(convex):
        with jax.numpy_dtype_promotion("standard"):
            x, points = jnp.array(START), []
            state = tx.init(x)
            for _ in range(STEPS):
                x, state = step(x, state, convex)
                points.append(x)
        return np.array(points)

    return path


def lookahead_by_hand(convex):
    """Three steps of gradient descent, then halfway back to where they began."""
    fast = slow = jnp.array(START)
    gradient, path = jax.jit(jax.grad(loss)), []
    for t in range(STEPS):
        fast = fast - 0.05 * gradient(fast, convex)
        if t % 3 == 2:
            slow = fast = slow + 0.5 * (fast - slow)
        path.append(fast)
    return np.array(path)


SGD = {"name": "sgd", "learning_rate": [0.05]}
ADVERSARY = {"chain": [{"name": "normalize"}, {"name": "sgd", "learning_rate": [0.05]}]}
LINEAR = {
    "schedule": "linear_schedule",
    "init_value": [1.0],
    "end_value": 0.0,
    "transition_steps": [100.0],
}
GIVEN: dict[str, Any] = {
    "learning_rate": [0.05],
    "max_norm": [1.0],
    "max_delta": [1.0],
    "threshold": [1.0],
    "clipping": [0.1],
    "eta": [0.1],
    "gamma": [0.5],
    "sync_period": [3.0],
    "slow_step_size": [0.5],
    "every_k_schedule": [2.0],
    "max_consecutive_errors": [3.0],
    "decay": [0.9],
    "max_backtracking_steps": [5.0],
    "max_linesearch_steps": [5.0],
    "step_size": [0.1],
    "step_size_fn": LINEAR,
    "mask": True,
    "freeze_mask": False,
    "should_transform_fn": lambda step, **_: step % 2 == 0,
    "measure": lambda updates: updates,
    "measure_name": "updates",
    "f": lambda updates, _: updates,
    "transforms": {"all": SGD},
    "param_labels": "all",
    "adv_optimizer": ADVERSARY,
    "smallest": [1.0],
    "largest": [5.0],
    "period": [2.0],
}
"""What every required hyperparameter is given; where an optimizer is asked for, it is `SGD`."""

RUNNABLE = {n: e for n, e in optimizers.names().items() if e.kind != "schedule" and not e.refused}
OPTAX = {n: e for n, e in RUNNABLE.items() if e.module != "lab"}  # ours: tests/test_classical.py


def everything_swept(name: str) -> dict[str, Any]:
    """Every numeric hyperparameter as a sweep of one value, its default or the one in `GIVEN`."""
    spec = {}
    for key, parameter in parameters(factories()[name]).items():
        number = isinstance(parameter.default, int | float)
        if parameter.default is REQUIRED:
            spec[key] = GIVEN.get(key, SGD)
        elif accepts(parameter).number and number and not isinstance(parameter.default, bool):
            spec[key] = [parameter.default]
    return spec


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    **{n: (n, everything_swept(n)) for n, e in OPTAX.items() if e.kind == "optimizer"},
    "sgd nesterov": ("sgd", {"learning_rate": [0.05], "momentum": [0.8], "nesterov": [True]}),
    "rmsprop centered": (
        "rmsprop",
        {"learning_rate": [0.01], "momentum": [0.8], "centered": True, "nesterov": True},
    ),
    "adam scheduled": ("adam", {"learning_rate": {**LINEAR, "init_value": [0.1]}, "b1": [0.8]}),
    "adafactor scaled": ("adafactor", {"learning_rate": [0.05], "momentum": [0.8]}),
    "lbfgs backtracking": (
        "lbfgs",
        {"linesearch": {"name": "scale_by_backtracking_linesearch", "max_backtracking_steps": 15}},
    ),
    "prodigy betas": ("prodigy", {"betas": [[0.8], 0.99]}),
    "sam opaque": ("sam", {"optimizer": SGD, "adv_optimizer": ADVERSARY, "opaque_mode": True}),
    "mechanized adam": ("mechanize", {"base_optimizer": {"name": "adam", "learning_rate": [0.1]}}),
    "clipped chain": (
        "chain",
        {
            "chain": [
                {"name": "clip_by_global_norm", "max_norm": [0.5]},
                {"name": "scale_by_adam", "b1": [0.8]},
                {"name": "add_decayed_weights", "weight_decay": [0.01]},
                {"name": "trace", "decay": [0.5]},
                {"name": "scale_by_schedule", "step_size_fn": LINEAR},
                {"name": "scale_by_learning_rate", "learning_rate": [0.05]},
            ]
        },
    ),
    "line search chain": (
        "chain",
        {"chain": [SGD, {"name": "scale_by_backtracking_linesearch", "max_backtracking_steps": 9}]},
    ),
}


def make(name: str, spec: Mapping[str, Any]) -> optimizers.Optimizer:
    return optimizers.optimizer(None if name == "chain" else name, **spec)


def plain(node: Any) -> Any:
    """The same hyperparameters as optax takes them: numbers, functions and transformations."""
    match node:
        case [bool() | int() | float() as number]:
            return int(number) if number == round(number) and number > 1 else number
        case list():
            return tuple(map(plain, node))
        case {"chain": links}:
            return optax.chain(*map(plain, links))
        case {"name": name, **rest}:
            return factories()[name](**plain(rest))
        case {"schedule": name, **rest}:
            return getattr(optax, name)(**plain(rest))
        case dict():
            return {key: plain(value) for key, value in node.items()}
    return node


def scalars(optimizer: optimizers.Optimizer, index: int = 0) -> tuple[dict, dict]:
    """(traced, Python) values of an optimizer's sweeps."""
    values = {key: swept[index].item() for key, swept in optimizer.swept.items()}
    fixed = {key: values.pop(key) for key in optimizer.untraceable}
    return {key: jnp.asarray(value) for key, value in values.items()}, fixed


@cache
def both_ways(label: str) -> tuple[Callable, Callable]:
    """(ours, by hand) of a case, each a function of `convex`."""
    name, spec = CASES[label]
    optimizer = make(name, spec)
    traced, fixed = scalars(optimizer)
    key = jax.random.key(5)
    ours = jax.jit(lambda traced, convex: run(optimizer, {**traced, **fixed}, convex, key))
    if name == "lookahead":
        return partial(ours, traced), lookahead_by_hand
    arguments = {"name": name, **spec} if name != "chain" else spec
    if name == "noisy_sgd":
        arguments = {**arguments, "key": jax.random.fold_in(key, 0)}
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        made = plain(arguments)
    made = made.gradient_transformation() if name == "MultiSteps" else made
    used = {"sam": ("grad_fn",), "sophia": ("obj_fn",)}.get(name, ("value", "grad", "value_fn"))
    used = ("value",) if name.startswith(("mechanize", "schedule_free")) else used
    return partial(ours, traced), by_hand(made, used)


@pytest.mark.parametrize("convex", [True, False], ids=["convex", "nonconvex"])
@pytest.mark.parametrize("label", CASES)
def test_traced_hyperparameters_give_the_path_of_optax_called_by_hand(label, convex):
    ours, hand = both_ways(label)
    ours, hand = ours(convex), hand(convex)
    assert np.isfinite(hand).all()
    assert (hand != START).any(), "it does not move"
    np.testing.assert_allclose(ours, hand, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("name", RUNNABLE)
def test_a_loop_can_carry_the_state(name, dtype):
    """In strict promotion: the state's dtypes and shapes are the same before and after a step."""
    with jax.enable_x64(dtype == "float64"):
        optimizer = optimizers.optimizer(name, **everything_swept(name))
        traced, fixed = scalars(optimizer)
        shape = (2, 2) if name == "scale_by_muon" else (2,)

        def loop(x, traced):
            tx = optimizer.build({**traced, **fixed})

            def step(carry, _):
                x, state = carry
                f = lambda y: jnp.sum(y * y)  # noqa: E731
                extra = {"value": f(x), "grad": x, "value_fn": f, "obj_fn": f}
                extra["residual_fn"] = lambda y: y
                updates, state = tx.update(x, state, x, **extra, grad_fn=jax.grad(f))
                return ((x + updates.astype(x.dtype)), state), None

            return jax.lax.scan(step, (x, tx.init(x)), length=3)[0]

        x, state = jax.eval_shape(loop, jnp.ones(shape, dtype), traced)
        assert x.dtype == dtype
        assert not any(leaf.weak_type for leaf in jax.tree.leaves(state))


def test_a_state_that_optax_lets_grow_starts_in_the_dtype_that_it_grows_to():
    name = "scale_by_distance_over_gradients"
    x = jnp.ones(2, jnp.bfloat16)
    assert getattr(optax, name)().init(x).max_dist.dtype == jnp.bfloat16
    assert optimizers.optimizer(name).build().init(x).max_dist.dtype == jnp.float32


def test_bfloat16_runs_keep_hyperparameters_that_bfloat16_cannot_write():
    adam = optimizers.optimizer("adam", learning_rate=[0.1], b2=[0.999])
    x = jnp.ones(2, jnp.bfloat16)

    @jax.jit
    def nu(values):
        tx = adam.build(values)
        return tx.update(x, tx.init(x), x)[1][0].nu

    second = nu({"learning_rate": jnp.float32(0.1), "b2": jnp.float32(0.999)})
    assert second.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(second, float), 0.001, rtol=2**-8)


def test_one_compiled_program_serves_every_step_size():
    sgd = optimizers.optimizer("sgd", learning_rate=np.geomspace(1e-4, 0.1, 200), momentum=0.5)
    traces = []

    @jax.jit
    def last(learning_rate):
        traces.append(learning_rate)
        return run(sgd, {"learning_rate": learning_rate}, True, steps=3)[-1]

    ends = np.array([last(jnp.asarray(rate)) for rate in sgd.swept["learning_rate"]])
    assert len(traces) == 1
    assert sgd.untraceable == frozenset()
    assert len(np.unique(ends[:, 0])) == 200


SWEPT = {
    "plain": (("sgd", {"learning_rate": [0.1, 0.2]}), {"learning_rate": [0.1, 0.2]}),
    "order": (
        ("adam", {"b2": np.array([0.9, 0.99]), "learning_rate": jnp.array([0.5]), "b1": 0.8}),
        {"b2": [0.9, 0.99], "learning_rate": [0.5]},
    ),
    "schedule": (
        ("adam", {"learning_rate": {**LINEAR, "init_value": [0.1, 0.5]}}),
        {"learning_rate.init_value": [0.1, 0.5], "learning_rate.transition_steps": [100]},
    ),
    "chain": (
        ("chain", {"chain": [{"name": "clip", "max_delta": [0.5, 1.5]}, SGD]}),
        {"chain.0.max_delta": [0.5, 1.5], "chain.1.learning_rate": [0.05]},
    ),
    "nested": (
        ("sam", {"optimizer": SGD, "adv_optimizer": ADVERSARY}),
        {"optimizer.learning_rate": [0.05], "adv_optimizer.chain.1.learning_rate": [0.05]},
    ),
    "element of a pair": (("prodigy", {"betas": [0.9, [0.99, 0.999]]}), {"betas.1": [0.99, 0.999]}),
    "a pair is no sweep": (("prodigy", {"betas": np.array([0.9, 0.99])}), {}),
    "joined": (
        (
            "sgd",
            {
                "learning_rate": {
                    "schedule": "join_schedules",
                    "schedules": [LINEAR, {"schedule": "constant_schedule", "value": [0.5, 0.25]}],
                    "boundaries": np.array([50.0]),
                }
            },
        ),
        {
            "learning_rate.schedules.0.init_value": [1.0],
            "learning_rate.schedules.0.transition_steps": [100],
            "learning_rate.schedules.1.value": [0.5, 0.25],
        },
    ),
    "two axes of the same length": (
        ("adam", {"b1": [0.8, 0.9], "b2": [0.8, 0.9], "learning_rate": 0.1}),
        {"b1": [0.8, 0.9], "b2": [0.8, 0.9]},
    ),
    "flags": (("sgd", {"learning_rate": 0.1, "nesterov": [False, True]}), {"nesterov": [0, 1]}),
}


@pytest.mark.parametrize("case", SWEPT)
def test_sweeps_are_found_under_dotted_keys_in_the_order_written(case):
    (name, spec), expected = SWEPT[case]
    swept = make(name, spec).swept
    assert list(swept) == list(expected)
    assert {key: values.tolist() for key, values in swept.items()} == expected


def test_whole_numbers_stay_whole_where_they_count_something():
    tenths = {"learning_rate": np.array([1.0, 2.0])}
    swept = optimizers.optimizer("lbfgs", memory_size=np.array([5.0, 10.0]), **tenths).swept
    assert (swept["memory_size"].dtype, swept["learning_rate"].dtype) == (np.int32, np.float64)
    assert optimizers.optimizer("sophia", **tenths, update_interval=[1, 5]).untraceable == set()


@pytest.mark.parametrize(
    ("name", "spec", "expected"),
    [
        ("lbfgs", {"memory_size": [5, 10], "learning_rate": [0.1]}, {"memory_size"}),
        ("adam", {"learning_rate": [0.1], "nesterov": [False, True]}, {"nesterov"}),
        ("reduce_on_plateau", {"factor": [0.1, 0.5], "patience": [3, 5]}, {"factor"}),
        (
            "sgd",
            {
                "learning_rate": {
                    "schedule": "cosine_decay_schedule",
                    "init_value": [0.1, 0.2],
                    "decay_steps": [10, 20],
                }
            },
            {"learning_rate.decay_steps"},
        ),
        ("adam", {"learning_rate": [0.1], "b1": [0.9], "b2": [0.99], "eps": [1e-8]}, set()),
        ("sgd", {"learning_rate": 0.1, "momentum": [0.5, 0.9]}, set()),
    ],
)
def test_what_optax_reads_while_it_builds_is_found_by_tracing(name, spec, expected):
    assert optimizers.optimizer(name, **spec).untraceable == expected


SCHEDULES: dict[str, dict[str, Any]] = {
    "constant_schedule": {"value": 0.3},
    "cosine_decay_schedule": {"init_value": 0.3, "decay_steps": 20, "alpha": 0.1},
    "cosine_onecycle_schedule": {"transition_steps": 20, "peak_value": 0.3},
    "exponential_decay": {"init_value": 0.3, "transition_steps": 5, "decay_rate": 0.5},
    "join_schedules": {
        "schedules": [
            {"schedule": "constant_schedule", "value": 0.3},
            {"schedule": "linear_schedule", "init_value": 0.3, "end_value": 0.1,
             "transition_steps": 10},
        ],
        "boundaries": [5],
    },
    "linear_onecycle_schedule": {"transition_steps": 20, "peak_value": 0.3},
    "linear_schedule": {"init_value": 0.3, "end_value": 0.1, "transition_steps": 10},
    "piecewise_constant_schedule": {
        "init_value": 0.3, "boundaries_and_scales": {"5": 0.5, "10": 0.1}
    },
    "piecewise_interpolate_schedule": {
        "interpolate_type": "cosine", "init_value": 0.3,
        "boundaries_and_scales": {"5": 0.5, "10": 0.1},
    },
    "polynomial_schedule": {
        "init_value": 0.3, "end_value": 0.1, "power": 2, "transition_steps": 10
    },
    "sgdr_schedule": {
        "cosine_kwargs": [
            {"init_value": 0.1, "peak_value": 0.3, "warmup_steps": 3, "decay_steps": 10},
            {"init_value": 0.1, "peak_value": 0.2, "warmup_steps": 3, "decay_steps": 10},
        ]
    },
    "warmup_constant_schedule": {"init_value": 0.1, "peak_value": 0.3, "warmup_steps": 5},
    "warmup_cosine_decay_schedule": {
        "init_value": 0.1, "peak_value": 0.3, "warmup_steps": 5, "decay_steps": 15
    },
    "warmup_exponential_decay_schedule": {
        "init_value": 0.1, "peak_value": 0.3, "warmup_steps": 5, "transition_steps": 5,
        "decay_rate": 0.5,
    },
}  # fmt: skip


def schedule_by_hand(name: str, spec: Mapping[str, Any]) -> optax.Schedule:
    spec = dict(spec)
    if "schedules" in spec:
        inner = [{k: v for k, v in part.items() if k != "schedule"} for part in spec["schedules"]]
        names = [part["schedule"] for part in spec["schedules"]]
        spec["schedules"] = [getattr(optax, n)(**kw) for n, kw in zip(names, inner, strict=True)]
    if "boundaries_and_scales" in spec:
        scales = spec["boundaries_and_scales"]
        spec["boundaries_and_scales"] = {int(key): value for key, value in scales.items()}
    return getattr(optax, name)(**spec)


def test_every_schedule_of_optax_is_tested_here():
    assert set(SCHEDULES) | {"chebyshev_schedule", "inverse_root_schedule"} == set(schedules())


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_those_of_optax(name):
    """Unit gradients: the updates of `sgd` are minus the learning rates."""
    table = {"schedule": name, **SCHEDULES[name]}
    tx = optimizers.optimizer("sgd", learning_rate=table).build()

    def step(state, _):
        updates, state = tx.update(jnp.ones(1), state)
        return state, -updates[0]

    _, rates = jax.jit(lambda: jax.lax.scan(step, tx.init(jnp.ones(1)), length=25))()
    with jax.numpy_dtype_promotion("standard"):
        by_hand = jax.vmap(schedule_by_hand(name, SCHEDULES[name]))(jnp.arange(25, dtype=jnp.int32))
    np.testing.assert_allclose(rates, by_hand, rtol=1e-6)
    assert name == "constant_schedule" or len(np.unique(rates)) > 1


def test_noise_comes_from_the_key_of_the_lane():
    noisy = optimizers.optimizer("noisy_sgd", learning_rate=[0.05])
    path = jax.jit(lambda key: run(noisy, {"learning_rate": jnp.asarray(0.05)}, True, key))
    first, again, other = (path(jax.random.key(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).all()


def test_each_source_of_noise_in_a_chain_has_a_key_of_its_own():
    noise = {"name": "add_noise", "eta": 1.0, "gamma": 0.5}
    x, key = jnp.zeros(2), jax.random.key(3)

    def noises(chain):
        tx = optimizers.optimizer(chain=chain).build(key=key)
        return tx.update(x, tx.init(x), x)[0]

    one, two = noises([noise]), noises([noise, noise])
    assert (two != 2 * one).all()
    assert (noises([{**noise, "key": 7}]) != one).all()


def faults(*arguments, **hyperparameters) -> dict[str, str]:
    with pytest.raises(SpecError) as caught:
        optimizers.optimizer(*arguments, **hyperparameters)
    return {".".join(map(str, fault.path)): fault.message for fault in caught.value.faults}


def test_all_faults_are_told_at_once_with_what_was_meant():
    found = faults("adam", learning_rat=0.1, b1="high", b2=True, eps=[1e-8, np.nan], nesterov=1)
    assert found == {
        "learning_rat": "unknown key; did you mean 'learning_rate'?",
        "b1": "expected a number or a sweep, got 'high'",
        "b2": "expected a number or a sweep, got true",
        "eps": "must be finite, got [1e-08, nan]",
        "nesterov": "expected true or false, got 1",
    }


FAULTS = {
    "missing": (
        ("sgd", {}),
        {"learning_rate": "required by optax.sgd; give a number, a sweep or a schedule"},
    ),
    "unknown optimizer": (
        ("adm", {}),
        {"name": "optax has no optimizer called 'adm'; did you mean 'adam'?"},
    ),
    "a schedule as optimizer": (("cosine_decay_schedule", {}), {"name": "write learning_rate = {"}),
    "per-example gradients": (("dpsgd", {}), {"name": "needs the gradient of every example"}),
    "unknown schedule": (
        ("sgd", {"learning_rate": {"schedule": "cosine_schedule"}}),
        {"learning_rate.schedule": "did you mean 'cosine_decay_schedule'?"},
    ),
    "inside a schedule": (
        ("sgd", {"learning_rate": {**LINEAR, "transition_steps": 1.5, "init_valu": 1.0}}),
        {
            "learning_rate.transition_steps": "must be a whole number, got 1.5",
            "learning_rate.init_valu": "unknown key; did you mean",
        },
    ),
    "optax's own words about a value": (
        ("sgd", {"learning_rate": {"schedule": "cosine_decay_schedule", "init_value": 0.1,
                                   "decay_steps": [10, 0]}}),
        {"learning_rate.decay_steps": "0: optax.cosine_decay_schedule"},
    ),
    "inside a chain": (
        ("chain", {"chain": [{"name": "clip", "max_delt": 1.0}, {"name": "adm"}, 3]}),
        {
            "chain.0.max_delt": "unknown key; did you mean 'max_delta'?",
            "chain.1.name": "did you mean 'adam'?",
            "chain.2": "expected a table such as",
        },
    ),
    "beside a chain": (
        ("chain", {"chain": [SGD], "learning_rate": 0.1}),
        {"learning_rate": "a chain takes its hyperparameters in its links"},
    ),
    "an empty chain": (("chain", {"chain": []}), {"chain": "expected a list of tables"}),
    "an optimizer's name alone": (
        ("mechanize", {"base_optimizer": "sgd"}),
        {"base_optimizer": "expected an optimizer"},
    ),
    "an optimizer without name": (
        ("mechanize", {"base_optimizer": {"learning_rate": 1.0}}),
        {"base_optimizer": "expected an optimizer"},
    ),
    "one word of a few": (
        ("muon", {"learning_rate": 0.1, "preconditioning": "spectra"}),
        {"preconditioning": "did you mean 'spectral'?"},
    ),
    "a schedule where none can stand": (
        ("adam", {"learning_rate": 0.1, "b1": LINEAR}),
        {"b1": "expected a number or a sweep, got a schedule"},
    ),
    "an empty sweep": (("sgd", {"learning_rate": []}), {"learning_rate": "an empty sweep"}),
    "a plane of values": (
        ("sgd", {"learning_rate": np.ones((2, 2))}),
        {"learning_rate": "got an array of shape (2, 2)"},
    ),
    "a sweep of words": (
        ("sgd", {"learning_rate": ["a", "b"]}),
        {"learning_rate": "expected a number"},
    ),
    "too few in a pair": (("prodigy", {"betas": [0.9]}), {"betas": "expected 2 values, got 1"}),
    "no extras reach the inner optimizer": (
        ("sam", {"optimizer": {"name": "polyak_sgd"}, "adv_optimizer": SGD}),
        {"": "it cannot take a step"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_faults_say_where_and_what(case):
    (name, spec), expected = FAULTS[case]
    found = faults(*(() if name == "chain" else (name,)), **spec)
    assert list(found) == list(expected)
    for path, message in expected.items():
        assert message in found[path]


def test_a_table_takes_its_name_from_its_label(tmp_path):
    adam = optimizers.from_spec("adam", {"learning_rate": np.array([0.1, 0.2])}, tmp_path)
    assert (adam.label, adam.name) == ("adam", "adam")
    heavy = {"name": "sgd", "momentum": np.array([0.5, 0.9]), "learning_rate": 1e-3}
    assert optimizers.from_spec("heavy ball", heavy, tmp_path).name == "sgd"
    with pytest.raises(SpecError, match="no optimizer called 'heavy ball'"):
        optimizers.from_spec("heavy ball", {"learning_rate": 0.1}, tmp_path)


USER = """
import optax

def nesterov(learning_rate, momentum: float = 0.9):
    return optax.sgd(learning_rate, momentum=momentum, nesterov=True)

def scheduled(step, first=0.1):
    return first / (step + 1)

def halving(first, every=10):
    return lambda step: first * 0.5 ** (step // every)

ready = optax.sgd(0.1)
number = 3

def forgetful(learning_rate=0.1):
    return learning_rate
"""


@pytest.fixture
def own(tmp_path):
    (tmp_path / "mine.py").write_text(USER)
    (tmp_path / "broken.py").write_text("x = 1\ny = 1 / 0\n")

    def read(**spec):
        return optimizers.from_spec("mine", spec, tmp_path)

    return read


def test_the_users_own_function_is_held_against_its_signature(own):
    mine = own(name="mine.py:nesterov", learning_rate=np.array([0.01, 0.05]))
    reference = optimizers.optimizer("sgd", learning_rate=[0.01, 0.05], momentum=0.9, nesterov=True)
    values = {"learning_rate": jnp.asarray(0.05)}
    np.testing.assert_array_equal(run(mine, values, True), run(reference, values, True))
    assert mine.static == own(name="mine.py:nesterov", learning_rate=np.array([0.3])).static
    with pytest.raises(SpecError) as caught:
        own(name="mine.py:nesterov", momentun=0.5)
    assert str(caught.value) == (
        "momentun: unknown key; did you mean 'momentum'?\n"
        "learning_rate: required by mine.py:nesterov; give a value"
    )


def test_the_users_own_schedules(own):
    made = own(name="sgd", learning_rate={"schedule": "mine.py:halving", "first": [0.1, 0.2]})
    itself = own(name="sgd", learning_rate={"schedule": "mine.py:scheduled", "first": [0.1, 0.2]})
    for optimizer, rate in [(made, 0.2), (itself, 0.1)]:
        assert list(optimizer.swept) == ["learning_rate.first"]
        tx = optimizer.build({"learning_rate.first": 0.2})
        state = tx.init(jnp.ones(1))
        for _ in range(2):
            updates, state = tx.update(jnp.ones(1), state)
        np.testing.assert_allclose(updates, [-rate], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine.py:nesterof", "mine.py has no 'nesterof'; did you mean 'nesterov'?"),
        ("mime.py:nesterov", "; did you mean 'mine.py'?"),
        ("broken.py:f", "broken.py:2: fails on import with ZeroDivisionError: division by zero"),
        ("mine.py:number", "mine.py:number is int, not a function"),
        ("mine.py:forgetful", "mine.py:forgetful must return an optax transformation"),
    ],
)
def test_faults_in_the_users_own_file(own, name, message):
    with pytest.raises(SpecError) as caught:
        own(name=name)
    assert message in str(caught.value)


def test_ready_transformations_factories_and_optimizers_are_taken_from_python(own):
    rates = {"learning_rate": [0.05]}
    value = jnp.asarray(0.05)
    same = [
        (optimizers.optimizer(optax.sgd(0.05)), {}),
        (optimizers.optimizer(optax.sgd, **rates), {"learning_rate": value}),
        (optimizers.optimizer(chain=[optax.identity(), optax.sgd(0.05)]), {}),
        (optimizers.optimizer("sgd", learning_rate=lambda step: 0.05), {}),
        (
            optimizers.optimizer(
                "flatten", inner=optimizers.optimizer("sgd", label="inner", **rates)
            ),
            {"inner.learning_rate": value},
        ),
    ]
    reference = run(optimizers.optimizer("sgd", learning_rate=0.05), {}, True)
    for optimizer, values in same:
        np.testing.assert_array_equal(run(optimizer, values, True), reference)
    assert own(name="mine.py:ready").swept == {}
    with pytest.raises(SpecError, match="ready transformation takes no hyperparameters"):
        optimizers.optimizer(optax.sgd(0.1), momentum=0.9)


def test_what_makes_a_program_its_own():
    def static(**spec):
        return optimizers.optimizer("adam", **spec).static

    assert static(learning_rate=[0.1, 0.2]) == static(learning_rate=[0.3])
    assert static(learning_rate=[0.1], b1=0.9) != static(learning_rate=[0.1], b1=0.8)
    assert static(learning_rate=[0.1]) != static(learning_rate=0.1)
    assert len({static(learning_rate=[0.1]), static(learning_rate=[0.2])}) == 1


def test_an_optimizer_can_be_tried_at_a_point_of_another_shape():
    muon = optimizers.optimizer("scale_by_muon")
    muon.check(jnp.ones((3, 4)))
    with pytest.raises(SpecError, match="cannot take a step: Input must have shape"):
        muon.check(jnp.ones(3))


def test_the_catalogue_is_that_of_optax():
    names = optimizers.names()
    aliases = {
        n for n, f in vars(optax).items() if getattr(f, "__module__", "") == "optax._src.alias"
    }
    assert aliases | {"nadam", "nadamw"} <= set(names)
    assert {n for n, row in names.items() if row.refused} == {
        "dpsgd",
        "differentially_private_aggregate",
    }
    kinds = {
        "adam": "optimizer",
        "sam": "optimizer",
        "scale_by_adam": "transformation",
        "clip": "transformation",
        "cosine_decay_schedule": "schedule",
    }
    assert {name: names[name].kind for name in kinds} == kinds
    assert names["sophia"].module == "optax.contrib"
    assert names["lbfgs"].hyperparameters["linesearch"] == "scale_by_zoom_linesearch(...)"
    assert names["sgd"].hyperparameters == {
        "learning_rate": "required",
        "momentum": "None",
        "nesterov": "False",
        "accumulator_dtype": "None",
    }
    assert names["sgd"].summary == "A canonical Stochastic Gradient Descent optimizer."
    assert all(row.summary for row in names.values())

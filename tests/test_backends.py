"""The backends against each other: every optimizer, every loss, and what they promise.

Every optimizer x every loss in the kernel, against a Python loop: see `test_descent`.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_descent import OPTIMIZERS, one_of, spec_of
from test_engine import assert_same_bits

import lab
from lab import dataset, engine, optimizers, settings
from lab.api import make_plan
from lab.backends import Stage
from lab.backends.forms import InRows
from lab.backends.scalars import back, of_one, one_step, rows_of, traced
from lab.engine import Engine
from lab.errors import SpecError
from lab.flow import Meter
from lab.kernels import cpu, gpu, once_for
from lab.plan import Run
from lab.scalarize import NotScalar

STEPS = 20
ULPS = 64
"""By which a lane may differ after so many steps, at the scale of what it went through."""

LEFT_TO_VMAP = {"lbfgs"}
"""Optimizers whose step does not come apart into scalars: it indexes by what it computes."""

OURS = [n for n, e in optimizers.names().items() if e.kind == "optimizer" and e.module == "lab"]

SENSITIVE = {"adafactor", "dowg", "momo", "polyak_sgd"}
"""Optimizers that choose a step's length themselves and so amplify rounding, on steep walls."""

SOME = ["ackley", "rosenbrock", "three_wells", "plateau"]

STARTS = np.random.default_rng(0).uniform(-1, 1, (64, 2))


def made(name, backend, loss=None, **run):
    """A plan of an optimizer, on one loss or on some as one, chosen by a swept number."""
    loss = loss or lab.losses.as_loss(one_of(*SOME), which=np.arange(len(SOME)))
    run = {"steps": STEPS, "patience": 5, "precision": "float64", "block": 1024, **run}
    optimizer = lab.optimizer(name, **spec_of(name))
    return make_plan(loss, optimizer, lab.starts.points(STARTS), Run(backend=backend, **run))


def lanes(plan, engine=None):
    """All results of a plan, in the order of its lanes."""
    data = dataset.empty(plan)
    specs = dataset.specs(plan)
    for block, arrays in (engine or Engine(plan)).blocks():
        for key, values in arrays.items():
            dataset.put(plan, data[key].values, block, specs[key], values)
    return data


def assert_alone_as_together(engine):
    """Lanes that share a block with padding end where they do in a full one, to the last bit."""
    ids = engine.plan.layout.ids(0)
    together = engine.lanes(ids)
    for place in (0, 7, len(ids) // 2, len(ids) - 1):
        for key, values in engine.lanes(ids[place][None]).items():
            np.testing.assert_array_equal(values[0], together[key][place])


@pytest.mark.usefixtures("quick_compiles", "float64")
@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if n not in LEFT_TO_VMAP])
def test_every_optimizer_in_the_kernel_as_under_vmap(name):
    """float64, within some ulps of a lane's own scale; the outcomes are the same.

    In either a lane alone ends where it does in a batch, to the last bit.
    """
    steps = 3 if name in SENSITIVE else STEPS
    engines = [Engine(made(name, backend, steps=steps)) for backend in ("kernel", "vmap")]
    kernel, vmap = (lanes(one.plan, one) for one in engines)
    for data in (kernel, vmap):
        assert set(np.unique(data.outcome)) <= set(range(1, 7))
        assert not np.isnan(data.final_loss).any()
    scale = np.maximum(1, np.abs(vmap.final_point.values).max(axis=-1, keepdims=True))
    distance = np.abs(kernel.final_point.values - vmap.final_point.values)
    share = np.mean(distance > ULPS * np.finfo(float).eps * scale)
    assert share <= (0.2 if name in SENSITIVE else 0.02)
    assert np.mean(kernel.outcome.values != vmap.outcome.values) <= 1e-3
    for one in engines:
        assert_alone_as_together(one)


@pytest.mark.usefixtures("quick_compiles", "float64")
@pytest.mark.parametrize("name", [*sorted(LEFT_TO_VMAP), *OURS])
def test_a_lane_alone_ends_where_it_does_in_a_batch(name):
    """The optimizers that the test above leaves out."""
    loss = lab.losses.extended_rosenbrock()
    assert_alone_as_together(Engine(made(name, "vmap" if name in LEFT_TO_VMAP else "kernel", loss)))


def looked_at(loss, points):
    """A loop of one step that finds value and gradient, and the shapes of these."""
    marks = [True] * loss.dimension
    return one_step(lambda shared, x: jax.value_and_grad(loss)(x), (), of_one(points), marks)


@pytest.mark.usefixtures("quick_compiles", "float64")
@pytest.mark.parametrize("name", lab.losses.catalogue)
def test_every_loss_in_the_kernel_as_under_vmap(name):
    """Value and gradient at points of the box, to some ulps of their largest."""
    loss = lab.losses.catalogue[name]()
    points = np.random.default_rng(0).uniform(loss.low, loss.high, (48, loss.dimension))
    loop, result = looked_at(loss, points)
    assert cpu.missing(loop) is None
    in_kernel = jax.jit(lambda x: back(cpu.once(loop, [], rows_of(x)), result, len(x)))
    expected = jax.jit(jax.vmap(jax.value_and_grad(loss)))(points)
    for one, other in zip(in_kernel(points), expected, strict=True):
        close = 1e-13 * np.maximum(np.abs(other).max(), 1)
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=close)


LEAVES = np.random.default_rng(1).normal(size=(2, 70, 1))

BEGINNINGS = {
    "grid": lab.starts.grid([-2.0, -1.0], [2.0, 3.0], [7, 10]),
    "points": lab.starts.points(np.random.default_rng(0).normal(size=(70, 2))),
    "too many points to look up": lab.starts.points(
        np.random.default_rng(0).normal(size=(2100, 2))
    ),
    "points in leaves of one shape": lab.starts.points({"x": LEAVES[0], "y": LEAVES[1]}),
    "one point": lab.starts.points([[1.5, -2.5]]),
    "uniform": lab.starts.uniform([-2.0, -1.0], [2.0, 3.0], 70),
    "normal": lab.starts.normal([-2.0, -1.0], 0.5, 70),
    "chosen": lab.starts.uniform([-2.0, -1.0], [2.0, 3.0], 70)[[3, 3, 69, 0]],
}


@pytest.mark.usefixtures("quick_compiles")
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", BEGINNINGS)
def test_lanes_begin_in_the_kernel_where_they_begin_under_vmap(name, precision):
    """By the kernel that takes their steps, where it can lay them there; of points, every bit."""
    found = []
    for backend in ("kernel", "vmap"):
        run = Run(steps=0, backend=backend, precision=precision)
        sgd = lab.optimizer("sgd", learning_rate=0.001)
        plan = make_plan(of_leaves, sgd, BEGINNINGS[name], run)
        with plan.precision():
            within = InRows("cpu").begins_within(plan.problem({}), plan.inputs())
        assert within == (name != "too many points to look up")
        found.append(lanes(plan).final_point)
    ulps = 64 if name == "normal" else 0  # an elementary function is written out
    np.testing.assert_allclose(*found, rtol=ulps * np.finfo(precision).eps)


def of_leaves(x):
    """Squares of whatever numbers there are."""
    return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(x))


@pytest.mark.usefixtures("quick_compiles", "float64")
@pytest.mark.parametrize("backend", ["kernel", "scalar"])
def test_data_picked_by_a_key_are_the_same_in_scalars(backend):
    """Least squares, one example at a time: inputs and outputs are tables of one length."""
    inputs = np.random.default_rng(0).normal(size=32)
    outputs = 3.0 * inputs + 1.0

    def error(x, key):
        i = jax.random.randint(key, (), 0, len(inputs))
        return (x[0] * jnp.asarray(inputs)[i] + x[1] - jnp.asarray(outputs)[i]) ** 2

    sgd = lab.optimizer("sgd", learning_rate=0.1)
    options = {"steps": 1000, "gradient_below": 0.0, "precision": "float64"}
    found = [
        lab.sweep(error, sgd, np.zeros((8, 2)), backend=b, **options) for b in (backend, "vmap")
    ]
    np.testing.assert_allclose(found[0].final_point, found[1].final_point, rtol=1e-9)
    np.testing.assert_allclose(found[0].final_point, np.tile([3.0, 1.0], (8, 1)), rtol=1e-4)


@pytest.mark.usefixtures("quick_compiles", "float64")
@pytest.mark.parametrize("name", ["sgd", "adam", "lion", "noisy_sgd"])
def test_rows_of_scalars_as_under_vmap(name):
    losses = lab.losses.rosenbrock()
    rows, vmap = (lanes(made(name, backend, losses)) for backend in ("scalar", "vmap"))
    np.testing.assert_allclose(rows.final_point, vmap.final_point, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(rows.outcome, vmap.outcome)


def lowered(plan):
    """Why the Pallas kernels of a plan do not lower for a GPU, here or elsewhere; else None."""
    with plan.precision():
        return gpu.missing(traced(plan.problem(plan.fixed(0)), plan.inputs()).loop)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_whole_run_lowers_for_cuda(precision):
    """From starts, in a program of their own, to results."""
    plan, form = made("adam", "vmap", lab.losses.rosenbrock(), precision=precision), InRows("gpu")
    with plan.precision():
        inputs, problem = plan.inputs(), plan.problem({})
        places = jnp.asarray(plan.layout.padded([plan.layout.part(0).places], 1)[0])
        stage = Stage(places, jnp.array([0, STEPS, True, True, 0, 0, 0, 64], jnp.int32))
        begin, through = (jax.jit(partial(f, problem)) for f in (form.begin, form.through))
        rows = jax.eval_shape(begin, inputs, stage.ids)
        texts = [
            traced.lower(lowering_platforms=("cuda",)).as_text()
            for traced in (begin.trace(inputs, stage.ids), through.trace(inputs, stage, rows))
        ]
    assert "lab_lanes" not in texts[0] and "lab_lanes" in texts[1]
    assert "stablehlo.case" in texts[1]  # lanes end, or do not


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if n not in LEFT_TO_VMAP])
def test_every_optimizer_lowers_for_cuda(name):
    assert lowered(made(name, "vmap", lab.losses.rosenbrock(), precision="float32")) is None


@pytest.mark.parametrize("name", lab.losses.catalogue)
def test_every_loss_lowers_for_cuda(name):
    """Value and gradient; the rest of a step knows nothing of the loss."""
    loss = lab.losses.catalogue[name]()
    assert gpu.missing(looked_at(loss, np.float32([loss.low]))[0]) is None


def test_what_does_not_come_apart_is_short_and_named():
    for name in LEFT_TO_VMAP:
        with pytest.raises(NotScalar, match="an index that is computed"):
            lowered(made(name, "vmap", lab.losses.rosenbrock()))


@pytest.mark.usefixtures("quick_compiles")
@pytest.mark.parametrize("name", ["sgd", "adam", "noisy_sgd"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_gpu_kernel_interpreted_as_under_vmap(name, precision, monkeypatch):
    run = partial(gpu.run, interpret=True)
    monkeypatch.setattr("lab.backends.forms.kernel_for", lambda platform: run)
    monkeypatch.setattr("lab.backends.forms.once_for", lambda platform: once_for("gpu"))
    losses = lab.losses.rosenbrock()
    kernel = lanes(made(name, "kernel", losses, precision=precision))
    vmap = lanes(made(name, "vmap", losses, precision=precision))
    close = 1e-11 if precision == "float64" else 2e-3
    np.testing.assert_allclose(kernel.final_point, vmap.final_point, rtol=close, atol=close)
    assert np.mean(kernel.outcome.values != vmap.outcome.values) <= 0.02


@pytest.mark.parametrize("loss", ["rosenbrock", "himmelblau", "rastrigin", "ackley", "three_wells"])
def test_few_outcomes_differ_in_float32(loss, record_property):
    """400 steps of heavy-ball descent, chaotic at the larger rates: the share that ends otherwise.

    Stalled, oscillating and still descending differ by a last bit; failures and minima do not.
    """
    family = lab.losses.catalogue[loss]
    heavy = lab.optimizer("sgd", learning_rate=np.geomspace(1e-4, 1e-1, 8), momentum=0.9)
    starts = lab.starts.uniform(low=[-2, -2], high=[2, 2], count=500)
    outcomes = [
        lab.sweep(family(), heavy, starts, steps=400, backend=backend).outcome.values
        for backend in ("kernel", "vmap")
    ]
    record_property("share that differs", float(np.mean(outcomes[0] != outcomes[1])))
    spent = int(lab.descent.Outcome.STALLED)
    ends = [np.minimum(codes, spent) for codes in outcomes]
    assert np.mean(ends[0] != ends[1]) <= 0.02


ADAM = lab.optimizer("adam", learning_rate=np.geomspace(1e-3, 1e-1, 3))
CLOUD = lab.starts.uniform(low=[-2, -1], high=[2, 3], count=3000)


def cloud(**run):
    options = {"steps": 600, "gradient_below": 1e-2, **run}
    return lab.sweep(lab.losses.rosenbrock(), ADAM, CLOUD, **options)


@pytest.mark.parametrize("backend", ["vmap", "scalar", "kernel"])
def test_moving_the_running_lanes_together_changes_no_bit(backend, monkeypatch):
    monkeypatch.setattr(engine, "CHUNK_SECONDS", (0.0, 1e9))  # chunks of 64 steps
    monkeypatch.setattr(engine, "ENDED_SHARE", -1.0)
    left = cloud(backend=backend)
    monkeypatch.setattr(engine, "ENDED_SHARE", 0.9)
    meter = Meter()
    moved = cloud(backend=backend, meter=meter)
    apart = backend != "kernel"  # lanes begin in a program of their own
    assert meter.compilations == apart + 3  # that, the run, together, and back
    assert len(np.unique(left.outcome)) > 1
    assert_same_bits(moved.data_vars, left.data_vars)
    reduced = cloud(backend=backend, keep="reduced")
    np.testing.assert_array_equal(reduced.hit_count, (left.hit_step >= 0).sum("start"))


def test_threads_on_one_device_change_no_bit(monkeypatch):
    monkeypatch.setattr(engine, "local_devices", lambda: jax.devices()[:1])
    monkeypatch.setattr(engine, "workers", lambda devices, all_cores: 3)
    assert Engine(make_plan(lab.losses.beale(), ADAM, CLOUD, Run())).workers == 3
    threaded = cloud()
    monkeypatch.undo()
    assert_same_bits(threaded.data_vars, cloud().data_vars)


@pytest.mark.parametrize("backend", ["vmap", "scalar", "kernel"])
def test_lanes_that_are_not_watched_end_where_the_watched_do(backend):
    watched = cloud(backend=backend, gradient_below=0.0)
    blind = cloud(backend=backend, gradient_below=0.0, watch=False)
    distance = np.abs(blind.final_point.values - watched.final_point.values)
    assert np.mean(distance > 1e-3) < 0.01  # at the largest rate some bounce about, and drift apart
    assert set(np.unique(blind.steps)) == {600}
    np.testing.assert_allclose(blind.best_loss, blind.final_loss, rtol=1e-5, atol=1e-7)
    assert set(np.unique(blind.hit_step)) <= {-1, 600}


def test_unwatched_lanes_that_fail_say_so():
    """Far beyond 2/L every lane of GD leaves; on a bowl with a small rate all converge."""
    sgd = lab.optimizer("sgd", learning_rate=[0.1, 1.0])
    data = lab.sweep(lab.losses.rosenbrock(), sgd, CLOUD[:50], steps=200, watch=False)
    assert set(np.unique(data.outcome)) == {int(lab.descent.Outcome.DIVERGED)}
    bowl = lab.losses.quadratic(condition_number=2.0)
    data = lab.sweep(bowl, lab.optimizer("sgd", learning_rate=0.5), CLOUD[:50], steps=200,
                     watch=False)  # fmt: skip
    assert set(np.unique(data.outcome)) == {int(lab.descent.Outcome.CONVERGED)}


def test_a_replay_of_unwatched_lanes_ends_where_they_did():
    plan = make_plan(lab.losses.rosenbrock(), ADAM, CLOUD, Run(steps=90, watch=False))
    machine = Engine(plan)
    ids = np.array([[0, 0, 5], [2, 0, 17], [1, 0, 2999]], np.int32)
    stored, walked = machine.lanes(ids), machine.replay(ids)
    np.testing.assert_array_equal(walked.point[:, -1], stored["final_point"])
    np.testing.assert_array_equal(walked.loss[:, -1], stored["final_loss"])
    np.testing.assert_array_equal(machine.replay(ids, at=[0, 90]).point, walked.point[:, [0, 90]])


def choice(loss=None, optimizer=ADAM, **run):
    return make_plan(loss or lab.losses.rosenbrock(), optimizer, CLOUD, Run(**run)).choice


def test_auto_takes_the_fastest_that_can_and_says_why():
    assert choice().backend == "kernel" and "fastest" in choice().why
    lbfgs = choice(optimizer=lab.optimizer("lbfgs"))
    assert lbfgs.backend == "vmap" and "an index that is computed" in lbfgs.why
    small = choice(precision="bfloat16")
    assert small.backend != "kernel" and "numbers of type bfloat16" in small.why
    assert choice(backend="scalar") == ("scalar", "as asked")


@pytest.mark.parametrize(
    ("backend", "optimizer", "run", "told"),
    [
        ("kernel", "lbfgs", {}, "'kernel' cannot run this: the step holds an index"),
        ("scalar", "lbfgs", {}, "'scalar' cannot run this"),
        ("kernel", "adam", {"precision": "bfloat16"}, "numbers of type bfloat16"),
    ],
)
def test_a_backend_that_cannot_is_refused(backend, optimizer, run, told):
    rate = {} if optimizer == "lbfgs" else {"learning_rate": 0.1}
    with pytest.raises(SpecError, match="backend") as caught:
        lab.sweep(lab.losses.rosenbrock(), lab.optimizer(optimizer, **rate), CLOUD[:5],
                  backend=backend, **run)  # fmt: skip
    assert told in str(caught.value)


def test_a_step_of_too_many_operations_is_left_to_another_backend(monkeypatch):
    monkeypatch.setattr("lab.kernels.cpu.running.MOST_OPERATIONS", 50)
    chosen = choice()
    assert chosen.backend == "scalar" and "operations, more than 50" in chosen.why
    assert lab.sweep(lab.losses.beale(), ADAM, CLOUD[:9], steps=5).steps.max() == 5


def test_snapshots_need_watching():
    with pytest.raises(SpecError, match="need watch = true"):
        settings.Run(watch=False, snapshots=(3,))

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import lab.losses as losses
from lab.errors import SpecError

SETTINGS = {
    "ackley": {"a": 10.0, "b": 0.5, "c": 3.0},
    "convex_rosenbrock": {"condition_number": 9.0},
    "huber": {"delta": 0.2},
    "nesterov_worst": {"L": 3.0},
    "perm": {"beta": 2.0},
    "power": {"p": 1.2},
    "pseudo_huber": {"delta": 0.2},
    "quadratic": {"condition_number": 7.0},
    "rastrigin": {"amplitude": 4.0},
    "ravine": {"steepness": 3.0},
    "rippled_quadratic": {"epsilon": -0.9, "period": 0.3},
    "rosenbrock": {"a": 0.5, "b": 3.0},
    "rough_quadratic": {"epsilon": 0.01, "period": 0.3},
    "scalar_factorisation": {"y": -2.0},
    "logistic_regression": {"ridge": 0.1},
    "linear_regression": {"ridge": 0.2},
    "softmax_regression": {"ridge": 0.1},
    "scalar_network": {"y": -2.0},
}
RIPPLES = {"schaffer_2": 1e5, "schaffer_4": 1e5, "salomon": 1e4}
"""How much further than others these carry a rounded argument: to sines of thousands."""

FAMILIES = {**losses.catalogue, **losses.MODELS}

pytestmark = pytest.mark.usefixtures("quick_compiles")

SIZES = {"watson": [6, 12], "penalty_2": [4, 10], "chebyquad": [7, 8, 10]}


def sizes(family):
    """The dimensions that a family is tested in; a model has that of its default sizes."""
    if family.name in losses.MODELS:
        return [family().dimension]
    least = max(2, family.least_dimension)
    free = SIZES.get(family.name, sorted({least, max(least, 5)}))
    return [family.dimension] if family.dimension else free


CASES = [
    (name, n)
    for name, family in FAMILIES.items()
    for n in sizes(family)
    if n % getattr(family, "multiple_of", 1) == 0
]
SMALLEST = [(name, sizes(family)[0]) for name, family in FAMILIES.items()]


def each(cases):
    return pytest.mark.parametrize(("name", "n"), cases, ids=[f"{m}-{n}d" for m, n in cases])


each_loss, each_loss_once = each(CASES), each(SMALLEST)


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@functools.cache
def make(name, n, **parameters):
    family = FAMILIES[name]
    free = name in losses.catalogue and not family.dimension
    return family(**({"dimension": n} if free else {}), **parameters)


def box_points(loss, count, seed=0):
    unit = np.random.default_rng(seed).random((count, loss.dimension))
    return loss.low + (loss.high - loss.low) * unit


def messages(error):
    return {".".join(map(str, fault.path)): fault.message for fault in error.value.faults}


IN_STEPS = {"bukin_6"}
"""At whose minima a root is steep enough to show whether a product and a sum are rounded as one."""

ROWS = 512
"""Points per call: with one shape, each loss compiles once."""


class Compiled:
    """A loss with its slopes and curvatures, of many points, compiled once for all settings."""

    def __init__(self, name, n):
        loss = make(name, n)
        options = {"xla_cpu_use_fusion_emitters": name in IN_STEPS}
        jit = functools.partial(jax.jit, compiler_options=options)
        self._first = jit(jax.vmap(jax.value_and_grad(loss_of(loss)), (0, None)))
        self._second = jit(jax.vmap(jax.hessian(loss_of(loss)), (0, None)))

    def values_and_slopes(self, points, parameters):
        parts = [points[i : i + ROWS] for i in range(0, len(points), ROWS)]
        padded = [np.resize(part, (ROWS, points.shape[1])) for part in parts]
        pairs = [self._first(part, parameters) for part in padded]
        values, slopes = (
            np.concatenate([*map(np.asarray, side)]) for side in zip(*pairs, strict=True)
        )
        return values[: len(points)], slopes[: len(points)]

    def hessians(self, points, parameters):
        return np.asarray(self._second(points, parameters))


def loss_of(loss):
    return lambda x, parameters: loss(x, **parameters)


compiled = functools.cache(Compiled)


@each_loss
def test_facts_are_complete_and_exported(name, n):
    loss = make(name, n)
    assert getattr(losses, name) is FAMILIES[name] and name in losses.__all__
    assert loss.name == name and loss.dimension == n
    assert loss.low.shape == loss.high.shape == (n,) and np.all(loss.low < loss.high)
    assert loss.source and any(letter.isdigit() for letter in loss.source)
    assert re.match(r"f'?\(", loss.formula) and not loss.formula.endswith(".")
    assert loss.minima().shape[1] == n and loss.minima().dtype == np.float64
    assert np.all((loss.low <= loss.minima()) & (loss.minima() <= loss.high))
    assert loss.start() is None or loss.start().shape == (n,)
    assert not (loss.takes_step or loss.takes_key)
    assert set(SETTINGS.get(name, {})) == set(loss.parameters)
    again = make.__wrapped__(name, n)
    assert hash(loss.static) == hash(again.static) and loss.static == again.static


@each_loss
def test_gradient_equals_central_differences(name, n):
    loss, count = make(name, n), 20
    x = box_points(loss, count) / (10 if name in RIPPLES else 1)
    h = 1e-6 * np.maximum(1, np.abs(x))[:, :, None] * np.eye(n)  # point, coordinate moved, dim
    shifted = np.concatenate([x[:, None] + h, x[:, None] - h, x[:, None]], axis=1)
    values, slopes = compiled(name, n).values_and_slopes(shifted.reshape(-1, n), loss.parameters)
    values, slopes = values.reshape(count, -1), slopes.reshape(count, -1, n)[:, -1]
    assert np.all(np.isfinite(values)) and np.all(np.isfinite(slopes))
    central = (values[:, :n] - values[:, n:-1]) / (2 * h.sum(-1))
    scale = 1 + np.abs(values).max(axis=1)
    error = np.abs(central - slopes) - 1e-9 * scale[:, None]
    assert np.all(error <= 1e-6 * np.abs(slopes).max(axis=1)[:, None])


@each_loss
def test_minima_are_minima(name, n):
    for settings in ({}, SETTINGS[name]) if name in SETTINGS else ({},):
        assert_minima_are_minima(make(name, n, **settings), compiled(name, n))


def assert_minima_are_minima(loss, functions):
    n = loss.dimension
    minima = loss.minima()
    if not len(minima):
        assert loss.minimum() is None
        return
    values, slopes = functions.values_and_slopes(minima, loss.parameters)
    lowest = pytest.approx(loss.minimum(), rel=1e-15 * n, abs=1e-15 * n * rounding(loss))
    assert values[0] == lowest and values.min() == lowest
    around = np.random.default_rng(1).normal(0, 1e-3, (len(minima), 200, n)) + minima[:, None]
    around = np.clip(around, loss.low, loss.high).reshape(-1, n)
    near = functions.values_and_slopes(around, loss.parameters)[0].reshape(-1, 200)
    assert np.all(near >= values[:, None] - 1e-14 * rounding(loss))
    if loss.kinks:
        return
    curvatures = np.linalg.eigvalsh(functions.hessians(minima, loss.parameters))
    assert np.all(curvatures[:, 0] >= -1e-12 * curvatures[:, -1])
    # On an edge of the box the slope may point outwards.
    slopes = np.where(minima == loss.high, np.maximum(slopes, 0), slopes)
    slopes = np.where(minima == loss.low, np.minimum(slopes, 0), slopes)
    reach = np.maximum(1, np.abs(minima).max(axis=1))
    assert np.all(np.abs(slopes).max(axis=1) <= 1e-15 * n * curvatures[:, -1] * reach + 1e-15)


def rounding(loss):
    """The size of the terms that a value is the sum of, where they cancel at the minimum."""
    return {"schwefel": 500.0, "eggholder": 500.0, "shubert": 200.0, "meyer": 1e5}.get(
        loss.name, 1.0
    )


@each_loss_once
def test_nothing_in_the_box_is_below_the_minimum(name, n):
    loss = make(name, n)
    # A million points take longer than their program.
    fast = {"xla_backend_optimization_level": 3, "xla_llvm_disable_expensive_passes": False}
    looked = jax.jit(jax.vmap(loss), compiler_options=fast)
    values = np.asarray(looked(box_points(loss, 1_000_000)))
    assert np.all(np.isfinite(values))
    if loss.minimum() is not None:
        assert values.min() >= loss.minimum() - 1e-14 * rounding(loss)


@each_loss
def test_dtype_of_the_point_is_kept(name, n):
    loss = make(name, n)
    parameters = {key: np.float64(value) for key, value in SETTINGS.get(name, {}).items()}
    for dtype in ("bfloat16", "float32", "float64"):
        x = jax.ShapeDtypeStruct((n,), dtype)
        for function in (loss, functools.partial(loss, **parameters)):
            value, slope = jax.eval_shape(jax.value_and_grad(function), x)
            assert value.dtype == slope.dtype == x.dtype and value.shape == ()


@each_loss_once
def test_float32_is_as_exact_as_it_can_be(name, n):
    loss = make(name, n)
    points = box_points(loss, ROWS).astype("float32")
    exact = compiled(name, n).values_and_slopes(points.astype(float), loss.parameters)[0]
    rounded = jax.jit(jax.vmap(loss))(points)
    error = np.abs(exact - rounded).max() / max(np.abs(exact).max(), 1e-30)
    assert error <= RIPPLES.get(name, 100) * np.finfo("float32").eps


@each_loss_once
def test_a_loss_is_the_sum_of_the_squares_of_its_residuals(name, n):
    loss = make(name, n, **SETTINGS.get(name, {}))
    x = box_points(loss, 1)[0]
    if loss.residual_function is None:
        with pytest.raises(SpecError, match="not known to be a sum of squares"):
            loss.residuals(x)
        return
    value = jax.jit(lambda x: jnp.sum(loss.residuals(x) ** 2))(x)
    exact = compiled(name, n).values_and_slopes(x[None], loss.parameters)[0]
    np.testing.assert_allclose(value, exact[0], rtol=1e-13)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_rosenbrock_is_scipys(n):
    loss, close = losses.rosenbrock(dimension=n), {"rtol": 1e-11, "atol": 1e-10}
    value, gradient, hessian = map(jax.jit, (loss, jax.grad(loss), jax.hessian(loss)))
    for x in box_points(loss, 10):
        np.testing.assert_allclose(value(x), scipy.optimize.rosen(x), rtol=1e-13)
        np.testing.assert_allclose(gradient(x), scipy.optimize.rosen_der(x), **close)
        np.testing.assert_allclose(hessian(x), scipy.optimize.rosen_hess(x), **close)


def curvatures(loss, x):
    return np.linalg.eigvalsh(jax.jit(jax.hessian(loss))(jnp.array(x)))


def test_published_thresholds():
    himmelblau = losses.himmelblau()
    rates = [2 / curvatures(himmelblau, x)[-1] for x in himmelblau.minima()]
    np.testing.assert_allclose(rates, [0.0243060, 0.0248293, 0.0149493, 0.0189719], atol=5e-8)
    top = np.array([-0.270845, -0.923039])
    assert float(himmelblau(top)) == pytest.approx(181.616522, abs=5e-7)
    assert np.all(curvatures(himmelblau, top) < 0)
    least, most = curvatures(losses.rosenbrock(), [1, 1.0])
    assert most / least == pytest.approx(2508.01, abs=5e-3)
    assert 2 / most == pytest.approx(0.00199680, abs=5e-9)
    least, most = curvatures(losses.beale(), [3, 0.5])
    assert most / least == pytest.approx(162.47, abs=5e-3)
    assert 2 / most == pytest.approx(0.0408332, abs=5e-8)
    assert float(losses.rosenbrock()([-1.2, 1.0])) == pytest.approx(24.2, rel=1e-14)
    assert float(losses.beale()([1.0, 1.0])) == 14.203125


def test_all_minima_of_the_wells_are_listed():
    for name, family in losses.spec.families(losses.wells, losses.saddles).items():
        loss = family()
        if not len(loss.minima()) or name in ("easom", "plateau"):
            continue
        both = jax.jit(jax.value_and_grad(loss))
        ends = [
            scipy.optimize.minimize(both, x, jac=True, method="BFGS", tol=1e-9).x
            for x in box_points(loss, 60)
        ]
        ends = [x for x in ends if np.all((loss.low < x) & (x < loss.high))]
        distances = np.linalg.norm(np.array(ends)[:, None] - loss.minima(), axis=-1)
        assert distances.min(axis=1).max() < 1e-5, name
        assert set(distances.argmin(axis=1)) == set(range(len(loss.minima()))), name


def test_quadratic_has_its_condition_number():
    loss = losses.quadratic(condition_number=50.0, dimension=4)
    np.testing.assert_allclose(curvatures(loss, np.zeros(4)), np.geomspace(1, 50, 4), rtol=1e-13)
    assert float(losses.quadratic(dimension=1)([2.0])) == 2.0


def test_minima_follow_parameters():
    np.testing.assert_array_equal(losses.rosenbrock(a=2.0).minima(), [[2, 4]])
    assert losses.rosenbrock(a=2.0, dimension=3).minima().shape == (0, 3)
    assert losses.rosenbrock(a=2.0, dimension=3).minimum() is None
    assert losses.rosenbrock(dimension=4).minimum() == 0
    swept = losses.scalar_factorisation(y=[1.0, 4.0])
    np.testing.assert_array_equal(swept.minima(y=4.0), [[2, 2], [-2, -2]])
    np.testing.assert_array_equal(losses.scalar_factorisation(y=0.0).minima(), [[0, 0]])


def test_ackley_at_its_minimum():
    loss = losses.ackley(dimension=3)
    value, slope = jax.jit(jax.value_and_grad(loss))(jnp.zeros(3))
    assert value == 0 and not np.any(slope)
    tiny = jnp.full(3, 1e-5, "float32")
    exact = float(jax.jit(loss)(tiny.astype("float64")))
    assert float(jax.jit(loss)(tiny)) == pytest.approx(exact, rel=1e-6)


def test_sweeps_are_kept_apart():
    loss = losses.rosenbrock(b=[1, 10, 100], a=2)
    np.testing.assert_array_equal(loss.swept["b"], [1.0, 10.0, 100.0])
    assert loss.parameters == {"a": 2.0} and type(loss.parameters["a"]) is float
    assert float(loss([2.0, 5.0], b=10.0)) == 10
    with pytest.raises(SpecError, match="b: rosenbrock compares several values"):
        loss([2.0, 5.0])
    with pytest.raises(SpecError, match="compares several"):
        loss.minima()


def test_points_of_wrong_shape_are_told():
    with pytest.raises(SpecError, match=r"one point of shape \(2,\), not \(5, 2\).*vmap"):
        losses.beale()(jnp.zeros((5, 2)))
    with pytest.raises(SpecError, match=r"shape \(1,\), not \(\)"):
        losses.double_well()(1.0)
    assert float(losses.beale()([3, 0])) == float(losses.beale()([3.0, 0.0]))


BAD = [
    ({"c": 1.0}, {"c": "rosenbrock has no parameter 'c'; allowed: a, b, dimension"}),
    ({"dimensoin": 3},
     {"dimensoin": "rosenbrock has no parameter 'dimensoin'; did you mean 'dimension'?"}),
    ({"a": "1", "b": True}, {"a": "must be a number or an array of numbers, not '1'",
                             "b": "must be a number or an array of numbers, not True"}),
    ({"a": float("nan")}, {"a": "must be finite, not nan"}),
    ({"a": [1.0, float("inf")]}, {"a": "must be finite"}),
    ({"a": 10**400}, {"a": "is too large a number"}),
    ({"a": []}, {"a": "is an empty list; give at least one value to compare"}),
    ({"a": [[1.0]]},
     {"a": "must be a number, or a list of numbers to compare, not of shape (1, 1)"}),
    ({"a": [[1.0], [1.0, 2.0]]}, {"a": "holds lists of different lengths"}),
    ({"dimension": 1}, {"dimension": "must be a whole number from 2 to 10000000, not 1"}),
    ({"dimension": 2.5}, {"dimension": "must be a whole number from 2 to 10000000, not 2.5"}),
    ({"dimension": "2"}, {"dimension": "must be a whole number from 2 to 10000000, not '2'"}),
    ({"dimension": float("nan")},
     {"dimension": "must be a whole number from 2 to 10000000, not nan"}),
    ({"a": 1j}, {"a": "must be a number or an array of numbers, not 1j"}),
    ({"a": None}, {"a": "must be a number or an array of numbers, not empty"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "told"), BAD, ids=lambda v: str(v)[:40])
def test_wrong_input_is_told(given, told, tmp_path):
    with pytest.raises(SpecError) as error:
        losses.rosenbrock(**given)
    assert messages(error) == told
    with pytest.raises(SpecError) as error:
        losses.from_spec({"name": "rosenbrock", **given}, tmp_path)
    assert messages(error) == told


@pytest.mark.parametrize(("spec", "key", "told"), [
    ({"name": "rosenbrok"}, "name", "unknown loss 'rosenbrok'; did you mean 'rosenbrock'?"),
    ({"nmae": "beale"}, "nmae", "unknown key; did you mean 'name'?"),
    ({}, "name", "missing: give the loss's 'name', or a 'formula'"),
    ({"name": "beale", "formula": "x"}, "formula", "give either 'name' or 'formula', not both"),
    ({"name": 3}, "name", "must be a text, not 3"),
    ({"name": "beale", "dimension": 3}, "dimension", "beale has dimension 2, not 3"),
    ({"name": "beale", "a": 3}, "a", "beale has no parameter 'a'; it takes none"),
    ({"name": "quadratic", "condition_number": [4.0, -1.0]}, "condition_number",
     "must be above 0, not -1.0"),
])  # fmt: skip
def test_wrong_tables_are_told(spec, key, told, tmp_path):
    with pytest.raises(SpecError) as error:
        losses.from_spec(spec, tmp_path)
    assert messages(error) == {key: told}


FILE = '''
import jax.numpy as jnp
from helper import scale
from lab.losses import surface, rosenbrock

def valley(x, a=1.0, weights={"w": jnp.ones(3)}, *, step=0, mode="plain"):
    """f(x) = a x_0^2 + sum w."""
    return a * scale * x[0] ** 2 + jnp.sum(weights["w"]) + 0 * step

def noisy(x, *, key):
    return jnp.sum(x) + 0 * jnp.asarray(key is None, x.dtype)

def vector(x): return x
def integer(x): return 3
def pair(x): return x[0], x[1]
def needy(x, data): return x[0] * data
def broken(x): return x[0] * undefined
def pointless(): return 0.0
number = 3.0

@surface(low=[-1, -1], high=[1, 1], minima=[[0, 0]], minimum=0.0, source="Me 2020")
def bowl(x, a=2.0):
    """f(x, y) = a (x^2 + y^2)."""
    return a * jnp.sum(x**2)

steep = rosenbrock(b=1000.0)
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    (tmp_path / "helper.py").write_text("scale = 2.0\n")
    (tmp_path / "typo.py").write_text("a = 1\ndef f(x)\n    return x\n")
    (tmp_path / "raises.py").write_text("a = 1\n\nb = a / 0\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    return tmp_path


def test_functions_of_a_file(folder):
    valley = losses.from_spec({"name": "mine.py:valley", "a": np.array([1.0, 2.0])}, folder)
    assert valley.name == "valley" and valley.dimension is None and valley.takes_step
    assert valley.formula == "f(x) = a x_0^2 + sum w" and set(valley.parameters) == {"weights"}
    assert float(valley(jnp.array([3.0]), a=1.0, step=5)) == 21.0
    assert valley.minima().shape == (0, 0) and valley.minimum() is None
    again = losses.from_spec({"name": "mine.py:valley", "a": 1.0}, folder)
    assert again.function is valley.function
    tree = losses.from_spec({"name": "mine.py:valley", "weights": {"w": [0.0, 0, 0]}}, folder)
    assert float(tree(jnp.array([1.0]))) == 2.0 and not tree.swept
    swept = losses.from_spec({"name": "mine.py:valley", "weights": {"w": np.ones((4, 3))}}, folder)
    assert set(swept.swept) == {"weights"}
    assert losses.from_spec({"name": "mine.py:noisy", "dimension": 3}, folder).takes_key
    bowl = losses.from_spec({"name": "mine.py:bowl", "a": 3.0}, folder)
    assert bowl.dimension == 2 and float(bowl([1.0, 1.0])) == 6 and bowl.source == "Me 2020"
    steep = losses.from_spec({"name": "mine.py:steep", "a": [0.0, 1.0]}, folder)
    assert steep.parameters == {"b": 1000.0} and set(steep.swept) == {"a"}
    assert losses.from_spec({"name": "mine.py:needy", "data": 2.0}, folder).parameters == {
        "data": 2.0
    }


@pytest.mark.parametrize(("spec", "key", "told"), [
    ({"name": "mime.py:valley"}, "name", "there is no file 'mime.py' in .*did you mean 'mine.py'"),
    ({"name": "mine.py:vally"}, "name", "mine.py has no 'vally'; did you mean 'valley'?"),
    ({"name": "mine.py"}, "name", "names no function; write 'mine.py:NAME'; allowed: .*valley"),
    ({"name": "mine.py:number"}, "name", "a loss is a function of one point, not 3.0"),
    ({"name": "mine.py:pointless"}, "name", "pointless takes no point: a loss is a function"),
    ({"name": "mine.py:needy"}, "data", "needy needs a value for 'data'"),
    ({"name": "mine.py:valley", "b": 1.0}, "b", "valley has no parameter 'b'; allowed: a, weights"),
    ({"name": "mine.py:valley", "mode": "fast"}, "mode", "valley has no parameter 'mode'"),
    ({"name": "mine.py:valley", "weights": 1.0}, "weights", "must have the structure"),
    ({"name": "mine.py:valley", "weights": {"w": np.ones((2, 2, 3))}}, "weights",
     "must have shape"),
    ({"name": "mine.py:vector", "dimension": 2}, "name", r"vector returns float64 of shape \(2,\)"),
    ({"name": "mine.py:integer", "dimension": 2}, "name", "integer returns int"),
    ({"name": "mine.py:pair", "dimension": 2}, "name", "pair returns a tuple; a loss returns one"),
    ({"name": "mine.py:broken", "dimension": 2}, "name", "NameError: name 'undefined'"),
    ({"name": "mine.py:valley", "dimension": 0}, "dimension", "must be a whole number from 1"),
    ({"name": "mine.py:steep", "dimension": 3}, "dimension", "rosenbrock has dimension 2, not 3"),
    ({"name": "typo.py:f"}, "name", "typo.py:2: cannot be read as Python"),
    ({"name": "raises.py:f"}, "name", "raises.py:3: fails on import with ZeroDivisionError"),
    ({"name": "leaves.py:f"}, "name", "leaves.py:2: fails on import with SystemExit"),
], ids=lambda v: str(v)[:40])  # fmt: skip
def test_faults_of_a_file(spec, key, told, folder):
    with pytest.raises(SpecError) as error:
        losses.from_spec(spec, folder)
    (fault,) = error.value.faults
    assert fault.path == (key,)
    assert re.search(told.replace("?", r"\?"), fault.message)


def test_helpers_of_two_folders_do_not_mix(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "mine.py").write_text(FILE)
    (other / "helper.py").write_text("scale = 5.0\n")
    values = [
        float(losses.from_spec({"name": "mine.py:valley"}, place)(jnp.ones(1)))
        for place in (folder, other)
    ]
    assert values == [5.0, 8.0]


def test_plain_functions_are_losses():
    loss = losses.as_loss(lambda x, a=2.0, n=3: a * x[0] ** n)
    assert loss.parameters == {"a": 2.0, "n": 3} and loss.dimension is None and loss.low is None
    assert losses.as_loss(loss) is loss
    assert float(loss(jnp.array([2.0]))) == 16 and loss.minima().shape == (0, 0)
    assert losses.as_loss(losses.beale).name == "beale"
    assert float(losses.as_loss(jnp.sum)(jnp.ones(3))) == 3
    with pytest.raises(SpecError, match="a loss is a function"):
        losses.as_loss(3)


def test_losses_of_trees_keep_their_dtype():
    def line(p, data):
        return jnp.sum((p["w"] * data + p["b"]) ** 2)

    loss = losses.as_loss(line, data=np.arange(3.0))
    point = {"w": jnp.ones(3, "float32"), "b": jnp.zeros((), "float32")}
    assert loss(point).dtype == jnp.float32 and float(loss(point)) == 5


def test_facts_that_disagree_are_refused():
    with pytest.raises(ValueError, match="low must be below high"):
        losses.surface(low=1.0, high=1.0, source="")
    with pytest.raises(ValueError, match="disagree"):
        losses.surface(low=[0.0, 0.0], high=1.0, minima=[[0.5, 0.5, 0.5]], source="")

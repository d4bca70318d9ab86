import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lab import starts
from lab.errors import SpecError


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def key():
    return jax.random.key(7)


def every(some, key):
    return jax.jit(jax.vmap(lambda i: some(i, key)))(jnp.arange(some.count, dtype=jnp.int32))


@pytest.mark.parametrize("precision", [False, True], ids=["float32", "float64"])
def test_grid_is_numpys(precision, key):
    low, high, shape = [-2.0, -1.0, 0.1], [2.0, 3.0, 0.7], [5, 4, 7]
    axes = [np.linspace(*axis) for axis in zip(low, high, shape, strict=True)]
    wanted = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    with jax.enable_x64(precision):
        some = starts.grid(low, high, shape)
        got = np.asarray(every(some, key))
    assert got.dtype == (np.float64 if precision else np.float32)
    np.testing.assert_array_equal(got, wanted.astype(got.dtype))
    assert some.shape == (5, 4, 7) and some.count == len(some) == 140 and some.dimension == 3
    np.testing.assert_array_equal([some.low, some.high], [low, high])


def test_grid_with_one_point_along_an_axis(key):
    some = starts.grid([0.0, 2.0], [1.0, 2.0], [3, 1])
    np.testing.assert_array_equal(every(some, key), [[0, 2], [0.5, 2], [1, 2]])


def test_the_largest_grid(key):
    some = starts.grid([0.0, 0.0], [1.0, 1.0], [2**16, 2**15 - 1])
    assert some.count == 2**31 - 2**16
    np.testing.assert_array_equal(some(jnp.int32(some.count - 1), key), [1, 1])
    np.testing.assert_array_equal(some[-1](jnp.int32(0), key), [1, 1])


def test_uniform_fills_its_box(float64, key):
    some = starts.uniform([-2, 1.0], [2.0, 5], 100_000)
    x = np.asarray(every(some, key))
    assert np.all((x >= some.low) & (x <= some.high)) and x.dtype == np.float64
    np.testing.assert_allclose(x.mean(axis=0), [0, 3], atol=4 * 4 / np.sqrt(12e5))
    np.testing.assert_allclose(x.var(axis=0), 16 / 12, rtol=0.02)
    assert abs(np.corrcoef(x.T)[0, 1]) < 0.015


def test_normal_has_its_moments(float64, key):
    some = starts.normal([1.0, -1.0], [0.5, 2.0], 100_000)
    x = np.asarray(every(some, key))
    np.testing.assert_allclose((x.mean(axis=0) - [1, -1]) / [0.5, 2], 0, atol=0.013)
    np.testing.assert_allclose(x.std(axis=0), [0.5, 2], rtol=0.01)
    np.testing.assert_array_equal([some.low, some.high], [[-0.5, -7], [2.5, 5]])
    same = starts.normal([1.0, -1.0], 0.5, 3)
    np.testing.assert_array_equal(same(0, key)[0], some(0, key)[0])


@pytest.mark.parametrize("some", [
    starts.uniform([-1.0, 0.0], [1.0, 2.0], 64), starts.normal([0.0, 1.0], 2, 64),
    starts.grid([-1.0, 0.0], [1.0, 2.0], [8, 8]), starts.points(np.arange(128.0).reshape(64, 2)),
    starts.uniform({"w": np.zeros((2, 3)), "b": 0.0}, {"w": np.ones((2, 3)), "b": 2.0}, 64),
], ids=["uniform", "normal", "grid", "points", "tree"])  # fmt: skip
def test_a_start_depends_on_its_index_alone(some, key):
    whole = every(some, key)
    one = jax.jit(lambda i: some(i, key))
    single = [one(jnp.int32(i)) for i in range(some.count)]
    picks = np.array([3, 20, -1, 3])
    cases = {
        "single": (np.arange(64), jax.tree.map(lambda *x: jnp.stack(x), *single)),
        "backwards": (np.arange(64)[::-1], every(some[::-1], key)),
        "twice": (np.arange(64)[10:][2:4], every(some[10:][2:4], key)),
        "list of slice": (np.arange(64)[::3][picks], every(some[::3][picks.tolist()], key)),
        "mask": (np.flatnonzero(np.arange(64) % 5 == 0), every(some[np.arange(64) % 5 == 0], key)),
    }
    for name, (indices, got) in cases.items():
        wanted = jax.tree.map(lambda leaf, i=indices: leaf[i], whole)
        jax.tree.map(lambda a, b, n=name: np.testing.assert_array_equal(a, b, n), got, wanted)
    assert some[9].count == 1 and some[9].chosen[0] == 9
    assert some[:16].count == 16 and some[:16].shape == (16,)
    assert len(list(some[:3])) == 3


def test_different_keys_give_different_starts(key):
    some = starts.uniform([0.0], [1.0], 4)
    assert not np.any(every(some, key) == every(some, jax.random.key(8)))
    assert len(np.unique(every(some, key))) == 4


def test_leaves_are_drawn_apart(key):
    some = starts.normal({"a": np.zeros(3), "b": np.zeros(3)}, 1.0, 2)
    one = some(0, key)
    assert not np.any(one["a"] == one["b"]) and some.dimension is None and some.low is None


def test_points_and_what_passes_for_them(key):
    some = starts.as_starts([[1, 2], [3, 4], [5, 0]])
    np.testing.assert_array_equal(every(some, key), [[1, 2], [3, 4], [5, 0]])
    np.testing.assert_array_equal([some.low, some.high], [[1, 0], [5, 4]])
    assert starts.as_starts(some) is some and some.dimension == 2
    assert starts.as_starts(jnp.ones((4, 3))).count == 4
    tree = starts.as_starts({"w": np.ones((4, 2, 2)), "b": np.arange(4.0)})
    assert tree.count == 4 and float(tree(3, key)["b"]) == 3
    with pytest.raises(IndexError):
        some[3]
    with pytest.raises(IndexError):
        some[[0.5]]


GRID = {"low": [0.0, 0.0], "high": [1.0, 1.0], "shape": [2, 2]}
UNIFORM = {"low": [0.0, 0.0], "high": [1.0, 1.0], "count": 2}
NORMAL = {"mean": [0.0, 0.0], "std": 1.0, "count": 2}


@pytest.mark.parametrize(("spec", "count"), [
    ({"grid": {**GRID, "shape": np.array([2.0, 3.0])}}, 6),
    ({"uniform": {**UNIFORM, "count": 1e6}}, 10**6),
    ({"uniform": {**UNIFORM, "count": 2**31 - 1}}, 2**31 - 1),
    ({"normal": NORMAL}, 2),
    ({"points": [[-1.2, 1.0]]}, 1),
], ids=lambda v: str(v)[:30])  # fmt: skip
def test_tables(spec, count):
    assert starts.from_spec(spec).count == count


WHOLE = "must be a whole number from 1 to 2147483647, not "
NUMBERS = "must be a list of numbers, one for each dimension"
ONE = "give exactly one of grid, uniform, normal, points; "
BAD = [
    ({}, {"": ONE + "found none"}),
    ({"grid": GRID, "normal": NORMAL}, {"": ONE + "found grid and normal"}),
    ({"gird": GRID}, {"gird": "unknown key; did you mean 'grid'?"}),
    ({"grid": GRID, "cuont": 3}, {"cuont": "unknown key; allowed: grid, normal, points, uniform"}),
    ({"grid": 3}, {"grid": "must be a table of low, high, shape, not 3"}),
    ({"grid": {"low": [0.0]}}, {"grid.high": "missing", "grid.shape": "missing"}),
    ({"grid": {**GRID, "shpae": 3}}, {"grid.shpae": "unknown key; did you mean 'shape'?"}),
    ({"grid": {**GRID, "low": [0.0]}},
     {"grid.low": "the lengths differ: low has 1, high has 2, shape has 2"}),
    ({"grid": {**GRID, "low": [0.0, 1.0]}},
     {"grid.low": "must be below high (1 and 1 along axis 1)"}),
    ({"grid": {**GRID, "shape": [2, 1]}},
     {"grid.shape": "has one point along axis 1; set low equal to high there"}),
    ({"grid": {**GRID, "shape": [2, 0]}}, {"grid.shape": WHOLE + "0"}),
    ({"grid": {**GRID, "shape": 3}}, {"grid.shape": "must be a list of whole numbers, not 3"}),
    ({"grid": {**GRID, "shape": [[2], [2, 3]]}}, {"grid.shape": WHOLE + "[2]"}),
    ({"grid": {**GRID, "shape": [65536, 32768]}},
     {"grid.shape": "makes 2147483648 points; at most 2147483647 are allowed"}),
    ({"grid": {**GRID, "low": 1.0, "shape": [2, 2.5]}},
     {"grid.low": NUMBERS, "grid.shape": WHOLE + "2.5"}),
    ({"grid": {**GRID, "low": []}}, {"grid.low": NUMBERS}),
    ({"uniform": {**UNIFORM, "count": 0}}, {"uniform.count": WHOLE + "0"}),
    ({"uniform": {**UNIFORM, "count": -5}}, {"uniform.count": WHOLE + "-5"}),
    ({"uniform": {**UNIFORM, "count": 2**31}}, {"uniform.count": WHOLE + "2147483648"}),
    ({"uniform": {**UNIFORM, "count": "9"}}, {"uniform.count": WHOLE + "'9'"}),
    ({"uniform": {**UNIFORM, "count": True}}, {"uniform.count": WHOLE + "True"}),
    ({"uniform": {**UNIFORM, "high": [1.0, 0.0]}},
     {"uniform.low": "must be below high in every coordinate"}),
    ({"uniform": {**UNIFORM, "high": [1.0]}},
     {"uniform.low": "the shapes differ: low (2,), high (1,)"}),
    ({"uniform": {**UNIFORM, "high": [1.0, float("nan")]}}, {"uniform.high": "must be finite"}),
    ({"uniform": {**UNIFORM, "high": [1.0, "a"]}},
     {"uniform.high": "must be a number or an array of numbers, not 'a'"}),
    ({"normal": {**NORMAL, "std": 0.0}}, {"normal.std": "must be above 0"}),
    ({"normal": {**NORMAL, "std": [1.0, -1.0]}}, {"normal.std": "must be above 0"}),
    ({"normal": {**NORMAL, "std": float("inf")}}, {"normal.std": "must be finite"}),
    ({"normal": {**NORMAL, "std": "wide"}},
     {"normal.std": "must be a number or an array of numbers, not 'wide'"}),
    ({"normal": {**NORMAL, "std": [1.0]}},
     {"normal.mean": "the shapes differ: mean (2,), std (1,)"}),
    ({"points": [[1.0, 2.0], [3.0]]}, {"points": "holds lists of different lengths"}),
    ({"points": [1.0, 2.0]}, {"points": "must be a list of points, such as [[-1.2, 1.0]]"}),
    ({"points": [[]]}, {"points": NUMBERS}),
    ({"points": [[1.0, float("inf")]]}, {"points": "must be finite"}),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "told"), BAD, ids=lambda v: str(v)[:50])
def test_wrong_tables_are_told(spec, told):
    with pytest.raises(SpecError) as error:
        starts.from_spec(spec)
    assert {".".join(map(str, f.path)): f.message for f in error.value.faults} == told

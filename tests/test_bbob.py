"""The bbob suite against COCO's own code: a frozen share always, all of it with `-m coco`."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import bbob as oracle

import lab.losses as losses
from lab.errors import SpecError
from lab.losses import bbob
from lab.losses.bbob import FUNCTIONS

ROWS = json.loads((Path(__file__).parent / "oracles" / "bbob.json").read_text())["rows"]
RUGGED = (7, 23)  # no slope but between steps; slopes of 2^32 scales

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")
each_function = pytest.mark.parametrize("function", FUNCTIONS)


def assert_equal(loss, x, wanted):
    """To 1e-10 of f - f_opt, which is what COCO measures by.

    Of f itself no code could hold that: f_opt is added last, down to -1000, and where the sum nears
    0 it keeps none of the digits that it had. (Griewank-Rosenbrock, f19, is 7e-10 of f away there
    and 4e-12 of f - f_opt.)
    """
    got, wanted = np.asarray(x), np.asarray(wanted)
    assert np.max(np.abs(got - wanted) / np.abs(wanted - loss.minimum())) <= 1e-10


@pytest.mark.parametrize(
    "row", ROWS, ids=[f"f{r['function']}-{r['dimension']}d-i{r['instance']}" for r in ROWS]
)
def test_frozen_values_of_coco_and_ioh(row):
    loss = bbob(row["function"], row["dimension"], row["instance"])
    x = oracle.points(len(row["values"]), row["dimension"])
    found = jax.jit(jax.vmap(loss))(x)
    assert_equal(loss, found, row["values"])
    assert_equal(loss, found, row["ioh"])


@pytest.mark.coco
@pytest.mark.parametrize("dimension", [2, 3, 5, 10, 20, 40])
@each_function
def test_all_values_of_coco(function, dimension):
    x = oracle.points(100, dimension)
    for instance in range(1, 16):
        loss = bbob(function, dimension, instance)
        wanted = oracle.values(function, dimension, instance, len(x))
        assert_equal(loss, jax.vmap(loss)(x), wanted)


@each_function
def test_the_optimum_is_the_lowest(function):
    loss = bbob(function, dimension=5, instance=3)
    look = jax.jit(jax.vmap(jax.value_and_grad(loss)))
    (best,) = loss.minima()
    x = np.random.default_rng(0).uniform(-5, 5, (2000, 5))
    x[0], x[1:1000] = best, best + (x[1:1000] - best) * 1e-3
    values, slopes = look(x)
    assert values[0] == pytest.approx(loss.minimum(), abs=1e-12)
    assert np.all(np.isfinite(values)) and np.all(np.isfinite(slopes))
    inside = np.all(np.abs(x) <= 5, axis=1)
    assert np.all(values[inside] >= loss.minimum() - 1e-10)
    if not loss.kinks:
        assert np.abs(slopes[0]).max() < 1e-7


@pytest.mark.parametrize(
    "row", [r for r in ROWS if "slopes" in r and r["function"] not in RUGGED],
    ids=lambda row: f"f{row['function']}",
)  # fmt: skip
def test_gradient_equals_central_differences_of_coco(row):
    loss, wanted = bbob(row["function"], row["dimension"], row["instance"]), np.array(row["slopes"])
    slopes = jax.jit(jax.vmap(jax.grad(loss)))(0.9 * oracle.points(*wanted.shape))
    scale = np.abs(slopes).max(axis=1, keepdims=True)
    assert np.all(np.abs(slopes - wanted) <= 1e-4 * scale + 1e-6)


@each_function
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_dtype_of_the_point_is_kept(function, dtype):
    x = jax.ShapeDtypeStruct((3,), dtype)
    value, slope = jax.eval_shape(jax.value_and_grad(bbob(function, 3)), x)
    assert value.dtype == slope.dtype == jnp.dtype(dtype)


def test_the_same_numbers_make_the_same_loss():
    assert bbob(3, 4, 5) is bbob(3, dimension=4, instance=5)
    table = {"name": "bbob", "function": 3, "dimension": 4, "instance": 5}
    assert losses.from_spec(table, Path()) is bbob(3, 4, 5)
    assert bbob(3).dimension == 2 and "n" in bbob(3).formula


@pytest.mark.parametrize(("table", "key", "told"), [
    ({}, "name", "bbob needs a 'function', a whole number from 1 to 24"),
    ({"function": 25}, "function", "must be a whole number from 1 to 24, not 25"),
    ({"function": [1, 2]}, "function", r"must be a whole number from 1 to 24, not \[1, 2\]"),
    ({"function": 1, "dimension": 1}, "dimension", "must be a whole number from 2 to 10000000"),
    ({"function": 1, "instanc": 1}, "instanc", "bbob has no parameter .*did you mean 'instance'"),
])  # fmt: skip
def test_wrong_tables_are_told(table, key, told):
    with pytest.raises(SpecError, match=told) as error:
        losses.from_spec({"name": "bbob", **table}, Path())
    assert [fault.path for fault in error.value.faults] == [(key,)]

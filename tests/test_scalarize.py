"""Functions in scalars against themselves, traced whole; and what cannot be taken apart."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lab.scalarize import Leaf, NotScalar, scalarize

LANES = 7

pytestmark = pytest.mark.usefixtures("quick_compiles")


@jax.custom_jvp
def cube(x):
    return x**3


cube.defjvp(lambda primals, tangents: (cube(primals[0]), 3 * primals[0] ** 2 * tangents[0]))

TABLE = np.random.default_rng(0).normal(size=(4, 3))
TABLES = [TABLE[0], TABLE[1], np.array([5, -7, 9]), np.array([True, False, True])]


def place(x):
    """An index that is computed."""
    return (5 * x[0]).astype(int) % 3


FUNCTIONS = {
    "slices": lambda x: x[1:] * x[:-1] + x[::2].sum() - x[-1],
    "index": lambda x: x[2] ** 2 - x[0],
    "matrix": lambda x: (x.reshape(2, 3) @ x.reshape(3, 2)).T,
    "batched dot": lambda x: jnp.einsum("bi,bj->bij", x.reshape(2, 3), x.reshape(2, 3)),
    "reductions": lambda x: jnp.stack([x.sum(), x.prod(), x.max(), x.min()]),
    "means of axes": lambda x: x.reshape(2, 3).mean(axis=0) - x.reshape(2, 3).max(axis=1).sum(),
    "truth": lambda x: jnp.any(x > 0) & jnp.all(x < 3) | ~jnp.isfinite(x[0]),
    "concatenate": lambda x: jnp.concatenate([x[3:], x[:2], jnp.ones(2)]),
    "stack": lambda x: jnp.stack([x, 2 * x], axis=1),
    "pad": lambda x: lax.pad(x, 9.0, ((1, 2, 1),)),
    "negative pad": lambda x: lax.pad(x, 9.0, ((-1, -2, 0),)),
    "unpacked": lambda x: sum(row.sum() * row for row in x.reshape(3, 2)) + sum(y * y for y in x),
    "reverse": lambda x: x[::-1].reshape(3, 2)[:, ::-1],
    "broadcast": lambda x: x[:, None] * jnp.arange(3.0)[None, :],
    "gather": lambda x: x[jnp.array([3, 0, 0, 5])],
    "gather outside": lambda x: x.at[jnp.array([1, 9])].get(mode="fill", fill_value=-1.0),
    "scatter": lambda x: x.at[jnp.array([1, 4])].set(7.0),
    "scatter-add": lambda x: jnp.zeros(4).at[jnp.array([1, 1, 3, 0, 1, 2])].add(x),
    "gradient of a gather": jax.grad(lambda x: (x[jnp.array([2, 2, 5])] ** 3).sum()),
    "looked up": lambda x: lax.dynamic_slice(
        jnp.asarray(TABLE, x.dtype), ((5 * x[0]).astype(int), jnp.array(1)), (2, 2)
    ),
    "two tables": lambda x: [jnp.asarray(table)[place(x)] for table in TABLES],
    "a small index": lambda x: jnp.arange(300)[(100 * x).astype(jnp.int8)[0]],
    "update slice": lambda x: lax.dynamic_update_slice(x, x[:2] * 2, (3,)),
    "running": lambda x: jnp.stack([jnp.cumsum(x), lax.cummax(x), lax.cumprod(x, reverse=True)]),
    "argmax": lambda x: jnp.array([jnp.argmax(x), jnp.argmin(x)]),
    "argmax of a tie and a NaN": lambda x: jnp.argmax(jnp.array([1.0, 3.0, 3.0, 2.0]) * x[0] / x[0])
    + jnp.argmax(jnp.where(jnp.arange(6) == 4, jnp.nan, x)),
    "sort": lambda x: jnp.sort(x),
    "median": lambda x: jnp.median(x),
    "norm": lambda x: jnp.linalg.norm(x),
    "cond": lambda x: lax.cond(x[0] > 0, lambda x: x * 2, lambda x: -x, x),
    "switch": lambda x: lax.switch(
        (3 * x[0]).astype(int), [jnp.sin, jnp.cos, lambda x: x**2], x
    ),
    "scan": lambda x: lax.scan(lambda c, y: (c * 0.5 + y, c), x[0], x),
    "scan backwards": lambda x: lax.scan(lambda c, y: (c - y, c * y), 0.0, x, reverse=True),
    "fixed loop": lambda x: lax.fori_loop(0, 4, lambda i, y: y * 0.5 + i, x),
    "custom derivative": jax.grad(lambda x: cube(x).sum()),
    "second derivative": lambda x: jax.hessian(lambda y: (y[0] * y[1] ** 2) + (y**3).sum())(x),
    "where": lambda x: jnp.where(x > 0, x, jnp.expm1(x)),
    "clip": lambda x: jnp.clip(x, -0.5, 0.5),
    "whole numbers": lambda x: (10 * x).astype(int) // 3 + (10 * x).astype(int) % 4,
    "remainder": lambda x: jnp.mod(x, 0.7),
    "bits": lambda x: lax.bitcast_convert_type(x, jnp.int32 if x.dtype == "f4" else jnp.int64),
}  # fmt: skip


def on_rows(function, x):
    """The function in scalars, on rows of lanes; each leaf with a leading axis of lanes."""
    straight = scalarize(function, jax.typeof(x[0]))
    rows = [row for leaf in straight.inputs for row in leaf.rows(x)]
    results = straight(*rows)
    leaves = []
    for leaf in map(Leaf.like, jax.tree.leaves(jax.eval_shape(function, jax.typeof(x[0])))):
        leaves.append(leaf.whole(results[: leaf.size], len(x)))
        results = results[leaf.size :]
    return leaves


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).normal(size=(LANES, 6))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_function_in_scalars_is_the_function(name, dtype, points):
    with jax.enable_x64(dtype == "float64"):
        x = jnp.asarray(points, dtype)
        expected = jax.tree.leaves(jax.jit(jax.vmap(FUNCTIONS[name]))(x))
        found = jax.jit(partial(on_rows, FUNCTIONS[name]))(x)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == other.dtype and one.shape == other.shape
            close = 30 * float(jnp.finfo(dtype).eps)
            np.testing.assert_allclose(one, other, rtol=close, atol=close)


def draws(key, x):
    key = jax.random.fold_in(key, 3)
    one, two = jax.random.split(key)
    shuffled = jax.random.bits(one, (3,), "uint32")
    return (
        jax.random.uniform(one, (2, 2), minval=-1.0) + x[0],
        jax.random.normal(two, (3,)),
        jax.random.bernoulli(one, 0.3, (4,)),
        shuffled,
        jax.random.key_data(two),
        jax.random.fold_in(two, shuffled[0]),
    )


@pytest.mark.parametrize("x64", [False, True])
def test_random_numbers_are_jaxs_own(x64):
    """Threefry and the streams drawn from it, bit for bit where they are bits."""
    with jax.enable_x64(x64):
        keys = jax.random.split(jax.random.key(1), LANES)
        x = jnp.arange(LANES, dtype=float)[:, None]
        expected = jax.vmap(draws)(keys, x)
        straight = scalarize(draws, jax.typeof(keys[0]), jax.typeof(x[0]))
        values = [row for leaf, array in zip(straight.inputs, (keys, x), strict=True)
                  for row in leaf.rows(array)]  # fmt: skip
        results = straight(*values)
        for other in expected:
            leaf = Leaf.like(jax.typeof(other[0]))
            one = leaf.whole(results[: leaf.size], LANES)
            results = results[leaf.size :]
            if leaf.key:
                one, other = jax.random.key_data(one), jax.random.key_data(other)
            np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda x: lax.while_loop(lambda y: y[0] < 9, lambda y: y * 2, x), "loop whose length"),
        (lambda x: x[jnp.argmax(x)], "an index that is computed"),
        (lambda x: jnp.linalg.eigvalsh(jnp.outer(x, x)), "the primitive"),
        (lambda x: lax.fori_loop(0, 10_000, lambda i, y: y * 0.5, x), "inner loop of 10000 steps"),
        (lambda x: jnp.argsort(x), "a sort of several arrays"),
    ],
)
def test_what_cannot_be_taken_apart_is_named(function, told):
    with pytest.raises(NotScalar, match=told):
        scalarize(function, jnp.ones(3))


def test_what_is_computed_twice_or_for_nothing_is_left_out():
    def wasteful(x):
        unused = jnp.exp(x).sum()
        y = x[0] * 1.0 + 0.0
        return jnp.stack([y * y + x[1], y * y + x[1], 2.0 * (4.0 * x[1]), unused * 0 + 1.0][:3])

    equations = scalarize(wasteful, jnp.ones(2)).jaxpr.eqns
    assert sorted(e.primitive.name for e in equations) == ["add", "mul", "mul"]
    (product,) = [e for e in equations if e.invars[0] is not e.invars[1] and "mul" in str(e)]
    assert [float(a.val) for a in product.invars if hasattr(a, "val")] == [8.0]


@pytest.mark.parametrize("factors", [(3.0, 0.1), (0.2, 0.3)])
def test_products_are_put_together_only_where_that_is_exact(factors):
    """3 (0.1 x) is not 0.3 x to the last bit."""
    a, b = factors
    straight = scalarize(lambda x: a * (b * x), jnp.float32(1))
    assert len(straight.jaxpr.eqns) == 2


def test_leaves_know_their_rows():
    keys = jax.random.split(jax.random.key(0), 4)
    leaf = Leaf.like(jax.typeof(keys[0]))
    assert (leaf.size, leaf.key, len(leaf.rows(keys))) == (2, True, 2)
    back = leaf.whole(leaf.rows(keys), 4)
    np.testing.assert_array_equal(jax.random.key_data(back), jax.random.key_data(keys))
    empty = Leaf.like(jnp.zeros((0, 3)))
    assert empty.whole([], 5).shape == (5, 0, 3)

"""The kernels: each instruction against XLA's, whole loops against the same loops in rows."""

from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise, product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lab.backends import rows
from lab.backends.scalars import back, of_one, one_step, rows_of
from lab.kernels import cpu, gpu
from lab.kernels.cpu import building
from lab.kernels.cpu.distributing import distributed
from lab.kernels.loop import loop_of
from lab.kernels.regrouping import regrouped
from lab.scalarize import scalarize

RUNS = {"cpu": cpu.run, "gpu": partial(gpu.run, interpret=True)}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.5, 1e-3, -7.25, 1e30, -1e30, np.inf, -np.inf, np.nan]

FLOATS = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "rem": lax.rem,
    "max": jnp.maximum,
    "min": jnp.minimum,
    "max of sizes": lambda x, y: jnp.maximum(jnp.abs(x), jnp.abs(y)),
    "max of scaled sizes": lambda x, y: jnp.maximum(3.0 * jnp.abs(x), jnp.abs(y) * 0.5),
    "compare": lambda x, y: jnp.stack([x == y, x != y, x < y, x <= y, x > y, x >= y]),
    "select": lambda x, y: jnp.where((x < y) | jnp.isnan(y), x, y),
    "clamp": lambda x, y: lax.clamp(-1.0, x, jnp.ones_like(y)),
    "neg, abs, sign": lambda x, y: jnp.stack([-x, jnp.abs(x), jnp.sign(y)]),
    "floor, ceil": lambda x, y: jnp.stack([jnp.floor(x), jnp.ceil(y)]),
    "rounds": lambda x, y: jnp.stack(
        [jnp.round(x), lax.round(y, lax.RoundingMethod.AWAY_FROM_ZERO)]
    ),
    "is finite": lambda x, y: jnp.isfinite(x) & ~jnp.isinf(y),
    "powers": lambda x, y: jnp.stack([x**2, x**3, x**0, x**5, jnp.square(y)]),
    "inverse powers": lambda x, y: x**-2,
    "root": lambda x, y: jnp.sqrt(x),
    "whole": lambda x, y: jnp.stack([x.astype(jnp.int32), y.astype(jnp.int32)]),
    "natural": lambda x, y: jnp.abs(x).astype(jnp.uint32),
    "truth": lambda x, y: x.astype(bool) ^ y.astype(bool),
    "same for all": lambda x, y: jnp.stack([x / 3.0, y * 2.0 - 1.0]),
}

WHOLES = {
    "arithmetic": lambda i, j: jnp.stack([i + j, i - j, i * j]),
    "quotients": lambda i, j: jnp.stack([lax.div(i, j), lax.rem(i, j), i // 7, i % 7]),
    "bits": lambda i, j: jnp.stack([i & j, i | j, i ^ j, ~i]),
    "shifts": lambda i, j: jnp.stack([
        lax.shift_left(i, j), lax.shift_right_logical(i, j), lax.shift_right_arithmetic(i, j)
    ]),
    "order": lambda i, j: jnp.stack([jnp.maximum(i, j), jnp.minimum(i, j), abs(i), jnp.sign(j)]),
    "compare": lambda i, j: jnp.stack([i == j, i < j, i >= j]),
    "as floats": lambda i, j: jnp.stack([i.astype(jnp.float32), j.astype(jnp.float32)]),
    "narrow and wide": lambda i, j: i.astype(jnp.int8).astype(jnp.int32) + j.astype(jnp.uint8),
    "truth": lambda i, j: (i > 0).astype(jnp.int32) + (j != 0),
}  # fmt: skip


def both(function, *arrays):
    """What the CPU's kernel makes of arrays [lane], and what XLA does."""
    given = tuple(map(jnp.asarray, arrays))
    one = lambda shared, values: function(*values)  # noqa: E731

    @jax.jit
    def in_kernel(given):
        rows = rows_of(given)
        loop, result = one_step(one, (), of_one(given), [True] * len(rows))
        return back(cpu.once(loop, [], rows), result, len(rows[0]))

    return np.asarray(in_kernel(given)), np.asarray(jax.jit(jax.vmap(function))(*given))


def assert_ulps(found, expected, ulps):
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    finite = np.isfinite(expected) & (np.abs(expected) < 2.0**100)
    np.testing.assert_array_equal(found[np.isinf(expected)], expected[np.isinf(expected)])
    distance = np.abs(found[finite].astype(np.float64) - expected[finite])
    assert np.all(distance <= ulps * np.spacing(np.abs(expected[finite])))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FLOATS)
def test_floats(name, dtype):
    """Within two ulps (quotients and roots in float32), special values exactly."""
    special = np.array(list(product(SPECIAL, SPECIAL)))
    usual = np.random.default_rng(0).normal(size=(1000, 2)) * 10
    x, y = np.concatenate([special, usual]).astype(dtype).T
    with jax.enable_x64(dtype == "float64"):
        found, expected = both(FLOATS[name], x, y)
    if found.dtype.kind == "f":
        assert_ulps(found, expected, 2 if dtype == "float32" else 1)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64"])
@pytest.mark.parametrize("name", WHOLES)
def test_whole_numbers(name, dtype):
    kind = np.iinfo(dtype)
    special = [0, 1, 2, 5, 31, 32, 33, 63, 64, kind.max, kind.max - 1, kind.min, kind.min + 3]
    special += [] if dtype == "uint32" else [-1, -7]
    pairs = np.array(list(product(special, special)), dtype)
    i, j = np.concatenate([pairs, np.random.default_rng(0).integers(0, 99, (50, 2), dtype)]).T
    with jax.enable_x64(dtype == "int64"):
        found, expected = both(WHOLES[name], i, j)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("lanes", [1, 7, 64, 1000])
def test_any_number_of_lanes(lanes):
    x = np.linspace(-1, 1, lanes, dtype=np.float32)
    found, expected = both(lambda x: jnp.stack([x * 3, x > 0]), x)
    np.testing.assert_array_equal(found, expected)


def adam_like(t, shared, given, state):
    """A step with everything that a loop may hold: shared numbers, powers, truth, an outcome."""
    x, mu, count, done, seen = state
    g = shared["scale"] * x + jnp.sin(given)
    mu = jnp.where(done == 0, 0.9 * mu + 0.1 * g, mu)
    step = mu / (1 - 0.9 ** (count + 1).astype(x.dtype))
    moved = jnp.where(done == 0, x - 0.05 * step, x)
    ended = (jnp.abs(g) < 1e-3).any() | (t > given * 100)
    done = jnp.where((done == 0) & ended, t + 1, done)
    return moved, mu, count + 1, done, seen | (moved[0] > 0.5)


def run_loop(run, *ends, lanes=300, dtype="float32"):
    """The loop up to the last of these steps, in a call for each."""
    given = np.linspace(0.1, 3, lanes).astype(dtype)
    one = (jnp.zeros(2, dtype), jnp.zeros(2, dtype), jnp.int32(0), jnp.int32(0), jnp.bool_(False))
    shared = {"scale": jnp.asarray(2.0, dtype)}
    differs = ([True], [True, True, False, True, True])
    loop = loop_of(adam_like, shared, jnp.asarray(given[0]), one, differs, lambda s: s[3])
    state = [jnp.zeros(lanes, leaf.aval.dtype) if mark else jnp.zeros((), leaf.aval.dtype)
             for leaf, mark in zip(loop.variables[2], loop.state, strict=True)]  # fmt: skip
    advance = jax.jit(partial(run, loop))
    for first, until in pairwise((0, *ends)):
        state = advance(jnp.int32(first), jnp.int32(until), [shared["scale"]], [given], state)
    return state


@pytest.mark.parametrize("steps", [0, 1, 100, 1100])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", RUNS)
def test_a_loop_is_the_loop_in_rows(kernel, dtype, steps):
    """Past the segments of both kernels, with lanes that end all along."""
    with jax.enable_x64(dtype == "float64"):
        found = run_loop(RUNS[kernel], steps, dtype=dtype)
        expected = run_loop(rows.run, steps, dtype=dtype)
    eps = np.finfo(dtype).eps
    for one, other in zip(found, expected, strict=True):
        if np.asarray(one).dtype.kind == "f":
            np.testing.assert_allclose(one, other, rtol=500 * eps, atol=500 * eps)
        elif np.ndim(one):
            assert np.mean(np.asarray(one) != np.asarray(other)) <= 0.01
    if kernel == "cpu":  # rows stop when no lane is running, and the count with them
        assert [int(value) for value in found if not np.ndim(value)] == [steps]


@pytest.mark.parametrize("kernel", RUNS)
def test_chunks_change_nothing(kernel):
    whole = run_loop(RUNS[kernel], 100)
    for one, other in zip(whole, run_loop(RUNS[kernel], 7, 8, 60, 100), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_code_is_compiled_once():
    before = len(building._kept)
    run_loop(cpu.run, 3)
    kept = len(building._kept)
    jax.clear_caches()
    run_loop(cpu.run, 4)
    assert len(building._kept) == kept <= before + 1


def test_what_the_kernel_does_not_know_is_named():
    def strange(t, shared, given, state):
        return lax.nextafter(state, given)

    loop = loop_of(strange, (), jnp.float32(1), jnp.float32(0), ([True], [True]), None)
    assert "nextafter" in cpu.missing(loop)
    small = loop_of(lambda t, s, g, x: x + g, (), jnp.bfloat16(1), jnp.bfloat16(0),
                    ([True], [True]), None)  # fmt: skip
    assert "numbers of type bfloat16" in cpu.missing(small)


def counting(t, shared, given, state):
    """A lane that grows until it is too large, and notes when it passes marks; as its strides."""
    rate, (x, marks, outcome) = given, state
    grown = x * (1 + rate) + 0.25 * x * x
    passed = jnp.where((marks < 0) & (x > jnp.arange(1.0, 4.0, dtype=x.dtype)), t, marks)
    ended, running = x > 5.0, outcome == 0
    goes_on = running & ~ended
    step = (
        jnp.where(goes_on, grown, x),
        jnp.where(running, passed, marks),
        jnp.where(running, ended.astype(jnp.int32), outcome),
    )
    return step, ~(ended | jnp.any(passed != marks)), (grown, marks, outcome)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_strides_end_where_steps_do(dtype):
    """To the last bit: with strides, without, and in rows, wherever lanes end and note marks."""
    lanes = 1000
    with jax.enable_x64(dtype == "float64"):
        random = np.random.default_rng(0)
        x, rate = random.uniform(0.0, 4.0, lanes), random.uniform(-0.2, 0.1, lanes)
        x, rate = jnp.asarray(x, dtype), jnp.asarray(rate, dtype)
        state = (
            x,
            jnp.full((lanes, 3), -1, jnp.int32),
            jnp.asarray(np.arange(lanes) % 7 == 0, int),
        )
        state = (*state[:2], state[2].astype(jnp.int32))
        one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), state)
        marks = [True], [True, True, True]
        outcome = lambda state: state[2]  # noqa: E731
        strides = loop_of(counting, (), one[0], one, marks, outcome)
        steps = loop_of(lambda *a: counting(*a)[0], (), one[0], one, marks, outcome)
        assert strides.tells_strides and not steps.tells_strides
        rows_of_state = [state[0], *state[1].T, state[2]]
        bounds = jnp.int32(0), jnp.int32(700)
        found = [
            jax.jit(partial(run, loop, *bounds))([], [rate], rows_of_state)
            for run, loop in ((cpu.run, strides), (cpu.run, steps), (rows.run, steps))
        ]
        assert len(set(np.asarray(found[0][4]).tolist())) == 2  # some end, some do not
        assert len(set(np.asarray(found[0][1]).tolist())) > 10
        for with_strides, without, in_rows in zip(*found, strict=True):
            np.testing.assert_array_equal(with_strides, without)
            np.testing.assert_allclose(with_strides, in_rows, rtol=1e-3)


def test_what_is_the_same_for_all_lanes_is_multiplied_once_for_all():
    """A rate * ((m / correction) / root): a quotient and a product a lane, as numbers are exact."""

    def step(t, shared, given, state):
        rate, correction = shared
        return state - rate * (-(given / correction) / (1.0 + state * state))

    number = jax.ShapeDtypeStruct((), jnp.float64)
    with jax.enable_x64(True):
        loop = loop_of(step, (number, number), number, number, ([True], [True]), None)
        whole = regrouped(loop)
        rng = np.random.default_rng(0)
        rows = rng.uniform(0.1, 10.0, (4, 1000))
        for function in (loop.whole, whole):
            (found,) = function(np.int32(0), *map(jnp.asarray, rows))
            rate, correction, m, x = rows
            np.testing.assert_allclose(found, x + rate * m / correction / (1 + x * x), rtol=1e-14)
    of_lanes = replace(loop, whole=whole)
    names = [e.primitive.name for e in whole.jaxpr.eqns if e.outvars[0] in of_lanes.by_lane]
    assert sorted(names) == ["add", "add", "div", "mul", "mul"]


TWO_TERMS = {
    "c - x + k z x": lambda x, z: (1 - x) + (200 * z) * x,
    "x - c + x z^2": lambda x, z: x * z**2 + (x - 3),
    "x + z + k z x": lambda x, z: (z + x) + x * (3 * z),
}


def sums_without_a_product(straight):
    """How many sums cannot be taken together with a product."""
    equations = straight.jaxpr.eqns
    products = [e.outvars[0] for e in equations if e.primitive.name in ("mul", "integer_pow")]
    sums = [e for e in equations if e.primitive.name in ("add", "sub")]
    return sum(not any(atom is p for atom in e.invars for p in products) for e in sums)


@pytest.mark.parametrize("name", TWO_TERMS)
def test_a_number_is_taken_out_of_two_terms(name):
    function = TWO_TERMS[name]
    with jax.enable_x64(True):
        straight = scalarize(function, *[jax.ShapeDtypeStruct((), jnp.float64)] * 2)
        assert sums_without_a_product(straight) == 1
        assert sums_without_a_product(distributed(straight)) == 0
        x, z = np.random.default_rng(0).uniform(-10.0, 10.0, (2, 1000))
        found = np.asarray(distributed(straight)(jnp.asarray(x), jnp.asarray(z))[0])
        exact = [function(Fraction(a), Fraction(b)) for a, b in zip(x, z, strict=True)]
    terms = 3 + np.abs(x) + np.abs(z) + 200 * np.abs(x * z) + np.abs(x) * z**2
    assert np.all(np.abs(found - np.array(exact, float)) <= 2 * np.finfo(float).eps * terms)


@pytest.mark.parametrize("asked_twice", ["sum", "factor", "product", "none, but a cube"])
def test_numbers_that_are_asked_for_elsewhere_are_left_as_they_are(asked_twice):
    def function(x, z):
        one, factor = 1.0 - x, z**3 if "cube" in asked_twice else 200.0 * z
        product = factor * x
        return one + product, {"sum": one, "factor": factor, "product": product}.get(asked_twice, z)

    straight = scalarize(function, *[jax.ShapeDtypeStruct((), jnp.float32)] * 2)
    assert distributed(straight).jaxpr is straight.jaxpr

"""The tape and the dual numbers against closed forms, JAX, NumPy lanes and counts on paper."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.calculus.counting import Counter, plain
from lab.calculus.graphs import graph
from lab.calculus.perceptron import bottleneck, costs, parameters, perceptron
from lab.calculus.tape import RULES, Dual, Tape, call, cos, exp, forward, log, reverse, sin, tanh
from lab.errors import SpecError

numbers = st.floats(0.2, 3.0)


def composed(x, y):
    """Every operation, and values that are used twice."""
    a = sin(x) * y + exp(-x / y)
    b = tanh(a) - cos(x * 2.0) / (1.0 + y**2)
    return [log(b**2 + 1.5) + 2.0 - a, call("sqrt", a**2 + 1.0) * x, 3.0 / y - y**x]


def in_jax(x, y):
    a = jnp.sin(x) * y + jnp.exp(-x / y)
    b = jnp.tanh(a) - jnp.cos(x * 2.0) / (1.0 + y**2)
    return jnp.stack([jnp.log(b**2 + 1.5) + 2.0 - a, jnp.sqrt(a**2 + 1.0) * x, 3.0 / y - y**x])


@given(numbers, numbers)
def test_both_modes_are_jax(x, y):
    with jax.enable_x64(True):
        expected = np.stack(jax.jacrev(in_jax, argnums=(0, 1))(x, y), axis=1)
    np.testing.assert_allclose(reverse(composed, x, y), expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(forward(composed, x, y), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [name for name in RULES if name.isalpha()])
def test_every_rule_of_one_argument_is_a_slope(name):
    x, h = 0.7, 1e-6
    value = {"negative": lambda v: -v}.get(name, getattr(math, name, None))
    ((slope,),) = reverse(lambda v: [call(name, v)], x)
    assert slope == pytest.approx((value(x + h) - value(x - h)) / (2 * h), rel=1e-8)
    assert Dual(x, 2.0)._apply(name, Dual(x, 2.0)).tangent == pytest.approx(2 * slope)


def test_values_may_be_arrays_of_lanes():
    x, y = np.linspace(0.3, 2, 7), np.linspace(2, 0.5, 7)
    lanes = np.array(reverse(composed, x, y, library=np))
    alone = [reverse(composed, a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    np.testing.assert_allclose(np.moveaxis(lanes, 2, 0), alone, rtol=1e-13)


def test_a_constant_output_and_an_unused_input_have_no_slope():
    tape = Tape()
    x, unused = tape.variable(2.0), tape.variable(3.0)
    assert tape.adjoints(x * 0.0 + 1.0)[: unused.index + 1] == [0.0, 0.0]
    assert tape.adjoints(x)[x.index] == 1.0


def test_a_constant_base_does_not_need_a_logarithm_of_a_negative_one():
    assert reverse(lambda x: [x**3], -2.0) == [[12.0]]
    assert forward(lambda x: [x**2], 0.0) == [[0.0]]


@pytest.mark.parametrize(("n", "h", "m"), [(1, 1, 1), (5, 2, 1), (1, 3, 4), (3, 4, 2)])
def test_operations_are_counted(n, h, m):
    counter = Counter()
    rng = np.random.default_rng(0)
    x = [counter.number(v) for v in rng.normal(size=n)]
    inner, outer = (
        [[counter.number(w) for w in row] for row in rng.normal(size=shape)]
        for shape in ((h, n), (m, h))
    )

    def f(*x):
        return bottleneck(x, inner, outer, tanh)

    done = {}
    values = bottleneck(x, inner, outer, counter.tanh)
    done["function"], counter.operations = counter.operations, 0
    rows = reverse(f, *x, library=counter, number=counter.number)
    done["reverse"], counter.operations = counter.operations, 0
    columns = forward(f, *x, library=counter, number=counter.number)
    done["forward"] = counter.operations
    assert done == costs(n, h, m)
    assert len(values) == m and np.shape(rows) == np.shape(columns) == (m, n)
    flat = [[plain(v) for v in row] for row in rows]
    np.testing.assert_allclose(flat, [[plain(v) for v in row] for row in columns], rtol=1e-12)


def test_a_perceptron_is_its_matrices():
    widths, rng = (2, 3, 1), np.random.default_rng(1)
    w, x = rng.normal(size=parameters(widths)), rng.normal(size=2)
    first, second = w[:9].reshape(3, 3), w[9:]
    expected = second[0] + second[1:] @ np.tanh(first[:, 0] + first[:, 1:] @ x)
    (found,) = perceptron(w, x, widths, np.tanh)
    assert found == pytest.approx(expected, rel=1e-14)


def test_a_graph_walks_forth_and_back():
    made = graph({"p": 0, "q": 0}, {"a": "p*q", "f": "exp(a) + p"})
    walk = made.walk([0.5, 2.0], math)
    assert walk.values["f"] == math.e + 0.5 and walk.operations == 3
    assert walk.adjoints["p"] == pytest.approx(2 * math.e + 1)
    assert walk.partials == {
        ("p", "a"): 2.0, ("q", "a"): 0.5, ("a", "f"): math.e, ("p", "f"): 1.0
    }  # fmt: skip
    assert float(made.last(jnp.array([0.5, 2.0]))) == pytest.approx(walk.values["f"])


@pytest.mark.parametrize(
    ("inputs", "steps", "told"),
    [
        ({"x": 1.0}, {"f": "x + y"}, "names 'y', which is neither an input nor an earlier step"),
        ({"x": 1.0}, {"x": "x + 1"}, "it names an input already"),
        ({"sin": 1.0}, {"f": "sin + 1"}, "formulas know it already"),
        ({"x": 1.0, "y": 2.0}, {"f": "x + 1"}, "is used by no later step"),
        ({"x": 1.0}, {"f": "abs(x)"}, "the tape has no rule for abs"),
        ({"x": 1.0}, {"f": "x +"}, "cannot be read"),
        ({"x": 1.0}, {}, "at least one input and one step"),
        ({"a b": 1.0}, {"f": "1"}, "a name is made of letters"),
    ],
)
def test_what_is_no_graph(inputs, steps, told):
    with pytest.raises(SpecError, match=told):
        graph(inputs, steps)

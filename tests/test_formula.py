import math
import pickle
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

import lab.losses as losses
from lab.errors import SpecError
from lab.losses.expression import FUNCTIONS
from lab.losses.parse import DEEPEST, LONGEST, parse

pytestmark = pytest.mark.usefixtures("quick_compiles")


@pytest.fixture(autouse=True, scope="module")
def float64():
    with jax.enable_x64(True):
        yield


CATALOGUE = {
    "rosenbrock": ("(a - x)**2 + b*(y - x**2)**2", {"a": 1.5, "b": 10}),
    "himmelblau": ("(x1**2 + x2 - 11)**2 + (x1 + x2**2 - 7)**2", {}),
    "beale": ("(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2", {}),
    "rastrigin": (
        "x**2 + y**2 + amplitude*(2 - cos(2*pi*x) - cos(2*pi*y))", {"amplitude": 10.0},
    ),
    "ackley": (
        "20 + e - 20*exp(-0.2*sqrt((x**2 + y**2)/2)) - exp((cos(2*pi*x) + cos(2*pi*y))/2)", {},
    ),
    "three_wells": (
        "10 - 10/(3 + 3*(x-.5)**2 + 3*(y-.5)**2) - 2/(1 + 2*(x-3)**2 + 2*(y-1.5)**2)"
        " - 3/(1 + .5*(x-3.5)**2 + .5*(y-4)**2)", {},
    ),
    "two_gaussians": (
        "-2*exp(-((x-1)**2+y**2)/.2) - 3*exp(-((x+1)**2+y**2)/.2) + x**2 + y**2", {},
    ),
    "double_well": ("(x**2 - 1)**2/4", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CATALOGUE)
def test_formulas_of_the_catalogue(name):
    text, parameters = CATALOGUE[name]
    loss, wanted = losses.formula(text, **parameters), losses.catalogue[name](**parameters)
    assert loss.dimension == wanted.dimension
    points = np.random.default_rng(0).uniform(wanted.low, wanted.high, (20, wanted.dimension))
    for x in jnp.array(points):
        np.testing.assert_allclose(loss(x), wanted(x), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(jax.grad(loss)(x), jax.grad(wanted)(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("text", "dimension"), [
    ("x", 1), ("y", 2), ("x*z", 3), ("x1 + x2", 2), ("x1*x2*x3", 3), ("where(z > 0, z, 0)", 3),
    ("+".join(f"x{i}" for i in range(1, 13)), 12), ("  x\n + y\t", 2),
])  # fmt: skip
def test_dimension_is_what_is_named(text, dimension):
    assert losses.formula(text).dimension == dimension


def value(text, *x, **parameters):
    return float(losses.formula(text, **parameters)(jnp.array(x, float)))


@pytest.mark.parametrize(("text", "x", "wanted"), [
    ("-x**2", 3, -9), ("2**-x", 1, 0.5), ("2**3**2 + 0*x", 1, 512), ("x - 1 - 1", 5, 3),
    ("x/2/2", 8, 2), ("where(0 < x <= 1, 1, 2)", 1, 1), ("where(0 < x <= 1, 1, 2)", 0, 2),
    ("where(x < 0 or x > 1 and not x == 2, 1, 0)", 2, 0), ("where(x != 2, 1, 0)", 3, 1),
    ("where(x < 0, x, x + 1)", -2, -2), ("min(x, 3, 1)", 2, 1), ("max(x, 3)", 5, 5),
    ("e**x - exp(x)", 1, 0), ("relu(x) + relu(-x)", -3, 3), ("x**0", 0, 1), ("+x", 3, 3),
    ("x**-2", 2, 0.25), ("x**.5", 9, 3), ("1e3*x", 2, 2000), ("where(1 < 2, x, 0)", 7, 7),
])  # fmt: skip
def test_values(text, x, wanted):
    assert value(text, x) == pytest.approx(wanted, abs=1e-15)


ORACLES = {
    "sigmoid": scipy.special.expit, "erf": scipy.special.erf,
    "softplus": lambda x: np.logaddexp(x, 0), "relu": lambda x: np.maximum(x, 0),
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh,
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n, (_, _, most) in FUNCTIONS.items() if most == 1])
def test_functions_are_numpys(name):
    oracle = ORACLES.get(name) or getattr(np, name)
    x = 1.3 if name == "acosh" else 0.4
    assert value(f"{name}(x)", x) == pytest.approx(oracle(x), rel=1e-14)
    assert value(f"{name}({x}) + 0*x", 1.0) == pytest.approx(oracle(x), rel=1e-14)
    assert value("atan2(x, y)", -1.0, 2.0) == math.atan2(-1, 2)


@pytest.mark.parametrize("parameters", [{}, {"n": 2}, {"n": 2.0}], ids=str)
def test_whole_powers_have_the_right_slope(parameters):
    loss = losses.formula("x**n" if parameters else "x**2", **parameters)
    for x in (0.0, -3.0, 2.0):
        assert float(loss(jnp.array([x]))) == x * x
        assert float(jax.grad(loss)(jnp.array([x]))[0]) == 2 * x
    assert float(jax.grad(losses.formula("x**3"))(jnp.array([-2.0]))[0]) == 12
    swept = losses.formula("x**n", n=[2, 3])
    assert float(jax.grad(swept)(jnp.array([-2.0]), n=jnp.asarray(3.0))[0]) == 12


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
def test_dtype_is_kept(dtype):
    loss = losses.formula("where(x < 1, 2, 3)*a + sin(1)**2 + y**n + min(b, 1)", a=2.0, n=2, b=[1])
    x = jnp.array([0.5, 2.0], dtype)
    for b in (1.0, np.float64(1.0), jnp.float32(1.0)):
        assert loss(x, b=b).dtype == x.dtype
    assert losses.formula("where(x < 1, 2, 3)")(x[:1]).dtype == x.dtype
    assert jax.grad(loss)(x, b=1.0).dtype == x.dtype


def test_equal_formulas_compile_once_and_travel():
    one, two = (losses.formula("x**2 + a*y**2", a=a) for a in (1.0, 2.0))
    assert one.static == two.static and hash(one.static) == hash(two.static)
    assert one.static != losses.formula("x**2 - a*y**2", a=1.0).static
    assert pickle.loads(pickle.dumps(one.function)) == one.function
    assert one.formula == "x**2 + a*y**2" and one.name == "formula" and one.low is None


def faults(text, **parameters):
    with pytest.raises(SpecError) as error:
        losses.from_spec({"formula": text, **parameters}, None)
    return [str(fault) for fault in error.value.faults]


BAD = {
    "": "formula: is empty; write for example (1 - x)**2 + 100*(y - x**2)**2",
    "x^2": "formula: does not know '^' (column 2); a power is written x**2",
    "x + 2y": "formula: cannot be read: invalid decimal literal (column 5); "
    "a product is written 2*x, a power x**2",
    "sine(x)": "formula: calls 'sine', which is not a function; did you mean 'sin'? (column 1)",
    "2*(x)(y)": "formula: calls 'x', which is not a function; a product is written 2*(x + 1) "
    "(column 3)",
    "1 + np.sin(x)": "formula: calls something, which is not a function; a product is written "
    "2*(x + 1) (column 5)",
    "x.real": "formula: cannot be read: a name has no dots; write sin(x), not math.sin(x) "
    "(column 1)",
    "x + bb": "formula: holds the unknown name 'bb'; give it a value (bb = ...) or use x, y, z, "
    "x1, ..., pi, e (column 5)",
    "x1 + x3": "formula: names x3 but not x2; leave no gaps",
    "x + x2": "formula: mixes x and x2; variables are either x, y, z or x1, x2, ...",
    "2*pi": "formula: names no variable; variables are x, y, z or x1, x2, ...",
    "x < 1": "formula: has a condition where a number must stand; use where(condition, a, b) "
    "(column 1)",
    "where(x, 1, 2)": "formula: has a number where a condition such as x < 1 must stand "
    "(column 1)",
    "x if x else 2": "formula: cannot be read: a choice is written where(condition, a, b) "
    "(column 1)",
    "x // 2": "formula: cannot be read: of the operators only + - * / ** are allowed (column 1)",
    "x is 2": "formula: cannot be read: of the comparisons only < <= > >= == != are allowed "
    "(column 1)",
    "sin(x, y)": "formula: sin takes 1 argument, without names (column 1)",
    "min(x)": "formula: min takes 2 or more arguments, without names (column 1)",
    "sin(x=1)": "formula: sin takes 1 argument, without names (column 1)",
    "sin + x": "formula: names the function sin without arguments; write sin(x) (column 1)",
    "x + 1j": "formula: holds 1j, which is not a real number (column 5)",
    "x + True": "formula: holds True, which is not a real number (column 5)",
    "x + 1e999": "formula: holds a number that is too large (column 5)",
    "x + 1/0": "formula: computes inf from constants (column 5)",
    "x + 9**9**9**9": "formula: computes inf from constants (column 8)",
    "x, y": "formula: cannot be read: a comma stands only between the arguments of a function "
    "(column 1)",
    "   x +\n é**2 + s.t": "formula: cannot be read: a name has no dots; write sin(x), "
    "not math.sin(x) (column 16)",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text)[:30])
def test_wrong_formulas_are_told(text):
    extra = {"é": 1.0} if "é" in text else {}
    assert faults(text, **extra) == [BAD[text]]


def test_all_faults_at_once():
    assert faults("sine(x) + b + y.z", c=1.0) == [
        "formula: calls 'sine', which is not a function; did you mean 'sin'? (column 1)",
        "formula: holds the unknown name 'b'; give it a value (b = ...) or use x, y, z, x1, ..., "
        "pi, e (column 11)",
        "formula: cannot be read: a name has no dots; write sin(x), not math.sin(x) (column 15)",
    ]
    assert faults("x + alpha", alpha="1", aplha=2.0, y=3.0, e=1, sin=2, dimension=3) == [
        "y: 'y' is a variable of formulas; give the parameter another name",
        "e: 'e' is a constant of formulas; give the parameter another name",
        "sin: 'sin' is a function of formulas; give the parameter another name",
        "aplha: is not in the formula; did you mean 'alpha'?",
        "dimension: a formula's dimension is what it names, here 1; leave this out",
        "alpha: must be a number or an array of numbers, not '1'",
    ]
    assert faults(3) == ["formula: must be a text, not 3"]
    assert faults("x + bb", bbb=1.0) == [
        "formula: holds the unknown name 'bb'; did you mean 'bbb'? (column 5)"
    ]


@pytest.mark.parametrize("text", [
    "__import__('os').system('x')", "x.__class__", "(lambda: x)()", "[x for x in x]", "x[0]",
    "f'{x}'", "'a'*9", "(x := 2)", "sin(*x)", "sin(**x)", "open(x)", "eval(x)", "x; y", "x\x00",
    "print(x)", "getattr(x, y)", "{x}", "x@y", "x % 2", "x & 1", "~x", "await x", "yield", "...",
    "x = 3", "import os", "x\\\ny", "x # y", "None", "abs.__globals__", "where.__call__(x)", "²",
    "x²", "0x1for x in x", "1if x else 2", "()", "(x,)", "sin()", "x**", "**x", ")(", "2x",
])  # fmt: skip
def test_nothing_else_gets_through(text):
    assert all(line.startswith("formula: ") for line in faults(text))


@pytest.mark.parametrize("text", [
    "(" * 300 + "x" + ")" * 300, "-" * 3900 + "x", "not " * 990 + "x", "x**" * 1300 + "x",
    "x+" * 1900 + "x", "sin(" * 900, "x" * (LONGEST + 1), "x" * 10_000_000, "9" * 3990 + "*x",
    "where(0<" * 190 + "x" + "<1,x,1)" * 190, "9**" * 1300 + "9*x", "x**1e308**2", "(1e200)**2*x",
    "x if x else " * 300 + "x", "x<" * 1900 + "x", "0**-1*x", "(-8)**(1/3)*x", "x1" + "0" * 3000,
], ids=lambda text: f"{text[:12]}-{len(text)}")  # fmt: skip
def test_monsters_are_refused_at_once(text):
    begun = time.perf_counter()
    assert all(len(line) < 5000 for line in faults(text))
    assert time.perf_counter() - begun < 5


def test_nested_conditions_do_not_multiply():
    depth = 60
    expression = parse("where(0<" * depth + "x" + "<1,x,1)" * depth)
    assert len(expression.program) < 10 * depth and depth < DEEPEST


LEAVES = st.one_of(
    st.sampled_from(["x", "y", "a", "pi", "e"]),
    st.floats(0.1, 9, allow_nan=False).map(lambda v: f"{v:.3g}"),
)


def branch(children):
    binary = st.tuples(children, st.sampled_from(["+", "-", "*", "/"]), children)
    function = st.sampled_from(["sin", "cos", "tanh", "atan", "abs", "sigmoid"])
    pair = st.tuples(st.sampled_from(["min", "max"]), children, children)
    choice = st.tuples(children, st.sampled_from(["<", ">="]), children, children, children)
    return st.one_of(
        binary.map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(children, st.integers(0, 3)).map(lambda t: f"({t[0]})**{t[1]}"),
        children.map(lambda t: f"-({t})"),
        st.tuples(function, children).map(lambda t: f"{t[0]}({t[1]})"),
        pair.map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        choice.map(lambda t: f"where({t[0]} {t[1]} {t[2]}, {t[3]}, {t[4]})"),
    )


NUMPY = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tanh", "abs", "where", "e", "pi")},
    "atan": np.arctan, "sigmoid": scipy.special.expit, "min": np.minimum, "max": np.maximum,
}  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.recursive(LEAVES, branch, max_leaves=12), st.floats(-3, 3), st.floats(-3, 3))
def test_random_formulas_are_numpys(text, x, y):
    text, a = f"0*x*y*a + {text}", 1.25
    names = {**NUMPY, "x": np.float64(x), "y": np.float64(y), "a": np.float64(a)}
    with np.errstate(all="ignore"):
        try:
            wanted = float(eval(text, {"__builtins__": {}}, names))
        except ZeroDivisionError:
            wanted = math.nan
    try:
        got = value(text, x, y, a=a)
    except SpecError as error:
        assert "from constants" in str(error) and not math.isfinite(wanted)
        return
    if math.isfinite(wanted) and abs(wanted) < 1e100:
        assert got == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from([
        "x", "y", "x1", "a", "sin", "where", "(", ")", "(", ")", ",", "+", "-", "**", "*", "/", "<",
        "<=", "==", " and ", " not ", "1", "2.5", "1e9", " ", "if", "else", ".", "e", "pi",
    ]), max_size=25).map("".join),
))  # fmt: skip
def test_garbage_is_refused_or_a_formula(text):
    try:
        loss = losses.formula(text, a=1.0)
    except SpecError as error:
        assert error.faults and all(fault.message for fault in error.faults)
    else:
        assert loss(jnp.ones(loss.dimension)).shape == ()

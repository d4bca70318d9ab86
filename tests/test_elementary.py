"""Every elementary function of the kernels, in both precisions, against wider arithmetic.

Float32 is measured against numpy and scipy in float64, float64 against numpy's long double and, for
erf and its kin, against values frozen from mpmath in 40 digits.
"""

import jax
import numpy as np
import pytest
import scipy.special
from jax.extend.core import ClosedJaxpr

from lab.kernels.elementary import EXPANSIONS

# What a kernel's compiler knows; broadcasts are of constants, to operands that are not scalars.
BASIC = set(
    "add sub mul div neg abs sign max min sqrt floor ceil round and or xor not shift_left "
    "shift_right_logical shift_right_arithmetic eq ne lt le gt ge select_n convert_element_type "
    "bitcast_convert_type is_finite".split()
)
PRECISIONS = ("float32", "float64")
ENDS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, np.inf, -np.inf, np.nan]
HUGE = {"float32": 3e38, "float64": 1.7e308}
TINY = {"float32": 1.2e-38, "float64": 2.3e-308}


def _logistic(x):
    return np.where(x < 0, np.exp(-abs(x)), 1) / (1 + np.exp(-abs(x)))


# name: (truth, largest error in ulp, {precision: largest |x| at which it is asked for})
EVERYWHERE = HUGE
UNIT = {"float32": 1.0, "float64": 1.0}
CIRCLE = {"float32": 1e5, "float64": 1e8}
TRUTH = {
    "exp": (np.exp, 2, EVERYWHERE),
    "exp2": (np.exp2, 2, EVERYWHERE),
    "expm1": (np.expm1, 2, EVERYWHERE),
    "log": (np.log, 2, EVERYWHERE),
    "log1p": (np.log1p, 2, EVERYWHERE),
    "sin": (np.sin, 2, CIRCLE),
    "cos": (np.cos, 2, CIRCLE),
    "tan": (np.tan, 3, CIRCLE),
    "tanh": (np.tanh, 2, EVERYWHERE),
    "sinh": (np.sinh, 2, EVERYWHERE),
    "cosh": (np.cosh, 2, EVERYWHERE),
    "logistic": (_logistic, 2, EVERYWHERE),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 2, EVERYWHERE),
    "cbrt": (np.cbrt, 2, EVERYWHERE),
    "atan": (np.arctan, 2, EVERYWHERE),
    "asin": (np.arcsin, 2, UNIT),
    "acos": (np.arccos, 2, UNIT),
    "asinh": (np.arcsinh, 2, EVERYWHERE),
    "acosh": (np.arccosh, 2.2, EVERYWHERE),
    "atanh": (np.arctanh, 2.2, UNIT),
    "erf": (scipy.special.erf, 2, EVERYWHERE),
    "erfc": (scipy.special.erfc, 6, EVERYWHERE),
    "erf_inv": (scipy.special.erfinv, 3, UNIT),
}
# (x, value), by mpmath.
FROZEN = {
    "erf": (
        (0.001, 0.0011283787909692365), (0.3, 0.3286267594591274), (0.9, 0.7969082124228322),
        (1.1, 0.8802050695740817), (1.7, 0.9837904585907745), (2.9, 0.9999589021219005),
        (4.6, 0.999999999922504), (5.8, 0.9999999999999998), (-0.3, -0.3286267594591274),
    ),
    "erfc": (
        (-4.2, 1.9999999971445057), (-1.3, 1.9340079449406524), (-0.4, 1.4283923550466684),
        (0.2, 0.7772974107895215), (0.9, 0.20309178757716786), (1.1, 0.11979493042591827),
        (2.3, 0.0011431765973566525), (3.7, 1.6715105790914599e-07),
        (5.2, 1.9249061099972322e-13), (7.9, 5.572718056952545e-29),
        (9.1, 6.696900427988608e-38), (12.3, 9.029925149482068e-68),
        (19.7, 8.14808626782638e-171), (26.1, 3.081217493314593e-298),
    ),
    "erf_inv": (
        (0.001, 0.0008862271574665521), (0.3, 0.2724627147267543), (0.9, 1.1630871536766743),
        (0.99, 1.8213863677184494), (0.999, 2.3267537655135246), (0.9999, 2.75106390571208),
        (0.99999999, 4.052237243268763), (1 - 2.0**-40, 5.05125408524939),
        (1 - 2.0**-53, 5.8635847487551676), (-0.3, -0.2724627147267543),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def both_precisions(float64):
    """Float64 beside float32."""


def _points(name, precision):
    """Both signs of all magnitudes, evenly spread numbers, neighbours of ±1 and the ends."""
    largest = TRUTH[name][2][precision]
    near = np.geomspace(np.finfo(precision).eps, 0.5, 2000)
    x = np.concatenate(
        [
            np.geomspace(TINY[precision], min(largest, HUGE[precision]), 10_001),
            np.linspace(0, min(largest, 100), 10_001),
            np.linspace(0, min(largest, 3), 20_001),
            np.linspace(0, min(largest, 720), 10_001),
            1 - near,
            1 + near[: len(near) if largest > 1 else 0],
        ]
    )
    if TRUTH[name][2] is CIRCLE:
        turns = np.arange(1, int(largest), int(largest) // 20_000 + 1) // 2 * (np.pi / 2)
        x = np.concatenate([x, turns[turns < largest]])
    ends = [e for e in ENDS if not abs(e) > largest or np.isinf(e)]
    return np.concatenate([x, -x, ends]).astype(precision)


def _wider(x):
    return x.astype(np.float64 if x.dtype == np.float32 else np.longdouble)


def _assert_close(y, truth, ulps, x):
    """Within so many ulp; zeros, infinities and NaN as they are, the subnormal maybe 0."""
    with np.errstate(all="ignore"):
        y, rounded = np.asarray(y), truth.astype(y.dtype)
    normal = np.isfinite(rounded) & (abs(truth) >= np.finfo(y.dtype).tiny)
    if np.finfo(truth.dtype).nmant == np.finfo(y.dtype).nmant:
        ulps = ulps + 2  # the truth's own, where long double is no wider
    error = abs(_wider(y)[normal] - truth[normal]) / np.spacing(abs(rounded[normal]))
    worst = int(np.argmax(np.nan_to_num(error, nan=np.inf)))
    at = [float(v[normal][worst]) for v in x]
    assert error[worst] <= ulps, f"{error[worst]:.2f} ulp at {at}"
    subnormal = ~normal & np.isfinite(rounded)
    assert (abs(y[subnormal]) <= np.finfo(y.dtype).tiny).all()
    assert (np.signbit(y) == np.signbit(rounded))[~np.isnan(rounded)].all()
    np.testing.assert_array_equal(y[~np.isfinite(rounded)], rounded[~np.isfinite(rounded)])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", TRUTH)
def test_agrees_with_wider_arithmetic(name, precision):
    if precision == "float64" and name in FROZEN:
        x, truth = np.array(FROZEN[name]).T
    else:
        x = _points(name, precision)
        with np.errstate(all="ignore"):
            truth = TRUTH[name][0](_wider(x))
    if name == "erf_inv":
        truth = np.where(x == 0, x, truth)  # scipy loses the sign of -0
    _assert_close(jax.jit(EXPANSIONS[name])(x), truth, TRUTH[name][1], [x])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", FROZEN)
def test_the_ends_of_erf_and_its_inverse(name, precision):
    x = np.array([e for e in ENDS if name != "erf_inv" or not abs(e) > 1], precision)
    truth = np.where(x == 0, x, TRUTH[name][0](x)) if name != "erfc" else scipy.special.erfc(x)
    _assert_close(jax.jit(EXPANSIONS[name])(x), truth, TRUTH[name][1], [x])


def _pairs(precision):
    """Magnitudes and small numbers against each other, and all ends against all ends."""
    a = np.concatenate([np.geomspace(1e-9, 1e9, 301), np.linspace(0.3, 3, 201)])
    b = np.concatenate([np.linspace(-40, 40, 161), np.linspace(-3, 3, 201)])
    ends = [*ENDS, 3.0, -3.0, 1e30, -1e-30, 1.5, -1.5]
    x, y = (
        np.concatenate([m.ravel(), n.ravel()])
        for m, n in zip(np.meshgrid(a, b), np.meshgrid(ends, ends), strict=True)
    )
    return x.astype(precision), y.astype(precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("name", "truth"), [("pow", np.power), ("atan2", np.arctan2)])
def test_functions_of_two_numbers(name, truth, precision):
    x, y = _pairs(precision)
    with np.errstate(all="ignore"):
        expected = truth(_wider(x), _wider(y))
    _assert_close(jax.jit(EXPANSIONS[name])(x, y), expected, 3, [x, y])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_powers_near_one_of_huge_exponents(precision):
    near = np.geomspace(np.finfo(precision).eps, 0.4, 1000)
    x = np.concatenate([1 + near, 1 - near]).astype(precision)
    largest = np.log2(HUGE[precision]) / np.log2(_wider(x))
    for share in (0.999, -0.97, 0.3):
        y = (share * largest).astype(precision)
        _assert_close(jax.jit(EXPANSIONS["pow"])(x, y), _wider(x) ** _wider(y), 3, [x, y])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["exp", "exp2", "expm1", "sinh", "cosh"])
def test_overflows_and_underflows_where_the_truth_does(name, precision):
    log = np.log2 if name == "exp2" else np.log
    info = np.finfo(precision)
    ends = [log(_wider(info.max)), log(_wider(info.max)) + np.log(2), log(_wider(info.tiny))]
    ulps = np.arange(-40, 41) * info.eps / 2
    x = np.concatenate([(end * (1 + ulps)).astype(precision) for end in ends])
    with np.errstate(all="ignore"):
        truth = TRUTH[name][0](_wider(x))
    _assert_close(jax.jit(EXPANSIONS[name])(x), truth, 2, [x])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_whole_exponents(precision):
    exponents = [0, 1, -1, 2, 3, -5, 17, -126, 2**24 + 1, 2**24 + 3, -(2**30) - 1, 2**31 - 1]
    bases = [*ENDS, 1 + 2.0**-23, -1 - 2.0**-23, 1 - 2.0**-24, 1 + 2.0**-20, 3.7, -0.99]
    x, n = (m.ravel() for m in np.meshgrid(np.array(bases, precision), np.array(exponents, "i4")))
    with np.errstate(all="ignore"):
        truth = _wider(x) ** n.astype(np.float64)
    _assert_close(jax.jit(EXPANSIONS["pow"])(x, n), truth, 3, [x, n])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_huge_angles_stay_on_the_circle(name, precision):
    x = np.geomspace(1e5, HUGE[precision], 10_001).astype(precision)
    ends = np.array([np.inf, -np.inf, np.nan], precision)
    y, at_ends = np.split(
        np.asarray(jax.jit(EXPANSIONS[name])(np.concatenate([x, -x, ends]))), [-3]
    )
    assert np.isfinite(y).all() and np.isnan(at_ends).all()
    assert name == "tan" or (abs(y) <= 1).all()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("name", "top"), [("tanh", 1.0), ("logistic", 1.0), ("erf", 1.0)])
def test_saturates_at_one_and_never_beyond(name, top, precision):
    x = np.linspace(0, 60, 60_001).astype(precision)
    y = np.asarray(jax.jit(EXPANSIONS[name])(x))
    assert (y <= top).all() and (y[x > 40] == top).all()
    assert (np.diff(y) >= -np.spacing(y[1:].dtype.type(0.5))).all()  # but for the last bit


def test_exact_where_it_must_be():
    at = {"exp": (0, 1), "cos": (0, 1), "cosh": (0, 1), "log": (1, 0), "logistic": (0, 0.5)}
    for name, (x, y) in at.items():
        assert jax.jit(EXPANSIONS[name])(np.float32(x)) == y
    n = np.arange(-126, 128, dtype=np.float32)
    assert (jax.jit(EXPANSIONS["exp2"])(n) == np.exp2(n.astype("f8"))).all()


def _primitives(jaxpr):
    """The names of all primitives, nested jits opened."""
    for equation in jaxpr.eqns:
        inner = [v for v in equation.params.values() if isinstance(v, ClosedJaxpr)]
        for closed in inner:
            yield from _primitives(closed.jaxpr)
        if not inner:
            yield equation.primitive.name


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shape", [(), (3, 2)], ids=["scalar", "matrix"])
@pytest.mark.parametrize("name", EXPANSIONS)
def test_traces_to_basic_primitives_alone(name, shape, precision):
    x = jax.ShapeDtypeStruct(shape, precision)
    whole = jax.ShapeDtypeStruct(shape, "int32")
    for operands in {"pow": [(x, x), (x, whole)], "atan2": [(x, x)]}.get(name, [(x,)]):
        closed = jax.make_jaxpr(EXPANSIONS[name])(*operands)
        allowed = BASIC | ({"broadcast_in_dim"} if shape else set())
        assert set(_primitives(closed.jaxpr)) <= allowed
        assert not closed.consts
        assert closed.out_avals[0].dtype == precision and closed.out_avals[0].shape == shape

"""sin, cos, tan: x = q π/2 + r, with π/2 in parts of which q times all but the last is exact.

(Cody and Waite, "Software Manual for the Elementary Functions", 1980.) Full accuracy for
|x| <= 1e5 in float32 and 1e8 in float64, however near x lies to a zero. Beyond, q times the first
part rounds: the result is that of an x changed by a few of its own ulps; it stays finite, and
sin and cos within [-1, 1]. On |r| <= π/4 + 0.012 (q may be rounded), with z = r²:

    sin r = r + r z s(z)             relative error 2^-27.8 in float32, 2^-57.6 in float64
    cos r = 1 - z/2 + z² c(z)        2^-33.1 and 2^-63.9
    tan r = r + r z t(z)             2^-29.2 and 2^-55.5 (all Remez, `tests/oracles/minimax.py`)
"""

import math

from jax import Array

from lab.kernels.elementary.arithmetic import (
    at_least,
    at_most,
    bits,
    from_bits,
    polynomial,
    precision,
    select,
    shift_left,
    whole,
    whole_bits,
)

_HALF_PI = {
    "float32": (
        "0x1.92p+0",
        "0x1.fap-12",
        "0x1.5p-20",
        "0x1.1p-26",
        "0x1.0ap-34",
        "0x1.4611a6p-42",
    ),
    "float64": ("0x1.921fb54p+0", "0x1.10b461p-30", "0x1.a62633p-58", "0x1.45c06e0e68948p-86"),
}
_S = {
    "float32": (-0.166666535, 0.00833208729, -0.000195052627),
    "float64": (
        -0.16666666666666624, 0.0083333333333202746, -0.00019841269828078292,
        2.7557313086602135e-6, -2.5050662606907825e-8, 1.589122251512294e-10,
    ),
}  # fmt: skip
_C = {
    "float32": (0.041666645, -0.0013887273, 2.44273619e-5),
    "float64": (
        0.041666666666666586, -0.0013888888888871728, 2.4801587287935151e-5,
        -2.755731389268834e-7, 2.0875659284024259e-9, -1.1356266142730761e-11,
    ),
}  # fmt: skip
_T = {
    "float32": (
        0.333333544, 0.133324983, 0.0540789972, 0.0211818745, 0.0110999896, -0.000250078472,
        0.00454588127,
    ),
    "float64": (
        0.33333333333332424, 0.1333333333346239, 0.053968253904198537, 0.02186949013930966,
        0.0088632118072286839, 0.003592354458675162, 0.0014543666263749969, 0.00059668776459658967,
        0.00021765959867750034, 0.00014612239482826396, -3.9743759490312473e-5,
        0.00010157847403067573, -5.1343941530967966e-5, 2.2400149160553171e-5,
    ),
}  # fmt: skip


def _quarter_turns(x: Array) -> tuple[Array, Array]:
    """(q, r): q in the lowest bits of an integer, r = x - q π/2."""
    q = whole(x * (2 / math.pi))
    *exact, third, second, last = map(float.fromhex, _HALF_PI[precision(x)])
    r = x
    for part in exact:
        r = r - q * part
    r, error = _less(r, q * third)
    r, error = _less(r, q * second - error)
    r = r - (q * last - error)
    return whole_bits(q), at_least(at_most(r, 0.8), -0.8)  # r of a huge x is anything


def _less(a: Array, b: Array) -> tuple[Array, Array]:
    """(d, e) with d + e = a - b, d rounded (Dekker 1971; e is exact for |a| > |b|)."""
    d = a - b
    return d, (a - d) - b


def _turned(q: Array, r: Array) -> Array:
    """The sine of q π/2 + r."""
    z, kind = r * r, precision(r)
    s = r + r * z * polynomial(z, _S[kind])
    c = 1.0 - (0.5 * z - z * z * polynomial(z, _C[kind]))
    y = select((q & 1) == 0, s, c)
    return from_bits(bits(y) ^ shift_left(q & 2, 8 * r.dtype.itemsize - 2), r)


def sin(x: Array) -> Array:
    """The sine of q π/2 + r; NaN of infinity."""
    return select(x == 0.0, x, _turned(*_quarter_turns(x)))  # keeps -0


def cos(x: Array) -> Array:
    """The sine of (q + 1) π/2 + r; NaN of infinity."""
    q, r = _quarter_turns(x)
    return _turned(q + 1, r)


def tan(x: Array) -> Array:
    """The tangent of r, for odd q -1/tan r; NaN of infinity."""
    q, r = _quarter_turns(x)
    z = r * r
    y = r + r * z * polynomial(z, _T[precision(r)])
    return select(x == 0.0, x, select((q & 1) == 0, y, -1.0 / y))

"""atan, atan2, asin, acos, asinh, acosh, atanh: the inverses of the circular and hyperbolic ones.

With z = t² and |t| <= 1/2, atan t = t + t z a(z), relative errors 2^-27.5 in float32 and
2^-62.0 in float64, and asin t = t + t z s(z), 2^-27.6 and 2^-59.9 (both Remez,
`tests/oracles/minimax.py`). Larger arguments by the theorems of addition (Cody and Waite,
"Software Manual for the Elementary Functions", 1980).
"""

import math

import jax.numpy as jnp
from jax import Array

from lab.kernels.elementary.arithmetic import (
    bits,
    polynomial,
    precision,
    select,
    sign_bit,
    with_sign,
)
from lab.kernels.elementary.logarithm import log1p

_A = {
    "float32": (
        -0.333332341, 0.199942186, -0.141748996, 0.101594224, -0.0513151758,
    ),
    "float64": (
        -0.33333333333333312, 0.1999999999999324, -0.1428571428495806, 0.11111111068416867,
        -0.090909076654026017, 0.076922769983868629, -0.066662179875390475, 0.058777627596701586,
        -0.052297701176414877, 0.045885550652486668, -0.037097591507452198, 0.023625893660925729,
        -0.0083479464900648078,
    ),
}  # fmt: skip
_S = {
    "float32": (
        0.166667525, 0.0749529765, 0.0454703774, 0.0241795013, 0.0421663389,
    ),
    "float64": (
        0.1666666666666676, 0.074999999999708012, 0.044642857174610327, 0.030381942707864854,
        0.022372214985214532, 0.017351612059318935, 0.01398081998243833, 0.011398916930432192,
        0.010780226262853957, 0.0037065087639158542, 0.021707204842208143, -0.02099872152761895,
        0.032628411630924041,
    ),
}  # fmt: skip
# π/4 in two parts: four times the first is exact. The same of π/2.
_QUARTER_HIGH = {
    "float32": float.fromhex("0x1.921fb4p-1"),
    "float64": float.fromhex("0x1.921fb54442d1p-1"),
}
_QUARTER_LOW = {"float32": 3.77489498e-8, "float64": 9.1879458967880906e-16}
_LARGE = {"float32": 2.0**30, "float64": 2.0**60}  # whose square is finite, and x + 1 = x


def _angle(y: Array, x: Array, ends: bool) -> tuple[Array, Array, Array]:
    """(k, r, swapped): the lesser of x, y >= 0 over the greater is the tangent of k π/4 + r."""
    swapped = y > x
    low, high = select(swapped, x, y), select(swapped, y, x)
    steep = low > 0.5 * high
    same = low == high
    if ends:
        steep = steep | (same & (high > 0.0))
    difference, total = 0.5 * low - 0.5 * high, 0.5 * low + 0.5 * high
    t = select(steep, difference, low) / select(steep, total, high)
    if ends:
        t = select(same, 0.0, t)
    z = t * t
    r = t + t * z * polynomial(z, _A[precision(t)])
    return select(steep, 1.0, jnp.zeros_like(t)), r, swapped


def _quarters(k: Array, r: Array) -> Array:
    """The angle k π/4 + r."""
    kind = precision(r)
    return k * _QUARTER_HIGH[kind] + (r + k * _QUARTER_LOW[kind])


def atan(x: Array) -> Array:
    """That of |x|, above 1 π/2 less that of 1/|x|, with the sign of x."""
    k, r, swapped = _angle(jnp.abs(x), jnp.ones_like(x), ends=False)
    y = _quarters(select(swapped, 2.0 - k, k), select(swapped, -r, r))
    return with_sign(y, sign_bit(x))


def atan2(y: Array, x: Array) -> Array:
    """The angle of (x, y) in [-π, π]; IEEE 754-2019's values at zeros and infinities."""
    k, r, swapped = _angle(jnp.abs(y), jnp.abs(x), ends=True)
    left = bits(x) < 0
    k = select(swapped, 2.0 - k, k)
    angle = _quarters(select(left, 4.0 - k, k), select(swapped ^ left, -r, r))
    angle = select((x != x) | (y != y), math.nan, angle)
    return with_sign(angle, sign_bit(y))


def _half_angle(a: Array) -> tuple[Array, Array, Array]:
    """(large, s, u): asin a = s + u for 0 <= a <= 1/2, else π/2 - 2 (s + u), s = √((1 - a)/2)."""
    large = a > 0.5
    z = select(large, 0.5 - 0.5 * a, a * a)
    s = select(large, jnp.sqrt(z), a)
    return large, s, s * z * polynomial(z, _S[precision(a)])


def asin(x: Array) -> Array:
    """That of |x| with the sign of x; NaN beyond ±1."""
    kind = precision(x)
    large, s, u = _half_angle(jnp.abs(x))
    quarter, low = _QUARTER_HIGH[kind], _QUARTER_LOW[kind]
    rest = (quarter - 2.0 * s) + (quarter - (2.0 * u - 2.0 * low))
    return with_sign(select(large, rest, s + u), sign_bit(x))


def acos(x: Array) -> Array:
    """2 asin √((1 - x)/2) for x > 1/2, π less that of -x for x < -1/2, else π/2 - asin x."""
    kind = precision(x)
    large, s, u = _half_angle(jnp.abs(x))
    negative = x < 0.0
    s, u = select(large, 2.0 * s, s), select(large, 2.0 * u, u)
    quarters = select(large, select(negative, 4.0, jnp.zeros_like(x)), 2.0)
    # Added are s and u for x > 1/2 and for -1/2 <= x < 0.
    add = large ^ negative
    s, u = select(add, s, -s), select(add, u, -u)
    return (quarters * _QUARTER_HIGH[kind] + s) + (quarters * _QUARTER_LOW[kind] + u)


def asinh(x: Array) -> Array:
    """log(1 + a + a²/(1 + √(1 + a²))), a = |x|, with the sign of x; log a + log 2 of large a."""
    a = jnp.abs(x)
    large = a > _LARGE[precision(x)]
    square = a * a
    t = select(large, a, a + square / (1.0 + jnp.sqrt(1.0 + square)))
    return with_sign(log1p(t) + _log2_if(large, a), sign_bit(x))


def acosh(x: Array) -> Array:
    """log(1 + d + √(2d + d²)), d = x - 1; log x + log 2 of large x; NaN below 1."""
    large = x > _LARGE[precision(x)]
    d = x - 1.0
    y = log1p(select(large, x, d + jnp.sqrt(2.0 * d + d * d))) + _log2_if(large, x)
    return select(x < 1.0, math.nan, y)


def _log2_if(large: Array, x: Array) -> Array:
    return select(large, math.log(2), jnp.zeros_like(x))


def atanh(x: Array) -> Array:
    """½ log(1 + 2a/(1 - a)), a = |x|, with the sign of x; NaN beyond ±1."""
    a = jnp.abs(x)
    return with_sign(0.5 * log1p((a + a) / (1.0 - a)), sign_bit(x))

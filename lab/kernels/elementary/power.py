"""xʸ = 2^(y log2 |x|) with log2 |x| as a sum of two floats, and its sign.

log2 |x| = n + (2/ln 8) s (3 + z + z² q(z)) with |x| = 2ⁿ (1 + f), s = f/(2 + f), z = s², where q
leaves a relative error of 2^-36.8 in float32 and 2^-66.3 in float64 (Remez,
`tests/oracles/minimax.py`). An error of log2 |x| grows |y log2 x| <= 1024 times, so all but z² q
are carried as a short float and a rest, and the products of short floats are exact (Dekker, "A
floating-point technique for extending the available precision", 1971; in this order as in Ng's
fdlibm, 1993).
"""

import math

import jax.numpy as jnp
from jax import Array, lax

from lab.kernels.elementary.arithmetic import (
    at_least,
    at_most,
    bits,
    constant_bits,
    exponent_bits,
    from_bits,
    high_half,
    polynomial,
    precision,
    select,
    sign_bit,
    split_exponent,
    whole,
    with_sign,
)
from lab.kernels.elementary.exponential import expm1_reduced
from lab.kernels.elementary.logarithm import LEAST

_K = 2 / math.log(8)
_K_HIGH = {"float32": 0.961669921875, "float64": float.fromhex("0x1.ec709d8p-1")}
_K_LOW = {"float32": 0.000126772051, "float64": 7.8726995428948977e-9}
_Q = {
    "float32": (0.600002297, 0.428205421, 0.351318151),
    "float64": (
        0.60000000000003434, 0.4285714285512401, 0.33333333784620683, 0.27272676119376666,
        0.23080156581096119, 0.19884731840024623, 0.19799218956804366,
    ),
}  # fmt: skip
_TOP = {"float32": 128.0, "float64": 1024.0}
_BOTTOM = {"float32": -126.0, "float64": -1022.0}


def _log2(x: Array) -> tuple[Array, Array]:
    """log2 x of a normal x > 0 as (high, low)."""
    kind = precision(x)
    n, m = split_exponent(x)
    s, s_low = _quotient(m - 1.0)
    z, z_low = s * s, s_low * (2.0 * s + s_low)
    all_z = z + z_low
    w = z_low + all_z * all_z * polynomial(all_z, _Q[kind])
    sum_ = 3.0 + (z + w)
    u = high_half(sum_)
    product = s * u
    product_low = s * ((z - (u - 3.0)) + w) + s_low * sum_
    p = high_half(product + product_low)
    p_low = product_low - (p - product)
    high = n + p * _K_HIGH[kind]
    return high, ((n - high) + p * _K_HIGH[kind]) + (p_low * _K + p * _K_LOW[kind])


def _quotient(f: Array) -> tuple[Array, Array]:
    """The quotient s = f/(2 + f) as a short float and a rest, for an exact f."""
    reciprocal = 1.0 / (2.0 + f)
    s, f_high = high_half(f * reciprocal), high_half(f)
    return s, (((f - 2.0 * s) - s * f_high) - s * (f - f_high)) * reciprocal


def _magnitude(x: Array, y: Array, y_low: Array | float) -> Array:
    """x^(y + y_low) for x >= 0; NaN where y is."""
    kind = precision(x)
    high, low = _log2(x)
    limit = {"float32": 2.0**31, "float64": 2.0**63}[kind]  # further powers are 0 or infinite
    y = at_least(at_most(y, limit), -limit)
    y_high, log_high = high_half(y), high_half(high)
    product = y_high * log_high
    rest = y * ((high - log_high) + low) + (y - y_high) * log_high + y_low * high
    q = product + rest
    n = whole(q)
    p = expm1_reduced((product - n) * math.log(2), rest * math.log(2))
    return _scaled(1.0 + p, n, q)


def _scaled(v: Array, n: Array, q: Array) -> Array:
    """2ⁿ v, 0 or infinite as q = log2 of it says; at q = 128 the bits themselves may overflow."""
    kind = precision(v)
    i = bits(v) + exponent_bits(n)
    infinite = constant_bits(math.inf, v)
    y = from_bits(lax.select(i > infinite, jnp.full_like(i, infinite), i), v)
    y = select(q < _BOTTOM[kind], 0.0, y)
    return select(q <= _TOP[kind], y, q + math.inf)


def pow(x: Array, y: Array) -> Array:
    """|x|ʸ with the sign of x for odd y; 1 for y = 0 or x = 1; NaN for x < 0 and y not whole."""
    if jnp.issubdtype(y.dtype, jnp.integer):
        return _integer_power(x, y)
    half = 0.5 * y
    is_whole = jnp.floor(y) == y
    odd = is_whole & (jnp.floor(half) != half)
    return _with_ends(x, y, 0.0, is_whole, odd)


def _integer_power(x: Array, y: Array) -> Array:
    """The same of an integer, in two floats where it has too many bits for one."""
    exact = min(2 ** (int(jnp.finfo(x.dtype).nmant) + 1), int(jnp.iinfo(y.dtype).max))
    upper = lax.select(jnp.abs(y) <= exact, y, y & -256)
    low = (y - upper).astype(x.dtype)
    always = jnp.full_like(x, True, dtype=bool)
    return _with_ends(x, upper.astype(x.dtype), low, always, (y & 1) != 0)


def _with_ends(x: Array, y: Array, y_low: Array | float, is_whole: Array, odd: Array) -> Array:
    """The cases of IEEE 754-2019, 9.2.1, around the magnitude; tiny |x| count as 0."""
    a = jnp.abs(x)
    at_end = (a < LEAST[precision(x)]) | (a == math.inf)
    end = select((a > 1.0) ^ (y > 0.0), 0.0, jnp.full_like(x, math.inf))
    z = select(at_end, end, _magnitude(a, y, y_low))
    z = select(odd, with_sign(z, sign_bit(x)), z)
    undefined = (x != x) | (y != y) | ((x < 0.0) & ~is_whole & ~at_end)
    z = select(undefined, math.nan, z)
    return select((x == 1.0) | (y == 0.0), 1.0, z)

"""What all elementary functions are made of: selections, polynomials, exponents, signs.

Everything here traces to the basic elementwise primitives alone (of an array that is not a
scalar, also to `broadcast_in_dim` of constants).
"""

import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

_INTEGERS = {"float32": np.int32, "float64": np.int64}
MANTISSA_BITS = {"float32": 23, "float64": 52}


def precision(x: Array) -> str:
    """`float32` or `float64`: the key to every table of coefficients."""
    return str(x.dtype)


def select(condition: Array, x: Array | float, y: Array | float) -> Array:
    """`x` where the condition holds, else `y`; one of them may be a number."""
    like = y if isinstance(x, float | int) else x
    return lax.select(condition, *(jnp.full_like(like, v) if v is not like else v for v in (x, y)))


def at_most(x: Array, bound: float) -> Array:
    """min(x, bound), NaN where x is NaN, in one instruction: `jnp.minimum` needs three for that."""
    return select(x > bound, bound, x)


def at_least(x: Array, bound: float) -> Array:
    """max(x, bound), NaN where x is NaN."""
    return select(x < bound, bound, x)


def whole(x: Array) -> Array:
    """The nearest whole number, of two the even one."""
    return lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)


def polynomial(x: Array, coefficients: Sequence[float]) -> Array:
    """Σ cₖ xᵏ: Horner's chain, or from 6 terms on two, from 12 on four interleaved (Estrin)."""
    if len(coefficients) < 6:
        return _horner(x, coefficients)
    x2 = x * x
    if len(coefficients) < 12:
        return _horner(x2, coefficients[::2]) + x * _horner(x2, coefficients[1::2])
    x4 = x2 * x2
    a, b, c, d = (_horner(x4, coefficients[k::4]) for k in range(4))
    return (a + x * b) + x2 * (c + x * d)


def _horner(x: Array, coefficients: Sequence[float]) -> Array:
    *rest, last = coefficients
    total = x * last + rest[-1]
    for c in rest[-2::-1]:
        total = total * x + c
    return total


def bits(x: Array) -> Array:
    """The bits of a float as a signed integer of its size."""
    return lax.bitcast_convert_type(x, _INTEGERS[precision(x)])


def from_bits(i: Array, like: Array) -> Array:
    """The float that has these bits."""
    return lax.bitcast_convert_type(i, like.dtype)


def constant_bits(value: float, like: Array) -> int:
    """The bits of a constant in the precision of `like`."""
    return int(np.array(value, like.dtype).view(_INTEGERS[precision(like)]))


def whole_bits(n: Array) -> Array:
    """An integer whose lowest bits are those of the float n of whole value.

    n + 1.5·2^23 has an ulp of 1, so that its lowest bits are n: no conversion between sizes.
    """
    return bits(n + 1.5 * 2.0 ** MANTISSA_BITS[precision(n)])


def exponent_bits(n: Array) -> Array:
    """n·2^23 (n·2^52) for a float n of whole value: added to bits, it multiplies by 2ⁿ."""
    return shift_left(whole_bits(n), MANTISSA_BITS[precision(n)])


def shift_left(i: Array, count: int) -> Array:
    """i·2^count in integers."""
    return lax.shift_left(i, jnp.full_like(i, count))


def sign_bit(x: Array) -> Array:
    """The sign bit of x alone."""
    return bits(x) & -(2 ** (8 * x.dtype.itemsize - 1))


def with_sign(magnitude: Array, sign: Array) -> Array:
    """The sign bits `sign` upon a float that is not negative."""
    return from_bits(bits(magnitude) | sign, magnitude)


def split_exponent(x: Array, least: float = math.sqrt(0.5)) -> tuple[Array, Array]:
    """(n, m) with x = 2ⁿ m and least <= m < 2 least, for normal positive x."""
    mantissa = MANTISSA_BITS[precision(x)]
    start, one = constant_bits(least, x), constant_bits(1.0, x)
    i = bits(x) + (one - start)
    unit = 2.0**mantissa  # whose ulp is 1
    biased = lax.shift_right_logical(i, jnp.full_like(i, mantissa)) | constant_bits(unit, x)
    n = from_bits(biased, x) - (unit + (one >> mantissa))
    return n, from_bits((i & (2**mantissa - 1)) + start, x)


def high_half(x: Array) -> Array:
    """The float x with the lower half of its mantissa cleared: the product of two such is exact."""
    drop = {"float32": 12, "float64": 27}[precision(x)]
    return from_bits(bits(x) & -(2**drop), x)

"""Cube root and reciprocal square root."""

import math

import jax.numpy as jnp
from jax import Array, lax

from lab.kernels.elementary.arithmetic import (
    MANTISSA_BITS,
    bits,
    constant_bits,
    from_bits,
    precision,
    select,
    shift_left,
    sign_bit,
    with_sign,
)


def rsqrt(x: Array) -> Array:
    """1/√x."""
    return 1.0 / jnp.sqrt(x)


def cbrt(x: Array) -> Array:
    """As a r², r = a^(-1/3), a = |x|, with the sign of x; a step of Newton's on the result.

    r by two steps of third order from a linear guess of its logarithm in its bits; no division.
    """
    shift = {"float32": 90, "float64": 900}[precision(x)]
    a = jnp.abs(x)
    small = a < 2.0**-shift  # whose residue y³ - a may be too small to be a normal number
    a = select(small, a * 2.0**shift, a)
    r = _guess(a)
    for _ in range(2):
        e = 1.0 - (a * r) * (r * r)
        r = r + r * e * (1 / 3 + e * (2 / 9))
    r2 = r * r
    y = a * r2
    y = y - (y * y * y - a) * (r2 * (1 / 3))
    y = select(small, y * 2.0 ** -(shift // 3), y)
    return with_sign(select(a < math.inf, y, a), sign_bit(x))


def _guess(a: Array) -> Array:
    """The power a^(-1/3) within 3.5%: a float's bits are nearly its logarithm (Blinn, 1997)."""
    kind = precision(a)
    mantissa = MANTISSA_BITS[kind]
    drop = 8 * a.dtype.itemsize - mantissa
    unit = 2.0**mantissa  # whose ulp is 1: integers are turned into floats and back by it
    i = lax.shift_right_logical(bits(a), jnp.full_like(bits(a), drop))
    logarithm = from_bits(i | constant_bits(unit, a), a) - unit
    one = constant_bits(1.0, a) >> drop
    start = unit + round(4 / 3 * one - 0.0686 * 2.0 ** (mantissa - drop))
    return from_bits(shift_left(bits(start - logarithm * (1 / 3)), drop), a)

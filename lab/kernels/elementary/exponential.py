"""eˣ and its kin, all from eˣ = 2ⁿ (1 + p), x = n ln 2 + r, p = eʳ - 1 = r + r² q(r).

q is minimax on |r| <= ln2/2 (Remez, `tests/oracles/minimax.py`) with relative error of p 2^-26.2
in float32 and 2^-55.6 in float64. ln 2 in two parts, n times the first exact (Cody and Waite,
"Software Manual for the Elementary Functions", 1980).
"""

import math

import jax.numpy as jnp
from jax import Array

from lab.kernels.elementary.arithmetic import (
    at_least,
    at_most,
    bits,
    constant_bits,
    exponent_bits,
    from_bits,
    polynomial,
    precision,
    select,
    sign_bit,
    whole,
    with_sign,
)

LN2_HIGH = {"float32": 0.693145751953125, "float64": float.fromhex("0x1.62e42fefa38p-1")}
LN2_LOW = {"float32": 1.428606765330187e-6, "float64": 5.497923018708371e-14}
_Q = {
    "float32": (0.499999981, 0.166665432, 0.0416672022, 0.0083665813, 0.0013882481),
    "float64": (
        0.50000000000000052, 0.16666666666666589, 0.041666666666576115, 0.0083333333333899725,
        0.0013888888931793448, 0.00019841269718324223, 2.4801504980527055e-5,
        2.7557407872358223e-6, 2.7626160826590241e-7, 2.505377637586397e-8,
    ),
}  # fmt: skip
# The largest x of finite eˣ, and the least for which it is a normal number.
_OVERFLOW = {"float32": 88.72283172607422, "float64": 709.782712893384}
_UNDERFLOW = {"float32": -87.33654022216797, "float64": -708.3964185322641}
# Below it eˣ - 1, sinh and log(1 + x) are x: -0 stays, and no half of x becomes 0.
TINY = {"float32": 2.0**-26, "float64": 2.0**-55}
# Beyond it tanh, and eˣ - 1 at its negative, are ±1.
_SATURATION = {"float32": 20.0, "float64": 40.0}


def exp_parts(x: Array, rest: Array | float = 0.0) -> tuple[Array, Array]:
    """(n, p) with e^(x + rest) = 2ⁿ (1 + p), for a small rest."""
    kind = precision(x)
    n = whole(x * math.log2(math.e))
    r, low = x - n * LN2_HIGH[kind], n * -LN2_LOW[kind]
    return n, expm1_reduced(r, low if isinstance(rest, float) else low + rest)


def expm1_reduced(r: Array, low: Array) -> Array:
    """e^(r + low) - 1 for |r| <= ln2/2 and low below the ulp of r."""
    x = r + low
    return r + (x * x * polynomial(x, _Q[precision(x)]) + low)


def power_of_two(n: Array, shift: int = 0) -> Array:
    """2^(n + shift) for a float n of whole value; the result must be a normal number."""
    return from_bits(exponent_bits(n) + constant_bits(2.0**shift, n), n)


def exp(x: Array) -> Array:
    """eˣ = 2ⁿ (1 + p); 0 where it is less than the least normal number."""
    n, p = exp_parts(x)
    y = from_bits(bits(1.0 + p) + exponent_bits(n), x)
    return _saturated(x, y, _UNDERFLOW, _OVERFLOW)


def exp2(x: Array) -> Array:
    """2ˣ = 2ⁿ e^((x - n) ln 2); 0 where it is less than the least normal number."""
    n = whole(x)
    r = (x - n) * math.log(2)
    p = r + r * r * polynomial(r, _Q[precision(r)])
    y = from_bits(bits(1.0 + p) + exponent_bits(n), x)
    top = {"float32": 127.99999237060547, "float64": 1023.9999999999999}
    return _saturated(x, y, {"float32": -126.0, "float64": -1022.0}, top)


def _saturated(x: Array, y: Array, low: dict[str, float], high: dict[str, float]) -> Array:
    """0, y or infinity, as x lies below, in or above [low, high]; NaN where x is NaN."""
    y = select(x < low[precision(x)], 0.0, y)
    return select(x <= high[precision(x)], y, x + math.inf)


def expm1(x: Array) -> Array:
    """eˣ - 1 = 2ⁿ p + (2ⁿ - 1), halved on the way so that n = 128 does not overflow."""
    n, p = exp_parts(at_least(x, -_SATURATION[precision(x)]))
    half = power_of_two(n, -1)
    y = 2.0 * (half * p + (half - 0.5))
    y = select(x <= _OVERFLOW[precision(x)], y, x + math.inf)
    return select(jnp.abs(x) < TINY[precision(x)], x, y)


def tanh(x: Array) -> Array:
    """As h - h²/(1 + h) with h = (e^2|x| - 1)/2, from 1/2 on 1 - 1/(1 + h), with the sign of x."""
    a = at_most(jnp.abs(x), _SATURATION[precision(x)] / 2)
    n, p = exp_parts(a + a)
    s = power_of_two(n, -1)
    h = s * p + (s - 0.5)
    small = a < 0.5
    y = select(small, h, 1.0) - select(small, h * h, 1.0) / (1.0 + h)
    return with_sign(y, sign_bit(x))


def logistic(x: Array) -> Array:
    """With q = 1/(1 + e^|x|): q for negative, 1 - q for positive x; 0 where eˣ is."""
    low = _UNDERFLOW[precision(x)]
    n, p = exp_parts(at_most(jnp.abs(x), -low))
    s = power_of_two(n)
    q = 1.0 / (s + (s * p + 1.0))
    return select(x < low, 0.0, select(x < 0.0, q, 1.0 - q))


def sinh(x: Array) -> Array:
    """(t + t/(t + 1))/2, t = e^|x| - 1 = 4q; of small x t - t²/(t + 1)/2, which rounds less."""
    a = jnp.abs(x)
    n, p = exp_parts(at_most(a, _OVERFLOW[precision(x)] + 0.8))
    s = power_of_two(n, -2)
    q = s * p + (s - 0.25)
    small = n == 0.0
    y = select(small, 2.0 * q, q) + select(small, -4.0 * q * q, q) / (4.0 * q + 1.0)
    return select(a < TINY[precision(x)], x, with_sign(2.0 * y, sign_bit(x)))


def cosh(x: Array) -> Array:
    """(e^|x| + e^-|x|)/2, from a quarter of e^|x| so as not to overflow."""
    n, p = exp_parts(at_most(jnp.abs(x), _OVERFLOW[precision(x)] + 0.8))
    s = power_of_two(n, -2)
    q = s * p + s
    return 2.0 * q + 0.125 / q

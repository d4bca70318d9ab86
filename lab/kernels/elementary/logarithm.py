"""log x, log(1 + x): x = 2ⁿ (1 + f) with √½ <= 1 + f < √2.

Float32 uses log(1 + f) = f - f²/2 + f³ q(f), relative error 2^-27.4. Float64 saves ten products
by one division, s = f/(2 + f) and log(1 + f) = 2 atanh(s) = 2s + 2s³ q(s²), error 2^-59.5
(as Ng's fdlibm, 1993). q by Remez, `tests/oracles/minimax.py`.
Numbers below the least normal one count as 0.
"""

import math

import jax.numpy as jnp
from jax import Array

from lab.kernels.elementary.arithmetic import (
    constant_bits,
    exponent_bits,
    from_bits,
    polynomial,
    precision,
    select,
    split_exponent,
)
from lab.kernels.elementary.exponential import LN2_HIGH, LN2_LOW, TINY

_Q = (
    0.333333317, -0.250008211, 0.200012283, -0.166233578, 0.14201731, -0.131601514, 0.12761736,
    -0.0763476538,
)  # fmt: skip
ATANH_Q = {
    "float32": (0.333333884, 0.199887382, 0.149368966),
    "float64": (
        0.33333333333333676, 0.1999999999970437, 0.14285714371939875, 0.11111099201797535,
        0.090917869740906719, 0.076568923579741807, 0.07399398753929256,
    ),
}  # fmt: skip
LEAST = {"float32": 2.0**-126, "float64": 2.0**-1022}


def _log_of(n: Array, f: Array) -> Array:
    """The sum n ln 2 + log(1 + f), the smallest terms first."""
    kind = precision(f)
    if kind == "float32":
        rest = f * f * (f * polynomial(f, _Q) - 0.5) + n * LN2_LOW[kind]
    else:
        s = f / (2.0 + f)
        half = 0.5 * f * f
        z = s * s
        rest = s * (half + 2.0 * z * polynomial(z, ATANH_Q[kind])) + n * LN2_LOW[kind] - half
    return (rest + f) + n * LN2_HIGH[kind]


def log(x: Array) -> Array:
    """Natural: n ln 2 plus that of 1 + f."""
    n, m = split_exponent(x)
    return _with_poles(x, _log_of(n, m - 1.0))


def _with_poles(x: Array, y: Array) -> Array:
    """The values of log at its ends: infinity, -infinity at 0, NaN below."""
    y = select(x < math.inf, y, x)
    at_pole = select(x < 0.0, math.nan, jnp.full_like(x, -math.inf))
    return select(x < LEAST[precision(x)], at_pole, y)


def log1p(x: Array) -> Array:
    """Log of u = 1 + x, with f = 2⁻ⁿ x + (2⁻ⁿ - 1) from x itself, not from the rounded u."""
    u = 1.0 + x
    n, _ = split_exponent(u)
    s = from_bits(constant_bits(4.0, x) - exponent_bits(n), x)  # 2⁻¹²⁸ would not be normal
    y = _with_poles(u, _log_of(n, (0.25 * x) * s + (0.25 * s - 1.0)))
    return select(jnp.abs(x) < TINY[precision(x)], x, y)

"""erf, erfc and the inverse of erf.

For |x| <= 1, erf x = x + x e(x²), relative errors 2^-29.6 in float32 and 2^-56.9 in float64.
Beyond, erfc x = exp(-x²) t g(t - t0) with t = 1/(x + 3), 2^-28.7 and 2^-56.1 (both Remez,
`tests/oracles/minimax.py`); there the rounding of t costs erfc up to 6 ulp.
"""

import math

import jax.numpy as jnp
from jax import Array

from lab.kernels.elementary.arithmetic import (
    at_most,
    high_half,
    polynomial,
    precision,
    select,
)
from lab.kernels.elementary.exponential import exp_parts, power_of_two
from lab.kernels.elementary.logarithm import log

_E = {
    "float32": (
        0.128379166, -0.376126258, 0.112835852, -0.0268538118, 0.00518832732, -0.000801018925,
        7.85384405e-5,
    ),
    "float64": (
        0.12837916709551257, -0.3761263890318352, 0.11283791670944184, -0.026866170643111374,
        0.00522397760611762, -0.00085483259292715757, 0.00012055293575585292,
        -1.492471227639966e-5, 1.644713125315939e-6, -1.6206311317613119e-7, 1.3710969859773267e-8,
        -7.7794489132478412e-10,
    ),
}  # fmt: skip
_G = {
    "float32": (
        1.03959593, 5.02581678, 19.9476889, 63.0234929, 147.928421, 209.878835, -19.2628181,
        -757.669476, -921.054954,
    ),
    "float64": (
        0.94657747484271485, 4.2989714909060553, 16.504530204495286, 52.028042479082995,
        127.01702027050167, 206.10776715360682, 79.943288327893581, -597.67181495273283,
        -1358.0853366783084, 798.13195629019467, 7742.2010885369927, 2844.5881706860434,
        -42783.907505525631, -37743.025498221054, 265291.20519709299, 271587.93255080942,
        -1792444.3457814121, -1273583.9653355046, 9555246.2770322041,
    ),
}  # fmt: skip
_T0 = {"float32": 0.16, "float64": 0.14}
_VANISHED = {"float32": 9.194549, "float64": 26.543258}  # where erfc is not a normal number
_CENTRAL = {
    "float32": (6.25, 3.0, (
        0.245771697, -0.00138042838, -0.00145259018, 0.000205462756, -3.44407671e-6,
        -3.08667935e-6, 4.36850705e-7, 3.57697214e-9, -7.3168951e-9, 6.30410474e-10,
    )),
    "float64": (8.0, 4.0, (
        0.24313804674355386, -0.0036958403514658879, -0.00088130490009292106,
        0.00016933322064737617, -1.2613857880146405e-5, -7.2532082460288691e-7,
        3.0296581702961629e-7, -3.1430523414568375e-8, -5.0148426229231863e-10,
        5.878842666733081e-10, -7.4222128249083987e-11, 6.1455497041296832e-13,
        1.1567466013750554e-12, -1.7267796409392442e-13, 4.7330746081409726e-15,
        2.2565672141222348e-15, -3.9982971844072295e-16, 1.8467922153555597e-17,
        4.4048618824968702e-18, -9.9261750090678811e-19, 5.2896434604172928e-20,
        1.2764499510529344e-20, -2.1823626415067897e-21, -3.0121346582032716e-23,
        2.6251054877622326e-23, -5.8987935323982645e-25, -1.0759995777557059e-25,
    )),
}  # fmt: skip
_TAIL = {
    "float32": (3.0, (
        2.8329768, 1.00167587, 0.00944557226, -0.0076576999, 0.00569406784, -0.00347672644,
        0.00137382207, -0.000247964094,
    )),
    "float64": (4.0, (
        3.8397837974115537, 1.0094932532454241, 0.001259847267074651, -0.00086899180517256302,
        0.00032095504450405815, -0.00011786479046940446, 5.5674946464565012e-5,
        -3.2549185919220067e-5, 1.8672104549216783e-5, -8.8796151637524479e-6,
        3.0148058839309146e-6, -4.1578370574777981e-7, -2.7477075805151456e-7,
        2.3904996569108439e-7, -9.3662993711491683e-8, 1.503557128841383e-8, 5.5087817441035179e-9,
        -4.7359638078954632e-9, 1.5298875934725938e-9, -1.2537696727828767e-10,
        -1.0747302414485143e-10, 5.0845222693904374e-11, -9.2528710278961242e-12,
        1.4546990926408241e-13, 2.0560263506058124e-13, -2.3471305596050035e-14,
    )),
}  # fmt: skip


def _erf_central(x: Array) -> Array:
    z = x * x
    return x + x * polynomial(z, _E[precision(x)])


def _erfc_tail(a: Array) -> Array:
    """The erfc of a >= 1, -a² as an exact square and a rest."""
    kind = precision(a)
    a = at_most(a, _VANISHED[kind])
    t = 1.0 / (a + 3.0)
    w = t * polynomial(t - _T0[kind], _G[kind])
    high = high_half(a)
    n, p = exp_parts(-high * high, (high - a) * (high + a))
    return (w + w * p) * power_of_two(n)


def erf(x: Array) -> Array:
    """The product of x and 1 + e(x²) for |x| <= 1, else 1 - erfc |x| with the sign of x."""
    a = jnp.abs(x)
    tail = 1.0 - _erfc_tail(a)
    return select(a > 1.0, select(x < 0.0, -tail, tail), _erf_central(x))


def erfc(x: Array) -> Array:
    """As 1 - erf x for |x| <= 1, else from exp(-x²); 0 where it is not a normal number."""
    a = jnp.abs(x)
    tail = _erfc_tail(a)
    outer = select(x < 0.0, 2.0 - tail, select(x > _VANISHED[precision(x)], 0.0, tail))
    return select(a > 1.0, outer, 1.0 - _erf_central(x))


def erf_inv(x: Array) -> Array:
    """The product x g(w), w = -log(1 - x²) (Giles, "Approximating the erfinv function", 2012).

    g = √π/2 + w p(w) below w = 6.25 (float64: 8), above a polynomial in √w. Relative errors
    2^-27.3 and 2^-25.8 in float32, 2^-56.6 and 2^-55.3 in float64 (Remez,
    `tests/oracles/minimax.py`).
    """
    split, centre, central = _CENTRAL[precision(x)]
    tail_centre, tail = _TAIL[precision(x)]
    a = jnp.abs(x)
    w = -log((1.0 - a) * (1.0 + a))
    g = math.sqrt(math.pi) / 2 + w * polynomial(w - centre, central)
    g = select(w < split, g, polynomial(jnp.sqrt(w) - tail_centre, tail))
    return x * select(a == 1.0, math.inf, g)

"""Elementary functions from basic arithmetic: what a kernel knows of exp, log, sin and their kin.

`EXPANSIONS[name]` computes JAX's primitive `name` elementwise by additions, products, quotients,
roots, comparisons and selections, integer and bit operations alone: no branch, loop or table. Each
holds for float32 and float64 (the operands' own), whether or not a compiler contracts products
and sums, and errs by at most 2 ulp (acosh and atanh 2.2, pow, erf_inv and tan 3, erfc beyond 1 6).
Numbers below the least normal one may count as 0, as results and as operands.
"""

from collections.abc import Callable

from jax import Array

from lab.kernels.elementary.circular import cos, sin, tan
from lab.kernels.elementary.error import erf, erf_inv, erfc
from lab.kernels.elementary.exponential import cosh, exp, exp2, expm1, logistic, sinh, tanh
from lab.kernels.elementary.inverse import acos, acosh, asin, asinh, atan, atan2, atanh
from lab.kernels.elementary.logarithm import log, log1p
from lab.kernels.elementary.power import pow
from lab.kernels.elementary.roots import cbrt, rsqrt

__all__ = ["EXPANSIONS"]

EXPANSIONS: dict[str, Callable[..., Array]] = {
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "tanh": tanh,
    "sinh": sinh,
    "cosh": cosh,
    "logistic": logistic,
    "pow": pow,
    "rsqrt": rsqrt,
    "cbrt": cbrt,
    "atan": atan,
    "atan2": atan2,
    "asin": asin,
    "acos": acos,
    "asinh": asinh,
    "acosh": acosh,
    "atanh": atanh,
    "erf": erf,
    "erfc": erfc,
    "erf_inv": erf_inv,
}

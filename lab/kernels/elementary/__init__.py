"""Elementary functions from basic arithmetic: what a kernel knows of exp, log, sin and their kin.

`EXPANSIONS[name]` computes JAX's primitive `name` elementwise by additions, products, quotients,
roots, comparisons and selections, integer and bit operations alone: no branch, loop or table. Each
holds for float32 and float64 (the operands' own), whether or not a compiler contracts products
and sums, and errs by at most 2 ulp, 3 for pow, erf_inv and tan. Numbers below the least
normal one may count as 0, as results and as operands.
"""

from collections.abc import Callable

from jax import Array

from lab.kernels.elementary.circular import cos, sin, tan
from lab.kernels.elementary.error import erf_inv
from lab.kernels.elementary.exponential import cosh, exp, exp2, expm1, logistic, sinh, tanh
from lab.kernels.elementary.logarithm import log, log1p
from lab.kernels.elementary.power import pow

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
    "erf_inv": erf_inv,
}

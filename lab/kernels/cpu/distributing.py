"""Sums in which a number is taken out of two terms, where that saves an operation.

`(c - x) + (k z) x` is two sums and two products, of which one can be part of a sum; of
`c + x (k z - 1)` both can. Losses with a product of coordinates have such slopes: Rosenbrock's step
of gradient descent takes five instructions so, not six. What is rounded differs by no more than
rounding x would do; where x is infinite, infinity may stand for NaN.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax
from jax.extend import core

from lab.kernels.cpu.fusing import multiplies
from lab.scalarize import Straight, aval, tidy

SUMS = ("add", "add_any")
SIGNS = {"sub": [(lax.sub, lax.add), (lax.add, lax.sub)], "add": [(lax.add, lax.add)] * 2}
"""Of a - b and a + b: with what sign b comes out of the other, and then a."""


class Common(NamedTuple):
    """`c + sign x + b x`, with its sign as a sum: `rest(x (b + sign), c)`."""

    x: Any
    b: Any
    c: Any
    unit: Any
    rest: Any


def distributed(straight: Straight) -> Straight:
    """The same function, such sums written with the number taken out."""
    jaxpr = straight.jaxpr
    found = _sums(jaxpr)
    if not found:
        return straight

    def rewritten(*values: Any) -> list[Any]:
        known = dict(zip(jaxpr.invars, values, strict=True))

        def read(atom: Any) -> Any:
            return atom.val if isinstance(atom, core.Literal) else known[atom]

        for equation in jaxpr.eqns:
            (out,) = equation.outvars
            if out in found:
                x, b, c, unit, rest = found[out]
                one = np.ones((), aval(out).dtype)
                known[out] = rest(lax.mul(read(x), unit(read(b), one)), read(c))
            else:
                operands = map(read, equation.invars)
                known[out] = equation.primitive.bind(*operands, **equation.params)
        return [read(atom) for atom in jaxpr.outvars]

    examples = [jax.ShapeDtypeStruct((), aval(var).dtype) for var in jaxpr.invars]
    return straight.with_jaxpr(lambda _: tidy(jax.make_jaxpr(rewritten)(*examples).jaxpr))


def _sums(jaxpr: core.Jaxpr) -> dict[core.Var, Common]:
    """Those sums, by their results."""
    atoms = [*jaxpr.outvars, *(atom for equation in jaxpr.eqns for atom in equation.invars)]
    uses = Counter(atom for atom in atoms if isinstance(atom, core.Var))
    once = {e.outvars[0]: e for e in jaxpr.eqns if uses[e.outvars[0]] == 1}
    found = {}
    for equation in jaxpr.eqns:
        (out,), name = equation.outvars, equation.primitive.name
        if name in SUMS and np.issubdtype(aval(out).dtype, np.floating):
            term, product = equation.invars
            common = _common(once, term, product) or _common(once, product, term)
            if common is not None:
                found[out] = common
    return found


def _common(once: Mapping[core.Var, core.JaxprEqn], term: Any, product: Any) -> Common | None:
    """What two terms of a sum have in common, if one is c - x, x - c or c + x, the other (u w) x.

    Args:
        once: the equations whose results are asked for once.
        term: the former.
        product: the latter.
    """
    both, whole = _equation(once, term), _equation(once, product)
    if both is None or whole is None or whole.primitive.name != "mul":
        return None
    if both.primitive.name not in SIGNS:
        return None
    first, second = both.invars
    ways = zip(SIGNS[both.primitive.name], [(second, first), (first, second)], strict=True)
    for (unit, rest), (x, c) in ways:
        for b, factor in (whole.invars, whole.invars[::-1]):
            within = _equation(once, b)
            if factor is x and isinstance(x, core.Var) and within is not None:
                if multiplies(within):
                    return Common(x, b, c, unit, rest)
    return None


def _equation(once: Mapping[core.Var, core.JaxprEqn], atom: Any) -> core.JaxprEqn | None:
    return once.get(atom) if isinstance(atom, core.Var) else None

"""Products in which what is the same for all lanes is multiplied first, once for all.

Optimizers scale what they have computed by one such number after another: a bias correction, a
schedule, a learning rate. As `learning_rate * ((m / correction) / root)` stands there, each is a
product for each lane; as `(learning_rate / correction) * (m / root)` all of them are one. Results
change by a few ulps, and where intermediate numbers over- or underflow.
"""

import operator
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend import core

from lab.kernels.loop import Loop
from lab.scalarize import Straight, aval, is_in, tidy


class Grouped:
    """`factor * value`, the factor the same for all lanes; no factor means 1."""

    def __init__(self, value: Any, factor: Any = None):
        self.value, self.factor = value, factor
        self._whole: Any = None

    @property
    def whole(self) -> Any:
        """The product, written once however often it is asked for."""
        if self.factor is None:
            return self.value
        if self._whole is None:
            self._whole = lax.mul(self.factor, self.value)
        return self._whole


def regrouped(loop: Loop) -> Straight:
    """All of the loop's step, with its products in that order."""
    by_lane, jaxpr = loop.by_lane, loop.whole.jaxpr

    def rewritten(*values: Any) -> list[Any]:
        known = {var: Grouped(value) for var, value in zip(jaxpr.invars, values, strict=True)}

        def read(atom: Any) -> Grouped:
            literal = isinstance(atom, core.Literal)
            return Grouped(np.asarray(atom.val, aval(atom).dtype)[()]) if literal else known[atom]

        for equation in jaxpr.eqns:
            (out,) = equation.outvars
            rule = RULES.get(equation.primitive.name)
            if (
                rule is None
                or out not in by_lane
                or not np.issubdtype(aval(out).dtype, np.floating)
            ):
                rule = plain
            marks = [is_in(by_lane, atom) for atom in equation.invars]
            known[out] = rule(equation, marks, *map(read, equation.invars))
        return [read(atom).whole for atom in jaxpr.outvars]

    examples = [jax.ShapeDtypeStruct((), aval(var).dtype) for var in jaxpr.invars]
    return loop.whole.with_jaxpr(lambda _: tidy(jax.make_jaxpr(rewritten)(*examples).jaxpr))


def plain(equation: core.JaxprEqn, by_lane: list[bool], *operands: Grouped) -> Grouped:
    """A primitive that knows nothing of factors."""
    values = [operand.whole for operand in operands]
    return Grouped(equation.primitive.bind(*values, **equation.params))


def mul(equation: core.JaxprEqn, by_lane: list[bool], a: Grouped, b: Grouped) -> Grouped:
    """C (f x) = (c f) x."""
    if all(by_lane):
        return plain(equation, by_lane, a, b)
    same, x = (b, a) if by_lane[0] else (a, b)
    factor = same.value if x.factor is None else joined(operator.mul, same.value, x.factor)
    return plain(equation, by_lane, a, b) if factor is None else Grouped(x.value, factor)


def div(equation: core.JaxprEqn, by_lane: list[bool], a: Grouped, b: Grouped) -> Grouped:
    """(f x) / c = (f / c) x, and (f x) / y = f (x / y)."""
    if not by_lane[0] or (all(by_lane) and a.factor is None):
        return plain(equation, by_lane, a, b)
    if by_lane[1]:
        return Grouped(lax.div(a.value, b.whole), a.factor)
    one = np.ones((), aval(equation.invars[1]).dtype)[()]
    factor = joined(operator.truediv, one if a.factor is None else a.factor, b.value)
    return plain(equation, by_lane, a, b) if factor is None else Grouped(a.value, factor)


def neg(equation: core.JaxprEqn, by_lane: list[bool], x: Grouped) -> Grouped:
    """-(f x) = (-f) x."""
    if x.factor is None:
        return plain(equation, by_lane, x)
    return Grouped(x.value, -x.factor)


def joined(operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """Two factors as one; None where both are known and what they make over- or underflows."""
    if isinstance(a, jax.core.Tracer) or isinstance(b, jax.core.Tracer):
        return operation(a, b)
    with np.errstate(all="ignore"):
        found = operation(a, b)
    return found if np.finfo(found.dtype).tiny <= abs(found) < np.inf else None


RULES: dict[str, Callable[..., Grouped]] = {"mul": mul, "div": div, "neg": neg}

"""Factors +-2^k carried along instead of multiplied: gradients are full of them.

A value is held as `factor * value`. Products multiply the factors, sums of equal factors keep
them, and a factor is multiplied in only where it must be: most end in a constant that is there
anyway, or in a fused multiply-add. Every change is exact, unless numbers over- or underflow.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import lax
from jax.extend import core

from lab.scalarize.boxes import aval


class Scaled(NamedTuple):
    """`factor * value`, the factor a power of two with a sign; 1 for what is no float."""

    value: Any
    factor: float = 1.0


def scaled(jaxpr: core.Jaxpr) -> core.Jaxpr:
    """The same jaxpr of scalars, with fewer products."""

    def rewritten(*values: Any) -> list[Any]:
        given = {var: Scaled(x) for var, x in zip(jaxpr.invars, values, strict=True)}

        def read(atom: Any) -> Scaled:
            known = isinstance(atom, core.Literal)
            return Scaled(np.asarray(atom.val, aval(atom).dtype)[()]) if known else given[atom]

        for equation in jaxpr.eqns:
            operands = [read(atom) for atom in equation.invars]
            rule = RULES.get(equation.primitive.name, plain)
            rule = rule if _is_float(aval(equation.invars[-1])) else plain
            given[equation.outvars[0]] = rule(equation, *operands)
        return [whole(read(atom)) for atom in jaxpr.outvars]

    examples = [jax.ShapeDtypeStruct((), aval(var).dtype) for var in jaxpr.invars]
    return jax.make_jaxpr(rewritten)(*examples).jaxpr


def whole(x: Scaled) -> Any:
    """The value with its factor multiplied in."""
    if x.factor == 1.0:
        return x.value
    if _known(x.value):
        return (x.value * np.asarray(x.factor, x.value.dtype))[()]
    if x.factor == -1.0:
        return lax.neg(x.value)
    return lax.mul(np.asarray(x.factor, x.value.dtype)[()], x.value)


def plain(equation: core.JaxprEqn, *operands: Scaled) -> Scaled:
    """A primitive that knows nothing of factors."""
    return Scaled(equation.primitive.bind(*map(whole, operands), **equation.params))


def neg(equation: core.JaxprEqn, x: Scaled) -> Scaled:
    """-(f x) = (-f) x."""
    return Scaled(x.value, -x.factor)


def mul(equation: core.JaxprEqn, a: Scaled, b: Scaled) -> Scaled:
    """(f x) (g y) = (f g) (x y); what multiplies a constant goes into it."""
    if _known(b.value):
        a, b = b, a
    factor = a.factor * b.factor
    if not _known(a.value):
        return Scaled(lax.mul(a.value, b.value), factor)
    if _power_of_two(float(a.value)):
        return Scaled(b.value, factor * float(a.value))
    return Scaled(lax.mul(whole(Scaled(a.value, factor)), b.value))


def div(equation: core.JaxprEqn, a: Scaled, b: Scaled) -> Scaled:
    """(f x) / (g y) = (f / g) (x / y)."""
    if _known(b.value) and _power_of_two(float(b.value)):
        return Scaled(a.value, a.factor / b.factor / float(b.value))
    return Scaled(lax.div(a.value, b.value), a.factor / b.factor)


def add(equation: core.JaxprEqn, a: Scaled, b: Scaled) -> Scaled:
    """F x + f y = f (x + y), and f x + g y = f (x + (g / f) y)."""
    if a.value is b.value and a.factor == b.factor:
        return Scaled(a.value, 2 * a.factor)
    if a.factor == b.factor:
        return Scaled(lax.add(a.value, b.value), a.factor)
    if a.factor == -b.factor:
        return Scaled(lax.sub(a.value, b.value), a.factor)
    if b.factor == 1.0:
        a, b = b, a
    return Scaled(lax.add(a.value, whole(Scaled(b.value, b.factor / a.factor))), a.factor)


def sub(equation: core.JaxprEqn, a: Scaled, b: Scaled) -> Scaled:
    """A sum with the opposite."""
    return add(equation, a, Scaled(b.value, -b.factor))


def integer_pow(equation: core.JaxprEqn, x: Scaled) -> Scaled:
    """(f x)^n = f^n x^n."""
    power = equation.params["y"]
    return Scaled(equation.primitive.bind(x.value, **equation.params), x.factor**power)


def square(equation: core.JaxprEqn, x: Scaled) -> Scaled:
    """(f x)^2 = f^2 x^2."""
    return Scaled(equation.primitive.bind(x.value), x.factor**2)


def magnitude(equation: core.JaxprEqn, x: Scaled) -> Scaled:
    """|f x| = |f| |x|."""
    return Scaled(equation.primitive.bind(x.value), abs(x.factor))


def select_n(equation: core.JaxprEqn, which: Scaled, *cases: Scaled) -> Scaled:
    """A selection of values of the same factor."""
    if len({case.factor for case in cases}) > 1:
        return plain(equation, which, *cases)
    values = (case.value for case in cases)
    return Scaled(equation.primitive.bind(which.value, *values), cases[0].factor)


RULES: dict[str, Callable[..., Scaled]] = {
    "neg": neg,
    "mul": mul,
    "div": div,
    "add": add,
    "add_any": add,
    "sub": sub,
    "integer_pow": integer_pow,
    "square": square,
    "abs": magnitude,
    "select_n": select_n,
}


def _known(value: Any) -> bool:
    return not isinstance(value, jax.core.Tracer)


def _is_float(kind: Any) -> bool:
    return kind.dtype in (np.float32, np.float64)


def _power_of_two(number: float) -> bool:
    return bool(np.isfinite(number)) and abs(np.frexp(number)[0]) == 0.5

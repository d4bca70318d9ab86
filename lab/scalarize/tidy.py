"""Equations that are needed, each once, and none that only adds 0, multiplies by 1, or by 2 twice.

Every change is exact, unless numbers over- or underflow on the way.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.extend import core

from lab.scalarize.boxes import aval

NEUTRAL = {"add": 0, "add_any": 0, "sub": 0, "mul": 1, "div": 1}
"""What changes nothing as the second operand (of a sum or a product, also as the first)."""

COMMUTES = ("add", "add_any", "mul")
SAME = ("copy", "copy_p", "stop_gradient")


def tidy(jaxpr: core.Jaxpr) -> core.Jaxpr:
    """The same jaxpr of scalars with fewer equations.

    `x + 0` counts as x although it turns -0 into 0; the two are equal.
    """
    same: dict[core.Var, Any] = {}
    first: dict[Any, core.Var] = {}
    made: dict[core.Var, core.JaxprEqn] = {}
    kept = []
    for equation in jaxpr.eqns:
        operands = [same.get(a, a) if isinstance(a, core.Var) else a for a in equation.invars]
        (result,) = equation.outvars
        shorter = _shortened(equation, operands)
        if shorter is not None:
            same[result] = shorter
            continue
        equation, operands = _scaled(equation, operands, made)
        made[result] = equation.replace(invars=operands)
        identity = (equation.primitive, _hashable(equation.params), *map(_identity, operands))
        if identity in first:
            same[result] = first[identity]
            continue
        first[identity] = result
        kept.append(made[result])
    outvars = [same.get(a, a) if isinstance(a, core.Var) else a for a in jaxpr.outvars]
    return needed(jaxpr.replace(eqns=kept, outvars=outvars))


def needed(jaxpr: core.Jaxpr) -> core.Jaxpr:
    """Without the equations that no result depends on."""
    wanted = {atom for atom in jaxpr.outvars if isinstance(atom, core.Var)}
    kept = []
    for equation in reversed(jaxpr.eqns):
        if wanted.intersection(equation.outvars):
            kept.append(equation)
            wanted.update(a for a in equation.invars if isinstance(a, core.Var))
    return jaxpr.replace(eqns=kept[::-1])


def _shortened(equation: core.JaxprEqn, operands: list[Any]) -> Any:
    """The operand that the result is equal to, or None."""
    name = equation.primitive.name
    if name in NEUTRAL:
        places = (1, 0) if name in COMMUTES else (1,)
        for place in places:
            if _is(operands[place], NEUTRAL[name]):
                return operands[1 - place]
    if name in SAME or (name == "integer_pow" and equation.params["y"] == 1):
        return operands[0]
    if name == "convert_element_type" and aval(operands[0]).dtype == equation.params["new_dtype"]:
        return operands[0]
    if name == "select_n" and len({_identity(case) for case in operands[1:]}) == 1:
        return operands[1]
    return None


def _scaled(
    equation: core.JaxprEqn, operands: list[Any], made: dict[core.Var, core.JaxprEqn]
) -> tuple[core.JaxprEqn, list[Any]]:
    """`a (b x)` as `(a b) x`, and `-(b x)` as `(-b) x`, where a or b is a power of two."""
    if equation.primitive.name == "neg":
        factor, x = -1.0, operands[0]
    else:
        factor, x = _factor(equation.primitive.name, operands)
    inner = made.get(x) if isinstance(x, core.Var) else None
    if factor is None or inner is None:
        return equation, operands
    other, x = _factor(inner.primitive.name, inner.invars)
    if other is None or not (_power_of_two(factor) or _power_of_two(other)):
        return equation, operands
    product = np.asarray(np.float64(factor) * np.float64(other), aval(x).dtype)
    literal = core.Literal(product[()], aval(x))
    return inner.replace(outvars=equation.outvars), [literal, x]


def _factor(name: str, operands: list[Any]) -> tuple[Any, Any]:
    """The constant and the other factor of a product of floats; (None, None) of all else."""
    if name == "mul" and np.issubdtype(aval(operands[0]).dtype, np.floating):
        for a, b in (operands, operands[::-1]):
            if isinstance(a, core.Literal) and isinstance(b, core.Var):
                return float(a.val), b
    return None, None


def _power_of_two(number: float) -> bool:
    return np.isfinite(number) and abs(np.frexp(number)[0]) == 0.5


def _is(atom: Any, value: float) -> bool:
    return isinstance(atom, core.Literal) and bool(np.all(np.asarray(atom.val) == value))


def _identity(atom: Any) -> Any:
    if isinstance(atom, core.Literal):
        value = np.asarray(atom.val)
        return (str(value.dtype), value.tobytes())
    return atom


def _hashable(parameters: dict[str, Any]) -> Any:
    return tuple(sorted((key, repr(value)) for key, value in parameters.items()))


def inlined(jaxpr: core.Jaxpr, body: Callable[[core.JaxprEqn], Any]) -> core.Jaxpr:
    """The jaxpr, each equation for which `body` gives a function in scalars replaced by its own."""

    def replaced(*values: Any) -> list[Any]:
        given = dict(zip(jaxpr.invars, values, strict=True))

        def read(atom: Any) -> Any:
            return atom.val if isinstance(atom, core.Literal) else given[atom]

        for equation in jaxpr.eqns:
            operands, inner = [read(atom) for atom in equation.invars], body(equation)
            (result,) = equation.outvars
            if inner is None:
                given[result] = equation.primitive.bind(*operands, **equation.params)
            else:
                (given[result],) = inner(*operands)
        return [read(atom) for atom in jaxpr.outvars]

    examples = [jax.ShapeDtypeStruct((), aval(var).dtype) for var in jaxpr.invars]
    return tidy(jax.make_jaxpr(replaced)(*examples).jaxpr)

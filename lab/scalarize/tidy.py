"""Equations that are needed, each once, and none that only adds 0 or multiplies by 1."""

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
    kept = []
    for equation in jaxpr.eqns:
        operands = [same.get(a, a) if isinstance(a, core.Var) else a for a in equation.invars]
        (result,) = equation.outvars
        shorter = _shortened(equation, operands)
        if shorter is not None:
            same[result] = shorter
            continue
        parameters = tuple(sorted(equation.params))
        values = map(_hashable, (equation.params[name] for name in parameters))
        identity = (equation.primitive, parameters, *values, *map(_identity, operands))
        if identity in first:
            same[result] = first[identity]
            continue
        first[identity] = result
        kept.append(equation.replace(invars=operands))
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


def _is(atom: Any, value: float) -> bool:
    return isinstance(atom, core.Literal) and bool(np.all(np.asarray(atom.val) == value))


def _identity(atom: Any) -> Any:
    if isinstance(atom, core.Literal):
        value = np.asarray(atom.val)
        return (str(value.dtype), value.tobytes())
    return atom


def _hashable(value: Any) -> Any:
    """What equal values have in common; both text and value, for 1 is True."""
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return repr(value), value


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

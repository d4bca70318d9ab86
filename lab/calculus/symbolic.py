"""Formulas as SymPy's expressions: differentiated by rules, then turned into NumPy or JAX code.

SymPy is an extra: `pip install 'gradient-descent-lab[symbolic]'`.
"""

import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

from lab.calculus.functions import Function
from lab.errors import LabError

SAME_NAME = (
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "sqrt"),
    *("asin", "acos", "atan", "asinh", "acosh", "atanh", "erf"),
)
OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "negative": operator.neg,
}


def sympy() -> ModuleType:
    """The module.

    Raises:
        LabError: what is missing and how to install it.
    """
    try:
        import sympy
    except ImportError:
        told = "symbolic derivatives need SymPy, which is not installed: "
        raise LabError(told + "pip install 'gradient-descent-lab[symbolic]'") from None
    return sympy


def symbol() -> Any:
    """The variable x of the expressions."""
    return sympy().Symbol("x", real=True)


def expression(f: Function, x: Any) -> Any:
    """The formula at x, which may be an expression itself. The text is not evaluated.

    Raises:
        LabError: without SymPy, and for what has no counterpart in it.
    """
    module, stack = sympy(), list[Any]()
    for step in f.expression.program:
        values = stack[len(stack) - step.count :]
        del stack[len(stack) - step.count :]
        if step.kind == "constant":
            stack.append(module.nsimplify(step.what, rational=True))
        elif step.kind == "variable":
            stack.append(x)
        elif step.kind == "power":
            stack.append(values[0] ** values[1])
        elif step.kind == "apply" and step.what in OPERATORS:
            stack.append(OPERATORS[step.what](*values))
        elif step.kind == "apply" and step.what in SAME_NAME:
            stack.append(getattr(module, step.what)(*values))
        else:
            raise LabError(f"{f.text!r} holds {step.what!r}, which is not turned into SymPy")
    return stack.pop()


def compiled(written: Any, x: Any, target: str) -> Callable[[Any], Any]:
    """An expression as a function of x, in NumPy (of arrays) or in JAX (`target`)."""
    return sympy().lambdify(x, written, modules=target, cse=True)


def exactly(value: float) -> Any:
    """A binary number as the fraction that it is."""
    return sympy().Rational(*value.as_integer_ratio())

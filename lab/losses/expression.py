"""A formula as data: text -> syntax tree -> a flat list of instructions for a stack of arrays.

Nothing of the text is ever run as Python. Python's own `ast.parse` reads it, every node must be one
of a few kinds, constants are folded as floats, length and depth are limited, and no step recurses:
no text, however long, deep or large its numbers, runs code, hangs or exhausts memory.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp

from lab.losses.base import Point, Scalar

HIGHEST_POWER = 1024  # whole powers beyond it are taken by logarithms


def _fold(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda *values: reduce(function, values)


def _power(base: Any, exponent: Any) -> Any:
    if type(exponent) is int and abs(exponent) <= HIGHEST_POWER:
        return _array(base) ** exponent  # a product: right at 0 and below it, slopes too
    return jnp.power(_array(base), _array(exponent))


def _array(value: Any) -> Any:
    return jnp.asarray(float(value)) if type(value) in (int, float) else value


_SAME_NAME = (
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "expm1", "log", "log1p", "log2", "log10"),
    *("sqrt", "cbrt", "abs", "sign", "floor", "ceil"),
)

# name: (function, fewest arguments, most arguments)
FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    **{name: (getattr(jnp, name), 1, 1) for name in _SAME_NAME},
    "asin": (jnp.arcsin, 1, 1),
    "acos": (jnp.arccos, 1, 1),
    "atan": (jnp.arctan, 1, 1),
    "asinh": (jnp.arcsinh, 1, 1),
    "acosh": (jnp.arccosh, 1, 1),
    "atanh": (jnp.arctanh, 1, 1),
    "atan2": (jnp.arctan2, 2, 2),
    "erf": (jax.scipy.special.erf, 1, 1),
    "sigmoid": (jax.nn.sigmoid, 1, 1),
    "softplus": (jax.nn.softplus, 1, 1),
    "relu": (lambda x: jnp.where(x > 0, x, 0.0), 1, 1),
    "min": (_fold(jnp.minimum), 2, 100),
    "max": (_fold(jnp.maximum), 2, 100),
    "where": (jnp.where, 3, 3),
}

COMPARISONS: dict[str, Callable[..., Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "negative": operator.neg,
    "and": _fold(jnp.logical_and),
    "or": _fold(jnp.logical_or),
    "not": jnp.logical_not,
    **{name: function for name, (function, _, _) in FUNCTIONS.items()},
}


@dataclass(frozen=True)
class Instruction:
    """One step: push a constant, a coordinate or a parameter, or apply something to the last ones.

    `kind` is "constant", "variable", "parameter", "apply", "power" or "compare"; `what` is the
    number, index, name, or (for a chain of comparisons) signs; `count` is how many values it takes.
    """

    kind: str
    what: Any
    count: int = 0


@dataclass(frozen=True)
class Expression:
    """A formula ready to be evaluated: a loss function `f(x, **parameters)`.

    Equal formulas are equal and hash alike, so a compiled program is found again.
    """

    program: tuple[Instruction, ...]
    dimension: int
    names: tuple[str, ...]  # parameters, in order of appearance

    def __call__(self, x: Point, **parameters: Any) -> Scalar:
        """The formula's value at one point."""
        stack: list[Any] = []
        for step in self.program:
            values = stack[len(stack) - step.count :]
            del stack[len(stack) - step.count :]
            stack.append(_value(step, x, parameters, values))
        return jnp.asarray(stack.pop(), x.dtype)


def _value(step: Instruction, x: Any, parameters: Mapping[str, Any], values: list[Any]) -> Any:
    match step.kind:
        case "constant":
            return step.what
        case "variable":
            return x[step.what]
        case "parameter":
            return parameters[step.what]
        case "power":
            return _power(*values)
        case "compare":
            return _compare(step.what, [_array(value) for value in values])
        case _:
            return OPERATORS[step.what](*[_array(value) for value in values])


def _compare(signs: tuple[str, ...], values: list[Any]) -> Any:
    """A chain a < b <= c, each operand evaluated once."""
    pairs = zip(signs, values, values[1:], strict=False)
    return reduce(jnp.logical_and, [COMPARISONS[sign](a, b) for sign, a, b in pairs])


def is_variable(name: str) -> bool:
    """Whether a name stands for a coordinate: x, y, z, or x1, x2, ... ."""
    return name in ("x", "y", "z") or re.fullmatch(r"x[1-9][0-9]*", name) is not None

"""Losses written as text: `formula("x**2 + a*y**2", a=3.0)`. Parsed, never evaluated as Python."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from lab.errors import Fault, SpecError, nearest
from lab.losses.base import Loss, proven
from lab.losses.expression import FUNCTIONS, is_variable
from lab.losses.parse import CONSTANTS, FormulaError, parse
from lab.losses.values import Signature, resolve


def formula(text: str, /, **parameters: Any) -> Loss:
    """A loss from a formula in the variables x, y, z or x1 ... xn.

    The dimension is what the formula names: the highest of x, y, z, or n. All other names but pi
    and e are parameters, each of which must be given (a 1-D array: values to compare). Whole
    powers are products, so x**2 has the right slope everywhere. As in JAX itself, both branches
    of `where` are computed: a branch whose slope is not finite spoils the gradient of the other.

    Args:
        text: The formula.
        **parameters: A value for each other name.

    Returns:
        The loss; its box and minima are unknown.

    Example:
        >>> float(formula("x**2 + a*y**2", a=3.0)([1.0, 2.0]))
        13.0
    """
    return from_table(text, parameters)


def from_table(text: Any, parameters: Mapping[str, Any]) -> Loss:
    """The same from a mapping, whose faults stand under `formula` or the parameter's name."""
    given = {unicodedata.normalize("NFKC", name): value for name, value in parameters.items()}
    faults = [Fault((name,), _taken(name)) for name in given if _taken(name)]
    if not isinstance(text, str):
        raise SpecError([Fault(("formula",), f"must be a text, not {text!r:.60}"), *faults])
    try:
        expression = parse(text, given)
    except FormulaError as error:
        raise SpecError([*(Fault(("formula",), m) for m in error.messages), *faults]) from None
    named = expression.names
    for name in given:
        if name not in named and not _taken(name):
            faults.append(Fault((name,), _unused(name, named, expression.dimension)))
    signature = Signature(dict.fromkeys(named, 0))
    own = {name: value for name, value in given.items() if name in named}
    values, swept, more = resolve("the formula", signature, own)
    if faults or more:
        raise SpecError([*faults, *more])
    shown = " ".join(text.split())
    return proven(
        Loss("formula", expression, values, expression.dimension, formula=shown, swept=swept)
    )


def _taken(name: str) -> str:
    if is_variable(name):
        return f"{name!r} is a variable of formulas; give the parameter another name"
    if name in CONSTANTS:
        return f"{name!r} is a constant of formulas; give the parameter another name"
    if name in FUNCTIONS:
        return f"{name!r} is a function of formulas; give the parameter another name"
    return ""


def _unused(name: str, named: tuple[str, ...], dimension: int) -> str:
    if name == "dimension":
        return f"a formula's dimension is what it names, here {dimension}; leave this out"
    return f"is not in the formula{nearest(name, named) or '; it has no parameters'}"

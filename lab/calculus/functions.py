"""Functions of one or a few numbers, written as text: `function("x**2 + 2*x + 2")(-1.0)`."""

import re
from dataclasses import dataclass

import jax.numpy as jnp

from lab.errors import Fault, SpecError
from lab.losses.base import Scalar
from lab.losses.expression import Expression
from lab.losses.parse import FormulaError, parse

_RAISED = str.maketrans("0123456789-+n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ")


@dataclass(frozen=True)
class Function:
    """A formula as a function of its variables, each a number: x, or x and y, or x, y and z.

    Equal formulas are equal and hash alike, so a compiled program is found again.
    """

    text: str
    expression: Expression

    @property
    def dimension(self) -> int:
        """How many variables it takes."""
        return self.expression.dimension

    @property
    def label(self) -> str:
        """The formula as a figure shows it: `3x² − 4·sin(x)`."""
        raised = re.sub(r"\s*\*\*\s*(-?\d+)", lambda found: found[1].translate(_RAISED), self.text)
        raised = re.sub(r"\s*\*\*\s*", "^", raised)
        joined = re.sub(r"(?<=\d)\s*\*\s*(?=[xyz](?![a-z]))", "", raised)
        return re.sub(r"\s*\*\s*", "·", joined).replace("-", "\N{MINUS SIGN}")

    def __call__(self, *variables: Scalar) -> Scalar:
        """The value at one point, in the precision of the first variable.

        Raises:
            TypeError: when there are more or fewer variables than the formula has.
        """
        if len(variables) != self.dimension:
            told = f"{self.text!r} takes {self.dimension} variables, not {len(variables)}"
            raise TypeError(told)
        return self.expression(jnp.stack([jnp.asarray(v) for v in variables]))


def function(text: str) -> Function:
    """A function from its formula, in the variables x, y, z or x1 ... xn.

    What a formula may hold is said at `lab.losses.formula`; it has no parameters here.

    Raises:
        SpecError: with all that is wrong with the text.

    Example:
        >>> float(function("x**2 + 2*x + 2")(-1.0))
        1.0
    """
    try:
        expression = parse(text)
    except FormulaError as error:
        raise SpecError([Fault((), message) for message in error.messages]) from None
    return Function(" ".join(text.split()), expression)

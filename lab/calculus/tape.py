"""Automatic differentiation in two modes: backwards along a tape, forwards by dual numbers.

A function is written once, with Python's operators and the functions of this file. Given numbers
it gives its value; given the `Node`s of a `Tape` it leaves a record, along which `Tape.adjoints`
carries the derivative of one output back to everything before it; given `Dual`s it carries the
derivative along one direction with the value. Both modes share one table of local derivatives.

Nothing here knows JAX or NumPy. Values are whatever the operators and the chosen library take:
floats with `math`, arrays of many lanes at once with `numpy`, numbers that count their operations.

    >>> tape = Tape()
    >>> x, y = tape.variable(3.0), tape.variable(2.0)
    >>> adjoints = tape.adjoints(x * y + sin(x * 0))
    >>> adjoints[x.index], adjoints[y.index]
    (2.0, 3.0)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

Value = Any
Local = Callable[..., Value]


@dataclass(frozen=True)
class Rule:
    """An operation v = value(m, a, ...), m a library, and dv/da = partials[i](m, v, a, ...)."""

    value: Local
    partials: tuple[Local, ...]


RULES = {
    "+": Rule(lambda m, a, b: a + b, (lambda m, v, a, b: 1.0, lambda m, v, a, b: 1.0)),
    "-": Rule(lambda m, a, b: a - b, (lambda m, v, a, b: 1.0, lambda m, v, a, b: -1.0)),
    "*": Rule(lambda m, a, b: a * b, (lambda m, v, a, b: b, lambda m, v, a, b: a)),
    "/": Rule(lambda m, a, b: a / b, (lambda m, v, a, b: 1.0 / b, lambda m, v, a, b: -v / b)),
    "**": Rule(
        lambda m, a, b: a**b,
        (lambda m, v, a, b: b * a ** (b - 1), lambda m, v, a, b: v * m.log(a)),
    ),
    "negative": Rule(lambda m, a: -a, (lambda m, v, a: -1.0,)),
    "sin": Rule(lambda m, a: m.sin(a), (lambda m, v, a: m.cos(a),)),
    "cos": Rule(lambda m, a: m.cos(a), (lambda m, v, a: -m.sin(a),)),
    "exp": Rule(lambda m, a: m.exp(a), (lambda m, v, a: v,)),
    "log": Rule(lambda m, a: m.log(a), (lambda m, v, a: 1.0 / a,)),
    "sqrt": Rule(lambda m, a: m.sqrt(a), (lambda m, v, a: 0.5 / v,)),
    "tanh": Rule(lambda m, a: m.tanh(a), (lambda m, v, a: 1.0 - v * v,)),
}
"""Every operation that can be differentiated; a constant argument's partial is never taken."""


class Number:
    """What takes part in arithmetic: `_apply` does an operation of `RULES` to its arguments."""

    __array_ufunc__ = None  # an array on the left leaves the operation to us
    _apply: Callable[..., "Number"]

    def __add__(self, other: Value) -> "Number":
        return self._apply("+", self, other)

    def __radd__(self, other: Value) -> "Number":
        return self._apply("+", other, self)

    def __sub__(self, other: Value) -> "Number":
        return self._apply("-", self, other)

    def __rsub__(self, other: Value) -> "Number":
        return self._apply("-", other, self)

    def __mul__(self, other: Value) -> "Number":
        return self._apply("*", self, other)

    def __rmul__(self, other: Value) -> "Number":
        return self._apply("*", other, self)

    def __truediv__(self, other: Value) -> "Number":
        return self._apply("/", self, other)

    def __rtruediv__(self, other: Value) -> "Number":
        return self._apply("/", other, self)

    def __pow__(self, other: Value) -> "Number":
        return self._apply("**", self, other)

    def __neg__(self) -> "Number":
        return self._apply("negative", self)


def call(name: str, x: Value) -> Value:
    """An elementary function by its name in `RULES`, of a `Number` or a plain float."""
    return x._apply(name, x) if isinstance(x, Number) else getattr(math, name)(x)


sin, cos, exp, log, sqrt, tanh = (
    partial(call, name) for name in ("sin", "cos", "exp", "log", "sqrt", "tanh")
)


class Tape:
    """What was computed, in order: for each node its value, and its edges to what it came from.

    Attributes:
        library: has sin, cos, exp, ... for the values: `math`, `numpy`, or one's own.
        values: of every node.
        edges: of every node, (index of an argument, local derivative with respect to it).
    """

    def __init__(self, library: Any = math):
        self.library = library
        self.values: list[Value] = []
        self.edges: list[tuple[tuple[int, Value], ...]] = []

    def variable(self, value: Value) -> "Node":
        """A new input."""
        return self._append(value, ())

    def operate(self, name: str, *arguments: Value) -> "Node":
        """Do an operation, and remember its local derivatives."""
        rule, m = RULES[name], self.library
        plain = [each.value if isinstance(each, Node) else each for each in arguments]
        value = rule.value(m, *plain)
        edges = [
            (each.index, local(m, value, *plain))
            for each, local in zip(arguments, rule.partials, strict=True)
            if isinstance(each, Node)
        ]
        return self._append(value, tuple(edges))

    def adjoints(self, output: "Node") -> list[Value]:
        """D output / d node for every node: adjoint(a) = sum over uses v of adjoint(v) dv/da.

        Nodes that the output does not depend on have adjoint 0.
        """
        return self.walk_back([output], [1.0])

    def walk_back(self, outputs: Sequence["Node"], seeds: Sequence[Value]) -> list[Value]:
        """D (sum of seed x output) / d node for every node, by one walk from the last to the first.

        What no output depends on is passed by.
        """
        found: list[Value] = [None] * len(self.values)

        def add(index: int, term: Value) -> None:
            found[index] = term if found[index] is None else found[index] + term

        for output, seed in zip(outputs, seeds, strict=True):
            add(output.index, seed)
        for index in reversed(range(len(found))):
            if found[index] is not None:
                for argument, local in self.edges[index]:
                    add(argument, found[index] * local)
        return [0.0 if adjoint is None else adjoint for adjoint in found]

    def _append(self, value: Value, edges: tuple[tuple[int, Value], ...]) -> "Node":
        self.values.append(value)
        self.edges.append(edges)
        return Node(self, len(self.values) - 1)


class Node(Number):
    """A place on a tape."""

    def __init__(self, tape: Tape, index: int):
        self.tape, self.index = tape, index

    @property
    def value(self) -> Value:
        """What was computed there."""
        return self.tape.values[self.index]

    def _apply(self, name: str, *arguments: Value) -> Number:  # type: ignore[override]
        return self.tape.operate(name, *arguments)


class Dual(Number):
    """value + tangent epsilon with epsilon^2 = 0: a value, and its derivative along a direction."""

    def __init__(self, value: Value, tangent: Value, library: Any = math):
        self.value, self.tangent, self.library = value, tangent, library

    def _apply(self, name: str, *arguments: Value) -> Number:  # type: ignore[override]
        rule, m = RULES[name], self.library
        plain = [each.value if isinstance(each, Dual) else each for each in arguments]
        value = rule.value(m, *plain)
        terms = [
            each.tangent * local(m, value, *plain)
            for each, local in zip(arguments, rule.partials, strict=True)
            if isinstance(each, Dual)
        ]
        return Dual(value, sum(terms[1:], terms[0]), m)


def reverse(
    f: Callable[..., Any], *inputs: Value, library: Any = math, number: Local = float
) -> list[list[Value]]:
    """The Jacobian of f by one recording and one walk back per output: rows are outputs.

    Args:
        f: of as many numbers as there are inputs, giving a list of numbers.
        *inputs: where.
        library: of the functions of the values.
        number: makes one of the values of a float.
    """
    tape = Tape(library)
    variables = [tape.variable(value) for value in inputs]
    outputs = f(*variables)
    rows = [tape.walk_back(outputs, unit(row, len(outputs), number)) for row in range(len(outputs))]
    return [row[: len(variables)] for row in rows]


def forward(
    f: Callable[..., Any], *inputs: Value, library: Any = math, number: Local = float
) -> list[list[Value]]:
    """The Jacobian of f by one pass of dual numbers per input: rows are outputs.

    Args:
        f: of as many numbers as there are inputs, giving a list of numbers.
        *inputs: where.
        library: of the functions of the values.
        number: makes one of the values of a float.
    """
    columns = []
    for column in range(len(inputs)):
        directions = unit(column, len(inputs), number)
        given = [Dual(v, d, library) for v, d in zip(inputs, directions, strict=True)]
        columns.append([output.tangent for output in f(*given)])
    return [list(row) for row in zip(*columns, strict=True)]


def unit(place: int, length: int, number: Local) -> list[Value]:
    """The unit vector with its one at a place."""
    return [number(float(index == place)) for index in range(length)]

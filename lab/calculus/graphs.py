"""Computation graphs: named steps, each a formula of earlier ones, walked forth and back on a tape.

`graph(inputs, steps)` reads the formulas with the parser of `lab.losses.formula` (nothing of the
text is run as Python); `Graph.walk` puts them on a tape of `lab.calculus.tape`, and `Graph.last`
evaluates them with JAX, so that the two can be held against each other.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.calculus.tape import RULES, Tape
from lab.errors import Fault, SpecError
from lab.losses.base import Scalar
from lab.losses.expression import FUNCTIONS, Expression
from lab.losses.parse import CONSTANTS, FormulaError, parse

OPERATIONS = {"power": "**"}
"""Kinds of instructions that are operations of the tape under another name."""


@dataclass(frozen=True)
class Step:
    """A node that is computed: its formula, what it takes in order of appearance, and its text."""

    name: str
    takes: tuple[str, ...]
    expression: Expression
    text: str


@dataclass(frozen=True)
class Walk:
    """Values and adjoints of all named nodes, and the local derivative along each edge."""

    values: dict[str, Any]
    adjoints: dict[str, Any]
    partials: dict[tuple[str, str], Any]
    operations: int


@dataclass(frozen=True)
class Graph:
    """Inputs by name, and steps in order; the last one is the output."""

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]

    def walk(self, inputs: Sequence[Any], library: Any) -> Walk:
        """Forth and back on one tape.

        Args:
            inputs: a value for each input, floats or arrays of lanes.
            library: `math` for floats, `numpy` for arrays.
        """
        tape = Tape(library)
        nodes = {name: tape.variable(v) for name, v in zip(self.inputs, inputs, strict=True)}
        partials: dict[tuple[str, str], Any] = {}
        for step in self.steps:
            nodes[step.name] = on_tape(step.expression, tape, [nodes[name] for name in step.takes])
            own = Tape(library)
            given = [own.variable(nodes[name].value) for name in step.takes]
            slopes = own.adjoints(on_tape(step.expression, own, given))
            partials |= {
                (name, step.name): slopes[node.index]
                for name, node in zip(step.takes, given, strict=True)
            }
        adjoints = tape.adjoints(nodes[self.steps[-1].name])
        return Walk(
            {name: node.value for name, node in nodes.items()},
            {name: adjoints[node.index] for name, node in nodes.items()},
            partials,
            len(tape.values) - len(self.inputs),
        )

    def last(self, inputs: Any) -> Scalar:
        """The output with JAX's arithmetic; `inputs` is an array, one number an input."""
        import jax.numpy as jnp

        values = dict(zip(self.inputs, inputs, strict=True))
        for step in self.steps:
            values[step.name] = step.expression(jnp.stack([values[n] for n in step.takes]))
        return values[self.steps[-1].name]


def on_tape(expression: Expression, tape: Tape, variables: Sequence[Any]) -> Any:
    """A formula's value as a node of the tape."""
    stack: list[Any] = []
    for step in expression.program:
        taken = stack[len(stack) - step.count :]
        del stack[len(stack) - step.count :]
        match step.kind:
            case "constant":
                stack.append(step.what)
            case "variable":
                stack.append(variables[step.what])
            case _:
                stack.append(tape.operate(OPERATIONS.get(step.kind, step.what), *taken))
    return stack.pop()


def graph(inputs: Mapping[str, Any], steps: Mapping[str, str]) -> Graph:
    """A graph from the names of its inputs and the formulas of its steps, in order.

    Raises:
        SpecError: with what is wrong with a name or a formula, and where.

    Example:
        >>> import math
        >>> walk = graph({"x": 3.0}, {"a": "x**2", "f": "sin(a) + x"}).walk([3.0], math)
        >>> walk.adjoints["x"] == math.cos(9) * 6 + 1
        True
    """
    faults = [
        Fault((table, name), f"{name!r} cannot name a node: {why}")
        for table, names in (("inputs", inputs), ("steps", steps))
        for name in names
        if (why := _wrong(name, inputs if table == "steps" else ()))
    ]
    known, made = list(inputs), []
    for name, text in steps.items():
        try:
            made.append(_step(name, text, known))
        except FormulaError as error:
            faults += [Fault(("steps", name), message) for message in error.messages]
        known.append(name)
    if not steps or not inputs:
        faults.append(Fault((), "a graph needs at least one input and one step"))
    used = {name for step in made for name in step.takes}
    for table, names in (("inputs", list(inputs)), ("steps", list(steps)[:-1])):
        faults += [
            Fault((table, name), "is used by no later step") for name in names if name not in used
        ]
    if faults:
        raise SpecError(faults)
    return Graph(tuple(inputs), tuple(made))


def _wrong(name: str, taken: Any) -> str:
    if not name.isidentifier():
        return "a name is made of letters, digits and _"
    if name in FUNCTIONS or name in CONSTANTS:
        return "formulas know it already"
    return "it names an input already" if name in taken else ""


def _step(name: str, text: str, known: Sequence[str]) -> Step:
    words = re.findall(r"[^\W\d]\w*", text)
    strangers = [word for word in words if word not in {*known, *FUNCTIONS, *CONSTANTS}]
    if strangers:
        told = f"names {strangers[0]!r}, which is neither an input nor an earlier step"
        raise FormulaError([told])
    takes = tuple(dict.fromkeys(word for word in words if word in known))
    if not takes:
        raise FormulaError(["names no input or earlier step"])
    places = {word: f"x{place}" for place, word in enumerate(takes, 1)}
    numbered = re.sub(r"[^\W\d]\w*", lambda found: places.get(found[0], found[0]), text)
    expression = parse(numbered)
    for instruction in expression.program:
        operation = OPERATIONS.get(instruction.kind, instruction.what)
        if instruction.kind not in ("constant", "variable") and operation not in RULES:
            raise FormulaError([f"the tape has no rule for {operation}"])
    return Step(name, takes, expression, " ".join(text.split()))

"""The text of a formula -> an `Expression`, or all that is wrong with the text.

What is allowed: numbers, names, + - * / **, parentheses, the functions of `expression.FUNCTIONS`,
and, as the first argument of `where`, comparisons joined by `and`, `or`, `not`.
"""

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lab.errors import nearest
from lab.losses.expression import FUNCTIONS, HIGHEST_POWER, Expression, Instruction, is_variable

LONGEST = 4000  # characters
DEEPEST = 250  # operations one inside another: XLA compiles long chains slowly
TOO_DEEP = f"is nested too deeply; at most {DEEPEST} operations may stand inside one another"
CONSTANTS = {"pi": math.pi, "e": math.e}
SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
UNARY = {ast.USub: "negative", ast.UAdd: "plus", ast.Not: "not"}
JOINING = {ast.And: "and", ast.Or: "or"}
ON_CONSTANTS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "negative": operator.neg,
}
ALLOWED = (
    "a formula holds only numbers, names, + - * / **, functions, and comparisons "
    "(with and, or, not) as the first argument of where"
)
STRANGERS: dict[type[ast.AST], str] = {
    ast.IfExp: "a choice is written where(condition, a, b)",
    ast.Attribute: "a name has no dots; write sin(x), not math.sin(x)",
    ast.Tuple: "a comma stands only between the arguments of a function",
    ast.BinOp: "of the operators only + - * / ** are allowed",
    ast.Compare: "of the comparisons only < <= > >= == != are allowed",
    ast.UnaryOp: "of the signs only + and - are allowed",
}
HINTS = {
    "^": "a power is written x**2",
    "²": "a power is written x**2",
    "³": "a power is written x**3",
    "·": "a product is written x*y",
    "\u2212": "minus is written -",
    "[": "coordinates are written x1, x2, ...",
}


class FormulaError(ValueError):
    """All that is wrong in the text of a formula: sentences, with their columns."""

    def __init__(self, messages: list[str]):
        """Keep each message once."""
        self.messages = tuple(dict.fromkeys(messages))
        super().__init__("\n".join(self.messages))


def parse(text: str, known: Collection[str] = ()) -> Expression:
    """Read a formula; `known` are the names of the parameters that come with it."""
    reader = _Reader(text, known)
    reader.read(_tree(text))
    dimension = reader.dimension()
    if reader.messages:
        raise FormulaError(reader.messages)
    return Expression(tuple(reader.program), dimension, tuple(reader.parameters))


def _tree(text: str) -> ast.expr:
    if not text.strip():
        raise FormulaError(["is empty; write for example (1 - x)**2 + 100*(y - x**2)**2"])
    if len(text) > LONGEST:
        raise FormulaError([f"is {len(text)} characters long; at most {LONGEST} are allowed"])
    for column, letter in enumerate(text, 1):
        if not (letter.isalpha() or letter in "0123456789_.+-*/()<>=!, \t\r\n"):
            hint = HINTS.get(letter, ALLOWED)
            raise FormulaError([f"does not know {letter!r} (column {column}); {hint}"])
    line = re.sub(r"\s", " ", text)
    try:
        with warnings.catch_warnings():  # Python warns of texts such as "1if x"
            warnings.simplefilter("ignore")
            return ast.parse(line.lstrip(), mode="eval").body
    except SyntaxError as error:
        column = (error.offset or 1) + _indent(text)
        why = (error.msg or "invalid syntax").split(". ")[0]
        hint = "a product is written 2*x, a power x**2"
        raise FormulaError([f"cannot be read: {why} (column {column}); {hint}"]) from None
    except (RecursionError, MemoryError, ValueError):
        raise FormulaError([TOO_DEEP]) from None


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


@dataclass
class _Reader:
    """Walks the tree, children first, and keeps numbers and conditions apart."""

    text: str
    known: Collection[str]
    program: list[Instruction] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)  # what lies on the stack: number or condition
    variables: set[str] = field(default_factory=set)
    parameters: dict[str, None] = field(default_factory=dict)  # a set that keeps its order
    messages: list[str] = field(default_factory=list)

    def read(self, tree: ast.expr) -> None:
        todo: list[tuple[ast.expr, int, int | None]] = [(tree, 0, None)]
        while todo:
            node, depth, children = todo.pop()
            if depth > DEEPEST:
                raise FormulaError([TOO_DEEP])
            if children is None:
                below = self._children(node)
                todo.append((node, depth, len(below)))
                todo += [(child, depth + 1, None) for child in reversed(below)]
            else:
                self._emit(node, children)
        self._want(tree, "number", self.kinds)

    def dimension(self) -> int:
        """How many coordinates the variables make; a message where they make none."""
        plain = [name for name in "xyz" if name in self.variables]
        numbered = sorted(int(name[1:]) for name in self.variables if len(name) > 1)
        missing = next((i for i, n in enumerate(numbered, 1) if i != n), None)
        if plain and numbered:
            both = f"{plain[0]} and x{numbered[0]}"
            self.messages.append(f"mixes {both}; variables are either x, y, z or x1, x2, ...")
        elif missing:
            self.messages.append(f"names x{numbered[-1]} but not x{missing}; leave no gaps")
        elif not self.variables and not self.messages:
            self.messages.append("names no variable; variables are x, y, z or x1, x2, ...")
        return len(numbered) or max((" xyz".index(name) for name in plain), default=0)

    def _say(self, node: ast.expr, sentence: str) -> None:
        before = self.text.lstrip().encode()[: node.col_offset].decode()  # Python counts bytes
        self.messages.append(f"{sentence} (column {len(before) + 1 + _indent(self.text)})")

    def _children(self, node: ast.expr) -> list[ast.expr]:
        match node:
            case ast.Constant() | ast.Name():
                return []
            case ast.BinOp() if type(node.op) in BINARY:
                return [node.left, node.right]
            case ast.UnaryOp() if type(node.op) in UNARY:
                return [node.operand]
            case ast.BoolOp():
                return node.values
            case ast.Compare() if all(type(op) in SIGNS for op in node.ops):
                return [node.left, *node.comparators]
            case ast.Call():
                return node.args if self._is_call(node) else []
        self._say(node, f"cannot be read: {STRANGERS.get(type(node), ALLOWED)}")
        return []

    def _is_call(self, node: ast.Call) -> bool:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            product = not name or is_variable(name) or name in {*self.known, *CONSTANTS}
            told = "; a product is written 2*(x + 1)" if product else nearest(name, FUNCTIONS)
            what = repr(name) if name else "something"
            self._say(node, f"calls {what}, which is not a function{told}")
            return False
        _, fewest, most = FUNCTIONS[name]
        if node.keywords or not fewest <= len(node.args) <= most:
            wanted = fewest if fewest == most else f"{fewest} or more"
            self._say(node, f"{name} takes {wanted} argument{'s' * (most > 1)}, without names")
            return False
        return True

    def _emit(self, node: ast.expr, count: int) -> None:
        kinds = [self.kinds.pop() for _ in range(count)][::-1]
        kind = "number"
        match node:
            case ast.Constant():
                self._constant(node, node.value)
            case ast.Name():
                self._name(node, node.id)
            case ast.BinOp() if count:
                self._want(node, "number", kinds)
                self._operate(node, BINARY[type(node.op)], count)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                self._want(node, "number", kinds)
                if isinstance(node.op, ast.USub):
                    self._operate(node, "negative", count)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                kind = self._want(node, "condition", kinds)
                name = "not" if isinstance(node, ast.UnaryOp) else JOINING[type(node.op)]
                self.program.append(Instruction("apply", name, count))
            case ast.Compare() if count:
                self._want(node, "number", kinds)
                signs = tuple(SIGNS[type(op)] for op in node.ops)
                self.program.append(Instruction("compare", signs, count))
                kind = "condition"
            case ast.Call(func=ast.Name(id=name)) if count:
                split = 1 if name == "where" else 0
                self._want(node, "condition", kinds[:split])
                self._want(node, "number", kinds[split:])
                self.program.append(Instruction("apply", name, count))
            case _:
                kind = self._told()
        self.kinds.append(kind)

    def _told(self) -> str:
        """Stand in for what has already been told, so that the rest can be read."""
        self.program.append(Instruction("constant", math.nan))
        return "any"

    def _want(self, node: ast.expr, kind: str, kinds: list[str]) -> str:
        if any(given not in (kind, "any") for given in kinds):
            wrong = {
                "number": "has a condition where a number must stand; use where(condition, a, b)",
                "condition": "has a number where a condition such as x < 1 must stand",
            }
            self._say(node, wrong[kind])
        return kind

    def _constant(self, node: ast.expr, value: Any) -> None:
        try:
            number = float(value) if type(value) in (int, float) else math.nan
        except OverflowError:
            number = math.inf
        if math.isnan(number):
            self._say(node, f"holds {value!r}, which is not a real number")
        elif math.isinf(number):
            self._say(node, "holds a number that is too large")
        self.program.append(Instruction("constant", number))

    def _name(self, node: ast.expr, name: str) -> None:
        if name in CONSTANTS:
            self.program.append(Instruction("constant", CONSTANTS[name]))
        elif is_variable(name):
            self.variables.add(name)
            index = " xyz".index(name) if len(name) == 1 else int(name[1:])
            self.program.append(Instruction("variable", index - 1))
        elif name in FUNCTIONS:
            self._say(node, f"names the function {name} without arguments; write {name}(x)")
            self._told()
        else:
            self.parameters[name] = None
            self.program.append(Instruction("parameter", name))
            if name not in self.known:
                others = ["x", "y", "z", *CONSTANTS, *self.known, *FUNCTIONS]
                told = nearest(name, others).split("; allowed")[0]
                told = told or f"; give it a value ({name} = ...) or use x, y, z, x1, ..., pi, e"
                self._say(node, f"holds the unknown name {name!r}{told}")

    def _operate(self, node: ast.expr, name: str, count: int) -> None:
        operands = self.program[-count:]
        if all(step.kind == "constant" for step in operands):
            with np.errstate(all="ignore"):
                value = float(ON_CONSTANTS[name](*[np.float64(step.what) for step in operands]))
            if not math.isfinite(value) and not self.messages:
                self._say(node, f"computes {value} from constants")
            self.program[-count:] = [Instruction("constant", value)]
        elif name == "**":
            power = operands[-1].what
            if operands[-1].kind == "constant" and power in range(
                -HIGHEST_POWER, HIGHEST_POWER + 1
            ):
                self.program[-1] = Instruction("constant", int(power))
            self.program.append(Instruction("power", name, count))
        else:
            self.program.append(Instruction("apply", name, count))

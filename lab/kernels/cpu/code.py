"""LLVM code as text: values, types, constants, and the lines written so far."""

import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lab.scalarize import NotScalar

TYPES = {
    "float32": "float",
    "float64": "double",
    "int8": "i8",
    "uint8": "i8",
    "int16": "i16",
    "uint16": "i16",
    "int32": "i32",
    "uint32": "i32",
    "int64": "i64",
    "uint64": "i64",
    "bool": "i1",
}


class Value(NamedTuple):
    """A scalar of the loop: one name for all lanes, or a vector for each few of them.

    Attributes:
        names: of registers, or a constant.
        dtype: of each number.
        same: whether it is the same for all lanes.
    """

    names: tuple[str, ...]
    dtype: np.dtype
    same: bool


class Phi(NamedTuple):
    """A register that changes around a loop: its name, its line, and what is known of its text."""

    name: str
    line: int
    text: str


def type_of(dtype: np.dtype) -> str:
    """LLVM's type of one number.

    Raises:
        NotScalar: when the kernel has none.
    """
    if np.dtype(dtype).name not in TYPES:
        raise NotScalar(f"numbers of type {np.dtype(dtype).name}")
    return TYPES[np.dtype(dtype).name]


def suffix(kind: str) -> str:
    """`v16f32` of `<16 x float>`."""
    short = kind.replace("float", "f32").replace("double", "f64")
    return "v" + short.strip("<>").replace(" x ", "") if "<" in short else short


def constant(value: Any, dtype: np.dtype) -> Value:
    """A number as LLVM writes it: floats by the bits of the double that is equal to them."""
    dtype = np.dtype(dtype)
    number = np.asarray(value, dtype)
    type_of(dtype)
    if dtype.kind == "f":
        text = "0x" + struct.pack(">d", float(number)).hex().upper()
    elif dtype.kind == "b":
        text = "true" if number else "false"
    else:
        text = str(int(number))
    return Value((text,), dtype, True)


class Code:
    """Lines of a function, and the number of lanes that one pass of them works on.

    Attributes:
        width: lanes in a vector.
        copies: vectors that are worked on side by side, so that each hides the other's latency.
    """

    def __init__(self, width: int, copies: int):
        self.width, self.copies = width, copies
        self.lines: list[str] = []
        self.declared: dict[str, str] = {}
        self.quotients = 0
        self._count = 0

    @property
    def lanes(self) -> int:
        """Lanes in one pass."""
        return self.width * self.copies

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append("  " + text)

    def label(self, name: str) -> None:
        """Begin a block."""
        self.lines.append(f"{name}:")

    def fresh(self) -> str:
        """A new register."""
        self._count += 1
        return f"%v{self._count}"

    def do(self, text: str) -> str:
        """Write an instruction and name its result."""
        name = self.fresh()
        self.line(f"{name} = {text}")
        return name

    def type(self, dtype: np.dtype, same: bool) -> str:
        """The type of a value's registers."""
        one = type_of(dtype)
        return one if same else f"<{self.width} x {one}>"

    def spread(self, value: Value) -> Value:
        """A value that is the same for all lanes, as vectors."""
        if not value.same:
            return value
        one, (name,) = type_of(value.dtype), value.names
        if not name.startswith("%"):
            vector = f"splat ({one} {name})"
        else:
            whole = self.type(value.dtype, False)
            first = self.do(f"insertelement {whole} poison, {one} {name}, i32 0")
            vector = self.do(
                f"shufflevector {whole} {first}, {whole} poison, <{self.width} x i32> "
                "zeroinitializer"
            )
        return Value((vector,) * self.copies, value.dtype, False)

    def alike(self, values: Sequence[Value]) -> list[Value]:
        """The values as vectors, if one of them is."""
        if all(value.same for value in values):
            return list(values)
        return [self.spread(value) for value in values]

    def each(self, operands: Sequence[Value], dtype: np.dtype, write: Callable[..., str]) -> Value:
        """An operation on each vector: `write(*names)` gives the instruction's text."""
        names = []
        for parts in zip(*(operand.names for operand in operands), strict=True):
            names.append(self.do(write(*parts)))
        return Value(tuple(names), np.dtype(dtype), operands[0].same)

    def phi(self, kind: str, start: str, before: str, name: str = "") -> "Phi":
        """A register that begins as `start`, coming from a block, and changes around a loop."""
        phi = Phi(name or self.fresh(), len(self.lines), f"phi {kind} [ {start}, %{before} ]")
        self.lines.append("")  # until it is known what it becomes
        return phi

    def becomes(self, phi: "Phi", name: str, latch: str) -> None:
        """What such a register is when the loop comes round, from its last block."""
        self.lines[phi.line] = f"  {phi.name} = {phi.text}, [ {name}, %{latch} ]"

    def call(self, name: str, result: str, arguments: Sequence[tuple[str, str]]) -> str:
        """A call of an intrinsic; it is declared once."""
        types = ", ".join(kind for kind, _ in arguments)
        self.declared[name] = f"declare {result} @{name}({types})"
        given = ", ".join(f"{kind} {value}" for kind, value in arguments)
        return f"call {result} @{name}({given})"

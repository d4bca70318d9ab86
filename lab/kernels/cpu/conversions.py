"""Instructions on signs, bits and types."""

import numpy as np

from lab.kernels.cpu.basic import (
    Instruction,
    Parameters,
    choose,
    compare,
    extreme,
    suffix,
)
from lab.kernels.cpu.code import Code, Value, constant


def neg(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """The negative."""
    (x,) = operands
    kind = code.type(out, x.same)
    if out.kind == "f":
        return code.each([x], out, lambda a: f"fneg {kind} {a}")
    zero, x = code.alike([constant(0, out), x])
    return code.each([zero, x], out, lambda z, a: f"sub {kind} {z}, {a}")


def not_(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """All bits turned round."""
    x, ones = code.alike(
        [
            operands[0],
            constant(
                True if out.kind == "b" else -1,
                np.dtype(out if out.kind in "bi" else f"int{8 * out.itemsize}"),
            ),
        ]
    )
    kind = code.type(out, x.same)
    return code.each([x, ones], out, lambda a, b: f"xor {kind} {a}, {b}")


def sign(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """-1, 0 or 1; a zero keeps its sign, and a NaN stays NaN."""
    (x,) = operands
    zero, truth = constant(0, out), np.dtype(bool)
    positive = choose(code, compare("gt")(code, truth, {}, [x, zero]), constant(1, out), x)
    if out.kind == "u":
        return positive
    return choose(code, compare("lt")(code, truth, {}, [x, zero]), constant(-1, out), positive)


def absolute(code: Code, out: np.dtype, x: Value) -> Value:
    """The absolute value of a whole number."""
    if out.kind != "i":
        return x
    return extreme("gt")(code, out, {}, [x, neg(code, out, {}, [x])])


def shift(how: str) -> Instruction:
    """A shift; all bits are gone where it is by more than there are."""

    def instruction(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
        x, by = code.alike(operands)
        kind, bits = code.type(out, x.same), 8 * out.itemsize
        unsigned = Value(by.names, np.dtype(f"uint{bits}"), by.same)
        limit = constant(bits - 1 if how == "ashr" else bits, unsigned.dtype)
        within = compare("lt")(code, np.dtype(bool), {}, [unsigned, limit])
        most = constant(bits - 1, unsigned.dtype)
        safe = choose(code, within, unsigned, most)
        moved = code.each([x, safe], out, lambda a, b: f"{how} {kind} {a}, {b}")
        return moved if how == "ashr" else choose(code, within, moved, constant(0, out))

    return instruction


def convert(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """A number in another type; floats beyond a whole type's range become its ends, NaN 0."""
    (x,) = operands
    old, new = x.dtype, out
    if out.kind == "b":
        return compare("ne")(code, out, {}, [x, constant(0, old)])
    a, b = code.type(old, x.same), code.type(new, x.same)
    if old.kind == "f" and new.kind in "iu":
        name = f"llvm.fpto{'s' if new.kind == 'i' else 'u'}i.sat.{suffix(b)}.{suffix(a)}"
        return code.each([x], out, lambda v: code.call(name, b, [(a, v)]))
    how = _conversion(old, new)
    if how is None:
        return Value(x.names, out, x.same)
    return code.each([x], out, lambda v: f"{how} {a} {v} to {b}")


def _conversion(old: np.dtype, new: np.dtype) -> str | None:
    if old.kind == new.kind == "f":
        wider = new.itemsize > old.itemsize
        return None if new.itemsize == old.itemsize else "fpext" if wider else "fptrunc"
    if new.kind == "f":
        return "sitofp" if old.kind == "i" else "uitofp"
    if old.kind == "b":
        return "zext"
    if old.itemsize == new.itemsize:
        return None
    wider = new.itemsize > old.itemsize
    return ("sext" if old.kind == "i" else "zext") if wider else "trunc"

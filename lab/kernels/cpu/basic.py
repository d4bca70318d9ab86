"""Instructions that others are made of: arithmetic, comparison, selection, calls."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lab.kernels.cpu.code import Code, Value, suffix

Parameters = Mapping[str, Any]
Instruction = Callable[[Code, np.dtype, Parameters, list[Value]], Value]

FLOATS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "rem": "frem"}
SIGNED = {"add": "add", "sub": "sub", "mul": "mul", "div": "sdiv", "rem": "srem"}
UNSIGNED = {**SIGNED, "div": "udiv", "rem": "urem"}
BITS = {"and": "and", "or": "or", "xor": "xor"}
ORDERED = {"eq": "oeq", "ne": "une", "lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge"}


def binary(name: str) -> Instruction:
    """An operation on two numbers of one type."""

    def instruction(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
        a, b = code.alike(operands)
        table = {"f": FLOATS, "i": SIGNED, "u": UNSIGNED, "b": BITS}[out.kind] | BITS
        kind = code.type(out, a.same)
        return code.each([a, b], out, lambda x, y: f"{table[name]} {kind} {x}, {y}")

    return instruction


def compare(name: str) -> Instruction:
    """A comparison; false where a number is NaN, except `ne`."""

    def instruction(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
        a, b = code.alike(operands)
        kind = code.type(a.dtype, a.same)
        if a.dtype.kind == "f":
            how = f"fcmp {ORDERED[name]}"
        else:
            sign = "" if name in ("eq", "ne") else "s" if a.dtype.kind == "i" else "u"
            how = f"icmp {sign}{name}"
        return code.each([a, b], out, lambda x, y: f"{how} {kind} {x}, {y}")

    return instruction


def extreme(order: str) -> Instruction:
    """The larger or smaller of two; NaN if one of them is."""

    def instruction(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
        a, b = code.alike(operands)
        chosen = choose(code, compare(order)(code, np.dtype(bool), {}, [a, b]), a, b)
        if out.kind != "f":
            return chosen
        return choose(code, compare("ne")(code, np.dtype(bool), {}, [a, a]), a, chosen)

    return instruction


def choose(code: Code, condition: Value, true: Value, false: Value) -> Value:
    """One of two values by a condition."""
    c, a, b = code.alike([condition, true, false])
    test, kind = code.type(np.dtype(bool), c.same), code.type(a.dtype, a.same)
    return code.each(
        [c, a, b], a.dtype, lambda p, x, y: f"select {test} {p}, {kind} {x}, {kind} {y}"
    )


def intrinsic(code: Code, name: str, *operands: Value) -> Value:
    """A call of one of LLVM's functions of numbers of one type."""
    values = code.alike(operands)
    kind = code.type(values[0].dtype, values[0].same)
    called = f"llvm.{name}.{suffix(kind)}"
    return code.each(
        values, values[0].dtype, lambda *x: code.call(called, kind, [(kind, one) for one in x])
    )


def bitcast(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """The same bits as another type."""
    (x,) = operands
    a, b = code.type(x.dtype, x.same), code.type(out, x.same)
    if a == b:
        return Value(x.names, out, x.same)
    return code.each([x], out, lambda v: f"bitcast {a} {v} to {b}")

"""Where a loop's numbers lie in memory, and how they are loaded and stored.

A buffer holds numbers of one type: scalars one after the other, or one row of lanes. Truth values
take a byte there, and a bit in registers.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jax.extend import core

from lab.kernels.cpu.code import Code, Value, type_of
from lab.kernels.packing import Place


class Buffers(NamedTuple):
    """The places of a loop's variables.

    Attributes:
        shared: scalars that never change.
        given: rows that never change, or scalars where all lanes are given the same.
        alike: scalars of the state that are the same for all lanes.
        lanes: rows of the state.
    """

    shared: Mapping[core.Var, Place]
    given: Mapping[core.Var, Place]
    alike: Mapping[core.Var, Place]
    lanes: Mapping[core.Var, Place]


def load(code: Code, pointer: str, dtype: np.dtype) -> Value:
    """One number."""
    if dtype.kind == "b":
        byte = code.do(f"load i8, ptr {pointer}, align 1")
        return Value((code.do(f"icmp ne i8 {byte}, 0"),), dtype, True)
    name = code.do(f"load {type_of(dtype)}, ptr {pointer}, align {dtype.itemsize}")
    return Value((name,), dtype, True)


def store(code: Code, pointer: str, value: Value) -> None:
    """Store one number."""
    (name,), dtype, kind = value.names, value.dtype, type_of(value.dtype)
    if dtype.kind == "b":
        name, kind = code.do(f"zext i1 {name} to i8"), "i8"
    code.line(f"store {kind} {name}, ptr {pointer}, align {dtype.itemsize}")


def scalar_pointer(code: Code, place: Place, dtype: np.dtype) -> str:
    """To a scalar."""
    offset = place.row * dtype.itemsize
    return code.do(f"getelementptr i8, ptr %p{place.buffer}, i64 {offset}")


def load_rows(code: Code, place: Place, dtype: np.dtype) -> Value:
    """The vectors of the lanes from %g on."""
    names = []
    for copy in range(code.copies):
        pointer = _row_pointer(code, place, dtype, copy)
        kind = f"<{code.width} x i8>" if dtype.kind == "b" else code.type(dtype, False)
        name = code.do(f"load {kind}, ptr {pointer}, align {dtype.itemsize}")
        if dtype.kind == "b":
            name = code.do(f"icmp ne {kind} {name}, zeroinitializer")
        names.append(name)
    return Value(tuple(names), dtype, False)


def store_rows(code: Code, place: Place, value: Value) -> None:
    """Store such vectors."""
    dtype, kind = value.dtype, code.type(value.dtype, False)
    for copy, name in enumerate(value.names):
        pointer, stored = _row_pointer(code, place, dtype, copy), kind
        if dtype.kind == "b":
            stored = f"<{code.width} x i8>"
            name = code.do(f"zext {kind} {name} to {stored}")
        code.line(f"store {stored} {name}, ptr {pointer}, align {dtype.itemsize}")


def _row_pointer(code: Code, place: Place, dtype: np.dtype, copy: int) -> str:
    lane = code.do(f"add i64 %g, {copy * code.width}")
    offset = code.do(f"mul i64 {lane}, {dtype.itemsize}")
    return code.do(f"getelementptr i8, ptr %p{place.buffer}, i64 {offset}")

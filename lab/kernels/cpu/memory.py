"""Where a loop's numbers lie in memory, and how they are loaded and stored.

A buffer holds numbers of one type: scalars one after the other, a row of lanes, or the few numbers
of each lane side by side. Truth values take a byte there, and a bit in registers.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jax.extend import core

from lab.kernels.cpu.code import Code, Value, suffix, type_of
from lab.kernels.loop import Bounds
from lab.kernels.packing import Column, Place

GROUP = "%g"
"""The register that holds the first of the lanes that are worked on."""

LARGEST = 8
"""Bytes of the largest number."""


class Buffers(NamedTuple):
    """The places of the variables of a run.

    Attributes:
        shared: scalars that never change.
        given: rows that never change, or scalars where all lanes are given the same.
        ids: the rows of setting, seed and start; none where lanes neither begin nor end.
        alike: scalars of the state that are the same for all lanes, before.
        lanes: rows of the state, before.
        alike_after: those scalars after.
        lanes_after: those rows after.
        running: how many lanes are running after; None if nobody asks.
        results: what is stored in the end.
    """

    shared: Mapping[core.Var, Place]
    given: Mapping[core.Var, Place]
    ids: Sequence[Place]
    alike: Mapping[core.Var, Place]
    lanes: Mapping[core.Var, Place]
    alike_after: Mapping[core.Var, Place]
    lanes_after: Mapping[core.Var, Place]
    running: Place | None
    results: Mapping[core.Var, Column]


def bound(name: str) -> Place:
    """Where one of the `Bounds` lies, in the first buffer."""
    return Place(0, Bounds._fields.index(name))


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


def load_rows(code: Code, pointer: str, dtype: np.dtype) -> Value:
    """The vectors of the lanes from there on."""
    names = []
    for copy in range(code.copies):
        kind = f"<{code.width} x i8>" if dtype.kind == "b" else code.type(dtype, False)
        at = _further(code, pointer, dtype, copy)
        name = code.do(f"load {kind}, ptr {at}, align {dtype.itemsize}")
        if dtype.kind == "b":
            name = code.do(f"icmp ne {kind} {name}, zeroinitializer")
        names.append(name)
    return Value(tuple(names), dtype, False)


def store_rows(code: Code, pointer: str, value: Value) -> None:
    """Store such vectors."""
    dtype, kind = value.dtype, code.type(value.dtype, False)
    for copy, name in enumerate(value.names):
        stored = kind
        if dtype.kind == "b":
            stored = f"<{code.width} x i8>"
            name = code.do(f"zext {kind} {name} to {stored}")
        at = _further(code, pointer, dtype, copy)
        code.line(f"store {stored} {name}, ptr {at}, align {dtype.itemsize}")


def store_column(code: Code, column: Column, lane: str, value: Value) -> None:
    """Store the vector of the lanes from there on, each number among others of its lane."""
    dtype, lanes, kind = value.dtype, code.width, code.type(value.dtype, False)
    first = code.do(f"mul i64 {lane}, {column.of}")
    own = code.do(f"add i64 {first}, {column.number}")
    pointer = pointer_to(code, f"%p{column.buffer}", dtype, own)
    if column.of == 1:
        store_rows(code, pointer, value)
        return
    (name,) = value.names
    if dtype.kind == "b":
        stored = f"<{lanes} x i8>"
        name, kind = code.do(f"zext {kind} {name} to {stored}"), stored
    far = ", ".join(f"i32 {i * column.of * dtype.itemsize}" for i in range(lanes))
    each = code.do(f"getelementptr i8, ptr {pointer}, <{lanes} x i32> <{far}>")
    to, all_of_them = (f"<{lanes} x ptr>", each), (f"<{lanes} x i1>", "splat (i1 true)")
    arguments = [(kind, name), to, ("i32", str(dtype.itemsize)), all_of_them]
    code.line(code.call(f"llvm.masked.scatter.{suffix(kind)}.v{lanes}p0", "void", arguments))


def row_pointer(code: Code, place: Place, dtype: np.dtype, lane: str = GROUP) -> str:
    """To a lane in a row."""
    if place.row:
        before = code.do(f"mul i64 %lanes, {place.row}")
        lane = code.do(f"add i64 {before}, {lane}")
    return pointer_to(code, f"%p{place.buffer}", dtype, lane)


def pointer_to(code: Code, row: str, dtype: np.dtype, lane: str) -> str:
    """To a lane in the row that begins there."""
    offset = code.do(f"mul i64 {lane}, {dtype.itemsize}")
    return code.do(f"getelementptr i8, ptr {row}, i64 {offset}")


def _further(code: Code, pointer: str, dtype: np.dtype, copy: int) -> str:
    offset = copy * code.width * dtype.itemsize
    return code.do(f"getelementptr i8, ptr {pointer}, i64 {offset}") if offset else pointer

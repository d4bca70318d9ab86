"""Numbers looked up in a table, which is written out beside the function."""

import hashlib
from typing import Any

import numpy as np

from lab.kernels.cpu.code import Code, Value, constant, suffix, type_of


def lookup(code: Code, out: np.dtype, parameters: Any, operands: list[Value]) -> Value:
    """The numbers of a table (`lab.scalarize.lookup`) at these places."""
    table, (index,) = parameters["table"], operands
    one, place = type_of(out), type_of(index.dtype)
    name = "@table_" + hashlib.sha256(table.data + out.name.encode()).hexdigest()[:16]
    numbers = ", ".join(f"{one} {constant(number, out).names[0]}" for number in table.numbers)
    size = len(table.numbers)
    code.declared[name] = f"{name} = private constant [{size} x {one}] [{numbers}], align 64"
    if index.same:
        pointer = code.do(f"getelementptr {one}, ptr {name}, {place} {index.names[0]}")
        return Value((code.do(f"load {one}, ptr {pointer}, align {out.itemsize}"),), out, True)
    lanes, kind = code.width, code.type(out, False)
    pointers, truth = f"<{lanes} x ptr>", f"<{lanes} x i1>"
    called = f"llvm.masked.gather.{suffix(kind)}.v{lanes}p0"

    def gather(places: str) -> str:
        at = code.do(f"getelementptr {one}, ptr {name}, <{lanes} x {place}> {places}")
        align, everywhere = ("i32", str(out.itemsize)), (truth, "splat (i1 true)")
        return code.call(called, kind, [(pointers, at), align, everywhere, (kind, "poison")])

    return code.each([index], out, gather)

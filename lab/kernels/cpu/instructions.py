"""What each elementwise primitive of JAX is in LLVM's instructions.

Sums and products may be contracted to fused multiply-adds, and a division by what is the same for
all lanes is a product with its reciprocal: each within an ulp of what XLA computes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lab.kernels.cpu.code import Code, Value, constant
from lab.scalarize import NotScalar

Parameters = Mapping[str, Any]
Instruction = Callable[[Code, np.dtype, Parameters, list[Value]], Value]

FLOATS = {"add": "fadd contract", "sub": "fsub contract", "mul": "fmul contract", "rem": "frem"}
SIGNED = {"add": "add", "sub": "sub", "mul": "mul", "div": "sdiv", "rem": "srem"}
UNSIGNED = {**SIGNED, "div": "udiv", "rem": "urem"}
BITS = {"and": "and", "or": "or", "xor": "xor"}
ORDERED = {"eq": "oeq", "ne": "une", "lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge"}
ROUNDED = {"floor": "floor", "ceil": "ceil", "abs": "fabs"}


def write(
    code: Code, name: str, out: np.dtype, parameters: Parameters, operands: Sequence[Value]
) -> Value:
    """Write a primitive's instructions.

    Raises:
        NotScalar: when there are none.
    """
    if name not in INSTRUCTIONS:
        raise NotScalar(f"the primitive {name!r}")
    return INSTRUCTIONS[name](code, np.dtype(out), parameters, list(operands))


def binary(name: str) -> Instruction:
    """An operation on two numbers of one type."""

    def instruction(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
        a, b = code.alike(operands)
        table = {"f": FLOATS, "i": SIGNED, "u": UNSIGNED, "b": BITS}[out.kind] | BITS
        kind = code.type(out, a.same)
        return code.each([a, b], out, lambda x, y: f"{table[name]} {kind} {x}, {y}")

    return instruction


def div(code: Code, out: np.dtype, parameters: Parameters, operands: list[Value]) -> Value:
    """A quotient."""
    numerator, denominator = operands
    if out.kind != "f":
        return binary("div")(code, out, parameters, operands)
    if denominator.same and not numerator.same:
        kind = code.type(out, True)
        one = constant(1, out).names[0]
        inverse = Value((code.do(f"fdiv {kind} {one}, {denominator.names[0]}"),), out, True)
        return binary("mul")(code, out, parameters, [numerator, inverse])
    a, b = code.alike(operands)
    kind = code.type(out, a.same)
    if kind == "<16 x float>":
        code.quotients += 1
        if code.quotients % 2:
            return code.each([a, b], out, lambda x, y: _avx512_quotient(code, x, y))
    return code.each([a, b], out, lambda x, y: f"fdiv {kind} {x}, {y}")


def _avx512_quotient(code: Code, x: str, y: str) -> str:
    """X / y = x (1 / y), from 14 bits of 1 / y and one step of Newton's method.

    Within two ulps of the exact quotient, or 0 where y is beyond 2^126. Every other division goes
    this way, so that the divider and the multipliers work side by side.
    """
    kind = "<16 x float>"
    one = "splat (float 0x3FF0000000000000)"
    r = code.do(code.call(
        "llvm.x86.avx512.rcp14.ps.512", kind,
        [(kind, y), (kind, "zeroinitializer"), ("i16", "-1")],
    ))  # fmt: skip
    minus = code.do(f"fneg {kind} {y}")
    error = code.do(code.call("llvm.fma.v16f32", kind, [(kind, v) for v in (minus, r, one)]))
    better = code.do(code.call("llvm.fma.v16f32", kind, [(kind, v) for v in (r, error, r)]))
    inverse = code.do(_fixed(code, better, y, FIXED_INVERSES))
    return f"fmul contract {kind} {x}, {inverse}"


def _fixed(code: Code, result: str, source: str, responses: int) -> str:
    """A result with what it should be for special sources put in their places."""
    kind, table = "<16 x float>", f"splat (i32 {responses})"
    return code.call(
        "llvm.x86.avx512.mask.fixupimm.ps.512", kind,
        [(kind, result), (kind, source), ("<16 x i32>", table), ("i32", "0"), ("i16", "-1"),
         ("i32", "4")],
    )  # fmt: skip


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
        if order == "gt" and code.unsigned.issuperset([*a.names, *b.names]):
            return largest_bits(code, a, b)
        chosen = choose(code, compare(order)(code, np.dtype(bool), {}, [a, b]), a, b)
        if out.kind != "f":
            return chosen
        return choose(code, compare("ne")(code, np.dtype(bool), {}, [a, a]), a, chosen)

    return instruction


def largest_bits(code: Code, a: Value, b: Value) -> Value:
    """The larger of floats without sign: their bits are in the order of their values, NaN last."""
    whole = np.dtype(f"uint{8 * a.dtype.itemsize}")
    bits = [bitcast(code, whole, {}, [value]) for value in (a, b)]
    larger = bitcast(code, a.dtype, {}, [intrinsic(code, "umax", *bits)])
    code.unsigned.update(larger.names)
    return larger


def choose(code: Code, condition: Value, true: Value, false: Value) -> Value:
    """One of two values by a condition."""
    c, a, b = code.alike([condition, true, false])
    test, kind = code.type(np.dtype(bool), c.same), code.type(a.dtype, a.same)
    return code.each(
        [c, a, b], a.dtype, lambda p, x, y: f"select {test} {p}, {kind} {x}, {kind} {y}"
    )


def select_n(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """The case of that number."""
    which, *cases = operands
    if which.dtype.kind == "b":
        return choose(code, which, cases[1], cases[0])
    chosen = cases[0]
    for number, case in enumerate(cases[1:], 1):
        is_it = compare("eq")(code, np.dtype(bool), {}, [which, constant(number, which.dtype)])
        chosen = choose(code, is_it, case, chosen)
    return chosen


def clamp(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """A number moved into a range."""
    low, x, high = operands
    above = extreme("gt")(code, out, {}, [low, x])
    return extreme("lt")(code, out, {}, [above, high])


def function(name: str) -> Instruction:
    """A function of one number that LLVM knows by itself."""

    def instruction(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
        (x,) = operands
        if out.kind != "f":
            return absolute(code, out, x) if name == "fabs" else x
        found = intrinsic(code, name, x)
        if name == "fabs":
            code.unsigned.update(found.names)
        return found

    return instruction


def intrinsic(code: Code, name: str, *operands: Value) -> Value:
    """A call of one of LLVM's functions of numbers of one type."""
    values = code.alike(operands)
    kind = code.type(values[0].dtype, values[0].same)
    called = f"llvm.{name}.{suffix(kind)}"
    return code.each(
        values, values[0].dtype, lambda *x: code.call(called, kind, [(kind, one) for one in x])
    )


def suffix(kind: str) -> str:
    """`v16f32` of `<16 x float>`."""
    short = kind.replace("float", "f32").replace("double", "f64")
    return "v" + short.strip("<>").replace(" x ", "") if "<" in short else short


def sqrt(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """The square root."""
    (x,) = operands
    if code.type(out, x.same) == "<16 x float>":
        return code.each([x], out, lambda name: _avx512_sqrt(code, name))
    return intrinsic(code, "sqrt", x)


def _avx512_sqrt(code: Code, x: str) -> str:
    """sqrt(x) = x / sqrt(x), from 14 bits of 1 / sqrt(x) and one step of Newton's method.

    Within an ulp of the exact root, while the divider, which would take a dozen cycles for it,
    works on something else. The last instruction puts 0, infinity and NaN in their places.
    """
    kind = "<16 x float>"
    half = "splat (float 0x3FE0000000000000)"
    y = code.do(code.call(
        "llvm.x86.avx512.rsqrt14.ps.512", kind,
        [(kind, x), (kind, "zeroinitializer"), ("i16", "-1")],
    ))  # fmt: skip
    root = code.do(f"fmul contract {kind} {x}, {y}")
    minus = code.do(f"fneg {kind} {root}")
    halved = code.do(f"fmul contract {kind} {y}, {half}")
    fma = [(kind, minus), (kind, halved), (kind, half)]
    error = code.do(code.call("llvm.fma.v16f32", kind, fma))
    fma = [(kind, root), (kind, error), (kind, root)]
    better = code.do(code.call("llvm.fma.v16f32", kind, fma))
    return _fixed(code, better, x, FIXED_ROOTS)


def _responses(*kinds: int) -> int:
    """What `vfixupimmps` does by the kind of a source: four bits a kind (Intel SDM, table 5-8).

    The kinds are quiet NaN, signalling NaN, 0, 1, -infinity, +infinity, negative, positive.
    """
    return sum(response << (4 * kind) for kind, response in enumerate(kinds))


KEEP, SOURCE, NAN, INFINITY, MINUS_ZERO, ZERO = 0, 1, 2, 6, 7, 8
FIXED_ROOTS = _responses(NAN, NAN, SOURCE, KEEP, NAN, SOURCE, NAN, KEEP)
FIXED_INVERSES = _responses(NAN, NAN, INFINITY, KEEP, MINUS_ZERO, ZERO, KEEP, KEEP)


def absolute(code: Code, out: np.dtype, x: Value) -> Value:
    """The absolute value of a whole number."""
    if out.kind != "i":
        return x
    return extreme("gt")(code, out, {}, [x, neg(code, out, {}, [x])])


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


def is_finite(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """Neither infinite nor NaN."""
    (x,) = operands
    size = intrinsic(code, "fabs", x)
    return compare("lt")(code, out, {}, [size, constant(np.inf, x.dtype)])


def integer_pow(code: Code, out: np.dtype, parameters: Parameters, operands: list[Value]) -> Value:
    """A whole power, by squaring."""
    (x,), exponent = operands, parameters["y"]
    product, square, left = None, x, abs(exponent)
    times = binary("mul")
    while left:
        if left & 1:
            product = square if product is None else times(code, out, {}, [product, square])
        left >>= 1
        square = times(code, out, {}, [square, square]) if left else square
    one = constant(1, out)
    if product is None:
        return code.spread(one) if not x.same else one
    return product if exponent > 0 else div(code, out, {}, [one, product])


def square(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """X times x."""
    return binary("mul")(code, out, {}, [operands[0], operands[0]])


def round_(code: Code, out: np.dtype, parameters: Parameters, operands: list[Value]) -> Value:
    """The nearest whole number; halves to even, or away from zero."""
    to_even = int(parameters["rounding_method"]) == 1
    return intrinsic(code, "roundeven" if to_even else "round", operands[0])


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


def bitcast(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """The same bits as another type."""
    (x,) = operands
    a, b = code.type(x.dtype, x.same), code.type(out, x.same)
    if a == b:
        return Value(x.names, out, x.same)
    return code.each([x], out, lambda v: f"bitcast {a} {v} to {b}")


def from_libm(name: str) -> Instruction:
    """A function of the C library, for what is the same for all lanes."""

    def instruction(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
        if not all(operand.same for operand in operands):
            raise NotScalar(f"the primitive {name!r}")
        floats = [convert(code, out, {}, [operand]) for operand in operands]
        return intrinsic(code, name, *floats)

    return instruction


def same(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """What changes nothing here."""
    return operands[0]


INSTRUCTIONS: dict[str, Instruction] = {
    **{name: binary(name) for name in ("add", "sub", "mul", "rem", "and", "or", "xor")},
    **{name: compare(name) for name in ORDERED},
    **{name: function(how) for name, how in ROUNDED.items()},
    **{
        name: from_libm(name) for name in ("pow", "exp", "exp2", "log", "sin", "cos", "tan", "tanh")
    },
    "add_any": binary("add"),
    "div": div,
    "max": extreme("gt"),
    "min": extreme("lt"),
    "select_n": select_n,
    "clamp": clamp,
    "neg": neg,
    "not": not_,
    "sign": sign,
    "sqrt": sqrt,
    "is_finite": is_finite,
    "integer_pow": integer_pow,
    "square": square,
    "round": round_,
    "shift_left": shift("shl"),
    "shift_right_logical": shift("lshr"),
    "shift_right_arithmetic": shift("ashr"),
    "convert_element_type": convert,
    "bitcast_convert_type": bitcast,
    "stop_gradient": same,
    "copy": same,
}

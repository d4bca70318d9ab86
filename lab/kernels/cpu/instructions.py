"""What each elementwise primitive of JAX is in LLVM's instructions.

A division by what is the same for all lanes is a product with its reciprocal, within an ulp of what
XLA computes. Products are taken within sums elsewhere (see `fusing`).
"""

from collections.abc import Sequence

import numpy as np

from lab.kernels.cpu import quick
from lab.kernels.cpu.basic import (
    ORDERED,
    Instruction,
    Parameters,
    binary,
    bitcast,
    choose,
    compare,
    extreme,
    intrinsic,
)
from lab.kernels.cpu.code import Code, Value, constant
from lab.kernels.cpu.conversions import absolute, convert, neg, not_, shift, sign
from lab.kernels.cpu.tables import lookup
from lab.scalarize import NotScalar

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


def div(code: Code, out: np.dtype, parameters: Parameters, operands: list[Value]) -> Value:
    """A quotient."""
    numerator, denominator = operands
    if out.kind != "f":
        return whole("div")(code, out, parameters, operands)
    if denominator.same and not numerator.same:
        kind = code.type(out, True)
        one = constant(1, out).names[0]
        inverse = Value((code.do(f"fdiv {kind} {one}, {denominator.names[0]}"),), out, True)
        return binary("mul")(code, out, parameters, [numerator, inverse])
    a, b = code.alike(operands)
    kind = code.type(out, a.same)
    if kind == quick.VECTOR:
        code.quotients += 1
        if code.quotients % 2:
            return code.each([a, b], out, lambda x, y: quick.quotient(code, x, y))
    return code.each([a, b], out, lambda x, y: f"fdiv {kind} {x}, {y}")


def whole(name: str) -> Instruction:
    """A quotient or remainder of whole numbers, as XLA has it where a processor would stop.

    x / 0 is -1 (all bits set) and leaves x; the least number over -1 is itself and leaves 0.
    """

    def instruction(code: Code, out: np.dtype, parameters: Parameters, ab: list[Value]) -> Value:
        truth, (a, b) = np.dtype(bool), ab
        one, zero = constant(1, out), constant(0, out)
        equal = compare("eq")
        by_zero = equal(code, truth, {}, [b, zero])
        found_by_zero = a if name == "rem" else not_(code, out, {}, [zero])
        stops, special = by_zero, found_by_zero
        if out.kind == "i":
            least = constant(np.iinfo(out).min, out)
            both = [equal(code, truth, {}, pair) for pair in ([a, least], [b, constant(-1, out)])]
            overflows = binary("and")(code, truth, {}, both)
            stops = binary("or")(code, truth, {}, [by_zero, overflows])
            special = choose(code, overflows, zero if name == "rem" else a, found_by_zero)
        safe = choose(code, stops, one, b)
        return choose(code, stops, special, binary(name)(code, out, parameters, [a, safe]))

    return instruction


def rem(code: Code, out: np.dtype, parameters: Parameters, operands: list[Value]) -> Value:
    """What a quotient, rounded towards 0, leaves."""
    return (binary if out.kind == "f" else whole)("rem")(code, out, parameters, operands)


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
        return intrinsic(code, name, x)

    return instruction


def sqrt(code: Code, out: np.dtype, _: Parameters, operands: list[Value]) -> Value:
    """The square root."""
    (x,) = operands
    if code.type(out, x.same) != quick.VECTOR:
        return intrinsic(code, "sqrt", x)
    return binary("mul")(code, out, {}, [twice_root(code, x), constant(quick.HALF, out)])


def twice_root(code: Code, x: Value) -> Value:
    """Twice the square root of 16 floats each."""
    return code.each([x], x.dtype, lambda name: quick.twice_root(code, name))


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
    **{name: binary(name) for name in ("add", "sub", "mul", "and", "or", "xor")},
    **{name: compare(name) for name in ORDERED},
    **{name: function(how) for name, how in ROUNDED.items()},
    **{
        name: from_libm(name) for name in ("pow", "exp", "exp2", "log", "sin", "cos", "tan", "tanh")
    },
    "add_any": binary("add"),
    "div": div,
    "rem": rem,
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
    "lookup": lookup,
}

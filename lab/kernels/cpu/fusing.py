"""Products that are added to something in the same instruction, without being rounded before.

Which ones is decided here, for a loop as a whole, and not by LLVM: a step and a stride (see
`stepping`) must round alike, to the last bit.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from jax.extend import core

from lab.kernels.cpu import building, quick
from lab.kernels.cpu.basic import intrinsic
from lab.kernels.cpu.code import Code, Value, constant
from lab.kernels.cpu.conversions import neg
from lab.kernels.cpu.instructions import twice_root
from lab.scalarize import aval

SUMS = ("add", "add_any", "sub")


class Fused(NamedTuple):
    """A sum and the product in it: which operand of the sum that is."""

    product: core.JaxprEqn
    place: int


def fused(
    equations: Iterable[core.JaxprEqn], results: Iterable[core.Var], code: Code
) -> dict[core.Var, Fused]:
    """By the result of each sum, the product that is taken within it.

    Args:
        equations: of lanes.
        results: what is asked for besides.
        code: what is written.
    """
    if not fuses():
        return {}
    equations = list(equations)
    uses = Counter(a for e in equations for a in e.invars if isinstance(a, core.Var))
    uses.update(results)
    products = {
        e.outvars[0]: e
        for e in equations
        if is_product(e, code) and uses[e.outvars[0]] == 1 and aval(e.outvars[0]).dtype.kind == "f"
    }
    found = {}
    for equation in equations:
        if equation.primitive.name in SUMS:
            for place in (1, 0):  # of two products, the first
                atom = equation.invars[place]
                if isinstance(atom, core.Var) and atom in products:
                    found[equation.outvars[0]] = Fused(products[atom], place)
    return found


def is_product(equation: core.JaxprEqn, code: Code) -> bool:
    """Whether a sum can hold it: it multiplies, or is a root, as half of its double."""
    if equation.primitive.name == "sqrt":
        return code.type(aval(equation.outvars[0]).dtype, False) == quick.VECTOR
    return multiplies(equation)


def multiplies(equation: core.JaxprEqn) -> bool:
    """Whether it multiplies two numbers, or one with itself."""
    name = equation.primitive.name
    return name in ("mul", "square") or (name == "integer_pow" and equation.params["y"] == 2)


def fuses() -> bool:
    """Whether this machine multiplies and adds in one instruction."""
    have = building.features().split(",")
    return any(name in have for name in ("+fma", "+avx512f", "+neon"))


def factors_of(code: Code, product: core.JaxprEqn, operands: list[Value]) -> tuple[Value, Value]:
    """What a product multiplies."""
    first, second = operands[0], operands[-1]
    if product.primitive.name == "sqrt":
        return twice_root(code, first), constant(quick.HALF, first.dtype)
    return first, second


def sum_with_product(
    code: Code, name: str, place: int, factors: tuple[Value, Value], other: Value
) -> Value:
    """The sum (or difference) of a product and another number."""
    (a, b), dtype = factors, other.dtype
    if name == "sub" and place == 0:
        other = neg(code, dtype, {}, [other])
    if name == "sub" and place == 1:
        a = neg(code, dtype, {}, [a])
    return intrinsic(code, "fma", a, b, other)

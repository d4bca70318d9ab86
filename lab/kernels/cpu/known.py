"""The values of a loop's variables, as far as they are known where code is being written."""

from collections.abc import Iterable
from typing import Any

from jax.extend import core

from lab.kernels.cpu.code import Code, Value, constant
from lab.kernels.cpu.fusing import Fused, factors_of, fused, sum_with_product
from lab.kernels.cpu.instructions import write
from lab.kernels.loop import Loop
from lab.scalarize import aval, is_in

DIVISIONS = ("div", "integer_pow")
"""Of these, every other one is left to the divider, and which ones must not depend on the path."""


class Known(dict[core.Var, Value]):
    """Values by variable; equations add theirs.

    What is fused, and which divisions the divider takes, is settled for each loop as a whole.
    """

    def __init__(self, loops: Iterable[Loop], code: Code):
        self.code, self.fused, self.quotients = code, dict[core.Var, Fused](), dict[core.Var, int]()
        for loop in loops:
            by_lane, whole = loop.by_lane, loop.whole.jaxpr
            of_lanes = [e for e in whole.eqns if e.outvars[0] in by_lane]
            results = [a for a in whole.outvars if isinstance(a, core.Var)]
            self.fused |= fused(of_lanes, results, code)
            divisions = [e.outvars[0] for e in of_lanes if e.primitive.name in DIVISIONS]
            self.quotients |= {var: number for number, var in enumerate(divisions)}
        self.within = {one.product.outvars[0] for one in self.fused.values()}

    def write(self, equations: Iterable[core.JaxprEqn]) -> None:
        """Write the equations' code, and know their results."""
        for equation in equations:
            (out,) = equation.outvars
            if out not in self.within:
                self.code.quotients = self.quotients.get(out, 0)
                self[out] = self._written(equation)

    def read(self, atom: Any) -> Value:
        """The value of a variable or a literal."""
        if isinstance(atom, core.Literal):
            return constant(atom.val, aval(atom).dtype)
        return self[atom]

    def _written(self, equation: core.JaxprEqn) -> Value:
        (out,), name = equation.outvars, equation.primitive.name
        operands = [self.read(atom) for atom in equation.invars if not is_in(self.within, atom)]
        if out in self.fused:
            product, place = self.fused[out]
            factors = factors_of(self.code, product, [self.read(atom) for atom in product.invars])
            return sum_with_product(self.code, name, place, factors, operands[0])
        return write(self.code, name, aval(out).dtype, equation.params, operands)

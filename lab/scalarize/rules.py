"""How JAX's primitives act on arrays taken apart.

Elementwise ones act scalar by scalar, those that only move numbers about are NumPy's business, and
reductions and small dot products are written out. Calls are entered, `cond` becomes a selection of
both branches' results, and a `scan` of known length its steps one after the other.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import lax
from jax.extend import core

from lab.scalarize import arithmetic, keys, moves
from lab.scalarize.boxes import Apart, NotScalar, apart, at, aval, bound, boxed, scalars
from lab.scalarize.straight import NESTED

Rule = Callable[..., list[Apart]]
Evaluate = Callable[[core.Jaxpr, Sequence[Apart], Sequence[Apart]], list[Apart]]

LONGEST = 4096
"""Steps of an inner loop that are written out at most."""

RULES: dict[str, Rule] = {**arithmetic.RULES, **moves.RULES}


def apply(equation: core.JaxprEqn, operands: Sequence[Apart], evaluate: Evaluate) -> list[Apart]:
    """The results of one equation.

    Raises:
        NotScalar: when there is no rule for its primitive.
    """
    name = equation.primitive.name
    if name in NESTED:
        return closed(equation.params[NESTED[name]], operands, evaluate)
    if name in ENTERED:
        return ENTERED[name](equation, operands, evaluate)
    if name in keys.TRACED:
        return closed(keys.TRACED[name](equation), operands, evaluate)
    if name in RULES:
        return RULES[name](equation, *operands)
    if name in keys.RULES:
        return keys.RULES[name](equation, *operands)
    raise NotScalar(f"the primitive {name!r}")


def closed(jaxpr: Any, operands: Sequence[Apart], evaluate: Evaluate) -> list[Apart]:
    """A call of an inner jaxpr, with or without constants of its own."""
    if isinstance(jaxpr, core.ClosedJaxpr):
        return evaluate(jaxpr.jaxpr, [apart(c) for c in jaxpr.consts], operands)
    return evaluate(jaxpr, [], operands)


def cond(equation: core.JaxprEqn, operands: Sequence[Apart], evaluate: Evaluate) -> list[Apart]:
    """All branches, of whose results one is selected."""
    which, *rest = operands
    cases = [closed(branch, rest, evaluate) for branch in equation.params["branches"]]
    return [select(which.item().value, of_each) for of_each in zip(*cases, strict=True)]


def select(which: Any, cases: Sequence[Apart]) -> Apart:
    """The case of that number, scalar by scalar; a number out of range means the nearest case."""
    chosen = cases[-1]
    for number in reversed(range(len(cases) - 1)):
        first = bound(lax.le)(which, np.asarray(number, which.dtype)[()])
        pairs = zip(scalars(chosen), scalars(cases[number]), strict=True)
        values = [bound(lax.select_n)(first, other, this) for other, this in pairs]
        chosen = boxed(values, chosen.shape)
    return chosen


def scan(equation: core.JaxprEqn, operands: Sequence[Apart], evaluate: Evaluate) -> list[Apart]:
    """A loop of known length, written out."""
    p = equation.params
    if p["length"] > LONGEST:
        raise NotScalar(f"an inner loop of {p['length']} steps")
    constants = list(operands[: p["num_consts"]])
    carry = list(operands[p["num_consts"] : p["num_consts"] + p["num_carry"]])
    sequences = operands[p["num_consts"] + p["num_carry"] :]
    kept: list[list[Apart]] = []
    for i in range(p["length"]):
        place = p["length"] - 1 - i if p["reverse"] else i
        results = closed(
            p["jaxpr"], [*constants, *carry, *(at(s, place) for s in sequences)], evaluate
        )
        carry = results[: p["num_carry"]]
        kept.append(results[p["num_carry"] :])
    ordered = kept[::-1] if p["reverse"] else kept
    shapes = [aval(var).shape for var in equation.outvars[p["num_carry"] :]]
    columns = zip(*ordered, strict=True) if ordered else [() for _ in shapes]
    return [*carry, *(_stacked(c, s) for c, s in zip(columns, shapes, strict=True))]


def _stacked(arrays: Sequence[Apart], shape: tuple[int, ...]) -> Apart:
    return boxed([value for array in arrays for value in scalars(array)], shape)


def loop(equation: core.JaxprEqn, operands: Sequence[Apart], evaluate: Evaluate) -> list[Apart]:
    """A loop that ends when a condition on lanes says so cannot be written out."""
    raise NotScalar("a loop whose length is not known")


ENTERED: dict[str, Callable[..., list[Apart]]] = {"cond": cond, "scan": scan, "while": loop}

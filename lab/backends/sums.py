"""Moving averages kept as sums.

An optimizer's s' = a s + u w, with numbers a and u that never change, is kept as S = s / u, for
then S' = a S + w is an operation less; what reads s reads u S, and on CPUs that factor joins others
that all lanes share (see `lab.kernels.regrouping`). Adam has two such averages for each coordinate.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np
from jax import lax
from jax.extend import core
from jaxtyping import PyTree

from lab.backends.scalars import traced
from lab.descent import Lane
from lab.kernels.loop import Loop
from lab.scalarize import Leaf, aval, tidy

if TYPE_CHECKING:
    from lab.problem import Inputs, Problem

SMALLEST = 1e-6
"""The smallest u, and its inverse the largest, so that S overflows only where s nearly does."""


class Sums(NamedTuple):
    """A loop whose averages are sums.

    Attributes:
        loop: of those.
        factors: u for the numbers of each leaf of a lane's optimizer state, 1 for those that are
            kept as they are; None for leaves without averages.
    """

    loop: Loop
    factors: list[np.ndarray | None]

    def begin(self, problem: "Problem") -> Callable[..., Lane]:
        """The problem's `begin`, for lanes whose averages are sums."""
        return lambda inputs, ids: self._with(problem.begin(inputs, ids), operator.truediv)

    def end(self, problem: "Problem") -> Callable[..., PyTree]:
        """The problem's `end`, likewise."""

        def end(shared: PyTree, given: tuple[Any, Lane]) -> PyTree:
            ids, lane = given
            return problem.end(shared, (ids, self._with(lane, operator.mul)))

        return end

    def _with(self, lane: Lane, change: Any) -> Lane:
        def of_leaf(leaf: Any, u: Any) -> Any:
            return leaf if u is None else change(leaf, u.astype(leaf.dtype))

        leaves, tree = jax.tree.flatten(lane.optimizer)
        changed = [of_leaf(*pair) for pair in zip(leaves, self.factors, strict=True)]
        return lane._replace(optimizer=jax.tree.unflatten(tree, changed))


def summed(problem: "Problem", inputs: "Inputs") -> Sums:
    """The step of a problem with its averages as sums, as kernels take it; traced once."""
    if "sums" not in problem.traced:
        problem.traced["sums"] = with_sums(*traced(problem, inputs))
    return problem.traced["sums"]


class Average(NamedTuple):
    """The terms of a s + u w: a, u, and w."""

    decay: float
    factor: float
    new: core.Var


def with_sums(loop: Loop, lane: Lane) -> Sums:
    """The loop with those averages of the optimizer's state as sums that it can keep so.

    Args:
        loop: steps of lanes.
        lane: the shapes and types of one of them.
    """
    of = {equation.outvars[0]: equation for equation in loop.whole.jaxpr.eqns}
    first = sum(Leaf.like(leaf).size for leaf in jax.tree.leaves(lane.x))
    factors, found = [], dict[int, Average]()
    for leaf in jax.tree.leaves(lane.optimizer):
        kind = Leaf.like(leaf)
        places = range(first, first + kind.size)
        first += kind.size
        averages = {place: _average(loop, of, place) for place in places} if _is_float(kind) else {}
        own = {place: average for place, average in averages.items() if average is not None}
        each = np.array([own[place].factor if place in own else 1.0 for place in places])
        factors.append(each.reshape(kind.shape) if own else None)
        found |= own
    return Sums(_rewritten(loop, found) if found else loop, factors)


def _average(loop: Loop, of: Mapping[core.Var, core.JaxprEqn], place: int) -> Average | None:
    """The terms of a number of the state; None if it is no average, or that of another too."""
    outs, out, state = loop.whole.jaxpr.outvars, _after(loop, place), loop.variables[2][place]
    total = of.get(out) if isinstance(out, core.Var) else None
    if total is None or total.primitive.name not in ("add", "add_any"):
        return None
    if sum(other is out for other in outs) > 1 + loop.tells_strides:
        return None
    for kept, new in (total.invars, total.invars[::-1]):
        own, added = _product(of, kept), _product(of, new)
        if own is not None and added is not None and own[1] is state:
            usual = SMALLEST <= abs(added[0]) <= 1 / SMALLEST
            return Average(own[0], *added) if usual else None
    return None


def _is_float(kind: Leaf) -> bool:
    return not kind.key and np.issubdtype(kind.dtype, np.floating)


def _after(loop: Loop, place: int) -> Any:
    """What that number becomes, where it becomes the same in a step as in a stride."""
    step, *rest = loop.whole.jaxpr.outvars[place :: len(loop.state) + 1]
    return step if all(other is step for other in rest) else None


def _product(of: Mapping[core.Var, core.JaxprEqn], atom: Any) -> tuple[float, core.Var] | None:
    """A number and what it multiplies, if that is what an atom is."""
    equation = of.get(atom) if isinstance(atom, core.Var) else None
    if equation is None or equation.primitive.name != "mul":
        return None
    for one, other in (equation.invars, equation.invars[::-1]):
        if isinstance(one, core.Literal) and isinstance(other, core.Var):
            return float(one.val), other
    return None


def _rewritten(loop: Loop, averages: Mapping[int, Average]) -> Loop:
    """The loop, these averages, by their places in the state, divided by their factors."""
    jaxpr, (_, _, state) = loop.whole.jaxpr, loop.variables
    totals = {_after(loop, place): (state[place], own) for place, own in averages.items()}

    def rewritten(*values: Any) -> list[Any]:
        given = dict(zip(jaxpr.invars, values, strict=True))
        sums = {var: given[var] for var, _ in totals.values()}
        given |= {var: lax.mul(_like(var, own.factor), sums[var]) for var, own in totals.values()}

        def read(atom: Any) -> Any:
            return atom.val if isinstance(atom, core.Literal) else given[atom]

        for equation in jaxpr.eqns:
            (out,) = equation.outvars
            if out in totals:
                var, average = totals[out]
                kept = lax.mul(_like(out, average.decay), sums[var])
                sums[out] = lax.add(kept, read(average.new))
                given[out] = lax.mul(_like(out, average.factor), sums[out])
                continue
            operands = map(read, equation.invars)
            given[out] = equation.primitive.bind(*operands, **equation.params)
        return [
            sums[atom] if isinstance(atom, core.Var) and atom in totals else read(atom)
            for atom in jaxpr.outvars
        ]

    examples = [jax.ShapeDtypeStruct((), aval(var).dtype) for var in jaxpr.invars]
    whole = loop.whole.with_jaxpr(lambda _: tidy(jax.make_jaxpr(rewritten)(*examples).jaxpr))
    return replace(loop, whole=whole)


def _like(var: core.Var, number: float) -> Any:
    return np.asarray(number, aval(var).dtype)[()]

"""From a function to its `Straight`: traced once, then evaluated on arrays taken apart."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend import core
from jaxtyping import PyTree

from lab.scalarize.boxes import Apart, apart, aval, boxed, literal, scalars
from lab.scalarize.rules import apply
from lab.scalarize.scaling import scaled
from lab.scalarize.straight import Leaf, Straight
from lab.scalarize.tidy import needed, tidy


def scalarize(function: Callable[..., Any], *examples: PyTree) -> Straight:
    """The function of one lane, traced on arguments of these shapes and types, in scalars.

    Args:
        function: of arrays or pytrees of arrays. What it closes over must be known.
        examples: arguments, or their descriptions (`jax.ShapeDtypeStruct`).

    Raises:
        NotScalar: when something in the function cannot be taken apart, with what.

    Example:
        >>> import jax.numpy as jnp
        >>> straight = scalarize(lambda x: jnp.sum(x**2), jnp.zeros(3))
        >>> print(straight.jaxpr.eqns[-1].primitive, len(straight.jaxpr.invars))
        add 3
    """
    closed = jax.make_jaxpr(function)(*examples)
    inputs = tuple(Leaf.like(aval(var)) for var in closed.jaxpr.invars)

    def flat(*values: Any) -> list[Any]:
        results = evaluate(
            closed.jaxpr, [apart(c) for c in closed.consts], together(inputs, values)
        )
        return [part for result in results for value in scalars(result) for part in parts(value)]

    each = [jax.ShapeDtypeStruct((), leaf.dtype) for leaf in inputs for _ in range(leaf.size)]
    whole = tidy(jax.make_jaxpr(flat)(*each).jaxpr)
    return Straight(tidy(scaled(whole)), inputs)


def together(leaves: Sequence[Leaf], values: Sequence[Any]) -> list[Apart]:
    """A flat list of scalars as one array a leaf."""
    arrays, rest = [], list(values)
    for leaf in leaves:
        own, rest = rest[: leaf.size], rest[leaf.size :]
        own = list(zip(own[::2], own[1::2], strict=True)) if leaf.key else own
        arrays.append(boxed(own, leaf.shape))
    return arrays


def parts(value: Any) -> tuple[Any, ...]:
    """The two halves of a random key; any other scalar alone."""
    return value if isinstance(value, tuple) else (value,)


def evaluate(
    jaxpr: core.Jaxpr, constants: Sequence[Apart], arguments: Sequence[Apart]
) -> list[Apart]:
    """Run a jaxpr on arrays taken apart, leaving out what its results do not need."""
    given = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*constants, *arguments], strict=True))

    def read(atom: Any) -> Apart:
        return literal(atom) if isinstance(atom, core.Literal) else given[atom]

    for equation in needed(jaxpr).eqns:
        results = apply(equation, [read(atom) for atom in equation.invars], evaluate)
        given.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]

"""An array taken apart: its elements as separate scalars, in the array's shape.

NumPy's object arrays then do the slicing, reshaping and transposing. Each element stands in a
`Box`, since NumPy would otherwise look into a tracer and try to make an array of it.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.extend import core

Scalar: TypeAlias = Any
"""A traced JAX scalar, a NumPy scalar where the value is known, or a pair of them: a random key."""

Apart: TypeAlias = np.ndarray  # of Boxes


class NotScalar(Exception):
    """Something in a function cannot be taken apart; the text names it."""


class Box:
    """Holds a scalar."""

    __slots__ = ("value",)

    def __init__(self, value: Scalar):
        self.value = value


def boxed(values: Sequence[Scalar], shape: Iterable[int]) -> Apart:
    """Scalars in the shape of the array that they make up, last axis fastest."""
    array = np.empty(len(values), object)
    array[:] = [Box(value) for value in values]
    return array.reshape(tuple(shape))


def scalars(array: Apart) -> list[Scalar]:
    """The scalars of an array, last axis fastest."""
    return [box.value for box in array.reshape(-1)]


def at(array: Apart, place: int) -> Apart:
    """One entry along the first axis, as an array even where it is a single scalar."""
    return array[place : place + 1].reshape(array.shape[1:])


def apart(array: Any) -> Apart:
    """A known array, or random keys, as separate scalars."""
    if is_key(array):
        data = np.asarray(jax.random.key_data(array))
        return boxed([tuple(pair) for pair in data.reshape(-1, data.shape[-1])], array.shape)
    known = np.asarray(array)
    return boxed([known[place] for place in np.ndindex(known.shape)], known.shape)


def aval(atom: Any) -> Any:
    """The shape and type of a variable or a literal."""
    return atom.aval


def literal(atom: core.Literal) -> Apart:
    """A constant that stands in an equation."""
    return apart(atom.val if is_key(aval(atom)) else np.asarray(atom.val, aval(atom).dtype))


def is_key(value: Any) -> bool:
    """Whether an array, or the description of one, is of random keys."""
    return jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)


def known(values: Iterable[Scalar]) -> bool:
    """Whether none of the scalars is traced."""
    return not any(
        isinstance(part, jax.core.Tracer)
        for value in values
        for part in (value if isinstance(value, tuple) else (value,))
    )


def call(function: Callable[..., Scalar], operands: Sequence[Scalar]) -> Scalar:
    """A function's value; worked out at once where all operands are known."""
    if any(isinstance(operand, tuple) for operand in operands):  # keys: each half by itself
        halves = zip(*(o if isinstance(o, tuple) else (o, o) for o in operands), strict=True)
        return tuple(call(function, half) for half in halves)
    if not known(operands):
        return function(*operands)
    with jax.ensure_compile_time_eval():
        return np.asarray(function(*operands))[()]


def fold(combine: Callable[[Scalar, Scalar], Scalar], line: Apart, empty: Scalar) -> Scalar:
    """The scalars of a line combined from the left: sums of products become fused multiply-adds."""
    values = scalars(line)
    return functools.reduce(combine, values) if values else empty


def bound(function: Callable[..., Any]) -> Callable[..., Scalar]:
    """A function of JAX scalars as one of scalars."""
    return lambda *operands: call(function, operands)

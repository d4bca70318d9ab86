"""Rules of primitives that compute: elementwise ones, reductions, running sums, dot products."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from jax import lax
from jax.extend import core

from lab.scalarize.boxes import Apart, Scalar, aval, bound, boxed, call, fold, scalars

Rule = Callable[..., list[Apart]]
Combine = Callable[..., Any]
"""A function of two scalars, from `jax.lax`."""

ELEMENTWISE = frozenset(
    """abs acos acosh add add_any and asin asinh atan atan2 atanh bitcast_convert_type cbrt ceil
    clamp convert_element_type copy copy_p cos cosh digamma div eq erf erf_inv erfc exp exp2 expm1
    floor ge gt integer_pow is_finite le lgamma log log1p logistic lt max min mul ne neg nextafter
    not or population_count pow reduce_precision rem round rsqrt select_n shift_left
    shift_right_arithmetic shift_right_logical sign sin sinh sqrt square stop_gradient sub tan tanh
    xor""".split()
)


def each(equation: core.JaxprEqn, *operands: Apart) -> list[Apart]:
    """An elementwise primitive, scalar by scalar; a single scalar serves all."""
    shape = aval(equation.outvars[0]).shape
    flat = [scalars(np.broadcast_to(operand, shape)) for operand in operands]
    parameters = {k: None if k == "sharding" else v for k, v in equation.params.items()}
    one = partial(equation.primitive.bind, **parameters)
    values = [call(one, place) for place in zip(*flat, strict=True)]
    return [boxed(values, shape)]


def reduction(combine: Combine, empty: float) -> Rule:
    """A reduction over axes."""

    def rule(equation: core.JaxprEqn, x: Apart) -> list[Apart]:
        out = aval(equation.outvars[0])
        start = np.asarray(empty, out.dtype)[()]
        lines = _lines(x, equation.params["axes"])
        return [boxed([fold(bound(combine), line, start) for line in lines], out.shape)]

    return rule


def arg_reduction(better: Combine) -> Rule:
    """The index of the largest or smallest along one axis: the first of equals, or of NaNs."""

    def rule(equation: core.JaxprEqn, x: Apart) -> list[Apart]:
        out = aval(equation.outvars[0])
        lines = _lines(x, equation.params["axes"])
        return [boxed([_first(better, scalars(line), out.dtype) for line in lines], out.shape)]

    return rule


def _first(better: Combine, line: Sequence[Scalar], dtype: Any) -> Scalar:
    best, index = line[0], np.asarray(0, dtype)[()]
    for place, value in enumerate(line[1:], 1):
        wins = bound(better)(value, best)
        if np.issubdtype(value.dtype, np.floating):  # a NaN wins, and then keeps its place
            nan, was_nan = (bound(lax.ne)(v, v) for v in (value, best))
            wins = bound(lax.bitwise_or)(
                wins, bound(lax.bitwise_and)(nan, bound(lax.bitwise_not)(was_nan))
            )
        best = bound(lax.select_n)(wins, best, value)
        index = bound(lax.select_n)(wins, index, np.asarray(place, dtype)[()])
    return index


def running(combine: Combine) -> Rule:
    """A running sum, product, maximum or minimum along an axis."""

    def rule(equation: core.JaxprEqn, x: Apart) -> list[Apart]:
        axis, reverse = equation.params["axis"], equation.params["reverse"]
        moved = np.moveaxis(np.flip(x, axis) if reverse else x, axis, 0)
        out = np.empty_like(moved)
        for i, row in enumerate(moved):
            one = row if i == 0 else _each_pair(combine, out[i - 1], row)
            out[i] = one
        back = np.moveaxis(out, 0, axis)
        return [np.flip(back, axis) if reverse else back]

    return rule


def _each_pair(combine: Combine, a: Apart, b: Apart) -> Apart:
    pairs = zip(scalars(np.asarray(a)), scalars(np.asarray(b)), strict=True)
    made = boxed([bound(combine)(*pair) for pair in pairs], np.shape(a))
    return made if made.ndim else made.item()


def dot_general(equation: core.JaxprEqn, a: Apart, b: Apart) -> list[Apart]:
    """Small dot products, written out."""
    (summed_a, summed_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    left, right = _matrices(a, batch_a, summed_a), _matrices(b, batch_b, summed_b)
    out = aval(equation.outvars[0])
    values = [
        dot(row, column, out.dtype)
        for rows, columns in zip(left, right, strict=True)
        for row in rows
        for column in columns
    ]
    return [boxed(values, out.shape)]


def dot(row: Apart, column: Apart, dtype: Any) -> Scalar:
    """The sum of the products of two lines."""
    pairs = zip(scalars(row), scalars(column), strict=True)
    products = [bound(lax.mul)(*pair) for pair in pairs]
    return fold(bound(lax.add), boxed(products, (len(products),)), np.asarray(0, dtype)[()])


def _matrices(x: Apart, batch: Sequence[int], summed: Sequence[int]) -> Apart:
    """An operand as [batch, free, summed]."""
    free = [axis for axis in range(x.ndim) if axis not in batch and axis not in summed]
    sizes = [math.prod(x.shape[axis] for axis in axes) for axes in (batch, free, summed)]
    return x.transpose(*batch, *free, *summed).reshape(sizes)


def _lines(x: Apart, axes: Sequence[int]) -> Apart:
    """An array as [all other axes, these axes]."""
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    sizes = [math.prod(x.shape[axis] for axis in group) for group in (kept, axes)]
    return x.transpose(*kept, *axes).reshape(sizes)


RULES: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTWISE, each),
    "reduce_sum": reduction(lax.add, 0),
    "reduce_prod": reduction(lax.mul, 1),
    "reduce_max": reduction(lax.max, -np.inf),
    "reduce_min": reduction(lax.min, np.inf),
    "reduce_and": reduction(lax.bitwise_and, True),
    "reduce_or": reduction(lax.bitwise_or, False),
    "argmax": arg_reduction(lax.gt),
    "argmin": arg_reduction(lax.lt),
    "cumsum": running(lax.add),
    "cumprod": running(lax.mul),
    "cummax": running(lax.max),
    "cummin": running(lax.min),
    "dot_general": dot_general,
}

"""Small networks written out number by number, for whatever can add and multiply.

The same lines take floats, the nodes of a tape, dual numbers, arrays of many networks at once, or
JAX's tracers: only `tanh` has to be the one that belongs to them.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

Layer = list[list[Any]]


def parameters(widths: Sequence[int]) -> int:
    """How many weights and biases a network has: sum over layers of n_out (n_in + 1)."""
    return sum(out * (given + 1) for given, out in pairwise(widths))


def perceptron(
    weights: Sequence[Any], x: Sequence[Any], widths: Sequence[int], tanh: Callable[[Any], Any]
) -> list[Any]:
    """The outputs of h_{l+1} = tanh(W_l h_l + b_l); the last layer is left linear.

    Args:
        weights: of each layer in turn, each unit's bias and then its row of W.
        x: the inputs, `widths[0]` of them.
        widths: of the input, the hidden layers and the output.
        tanh: for the numbers used.
    """
    given, at = list(x), 0
    for place, width in enumerate(widths[1:], 2):
        made = []
        for _ in range(width):
            total = weights[at]
            for value, weight in zip(given, weights[at + 1 :], strict=False):
                total = total + weight * value
            made.append(total if place == len(widths) else tanh(total))
            at += len(given) + 1
        given = made
    return given


def bottleneck(
    x: Sequence[Any], inner: Layer, outer: Layer, tanh: Callable[[Any], Any]
) -> list[Any]:
    """Y = V tanh(W x) without biases: n inputs, h hidden units, m outputs; V, W are constants.

    It takes 2 n h + 2 h m - m operations, tanh counted as one.
    """
    hidden = [tanh(dot(row, x)) for row in inner]
    return [dot(row, hidden) for row in outer]


def dot(row: Sequence[Any], x: Sequence[Any]) -> Any:
    """Sum of products, left to right: 2 n - 1 operations."""
    first, *others = zip(row, x, strict=True)
    total = first[1] * first[0]
    for weight, value in others:
        total = total + value * weight
    return total


def costs(n: int, h: int, m: int) -> dict[str, int]:
    """Operations that `bottleneck` and its Jacobians take, counted on paper.

    The function: n h products, (n - 1) h sums and h tanh, then h m products and (h - 1) m sums.
    Local derivatives take 2 h more, two for each 1 - v^2. A walk back is a product for each edge,
    and a sum for each further use of an input or hidden unit. A pass of dual numbers repeats the
    function and the local derivatives, with a product for each edge, and a sum for a second one.
    """
    products, sums = n * h + h * m, (n - 1) * h + (h - 1) * m
    function = products + sums + h
    edges = products + 2 * sums + h
    further = n * (h - 1) + h * (m - 1)
    return {
        "function": function,
        "reverse": function + 2 * h + m * (edges + further),
        "forward": n * (function + 2 * h + edges + sums),
    }

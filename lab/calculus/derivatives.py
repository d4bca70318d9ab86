"""Derivatives of a function of one number: differences, higher orders, critical points.

Every function here is of one point, pure, and made of JAX: `jax.vmap` takes it to many.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lab.losses.base import Scalar

Curve = Callable[[Any], Scalar]


def forward_difference(f: Curve, x: Scalar, h: Scalar) -> Scalar:
    """(f(x + h) - f(x)) / h, the slope of the secant from x to x + h.

    Its error is h f''(x) / 2 + O(h^2).

    Args:
        f: the function.
        x: the point.
        h: the step, not 0; a negative one gives the backward difference.
    """
    return (f(x + h) - f(x)) / h


def backward_difference(f: Curve, x: Scalar, h: Scalar) -> Scalar:
    """(f(x) - f(x - h)) / h, with the error -h f''(x) / 2 + O(h^2)."""
    return (f(x) - f(x - h)) / h


def central_difference(f: Curve, x: Scalar, h: Scalar) -> Scalar:
    """(f(x + h) - f(x - h)) / 2h, with the error h^2 f'''(x) / 6 + O(h^4)."""
    return (f(x + h) - f(x - h)) / (2 * h)


def five_point_difference(f: Curve, x: Scalar, h: Scalar) -> Scalar:
    """(8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h, with the error -h^4 f^(5)(x) / 30.

    Source: Abramowitz & Stegun 1964, table 25.2.
    """
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return (8 * near - far) / (12 * h)


def complex_step(f: Curve, x: Scalar, h: Scalar) -> Scalar:
    """Im f(x + ih) / h, for an analytic f, with the error -h^2 f'''(x) / 6: nothing is subtracted.

    Source: Squire & Trapp 1998, SIAM Review 40(1).
    """
    return jnp.imag(f(lax.complex(x, h))) / h


def rounding(f: Curve) -> Curve:
    """The same function, with its argument and its value rounded to the precision of the argument.

    XLA may keep more digits inside a bfloat16 computation than bfloat16 has.
    """

    def rounded(x: Scalar) -> Scalar:
        kind = jnp.finfo(x.dtype)
        near = lax.reduce_precision(x, kind.nexp, kind.nmant)
        return lax.reduce_precision(f(near), kind.nexp, kind.nmant)

    return rounded


def derivative(f: Curve, order: int = 1) -> Curve:
    """The derivative of this order, by automatic differentiation; order 0 is f itself."""
    for _ in range(order):
        f = jax.grad(f)
    return f


def derivatives(f: Curve, x: Scalar, order: int) -> Any:
    """The values f(x), f'(x), ..., as an array of shape (order + 1,)."""
    return jnp.stack([derivative(f, k)(x) for k in range(order + 1)])


def newton_critical_point(f: Curve, x: Scalar, steps: int) -> tuple[Scalar, Scalar, Scalar]:
    """Newton's method for f'(x) = 0: x <- x - f'(x) / f''(x).

    Quadratic near a simple zero of f'; near an m-fold one, a step leaves 1 - 1/m of the distance.

    Args:
        f: the function.
        x: the start.
        steps: how many to take; it stays where f' is 0.

    Returns:
        Where it ends (not finite if a step met f'' = 0), and its last two moves but for those of
        length 0, the older first.
    """
    slope, bend = derivative(f), derivative(f, 2)

    def step(_: Any, carried: tuple[Scalar, Scalar, Scalar]) -> tuple[Scalar, Scalar, Scalar]:
        x, older, newer = carried
        g = slope(x)
        move = jnp.where(g == 0, 0.0, -g / bend(x))
        moved = move != 0
        return x + move, jnp.where(moved, newer, older), jnp.where(moved, move, newer)

    return lax.fori_loop(0, steps, step, (x, jnp.zeros_like(x), jnp.zeros_like(x)))


KINDS = ("minimum", "maximum", "level inflection", "flat")


def kind(f: Curve, x: Scalar, order: int = 4, tolerance: float = 1e-6) -> Scalar:
    """The kind of a critical point, by the first derivative after f' that does not vanish there.

    Of even order, it makes a minimum (0) where positive and a maximum (1) where negative; of odd
    order a level inflection (2). If none up to `order` is above `tolerance` times the largest, the
    function is flat (3).

    Returns:
        An index of `KINDS`.
    """
    found = derivatives(f, x, order)[2:]
    size = jnp.abs(found)
    stands = (size > tolerance * size.max()) & (size > 0)
    first = jnp.argmax(stands)
    named = jnp.where(first % 2 == 1, 2, jnp.where(found[first] > 0, 0, 1))
    return jnp.where(stands.any(), named, 3)


def central_gradient(f: Curve, x: Any, h: float) -> Any:
    """The gradient by central differences: (f(x + h e_i) - f(x - h e_i)) / (2 h) for every i.

    Its error is h^2/6 times the third derivatives, plus rounding of about eps |f| / h.

    Args:
        f: a function of an array of n numbers.
        x: the point, n numbers.
        h: the step.
    """
    steps = h * jnp.eye(x.shape[0], dtype=x.dtype)
    return jax.vmap(lambda step: (f(x + step) - f(x - step)) / (2 * h))(steps)

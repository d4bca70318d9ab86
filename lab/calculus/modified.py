"""Gradient flow, and the modified loss whose flow gradient descent follows more closely."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lab.losses.base import Point, Scalar

Surface = Callable[[Point], Scalar]


def modified(f: Surface, x: Point, rate: Float[Array, ""]) -> Scalar:
    """The modified loss f(x) + eta/4 |grad f(x)|^2 of gradient descent with rate eta.

    A step of gradient descent departs from the flow of f by O(eta^2), from that of this by
    O(eta^3) (Barrett & Dherin 2021, Implicit Gradient Regularization, ICLR; backward error
    analysis: Hairer, Lubich & Wanner 2006, Geometric Numerical Integration, chapter IX).

    Args:
        f: the loss.
        x: one point.
        rate: eta; 0 gives f itself.
    """
    g = jax.grad(f)(x)
    return f(x) + rate / 4 * (g @ g)


def flow(
    f: Surface, x: Point, rate: Float[Array, ""], time: float, steps: int
) -> Float[Array, " dim"]:
    """Where the flow x' = -grad of the modified loss is after this time, from x.

    By the classical Runge-Kutta method of order 4, so the error is O((time / steps)^4).

    Args:
        f: the loss.
        x: the start.
        rate: eta of the modified loss; 0 for the flow of f.
        time: how long.
        steps: of the method.
    """
    h = time / steps
    slope = jax.grad(lambda z: -modified(f, z, rate))

    def step(_: int, z: Point) -> Point:
        a = slope(z)
        b = slope(z + h / 2 * a)
        c = slope(z + h / 2 * b)
        d = slope(z + h * c)
        return z + h / 6 * (a + 2 * b + 2 * c + d)

    return jax.lax.fori_loop(0, steps, step, x)


def log_slope(x: Float[Array, " n"], y: Float[Array, " n"]) -> Scalar:
    """The slope of the least-squares line of log y over log x: the power p of y ~ x^p."""
    a, b = jnp.log(x), jnp.log(y)
    a = a - jnp.mean(a)
    return (a @ b) / (a @ a)

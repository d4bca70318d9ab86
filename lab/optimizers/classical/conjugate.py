"""Conjugate gradients, and the line search that is exact on quadratics."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

Vector = Float[Array, " dim"]
Scalar = Float[Array, ""]


def scale_by_exact_linesearch() -> optax.GradientTransformationExtraArgs:
    """Updates u scaled to a u, a = -<g, u> / |<u, H u>|: the lowest point of a quadratic along u.

    On other functions one Newton-Raphson step along the line, downhill also where f is concave.
    Where there is no curvature, u itself.

    Shewchuk 1994, *An Introduction to the Conjugate Gradient Method Without the Agonizing Pain*,
    section 14.1.
    """

    def init(params: PyTree) -> optax.EmptyState:
        return optax.EmptyState()

    def update(
        updates: PyTree, state: Any, params: PyTree, *,
        grad: PyTree, value_fn: Callable[[PyTree], Scalar], **extras: Any,
    ) -> Any:  # fmt: skip
        (u, unravel), (g, _) = ravel_pytree(updates), ravel_pytree(grad)
        bent, _ = ravel_pytree(jax.jvp(jax.grad(value_fn), (params,), (updates,))[1])
        length = _ratio(-(g @ u), jnp.abs(u @ bent), otherwise=1)
        return unravel(length * u), state

    return optax.GradientTransformationExtraArgs(init, update)


def steepest_descent() -> optax.GradientTransformationExtraArgs:
    """Gradient descent whose steps are the best ones on a quadratic: x' = x - g <g,g> / |<g, H g>|.

    On curvatures within [m, L] each step cuts the excess loss at least by ((L - m) / (L + m))^2
    (Cauchy 1847, C. R. Acad. Sci. 25; Kantorovich 1948; de Klerk, Glineur & Taylor 2017).
    """
    return optax.chain(optax.scale(-1.0), scale_by_exact_linesearch())


def fletcher_reeves(
    learning_rate: optax.ScalarOrSchedule = 1.0,
    linesearch: optax.GradientTransformation | None = scale_by_exact_linesearch(),  # noqa: B008
) -> optax.GradientTransformationExtraArgs:
    """Nonlinear conjugate gradients: d = g + b d_before, b = <g, g> / <g_before, g_before>.

    On a quadratic in n dimensions, with the exact line search, it ends in n steps.
    Fletcher & Reeves 1964, The Computer Journal 7.

    Args:
        learning_rate: the length of -d that the line search is given; without a line search, of
            the step.
        linesearch: what finds the length of a step; None for none.
    """
    return _downhill(scale_by_fletcher_reeves(), learning_rate, linesearch)


def polak_ribiere(
    learning_rate: optax.ScalarOrSchedule = 1.0,
    linesearch: optax.GradientTransformation | None = scale_by_exact_linesearch(),  # noqa: B008
) -> optax.GradientTransformationExtraArgs:
    """Nonlinear conjugate gradients: d = g + b d_before, b = <g, g - g_before>+ / |g_before|^2.

    Where b would be negative it begins anew with d = g.
    Polak & Ribiere 1969, Rev. Fr. Inform. Rech. Oper. 3; the +: Gilbert & Nocedal 1992, SIAM J.
    Optim. 2.

    Args:
        learning_rate: the length of -d that the line search is given; without a line search, of
            the step.
        linesearch: what finds the length of a step; None for none.
    """
    return _downhill(scale_by_polak_ribiere(), learning_rate, linesearch)


def scale_by_fletcher_reeves() -> optax.GradientTransformationExtraArgs:
    """Gradients made conjugate directions, b = <g, g> / <g_before, g_before>."""
    return _directions(lambda g, before: _ratio(g @ g, before @ before))


def scale_by_polak_ribiere() -> optax.GradientTransformationExtraArgs:
    """Gradients made conjugate directions, b = max(0, <g, g - g_before> / |g_before|^2)."""
    return _directions(lambda g, before: jnp.maximum(0, _ratio(g @ (g - before), before @ before)))


class Conjugate(NamedTuple):
    """The gradient and the direction of the step before, 0 before the first."""

    gradient: Vector
    direction: Vector


def _directions(beta: Callable[[Vector, Vector], Scalar]) -> optax.GradientTransformationExtraArgs:
    """Directions d = g + beta(g, g_before) d_before, or g where that would lead uphill."""

    def init(params: PyTree) -> Conjugate:
        x, _ = ravel_pytree(params)
        return Conjugate(jnp.zeros_like(x), jnp.zeros_like(x))

    def update(
        updates: PyTree, state: Conjugate, params: PyTree = None, **extras: Any
    ) -> tuple[PyTree, Conjugate]:
        g, unravel = ravel_pytree(updates)
        d = g + beta(g, state.gradient) * state.direction
        d = jnp.where(g @ d > 0, d, g)
        return unravel(d), Conjugate(g, d)

    return optax.GradientTransformationExtraArgs(init, update)


def _downhill(
    directions: optax.GradientTransformationExtraArgs,
    learning_rate: optax.ScalarOrSchedule,
    linesearch: optax.GradientTransformation | None,
) -> optax.GradientTransformationExtraArgs:
    search = optax.identity() if linesearch is None else linesearch
    return optax.chain(directions, optax.scale_by_learning_rate(learning_rate), search)


def _ratio(a: Scalar, b: Scalar, otherwise: float = 0) -> Scalar:
    """The ratio a / b of something to a length b >= 0; `otherwise` where that is 0."""
    return jnp.where(b > 0, a / jnp.where(b > 0, b, 1), otherwise)

"""Newton's method, with a step size, with a damped Hessian, or damped by its own decrement."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from lab.optimizers.classical.solving import solve

Matrix = Float[Array, "dim dim"]


def newton(
    learning_rate: optax.ScalarOrSchedule = 1.0, damping: float = 0.0
) -> optax.GradientTransformationExtraArgs:
    """Newton's method: x' = x - eta (H(x) + mu I)^-1 g(x).

    It makes for critical points of any kind, saddles and maxima too. A singular matrix gives a
    point that is not finite.

    Nocedal & Wright, *Numerical Optimization*, 2006, section 3.3; mu: Levenberg 1944, Quart. Appl.
    Math. 2.

    Args:
        learning_rate: eta, 1 for the pure method.
        damping: mu, added to every curvature.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> f = lambda x: 2 * x[0] ** 2 + x[1] ** 2 - x[1]
        >>> x, method = jnp.array([3.0, 4.0]), newton()
        >>> step, _ = method.update(jax.grad(f)(x), method.init(x), x, value_fn=f)
        >>> optax.apply_updates(x, step).tolist()
        [0.0, 0.5]
    """
    return optax.chain(
        solved_by(lambda x, extras: hessian(extras["value_fn"], x), damping),
        optax.scale_by_learning_rate(learning_rate),
    )


def damped_newton(self_concordance: float = 1.0) -> optax.GradientTransformationExtraArgs:
    """Damped Newton: x' = x - d / (1 + M l), d = H^-1 g, with the decrement l = sqrt(<g, d>).

    From any start it converges on a self-concordant function of constant M, |f'''| <= 2 M f''^1.5,
    and quadratically so in the end. Where f is not convex, l = sqrt(|<g, d>|).

    Nesterov, *Lectures on Convex Optimization*, 2018, section 5.2.

    Args:
        self_concordance: M.
    """

    def init(params: PyTree) -> optax.EmptyState:
        return optax.EmptyState()

    def update(updates: PyTree, state: Any, params: PyTree, **extras: Any) -> Any:
        g, unravel = ravel_pytree(updates)
        d = solve(hessian(extras["value_fn"], params), g)
        decrement = jnp.sqrt(jnp.abs(g @ d))
        return unravel(-d / (1 + self_concordance * decrement)), state

    return optax.GradientTransformationExtraArgs(init, update)


def solved_by(
    curvature: Callable[[PyTree, dict[str, Any]], Matrix], damping: Any
) -> optax.GradientTransformationExtraArgs:
    """The updates u multiplied by (C + mu I)^-1, C the curvature of (point, extra arguments)."""

    def init(params: PyTree) -> optax.EmptyState:
        return optax.EmptyState()

    def update(updates: PyTree, state: Any, params: PyTree, **extras: Any) -> Any:
        u, unravel = ravel_pytree(updates)
        matrix = curvature(params, extras)
        return unravel(solve(matrix + damping * jnp.eye(len(u), dtype=u.dtype), u)), state

    return optax.GradientTransformationExtraArgs(init, update)


def hessian(value_fn: Callable[[PyTree], Float[Array, ""]], x: PyTree) -> Matrix:
    """The second derivatives at a point taken as one vector."""
    flat, unravel = ravel_pytree(x)
    return jax.hessian(lambda y: value_fn(unravel(y)))(flat)

"""Methods for sums of squares f(x) = sum_i r_i(x)^2, from the residuals r and their Jacobian J."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from lab.errors import Fault, SpecError
from lab.optimizers.classical.newton import solved_by
from lab.optimizers.classical.solving import solve

Residuals = Callable[[PyTree], Float[Array, " residual"]]


def gauss_newton(
    learning_rate: optax.ScalarOrSchedule = 1.0, damping: float = 0.0
) -> optax.GradientTransformationExtraArgs:
    """Gauss-Newton: x' = x - eta (2 J^T J + mu I)^-1 g(x), where g = 2 J^T r.

    Newton's method without the curvature of the residuals: exact where r is linear.
    Nocedal & Wright, *Numerical Optimization*, 2006, section 10.3.

    Args:
        learning_rate: eta, 1 for the pure method.
        damping: mu, added to every curvature.
    """

    def curvature(x: PyTree, extras: dict[str, Any]) -> Float[Array, "dim dim"]:
        flat, unravel = ravel_pytree(x)
        residuals = known(extras.get("residual_fn"))
        jacobian = jax.jacfwd(lambda y: residuals(unravel(y)))(flat)
        return 2 * (jacobian.T @ jacobian)

    return optax.chain(solved_by(curvature, damping), optax.scale_by_learning_rate(learning_rate))


class Trust(NamedTuple):
    """What Levenberg-Marquardt remembers: mu, the factor of its next rise, the largest scales."""

    damping: Float[Array, ""]
    growth: Float[Array, ""]
    scales: Float[Array, " dim"]


def levenberg_marquardt(damping: float = 1e-3) -> optax.GradientTransformationExtraArgs:
    """Levenberg-Marquardt: h = -(J^T J + mu D)^-1 J^T r, taken only where it lowers the loss.

    D is the largest diagonal of J^T J so far. Each update tries one step; with q = (f(x) -
    f(x + h)) / (what the linear model promised), mu becomes mu max(1/3, 1 - (2q - 1)^3) if q > 0,
    else the point stays and mu grows by 2, then 4, 8 ...

    Marquardt 1963, J. SIAM 11; the scales: More 1978, Lect. Notes Math. 630; mu: Nielsen 1999,
    IMM-REP-1999-05. Links of a chain before it do not act on it.

    Args:
        damping: mu at the start, relative to D.
    """

    def init(params: PyTree) -> Trust:
        x, _ = ravel_pytree(params)
        return Trust(jnp.asarray(damping, x.dtype), jnp.full((), 2, x.dtype), jnp.zeros_like(x))

    def update(
        updates: PyTree, state: Trust, params: PyTree,
        residual_fn: Residuals | None = None, **extras: Any,
    ) -> tuple[PyTree, Trust]:  # fmt: skip
        x, unravel = ravel_pytree(params)
        residual_fn = known(residual_fn)

        def residuals(y: Float[Array, " dim"]) -> Float[Array, " residual"]:
            return residual_fn(unravel(y))

        step, state = trial(residuals, x, state)
        return unravel(step), state

    return optax.GradientTransformationExtraArgs(init, update)


def trial(
    residuals: Residuals, x: Float[Array, " dim"], state: Trust
) -> tuple[Float[Array, " dim"], Trust]:
    """The step from x, 0 if it would raise the loss, and the state after it."""
    r, jacobian = residuals(x), jax.jacfwd(residuals)(x)
    normal, slope = jacobian.T @ jacobian, jacobian.T @ r
    scales = jnp.maximum(state.scales, jnp.sum(jacobian**2, axis=0))  # the diagonal of normal
    weights = state.damping * jnp.where(scales > 0, scales, 1)
    h = -solve(normal + jnp.eye(len(x), dtype=x.dtype) * weights[None, :], slope)
    promised = h @ (weights * h - slope)
    gain = (r @ r - jnp.sum(residuals(x + h) ** 2)) / promised
    accepted = gain > 0  # not where it is NaN
    return jnp.where(accepted, h, 0), _after(accepted, gain, state, scales)


def _after(
    accepted: Array, gain: Float[Array, ""], state: Trust, scales: Float[Array, " dim"]
) -> Trust:
    """The damping by Nielsen's rule, kept where it can still fall or rise."""
    eps = float(jnp.finfo(scales.dtype).eps)
    fall = jnp.maximum(1 / 3, 1 - (2 * gain - 1) ** 3)
    factor = jnp.where(accepted, fall, state.growth)
    return Trust(
        damping=jnp.clip(state.damping * factor, eps, 1 / eps),
        growth=jnp.where(accepted, 2, jnp.minimum(2 * state.growth, 1 / eps)),
        scales=scales,
    )


def known(residual_fn: Residuals | None) -> Residuals:
    """The residuals, or a `SpecError` where the loss has none."""
    if residual_fn is None:
        message = "needs a loss that is a sum of squares with known residuals"
        raise SpecError([Fault((), message)])
    return residual_fn

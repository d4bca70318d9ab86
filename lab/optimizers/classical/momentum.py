"""Momentum that depends on the step: Nesterov's, and the optimized gradient method."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree


class Pace(NamedTuple):
    """Steps taken, the point that the last gradient step reached, and theta (1 in Nesterov's)."""

    taken: Int[Array, ""]
    reached: PyTree
    theta: Float[Array, ""]


def nesterov(learning_rate: float, r: float = 3.0) -> optax.GradientTransformationExtraArgs:
    """Nesterov's method: x_k = y_{k-1} - eta g(y_{k-1}); y_k = x_k + c_k (x_k - x_{k-1}).

    The momentum is c_k = (k - 1) / (k + r - 1); y_0 = x_0. A run's points are the y_k, where the
    gradients are taken. On convex functions f(x_k) - f* <= 2 |x_0 - x*|^2 / (eta (k + 1)^2) for
    r = 3 and eta <= 1/L; as eta falls, x_k follows x'' + (r / t) x' + g(x) = 0, t = k sqrt(eta).

    Nesterov 1983, Soviet Math. Doklady 27; Su, Boyd & Candes 2016, J. Mach. Learn. Res. 17.

    Args:
        learning_rate: eta.
        r: the friction of the differential equation; 3 is the least that is fast.
    """

    def momentum(k: Array, theta: Array) -> tuple[Array, Any, Array]:
        return (k - 1) / (k + r - 1), 0.0, theta

    return _two_points(learning_rate, momentum)


def ogm(learning_rate: float, steps: int | None = None) -> optax.GradientTransformationExtraArgs:
    """The optimized gradient method, the fastest of all on smooth convex functions.

    y_k = x_{k-1} - eta g(x_{k-1}),
    x_k = y_k + (t_{k-1} - 1)/t_k (y_k - y_{k-1}) + t_{k-1}/t_k (y_k - x_{k-1}), where t_0 = 1,
    t_k = (1 + sqrt(1 + 4 t_{k-1}^2))/2, with 8 for 4 in the last of the given steps. With
    eta = 1/L and N steps, f(x_N) - f* <= L |x_0 - x*|^2 / (2 t_N^2), and no method can promise
    more. A run's points are the x_k.

    Kim & Fessler 2016, Math. Program. 159.

    Args:
        learning_rate: eta, 1/L.
        steps: N; None: no step is the last.
    """

    def momentum(k: Array, theta: Array) -> tuple[Array, Array, Array]:
        four = 4 if steps is None else jnp.where(k == steps, 8, 4)
        later = (1 + jnp.sqrt(1 + four * theta**2)) / 2
        return (theta - 1) / later, theta / later, later

    return _two_points(learning_rate, momentum)


def _two_points(learning_rate: Any, momentum: Any) -> optax.GradientTransformationExtraArgs:
    """Steps y' = x - eta g, x' = y' + c (y' - y) + d (y' - x), (c, d, t') = momentum(k, t)."""

    def init(params: PyTree) -> Pace:
        return Pace(jnp.zeros((), jnp.int32), params, jnp.ones(()))

    def update(updates: PyTree, state: Pace, params: PyTree, **extras: Any) -> tuple[PyTree, Pace]:
        c, d, theta = momentum(state.taken + 1, state.theta)
        reached = jax.tree.map(lambda x, g: x - learning_rate * g, params, updates)
        steps = jax.tree.map(
            lambda new, old, x: (1 + d) * (new - x) + c * (new - old),
            reached, state.reached, params,
        )  # fmt: skip
        return steps, Pace(state.taken + 1, reached, theta)

    return optax.GradientTransformationExtraArgs(init, update)

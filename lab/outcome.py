"""Why a lane ended: the outcomes, their criteria, and the verdict on a point."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

Point: TypeAlias = PyTree
"""An array, or any pytree of arrays."""


class Outcome(IntEnum):
    """Why a lane ended. RUNNING is the only one that a finished run never shows."""

    RUNNING = 0
    CONVERGED = 1
    DIVERGED = 2
    LEFT_DOMAIN = 3
    STALLED = 4
    OSCILLATING = 5
    BUDGET_SPENT = 6

    @property
    def label(self) -> str:
        """The name as configs, files and figures write it: `left_domain`."""
        return self.name.lower()


REASONS = {
    Outcome.CONVERGED: "no component of the gradient is larger than {gradient_below:g}",
    Outcome.DIVERGED: "the loss, or a coordinate, is infinite or beyond {diverged_above:g}",
    Outcome.LEFT_DOMAIN: "the loss is not a number, or its gradient not finite, within range",
    Outcome.STALLED: "the steps are spent, and the point has not moved for the last {patience}",
    Outcome.OSCILLATING: (
        "the steps are spent, and it moved without a new lowest loss for the last {patience}"
    ),
    Outcome.BUDGET_SPENT: "the {steps} steps are spent, and it was still finding lower losses",
}
"""The criterion of each outcome, in words; the names in braces are those of `Limits`."""


class Limits(NamedTuple):
    """The numbers that decide how a lane ends; the same for every lane of a run.

    Attributes:
        steps: the budget T, in updates.
        diverged_above: a loss or coordinate beyond this is a divergence.
        gradient_below: converged when max_i |g_i| is at most this.
        patience: at the budget's end, how many steps without movement make a stall, and how many
            without a new lowest loss an oscillation.
    """

    steps: int | Int[Array, ""]
    diverged_above: float | Float[Array, ""]
    gradient_below: float | Float[Array, ""]
    patience: int | Int[Array, ""]


def judge(
    limits: Limits, x: Point, f: Float[Array, ""], g: Point
) -> tuple[Bool[Array, ""], Int[Array, ""]]:
    """Whether a lane that finds the loss f and the gradient g at x ends there, and its `Outcome`.

    These are the outcomes that end a lane before its budget: converged, diverged, left_domain.
    """
    slope = largest(g)
    within = largest(x) <= limits.diverged_above  # False for a NaN coordinate
    bounded = (f > -jnp.inf) & (f <= limits.diverged_above)
    steep = (slope > limits.gradient_below) & (slope < jnp.inf)
    reasons = [
        (~within | ~(bounded | jnp.isnan(f)), Outcome.DIVERGED),
        (jnp.isnan(f) | ~jnp.isfinite(slope), Outcome.LEFT_DOMAIN),
        (~steep, Outcome.CONVERGED),
    ]
    ended = ~(within & bounded & steep)  # a comparison with NaN is false
    return ended, first_that_holds(reasons, Outcome.RUNNING)


def calm(limits: Limits, x: Point, f: Float[Array, ""], g: Point) -> Bool[Array, ""]:
    r"""Whether a lane plainly goes on, which takes less to see than how it ends.

    Of sums of squares: $\sum g_i^2 > n G^2$ means that some |g_i| is larger than G, which is
    `gradient_below`, and $\sum x_i^2 + f^2 + \sum g_i^2 \le D^2$ that all of them are numbers and
    within D, which is `diverged_above`. It never holds where `judge` ends the lane; it may fail
    where the lane goes on, with a gradient below sqrt(n) G or above D.
    """
    steep, dtype = sum_of_squares(jax.tree.leaves(g)), f.dtype
    size = sum_of_squares([f, *jax.tree.leaves(x)], steep)
    limit, slope = (jnp.asarray(value, dtype) for value in limits[1:3])
    largest_finite = jnp.finfo(dtype).max
    most = jnp.where(limit > SMALLEST, jnp.minimum(limit * limit, largest_finite), -1)
    count = sum(leaf.size for leaf in jax.tree.leaves(g))
    least = jnp.maximum(count * slope * slope, SMALLEST**2)
    margin = max(MARGIN, 4 * count * float(jnp.finfo(dtype).eps))
    return (size <= most * (1 - margin)) & (steep > least * (1 + margin))


SMALLEST = 1e-15
"""Numbers whose squares are far above the smallest that there are, in float32 too."""

MARGIN = 2.0**-10
"""More than what rounding does to a sum of a thousand squares in float32."""


def sum_of_squares(leaves: Sequence[Array], *start: Float[Array, ""]) -> Float[Array, ""]:
    """Of all their numbers, one after another, beginning with another number if there is one."""
    squares = [jnp.ravel(leaf * leaf) for leaf in leaves]
    return jnp.sum(jnp.concatenate([*map(jnp.ravel, start), *squares]))


def first_that_holds(
    reasons: Sequence[tuple[Bool[Array, ""], Any]], otherwise: Outcome
) -> Int[Array, ""]:
    """The outcome of the first condition that holds."""
    outcome = jnp.full((), otherwise, jnp.int32)
    for holds, reason in reversed(reasons):
        outcome = jnp.where(holds, jnp.asarray(reason, jnp.int32), outcome)
    return outcome


def largest(tree: Point) -> Float[Array, ""]:
    """The largest absolute value in a pytree; NaN if there is one."""
    return jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in jax.tree.leaves(tree)]).max()

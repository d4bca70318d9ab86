"""Sharpness: the largest eigenvalue of the loss's Hessian along a path.

Gradient descent with step size eta is stable where it is below 2/eta, and on networks it rises to
that and stays there (Cohen, Kaur, Li, Kolter & Talwalkar 2021, "Gradient descent on neural networks
typically occurs at the edge of stability", ICLR; `lab.theory.sharpness_limit`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int, PyTree

from lab.descent import Descent, Lane
from lab.record import Recorder, Variable, finite_or_inf, ravel

LANCZOS_STEPS = 64
"""Hessian-vector products at most: within .1 % where eigenvalues crowd, else to rounding."""


@dataclass(frozen=True)
class Sharpness(Recorder):
    """The sharpness at chosen steps; after a lane's end, that of the point where it ended.

    While a lane runs only its points are kept, so that the loop stays as fast as it is; the
    eigenvalues are worked out when it has ended. Infinite where they are not finite numbers.

    Attributes:
        at: the steps, 0 being the start.
    """

    at: tuple[int, ...]
    variables: ClassVar = {
        "sharpness": Variable(("sharpness_step",), "largest eigenvalue of the Hessian")
    }

    @property
    def coordinates(self) -> Mapping[str, np.ndarray]:
        """The steps."""
        return {"sharpness_step": np.asarray(self.at, np.int64)}

    def init(self, lane: Lane) -> PyTree:
        """Room for every point."""
        x = ravel(lane.x)
        return jnp.zeros((len(self.at), x.size), x.dtype)

    def update(self, record: PyTree, t: Int[Array, ""], lane: Lane, descent: Descent) -> PyTree:
        """Fill this point and every later one, so that an ended lane stays as it ended."""
        due = jnp.asarray(self.at, jnp.int32) >= t
        return jnp.where(due[:, None], ravel(lane.x)[None, :], record)

    def due(
        self, record: PyTree, t: Int[Array, ""], lane: Lane, descent: Descent
    ) -> Bool[Array, ""]:
        """At the steps themselves."""
        return jnp.any(jnp.asarray(self.at, jnp.int32) == t)

    def conclude(self, record: PyTree, lane: Lane, descent: Descent) -> PyTree:
        """The sharpness at each point, one after the other: a Hessian is larger than a lane."""
        _, unravel = ravel_pytree(lane.x)
        steps = jnp.minimum(jnp.asarray(self.at, jnp.int32), lane.steps)

        def one(i: Array) -> Array:
            return sharpness(lambda x: descent.loss(unravel(x), steps[i]), record[i])

        def more(carry: tuple[Array, Array]) -> Array:
            return carry[0] < len(self.at)

        def body(carry: tuple[Array, Array]) -> tuple[Array, Array]:
            i, found = carry
            return i + 1, found.at[i].set(one(i))

        # Not a scan, which the kernels' compiler would write out.
        empty = jnp.zeros(len(self.at), lane.loss.dtype)
        return lax.while_loop(more, body, (jnp.zeros((), jnp.int32), empty))[1]

    def results(self, record: PyTree, lane: Lane) -> dict[str, Array]:
        """`sharpness`, one a step."""
        return {"sharpness": finite_or_inf(record)}


def sharpness(
    f: Callable[[Float[Array, " dim"]], Float[Array, ""]], x: Float[Array, " dim"]
) -> Float[Array, ""]:
    """The largest eigenvalue of the Hessian of f at x, not the largest in magnitude.

    Written out for two numbers; else by Lanczos' method on Hessian-vector products, which is exact
    where it may take as many steps as x has numbers.

    Example:
        >>> float(sharpness(lambda x: x[0] ** 2 - 3 * x[1] ** 2, jnp.array([1.0, 2.0])))
        2.0
    """
    if len(x) == 2:
        (a, b), (_, c) = jax.hessian(f)(x)
        return (a + c) / 2 + jnp.hypot((a - c) / 2, b)
    wide = jnp.promote_types(x.dtype, jnp.float32)

    def product(v: Float[Array, " dim"]) -> Float[Array, " dim"]:
        return jax.jvp(jax.grad(f), (x,), (v.astype(x.dtype),))[1].astype(wide)

    start = jax.random.normal(jax.random.key(0), x.shape, wide)
    found = lanczos(product, start, min(len(x), LANCZOS_STEPS))
    return largest_of_tridiagonal(*found).astype(x.dtype)


def lanczos(
    product: Callable[[Float[Array, " dim"]], Float[Array, " dim"]],
    start: Float[Array, " dim"],
    steps: int,
) -> tuple[Float[Array, " step"], Float[Array, " step-1"]]:
    """A symmetric matrix in the span of b, A b, A^2 b ...: its diagonal, and what is beside it.

    The basis is made orthogonal twice (Golub & Van Loan, *Matrix Computations*, sections 10.1 and
    10.3.4). Where the span is invariant before all steps are taken, the first entry fills the rest.
    """
    eps = float(jnp.finfo(start.dtype).eps)

    def more(carry: Any) -> Array:
        i, _, _, _, rest, scale = carry
        return (i < steps) & (jnp.linalg.norm(rest) > 10 * eps * scale)

    def body(carry: Any) -> Any:
        i, basis, diagonal, beside, rest, scale = carry
        length = jnp.linalg.norm(rest)
        basis = basis.at[i].set(rest / length)
        image = product(rest / length)
        scale = jnp.maximum(scale, jnp.linalg.norm(image))
        diagonal = diagonal.at[i].set(basis[i] @ image)
        for _ in range(2):
            image = image - (basis @ image) @ basis
        return i + 1, basis, diagonal, beside.at[i].set(length), image, scale

    zeros, zero = jnp.zeros(steps, start.dtype), jnp.zeros((), start.dtype)
    basis = jnp.zeros((steps, len(start)), start.dtype)
    first: Any = (jnp.zeros((), jnp.int32), basis, zeros, zeros, start, zero)
    taken, _, diagonal, beside, _, _ = lax.while_loop(more, body, first)
    return jnp.where(jnp.arange(steps) < taken, diagonal, diagonal[0]), beside[1:]


def largest_of_tridiagonal(
    diagonal: Float[Array, " n"], beside: Float[Array, " n-1"]
) -> Float[Array, ""]:
    """The largest eigenvalue of a symmetric tridiagonal matrix, by bisection.

    x lies above it if all pivots of T - x I are negative (Sturm; Golub & Van Loan, section 8.4).
    """
    zero = jnp.zeros((1,), diagonal.dtype)
    left, right = jnp.concatenate([zero, beside]), jnp.concatenate([beside, zero])
    limits = jnp.finfo(diagonal.dtype)

    def pivot(last: Array, row: tuple[Array, Array]) -> tuple[Array, Array]:
        d = row[0] - row[1] ** 2 / last
        d = jnp.where(d == 0, -float(limits.tiny), d)
        return d, d

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low + high) / 2
        pivots = lax.scan(pivot, jnp.ones_like(low), (diagonal - middle, left))[1]
        above = jnp.all(pivots < 0)
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    ends = jnp.max(diagonal), jnp.max(diagonal + jnp.abs(left) + jnp.abs(right))
    return lax.fori_loop(0, limits.nmant + 12, halve, ends)[1]

"""Derivatives of a function of several numbers: partial, directional, second; what they tell.

Every function here is of one point, pure, and made of JAX: `jax.vmap` takes it to many. A surface
`f` takes its variables one by one, f(x, y, ...); a point is the array of them.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lab.losses.base import Point, Scalar

Surface = Callable[..., Scalar]
Matrix = Float[Array, "dim dim"]

KINDS = ("minimum", "maximum", "saddle", "degenerate")
"""What a critical point can be, as `classify` numbers it."""


def at_point(f: Surface) -> Callable[[Point], Scalar]:
    """The surface as a function of one array: F(p) = f(p_1, ..., p_n)."""
    return lambda point: f(*point)


def partial_derivative(f: Surface, point: Point, index: int) -> Scalar:
    """df/dx_i: the slope along one axis while all other variables stand still, by autodiff."""
    unit = jnp.zeros_like(point).at[index].set(1)
    return directional_derivative(f, point, unit)


def partial_difference(f: Surface, point: Point, index: int, h: Scalar | float) -> Scalar:
    """(f(x + h e_i) - f(x - h e_i)) / 2h, from values alone; its error is O(h^2)."""
    step = jnp.zeros_like(point).at[index].set(h)
    return (f(*(point + step)) - f(*(point - step))) / (2 * h)


def gradient(f: Surface, point: Point) -> Point:
    """The partial derivatives (df/dx_1, ..., df/dx_n), all at once, in reverse mode."""
    return jax.grad(at_point(f))(point)


def directional_derivative(f: Surface, point: Point, direction: Point) -> Scalar:
    """D_u f = d/dt f(p + t u) at t = 0, in forward mode: no gradient is made."""
    return jax.jvp(at_point(f), (point,), (direction,))[1]


def jacobian(f: Callable[[Point], Any], point: Point) -> Array:
    """The matrix of partials dF_i/dx_j of a map from points to points."""
    return jax.jacfwd(f)(point)


def hessian(f: Surface, point: Point) -> Matrix:
    """The matrix of second partials d^2 f / dx_i dx_j."""
    return jax.hessian(at_point(f))(point)


def curvatures(matrix: Float[Array, "2 2"]) -> Float[Array, "2"]:
    """Both eigenvalues of a symmetric matrix, the lower first: m -+ sqrt(d^2 + b^2).

    Here m is half the trace, d half the difference of the diagonal and b what is beside it.
    """
    a, b, c = matrix[0, 0], matrix[0, 1], matrix[1, 1]
    middle, radius = (a + c) / 2, jnp.hypot((a - c) / 2, b)
    return jnp.stack([middle - radius, middle + radius])


def classify(f: Surface, point: Point, tolerance: float) -> Int[Array, ""]:
    """The kind of a critical point of f(x, y) by the second-derivative test, as in `KINDS`.

    Minimum: both curvatures are positive; maximum: both negative; saddle: of either sign. When one
    is 0 the test is silent: degenerate.

    Args:
        f: the surface, of two variables.
        point: where its gradient vanishes.
        tolerance: a curvature no larger than this counts as 0.
    """
    low, high = curvatures(hessian(f, point))
    flat = jnp.minimum(jnp.abs(low), jnp.abs(high)) <= tolerance
    return jnp.select([flat, low > 0, high < 0], [3, 0, 1], 2)


def quadratic_model(f: Surface, centre: Point, step: Point) -> Scalar:
    """f(a) + g . s + s . H s / 2: Taylor's polynomial of order 2, with error O(|s|^3)."""
    return tangent_plane(f, centre, step) + step @ hessian(f, centre) @ step / 2


def tangent_plane(f: Surface, centre: Point, step: Point) -> Scalar:
    """f(a) + g . s: Taylor's polynomial of order 1, with error O(|s|^2)."""
    return f(*centre) + gradient(f, centre) @ step


def cubic_term(f: Surface, centre: Point, step: Point) -> Scalar:
    """D^3 f(a)[s, s, s] / 6: what the quadratic model leaves out first."""
    along = lambda t: f(*(centre + t * step))  # noqa: E731
    return jax.grad(jax.grad(jax.grad(along)))(jnp.zeros_like(centre[0])) / 6


def newton(f: Surface, start: Point, steps: int, reach: float = 1.0) -> Point:
    """Newton's method on the gradient: x <- x - H^-1 g, `steps` times.

    A step is cut to the length `reach`. Where H is singular, there is no step. It goes to minima,
    maxima and saddles alike.
    """

    def step(_: int, x: Point) -> Point:
        towards = _solve(hessian(f, x), gradient(f, x))
        length = jnp.linalg.norm(towards)
        return x - towards * jnp.minimum(1, reach / jnp.maximum(length, 1e-300))

    return jax.lax.fori_loop(0, steps, step, start)


def _solve(matrix: Float[Array, "2 2"], right: Float[Array, "2"]) -> Float[Array, "2"]:
    """Cramer's rule, after scaling so that a small matrix has no vanishing determinant."""
    size = jnp.max(jnp.abs(matrix))
    (a, b), (c, d) = matrix / jnp.where(size > 0, size, 1)
    determinant = a * d - b * c
    found = jnp.stack([d * right[0] - b * right[1], a * right[1] - c * right[0]])
    singular = (determinant == 0) | (size == 0)
    scale = jnp.where(singular, 1, determinant * size)
    return jnp.where(singular, 0, found / scale)


def winding(f: Surface, centre: Point, radius: Scalar, corners: int = 720) -> Scalar:
    """How often the gradient turns around while a point walks once around a circle.

    Around a lone critical point this is its index: 1 at a minimum or maximum, -1 at a saddle, -2 at
    a monkey saddle; around several it is their sum (Poincare and Hopf). From gradients alone.
    """
    angle = jnp.linspace(0, 2 * jnp.pi, corners + 1)
    circle = centre[None, :] + radius * jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)
    g = jax.vmap(lambda p: gradient(f, p))(circle.astype(centre.dtype))
    turn = jnp.arctan2(g[:-1, 0] * g[1:, 1] - g[:-1, 1] * g[1:, 0], jnp.sum(g[:-1] * g[1:], axis=1))
    return jnp.sum(turn) / (2 * jnp.pi)


def contour_direction(f: Surface, point: Point, radius: Scalar) -> Point:
    """The unit direction of the contour of f(x, y) through a point, from values alone.

    On a small circle around the point, the function equals its value at the point twice; the chord
    between the two is parallel to the contour, but for O(radius^2). Each is found by bisection
    between the highest of 32 points of the circle and its antipode.
    """
    value = f(*point)

    def above(angle: Scalar) -> Scalar:
        return f(point[0] + radius * jnp.cos(angle), point[1] + radius * jnp.sin(angle)) - value

    angles = jnp.arange(32, dtype=point.dtype) * (2 * jnp.pi / 32)
    top = angles[jnp.argmax(jax.vmap(above)(angles))]
    left, right = (_crossing(above, top, top + side * jnp.pi) for side in (1, -1))
    chord = jnp.stack([jnp.cos(left) - jnp.cos(right), jnp.sin(left) - jnp.sin(right)])
    return chord / jnp.linalg.norm(chord)


def _crossing(above: Callable[[Scalar], Scalar], high: Scalar, low: Scalar) -> Scalar:
    def halve(_: int, ends: tuple[Scalar, Scalar]) -> tuple[Scalar, Scalar]:
        high, low = ends
        middle = (high + low) / 2
        up = above(middle) > 0
        return jnp.where(up, middle, high), jnp.where(up, low, middle)

    high, low = jax.lax.fori_loop(0, 48, halve, (high, low))
    return (high + low) / 2

"""Vector fields: divergence, curl and Laplacian, what flows along them, what they do around loops.

Every function here is of one point (or one curve), pure, and made of JAX: `jax.vmap` takes it to
many. A field is a function from a point [dim] to a vector [dim]; a surface f takes its variables
one by one, as in `lab.calculus.partial`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lab.calculus.partial import Surface, gradient, hessian, jacobian
from lab.losses.base import Point, Scalar

Field = Callable[[Point], Point]
Curve = Callable[[Scalar], Point]


def field(components: Sequence[Any]) -> Field:
    """The field of these components: each a `Function`, given as many coordinates as it takes."""
    return lambda point: jnp.stack([f(*point[: f.dimension]) for f in components])


def gradient_field(f: Surface) -> Field:
    """The field grad f of a surface, its potential."""
    return lambda point: gradient(f, point)


def divergence(field: Field, point: Point) -> Scalar:
    """The divergence sum dF_i/dx_i: how much more flows out of a small cell than into it."""
    return jnp.trace(jacobian(field, point))


def curl(field: Field, point: Point) -> Array:
    """The curl: dF_2/dx - dF_1/dy in the plane, (dF_3/dy - dF_2/dz, ...) in space."""
    j = jacobian(field, point)
    if point.shape == (2,):
        return j[1, 0] - j[0, 1]
    return jnp.stack([j[2, 1] - j[1, 2], j[0, 2] - j[2, 0], j[1, 0] - j[0, 1]])


def laplacian(f: Surface, point: Point) -> Scalar:
    """The divergence of the gradient, sum d^2 f / dx_i^2."""
    return jnp.trace(hessian(f, point))


def divergence_stencil(field: Field, point: Point, h: Scalar | float) -> Scalar:
    """The divergence by central differences over h, from values alone; error O(h^2)."""
    return jnp.trace(_difference_jacobian(field, point, h))


def curl_stencil(field: Field, point: Point, h: Scalar | float) -> Scalar:
    """The curl in the plane by central differences over h, from values alone; error O(h^2)."""
    j = _difference_jacobian(field, point, h)
    return j[1, 0] - j[0, 1]


def _difference_jacobian(field: Field, point: Point, h: Scalar | float) -> Array:
    steps = h * jnp.eye(len(point), dtype=point.dtype)
    columns = [(field(point + step) - field(point - step)) / (2 * h) for step in steps]
    return jnp.stack(columns, axis=1)


def laplacian_stencil(f: Surface, point: Point, h: Scalar | float) -> Scalar:
    """(sum over the neighbours at distance h of f - f(p)) / h^2; five points in the plane."""
    steps = h * jnp.eye(len(point), dtype=point.dtype)
    around = [f(*(point + sign * step)) for step in steps for sign in (1, -1)]
    return (sum(around) - 2 * len(point) * f(*point)) / h**2


def grid_laplacian(u: Float[Array, "y x"], h: float) -> Float[Array, "y x"]:
    """The five-point stencil on a whole grid of spacing h whose edges meet (periodic)."""
    around = sum(jnp.roll(u, shift, axis) for axis in (0, 1) for shift in (1, -1))
    return (around - 4 * u) / h**2


def diffuse(u: Float[Array, "y x"], number: Scalar | float, steps: int) -> Float[Array, "y x"]:
    """The heat equation u_t = D lap u, explicitly: u <- u + (D dt/h^2) h^2 lap u.

    A wave over the grid shrinks by 1 - 4 r (sin^2 (k h/2) + sin^2 (l h/2)) a step, r = D dt/h^2:
    stable if and only if r <= 1/4.
    """
    return jax.lax.fori_loop(0, steps, lambda _, v: v + number * grid_laplacian(v, 1.0), u)


def flow(field: Field, start: Point, time: Scalar | float, steps: int) -> Point:
    """x(time) of x' = F(x), x(0) = start, by the classical Runge-Kutta method; error O(dt^4)."""
    dt = time / steps

    def step(_: int, x: Point) -> Point:
        a = field(x)
        b = field(x + dt / 2 * a)
        c = field(x + dt / 2 * b)
        d = field(x + dt * c)
        return x + dt / 6 * (a + 2 * b + 2 * c + d)

    return jax.lax.fori_loop(0, steps, step, start)


def euler(field: Field, start: Point, rate: Scalar | float, steps: int) -> Float[Array, "step dim"]:
    """x_0 ... x_T of x <- x + rate F(x); along -grad f this is gradient descent."""

    def step(x: Point, _: None) -> tuple[Point, Point]:
        ahead = x + rate * field(x)
        return ahead, ahead

    _, path = jax.lax.scan(step, start, None, length=steps)
    return jnp.concatenate([start[None, :], path])


def circulation(field: Field, loop: Curve, corners: int) -> Scalar:
    """The integral of F . dr around a loop r(t), t in [0, 2 pi].

    By the trapezoid rule, whose error falls faster than any power for a smooth loop.
    """
    return _around(lambda place, tangent: field(place) @ tangent, loop, corners)


def flux(field: Field, loop: Curve, corners: int) -> Scalar:
    """The integral of F . n ds around a loop, n outwards if the loop runs counterclockwise."""

    def outwards(place: Point, tangent: Point) -> Scalar:
        return field(place) @ jnp.stack([tangent[1], -tangent[0]])

    return _around(outwards, loop, corners)


def _around(integrand: Callable[[Point, Point], Scalar], loop: Curve, corners: int) -> Scalar:
    t = jnp.linspace(0, 2 * jnp.pi, corners, endpoint=False)
    places, tangents = jax.vmap(lambda t: jax.jvp(loop, (t,), (jnp.ones_like(t),)))(t)
    return jnp.mean(jax.vmap(integrand)(places, tangents)) * 2 * jnp.pi


def inside(
    density: Callable[[Point], Scalar], loop: Curve, centre: Point, corners: int, rings: int
) -> Scalar:
    """The integral of a density over the inside of a loop that is star-shaped about its centre.

    With p = c + s (r(t) - c), s in [0, 1], the area element is s (r - c) x r' ds dt. Gauss and
    Legendre's rule in s, the trapezoid rule in t.
    """
    nodes, weights = np.polynomial.legendre.leggauss(rings)
    s = jnp.asarray((nodes + 1) / 2, centre.dtype)
    w = jnp.asarray(weights / 2, centre.dtype)

    def along(place: Point, tangent: Point) -> Scalar:
        out = place - centre
        element = out[0] * tangent[1] - out[1] * tangent[0]
        values = jax.vmap(lambda s: density(centre + s * out))(s)
        return element * jnp.sum(w * s * values)

    return _around(along, loop, corners)


def surface_flux(
    field: Field, surface: Callable[[Scalar, Scalar], Point], corners: int, circles: int
) -> Scalar:
    """The integral of F . n dA over a closed surface r(u, v), u in [0, 2 pi], v in [-1, 1].

    For a sphere u is the longitude and v the sine of the latitude; n dA = r_u x r_v du dv.
    """
    nodes, weights = np.polynomial.legendre.leggauss(circles)

    def ring(v: Scalar) -> Scalar:
        return jnp.mean(jax.vmap(lambda u: through(u, v))(u)) * 2 * jnp.pi

    def through(u: Scalar, v: Scalar) -> Scalar:
        along_u, along_v = jax.jacfwd(surface, argnums=(0, 1))(u, v)
        return field(surface(u, v)) @ jnp.cross(along_u, along_v)

    u = jnp.linspace(0, 2 * jnp.pi, corners, endpoint=False)
    return jnp.asarray(weights, u.dtype) @ jax.vmap(ring)(jnp.asarray(nodes, u.dtype))


def inside_surface(
    density: Callable[[Point], Scalar],
    surface: Callable[[Scalar, Scalar], Point],
    corners: int,
    circles: int,
    rings: int,
) -> Scalar:
    """The integral of a density over the solid inside a closed surface, star-shaped about 0.

    With p = s r(u, v), s in [0, 1], the volume element is s^2 r . (r_u x r_v) ds du dv: on each
    shell s r this is the flux of g(p) p, over s.
    """
    nodes, weights = np.polynomial.legendre.leggauss(rings)

    def shell(s: Scalar) -> Scalar:
        swollen = lambda u, v: s * surface(u, v)  # noqa: E731
        return surface_flux(lambda p: density(p) * p, swollen, corners, circles) / s

    s, w = (jnp.asarray(a, jnp.result_type(float)) for a in ((nodes + 1) / 2, weights / 2))
    return w @ jax.vmap(shell)(s)


def star(centre: Point, radii: Float[Array, "wave 2"], size: Scalar) -> Curve:
    """A loop r(t) = c + size (1 + sum a_k cos kt + b_k sin kt)(cos t, sin t), k = 1, 2, ...

    Star-shaped, and run through counterclockwise, while the sum stays above -1.
    """
    k = jnp.arange(1, len(radii) + 1, dtype=centre.dtype)

    def loop(t: Scalar) -> Point:
        wobble = jnp.sum(radii[:, 0] * jnp.cos(k * t) + radii[:, 1] * jnp.sin(k * t))
        return centre + size * (1 + wobble) * jnp.stack([jnp.cos(t), jnp.sin(t)])

    return loop


def waves(
    amplitudes: Float[Array, "wave dim"],
    vectors: Float[Array, "wave dim"],
    phases: Float[Array, " wave"],
) -> Field:
    """The field F(p) = sum_j A_j sin(k_j . p + phi_j), smooth and with curl and divergence."""
    return lambda point: jnp.sin(vectors @ point + phases) @ amplitudes

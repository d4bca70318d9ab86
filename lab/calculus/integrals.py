"""Integrals of functions of one number by rules, and of several numbers by sampling.

Every rule is of one integrand and one interval, pure, and made of JAX: `jax.vmap` takes it to many.
Sums are taken one term after another in the precision of the interval's ends, so that rounding is
what it is in a plain loop. `n`, the number of panels, may be traced.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lab.calculus.probability import running_means
from lab.losses.base import Scalar

Curve = Callable[[Any], Scalar]

PLASTIC = 1.324717957244746
"""The real root of g^3 = g + 1."""


def riemann(f: Curve, a: Any, b: Any, n: Any, at: float = 0.0) -> Scalar:
    """H (f(a + at h) + f(a + (1 + at) h) + ... ), n terms with h = (b - a) / n.

    `at` = 0, 1/2, 1 gives the left, midpoint and right rule. The left rule's error is
    -h (f(b) - f(a)) / 2 + h^2 (f'(b) - f'(a)) / 12 + O(h^4) (Euler and Maclaurin), the right rule's
    the same with + before its first term.

    Args:
        f: the integrand.
        a: where the interval begins.
        b: where it ends.
        n: how many panels.
        at: where in its panel f is taken, from 0 to 1.
    """
    a, b = jnp.asarray(a), jnp.asarray(b)
    h = (b - a) / jnp.asarray(n, a.dtype)

    def add(i: Any, total: Scalar) -> Scalar:
        return total + f(a + (jnp.asarray(i, a.dtype) + jnp.asarray(at, a.dtype)) * h)

    return h * lax.fori_loop(0, n, add, jnp.zeros_like(a))


def midpoint(f: Curve, a: Any, b: Any, n: Any) -> Scalar:
    """The Riemann sum at the panels' middles; error -h^2 (f'(b) - f'(a)) / 24 + O(h^4)."""
    return riemann(f, a, b, n, 0.5)


def trapezoid(f: Curve, a: Any, b: Any, n: Any) -> Scalar:
    """The mean of the left and the right sum; error h^2 (f'(b) - f'(a)) / 12 + O(h^4)."""
    a, b = jnp.asarray(a), jnp.asarray(b)
    return riemann(f, a, b, n) + (b - a) / jnp.asarray(n, a.dtype) * (f(b) - f(a)) / 2


def simpson(f: Curve, a: Any, b: Any, n: Any) -> Scalar:
    """(2 M + T) / 3 of the n/2 double panels; error h^4 (f'''(b) - f'''(a)) / 180 + O(h^6).

    n is even, and h = (b - a) / n as in the other rules.
    """
    return (2 * midpoint(f, a, b, n // 2) + trapezoid(f, a, b, n // 2)) / 3


def romberg(f: Curve, a: Any, b: Any, levels: int) -> Any:
    """Trapezoids of 1, 2, 4, ..., 2^levels panels, with powers of h^2 removed one by one.

    R(k, j) = R(k, j-1) + (R(k, j-1) - R(k-1, j-1)) / (4^j - 1).
    Source: Romberg 1955, Det Kongelige Norske Videnskabers Selskab Forhandlinger 28, no. 7.

    Returns:
        R(k, k) for k = 0 to `levels`, shape (levels + 1,); the last is the best.
    """
    middles = lax.map(lambda n: midpoint(f, a, b, n), 2 ** jnp.arange(levels))
    row = [trapezoid(f, a, b, 1)]
    best = [row[0]]
    for k in range(levels):
        finer = [(row[0] + middles[k]) / 2]
        for j, coarse in enumerate(row, start=1):
            finer.append(finer[-1] + (finer[-1] - coarse) / (4**j - 1))
        row = finer
        best.append(row[-1])
    return jnp.stack(best)


def legendre_rule(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (increasing) and weights of n-point Gauss-Legendre quadrature on [-1, 1], in float64.

    The nodes are the roots of the Legendre polynomial P_n, by Newton's method from
    cos(pi (i - 1/4) / (n + 1/2)); the weights are 2 / ((1 - x^2) P_n'(x)^2).
    """
    x = -np.cos(np.pi * (np.arange(1, n + 1) - 0.25) / (n + 0.5))
    for _ in range(8):
        value, slope = _legendre(n, x)
        x = x - value / slope
    return x, 2 / ((1 - x**2) * _legendre(n, x)[1] ** 2)


def _legendre(n: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P_n and its slope, by (k + 1) P_{k+1} = (2k + 1) x P_k - k P_{k-1}."""
    before, value = np.ones_like(x), x
    for k in range(1, n):
        before, value = value, ((2 * k + 1) * x * value - k * before) / (k + 1)
    return value, n * (x * value - before) / (x**2 - 1)


def weighted(f: Curve, a: Any, b: Any, nodes: Any, weights: Any) -> Scalar:
    """A rule on [-1, 1] taken to [a, b]: (b - a)/2 sum_i w_i f((a + b)/2 + (b - a)/2 x_i).

    With n Gauss-Legendre nodes the error is (b-a)^(2n+1) (n!)^4 f^(2n)(c) / ((2n+1) ((2n)!)^3) for
    some c in between (Hildebrand, Introduction to Numerical Analysis, section 8.5), subtracted.

    Args:
        f: the integrand.
        a: where the interval begins.
        b: where it ends.
        nodes: shape (n,); nodes of weight zero do nothing, so rules can be padded to one length.
        weights: shape (n,).
    """
    x = (a + b) / 2 + (b - a) / 2 * jnp.asarray(nodes)
    return (b - a) / 2 * jnp.sum(jnp.asarray(weights) * jax.vmap(f)(x))


def gauss_legendre(f: Curve, a: Any, b: Any, n: int) -> Scalar:
    """Quadrature with n nodes, exact for polynomials of degree up to 2n - 1."""
    return weighted(f, a, b, *legendre_rule(n))


def adaptive_simpson(
    f: Curve, a: Any, b: Any, tolerance: float = 1e-10, depth: int = 40
) -> tuple[Scalar, Any]:
    """Simpson's rule on panels that are halved wherever the two halves disagree with the whole.

    A panel is kept when |S(left) + S(right) - S(whole)| <= 15 tolerance, with half the tolerance
    for each half of a panel; what is kept is corrected by a fifteenth of the difference.
    Source: Lyness 1969, Journal of the ACM 16, 483-495.

    Returns:
        The integral, and how many panels were kept. A panel halved `depth` times is kept as it is.
    """
    a, b = jnp.asarray(a), jnp.asarray(b)
    blank = jnp.zeros(depth + 2, a.dtype)
    # A stack of panels that wait: their left ends, and how many times each was halved.
    state = (blank.at[0].set(a), jnp.zeros(depth + 2, jnp.int32), 1, jnp.zeros_like(a), 0)

    def step(state: Any) -> Any:
        left, halved, top, total, kept = state
        x, level = left[top - 1], halved[top - 1]
        width = (b - a) * 0.5 ** level.astype(a.dtype)
        whole = simpson(f, x, x + width, 2)
        fine = simpson(f, x, x + width, 4)
        good = (jnp.abs(fine - whole) <= 15 * tolerance * width / (b - a)) | (level >= depth)
        total = jnp.where(good, total + fine + (fine - whole) / 15, total)
        left = left.at[top].set(x + width / 2)
        halved = halved.at[top - 1].add(1).at[top].set(level + 1)
        return left, halved, jnp.where(good, top - 1, top + 1), total, kept + good

    _, _, _, total, kept = lax.while_loop(lambda state: state[2] > 0, step, state)
    return total, kept


def over_the_line(f: Curve) -> Curve:
    """G on [-1, 1] whose integral is that of f over all numbers, by x = t / (1 - t^2).

    g(t) = f(x) (1 + t^2) / (1 - t^2)^2, and 0 at the ends; f must fall faster than 1 / x^2.
    """

    def g(t: Any) -> Scalar:
        rest = 1 - t**2
        inside = rest > 0
        rest = jnp.where(inside, rest, 1)
        return jnp.where(inside, f(t / rest) * (1 + t**2) / rest**2, 0)

    return g


def monte_carlo(
    f: Callable[[Any], Scalar], low: Any, high: Any, key: Any, stops: Any, chunk: int = 64
) -> Any:
    """Means of f over the first n random points of a box, times its volume, for all n of `stops`.

    The standard deviation is that of f over the box, times its volume / sqrt(n).

    Args:
        f: of one point of shape (dim,), in float32.
        low: lower corner of the box, shape (dim,).
        high: upper corner.
        key: of the random points, which are uniform in the box.
        stops: increasing numbers of points, shape (stop,).
        chunk: points drawn together.
    """

    def draw(first: Any) -> Any:
        return jax.random.uniform(jax.random.fold_in(key, first), (chunk, len(low)), jnp.float32)

    return _sampled(f, low, high, draw, stops)


def quasi_monte_carlo(
    f: Callable[[Any], Scalar], low: Any, high: Any, key: Any, stops: Any, chunk: int = 64
) -> Any:
    """As `monte_carlo`, over the points of a Kronecker sequence that fills the square evenly.

    u_i = (s + i alpha) mod 1 in two dimensions, alpha = (1/g, 1/g^2) with the plastic number g, in
    whole numbers mod 2^32, so exactly; `key` draws the shift s, which makes the mean unbiased. The
    error falls almost as 1/n where f is smooth.
    Source: Roberts 2018, The unreasonable effectiveness of quasirandom sequences; random shifts
    by Cranley & Patterson 1976, SIAM Journal on Numerical Analysis 13, 904-914.
    """
    alpha = np.array([2**32 / PLASTIC, 2**32 / PLASTIC**2]).astype(np.uint32)
    shift = jax.random.bits(key, (2,), jnp.uint32)

    def draw(first: Any) -> Any:
        index = (jnp.arange(chunk, dtype=jnp.int32) + first).astype(jnp.uint32)
        turned = shift[None, :] + index[:, None] * jnp.asarray(alpha)[None, :]
        return (turned >> 8).astype(jnp.float32) * jnp.float32(2.0**-24)

    return _sampled(f, low, high, draw, stops)


def _sampled(f: Any, low: Any, high: Any, draw: Callable[[Any], Any], stops: Any) -> Any:
    """Volume times the running means of f over the points that `draw` puts into the unit box."""
    low, size = np.asarray(low, np.float32), np.asarray(high, np.float32) - np.float32(low)

    def values(first: Any) -> Any:
        return jax.vmap(lambda u: f(low + size * u))(draw(first))

    return float(np.prod(size)) * running_means(values, stops)

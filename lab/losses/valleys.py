"""Valleys: a long, narrow, often curved floor with steep sides, along which descent must creep."""

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar, surface
from lab.losses.points import indices, root


def _rosenbrock_minima(dimension: int, a: float, b: float) -> np.ndarray:
    """(a, a^2) in two dimensions; in more, all terms vanish together only for a = 0 or 1."""
    if float(b) <= 0 or (dimension > 2 and float(a) not in (0.0, 1.0)):
        return np.empty((0, dimension))
    return float(a) ** np.minimum(np.arange(1, dimension + 1), 2)[None]


def _rosenbrock_minimum(dimension: int, a: float, b: float) -> float | None:
    return 0.0 if len(_rosenbrock_minima(dimension, a, b)) else None


def _rosenbrock_residuals(x: Point, a: float = 1.0, b: float = 100.0) -> Point:
    head, tail = x[:-1], x[1:]
    return jnp.concatenate([jnp.sqrt(jnp.asarray(b, x.dtype)) * (tail - head**2), a - head])


def _rosenbrock_start(dimension: int, **_: float) -> np.ndarray:
    return np.where(np.arange(dimension) % 2, 1.0, -1.2)


@surface(
    low=-2.0,
    high=2.0,
    least_dimension=2,
    minima=_rosenbrock_minima,
    minimum=_rosenbrock_minimum,
    start=_rosenbrock_start,
    residuals=_rosenbrock_residuals,
    source="Rosenbrock 1960, The Computer Journal 3; n-D: Shang & Qiu 2006, Evol. Comput. 14",
)
def rosenbrock(x: Point, a: float = 1.0, b: float = 100.0) -> Scalar:
    """f(x) = sum_i b (x_{i+1} - x_i^2)^2 + (a - x_i)^2.

    A curved valley along x_{i+1} = x_i^2. In four and more dimensions there is, for a = 1 and
    b = 100, one more local minimum, near (-1, 1, ..., 1); only the global one is listed.
    """
    head, tail = x[:-1], x[1:]
    return jnp.sum(b * (tail - head**2) ** 2 + (a - head) ** 2)


def _beale_residuals(point: Point) -> Point:
    x, y = point
    return jnp.stack([1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3])


@surface(
    low=-4.5,
    high=4.5,
    minima=[[3.0, 0.5]],
    minimum=0.0,
    start=[1.0, 1.0],
    residuals=_beale_residuals,
    source="Beale 1958, On an Iterative Method for Finding a Local Minimum, Princeton",
)
def beale(point: Point) -> Scalar:
    """f(x, y) = (1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2.

    A flat floor with sharp corners; far out along y = 1 the slope fades without a minimum.
    """
    x, y = point
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _dixon_price_minima(dimension: int) -> np.ndarray:
    x = 2.0 ** (2.0 ** -np.arange(dimension) - 1)
    mirrored = np.where(np.arange(dimension) == dimension - 1, -x, x)
    return np.array([x, mirrored])[: 1 if dimension == 1 else 2]


@surface(
    low=-10.0,
    high=10.0,
    minima=_dixon_price_minima,
    minimum=0.0,
    source="Dixon & Price 1989, J. Optim. Theory Appl. 60",
)
def dixon_price(x: Point) -> Scalar:
    """f(x) = (x_1 - 1)^2 + sum_{i>1} i (2 x_i^2 - x_{i-1})^2.

    A chain of parabolas down to x_i = 2^(2^(1-i) - 1); the last coordinate may have either sign.
    """
    return (x[0] - 1) ** 2 + jnp.sum(indices(x)[1:] * (2 * x[1:] ** 2 - x[:-1]) ** 2)


def _powell_residuals(x: Point) -> Point:
    a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
    return jnp.concatenate([a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2])


@surface(
    low=-4.0,
    high=5.0,
    least_dimension=4,
    multiple_of=4,
    minima=lambda n: np.zeros((1, n)),
    minimum=0.0,
    start=lambda n: np.tile([3.0, -1.0, 0.0, 1.0], n // 4),
    residuals=_powell_residuals,
    source="Powell 1962, The Computer Journal 5",
)
def powell_singular(x: Point) -> Scalar:
    """f(x) = sum over fours of (a + 10b)^2 + 5 (c - d)^2 + (b - 2c)^4 + 10 (a - d)^4.

    The Hessian at the minimum has rank 2 in each four: along its kernel f grows as a fourth power.
    """
    a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
    squares = (a + 10 * b) ** 2 + 5 * (c - d) ** 2
    return jnp.sum(squares + (b - 2 * c) ** 4 + 10 * (a - d) ** 4)


def _perm_minima(dimension: int, beta: float) -> np.ndarray:
    x = np.arange(1.0, dimension + 1)
    if dimension != 2:
        return x[None]
    p, q = 1 + float(beta), 2 + float(beta)
    u, v = 1 + float(beta), 4 + float(beta)
    # With a = x_1 - 1 and b = x_2/2 - 1: p a + q b = 0 and u (2a + a^2) + v (2b + b^2) = 0.
    b = 2 * (u * q / p - v) / (u * (q / p) ** 2 + v)
    return np.array([x, [1 - q / p * b, 2 * (1 + b)]])


@surface(
    low=lambda n: -float(n),
    high=lambda n: float(n),
    least_dimension=2,
    minima=_perm_minima,
    minimum=0.0,
    positive=("beta",),
    source="Neumaier, in Hedar 2005, Test Functions for Unconstrained Global Optimization",
)
def perm(x: Point, beta: float = 0.5) -> Scalar:
    """f(x) = sum_k [sum_i (i^k + beta) ((x_i/i)^k - 1)]^2, k = 1 ... n.

    The minimum is (1, 2, ..., n). In two dimensions there is one other, also listed; in more, the
    n equations of degrees 1 ... n may have more solutions.
    """
    i = indices(x)
    sums = [jnp.sum((i**k + beta) * ((x / i) ** k - 1)) for k in range(1, x.shape[0] + 1)]
    return jnp.sum(jnp.stack(sums) ** 2)


@surface(
    low=[-15.0, -3.0],
    high=[-5.0, 3.0],
    minima=[[-10.0, 1.0]],
    minimum=0.0,
    kinks=True,
    source="Bukin 1997, in Jamil & Yang 2013, Int. J. Math. Modelling Numer. Optim. 4",
)
def bukin_6(point: Point) -> Scalar:
    """f(x, y) = 100 sqrt|y - x^2/100| + |x + 10|/100.

    A parabola of infinitely steep walls, along whose floor f falls by a hundredth a unit.
    """
    x, y = point
    return 100 * root(jnp.abs(y - x**2 / 100)) + jnp.abs(x + 10) / 100


@surface(
    low=[-10.0, -3.0],
    high=[10.0, 3.0],
    minima=[[0.0, 0.0]],
    minimum=0.0,
    positive=("steepness",),
    source="after the ravines of Sutton 1986, Proc. Annual Conf. Cognitive Science Society 8",
)
def ravine(point: Point, steepness: float = 10.0) -> Scalar:
    """f(x, y) = x^2/100 + s (y - sin x)^2, s the steepness.

    A ravine that winds as the sine does, and falls gently towards the origin.
    """
    x, y = point
    return x**2 / 100 + steepness * (y - jnp.sin(x)) ** 2

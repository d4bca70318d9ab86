"""Bowls: one minimum, no other place to stop; convex but for Lojasiewicz's."""

import math

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar, surface
from lab.losses.points import indices, origin

JAMIL_YANG = "Jamil & Yang 2013, Int. J. Math. Modelling Numer. Optim. 4"


@surface(
    low=-1.0,
    high=1.0,
    minima=origin,
    minimum=0.0,
    positive=("condition_number",),
    source="Goh 2017, Why Momentum Really Works, Distill",
)
def quadratic(x: Point, condition_number: float = 100.0) -> Scalar:
    """f(x) = 1/2 sum_i lambda_i x_i^2, lambda log-spaced from 1 to the condition number.

    The largest curvature belongs to the last coordinate; in one dimension lambda = 1.
    """
    exponents = jnp.asarray(np.linspace(0.0, 1.0, x.shape[0]), x.dtype)
    return jnp.sum(condition_number**exponents * x**2) / 2


@surface(
    low=-5.12,
    high=5.12,
    minima=origin,
    minimum=0.0,
    source="De Jong 1975, Analysis of the Behavior of a Class of Genetic Adaptive Systems",
)
def sphere(x: Point) -> Scalar:
    """f(x) = sum_i x_i^2.

    The roundest bowl: one step of rate 1/2 ends at the minimum from anywhere.
    """
    return jnp.sum(x**2)


@surface(low=-10.0, high=10.0, minima=origin, minimum=0.0, source=JAMIL_YANG)
def sum_squares(x: Point) -> Scalar:
    """f(x) = sum_i i x_i^2.

    A bowl whose condition number is its dimension.
    """
    return jnp.sum(indices(x) * x**2)


@surface(low=-10.0, high=10.0, minima=[[1.0, 3.0]], minimum=0.0, source=JAMIL_YANG)
def booth(point: Point) -> Scalar:
    """f(x, y) = (x + 2y - 7)^2 + (2x + y - 5)^2.

    A tilted bowl of condition number 9.
    """
    x, y = point
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


@surface(low=-10.0, high=10.0, minima=[[0.0, 0.0]], minimum=0.0, source=JAMIL_YANG)
def matyas(point: Point) -> Scalar:
    """f(x, y) = 0.26 (x^2 + y^2) - 0.48 x y.

    A bowl of condition number 25 whose long axis is the diagonal.
    """
    x, y = point
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


def _trid_minima(dimension: int) -> np.ndarray:
    i = np.arange(1.0, dimension + 1)
    return (i * (dimension + 1 - i))[None]


def _trid_minimum(n: int) -> float:
    return -n * (n + 4) * (n - 1) / 6


@surface(
    low=lambda n: -(float(n) ** 2),
    high=lambda n: float(n) ** 2,
    least_dimension=2,
    minima=_trid_minima,
    minimum=_trid_minimum,
    source="Neumaier, in Hedar 2005, Test Functions for Unconstrained Global Optimization",
)
def trid(x: Point) -> Scalar:
    """f(x) = sum_i (x_i - 1)^2 - sum_i x_i x_{i+1}.

    A tridiagonal quadratic with its minimum at x_i = i (n + 1 - i); box and depth grow with n.
    """
    return jnp.sum((x - 1) ** 2) - jnp.sum(x[1:] * x[:-1])


@surface(
    low=-5.0,
    high=10.0,
    minima=origin,
    minimum=0.0,
    source="Zakharov 1975, in Jamil & Yang 2013, Int. J. Math. Modelling Numer. Optim. 4",
)
def zakharov(x: Point) -> Scalar:
    """f(x) = sum_i x_i^2 + s^2 + s^4, s = sum_i i x_i / 2.

    A round bowl with steep walls along one direction.
    """
    s = jnp.sum(indices(x) * x) / 2
    return jnp.sum(x**2) + s**2 + s**4


def _worst_minima(dimension: int, L: float) -> np.ndarray:
    return 1 - np.arange(1.0, dimension + 1)[None] / (dimension + 1)


def _worst_minimum(dimension: int, L: float) -> float:
    return float(L) / 8 * (1 / (dimension + 1) - 1)


@surface(
    low=-1.0,
    high=2.0,
    minima=_worst_minima,
    minimum=_worst_minimum,
    positive=("L",),
    source="Nesterov 2004, Introductory Lectures on Convex Optimization, section 2.1.2",
)
def nesterov_worst(x: Point, L: float = 1.0) -> Scalar:
    """f(x) = L/4 [(x_1^2 + sum_i (x_i - x_{i+1})^2 + x_n^2)/2 - x_1].

    Convex, with curvature below L. From 0, k steps of any method that moves along gradients change
    only the first k coordinates, and so stay above f* by L/8 (1/(k + 1) - 1/(n + 1)).
    """
    chain = x[0] ** 2 + jnp.sum((x[:-1] - x[1:]) ** 2) + x[-1] ** 2
    return L / 4 * (chain / 2 - x[0])


def _path_matrix(dimension: int, condition_number: float) -> np.ndarray:
    path = 2 * np.eye(dimension) - np.eye(dimension, k=1) - np.eye(dimension, k=-1)
    path[-1, -1] = 1.0
    return path + 4 / (float(condition_number) - 1) * np.eye(dimension)


def _path_minima(dimension: int, condition_number: float) -> np.ndarray:
    if float(condition_number) <= 1:
        return np.empty((0, dimension))
    return np.linalg.solve(_path_matrix(dimension, condition_number), np.eye(dimension)[0])[None]


def _path_minimum(dimension: int, condition_number: float) -> float | None:
    minima = _path_minima(dimension, condition_number)
    return float(1 - minima[0, 0]) / 2 if len(minima) else None


@surface(
    low=-2.0,
    high=2.0,
    minima=_path_minima,
    minimum=_path_minimum,
    positive=("condition_number",),
    source="Goh 2017, Why Momentum Really Works, Distill",
)
def convex_rosenbrock(x: Point, condition_number: float = 100.0) -> Scalar:
    """f(x) = (x_1 - 1)^2/2 + sum_i (x_i - x_{i+1})^2/2 + 2/(kappa - 1) |x|^2, kappa > 1.

    One end of a path is held at 1 and each node pulls the next. As n grows, the condition number
    tends to kappa and the minimum to x_i = ((sqrt kappa - 1)/(sqrt kappa + 1))^i.
    """
    path = (x[0] - 1) ** 2 + jnp.sum((x[:-1] - x[1:]) ** 2)
    return path / 2 + 2 / (condition_number - 1) * jnp.sum(x**2)


@surface(
    low=-5.0,
    high=5.0,
    minima=origin,
    minimum=0.0,
    source="Karimi, Nutini & Schmidt 2016, ECML (arXiv 1608.04636)",
)
def polyak_lojasiewicz(x: Point) -> Scalar:
    """f(x) = sum_i x_i^2 + 3 sin(x_i)^2.

    Not convex, yet |grad f|^2 grows at least as fast as f does (the Polyak-Lojasiewicz condition),
    so that descent converges linearly.
    """
    return jnp.sum(x**2 + 3 * jnp.sin(x) ** 2)


@surface(
    low=-10.0,
    high=10.0,
    minima=origin,
    minimum=0.0,
    source="Green 1990, IEEE Trans. Medical Imaging 9 (a prior on image differences)",
)
def log_cosh(x: Point) -> Scalar:
    """f(x) = sum_i log cosh(x_i).

    x^2/2 near the minimum, |x| - log 2 far away; the slope never exceeds 1.
    """
    size = jnp.abs(x)
    near = jnp.log1p(2 * jnp.sinh(jnp.clip(x, -1, 1) / 2) ** 2)  # cosh - 1 loses no digits so
    far = size + jnp.log1p(jnp.exp(-2 * size)) - math.log(2)
    return jnp.sum(jnp.where(size < 1, near, far))


@surface(
    low=-10.0,
    high=10.0,
    minima=origin,
    minimum=0.0,
    positive=("delta",),
    source="Charbonnier et al. 1997, IEEE Trans. Image Processing 6",
)
def pseudo_huber(x: Point, delta: float = 1.0) -> Scalar:
    """f(x) = sum_i delta^2 (sqrt(1 + (x_i/delta)^2) - 1).

    A smooth Huber loss: x^2/2 near the minimum, delta |x| far away.
    """
    return jnp.sum(x**2 / (1 + jnp.sqrt(1 + (x / delta) ** 2)))

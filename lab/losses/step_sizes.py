"""Losses that the literature on step sizes made for itself: stability, chaos, fractal borders."""

from itertools import product

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar, least_squares, surface


def _balanced_pairs(dimension: int, y: float) -> np.ndarray:
    root, sign = np.sqrt(abs(float(y))), -1.0 if float(y) < 0 else 1.0
    pairs = [[root, sign * root], [-root, -sign * root]]
    return np.array(pairs if root else [[0.0, 0.0]])


@surface(
    low=-4.0,
    high=4.0,
    dimension=2,
    minima=_balanced_pairs,
    minimum=0.0,
    source="Liang & Montufar 2025, arXiv 2509.25351",
)
def scalar_factorisation(point: Point, y: float = 1.0) -> Scalar:
    """f(u, v) = (u v - y)^2 / 2.

    The minima are a whole curve, the hyperbola u v = y (both axes for y = 0). Listed are its
    balanced pairs |u| = |v|, where it is flattest: the largest curvature is u^2 + v^2 = 2 |y|.
    """
    u, v = point
    return (u * v - y) ** 2 / 2


@surface(
    low=-4.0,
    high=4.0,
    minima=[[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]],
    minimum=0.0,
    source="Zhu, Wang, Wang, Zhou & Ge 2023, ICLR (arXiv 2210.03294)",
)
def minimalist(point: Point) -> Scalar:
    """f(x, y) = (1 - x^2 y^2)^2 / 4.

    The smallest example of training at the edge of stability. The minima are two whole hyperbolas,
    x y = 1 and x y = -1; listed are their flattest points, of curvature 4.
    """
    x, y = point
    return (1 - x**2 * y**2) ** 2 / 4


def _equal_weights(dimension: int, y: float) -> np.ndarray:
    size = abs(float(y)) ** (1 / dimension)
    weights = np.full((1, dimension), size)
    weights[0, -1] = np.copysign(size, float(y))
    return weights


@surface(
    low=-3.0,
    high=3.0,
    least_dimension=2,
    minima=_equal_weights,
    minimum=0.0,
    source="Kreisler, Nacson, Soudry & Carmon 2023, ICML (arXiv 2305.13064)",
)
def scalar_network(x: Point, y: float = 1.0) -> Scalar:
    """f(x) = (prod_i x_i - y)^2 / 2.

    A deep linear network of width 1. The minima are the whole surface prod x_i = y; listed is one
    of its flattest points, all |x_i| equal.
    """
    return (jnp.prod(x) - y) ** 2 / 2


@surface(
    low=-4.0,
    high=4.0,
    minima=[[0.0, 0.0]],
    minimum=0.0,
    source="Ahn, Bubeck, Chewi, Lee, Suarez & Zhang 2023, NeurIPS (arXiv 2212.07469)",
)
def threshold_neuron(point: Point) -> Scalar:
    """f(x, y) = sqrt(1 + x^2 y^2) - 1.

    The minima are both axes, where the curvature is x^2 + y^2; listed is their flattest point.
    """
    square = (point[0] * point[1]) ** 2
    return square / (1 + jnp.sqrt(1 + square))


def _rough_minima(dimension: int, epsilon: float, period: float) -> np.ndarray:
    """0 where it is a minimum, else the corners +-t with 2t = eps k sin(k t), 0 < k t < pi.

    All 2^n corners are listed in up to three dimensions, two opposite ones in more.
    """
    epsilon, k = float(epsilon), 2 * np.pi / float(period)
    if epsilon * k**2 <= 2:
        return np.zeros((1, dimension))
    low, high = 0.0, np.pi
    for _ in range(200):  # bisection, to the last bit
        middle = (low + high) / 2
        below = epsilon * k**2 * np.sin(middle) > 2 * middle
        low, high = (middle, high) if below else (low, middle)
    t = (low + high) / 2 / k
    signs = product([1.0, -1.0], repeat=dimension) if dimension <= 3 else [[1.0], [-1.0]]
    return np.array([np.broadcast_to(sign, dimension) for sign in signs]) * t


def _rough_minimum(dimension: int, epsilon: float, period: float) -> float:
    x = _rough_minima(dimension, epsilon, period)[0]
    return float(np.sum(x**2 + float(epsilon) * np.cos(2 * np.pi * x / float(period))))


LIU = "Liu 2024, Complex fractal trainability boundary, arXiv 2406.13971"


@surface(
    low=-2.0,
    high=2.0,
    minima=_rough_minima,
    minimum=_rough_minimum,
    positive=("period",),
    source=LIU,
)
def rough_quadratic(x: Point, epsilon: float = 0.2, period: float = 1.0) -> Scalar:
    """f(x) = sum_i x_i^2 + epsilon cos(2 pi x_i/period).

    A quadratic plus a small cosine: enough to make the border between step sizes that stay bounded
    and those that diverge a fractal.
    """
    return jnp.sum(x**2 + epsilon * jnp.cos(2 * jnp.pi / period * x))


def _if_positive(dimension: int, epsilon: float, period: float) -> np.ndarray:
    return np.zeros((1 if abs(float(epsilon)) <= 1 else 0, dimension))


@surface(
    low=-2.0,
    high=2.0,
    minima=_if_positive,
    minimum=lambda n, epsilon, period: 0.0 if abs(float(epsilon)) <= 1 else None,
    positive=("period",),
    source=LIU,
)
def rippled_quadratic(x: Point, epsilon: float = 0.2, period: float = 1.0) -> Scalar:
    """f(x) = sum_i x_i^2 (1 + epsilon cos(2 pi x_i/period)).

    A quadratic times a rippled factor, whose ripples grow with the distance from the minimum.
    """
    return jnp.sum(x**2 * (1 + epsilon * jnp.cos(2 * jnp.pi / period * x)))


TIMES = np.linspace(-15.0, 15.0, 31)


@least_squares(
    low=[-10.0, 2.5],
    high=[10.0, 22.5],
    minima=[[0.0, 16.6]],
    minimum=0.0,
    source="Prince 2023, Understanding Deep Learning, section 6.1 (data without noise)",
)
def gabor(point: Point) -> Point:
    """f(a, b) = sum_t (g(a + 0.06 b t) - g(0.06 * 16.6 t))^2, g(u) = sin(u) exp(-u^2/32).

    Fitting offset and frequency of a wave packet to its values at t = -15, -14, ..., 15: ridges
    and local minima where the waves are whole periods apart.
    """
    a, b = point
    t = jnp.asarray(TIMES, point.dtype)

    def wave(u: Point) -> Point:
        return jnp.sin(u) * jnp.exp(-(u**2) / 32)

    return wave(a + 0.06 * b * t) - wave(0.06 * 16.6 * t)

"""Many minima, in any dimension: only the global ones are listed."""

import math

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar, surface
from lab.losses.points import indices, ones, origin, root


@surface(
    low=-5.12,
    high=5.12,
    minima=origin,
    minimum=0.0,
    source="Rastrigin 1974, Systems of Extremal Control; n-D: Muehlenbein et al. 1991",
)
def rastrigin(x: Point, amplitude: float = 10.0) -> Scalar:
    """f(x) = sum_i x_i^2 + A (1 - cos(2 pi x_i)), A the amplitude.

    A local minimum close to every point of whole coordinates (about 11^n in the box); only the
    global one is listed.
    """
    # 1 - cos(2 t) = 2 sin(t)^2, which loses no digits near the minima.
    return jnp.sum(x**2 + 2 * amplitude * jnp.sin(np.pi * x) ** 2)


@surface(
    low=-32.768,
    high=32.768,
    minima=origin,
    minimum=0.0,
    kinks=True,
    source="Ackley 1987, A Connectionist Machine for Genetic Hillclimbing; n-D: Baeck 1996",
)
def ackley(x: Point, a: float = 20.0, b: float = 0.2, c: float = 2 * np.pi) -> Scalar:
    """f(x) = a + e - a exp(-b sqrt(mean x_i^2)) - exp(mean cos(c x_i)).

    Many local minima around a cone: at the global minimum there is no gradient, and 0 (which lies
    between its slopes) is given.
    """
    radius = root(jnp.mean(x**2))
    # mean cos(c x) - 1 = -2 mean sin(c x / 2)^2: exact at the minimum, where a + e - a - e is not.
    ripples = jnp.expm1(-2 * jnp.mean(jnp.sin(c * x / 2) ** 2))
    return -a * jnp.expm1(-b * radius) - math.e * ripples


@surface(
    low=-600.0,
    high=600.0,
    minima=origin,
    minimum=0.0,
    source="Griewank 1981, J. Optim. Theory Appl. 34",
)
def griewank(x: Point) -> Scalar:
    """f(x) = sum_i x_i^2/4000 + 1 - prod_i cos(x_i/sqrt i).

    A wide bowl under ripples that flatten as the dimension grows.
    """
    return jnp.sum(x**2) / 4000 + 1 - jnp.prod(jnp.cos(x / jnp.sqrt(indices(x))))


SCHWEFEL = (420.96874635998205, 418.9828872724337)  # where x sin(sqrt x) is largest, how large


@surface(
    low=-500.0,
    high=500.0,
    minima=lambda n: np.full((1, n), SCHWEFEL[0]),
    minimum=0.0,
    source="Schwefel 1981, Numerical Optimization of Computer Models",
)
def schwefel(x: Point) -> Scalar:
    """f(x) = sum_i 418.9828872724337 - x_i sin(sqrt|x_i|).

    The lowest minimum is far from the next ones and close to a corner of the box; beyond the box
    lie lower ones still.
    """
    return jnp.sum(SCHWEFEL[1] - x * jnp.sin(root(jnp.abs(x))))


@surface(
    low=-10.0,
    high=10.0,
    minima=ones,
    minimum=0.0,
    source="Levy & Montalvo 1985, SIAM J. Sci. Stat. Comput. 6",
)
def levy(x: Point) -> Scalar:
    """f(x) = s(w_1) + sum_{i<n} (w_i - 1)^2 (1 + 10 s(w_i + 1/pi)) + (w_n - 1)^2 (1 + s(2 w_n)).

    w_i = 1 + (x_i - 1)/4 and s(w) = sin(pi w)^2: a bowl under ripples.
    """
    v = (x - 1) / 4  # w - 1, exact at the minimum
    first, last = jnp.sin(jnp.pi * v[0]) ** 2, 1 + jnp.sin(2 * jnp.pi * v[-1]) ** 2
    ripples = 1 + 10 * jnp.sin(jnp.pi * (v[:-1] + 1) + 1) ** 2
    return first + jnp.sum(v[:-1] ** 2 * ripples) + v[-1] ** 2 * last


def _michalewicz_coordinate(i: int) -> float:
    """Where sin(x) sin(i x^2/pi)^20 is largest, by Newton on its logarithmic slope."""
    crests = np.pi * np.sqrt((np.arange(i) + 0.5) / i)
    for _ in range(30):
        u, du, ddu = i * crests**2 / np.pi, 2 * i * crests / np.pi, 2 * i / np.pi
        slope = 1 / np.tan(crests) + 20 * du / np.tan(u)
        bend = -1 / np.sin(crests) ** 2 + 20 * (ddu / np.tan(u) - (du / np.sin(u)) ** 2)
        crests = crests - slope / bend
    heights = np.sin(crests) * np.sin(i * crests**2 / np.pi) ** 20
    return float(crests[np.argmax(heights)])


def _michalewicz_minima(dimension: int) -> np.ndarray:
    return np.array([[_michalewicz_coordinate(i) for i in range(1, dimension + 1)]])


def _michalewicz_minimum(dimension: int) -> float:
    (x,) = _michalewicz_minima(dimension)
    i = np.arange(1, dimension + 1)
    return -float(np.sum(np.sin(x) * np.sin(i * x**2 / np.pi) ** 20))


@surface(
    low=0.0,
    high=float(np.pi),
    minima=_michalewicz_minima,
    minimum=_michalewicz_minimum,
    source="Michalewicz 1992, Genetic Algorithms + Data Structures = Evolution Programs",
)
def michalewicz(x: Point) -> Scalar:
    """f(x) = -sum_i sin(x_i) sin(i x_i^2/pi)^20.

    Narrow crossing trenches in a plain: about n! minima, and hardly a slope between them.
    """
    return -jnp.sum(jnp.sin(x) * (jnp.sin(indices(x) * x**2 / jnp.pi) ** 2) ** 10)

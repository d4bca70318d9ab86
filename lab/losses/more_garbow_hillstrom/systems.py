"""Systems of n equations in n unknowns, in any dimension: f is 0 where all hold."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lab.losses.base import Family, Point, least_squares
from lab.losses.points import indices, ones, origin

MOST_COORDINATES = 200
"""Beyond it roots are not computed: the Jacobian is dense here."""


@cache
def near_start(family: Family, dimension: int) -> np.ndarray:
    """The root of a system near its standard start [1, dimension], by Newton in float64."""
    residuals: Any = family.residuals
    x: Any = family(dimension=dimension).start()
    if dimension > MOST_COORDINATES:
        return np.empty((0, dimension))
    with jax.enable_x64(True):
        both = jax.jit(lambda x: (residuals(x), jax.jacfwd(residuals)(x)))
        for _ in range(50):
            step = np.linalg.solve(*map(np.asarray, both(x)[::-1]))
            x = x - step
            if np.abs(step).max() <= 2e-16 * np.abs(x).max():
                break
    return x[None]


def _root(name: str) -> Callable[[int], np.ndarray]:
    return lambda n: near_start(globals()[name], n)


def _with(first: Callable[[int], np.ndarray], second: list[float]) -> Callable[[int], np.ndarray]:
    """The listed minima, and for n = 2, where it is the only other one, a second."""
    return lambda n: np.concatenate([first(n), [second]]) if n == 2 else first(n)


def _grid(n: int) -> np.ndarray:
    return np.arange(1, n + 1) / (n + 1)


@least_squares(
    low=-2.0,
    high=2.0,
    least_dimension=2,
    multiple_of=2,
    start=lambda n: np.tile([-1.2, 1.0], n // 2),
    minima=ones,
    minimum=0.0,
    source="Spedicato 1975, in More, Garbow & Hillstrom 1981, no. 21",
)
def extended_rosenbrock(x: Point) -> Point:
    """f(x) = sum over pairs of 100 (b - a^2)^2 + (1 - a)^2.

    Rosenbrock's valley n/2 times, uncoupled: the same condition number in all dimensions.
    """
    a, b = x[::2], x[1::2]
    return jnp.concatenate([10 * (b - a**2), 1 - a])


@least_squares(
    low=-1.0,
    high=1.0,
    start=lambda n: np.full(n, 1 / n),
    minima=_with(origin, [0.24306420220156222, 0.612676117137334]),
    minimum=0.0,
    source="Spedicato 1975, in More, Garbow & Hillstrom 1981, no. 26",
)
def trigonometric(x: Point) -> Point:
    """f(x) = sum_i (n - sum_j cos x_j + i (1 - cos x_i) - sin x_i)^2.

    The origin is listed, and for n = 2 the other root. For larger n there are more, and local
    minima between (2.79506e-5 for n = 10, where methods end from the standard start).
    """
    falls = 2 * jnp.sin(x / 2) ** 2  # 1 - cos x, which loses no digits
    return jnp.sum(falls) + indices(x) * falls - jnp.sin(x)


def _brown_minima(n: int) -> np.ndarray:
    """All ones, and (a, ..., a, a^(1-n)) with n a^n - (n + 1) a^(n-1) + 1 = 0, 0 < a < 1."""
    if n < 2:
        return np.ones((1, n))
    low, high = 0.0, 1 - 1 / n**2  # where the polynomial is lowest
    for _ in range(100):
        a = (low + high) / 2
        low, high = (a, high) if n * a**n - (n + 1) * a ** (n - 1) + 1 > 0 else (low, a)
    other = np.full(n, a)
    other[-1] = a ** (1.0 - n)
    return np.array([np.ones(n), other])


@least_squares(
    low=-5.0,
    high=5.0,
    least_dimension=2,
    start=lambda n: np.full(n, 0.5),
    minima=_brown_minima,
    minimum=0.0,
    source="Brown 1969, SIAM J. Numer. Anal. 6; MGH 1981, no. 27",
)
def brown_almost_linear(x: Point) -> Point:
    """f(x) = sum_{i<n} (x_i + sum_j x_j - (n + 1))^2 + (prod_j x_j - 1)^2.

    A plane valley to (0, ..., 0, n + 1), where f = 1 and the gradient vanishes, and two minima on
    it; odd dimensions have a third, with negative coordinates.
    """
    return jnp.append(x[:-1] + jnp.sum(x) - (x.shape[0] + 1), jnp.prod(x) - 1)


@least_squares(
    low=-1.0,
    high=1.0,
    start=lambda n: _grid(n) * (_grid(n) - 1),
    minima=_root("discrete_boundary_value"),
    minimum=0.0,
    source="More & Cosnard 1979, ACM Trans. Math. Softw. 5; MGH 1981, no. 28",
)
def discrete_boundary_value(x: Point) -> Point:
    """f(x) = sum_i (2 x_i - x_{i-1} - x_{i+1} + h^2 (x_i + t_i + 1)^3/2)^2, h = 1/(n+1), t_i = i h.

    The equation x'' = (x + t + 1)^3/2 with x(0) = x(1) = 0, by differences.
    """
    h, t = 1 / (x.shape[0] + 1), jnp.asarray(_grid(x.shape[0]), x.dtype)
    ends = jnp.pad(x, 1)
    return 2 * x - ends[:-2] - ends[2:] + h**2 * (x + t + 1) ** 3 / 2


@least_squares(
    low=-1.0,
    high=1.0,
    start=lambda n: _grid(n) * (_grid(n) - 1),
    minima=_root("discrete_integral_equation"),
    minimum=0.0,
    source="More & Cosnard 1979, ACM Trans. Math. Softw. 5; MGH 1981, no. 29",
)
def discrete_integral_equation(x: Point) -> Point:
    """f(x) = sum_i (x_i + h/2 sum_j g(t_i, t_j) (x_j + t_j + 1)^3)^2, g(t, s) = (1 - max) min.

    The boundary value problem above through its Green's function; it has the same root.
    """
    t = _grid(x.shape[0])
    green = (1 - np.maximum.outer(t, t)) * np.minimum.outer(t, t) / (2 * (x.shape[0] + 1))
    cubes = (x + jnp.asarray(t, x.dtype) + 1) ** 3
    return x + jnp.sum(jnp.asarray(green, x.dtype) * cubes[None, :], axis=1)


@least_squares(
    low=-2.0,
    high=2.0,
    start=lambda n: np.full(n, -1.0),
    minima=_with(_root("broyden_tridiagonal"), [1.6455966576942191, 0.2604066267269436]),
    minimum=0.0,
    source="Broyden 1965, Math. Comput. 19; MGH 1981, no. 30",
)
def broyden_tridiagonal(x: Point) -> Point:
    """f(x) = sum_i ((3 - 2 x_i) x_i - x_{i-1} - 2 x_{i+1} + 1)^2, x_0 = x_{n+1} = 0.

    The root near the standard start is listed, and for n = 2 the other one.
    """
    ends = jnp.pad(x, 1)
    return (3 - 2 * x) * x - ends[:-2] - 2 * ends[2:] + 1


@least_squares(
    low=-2.0,
    high=2.0,
    start=lambda n: np.full(n, -1.0),
    minima=_root("broyden_banded"),
    minimum=0.0,
    source="Broyden 1971, Math. Comput. 25; MGH 1981, no. 31",
)
def broyden_banded(x: Point) -> Point:
    """f(x) = sum_i (x_i (2 + 5 x_i^2) + 1 - sum_j x_j (1 + x_j))^2, j = i - 5 ... i + 1, not i.

    The root near the standard start is listed.
    """
    n, terms = x.shape[0], jnp.pad(x * (1 + x), (5, 1))
    return x * (2 + 5 * x**2) + 1 - sum(terms[k : k + n] for k in (0, 1, 2, 3, 4, 6))


CHEBYQUAD: dict[int, tuple[float, ...]] = {
    1: (0.5,),
    2: (0.2113248654051871,),
    3: (0.14644660940672624, 0.5),
    4: (0.10267276385411694, 0.40620376295746),
    5: (0.08375125649950906, 0.31272929522320947, 0.5),
    6: (0.0668765909460897, 0.28874067311944424, 0.36668229924164764),
    7: (0.05806914962097548, 0.2351716123574216, 0.3380440947400462, 0.5),
    8: (0.04315276015101663, 0.1930908403841861, 0.26632870689027294, 0.5),
    9: (
        *(0.044205346135782767, 0.19949067230988096, 0.23561910847106),
        *(0.416046907892598, 0.5),
    ),
    10: (
        *(0.0596199005358127, 0.16670828183586142, 0.2391706589426085),
        *(0.3988842923060445, 0.3988842923060445),
    ),
}
"""The lower half of the points; the others lie at 1 - x."""


def _chebyquad_minima(n: int) -> np.ndarray:
    half = CHEBYQUAD.get(n, ())
    points = [*half, *[1 - x for x in half[: n // 2]][::-1]]
    if n == 2:
        return np.array([points, points[::-1]])
    return np.array([points]) if half else np.empty((0, n))


def _chebyquad_minimum(n: int) -> float | None:
    least = {8: 0.0035168737256779316, 10: 0.006503954800882306}
    return least.get(n, 0.0) if n in CHEBYQUAD else None


@least_squares(
    low=0.0,
    high=1.0,
    start=_grid,
    minima=_chebyquad_minima,
    minimum=_chebyquad_minimum,
    source="Fletcher 1965, The Computer Journal 8; MGH 1981, no. 35 (m = n)",
)
def chebyquad(x: Point) -> Point:
    """f(x) = sum_{k=1..n} (sum_j T_k(x_j)/n - int_0^1 T_k)^2, T_k Chebyshev's, shifted to [0, 1].

    Points of equal weights that integrate polynomials up to degree n: they exist for n <= 7 and
    n = 9. Known are the minima up to n = 10, of which the sorted one is listed (and for n = 2 the
    other); any order will do.
    """
    y, n = 2 * x - 1, x.shape[0]
    before, now, residuals = jnp.ones_like(y), y, []
    for k in range(1, n + 1):
        integral = -1 / (k**2 - 1) if k % 2 == 0 else 0.0
        residuals.append(jnp.sum(now) / n - integral)
        before, now = now, 2 * y * now - before
    return jnp.stack(residuals)

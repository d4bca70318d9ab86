"""Classic surfaces: each is one function, with its facts beside it.

Where minima depend on parameters or dimension, a small function above the loss states them.
Literals are the float64 numbers nearest to the exact coordinates.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar, surface


def _origin(dimension: int, **_: Any) -> np.ndarray:
    return np.zeros((1, dimension))


@surface(
    low=-1.0,
    high=1.0,
    minima=_origin,
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


def _rosenbrock_minima(dimension: int, a: float, b: float) -> np.ndarray:
    """(a, a^2) in two dimensions; in more, all terms vanish together only for a = 0 or 1."""
    if float(b) <= 0 or (dimension > 2 and float(a) not in (0.0, 1.0)):
        return np.empty((0, dimension))
    return float(a) ** np.minimum(np.arange(1, dimension + 1), 2)[None]


def _rosenbrock_minimum(dimension: int, a: float, b: float) -> float | None:
    return 0.0 if len(_rosenbrock_minima(dimension, a, b)) else None


@surface(
    low=-2.0,
    high=2.0,
    least_dimension=2,
    minima=_rosenbrock_minima,
    minimum=_rosenbrock_minimum,
    source="Rosenbrock 1960, The Computer Journal 3; n-D: Shang & Qiu 2006, Evol. Comput. 14",
)
def rosenbrock(x: Point, a: float = 1.0, b: float = 100.0) -> Scalar:
    """f(x) = sum_i b (x_{i+1} - x_i^2)^2 + (a - x_i)^2.

    A curved valley along x_{i+1} = x_i^2. In four and more dimensions there is, for a = 1 and
    b = 100, one more local minimum, near (-1, 1, ..., 1); only the global one is listed.
    """
    head, tail = x[:-1], x[1:]
    return jnp.sum(b * (tail - head**2) ** 2 + (a - head) ** 2)


@surface(
    low=-5.0,
    high=5.0,
    minima=[
        [3.0, 2.0],
        [-2.805118086952745, 3.131312518250573],
        [-3.779310253377747, -3.2831859912861696],
        [3.5844283403304917, -1.8481265269644036],
    ],
    minimum=0.0,
    source="Himmelblau 1972, Applied Nonlinear Programming",
)
def himmelblau(point: Point) -> Scalar:
    """f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2.

    Four minima, all of value 0, and one maximum inside the box.
    """
    x, y = point
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@surface(
    low=-4.5,
    high=4.5,
    minima=[[3.0, 0.5]],
    minimum=0.0,
    source="Beale 1958, On an Iterative Method for Finding a Local Minimum, Princeton",
)
def beale(point: Point) -> Scalar:
    """f(x, y) = (1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2.

    A flat floor with sharp corners; far out along y = 1 the slope fades without a minimum.
    """
    x, y = point
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


@surface(
    low=-5.12,
    high=5.12,
    minima=_origin,
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
    minima=_origin,
    minimum=0.0,
    source="Ackley 1987, A Connectionist Machine for Genetic Hillclimbing; n-D: Baeck 1996",
)
def ackley(x: Point, a: float = 20.0, b: float = 0.2, c: float = 2 * np.pi) -> Scalar:
    """f(x) = a + e - a exp(-b sqrt(mean x_i^2)) - exp(mean cos(c x_i)).

    Many local minima around a cone: at the global minimum there is no gradient, and 0 (which lies
    between its slopes) is given.
    """
    square = jnp.mean(x**2)
    # The inner `where` keeps the infinite slope of the root at 0 out of the gradient.
    radius = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)
    # mean cos(c x) - 1 = -2 mean sin(c x / 2)^2: exact at the minimum, where a + e - a - e is not.
    ripples = jnp.expm1(-2 * jnp.mean(jnp.sin(c * x / 2) ** 2))
    return -a * jnp.expm1(-b * radius) - np.e * ripples


@surface(
    low=0.0,
    high=5.0,
    minima=[
        [0.5230322579358745, 0.5169891562802605],
        [3.4788805301921637, 3.9475151731789038],
        [2.9806366011182712, 1.5408734039442826],
    ],
    minimum=6.276903919812539,
    source="DeepLearning.AI 2023, Calculus for Machine Learning and Data Science",
)
def three_wells(point: Point) -> Scalar:
    """f(p) = 10 - 10/(3 + 3|p-(.5, .5)|^2) - 2/(1 + 2|p-(3, 1.5)|^2) - 3/(1 + |p-(3.5, 4)|^2/2).

    Three wells of different depth (6.2769, 6.7028, 6.8821); each pulls the others' minima a little
    off their centres.
    """
    x, y = point
    first = 10 / (3 + 3 * (x - 0.5) ** 2 + 3 * (y - 0.5) ** 2)
    second = 2 / (1 + 2 * (x - 3) ** 2 + 2 * (y - 1.5) ** 2)
    third = 3 / (1 + 0.5 * (x - 3.5) ** 2 + 0.5 * (y - 4) ** 2)
    return 10 - first - second - third


@surface(
    low=-2.0,
    high=2.0,
    minima=[[-0.9363006340109187, 0.0], [0.905317899160115, 0.0]],
    minimum=-2.063090251768194,
    source="Dupont 2018, Optimization Algorithms Visualization",
)
def two_gaussians(point: Point) -> Scalar:
    """f(x, y) = x^2 + y^2 - 2 exp(-((x-1)^2 + y^2)/.2) - 3 exp(-((x+1)^2 + y^2)/.2).

    A bowl with a deep well on the left (-2.0631) and a shallower one on the right (-1.0927).
    """
    x, y = point
    right = 2 * jnp.exp(-((x - 1) ** 2 + y**2) / 0.2)
    left = 3 * jnp.exp(-((x + 1) ** 2 + y**2) / 0.2)
    return x**2 + y**2 - right - left


@surface(
    low=-2.0,
    high=2.0,
    minima=[[-1.0], [1.0]],
    minimum=0.0,
    source="Duffing 1918, Erzwungene Schwingungen (the potential of his equation)",
)
def double_well(point: Point) -> Scalar:
    """f(x) = (x^2 - 1)^2 / 4.

    Two minima of curvature 2, and a maximum at 0; descent with a large rate is chaotic.
    """
    (x,) = point
    return (x**2 - 1) ** 2 / 4


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

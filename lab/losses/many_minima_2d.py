"""Many minima in two dimensions: only the global ones are listed."""

from itertools import product

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar, surface
from lab.losses.points import cos_root, root

JAMIL_YANG = "Jamil & Yang 2013, Int. J. Math. Modelling Numer. Optim. 4"


def _corners(x: float, y: float) -> list[list[float]]:
    return [[x, y], [-x, y], [x, -y], [-x, -y]]


@surface(low=-10.0, high=10.0, minima=[[1.0, 1.0]], minimum=0.0, source=JAMIL_YANG)
def levy_13(point: Point) -> Scalar:
    """f(x, y) = s(3x) + (x - 1)^2 (1 + s(3y)) + (y - 1)^2 (1 + s(2y)), s(t) = sin(pi t)^2.

    A bowl under a chequered ripple.
    """
    x, y = point[0] - 1, point[1] - 1  # whole periods of each sine away
    rises = 1 + jnp.sin(3 * jnp.pi * y) ** 2, 1 + jnp.sin(2 * jnp.pi * y) ** 2
    return jnp.sin(3 * jnp.pi * x) ** 2 + x**2 * rises[0] + y**2 * rises[1]


@surface(
    low=-10.0,
    high=10.0,
    minima=_corners(1.3494066171539107, 1.3494066171539107),
    minimum=-2.062611870822737,
    source=JAMIL_YANG,
)
def cross_in_tray(point: Point) -> Scalar:
    """f(x, y) = -(|sin x sin y| e^a + 1)^0.1 / 10^4, a = |100 - r/pi|, r = |(x, y)|.

    Four equal minima, parted by a cross on which f is almost 0.
    """
    x, y = point
    a = jnp.abs(100 - root(x**2 + y**2) / jnp.pi)
    # e^a overflows float32; taken out of the root it does not. What is left may be 0 there.
    inside = jnp.abs(jnp.sin(x) * jnp.sin(y)) + jnp.exp(-a)
    return -1e-4 * jnp.exp(a / 10) * jnp.maximum(inside, jnp.finfo(inside.dtype).tiny) ** 0.1


@surface(
    low=-512.0,
    high=512.0,
    minima=[[512.0, 404.2318051137578]],
    minimum=-959.6406627208509,
    source="Whitley et al. 1996, Artificial Intelligence 85",
)
def eggholder(point: Point) -> Scalar:
    """f(x, y) = -(y + 47) sin sqrt|x/2 + y + 47| - x sin sqrt|x - y - 47|.

    The lowest point of the box lies on its edge, from where f falls further outside.
    """
    x, y = point
    first = (y + 47) * jnp.sin(root(jnp.abs(x / 2 + y + 47)))
    return -first - x * jnp.sin(root(jnp.abs(x - y - 47)))


@surface(
    low=-10.0,
    high=10.0,
    minima=_corners(8.055023475736563, 9.664590019241272),
    minimum=-19.208502567886732,
    source=JAMIL_YANG,
)
def holder_table(point: Point) -> Scalar:
    """f(x, y) = -|sin x cos y exp|1 - r/pi||, r = |(x, y)|.

    A table of ripples with its four lowest minima near the corners.
    """
    x, y = point
    rise = jnp.exp(jnp.abs(1 - root(x**2 + y**2) / jnp.pi))
    return -jnp.abs(jnp.sin(x) * jnp.cos(y)) * rise


SCHAFFER = "Schaffer et al. 1989, ICGA 3; numbering: Mishra 2006, MPRA 2718"


@surface(low=-100.0, high=100.0, minima=[[0.0, 0.0]], minimum=0.0, source=SCHAFFER)
def schaffer_2(point: Point) -> Scalar:
    """f(x, y) = 1/2 + (sin(x^2 - y^2)^2 - 1/2) / (1 + (x^2 + y^2)/1000)^2.

    Hyperbolic ripples, ever narrower away from the centre.
    """
    x, y = point
    q = (x**2 + y**2) / 1000
    # 1/2 + (s - 1/2)/(1 + q)^2 over one denominator, which loses no digits at the minimum.
    return (jnp.sin(x**2 - y**2) ** 2 + q + q**2 / 2) / (1 + q) ** 2


@surface(
    low=-100.0,
    high=100.0,
    minima=[
        [0.0, 1.2531318314637332],
        [0.0, -1.2531318314637332],
        [1.2531318314637332, 0.0],
        [-1.2531318314637332, 0.0],
    ],
    minimum=0.29257863203598056,
    source=SCHAFFER,
)
def schaffer_4(point: Point) -> Scalar:
    """f(x, y) = 1/2 + (cos(sin|x^2 - y^2|)^2 - 1/2) / (1 + (x^2 + y^2)/1000)^2.

    As the second, with a maximum at the centre and four minima around it.
    """
    x, y = point  # the cosine is even, so the |.| makes no difference
    ripple = jnp.cos(jnp.sin(x**2 - y**2)) ** 2 - 0.5
    return 0.5 + ripple / (1 + (x**2 + y**2) / 1000) ** 2


@surface(low=-5.12, high=5.12, minima=[[0.0, 0.0]], minimum=-1.0, source=JAMIL_YANG)
def drop_wave(point: Point) -> Scalar:
    """f(x, y) = -(1 + cos(12 r)) / (r^2/2 + 2), r = |(x, y)|.

    The rings around a fallen drop.
    """
    square = jnp.sum(point**2)
    return -(1 + cos_root(144 * square)) / (square / 2 + 2)


SHUBERT_HIGHS = (-7.0835064076515595, -0.8003211004719731, 5.482864206707613)
SHUBERT_LOWS = (-7.708313735499347, -1.425128428319761, 4.858056878859825)


@surface(
    low=-10.0,
    high=10.0,
    minima=[*product(SHUBERT_HIGHS, SHUBERT_LOWS), *product(SHUBERT_LOWS, SHUBERT_HIGHS)],
    minimum=-186.73090883102384,
    source="Shubert 1972, SIAM J. Numer. Anal. 9; in Levy & Montalvo 1985",
)
def shubert(point: Point) -> Scalar:
    """f(x, y) = h(x) h(y), h(t) = sum_{i=1..5} i cos((i + 1) t + i).

    Eighteen equal minima among hundreds, where one h is highest and the other lowest.
    """

    def h(t: Scalar) -> Scalar:
        return sum((i * jnp.cos((i + 1) * t + i) for i in range(1, 6)), jnp.zeros_like(t))

    return h(point[0]) * h(point[1])


@surface(
    low=-100.0,
    high=100.0,
    minima=[[0.0, 0.0]],
    minimum=0.0,
    source="Bohachevsky, Johnson & Stein 1986, Technometrics 28",
)
def bohachevsky(point: Point) -> Scalar:
    """f(x, y) = x^2 + 2 y^2 - 0.3 cos(3 pi x) - 0.4 cos(4 pi y) + 0.7.

    A bowl under small ripples.
    """
    x, y = point  # 1 - cos(2 t) = 2 sin(t)^2, which loses no digits near the minimum
    ripples = 0.6 * jnp.sin(1.5 * np.pi * x) ** 2 + 0.8 * jnp.sin(2 * np.pi * y) ** 2
    return x**2 + 2 * y**2 + ripples


@surface(low=-5.0, high=5.0, minima=[[0.0, 0.0]], minimum=0.0, source=JAMIL_YANG)
def egg_crate(point: Point) -> Scalar:
    """f(x, y) = x^2 + y^2 + 25 (sin(x)^2 + sin(y)^2).

    A bowl pressed into an egg crate.
    """
    return jnp.sum(point**2 + 25 * jnp.sin(point) ** 2)

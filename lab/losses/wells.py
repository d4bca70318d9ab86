"""Wells: a few separate minima in two or three dimensions, all of them listed."""

from itertools import product

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, Scalar, surface


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


@surface(
    low=[-3.0, -2.0],
    high=[3.0, 2.0],
    minima=[
        [0.08984201310031806, -0.7126564030207396],
        [-0.08984201310031806, 0.7126564030207396],
        [1.703606714969981, -0.7960835686726251],
        [-1.703606714969981, 0.7960835686726251],
        [1.6071047529201972, 0.5686514548841314],
        [-1.6071047529201972, -0.5686514548841314],
    ],
    minimum=-1.0316284534898774,
    source="Dixon & Szegoe 1978, Towards Global Optimisation 2",
)
def six_hump_camel(point: Point) -> Scalar:
    """f(x, y) = (4 - 2.1 x^2 + x^4/3) x^2 + x y + (4 y^2 - 4) y^2.

    Three pairs of minima, of depths -1.0316, -0.2155 and 2.1043.
    """
    x, y = point
    return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (4 * y**2 - 4) * y**2


@surface(
    low=-5.0,
    high=5.0,
    minima=[
        [0.0, 0.0],
        [1.7475523458302888, -0.8737761729151444],
        [-1.7475523458302888, 0.8737761729151444],
    ],
    minimum=0.0,
    source="Branin 1972, IBM J. Res. Dev. 16",
)
def three_hump_camel(point: Point) -> Scalar:
    """f(x, y) = 2 x^2 - 1.05 x^4 + x^6/6 + x y + y^2.

    One minimum of value 0 between two of value 0.2986.
    """
    x, y = point
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


@surface(
    low=[-5.0, 0.0],
    high=[10.0, 15.0],
    minima=[[-np.pi, 12.275], [np.pi, 2.275], [3 * np.pi, 2.475]],
    minimum=0.3978873577297383,
    source="Branin 1972, IBM J. Res. Dev. 16; Dixon & Szegoe 1978",
)
def branin(point: Point) -> Scalar:
    """f(x, y) = (y - 5.1 x^2/(4 pi^2) + 5x/pi - 6)^2 + 10 (1 - 1/(8 pi)) cos x + 10.

    Three minima, all of value 5/(4 pi).
    """
    x, y = point
    bend = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    return bend**2 + 10 * (1 - 1 / (8 * np.pi)) * jnp.cos(x) + 10


@surface(
    low=[-1.5, -3.0],
    high=[4.0, 4.0],
    minima=[[-0.5471975511965977, -1.5471975511965979], [2.5943951023931957, 1.5943951023931955]],
    minimum=-1.9132229549810364,
    source="McCormick 1976, in Adorio 2005, MVF: Multivariate Test Functions Library in C",
)
def mccormick(point: Point) -> Scalar:
    """f(x, y) = sin(x + y) + (x - y)^2 - 1.5x + 2.5y + 1.

    A slanting gutter with a minimum every (pi, pi), each pi above the last; the two in the box are
    (1/2 - pi/3, -1/2 - pi/3) and the one above it.
    """
    x, y = point
    return jnp.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1


@surface(
    low=-2.0,
    high=2.0,
    minima=[[0.0, -1.0], [-0.6, -0.4], [1.8, 0.2], [1.2, 0.8]],
    minimum=3.0,
    source="Goldstein & Price 1971, Math. Comput. 25",
)
def goldstein_price(point: Point) -> Scalar:
    """f(x, y) = [1 + (x + y + 1)^2 p] [30 + (2x - 3y)^2 q], p and q quadratic in x and y.

    p = 19 - 14x + 3x^2 - 14y + 6xy + 3y^2, q = 18 - 32x + 12x^2 + 48y - 36xy + 27y^2. Minima of
    3, 30, 84 and 840; values up to a million in the box.
    """
    x, y = point
    p = 19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2
    q = 18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2
    return (1 + (x + y + 1) ** 2 * p) * (30 + (2 * x - 3 * y) ** 2 * q)


STYBLINSKI_TANG = (-2.903534027771177, 2.746802770990837)


def _styblinski_tang_minima(dimension: int) -> np.ndarray:
    """All corners in up to three dimensions, the lowest first; then the lowest alone."""
    if dimension > 3:
        return np.full((1, dimension), STYBLINSKI_TANG[0])
    corners = product(STYBLINSKI_TANG, repeat=dimension)
    return np.array(sorted(corners, key=lambda corner: sum(x > 0 for x in corner)))


@surface(
    low=-5.0,
    high=5.0,
    minima=_styblinski_tang_minima,
    minimum=lambda n: -39.16616570377141 * n,
    source="Styblinski & Tang 1990, Neural Networks 3",
)
def styblinski_tang(x: Point) -> Scalar:
    """f(x) = sum_i (x_i^4 - 16 x_i^2 + 5 x_i)/2.

    A deep (-39.166) and a shallow (-25.029) well in each coordinate: 2^n minima, listed in up to
    three dimensions; in more, only the global one.
    """
    return jnp.sum(x**4 - 16 * x**2 + 5 * x) / 2

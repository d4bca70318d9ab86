"""Fits of models to a few data, from chemistry and optimization's first years."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lab.losses.base import Point, least_squares


def _like(x: Point, numbers: Any) -> Any:
    return jnp.asarray(np.asarray(numbers), x.dtype)


@least_squares(
    low=-1.0,
    high=1.0,
    start=[0.3, 0.4],
    minima=[[0.2578252136703641, 0.2578252136703641]],
    minimum=124.36218235561485,
    source="Jennrich & Sampson 1968, Technometrics 10; MGH 1981, no. 6 (m = 10)",
)
def jennrich_sampson(x: Point) -> Point:
    """f(x) = sum_{i=1..10} (2 + 2i - exp(i x_1) - exp(i x_2))^2.

    A sum of squares that stays large.
    """
    i = _like(x, np.arange(1.0, 11))
    return 2 + 2 * i - (jnp.exp(i * x[0]) + jnp.exp(i * x[1]))


BARD = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.1, 4.39]


@least_squares(
    low=[-1.0, 0.5, 0.5],
    high=3.0,
    start=[1.0, 1.0, 1.0],
    minima=[[0.08241055974978893, 1.1330360920297216, 2.343695178642537]],
    minimum=0.008214877306578975,
    source="Bard 1970, SIAM J. Numer. Anal. 7; MGH 1981, no. 8",
)
def bard(x: Point) -> Point:
    """f(x) = sum_i (y_i - x_1 - u_i/(v_i x_2 + w_i x_3))^2, u = i, v = 16 - i, w = min(u, v).

    Outside the box, where x_2 and x_3 run to -infinity, lies an infimum of 17.4286.
    """
    u = np.arange(1.0, 16)
    v, w = 16 - u, np.minimum(u, 16 - u)
    return _like(x, BARD) - x[0] - _like(x, u) / (_like(x, v) * x[1] + _like(x, w) * x[2])


GAUSSIAN = [0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242, 0.3521, 0.3989]


@least_squares(
    low=[0.0, 0.0, -1.0],
    high=[1.0, 3.0, 1.0],
    start=[0.4, 1.0, 0.0],
    minima=[[0.39895613783875666, 1.0000190844878056, 0.0]],
    minimum=1.127932769618648e-08,
    source="More, Garbow & Hillstrom 1981, no. 9",
)
def gaussian(x: Point) -> Point:
    """f(x) = sum_i (x_1 exp(-x_2 (t_i - x_3)^2/2) - y_i)^2, t_i = (8 - i)/2, i = 1 ... 15.

    The normal density, whose table y has four decimals.
    """
    t, y = _like(x, (8 - np.arange(1, 16)) / 2), _like(x, GAUSSIAN + GAUSSIAN[-2::-1])
    return x[0] * jnp.exp(-x[1] * (t - x[2]) ** 2 / 2) - y


MEYER = [
    *(34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744),
    *(8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872),
]


@least_squares(
    low=[0.001, 3000.0, 200.0],
    high=[0.05, 7000.0, 500.0],
    start=[0.02, 4000.0, 250.0],
    minima=[[0.005609636471028053, 6181.346346286372, 345.2236346241365]],
    minimum=87.94585517085112,
    source="Meyer 1970, Theoretical and Computational Aspects of Nonlinear Regression; MGH no. 10",
)
def meyer(x: Point) -> Point:
    """f(x) = sum_i (x_1 exp(x_2/(t_i + x_3)) - y_i)^2, t_i = 45 + 5i, i = 1 ... 16.

    The resistance of a thermistor: a valley of condition number 10^15.
    """
    t, y = _like(x, 45.0 + 5 * np.arange(1, 17)), _like(x, np.array(MEYER, float))
    return x[0] * jnp.exp(x[1] / (t + x[2])) - y


@least_squares(
    low=[1.0, 0.0, 0.1],
    high=[100.0, 25.5, 3.0],
    start=[5.0, 2.5, 0.15],
    minima=[[50.0, 25.0, 1.5]],
    minimum=0.0,
    source="Cox 1969, in More, Garbow & Hillstrom 1981, no. 11 (m = 99)",
)
def gulf(x: Point) -> Point:
    """f(x) = sum_i (exp(-|y_i - x_2|^x_3/x_1) - t_i)^2, t_i = i/100, y_i = 25 + (-50 ln t_i)^(2/3).

    The article's |y_i m i x_2| is a misprint: f would not be 0 at its minimum. Smooth in the box,
    where x_2 < y_i.
    """
    t = np.arange(1, 100) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return jnp.exp(-(jnp.abs(_like(x, y) - x[1]) ** x[2]) / x[0]) - _like(x, t)


@least_squares(
    low=[0.0, 0.0, -20.0],
    high=20.0,
    start=[0.0, 10.0, 20.0],
    minima=[[1.0, 10.0, 1.0], [10.0, 1.0, -1.0], [1.0, 1.0, 0.0]],
    minimum=0.0,
    source="Box 1966, The Computer Journal 9; MGH 1981, no. 12 (m = 10)",
)
def box_3d(x: Point) -> Point:
    """f(x) = sum_i (exp(-t_i x_1) - exp(-t_i x_2) - x_3 (exp(-t_i) - exp(-10 t_i)))^2, t_i = i/10.

    i = 1 ... 10. Two minima and a line of them, x_1 = x_2 with x_3 = 0, of which (1, 1, 0) is
    listed.
    """
    t = _like(x, np.arange(1, 11) / 10)
    return jnp.exp(-t * x[0]) - jnp.exp(-t * x[1]) - x[2] * (jnp.exp(-t) - jnp.exp(-10 * t))


KOWALIK_Y = [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
KOWALIK_U = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]


@least_squares(
    low=0.0,
    high=1.0,
    start=[0.25, 0.39, 0.415, 0.39],
    minima=[[0.19280693457903786, 0.19128232873436696, 0.12305650692632066, 0.13606233068379484]],
    minimum=0.00030750560384923745,
    source="Kowalik & Osborne 1968, Methods for Unconstrained Optimization; MGH 1981, no. 15",
)
def kowalik_osborne(x: Point) -> Point:
    """f(x) = sum_i (y_i - x_1 (u_i^2 + u_i x_2)/(u_i^2 + u_i x_3 + x_4))^2, i = 1 ... 11.

    The rate of an enzyme's reaction. Outside the box, at infinity, lies an infimum of 0.00102734.
    """
    u = _like(x, KOWALIK_U)
    return _like(x, KOWALIK_Y) - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


@least_squares(
    low=-30.0,
    high=30.0,
    start=[25.0, 5.0, -5.0, -1.0],
    minima=[[-11.594439904762165, 13.203630051207204, -0.40343948817685954, 0.2367787744557363]],
    minimum=85822.20162635634,
    source="Brown & Dennis 1971, in More, Garbow & Hillstrom 1981, no. 16 (m = 20)",
)
def brown_dennis(x: Point) -> Point:
    """f(x) = sum_i ((x_1 + t x_2 - exp t)^2 + (x_3 + x_4 sin t - cos t)^2)^2, t = i/5.

    i = 1 ... 20. Residuals that are squares themselves, and stay large.
    """
    t = _like(x, np.arange(1, 21) / 5)
    return (x[0] + t * x[1] - jnp.exp(t)) ** 2 + (x[2] + x[3] * jnp.sin(t) - jnp.cos(t)) ** 2


OSBORNE_1 = [
    *(844, 908, 932, 936, 925, 908, 881, 850, 818, 784, 751, 718, 685, 658, 628, 603, 580),
    *(558, 538, 522, 506, 490, 478, 467, 457, 448, 438, 431, 424, 420, 414, 411, 406),
]  # thousandths


@least_squares(
    low=[0.0, 0.0, -3.0, 0.0, 0.0],
    high=[1.0, 3.0, 0.0, 0.1, 0.1],
    start=[0.5, 1.5, -1.0, 0.01, 0.02],
    minima=[
        [
            *(0.37541005210695205, 1.9358469127123674, -1.464687136613423),
            *(0.012867534640057288, 0.02212269966167261),
        ]
    ],
    minimum=5.464894697482907e-05,
    source="Osborne 1972, Some Aspects of Nonlinear Least Squares Calculations; MGH no. 17",
)
def osborne_1(x: Point) -> Point:
    """f(x) = sum_i (y_i - x_1 - x_2 exp(-t_i x_4) - x_3 exp(-t_i x_5))^2, t_i = 10 (i - 1).

    i = 1 ... 33: two exponentials of nearly equal rates.
    """
    t = _like(x, 10.0 * np.arange(33))
    return _like(x, np.array(OSBORNE_1) / 1000) - (
        x[0] + x[1] * jnp.exp(-t * x[3]) + x[2] * jnp.exp(-t * x[4])
    )


@least_squares(
    low=0.0,
    high=15.0,
    start=[1.0, 2.0, 1.0, 1.0, 1.0, 1.0],
    minima=[[1.0, 10.0, 1.0, 5.0, 4.0, 3.0], [4.0, 10.0, 3.0, 5.0, 1.0, 1.0]],
    minimum=0.0,
    source="Biggs 1971, J. Inst. Math. Appl. 8; MGH 1981, no. 18 (m = 13)",
)
def biggs_exp6(x: Point) -> Point:
    """f(x) = sum_i (x_3 exp(-t x_1) - x_4 exp(-t x_2) + x_6 exp(-t x_5) - y(t))^2, t = i/10.

    i = 1 ... 13 and y(t) = exp(-t) - 5 exp(-10t) + 3 exp(-4t). The two positive terms may change
    places; from the standard start methods end where both have the same rate, at 0.00565565.
    """
    t = _like(x, np.arange(1, 14) / 10)
    y = jnp.exp(-t) - 5 * jnp.exp(-10 * t) + 3 * jnp.exp(-4 * t)
    waves = x[2] * jnp.exp(-t * x[0]) - x[3] * jnp.exp(-t * x[1]) + x[5] * jnp.exp(-t * x[4])
    return waves - y


OSBORNE_2 = [
    *(1366, 1191, 1112, 1013, 991, 885, 831, 847, 786, 725, 746, 679, 608, 655, 616, 606, 602),
    *(626, 651, 724, 649, 649, 694, 644, 624, 661, 612, 558, 533, 495, 500, 423, 395, 375, 372),
    *(391, 396, 405, 428, 429, 523, 562, 607, 653, 672, 708, 633, 668, 645, 632, 591, 559, 597),
    *(625, 739, 710, 729, 720, 636, 581, 428, 292, 162, 98, 54),
]  # thousandths


@least_squares(
    low=[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 3.0, 5.0],
    high=[2.0, 2.0, 2.0, 2.0, 10.0, 10.0, 10.0, 10.0, 4.0, 5.0, 7.0],
    start=[1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5],
    minima=[
        [
            *(1.3099771546273005, 0.4315537946029889, 0.633661698960724, 0.5994305347859163),
            *(0.7541832263280113, 0.9042885798596336, 1.3658118352370285, 4.8236988172271555),
            *(2.3986848661317546, 4.568874597667672, 5.6753414705806415),
        ]
    ],
    minimum=0.040137736293547735,
    source="Osborne 1972, Some Aspects of Nonlinear Least Squares Calculations; MGH no. 19",
)
def osborne_2(x: Point) -> Point:
    """f(x) = sum_i (y_i - x_1 exp(-t x_5) - sum_{k=2,3,4} x_k exp(-(t - x_{k+7})^2 x_{k+4}))^2.

    t = (i - 1)/10, i = 1 ... 65: an exponential and three bells.
    """
    t = _like(x, np.arange(65) / 10)
    model = x[0] * jnp.exp(-t * x[4])
    for k in (1, 2, 3):
        model = model + x[k] * jnp.exp(-((t - x[k + 7]) ** 2) * x[k + 4])
    return _like(x, np.array(OSBORNE_2) / 1000) - model

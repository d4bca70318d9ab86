"""The 35 problems of More, Garbow & Hillstrom 1981, ACM Trans. Math. Softw. 7, by number.

Each is a sum of squares with its residuals and its standard start; the numbers of residuals, where
the article leaves them open, are said in the sources. Three are surfaces that were here before.
"""

from lab.losses import valleys
from lab.losses.base import Family
from lab.losses.more_garbow_hillstrom import fits, small, sums, systems

PROBLEMS: dict[int, Family] = {
    1: valleys.rosenbrock,
    2: small.freudenstein_roth,
    3: small.powell_badly_scaled,
    4: small.brown_badly_scaled,
    5: valleys.beale,
    6: fits.jennrich_sampson,
    7: small.helical_valley,
    8: fits.bard,
    9: fits.gaussian,
    10: fits.meyer,
    11: fits.gulf,
    12: fits.box_3d,
    13: valleys.powell_singular,
    14: small.wood,
    15: fits.kowalik_osborne,
    16: fits.brown_dennis,
    17: fits.osborne_1,
    18: fits.biggs_exp6,
    19: fits.osborne_2,
    20: sums.watson,
    21: systems.extended_rosenbrock,
    22: valleys.powell_singular,
    23: sums.penalty_1,
    24: sums.penalty_2,
    25: sums.variably_dimensioned,
    26: systems.trigonometric,
    27: systems.brown_almost_linear,
    28: systems.discrete_boundary_value,
    29: systems.discrete_integral_equation,
    30: systems.broyden_tridiagonal,
    31: systems.broyden_banded,
    32: sums.linear_full_rank,
    33: sums.linear_rank_1,
    34: sums.linear_rank_1_zero,
    35: systems.chebyquad,
}

__all__ = ["PROBLEMS", "fits", "small", "sums", "systems"]

"""Step sizes that fall as an inverse root, and Chebyshev's, the best on quadratics."""

import math

import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array


def inverse_root_schedule(init_value: float, slope: float = 1.0) -> optax.Schedule:
    """Step sizes eta_0 / sqrt(1 + slope t).

    Robbins & Monro 1951, Ann. Math. Statist. 22, need their sum to diverge, which it does; averages
    of the points then come to the minimum (Polyak & Juditsky 1992, SIAM J. Control Optim. 30).

    Args:
        init_value: eta_0.
        slope: how fast it falls, at least 0.

    Example:
        >>> float(inverse_root_schedule(0.5)(3))
        0.25
    """

    def schedule(count: Array) -> Array:
        return init_value / jnp.sqrt(1 + slope * jnp.asarray(count, float))

    return schedule


def chebyshev_schedule(smallest: float, largest: float, period: int) -> optax.Schedule:
    """Step sizes 1 / (c + r cos(pi (2j + 1) / (2 N))), c = (L + m)/2, r = (L - m)/2, j < N.

    On a quadratic with curvatures in [m, L], N steps multiply each error by at most
    1 / T_N(c / r), T_N the Chebyshev polynomial: no other N steps do better. They come in an order
    that keeps the products of any few of them small, and then again.

    Young 1953, J. Math. Phys. 32; the order, where N is a power of two: Lebedev & Finogenov 1971,
    USSR Comput. Math. Math. Phys. 11; Agarwal, Goel & Zhang 2021 (ICML).

    Args:
        smallest: m, above 0.
        largest: L.
        period: N.

    Example:
        >>> rates = chebyshev_schedule(1.0, 3.0, period=1)
        >>> float(rates(0))
        0.5
    """
    angles = [math.pi * (2 * j + 1) / (2 * period) for j in stable_order(period)]
    centre, radius = (largest + smallest) / 2, (largest - smallest) / 2

    def schedule(count: Array) -> Array:
        # A sum over the period in place of an index, which could not be taken apart into scalars.
        here = jnp.arange(period) == jnp.asarray(count) % period
        cosine = jnp.sum(jnp.where(here, np.cos(angles), 0.0))
        return 1 / (centre + radius * cosine)

    return schedule


def chebyshev(smallest: float, largest: float, period: int) -> optax.GradientTransformation:
    """Gradient descent with Chebyshev's step sizes, those of `chebyshev_schedule`.

    Args:
        smallest: the smallest curvature, above 0.
        largest: the largest curvature.
        period: after so many steps the step sizes come again.
    """
    return optax.sgd(chebyshev_schedule(smallest, largest, period))


def stable_order(period: int) -> list[int]:
    """0 ... N-1, each beside its opposite at every scale: of 8, 0 7 3 4 1 6 2 5."""
    if period % 2 or period == 0:
        return list(range(period))
    half = stable_order(period // 2)
    return [j for i in half for j in (i, period - 1 - i)]

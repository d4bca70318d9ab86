"""Probability as integration: densities, areas, running means, and the area under a ROC curve.

Every function here is of one point, one chain or one sample, pure, and made of JAX.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.stats import norm

from lab.losses.base import Scalar


def normal_density(x: Scalar, mean: float = 0.0, deviation: float = 1.0) -> Scalar:
    """exp(-((x - mean) / deviation)^2 / 2) / (deviation sqrt(2 pi))."""
    return norm.pdf(x, mean, deviation)


def mixture_density(x: Scalar, weights: Any, means: Any, deviations: Any) -> Scalar:
    """sum_i w_i N(x; m_i, d_i), a density when the weights are positive and add up to 1.

    Args:
        x: the point.
        weights: shape (component,).
        means: shape (component,).
        deviations: shape (component,), standard deviations.
    """
    parts = (w * norm.pdf(x, m, d) for w, m, d in zip(weights, means, deviations, strict=True))
    return sum(parts, jnp.zeros_like(x))


def mixture_area(a: Scalar, b: Scalar, weights: Any, means: Any, deviations: Any) -> Scalar:
    """P(a < X < b) = sum_i w_i (Phi((b - m_i) / d_i) - Phi((a - m_i) / d_i))."""
    parts = (
        w * (norm.cdf(b, m, d) - norm.cdf(a, m, d))
        for w, m, d in zip(weights, means, deviations, strict=True)
    )
    return sum(parts, jnp.zeros_like(a))


def mixture_sample(key: Any, weights: Any, means: Any, deviations: Any) -> Scalar:
    """One draw: a component by its weight, then a normal number of it."""
    chooser, drawer = jax.random.split(key)
    which = jax.random.choice(chooser, len(weights), p=jnp.asarray(weights))
    return jnp.asarray(means)[which] + jnp.asarray(deviations)[which] * jax.random.normal(drawer)


def running_means(values: Callable[[Any], Any], stops: Any) -> Any:
    """(v_0 + ... + v_{n-1}) / n for every n of `stops`, without keeping the values.

    Args:
        values: from the index of the first to an array of the next few; always equally many.
        stops: increasing whole numbers, shape (stop,).

    Returns:
        Shape (stop,), summed in the widest floating-point type that JAX has enabled.
    """
    stops = jnp.asarray(stops, jnp.int32)
    chunk = jax.eval_shape(values, jax.ShapeDtypeStruct((), jnp.int32)).shape[0]
    wide = jnp.zeros((), jnp.result_type(float))

    def stretch(total: Scalar, ends: tuple[Any, Any]) -> tuple[Scalar, Scalar]:
        low, high = ends

        def piece(j: Any, total: Scalar) -> Scalar:
            first = low + j * chunk
            inside = jnp.arange(chunk, dtype=jnp.int32) < high - first
            return total + jnp.sum(jnp.where(inside, values(first), 0)).astype(wide.dtype)

        total = lax.fori_loop(0, (high - low + chunk - 1) // chunk, piece, total)
        return total, total / high.astype(wide.dtype)

    lows = jnp.concatenate([jnp.zeros_like(stops[:1]), stops[:-1]])
    return lax.scan(stretch, wide, (lows, stops))[1]


def chain_means(draw: Callable[..., Any], key: Any, stops: Any, chunk: int = 64) -> Any:
    """Running means of one chain of independent draws, such as `jax.random.cauchy`'s.

    The law of large numbers takes them to the expectation, if there is one. The mean of n Cauchy
    draws is a Cauchy number again, however large n.

    Args:
        draw: from a key, a shape and a type to random numbers.
        key: the chain's own.
        stops: where the means are taken, increasing, shape (stop,).
        chunk: how many are drawn together.
    """
    return running_means(
        lambda first: draw(jax.random.fold_in(key, first), (chunk,), jnp.float32), stops
    )


def roc_curve(positive: Any, negative: Any) -> tuple[Any, Any]:
    """Rates of false and of true alarms for every threshold, from the highest to the lowest.

    Args:
        positive: scores of what should raise the alarm, shape (p,).
        negative: scores of what should not, shape (n,).

    Returns:
        Both rates, each of shape (p + n + 1,), from 0 to 1. An alarm is a score at or above the
        threshold, so equal scores make one slanted piece.
    """
    thresholds = jnp.sort(jnp.concatenate([positive, negative]))[::-1]

    def rate(scores: Any) -> Any:
        below = jnp.searchsorted(jnp.sort(scores), thresholds, side="left")
        share = 1 - below.astype(scores.dtype) / len(scores)
        return jnp.concatenate([jnp.zeros_like(share[:1]), share])

    return rate(negative), rate(positive)


def area_under(x: Any, y: Any) -> Scalar:
    """The trapezoid rule over points with increasing x, both of shape (n,)."""
    return jnp.sum(jnp.diff(x) * (y[1:] + y[:-1]) / 2)


def wins(score: Scalar, others: Any) -> Scalar:
    """How many of the others are below a score, equal ones counting half.

    Summed over the positive scores, with the negative ones as the others, it is the statistic U of
    Mann & Whitney 1947, Annals of Mathematical Statistics 18, 50-60; U / (p n) is the area under
    the ROC curve (Bamber 1975, Journal of Mathematical Psychology 12, 387-415).
    """
    return jnp.sum(others < score) + jnp.sum(others == score) / 2

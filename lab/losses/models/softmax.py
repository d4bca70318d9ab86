"""Softmax regression: the linear classifier of any number of classes."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from lab.errors import Fault, SpecError
from lab.losses.base import Family, Point, Scalar, surface
from lab.losses.data import CLASSES
from lab.losses.models.convex import lowest_by_newton
from lab.losses.models.model import model


@model(least={"seed": 0, "classes": 0}, choices={"data": tuple(CLASSES)})
def softmax_regression(
    data: str = "blobs", samples: int = 30, classes: int = 0, seed: int = 0
) -> Family:
    """Examples of several classes and a constant feature; `classes` 0 for as many as usual."""
    count = _count(data, classes)
    given, labels = CLASSES[data].make(samples, seed, count)
    features = np.concatenate([given, np.ones((samples, 1))], axis=1)
    inputs, chosen = features.shape[1], (labels[:, None] == np.arange(count)).astype(float)

    def value(w: np.ndarray, ridge: float) -> float:
        scores = features @ w.reshape(count, inputs).T
        fits = np.logaddexp.reduce(scores, axis=1) - np.sum(scores * chosen, axis=1)
        return float(np.mean(fits) + ridge * (w @ w) / 2)

    def derivatives(w: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        scores = features @ w.reshape(count, inputs).T
        p = np.exp(scores - np.logaddexp.reduce(scores, axis=1)[:, None])
        gradient = ((p - chosen).T @ features).ravel() / samples + ridge * w
        spread = p[:, :, None] * np.eye(count) - p[:, :, None] * p[:, None, :]
        rows = [[(features.T * s) @ features for s in row] for row in spread.transpose(1, 2, 0)]
        return gradient, np.block(rows) / samples + ridge * np.eye(len(w))

    @cache
    def found(ridge: float) -> np.ndarray:
        return lowest_by_newton(
            lambda w: value(w, ridge), lambda w: derivatives(w, ridge), count * inputs
        )

    @surface(
        low=-4.0, high=4.0, dimension=count * inputs, positive=("ridge",),
        minima=lambda dimension, ridge: found(ridge)[None].copy(),
        minimum=lambda dimension, ridge: value(found(ridge), ridge),
        source="Theil 1969, Int. Econ. Rev. 10; ridge: Boehning 1992, Ann. Inst. Stat. Math. 44",
    )  # fmt: skip
    def softmax_regression(w: Point, ridge: float = 0.01) -> Scalar:
        """f(W) = mean_j (log sum_k exp(<w_k, u_j>) - <w_{y_j}, u_j>) + r |W|^2 / 2, r the ridge.

        W holds a row w_k for each class k = 0, 1 ...; the last feature of each u_j is 1. The ridge
        makes it strictly convex: without it, a vector added to every row would change nothing.
        """
        scores = jnp.asarray(features, w.dtype) @ w.reshape(count, inputs).T
        fits = jax.nn.logsumexp(scores, axis=1) - jnp.sum(scores * jnp.asarray(chosen, w.dtype), 1)
        return jnp.mean(fits) + ridge * jnp.sum(w**2) / 2

    return softmax_regression


def _count(data: str, classes: int) -> int:
    """How many classes there are, or a `SpecError` if these data cannot have so many."""
    _, usual, most = CLASSES[data]
    if classes and not 2 <= classes <= most:
        allowed = f"from 2 to {most}" if most > 2 else "2"
        raise SpecError([Fault(("classes",), f"{data} have {allowed}, not {classes}")])
    return classes or usual

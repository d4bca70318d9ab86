"""Models that are linear in their inputs: regression, factorisation, deep linear networks."""

import math
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np

from lab.losses.base import Family, Point, Scalar, least_squares, surface
from lab.losses.data import DATA, LABELLED
from lab.losses.models.convex import lowest_by_newton
from lab.losses.models.model import model


@model(least={"seed": 0})
def linear_regression(samples: int = 32, inputs: int = 4, seed: int = 0) -> Family:
    """Noisy linear data, normal inputs; the parameter `ridge` is the weight of |w|^2."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(samples, inputs))
    targets = features @ rng.normal(size=inputs) + 0.1 * rng.normal(size=samples)

    def minima(dimension: int, ridge: float) -> np.ndarray:
        rows = np.concatenate([features / samples**0.5, ridge**0.5 * np.eye(inputs)])
        right = np.concatenate([targets / samples**0.5, np.zeros(inputs)])
        return np.linalg.lstsq(rows, right)[0][None]

    def minimum(dimension: int, ridge: float) -> float:
        (w,) = minima(dimension, ridge)
        return float(np.mean((features @ w - targets) ** 2) + ridge * w @ w)

    @least_squares(
        low=-4.0, high=4.0, dimension=inputs, minima=minima, minimum=minimum,
        source="Legendre 1805; ridge: Hoerl & Kennard 1970, Technometrics 12",
    )  # fmt: skip
    def linear_regression(w: Point, ridge: float = 0.0) -> Point:
        """f(w) = mean_j (<u_j, w> - y_j)^2 + r |w|^2, r the ridge."""
        error = jnp.asarray(features, w.dtype) @ w - jnp.asarray(targets, w.dtype)
        return jnp.concatenate([error / samples**0.5, jnp.sqrt(ridge) * w])

    return linear_regression


@model(least={"seed": 0}, choices={"data": LABELLED})
def logistic_regression(
    data: str = "rule", samples: int = 32, inputs: int = 4, seed: int = 0
) -> Family:
    """Examples with labels +-1 and a constant feature; `inputs` are how many a rule has."""
    given, labels = DATA[data](samples, seed, **({"inputs": inputs} if data == "rule" else {}))
    signed = labels[:, None] * np.concatenate([given, np.ones((samples, 1))], axis=1)
    dimension = signed.shape[1]

    def minima(dimension: int, ridge: float) -> np.ndarray:
        def derivatives(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            wrong = 1 / (1 + np.exp(signed @ w))
            gradient = ridge * w - signed.T @ wrong / samples
            curvature = (signed.T * (wrong * (1 - wrong))) @ signed / samples
            return gradient, curvature + ridge * np.eye(dimension)

        return lowest_by_newton(lambda w: value(w, ridge), derivatives, dimension)[None]

    def value(w: np.ndarray, ridge: float) -> float:
        return float(np.mean(np.logaddexp(0, -signed @ w)) + ridge * (w @ w) / 2)

    def minimum(dimension: int, ridge: float) -> float:
        return value(minima(dimension, ridge)[0], ridge)

    @surface(
        low=-4.0, high=4.0, dimension=dimension, minima=minima, minimum=minimum,
        positive=("ridge",),
        source="Cox 1958, J. R. Stat. Soc. B 20; ridge: le Cessie & van Houwelingen 1992",
    )  # fmt: skip
    def logistic_regression(w: Point, ridge: float = 0.01) -> Scalar:
        """f(w) = mean_j log(1 + exp(-s_j <u_j, w>)) + r |w|^2 / 2, r the ridge.

        The last feature of each u_j is 1. Strictly convex; the minimum is Newton's.
        """
        margin = jnp.asarray(signed, w.dtype) @ w
        return jnp.mean(jax.nn.softplus(-margin)) + ridge * jnp.sum(w**2) / 2

    return logistic_regression


@model(least={"seed": 0})
def matrix_factorisation(rows: int = 4, columns: int = 3, rank: int = 2, seed: int = 0) -> Family:
    """A matrix of that rank, to be found as a product."""
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))
    left, values, right = np.linalg.svd(target, full_matrices=False)
    padded = np.zeros((2, max(rows, columns), rank))
    kept = min(rank, len(values))
    padded[0, :rows, :kept] = left[:, :kept] * np.sqrt(values[:kept])
    padded[1, :columns, :kept] = right[:kept].T * np.sqrt(values[:kept])
    balanced = np.concatenate([padded[0, :rows].ravel(), padded[1, :columns].ravel()])

    @least_squares(
        low=-4.0, high=4.0, minima=balanced[None], minimum=0.0,
        source="Burer & Monteiro 2003, Math. Program. 95; Ye & Du 2021 (NeurIPS)",
    )  # fmt: skip
    def matrix_factorisation(w: Point) -> Point:
        """f(U, V) = |U V^T - Y|^2, w = (U, V) row by row; listed is the balanced minimum."""
        u = w[: rows * rank].reshape(rows, rank)
        v = w[rows * rank :].reshape(columns, rank)
        return (u @ v.T - jnp.asarray(target, w.dtype)).ravel()

    return matrix_factorisation


@model(least={"seed": 0})
def deep_linear_network(
    depth: int = 3, width: int = 3, inputs: int = 3, outputs: int = 2, seed: int = 0
) -> Family:
    """A linear map of white inputs, to be found as a product of `depth` matrices."""
    target = np.random.default_rng(seed).normal(size=(outputs, inputs))
    sides = [inputs, *[width] * (depth - 1), outputs]
    shapes = list(zip(sides[1:], sides[:-1], strict=True))
    ends = np.cumsum([0, *(math.prod(shape) for shape in shapes)])
    realizable = width >= min(inputs, outputs) or depth == 1

    @least_squares(
        low=-4.0, high=4.0, dimension=int(ends[-1]), minimum=0.0 if realizable else None,
        minima=_balanced(target, shapes)[None] if realizable else None,
        source="Saxe, McClelland & Ganguli 2014 (ICLR)",
    )  # fmt: skip
    def deep_linear_network(w: Point) -> Point:
        """f(w) = |W_L ... W_1 - A|^2, w the matrices row by row; listed is a balanced minimum."""
        parts = zip(ends[:-1], ends[1:], shapes, strict=True)
        matrices = [w[a:b].reshape(shape) for a, b, shape in parts]
        product = reduce(lambda below, above: above @ below, matrices)
        return (product - jnp.asarray(target, w.dtype)).ravel()

    return deep_linear_network


def _balanced(target: np.ndarray, shapes: list[tuple[int, int]]) -> np.ndarray:
    """Matrices whose product is the target, with the same singular values in each."""
    left, values, right = np.linalg.svd(target, full_matrices=False)
    roots = values ** (1 / len(shapes))
    matrices = []
    for i, shape in enumerate(shapes):
        core = np.diag(roots)
        core = core @ right if i == 0 else core
        core = left @ core if i == len(shapes) - 1 else core
        whole = np.zeros(shape)
        whole[: core.shape[0], : core.shape[1]] = core
        matrices.append(whole)
    return np.concatenate([matrix.ravel() for matrix in matrices])

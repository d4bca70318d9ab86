"""A loss of two variables over a box, and what Newton's method says of its listed minima."""

import jax
import numpy as np
import xarray as xr
from jaxtyping import Float

from lab.losses import Loss

NEWTON_STEPS = 5
QUICK = {"xla_backend_optimization_level": 0}  # compiling takes longer than running

Points = Float[np.ndarray, "point dim"]


def survey(
    loss: Loss, low: Float[np.ndarray, " dim"], high: Float[np.ndarray, " dim"], count: int
) -> xr.Dataset:
    """The values of a loss on a grid, and where Newton's method goes from its minima; in float64.

    Args:
        loss: of two variables.
        low: lower corner of what is shown.
        high: upper corner.
        count: points along each side.

    Returns:
        `loss` (y, x); `minima` (known_minimum, dim); `minima_loss` and `newton_distance`
        (known_minimum), how far Newton's method went, NaN where the loss has kinks.
    """
    ticks = [np.linspace(*ends, count) for ends in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*ticks, indexing="xy"), axis=-1)
    minima = loss.minima()
    with jax.enable_x64(True):
        values = jax.jit(jax.vmap(loss), compiler_options=QUICK)
        shown = np.asarray(values(grid.reshape(-1, 2))).reshape(count, count)
        depths = np.array([float(f) for f in values(minima)]) if len(minima) else np.empty(0)
        far = np.full(len(minima), np.nan) if loss.kinks else newton_distances(loss, minima)
    return xr.Dataset(
        {
            "loss": (("y", "x"), shown),
            "minima": (("known_minimum", "dim"), minima),
            "minima_loss": ("known_minimum", depths),
            "newton_distance": ("known_minimum", far),
        },
        coords={"x": ticks[0], "y": ticks[1]},
    )


def newton_distances(loss: Loss, points: Points) -> Float[np.ndarray, " point"]:
    """How far Newton's method on the gradient goes from each of these points in a few steps.

    On an edge of the box, where the slope points outwards, a coordinate stays where it is. A point
    whose Hessian then has a negative curvature is no minimum: infinitely far.
    """
    if not len(points):
        return np.empty(0)
    slopes = jax.jit(jax.vmap(jax.grad(loss)), compiler_options=QUICK)
    curvatures = jax.jit(jax.vmap(jax.hessian(loss)), compiler_options=QUICK)
    x = np.array(points)
    for _ in range(NEWTON_STEPS):
        g, h = np.asarray(slopes(x)), np.asarray(curvatures(x))
        x = np.stack([_newton(loss, *one) for one in zip(x, g, h, strict=True)])
    distance = np.linalg.norm(x - points, axis=1)
    curved = np.array([_least_curvature(loss, *one) for one in zip(points, g, h, strict=True)])
    return np.where(curved >= -1e-9, distance, np.inf)


def _free(loss: Loss, x: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The coordinates that are not held at an edge of the box."""
    return ~(((x == loss.low) & (g > 0)) | ((x == loss.high) & (g < 0)))


def _newton(loss: Loss, x: np.ndarray, g: np.ndarray, h: np.ndarray) -> np.ndarray:
    free = _free(loss, x, g)
    step = np.zeros_like(x)
    step[free] = np.linalg.lstsq(h[np.ix_(free, free)], -g[free], rcond=1e-12)[0]
    return x + step


def _least_curvature(loss: Loss, x: np.ndarray, g: np.ndarray, h: np.ndarray) -> float:
    """The smallest eigenvalue over the largest, among the free coordinates."""
    free = _free(loss, x, g)
    if not free.any():
        return 0.0
    found = np.linalg.eigvalsh(h[np.ix_(free, free)])
    return float(found[0] / max(abs(found[-1]), 1e-300))

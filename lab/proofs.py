"""Checks that hold for every comparison of descents, each against something independent."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from jaxtyping import Float

from lab import losses, optimizers, theory
from lab.api import sweep
from lab.check import Check
from lab.losses import Loss
from lab.optimizers import Optimizer
from lab.optimizers.recipe import Sweep
from lab.outcome import Outcome

NEWTON_STEPS = 50
MOST_NUMBERS = 200
"""Coordinates of minima beyond which a dense Hessian takes longer than it proves."""

HALVINGS = 0.5 ** np.arange(11)
CLOSED_FORM_STEPS = 20


def minima_by_newton(loss: Loss, contenders: Mapping[str, xr.Dataset]) -> list[Check]:
    """Newton's method, in float64, from where a lane ended, finds each minimum that was reached.

    The start is the last point, of all lanes, that is closest to the minimum; what is measured is
    how far from the catalogue's minimum Newton comes to rest.
    """
    if loss.swept or loss.kinks or not 0 < loss.minima().size <= MOST_NUMBERS:
        return []
    ends = np.concatenate([_last_points(data) for data in contenders.values()])
    if not len(ends):
        return []
    source = f"catalogue of losses: {loss.source}"
    found = []
    settle = newton(loss)
    reached = {int(i) for d in contenders.values() for i in np.unique(d.minimum) if i >= 0}
    for minimum in loss.minima()[sorted(reached)]:
        nearest = ends[np.argmin(np.sum((ends - minimum) ** 2, axis=1))]
        distance = float(np.linalg.norm(settle(nearest) - minimum))
        place = ", ".join(f"{x:.6g}" for x in minimum[:4]) + (", ..." if len(minimum) > 4 else "")
        found.append(Check(f"Newton ends at the minimum ({place})", 0, distance, 1e-6, source))
    return found


def newton(loss: Loss) -> Callable[[Float[np.ndarray, " dim"]], Float[np.ndarray, " dim"]]:
    """Damped Newton's method on the gradient, in float64: from x to the critical point near it.

    Steps solve H p = -g by least squares, so a flat direction (a curve of minima) is left alone;
    a step is halved until the gradient's norm does not grow.
    """
    gradient, hessian = jax.jit(jax.grad(loss)), jax.jit(jax.hessian(loss))
    size = np.linalg.norm

    def settle(x: Float[np.ndarray, " dim"]) -> Float[np.ndarray, " dim"]:
        at = np.asarray(x, np.float64)
        with jax.enable_x64(True):
            g, matrix = np.asarray(gradient(at)), np.asarray(hessian(at))
            for _ in range(NEWTON_STEPS):
                if not np.any(g) or not np.all(np.isfinite(matrix)):
                    break
                step = np.linalg.lstsq(matrix, -g)[0]
                steps = (at + halving * step for halving in HALVINGS)
                near = next((y for y in steps if size(gradient(y)) <= size(g)), None)
                if near is None:
                    break
                at, g, matrix = near, np.asarray(gradient(near)), np.asarray(hessian(near))
        return at

    return settle


def nothing_below(loss: Loss, contenders: Mapping[str, xr.Dataset], precision: str) -> list[Check]:
    """No lane saw a loss below the lowest known one, but for rounding."""
    lowest = [
        data.best_loss - data.minimum_loss for data in contenders.values() if "best_loss" in data
    ]
    known = all(data.attrs["minimum_known"] for data in contenders.values())
    if not known or not lowest:
        return []
    depth = max(0.0, -min(float(excess.min()) for excess in lowest))
    scale = max(1.0, *(float(abs(data.minimum_loss).max()) for data in contenders.values()))
    rounding = 16 * scale * float(jnp.finfo(precision).eps)
    name = "depth of the lowest loss seen below the known minimum"
    return [Check(name, 0, depth, rounding, f"catalogue of losses: {loss.source}", at_most=True)]


def closed_form(precision: str) -> Check:
    """Gradient descent on a quadratic, through the whole engine, against (1 - eta lambda)^k x_0."""
    curvature, rates = np.array([1.0, 10.0]), np.array([0.01, 0.05, 0.12, 0.19])
    start = np.array([[1.0, -1.0], [2.0, 0.5]])
    data = sweep(
        losses.quadratic(condition_number=10.0),
        optimizers.optimizer("sgd", learning_rate=rates),
        start,
        steps=CLOSED_FORM_STEPS,
        gradient_below=0.0,
        precision=precision,
    )
    exact = theory.quadratic_descent(start, curvature, rates[:, None, None], CLOSED_FORM_STEPS)
    error = np.abs(data.final_point.values - exact) / np.abs(start)
    return Check(
        f"largest error of {CLOSED_FORM_STEPS} steps on a quadratic, relative to the start",
        expected=0,
        measured=float(np.max(error)),
        tolerance=4 * CLOSED_FORM_STEPS * float(jnp.finfo(precision).eps),
        source="closed form x_k = (1 - eta lambda)^k x_0",
        at_most=True,
    )


def replays(differ: int, of: int) -> Check:
    """Lanes that were replayed one step at a time end, to the last bit, where the sweep's did."""
    source = "a run is a pure function of its config"
    return Check(f"lanes that end elsewhere when replayed, of {of}", 0, differ, 0, source)


def stability(
    loss: Loss, contenders: Mapping[str, Optimizer], results: Mapping[str, xr.Dataset]
) -> list[Check]:
    """Plain and heavy-ball descent converge to no minimum at rates above 2 (1 + beta) / lambda.

    For each known minimum with curvature and each such optimizer: the largest rate at which lanes
    converged there, against the limit. Chaotic lanes may pass a repelling minimum so closely that
    they count as converged, so a rate counts where at least half as many converged as at the best.
    """
    if loss.swept or loss.kinks or (minima := loss.minima()).size > MOST_NUMBERS:
        return []
    momenta = {label: _heavy_ball(optimizer) for label, optimizer in contenders.items()}
    covered = {
        label: momentum
        for label, momentum in momenta.items()
        if momentum is not None and "minimum" in results[label]
    }
    curvatures = _curvatures(loss, minima) if covered else []
    return [
        check
        for label, momentum in covered.items()
        for index, curvature in enumerate(curvatures)
        for check in _stability_at(label, results[label], index, minima, curvature, momentum)
    ]


def _curvatures(loss: Loss, points: np.ndarray) -> list[float]:
    """The largest eigenvalue of the Hessian at each point."""
    hessian = jax.jit(jax.hessian(loss))
    with jax.enable_x64(True):
        return [float(np.linalg.eigvalsh(hessian(jnp.asarray(x)))[-1]) for x in points]


def _heavy_ball(optimizer: Optimizer) -> float | None:
    """The momentum of `sgd` whose only sweep is its learning rate; None for anything else."""
    node = optimizer.recipe.node
    if getattr(node, "function", None) is not optax.sgd or [*optimizer.swept] != ["learning_rate"]:
        return None
    momentum = node.arguments.get("momentum") or 0.0
    plain = isinstance(node.arguments["learning_rate"], Sweep) and isinstance(momentum, int | float)
    return float(momentum) if plain and not node.arguments.get("nesterov") else None


def _stability_at(
    label: str,
    data: xr.Dataset,
    index: int,
    minima: np.ndarray,
    curvature: float,
    momentum: float,
) -> list[Check]:
    pooled = [dim for dim in data.outcome.dims if dim != "learning_rate"]
    came = (data.outcome == Outcome.CONVERGED) & (data.minimum == index) & (data.steps > 0)
    share = came.mean(pooled).values
    settled = (share > 0) & (share >= share.max() / 2)
    if not curvature > 0 or not settled.any():
        return []
    place = ", ".join(f"{x:.3g}" for x in minima[index][:4])
    return [
        Check(
            f"{label}: largest rate that converged to ({place})",
            expected=theory.stability_limit(curvature, momentum),
            measured=float(data.learning_rate.values[settled].max()),
            tolerance=0,
            source="2 (1 + beta) / lambda_max: Polyak 1964; Goh 2017",
            at_most=True,
        )
    ]


def _last_points(data: xr.Dataset) -> Float[np.ndarray, "lane dim"]:
    """The finite last points of all lanes."""
    if "final_point" not in data:
        return np.empty((0, data.sizes.get("dim", 0)))
    points = data.final_point.values.reshape(-1, data.sizes["dim"])
    return points[np.all(np.isfinite(points), axis=1)].astype(np.float64)

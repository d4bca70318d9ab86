"""Descent the slow way: one point at a time, a Python loop, NumPy verdicts, the history kept.

Written from the words of `lab.outcome.REASONS`, not from its code: what the engine is held against.
"""

from typing import NamedTuple

import numpy as np

from lab.outcome import Outcome


class Walk(NamedTuple):
    """x_0 ... x_T, their losses, and why it ended there."""

    points: np.ndarray
    losses: np.ndarray
    outcome: Outcome


def walk(look, move, x0, steps, above=1e8, below=1e-4, patience=None):
    """Descend from x0: `look(x, t) -> (f, g)`, and `move(t, x, f, g) -> x`, which may remember."""
    patience = max(10, steps // 10) if patience is None else patience
    x, points, losses, moved = np.asarray(x0), [], [], 0
    for t in range(steps + 1):
        f, g = (np.asarray(value) for value in look(x, t))
        points.append(x)
        losses.append(f)
        since = t - moved, t - int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))
        outcome = verdict(x, f, g, t == steps, *(n >= patience for n in since), above, below)
        if outcome:
            return Walk(np.array(points), np.array(losses), outcome)
        x, old = np.asarray(move(t, x, f, g)), x
        moved = t + 1 if np.any(x != old) else moved


def verdict(x, f, g, spent, still, no_lower, above, below):
    """Why it ends at x, or None."""
    if not np.max(np.abs(x)) <= above or f > above:
        return Outcome.DIVERGED
    if not np.isfinite(f) or not np.all(np.isfinite(g)):
        return Outcome.LEFT_DOMAIN
    if np.max(np.abs(g)) <= below:
        return Outcome.CONVERGED
    if not spent:
        return None
    if still:
        return Outcome.STALLED
    return Outcome.OSCILLATING if no_lower else Outcome.BUDGET_SPENT


def told(walk, targets, minimum=0.0):
    """What the sweep's variables must be, from a whole history."""
    finite = np.where(np.isfinite(walk.losses), walk.losses, np.inf)
    hits = [finite - minimum <= target for target in targets]
    return {
        "final_point": walk.points[-1],
        "final_loss": finite[-1],
        "steps": len(walk.losses) - 1,
        "outcome": walk.outcome,
        "best_loss": finite.min(),
        "best_step": int(np.argmin(finite)),
        "hit_step": np.array([int(np.argmax(hit)) if hit.any() else -1 for hit in hits]),
    }


def assert_lane_is(lane, expected, rtol=1e-12, atol=1e-12):
    """A lane of a dataset against what `told` says: whole numbers exactly."""
    for name, value in expected.items():
        found = lane[name].values
        if found.dtype.kind == "i":
            np.testing.assert_array_equal(found, value, name)
        else:
            np.testing.assert_allclose(found, value, rtol=rtol, atol=atol, err_msg=name)

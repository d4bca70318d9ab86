"""Paths cut at the border of a box, so that a run that flies away is drawn up to where it left."""

import numpy as np


def clip(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The visible part of a path, and where it leaves the box.

    Liang and Barsky's clipping, for all segments at once and any dimension.

    Args:
        points: [n, dim], the path; it ends at its first point that is not finite.
        low: [dim], lower corner of the box.
        high: [dim], upper corner.

    Returns:
        The visible polyline, pieces apart by rows of NaN, and the [m, dim] exits.
    """
    low, high = np.asarray(low, float), np.asarray(high, float)
    finite = np.isfinite(points).all(-1)
    points = points[: len(points) if finite.all() else int(np.argmin(finite))]
    if len(points) < 2:
        inside = points[((points >= low) & (points <= high)).all(-1)]
        return inside, points[:0]
    a, b = points[:-1], points[1:]
    enter, leave = _interval(a, b - a, low, high)
    seen = enter <= leave
    starts = (a + enter[:, None] * (b - a))[seen]
    ends = (a + leave[:, None] * (b - a))[seen]
    exits = np.clip(ends[leave[seen] < 1], low, high)
    return _joined(starts, ends, enter[seen] > 0), exits


def _interval(
    a: np.ndarray, d: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The part [enter, leave] of each segment a + t d, 0 <= t <= 1, that is inside."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        one, two = (low - a) / d, (high - a) / d
    still = d == 0
    outside = (still & ((a < low) | (a > high))).any(-1)
    enter = np.where(still, 0.0, np.minimum(one, two)).max(-1)
    leave = np.where(still, 1.0, np.maximum(one, two)).min(-1)
    enter, leave = np.maximum(enter, 0.0), np.minimum(leave, 1.0)
    return np.where(outside, 1.0, enter), np.where(outside, 0.0, leave)


def _joined(starts: np.ndarray, ends: np.ndarray, entered: np.ndarray) -> np.ndarray:
    """Segments as one polyline, broken where the path comes back from outside."""
    if not len(starts):
        return starts
    gap = np.full_like(starts[:1], np.nan)
    pieces = [starts[:1]]
    for start, end, comes_back in zip(starts, ends, entered, strict=True):
        if comes_back:
            pieces += [gap, start[None]]
        pieces.append(end[None])
    return np.concatenate(pieces)

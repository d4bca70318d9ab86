"""Where is a function of one number discontinuous, and how? One detector for all functions.

It sees values only. A line of cells covers an interval; in each, bisection follows the larger
change of f down to the spacing of floating-point numbers, and what f does on either side of the
place found says of which kind it is.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lab.losses.base import Scalar

Curve = Callable[[Any], Scalar]

KINDS = ("none", "removable", "jump", "infinite", "oscillating", "undefined")
NONE, REMOVABLE, JUMP, INFINITE, OSCILLATING, UNDEFINED = range(len(KINDS))

FINEST = 2.0**-44  # the last distance, over |x| or the cell: some 500 spacings of float64
SCALES = 22  # distances on either side, from half a cell to the last
SHRINKS = 2.0**-9  # where there is a limit, changes become smaller than this part of the largest


class Finding(NamedTuple):
    """What a cell holds.

    Attributes:
        kind: its place in `KINDS`.
        at: where.
        left: the limit from the left.
        right: the limit from the right.
    """

    kind: Scalar
    at: Scalar
    left: Scalar
    right: Scalar


class Side(NamedTuple):
    """What f does as a point is approached from one side.

    Attributes:
        limit: the value nearest to the point.
        largest: the largest change from one distance to the next.
        last: the smaller of the last two changes: a jump nearby makes one of them large.
        monotone: all changes have the same sign.
    """

    limit: Scalar
    largest: Scalar
    last: Scalar
    monotone: Scalar


def detect(f: Curve, low: Scalar, width: Scalar) -> Finding:
    """The discontinuity in the cell [low, low + width], if there is one.

    With L and R the limits from the left and from the right of the place found:

    * removable: L = R, but f is not that there, or has no value there
    * jump: L and R differ
    * infinite: the values on a side go on growing and have no limit
    * oscillating: they go up and down and have no limit
    * undefined: there are no values on a side

    "Has a limit" means that the changes of f shrink as the distance does, from half a cell to
    2^-44 of |x| or of the cell, "differ" that the difference is not among the changes that shrink.
    So a jump is seen if it is more than about 1/500 of what f changes by over the cell, a hole
    only if it is a cell's end or a middle of its bisection, and a pole of even order likewise.

    Args:
        f: the function, computed in float64.
        low: the lower end of the cell.
        width: its width.
    """
    ends = jnp.stack(_close_in(f, low, width))
    finest = FINEST * jnp.maximum(jnp.abs(ends[0]), width)
    outwards = jnp.array([-1.0, 1.0])
    sides = jax.vmap(partial(_side, f))(ends, outwards * width / 2, outwards * finest)
    size = sides.limit[1] - sides.limit[0]
    noise = 1e3 * jnp.finfo(width.dtype).eps * jnp.abs(sides.limit).max()
    allowed = jnp.maximum(SHRINKS * sides.largest.max(), noise)
    off = ~(jnp.abs(jax.vmap(f)(ends) - sides.limit) <= allowed)
    endless = jnp.isinf(sides.limit)
    endless |= ~(sides.last <= jnp.maximum(SHRINKS * sides.largest, noise))
    kind = jnp.select(
        [
            jnp.isnan(sides.limit).any(),
            (endless & sides.monotone).any(),
            endless.any(),
            jnp.abs(size) > allowed,
            off.any(),
        ],
        [UNDEFINED, INFINITE, OSCILLATING, JUMP, REMOVABLE],
        NONE,
    )
    at = jnp.where(off[1] & ~off[0], ends[1], ends[0])
    return Finding(kind.astype(jnp.int8), at, *sides.limit)


def _close_in(f: Curve, low: Scalar, width: Scalar) -> tuple[Scalar, Scalar]:
    """The ends of a tiny part of the cell, where f changes most; no value is the most of all."""

    def change(a: Scalar, b: Scalar) -> Scalar:
        difference = jnp.abs(a - b)
        return jnp.where(jnp.isnan(difference), jnp.inf, difference)

    def halve(_: int, now: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
        a, b, f_a, f_b = now
        middle = (a + b) / 2
        value = f(middle)
        left = change(f_a, value) >= change(value, f_b)
        wide = (b - a) > FINEST * jnp.maximum(jnp.abs(a), width)
        go_left, go_right = wide & left, wide & ~left
        return (
            jnp.where(go_right, middle, a),
            jnp.where(go_left, middle, b),
            jnp.where(go_right, value, f_a),
            jnp.where(go_left, value, f_b),
        )

    high = low + width
    steps = round(-math.log2(FINEST)) + 1
    values = jax.vmap(f)(jnp.stack([low, high]))
    a, b, _, _ = jax.lax.fori_loop(0, steps, halve, (low, high, *values))
    return a, b


def _side(f: Curve, end: Scalar, first: Scalar, last: Scalar) -> Side:
    """f(end + d) for distances d from the first to the last, by a constant factor."""
    factor = (last / first) ** (1 / (SCALES - 1))

    def nearer(index: int, now: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
        distance, value, largest, _, newest, up, down = now
        distance = distance * factor
        new = f(end + distance)
        change = jnp.abs(new - value)
        up, down = up & (new >= value), down & (new <= value)
        largest = jnp.maximum(largest, jnp.where(jnp.isfinite(change), change, 0.0))
        return distance, new, largest, newest, change, up, down

    zero, true = jnp.zeros_like(first), jnp.array(True)
    begun = (first, f(end + first), zero, zero, zero, true, true)
    _, value, largest, older, newest, up, down = jax.lax.fori_loop(1, SCALES, nearer, begun)
    return Side(value, largest, jnp.minimum(older, newest), up | down)


def merge(found: Finding) -> list[tuple[str, float, float, float]]:
    """The discontinuities of a line of cells: (kind, at, left, right), once for cells that touch.

    Args:
        found: arrays with one entry a cell, from left to right.

    Returns:
        From left to right, without `none` and `undefined`.
    """
    told: list[tuple[str, float, float, float]] = []
    last = -2
    for cell in np.flatnonzero(~np.isin(found.kind, (NONE, UNDEFINED))).tolist():
        at, left, right = (float(part[cell]) for part in found[1:])
        one = (KINDS[int(found.kind[cell])], at, left, right)
        if cell > last + 1 or told[-1][0] != one[0]:
            told.append(one)
        last = cell
    return told

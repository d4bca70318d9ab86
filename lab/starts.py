"""Starts: initial points as functions of their index, so that a million of them are never stored.

`grid`, `uniform`, `normal` and `points` make `Starts`; calling one with an index and the run's key
gives that start, the same whatever the number of starts, blocks or devices.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from lab.errors import Fault, SpecError, meant, nearest
from lab.losses.values import LARGEST_INT
from lab.start_values import MISSING, Reading

Index = Int[Array, ""] | int


@dataclass(frozen=True, eq=False, repr=False)
class Starts:
    """Initial points by index: `starts(index, key)` is one of them, in the default float dtype.

    `low` and `high` are the corners of a box to show them in (None where points are not flat
    lists of numbers). A subset `starts[:16]` keeps every start as it is in the whole.
    """

    kind: str
    draw: Callable[[Any, Any], Any]
    chosen: range | np.ndarray
    shape: tuple[int, ...]
    dimension: int | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None

    @property
    def count(self) -> int:
        """How many starts there are."""
        return len(self.chosen)

    def __call__(self, index: Index, key: Any) -> Any:
        """The start with this index; `key` is the run's random key, the same for all starts."""
        if isinstance(self.chosen, range):
            first, step = self.chosen.start, self.chosen.step
            return self.draw(index if (first, step) == (0, 1) else first + step * index, key)
        return self.draw(jnp.asarray(self.chosen, jnp.int32)[index], key)

    def __len__(self) -> int:
        """How many starts there are."""
        return self.count

    def __iter__(self) -> Iterator["Starts"]:
        """One-start subsets, in order."""
        return (self[index] for index in range(self.count))

    def __getitem__(self, which: int | slice | Sequence[int] | np.ndarray) -> "Starts":
        """A subset: the starts of an index, a slice, a list of indices, or a mask."""
        if isinstance(which, slice):
            chosen = self.chosen[which]
        else:
            chosen = _picked(self.chosen, np.atleast_1d(np.asarray(which)))
        return replace(self, chosen=chosen, shape=(len(chosen),))

    def __repr__(self) -> str:
        """Kind, number and dimension."""
        size = "" if self.dimension is None else f", {self.dimension}-D"
        return f"<starts {self.kind}, {self.count}{size}>"


def grid(low: Sequence[float], high: Sequence[float], shape: Sequence[int]) -> Starts:
    """A grid over a box, end points included, last axis fastest.

    Coordinates are those of `numpy.linspace`. An axis of one point needs low = high there.

    Args:
        low: Lower corner, one number a dimension.
        high: Upper corner.
        shape: Number of points along each axis.
    """
    reader = Reading()
    first, last = reader.vector("low", low), reader.vector("high", high)
    sizes = reader.sizes("shape", shape)
    reader.same_length(low=first, high=last, shape=sizes)
    for axis, (a, b, n) in enumerate(reader.rows(first, last, sizes)):
        if n == 1 and a != b:
            reader.fault("shape", f"has one point along axis {axis}; set low equal to high there")
        elif n > 1 and not a < b:
            reader.fault("low", f"must be below high ({a:g} and {b:g} along axis {axis})")
    count = math.prod(sizes or ())
    if count > LARGEST_INT:
        reader.fault("shape", f"makes {count} points; at most {LARGEST_INT} are allowed")
    reader.finish()
    axes = [np.linspace(a, b, n) for a, b, n in zip(first, last, sizes, strict=True)]

    strides = [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]

    def draw(index: Index, key: Any) -> Array:
        cell = [index // stride % size for stride, size in zip(strides, sizes, strict=True)]
        return jnp.stack([_floats(axis)[i] for axis, i in zip(axes, cell, strict=True)])

    return Starts("grid", draw, range(count), sizes, len(axes), first, last)


def uniform(low: Any, high: Any, count: int) -> Starts:
    """Independent uniform points of a box.

    Args:
        low: Lower corner: a list of numbers, or any pytree of arrays (a model's parameters).
        high: Upper corner, of the same structure.
        count: How many.
    """
    reader = Reading()
    low, high = reader.tree("low", low), reader.tree("high", high)
    count = reader.count("count", count)
    if reader.same_tree(low=low, high=high):
        below = jax.tree.map(lambda a, b: bool(np.all(a < b)), low, high)
        if not all(jax.tree.leaves(below)):
            reader.fault("low", "must be below high in every coordinate")
    reader.finish()

    def one(key: Any, a: np.ndarray, b: np.ndarray) -> Array:
        return jax.random.uniform(key, a.shape, minval=_floats(a), maxval=_floats(b))

    return _random("uniform", one, count, low, high, low, high)


def normal(mean: Any, std: Any, count: int) -> Starts:
    """Independent normal points.

    Args:
        mean: The centre: a list of numbers, or any pytree of arrays (a model's parameters).
        std: Standard deviation: one number, or of the structure of `mean`.
        count: How many.
    """
    reader = Reading()
    mean = reader.tree("mean", mean)
    std = reader.spread("std", std, mean)
    count = reader.count("count", count)
    reader.same_tree(mean=mean, std=std)
    reader.finish()
    low = jax.tree.map(lambda m, s: m - 3 * s, mean, std)
    high = jax.tree.map(lambda m, s: m + 3 * s, mean, std)

    def one(key: Any, m: np.ndarray, s: np.ndarray) -> Array:
        return _floats(m) + _floats(s) * jax.random.normal(key, m.shape)

    return _random("normal", one, count, mean, std, low, high)


def points(points: Any) -> Starts:
    """The points of a list [n, dimension], or of a pytree whose arrays have a leading axis n."""
    reader = Reading()
    tree = reader.tree("points", points)
    leaves = jax.tree.leaves(tree)
    flat = tree.ndim == 2 if isinstance(tree, np.ndarray) else False
    counts = {leaf.shape[0] if leaf.ndim else -1 for leaf in leaves}
    if leaves and (len(counts) > 1 or -1 in counts):
        reader.fault("points", "must have arrays with one leading axis of the same length")
    elif isinstance(tree, np.ndarray) and tree.ndim == 1:
        reader.fault("points", "must be a list of points, such as [[-1.2, 1.0]]")
    elif 0 in counts or (flat and tree.shape[1] == 0):
        reader.fault("points", "must hold at least one point of at least one coordinate")
    reader.finish()

    def draw(index: Index, key: Any) -> Any:
        return jax.tree.map(lambda leaf: _floats(leaf)[index], tree)

    box = (tree.shape[1], tree.min(axis=0), tree.max(axis=0)) if flat else (None, None, None)
    (count,) = counts
    return Starts("points", draw, range(count), (count,), *box)


def as_starts(starts: Any) -> Starts:
    """Starts as they are, or the points of an array [n, dimension] or a pytree of arrays."""
    return starts if isinstance(starts, Starts) else points(starts)


KINDS: dict[str, tuple[Callable[..., Starts], tuple[str, ...]]] = {
    "grid": (grid, ("low", "high", "shape")),
    "uniform": (uniform, ("low", "high", "count")),
    "normal": (normal, ("mean", "std", "count")),
    "points": (points, ("points",)),
}


def from_spec(spec: Mapping[str, Any]) -> Starts:
    """The starts that a table describes: exactly one of grid, uniform, normal and points."""
    faults = [
        Fault((key,), f"unknown key{nearest(key, KINDS)}") for key in spec if key not in KINDS
    ]
    found = [kind for kind in KINDS if kind in spec]
    if len(found) > 1 or not (found or faults):
        given = f"found {' and '.join(found)}" if found else "found none"
        faults.append(Fault((), f"give exactly one of grid, uniform, normal, points; {given}"))
    if len(found) != 1:
        raise SpecError(faults)
    (kind,) = found
    try:
        starts = _of_kind(kind, spec[kind])
    except SpecError as error:
        raise SpecError([*faults, *error.faults]) from None
    if faults:
        raise SpecError(faults)
    return starts


def _of_kind(kind: str, table: Any) -> Starts:
    make, keys = KINDS[kind]
    if kind == "points":
        return points(table)
    if not isinstance(table, Mapping):
        told = f"must be a table of {', '.join(keys)}, not {table!r:.60}"
        raise SpecError([Fault((kind,), told)])
    faults = [Fault((key,), f"unknown key{nearest(key, keys)}") for key in table if key not in keys]
    try:
        starts = make(**{key: table.get(key, MISSING) for key in keys})
    except SpecError as error:
        misspelt = {(key,) for key in meant(table, keys) if key not in table}
        faults += [fault for fault in error.faults if fault.path not in misspelt]
    if faults:
        raise SpecError([fault.under(kind) for fault in faults])
    return starts


def _random(
    kind: str, one: Callable[..., Array], count: int, first: Any, second: Any, low: Any, high: Any
) -> Starts:
    """Starts drawn leaf by leaf, each from the run's key folded with the start's own index."""
    leaves, structure = jax.tree.flatten(first)
    others = jax.tree.leaves(second)

    def draw(index: Index, key: Any) -> Any:
        own = jax.random.fold_in(key, index)
        keys = [own] if len(leaves) == 1 else jax.random.split(own, len(leaves))
        values = [one(k, a, b) for k, a, b in zip(keys, leaves, others, strict=True)]
        return jax.tree.unflatten(structure, values)

    flat = isinstance(first, np.ndarray) and first.ndim == 1
    box = (first.size, low, high) if flat else (None, None, None)
    return Starts(kind, draw, range(count), (count,), *box)


def _floats(values: np.ndarray) -> Array:
    return jnp.asarray(values, float)


def _picked(chosen: range | np.ndarray, which: np.ndarray) -> np.ndarray:
    """Entries of a range or an array by index or mask, without writing the range out."""
    if which.dtype == bool:
        if which.shape != (len(chosen),):
            raise IndexError(f"a mask of shape {which.shape} for {len(chosen)} starts")
        which = np.flatnonzero(which)
    if which.size and not np.issubdtype(which.dtype, np.integer):
        raise IndexError(f"starts are chosen by whole numbers, not {which.dtype}")
    which = which.astype(np.int64)
    if np.any(which < -len(chosen)) or np.any(which >= len(chosen)):
        raise IndexError(f"there are only {len(chosen)} starts")
    which = which % max(len(chosen), 1)
    return chosen.start + chosen.step * which if isinstance(chosen, range) else chosen[which]

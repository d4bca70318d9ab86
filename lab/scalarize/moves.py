"""Rules of primitives that only move numbers about: NumPy's indexing of arrays of boxes."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend import core

from lab.scalarize.boxes import (
    Apart,
    NotScalar,
    Scalar,
    apart,
    at,
    aval,
    bound,
    boxed,
    fold,
    is_key,
    known,
    scalars,
)
from lab.scalarize.lookup import MOST_NUMBERS, Table, lookup

Rule = Callable[..., list[Apart]]


def moved(rearrange: Callable[..., Apart]) -> Rule:
    """A rule from a NumPy function of (equation, *operands)."""
    return lambda equation, *operands: [rearrange(equation, *operands)]


def reshape(equation: core.JaxprEqn, x: Apart) -> Apart:
    """Also squeeze and expand_dims."""
    return x.reshape(aval(equation.outvars[0]).shape)


def same(equation: core.JaxprEqn, *arrays: Apart) -> list[Apart]:
    """What says something of placement or order only."""
    return list(arrays)


def broadcast_in_dim(equation: core.JaxprEqn, x: Apart) -> Apart:
    """Axes put where `broadcast_dimensions` says, the others repeated."""
    shape = equation.params["shape"]
    sizes = dict(zip(equation.params["broadcast_dimensions"], x.shape, strict=True))
    return np.broadcast_to(x.reshape([sizes.get(axis, 1) for axis in range(len(shape))]), shape)


def slice_(equation: core.JaxprEqn, x: Apart) -> Apart:
    """A strided slice."""
    p = equation.params
    strides = p["strides"] or (1,) * x.ndim
    ranges = zip(p["start_indices"], p["limit_indices"], strides, strict=True)
    return x[tuple(slice(*one) for one in ranges)]


def pad(equation: core.JaxprEqn, x: Apart, value: Apart) -> Apart:
    """Padding before, after and between; negative padding cuts off."""
    out = np.broadcast_to(value, aval(equation.outvars[0]).shape).copy()
    source, target = [], []
    for n, size, (low, _, inside) in zip(
        x.shape, out.shape, equation.params["padding_config"], strict=True
    ):
        place = low + np.arange(n) * (inside + 1)
        fits = (place >= 0) & (place < size)
        source.append(np.flatnonzero(fits))
        target.append(place[fits])
    out[np.ix_(*target)] = x[np.ix_(*source)]
    return out


def iota(equation: core.JaxprEqn) -> Apart:
    """0, 1, 2, ... along a dimension."""
    p = equation.params
    shape = [-1 if axis == p["dimension"] else 1 for axis in range(len(p["shape"]))]
    count = np.arange(p["shape"][p["dimension"]], dtype=p["dtype"]).reshape(shape)
    return apart(np.broadcast_to(count, p["shape"]))


def empty(equation: core.JaxprEqn) -> Apart:
    """Room for numbers; zeros, like XLA's."""
    out = aval(equation.outvars[0])
    return apart(np.zeros(out.shape, out.dtype))


def dynamic_slice(equation: core.JaxprEqn, x: Apart, *starts: Apart) -> Apart:
    """A slice, moved to lie within the array. Its place, or else its array, is known."""
    sizes = equation.params["slice_sizes"]
    if all(known(scalars(start)) for start in starts):
        return x[_window(x, sizes, starts)]
    if not known(scalars(x)) or is_key(aval(equation.outvars[0])):
        raise NotScalar("an index that is computed")
    if x.size > MOST_NUMBERS:
        raise NotScalar(f"a table of {x.size:,} numbers, more than {MOST_NUMBERS:,}")
    first: Scalar = np.int32(0)
    for start, n, size in zip(starts, x.shape, sizes, strict=True):
        (place,) = scalars(start)
        first = bound(lax.mul)(first, np.int32(n))
        if n > size:
            first = bound(lax.add)(first, _moved_within(place, n - size))
    table = Table.of(np.array(scalars(x)))
    places = np.arange(x.size, dtype=np.int32).reshape(x.shape)[tuple(map(slice, sizes))]
    return boxed([lookup(table, bound(lax.add)(first, p)) for p in places.reshape(-1)], sizes)


def _moved_within(place: Scalar, last: int) -> Scalar:
    """An index of any type as one between 0 and the last."""
    kind = place.dtype.type
    most = kind(min(last, np.iinfo(kind).max))
    return bound(lax.convert_element_type)(bound(lax.clamp)(kind(0), place, most), np.int32)


def dynamic_update_slice(equation: core.JaxprEqn, x: Apart, update: Apart, *starts: Apart) -> Apart:
    """Another array put in the place of such a slice."""
    out = x.copy()
    out[_window(x, update.shape, starts)] = update
    return out


def _window(x: Apart, sizes: Sequence[int], starts: Sequence[Apart]) -> tuple[slice, ...]:
    places = [
        min(max(int(_index(scalars(start))[0]), 0), n - size)
        for start, n, size in zip(starts, x.shape, sizes, strict=True)
    ]
    return tuple(slice(place, place + size) for place, size in zip(places, sizes, strict=True))


def _index(values: Sequence[Scalar]) -> np.ndarray:
    """Indices that are known while tracing."""
    if not known(values):
        raise NotScalar("an index that is computed")
    return np.asarray(values)


def gather(equation: core.JaxprEqn, x: Apart, indices: Apart) -> Apart:
    """Numbers picked by indices that are known while tracing."""
    places = np.arange(1, x.size + 1, dtype=np.int32).reshape(x.shape)  # 0: outside of the array
    picked = _with_known_indices(equation, indices, places, fill_value=0)
    fill = equation.params.get("fill_value")
    dtype = aval(equation.outvars[0]).dtype
    outside = np.asarray(np.nan if fill is None and dtype.kind == "f" else fill or 0, dtype)[()]
    flat = [outside, *scalars(x)]
    return boxed([flat[place] for place in picked.reshape(-1)], picked.shape)


def scatter(combine: Callable[..., Any] | None) -> Rule:
    """Numbers added to, or put in the place of, those that known indices pick."""

    def rule(equation: core.JaxprEqn, x: Apart, indices: Apart, updates: Apart) -> list[Apart]:
        # Which elements each update meets: a one in its place, added to zeros.
        ones = np.eye(updates.size, dtype=np.int32).reshape(updates.size, *updates.shape)
        nothing = np.zeros(x.shape, np.int32)
        index = _index(scalars(indices)).reshape(indices.shape)
        names = ("dimension_numbers", "indices_are_sorted", "unique_indices", "mode")
        options = {name: equation.params[name] for name in names}
        with jax.ensure_compile_time_eval():
            added = jax.vmap(lambda u: lax.scatter_add(nothing, index, u, **options))(ones)
            hits = np.asarray(added).reshape(updates.size, -1)
        out = scalars(x)
        for update, row in zip(scalars(updates), hits, strict=True):
            for place in np.flatnonzero(row):
                out[place] = update if combine is None else bound(combine)(out[place], update)
        return [boxed(out, x.shape)]

    return rule


def _with_known_indices(
    equation: core.JaxprEqn, indices: Apart, places: np.ndarray, **changes: Any
) -> np.ndarray:
    index = _index(scalars(indices)).reshape(indices.shape)
    with jax.ensure_compile_time_eval():
        found = equation.primitive.bind(places, index, **{**equation.params, **changes})
        return np.asarray(found)


def split(equation: core.JaxprEqn, x: Apart) -> list[Apart]:
    """An array in parts along an axis."""
    return np.split(x, np.cumsum(equation.params["sizes"])[:-1], axis=equation.params["axis"])


def unstack(equation: core.JaxprEqn, x: Apart) -> list[Apart]:
    """The arrays along an axis, without it."""
    first = np.moveaxis(x, equation.params["axis"], 0)
    return [at(first, place) for place in range(len(first))]


def sort(equation: core.JaxprEqn, *arrays: Apart) -> list[Apart]:
    """One array sorted along an axis by exchanging neighbours (Batcher's odd-even, n rounds)."""
    if len(arrays) > 1:
        raise NotScalar("a sort of several arrays together")
    moved_axis = np.moveaxis(arrays[0], equation.params["dimension"], -1).copy()
    for line in moved_axis.reshape(-1, moved_axis.shape[-1]):
        for turn in range(len(line)):
            for i in range(turn % 2, len(line) - 1, 2):
                low, high = (
                    fold(bound(combine), line[i : i + 2], 0) for combine in (lax.min, lax.max)
                )
                line[i : i + 2] = boxed([low, high], (2,))
    return [np.moveaxis(moved_axis, -1, equation.params["dimension"])]


RULES: dict[str, Rule] = {
    **dict.fromkeys(("reshape", "squeeze", "expand_dims"), moved(reshape)),
    **dict.fromkeys(("reshard", "sharding_constraint", "optimization_barrier"), same),
    "broadcast_in_dim": moved(broadcast_in_dim),
    "transpose": moved(lambda equation, x: x.transpose(equation.params["permutation"])),
    "rev": moved(lambda equation, x: np.flip(x, equation.params["dimensions"])),
    "slice": moved(slice_),
    "pad": moved(pad),
    "iota": moved(iota),
    **dict.fromkeys(("empty", "empty2"), moved(empty)),
    "concatenate": moved(lambda e, *parts: np.concatenate(parts, axis=e.params["dimension"])),
    "stack": moved(lambda e, *parts: np.stack(parts, axis=e.params["axis"])),
    "split": split,
    "unstack": unstack,
    "dynamic_slice": moved(dynamic_slice),
    "dynamic_update_slice": moved(dynamic_update_slice),
    "gather": moved(gather),
    "scatter": scatter(None),
    "scatter-add": scatter(lax.add),
    "sort": sort,
}

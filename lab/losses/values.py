"""What may stand for a loss's parameter: a number, an array, or any tree of them.

A value with one axis more than the default is a sweep: the leading axis holds values to compare.
Messages of `ValueError` here are sentences about one parameter, ready to stand in a `Fault`.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lab.errors import Fault, meant, nearest

RESERVED = ("step", "key")
LARGEST_INT = 2**31 - 1


@dataclass(frozen=True)
class Signature:
    """What a loss `f(x, ...)` takes beside its point."""

    defaults: Mapping[str, Any] = field(default_factory=dict)
    optional: tuple[str, ...] = ()  # default None: unset until given
    required: tuple[str, ...] = ()
    takes_step: bool = False
    takes_key: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter that can be given."""
        return (*self.defaults, *self.optional, *self.required)


def read_signature(function: Callable[..., Any]) -> Signature:
    """The parameters of a loss, or a ValueError if it cannot take a point."""
    try:
        entries = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some compiled callables tell nothing of themselves
        return Signature()
    if not entries or entries[0].kind in (entries[0].KEYWORD_ONLY, entries[0].VAR_KEYWORD):
        raise ValueError("takes no point: a loss is a function f(x, ...) of one point")
    named = [p for p in entries[1:] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    own = {p.name: p.default for p in named if p.name not in RESERVED}
    special = {p.name for p in named if p.name in RESERVED}
    return Signature(
        defaults={name: value for name, value in own.items() if _is_numeric(value)},
        optional=tuple(name for name, value in own.items() if value is None),
        required=tuple(name for name, value in own.items() if value is inspect.Parameter.empty),
        takes_step="step" in special,
        takes_key="key" in special,
    )


def resolve(
    owner: str, signature: Signature, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], list[Fault]]:
    """Sort what is given into values and sweeps, with a fault for all that does not fit."""
    values, swept = dict(signature.defaults), dict[str, Any]()
    faults: list[Fault] = []
    for name, value in given.items():
        if name not in signature.names:
            told = nearest(name, signature.names) or "; it takes none"
            faults.append(Fault((name,), f"{owner} has no parameter {name!r}{told}"))
            continue
        try:
            value, is_sweep = fit(signature.defaults.get(name), value)
        except ValueError as error:
            faults.append(Fault((name,), str(error)))
            continue
        values.pop(name, None)
        (swept if is_sweep else values)[name] = value
    known = {*given, *meant(given, signature.names)}
    missing = [name for name in signature.required if name not in known]
    faults += [Fault((name,), f"{owner} needs a value for {name!r}") for name in missing]
    return values, swept, faults


def fit(default: Any, value: Any) -> tuple[Any, bool]:
    """The value as a loss receives it, and whether it is a sweep of such values."""
    value = jax.tree.map(_checked_leaf, value, is_leaf=_is_list_of_numbers)
    if not jax.tree.leaves(value):
        raise ValueError("must be a number or an array of numbers, not empty")
    if default is None:
        return value, False
    default = jax.tree.map(_checked_leaf, default, is_leaf=_is_list_of_numbers)
    given, wanted = str(jax.tree.structure(value)), str(jax.tree.structure(default))
    if given != wanted:
        raise ValueError(f"must have the structure {wanted}, not {given}")
    more = set(jax.tree.leaves(jax.tree.map(lambda v, d: np.ndim(v) - np.ndim(d), value, default)))
    if more == {0}:
        return jax.tree.map(_like, value, default), False
    lengths = {len(leaf) for leaf in jax.tree.leaves(value) if np.ndim(leaf)}
    if more != {1} or len(lengths) != 1:
        raise ValueError(_shape_message(value, default))
    if lengths == {0}:
        raise ValueError("is an empty list; give at least one value to compare")
    return jax.tree.map(_as_sweep, value), True


def first_of(swept: Mapping[str, Any]) -> dict[str, Any]:
    """The first value of every sweep."""
    return {name: jax.tree.map(lambda leaf: leaf[0], tree) for name, tree in swept.items()}


def in_dtype_of(x: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters whose floating-point arrays have the dtype of the point, as it alone decides.

    Python numbers stay as they are: JAX lets them follow the arrays they meet.
    """
    floating = {leaf.dtype for leaf in jax.tree.leaves(x) if is_floating(leaf)}
    if len(floating) != 1:
        return dict(parameters)
    (dtype,) = floating
    return jax.tree.map(lambda leaf: _cast(leaf, dtype), dict(parameters))


def is_floating(leaf: Any) -> bool:
    """Whether it is an array of real floating-point numbers."""
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)


def _cast(leaf: Any, dtype: Any) -> Any:
    if is_floating(leaf):
        return jnp.asarray(leaf, dtype)
    return jnp.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


def _is_list_of_numbers(value: Any) -> bool:
    if type(value) not in (list, tuple):
        return False
    return all(_is_number(item) or _is_list_of_numbers(item) for item in value)


def _is_numeric(value: Any) -> bool:
    if value is None or value is inspect.Parameter.empty:
        return False
    try:
        return bool(jax.tree.leaves(jax.tree.map(_checked_leaf, value)))
    except ValueError:
        return False


def _checked_leaf(value: Any) -> Any:
    if isinstance(value, jax.core.Tracer):
        return value
    if _is_list_of_numbers(value):
        try:
            value = np.asarray(value, np.float64)
        except ValueError:
            raise ValueError("holds lists of different lengths") from None
        except OverflowError:
            raise ValueError("holds a number that is too large") from None
    if not _is_number(value) and not isinstance(value, np.ndarray | jax.Array):
        raise ValueError(f"must be a number or an array of numbers, not {value!r:.60}")
    if hasattr(value, "dtype") and not jnp.issubdtype(value.dtype, jnp.number):
        raise ValueError(f"must be a number or an array of numbers, not of type {value.dtype}")
    if not hasattr(value, "dtype") and isinstance(value, int) and abs(value) <= LARGEST_INT:
        return value
    return _finite(value)


def _finite(value: Any) -> Any:
    try:
        if not np.all(np.isfinite(np.asarray(value, np.float64))):
            shown = f", not {value}" if np.ndim(value) == 0 else ""
            raise ValueError(f"must be finite{shown}")
    except OverflowError:
        raise ValueError("is too large a number") from None
    return value.item() if np.ndim(value) == 0 and hasattr(value, "item") else value


def _like(value: Any, default: Any) -> Any:
    """A Python number where the default is one: a whole number only where the default is."""
    if isinstance(value, jax.core.Tracer) or np.ndim(value) or not _is_number(default):
        return value
    whole = isinstance(default, int) and isinstance(value, int) and abs(value) <= LARGEST_INT
    return value if whole else float(value)


def _as_sweep(leaf: Any) -> Any:
    return leaf if isinstance(leaf, jax.core.Tracer) else np.asarray(leaf, np.float64)


def _shape_message(value: Any, default: Any) -> str:
    shapes = sorted({np.shape(leaf) for leaf in jax.tree.leaves(value)})
    if np.ndim(default) == 0 and _is_number(default):
        return f"must be a number, or a list of numbers to compare, not of shape {shapes[0]}"
    given = " and ".join(map(str, shapes))
    wanted = " and ".join(str(s) for s in sorted({np.shape(v) for v in jax.tree.leaves(default)}))
    return f"must have shape {wanted}, with one axis more in front to compare values, not {given}"


def whole(value: Any, least: int, most: int = LARGEST_INT) -> int:
    """A whole number between `least` and `most` (1e6 is one too), or a ValueError."""
    allowed = f"must be a whole number from {least} to {most}"
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if not _is_number(value):
        raise ValueError(f"{allowed}, not {value!r:.60}")
    if not math.isfinite(value) or value != int(value) or not least <= value <= most:
        raise ValueError(f"{allowed}, not {value!s:.60}")
    return int(value)

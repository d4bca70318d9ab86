"""`Optimizer`: an optax transformation waiting for the values of its swept hyperparameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, PyTree

from lab.errors import Fault, SpecError
from lab.optimizers.reading import Reader
from lab.optimizers.recipe import Recipe
from lab.optimizers.steady import Transformation, pretended, steady

POINTS = tuple(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in [(2,), (2, 2)])
"""Where an optimizer is tried when it is made; muon's kind takes matrices only."""


@dataclass(frozen=True, eq=False)
class Optimizer:
    """An optimizer with its hyperparameters, fixed or swept.

    Attributes:
        label: how the user calls it.
        name: how optax calls it, or `file.py:function`, or "chain".
        recipe: how it is made.
        untraceable: swept keys whose value optax reads while it builds (flags, and whole numbers
            that set a shape): each value is a program of its own.

    Example:
        >>> adam = optimizer("adam", learning_rate=[1e-3, 1e-2], b1=0.8)
        >>> {key: values.tolist() for key, values in adam.swept.items()}
        {'learning_rate': [0.001, 0.01]}
        >>> tx = adam.build({"learning_rate": 1e-2})
    """

    label: str
    name: str
    recipe: Recipe
    untraceable: frozenset[str]

    @property
    def swept(self) -> dict[str, np.ndarray]:
        """The values to compare by dotted key: float64, int32 (whole numbers) or bool."""
        return {key: sweep.values for key, sweep in self.recipe.sweeps.items()}

    @property
    def static(self) -> tuple[Any, ...]:
        """All that a compiled program depends on, except the values of untraceable sweeps."""
        return self.recipe.identity

    def build(
        self, values: Mapping[str, Any] | None = None, key: Array | None = None
    ) -> Transformation:
        """The transformation, made inside a traced program or outside of one.

        Arrays are made to promote as Python numbers do, so that one program for all values
        computes what `optax.adam(0.01)` computes; give them in the default float dtype.

        Args:
            values: a scalar for every swept key, a Python value for every untraceable one.
            key: the run's random key, for functions that name one and were given neither key nor
                seed. The n-th of them, from 0, gets `jax.random.fold_in(key, n)`.
        """
        return steady(self.recipe.realize(values or {}, key))

    def check(self, point: PyTree, residuals: bool = True) -> None:
        """Raises a `SpecError`, in its own words, if it cannot run at points like this.

        Args:
            point: a point, or its description.
            residuals: whether the loss is known to be a sum of squares.
        """
        first = {key: values[0].item() for key, values in self.swept.items()}
        _attempt(self.recipe, first, {}, point, residuals)


def optimizer(
    name: str | Callable[..., Any] | optax.GradientTransformation | None = None,
    /,
    label: str | None = None,
    **hyperparameters: Any,
) -> Optimizer:
    """An optimizer by its optax name, from a function that makes one, or ready-made.

    Args:
        name: "adam", "my_optimizers.py:nesterov", `optax.adam`, or `optax.adam(0.1)`; nothing if
            `chain` is given.
        label: how results call it; by default its name.
        **hyperparameters: numbers, sweeps (one-dimensional arrays or lists), schedules
            (`{"schedule": "cosine_decay_schedule", ...}` or a callable), nested optimizers
            (`{"name": ...}`, `{"chain": [...]}`, a transformation or an `Optimizer`).
    """
    if isinstance(name, optax.GradientTransformation) or callable(name):
        given = getattr(name, "__name__", "custom")
    else:
        given = name or "chain"
    spec = {"name": name, **hyperparameters} if name is not None else hyperparameters
    return _read(label or given, given, spec, Path.cwd(), "")


def from_spec(label: str, spec: Mapping[str, Any], folder: Path) -> Optimizer:
    """The optimizer of a config's table `[optimizers.LABEL]`, its sweeps already arrays.

    Args:
        label: the table's key, which is the optimizer's name if the table gives none.
        spec: the table.
        folder: where the user's own files are looked for.
    """
    name = spec.get("name", "chain" if "chain" in spec else label)
    return _read(label, str(name), spec, folder, label)


def _read(label: str, name: str, spec: Mapping[str, Any], folder: Path, default: str) -> Optimizer:
    reader = Reader(folder)
    node = reader.table(spec, (), default)
    if reader.faults:
        raise SpecError(reader.faults)
    recipe = Recipe(node)
    values = tuple((key, tuple(s.values.tolist())) for key, s in recipe.sweeps.items())
    found = _untraceable(recipe, values, jax.config.read("jax_enable_x64"))
    return Optimizer(label, name, recipe, found)


@lru_cache(maxsize=1024)
def _untraceable(
    recipe: Recipe, swept: Sequence[tuple[str, Sequence[Any]]], x64: bool
) -> frozenset[str]:
    """The swept keys that must be Python values, found by tracing; faults if it cannot run.

    What traces can depend on the default precision, hence `x64`, which tells cached answers apart.
    """
    first = {key: values[0] for key, values in swept}
    point = _suitable_point(recipe, first)
    found = _culprits(recipe, first, list(first), point)
    if found and not _traces(recipe, first, set(first) - found, point):
        found = frozenset(first)
    faults = []
    for key, values in swept:
        for value in values if key in found else ():
            faults += _refusals(recipe, {**first, key: value}, key, value)
    if faults:
        raise SpecError(faults)
    return found


def _culprits(
    recipe: Recipe, first: Mapping[str, Any], keys: list[str], point: PyTree
) -> frozenset[str]:
    """Which of these keys do not bear tracing, by halving."""
    if _traces(recipe, first, set(keys), point):
        return frozenset()
    if len(keys) == 1:
        return frozenset(keys)
    halves = keys[: len(keys) // 2], keys[len(keys) // 2 :]
    return frozenset().union(*(_culprits(recipe, first, half, point) for half in halves))


def _suitable_point(recipe: Recipe, first: Mapping[str, Any]) -> jax.ShapeDtypeStruct:
    """The first of `POINTS` at which it runs; if there is none, the fault at the first one."""
    try:
        _attempt(recipe, first, {}, POINTS[0])
    except SpecError:
        try:
            _attempt(recipe, first, {}, POINTS[1])
        except SpecError:
            pass
        else:
            return POINTS[1]
        raise
    return POINTS[0]


def _attempt(
    recipe: Recipe,
    fixed: Mapping[str, Any],
    traced: Mapping[str, Any],
    point: PyTree,
    residuals: bool = True,
) -> None:
    """Builds, inits and updates abstractly; a `SpecError` with the reason if that fails."""

    def once(x: PyTree, traced: Mapping[str, Any]) -> Any:
        tx = steady(recipe.realize({**fixed, **traced}))
        return tx.update(x, tx.init(x), x, **pretended(x, residuals))

    try:
        jax.eval_shape(once, point, traced)
    except SpecError:
        raise
    except Exception as error:
        text = str(error).strip().partition("\n")[0] or type(error).__name__
        raise SpecError([Fault((), f"it cannot take a step: {text}")]) from error


def _traces(recipe: Recipe, first: Mapping[str, Any], keys: set[str], point: PyTree) -> bool:
    """Whether it can be built with these keys as traced values."""
    traced = {key: jnp.asarray(first[key]) for key in keys}
    try:
        _attempt(recipe, {k: v for k, v in first.items() if k not in keys}, traced, point)
    except SpecError:
        return False
    return True


def _refusals(recipe: Recipe, values: Mapping[str, Any], key: str, value: Any) -> list[Fault]:
    """What optax says against one value of an untraceable key."""
    try:
        recipe.realize(values)
    except SpecError as error:
        path = tuple(int(part) if part.isdigit() else part for part in key.split("."))
        return [Fault(path, f"{value!r}: {fault.message}") for fault in error.faults]
    return []

"""A recipe: how an optimizer is made, as a tree of calls whose leaves are numbers or sweeps.

A node is a `Call`, a `Chain`, a `Sweep`, a tuple or dict of nodes, or a constant. `realize` makes
the transformation from the values of the sweeps; `sweeps` finds them.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import jax
import numpy as np
import optax
from jaxtyping import Array

from lab.errors import Fault, LabError, SpecError
from lab.optimizers.steady import Transformation, forgiving, python_like

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Sweep:
    """Values to compare: float64, int32 where whole numbers are meant, or bool."""

    values: np.ndarray


@dataclass(frozen=True)
class Call:
    """A function and its arguments.

    Attributes:
        function: an optax factory or schedule, or the user's.
        arguments: nodes by name.
        source: how to call it in messages, "optax.adam".
        key: the parameter that takes the run's random key, "" if none.
        bound: the function is the schedule itself, its arguments are bound and not called.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    source: str
    key: str = ""
    bound: bool = False


@dataclass(frozen=True)
class Chain:
    """Transformations one after the other."""

    links: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Recipe:
    """A node that makes a transformation; equal to another that would make the same one."""

    node: Any

    @cached_property
    def sweeps(self) -> dict[str, Sweep]:
        """The sweeps by dotted key, in the order of the config."""
        return dict(_sweeps(self.node, ()))

    @cached_property
    def identity(self) -> tuple[Any, ...]:
        """What tells one recipe from another, the values of its sweeps apart; hashable."""
        return _identity(self.node)

    def __hash__(self) -> int:
        """The hash of what it makes."""
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        """Whether both make the same, the values of sweeps apart."""
        return isinstance(other, Recipe) and self.identity == other.identity

    def realize(self, values: Mapping[str, Any], key: Array | None = None) -> Transformation:
        """The transformation for these values of the sweeps and this random key."""
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            return _Realization(values, key).transformation(self.node, ())


@dataclass
class _Realization:
    """One realization of a recipe: the values of its sweeps, and how many keys were given out."""

    values: Mapping[str, Any]
    key: Array | None
    keys: int = field(default=0)

    def transformation(self, node: Any, path: Path) -> Transformation:
        made = self.node(node, path)
        if hasattr(made, "gradient_transformation"):
            made = made.gradient_transformation()
        if not isinstance(made, optax.GradientTransformation):
            source = getattr(node, "source", "this")
            given = f"it returned {type(made).__name__}"
            raise SpecError([Fault(path, f"{source} must return an optax transformation; {given}")])
        return made

    def node(self, node: Any, path: Path) -> Any:
        match node:
            case optax.GradientTransformation():  # a tuple, hence before `tuple()`
                return forgiving(node)
            case Sweep():
                return _scalar(self.values[dotted(path)], node)
            case Call():
                return self.call(node, path)
            case Chain():
                links = enumerate(node.links)
                made = [self.transformation(link, (*path, "chain", i)) for i, link in links]
                return optax.chain(*made)
            case dict():
                return {key: self.node(inner, (*path, key)) for key, inner in node.items()}
            case tuple():
                return tuple(self.node(inner, (*path, i)) for i, inner in enumerate(node))
        return node

    def call(self, call: Call, path: Path) -> Any:
        arguments = {n: self.node(inner, (*path, n)) for n, inner in call.arguments.items()}
        if call.key:
            arguments[call.key] = self.another_key()
        if call.bound:
            return partial(call.function, **arguments)
        try:
            made = call.function(**arguments)
        except LabError:
            raise
        except Exception as error:
            raise SpecError([Fault(path, f"{call.source}: {_first_line(error)}")]) from error
        if call.function is optax.lookahead:
            made = on_the_fast_weights(made)
        return forgiving(made) if isinstance(made, optax.GradientTransformation) else made

    def another_key(self) -> Array:
        """A random key of its own for every function that names one."""
        key = jax.random.key(0) if self.key is None else self.key
        self.keys += 1
        return jax.random.fold_in(key, self.keys - 1)


def dotted(path: Path) -> str:
    """`chain.0.max_norm`."""
    return ".".join(map(str, path))


def on_the_fast_weights(tx: optax.GradientTransformation) -> optax.GradientTransformation:
    """Lookahead whose point is the fast weights; the slow ones travel in the state.

    optax asks for parameters that are a pair. Gradients are taken at the fast weights, which
    meet the slow ones at every synchronization.
    """

    def init(params: Any) -> Any:
        return params, tx.init(optax.LookaheadParams.init_synced(params))

    def update(updates: Any, state: Any, params: Any = None) -> Any:
        slow, inner = state
        both, inner = tx.update(updates, inner, optax.LookaheadParams(fast=params, slow=slow))
        return both.fast, (optax.apply_updates(slow, both.slow), inner)

    return optax.GradientTransformation(init, update)


def _scalar(value: Any, sweep: Sweep) -> Any:
    """A sweep's value as optax should see it: a Python number, or an array that acts like one."""
    kind = sweep.values.dtype.kind
    if isinstance(value, jax.Array):
        return python_like(value.astype(int) if kind == "i" else value)
    return {"b": bool, "i": int, "f": float}[kind](value)


def _sweeps(node: Any, path: Path) -> Iterator[tuple[str, Sweep]]:
    match node:
        case Sweep():
            yield dotted(path), node
        case Call():
            yield from _sweeps(node.arguments, path)
        case Chain():
            for i, link in enumerate(node.links):
                yield from _sweeps(link, (*path, "chain", i))
        case dict():
            for key, inner in node.items():
                yield from _sweeps(inner, (*path, key))
        case tuple() if not isinstance(node, optax.GradientTransformation):
            for i, inner in enumerate(node):
                yield from _sweeps(inner, (*path, i))


def _identity(node: Any) -> Any:
    """Constants count by value where they can be hashed, and arrays by their bytes."""
    match node:
        case Sweep():
            return ("sweep", node.values.dtype.kind)
        case Call():
            return ("call", node.function, node.key, node.bound, _identity(node.arguments))
        case Chain():
            return ("chain", *map(_identity, node.links))
        case dict():
            return ("dict", *((key, _identity(inner)) for key, inner in node.items()))
        case tuple() if not isinstance(node, optax.GradientTransformation):
            return ("tuple", *map(_identity, node))
        case np.ndarray() | jax.Array() if not jax.dtypes.issubdtype(
            node.dtype, jax.dtypes.extended
        ):
            return ("array", node.shape, str(node.dtype), np.asarray(node).tobytes())
    try:
        hash(node)
    except TypeError:
        return ("object", id(node))
    return (type(node), node)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

"""From what the user wrote to a recipe: names looked up, hyperparameters held against signatures.

Everything wrong is kept as a `Fault`, and a harmless value put in its place, so that all of a table
is judged at once.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax

from lab.errors import Fault, SpecError, meant, nearest
from lab.optimizers.accepts import REQUIRED, Accepts, accepts, of_annotation, parameters
from lab.optimizers.catalogue import REFUSED, factories, qualified, schedules
from lab.optimizers.literals import integer_key, is_transformation, numeric_array, show
from lab.optimizers.recipe import Call, Chain, Recipe, Sweep
from lab.user_files import is_file_reference, load_object

Keys = tuple[str | int, ...]
NOTHING = optax.identity()
KEYS = ("key", "random_seed")
"""How optax calls the parameter that takes a random key."""


@dataclass
class Reader:
    """Reads tables whose files are relative to a folder, and keeps what was wrong with them."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: Keys, message: str) -> None:
        """Keeps a fault; the value in question becomes None."""
        self.faults.append(Fault(path, message))

    def transformation(self, given: Any, path: Keys, default_name: str = "") -> Any:
        """The node of an optimizer: a table, a ready transformation, a factory or an Optimizer."""
        if isinstance(given, Mapping):
            return self.table(given, path, default_name)
        if isinstance(given, optax.GradientTransformation):
            return given
        if isinstance(getattr(given, "recipe", None), Recipe):
            return given.recipe.node
        if callable(given):
            return self.call(given, qualified(given), {}, path)
        self.fault(path, f'expected a table such as {{ name = "sgd", ... }}, got {show(given)}')
        return NOTHING

    def table(self, table: Mapping[str, Any], path: Keys, default_name: str) -> Any:
        """The node of `{ name = "adam", ... }` or `{ chain = [...] }`."""
        if "chain" in table:
            return self.chain(table, path)
        rest = {key: value for key, value in table.items() if key != "name"}
        name = table.get("name", default_name)
        where = (*path, "name") if "name" in table else path
        if not name:
            self.fault(path, 'needs a name, as in name = "sgd", or a chain')
            return NOTHING
        found = self.factory(name, where)
        if isinstance(found, optax.GradientTransformation):
            for key in rest:
                self.fault((*path, key), "a ready transformation takes no hyperparameters")
            return found
        source = name if is_file_reference(name) else qualified(found)
        return self.call(found, source, rest, path) if found else NOTHING

    def chain(self, table: Mapping[str, Any], path: Keys) -> Any:
        """The node of a chain; nothing else stands beside the key `chain`."""
        for key in table:
            if key != "chain":
                self.fault((*path, key), "a chain takes its hyperparameters in its links")
        links = table["chain"]
        if not isinstance(links, list | tuple) or not len(links):
            self.fault((*path, "chain"), f"expected a list of tables, got {show(links)}")
            return NOTHING
        where = (*path, "chain")
        return Chain(tuple(self.transformation(t, (*where, i)) for i, t in enumerate(links)))

    def factory(self, name: Any, path: Keys) -> Any:
        """What makes the transformation of this name, None if nothing does."""
        if callable(name) or isinstance(name, optax.GradientTransformation):
            return name
        if is_file_reference(name):
            return self.loaded(name, path)
        if name in REFUSED:
            return self.fault(path, f"optax.{name} {REFUSED[name]}")
        if name in factories():
            return factories()[name]
        if name in schedules():
            hint = f'{{ schedule = "{name}", ... }}'
            return self.fault(path, f"{name!r} is a schedule; write learning_rate = {hint}")
        hint = nearest(str(name), factories())
        return self.fault(path, f"optax has no optimizer called {show(name)}{hint}")

    def loaded(self, reference: str, path: Keys) -> Any:
        """The user's function or transformation, None if it cannot be had."""
        try:
            found = load_object(reference, self.folder)
        except SpecError as error:
            return self.fault(path, error.faults[0].message)
        if callable(found) or isinstance(found, optax.GradientTransformation):
            return found
        return self.fault(path, f"{reference} is {type(found).__name__}, not a function")

    def call(
        self, function: Callable[..., Any], source: str, given: Mapping[str, Any], path: Keys
    ) -> Call:
        """The node of a function with these arguments, held against its signature."""
        named = dict(parameters(function))
        others = any(p.kind is p.VAR_KEYWORD for p in named.values())
        named = {n: p for n, p in named.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
        arguments = {}
        for name, value in given.items():
            if name in named:
                arguments[name] = self.value(accepts(named[name]), value, (*path, name))
            elif others:
                arguments[name] = self.value(Accepts(anything=True), value, (*path, name))
            else:
                self.fault((*path, name), f"unknown key{nearest(name, named)}")
        key = _random_key(named, given)
        for name, parameter in named.items():
            if parameter.default is REQUIRED and name not in {*given, *meant(given, named), key}:
                needed = f"required by {source}; give {accepts(parameter)}"
                self.fault((*path, name), needed)
        return Call(function, arguments, source, key)

    def schedule(self, table: Mapping[str, Any], path: Keys) -> Any:
        """The node of `{ schedule = "cosine_decay_schedule", ... }`."""
        name = table["schedule"]
        given = {key: value for key, value in table.items() if key != "schedule"}
        where = (*path, "schedule")
        if callable(name):
            return self.own_schedule(name, qualified(name), given, path)
        if is_file_reference(name):
            found = self.loaded(name, where)
            return self.own_schedule(found, name, given, path) if found else None
        if name not in schedules():
            hint = nearest(str(name), schedules())
            return self.fault(where, f"optax has no schedule called {show(name)}{hint}")
        return self.call(schedules()[name], f"optax.{name}", given, path)

    def own_schedule(
        self, function: Callable[..., Any], source: str, given: Mapping[str, Any], path: Keys
    ) -> Call:
        """A function that makes a schedule, or, if only the step is missing, is one."""
        named = list(parameters(function).values())
        missing = [p.name for p in named if p.default is REQUIRED and p.name not in given]
        if missing != [p.name for p in named[:1]]:
            return self.call(function, source, given, path)
        made = self.call(function, source, {missing[0]: 0, **given}, path)
        rest = {name: node for name, node in made.arguments.items() if name != missing[0]}
        return Call(function, rest, source, bound=True)

    def value(self, kinds: Accepts, given: Any, path: Keys) -> Any:
        """The node of one argument."""
        if isinstance(given, Mapping):
            return self.nested(kinds, given, path)
        if isinstance(given, str):
            return self.text(kinds, given, path)
        array = numeric_array(given)
        if array is not None and not (array.ndim and kinds.items and not kinds.number):
            return self.numbers(kinds, array, given, path)
        if isinstance(given, list | tuple | np.ndarray) and not is_transformation(given):
            return self.sequence(kinds, given, path)
        return self.object(kinds, given, path)

    def nested(self, kinds: Accepts, given: Mapping[str, Any], path: Keys) -> Any:
        """A schedule, an optimizer or a plain table where a value stands."""
        if "schedule" in given and (kinds.schedule or kinds.anything):
            return self.schedule(given, path)
        if ("name" in given or "chain" in given) and (kinds.transformation or kinds.anything):
            return self.transformation(given, path)
        if kinds.entries is not None or kinds.anything:
            inner = of_annotation(kinds.entries or Any)
            return {
                integer_key(k): self.value(inner, value, (*path, integer_key(k)))
                for k, value in given.items()
            }
        what = "a schedule" if "schedule" in given else "a table"
        return self.fault(path, f"expected {kinds}, got {what}")

    def text(self, kinds: Accepts, given: str, path: Keys) -> Any:
        """A string, one of a few words, or a function in a file."""
        functional = kinds.function or kinds.schedule or kinds.transformation or kinds.anything
        if is_file_reference(given) and functional:
            return self.loaded(given, path)
        if kinds.choices and given not in kinds.choices:
            return self.fault(path, f"unknown choice {given!r}{nearest(given, kinds.choices)}")
        if kinds.text or kinds.choices or kinds.anything:
            return given
        return self.fault(path, f"expected {kinds}, got {show(given)}")

    def numbers(self, kinds: Accepts, array: np.ndarray, given: Any, path: Keys) -> Any:
        """A number, a flag, or a sweep of either."""
        flags = array.dtype.kind == "b"
        if not (kinds.anything or (kinds.flag if flags else kinds.number)):
            return self.fault(path, f"expected {kinds}, got {show(given)}")
        if array.ndim > 1:
            return self.fault(path, f"expected {kinds}, got an array of shape {array.shape}")
        if not array.size:
            return self.fault(path, "an empty sweep; give at least one value")
        if not flags and not np.isfinite(array).all():
            return self.fault(path, f"must be finite, got {show(given)}")
        whole = not flags and bool((array == np.round(array)).all())
        if kinds.whole and not whole:
            return self.fault(path, f"must be a whole number, got {show(given)}")
        if whole and kinds.counts and np.abs(array).max() < 2**31:
            array = array.astype(np.int32)
        elif not flags and array.ndim:
            array = array.astype(np.float64)
        return Sweep(array) if array.ndim else array.item()

    def sequence(self, kinds: Accepts, given: Any, path: Keys) -> Any:
        """A list whose elements are values themselves."""
        if kinds.items is None and not kinds.anything:
            return self.fault(path, f"expected {kinds}, got a list")
        items = kinds.items or (Any, ...)
        if items[-1] is not ...:
            if len(given) != len(items):
                return self.fault(path, f"expected {len(items)} values, got {len(given)}")
        else:
            items = items[:1] * len(given)
        pairs = enumerate(zip(items, given, strict=True))
        return tuple(self.value(of_annotation(item), v, (*path, i)) for i, (item, v) in pairs)

    def object(self, kinds: Accepts, given: Any, path: Keys) -> Any:
        """Something that only Python can give: a function, a transformation, None, a key."""
        if kinds.transformation and (callable(given) or is_transformation(given)):
            return self.transformation(given, path)
        fits = kinds.anything or given is kinds.default or isinstance(given, jax.Array)
        if fits or (callable(given) and (kinds.schedule or kinds.function)):
            return given
        return self.fault(path, f"expected {kinds}, got {show(given)}")


def _random_key(named: Mapping[str, inspect.Parameter], given: Mapping[str, Any]) -> str:
    """The parameter that the run's random key goes to, "" if the user gave a key or a seed."""
    if "seed" in given or any(key in given for key in KEYS):
        return ""
    return next((key for key in KEYS if key in named), "")

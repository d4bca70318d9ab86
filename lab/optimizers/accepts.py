"""What a parameter of an optax function accepts, read from its annotation and its default."""

import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin

import jax
import numpy as np
import optax

REQUIRED = inspect.Parameter.empty
UNKNOWN = (Any, object, inspect.Parameter.empty)


@dataclass(frozen=True)
class Accepts:
    """The kinds of value that one parameter takes.

    Attributes:
        anything: nothing is known, or all is allowed (masks, dtypes, pytrees).
        number: a number, and so a sweep.
        counts: whole numbers are meant where all are whole: an `int` annotation or default, or a
            required number that may be either (`lookahead`'s `sync_period`).
        whole: only whole numbers are allowed.
        flag: true or false.
        schedule: an optax schedule.
        function: some other Python function.
        transformation: an optax transformation.
        text: any string; choices: only these.
        items: annotations of a list's elements (one for each, or one and `...`), None if no list.
        entries: annotation of a table's values, None if no table.
        default: the default, or `REQUIRED`.
    """

    anything: bool = False
    number: bool = False
    counts: bool = False
    whole: bool = False
    flag: bool = False
    schedule: bool = False
    function: bool = False
    transformation: bool = False
    text: bool = False
    choices: tuple[str, ...] = ()
    items: tuple[Any, ...] | None = None
    entries: Any = None
    default: Any = REQUIRED

    def __str__(self) -> str:
        """In words: `a number, a sweep or a schedule`."""
        if self.anything:
            return "a value"
        kinds = [
            (self.whole, "a whole number"),
            (self.number and not self.whole, "a number"),
            (self.number, "a sweep"),
            (self.flag, "true or false"),
            (self.schedule, 'a schedule ({ schedule = "...", ... })'),
            (self.transformation, 'an optimizer ({ name = "...", ... })'),
            (self.text, "a string"),
            (bool(self.choices), " or ".join(map(repr, self.choices))),
            (self.items is not None, "a list"),
            (self.entries is not None, "a table"),
            (self.function, 'a function ("file.py:function")'),
        ]
        words = [word for holds, word in kinds if holds]
        return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]])) or "a value"


def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a function, annotations evaluated where they can be."""
    try:
        return inspect.signature(function, eval_str=True).parameters
    except (NameError, SyntaxError, TypeError, AttributeError):
        return inspect.signature(function).parameters


def accepts(parameter: inspect.Parameter) -> Accepts:
    """What the parameter accepts."""
    kinds = _of(parameter.annotation, parameter.default)
    return kinds if kinds else Accepts(anything=True, default=parameter.default)


def of_annotation(annotation: Any) -> Accepts:
    """What an element of a list or table accepts."""
    return _of(annotation, REQUIRED) or Accepts(anything=True)


def _of(annotation: Any, default: Any) -> Accepts | None:
    if annotation in UNKNOWN:
        return _from_default(default)
    members = list(_members(annotation))
    if any(_unknowable(member) for member in members):
        return None
    array = jax.Array in members
    real = array or float in members
    whole = int in members and not real
    lists = [_items(member) for member in members if _items(member) is not None]
    tables = [get_args(m)[-1] for m in members if _is_a(get_origin(m), Mapping) and get_args(m)]
    found = Accepts(
        number=real or whole,
        counts=whole or _is_count(default) or (default is REQUIRED and int in members),
        whole=whole,
        flag=bool in members and not array,
        schedule=optax.Schedule in members,
        function=any(_is_function(member) for member in members),
        transformation=any(_is_a(member, optax.GradientTransformation) for member in members),
        text=str in members,
        choices=tuple(c for m in members if get_origin(m) is Literal for c in get_args(m)),
        items=(lists[0] if len(lists) == 1 else (Any, ...)) if lists else None,
        entries=tables[0] if tables else None,
        default=default,
    )
    return found if found != Accepts(counts=found.counts, default=default) else None


def _from_default(default: Any) -> Accepts | None:
    """For a parameter without annotation: as its default is."""
    if isinstance(default, bool):
        return Accepts(flag=True, default=default)
    if isinstance(default, int | float):
        return Accepts(number=True, counts=_is_count(default), schedule=True, default=default)
    return None


def _members(annotation: Any) -> Iterable[Any]:
    """The alternatives of a union, nested or not."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin is Union or origin is types.UnionType:
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _unknowable(member: Any) -> bool:
    """Any, a name that could not be evaluated, or a pytree (optax: an iterable of pytrees)."""
    if member in UNKNOWN or isinstance(member, str | ForwardRef | TypeVar):
        return True
    return any(isinstance(argument, ForwardRef) for argument in get_args(member))


def _items(member: Any) -> tuple[Any, ...] | None:
    """Annotations of the elements, if the member is a list, a tuple or another iterable."""
    origin, inner = get_origin(member), get_args(member)
    if origin is tuple:
        return inner
    if _is_a(origin, Iterable) and not _is_a(origin, Mapping) and inner:
        return (inner[0], ...)
    return None


def _is_a(kind: Any, base: type) -> bool:
    return inspect.isclass(kind) and issubclass(kind, base)


def _is_count(default: Any) -> bool:
    return isinstance(default, int | np.integer) and not isinstance(default, bool)


def _is_function(member: Any) -> bool:
    """A callable that is no schedule: `Callable[...]`, or a protocol that says how it is called."""
    if member == optax.Schedule:
        return False
    if get_origin(member) is Callable or member is Callable:
        return True
    return inspect.isclass(member) and getattr(member, "_is_protocol", False) and _called(member)


def _called(protocol: type) -> bool:
    return "__call__" in vars(protocol)

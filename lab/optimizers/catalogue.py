"""optax's own names and ours, found by looking: no list here that could fall out of step.

A factory is a public function of optax, optax.contrib or `lab.optimizers.classical` that returns a
gradient transformation; a schedule is one that returns an optax schedule.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import optax
import optax.contrib

from lab.optimizers import classical
from lab.optimizers.accepts import REQUIRED, accepts, parameters

MODULES = (optax, optax.contrib, optax.transforms, optax.schedules, classical)

REFUSED = dict.fromkeys(
    ("dpsgd", "differentially_private_aggregate"),
    "needs the gradient of every example of a batch; a run has one gradient",
)
"""What optax has and a single run cannot use, which no signature tells."""


@dataclass(frozen=True)
class Entry:
    """A row of `lab list optimizers`.

    Attributes:
        name: as configs write it.
        kind: "optimizer", "transformation" (a link of a chain) or "schedule".
        hyperparameters: each with its default as text, "required" where it has none.
        summary: the first sentence of its documentation.
        module: where it comes from, "optax", "optax.contrib" or "lab".
        refused: why it cannot be used here; empty if it can.
    """

    name: str
    kind: str
    hyperparameters: Mapping[str, str]
    summary: str
    module: str
    refused: str = ""


@cache
def factories() -> dict[str, Callable[..., Any]]:
    """Everything that returns a gradient transformation, by name."""
    return {name: found for name, (_, found) in _public().items() if _makes_transformation(found)}


@cache
def schedules() -> dict[str, Callable[..., Any]]:
    """Everything that returns a schedule, by name."""
    functions = {name: found for name, (_, found) in _public().items() if _is_function(found)}
    return {
        name: found
        for name, found in functions.items()
        if inspect.signature(found).return_annotation == optax.Schedule
    }


@cache
def names() -> dict[str, Entry]:
    """Every optimizer, transformation and schedule there is, in alphabetical order."""
    rows = [_entry(name, function, _kind(name, function)) for name, function in factories().items()]
    rows += [_entry(name, function, "schedule") for name, function in schedules().items()]
    return {row.name: row for row in sorted(rows, key=lambda row: row.name)}


def qualified(function: Callable[..., Any]) -> str:
    """`optax.contrib.sam`, the name under which the user finds it; else the function's own."""
    for name, (module, found) in _public().items():
        if found is function:
            return f"{module}.{name}"
    return getattr(function, "__name__", type(function).__name__)


@cache
def _public() -> dict[str, tuple[str, Any]]:
    """Module and function (or class) by name; a name that modules share is the first one's."""
    found: dict[str, tuple[str, Any]] = {}
    for module in MODULES:
        source = "lab" if module is classical else module.__name__
        for name, value in vars(module).items():
            if not name.startswith("_") and (_is_function(value) or inspect.isclass(value)):
                found.setdefault(name, (source, value))
    return found


def _is_function(value: Any) -> bool:
    """A function, or one with some arguments fixed, as `nadam` is."""
    return inspect.isfunction(value) or isinstance(value, partial)


def _makes_transformation(found: Any) -> bool:
    """Whether calling it gives a transformation; `chain` and its like are written otherwise."""
    if inspect.isclass(found):
        return hasattr(found, "gradient_transformation")  # MultiSteps
    signature = inspect.signature(found)
    if any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values()):
        return False
    returns = signature.return_annotation
    if inspect.isclass(returns) and returns is not REQUIRED:
        return issubclass(returns, optax.GradientTransformation)
    if returns is REQUIRED and all(
        p.default is not REQUIRED for p in signature.parameters.values()
    ):
        return isinstance(found(), optax.GradientTransformation)
    return False


def _kind(name: str, function: Callable[..., Any]) -> str:
    """An optimizer steps downhill by itself: ours do; others have a learning rate or wrap one."""
    if name.startswith("scale_by"):
        return "transformation"
    if _public()[name][0] == "lab":
        return "optimizer"
    wraps = [n for n, p in parameters(function).items() if accepts(p).transformation]
    inner = any("opt" in parameter for parameter in wraps)
    own = any("learning_rate" in parameter for parameter in parameters(function))
    return "optimizer" if own or inner else "transformation"


def _entry(name: str, function: Callable[..., Any], kind: str) -> Entry:
    hyperparameters = {n: _text(p.default) for n, p in parameters(function).items()}
    module = _public()[name][0]
    return Entry(name, kind, hyperparameters, _summary(function), module, REFUSED.get(name, ""))


def _text(default: Any) -> str:
    """A default as a reader would write it."""
    if default is REQUIRED:
        return "required"
    if isinstance(default, optax.GradientTransformation):
        return default.init.__qualname__.partition(".")[0] + "(...)"
    if isinstance(default, str | bool | int | float | tuple | list | None):
        return repr(default)
    if inspect.isfunction(default):
        return default.__name__.strip("<>").replace("lambda", "a function")
    try:
        return str(np.dtype(default))
    except TypeError:
        return str(default)


def _summary(function: Callable[..., Any]) -> str:
    """The first sentence of the documentation, without its markup."""
    paragraph = (inspect.getdoc(function) or "").partition("\n\n")[0]
    plain = re.sub(r":[a-z]+:`~?([^`<]*[^`< ])[^`]*`", r"\1", " ".join(paragraph.split()))
    return re.split(r"(?<=[.!?])\s(?=[A-Z`])", plain.replace("``", "`"))[0]

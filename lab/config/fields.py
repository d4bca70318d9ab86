"""Tables of a config that become losses, starts, optimizers and sweeps.

`loss: LossField` in a model turns the table `[loss]` into a `lab.losses.Loss`; ready objects pass
as they are. The modules that build them know their own keys, so they do the checking, and jax is
imported only when one of them is needed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from lab.config.messages import show
from lab.config.sweeps import Expansion, is_number
from lab.errors import Fault, SpecError

if TYPE_CHECKING:
    from lab.calculus import Function
    from lab.losses import Loss
    from lab.optimizers import Optimizer
    from lab.starts import Starts

PLACEHOLDER = "x-lab"  # `lab.config.schema` puts the full schema of a field in its place


@dataclass
class Context:
    """What validation knows of its config, and what it has built so far.

    `built` holds the objects by field, also when other fields had faults, for the checks between
    tables. `cache` spares a table that stands in both the plain and the smoke config the second
    building (and a user's own file the second import).
    """

    folder: Path = Path()
    cache: dict[tuple[str, str], Any] = field(default_factory=dict)
    built: dict[str, Any] = field(default_factory=dict)


def _loss(value: Any, info: ValidationInfo) -> "Loss":
    from lab import losses

    if callable(value):
        return losses.as_loss(value)
    return _once(
        "loss", value, info, lambda table, folder: _expanded(losses.from_spec, table, folder)
    )


def _starts(value: Any, info: ValidationInfo) -> "Starts":
    from lab import starts

    if callable(value):
        return value
    return _once("starts", value, info, lambda table, folder: starts.from_spec(table))


def _optimizers(value: Any, info: ValidationInfo) -> "dict[str, Optimizer]":
    from lab.optimizers import Optimizer

    if isinstance(value, Mapping) and value:
        if all(isinstance(each, Optimizer) for each in value.values()):
            return dict(value)
    return _once("optimizers", value, info, _all_optimizers)


def _once(
    kind: str, value: Any, info: ValidationInfo, make: Callable[[Mapping[str, Any], Path], Any]
) -> Any:
    if not isinstance(value, Mapping):
        raise SpecError([Fault((), f"{show(value)} is not allowed; give a table")])
    context = info.context or Context()
    key = (kind, repr(value))
    if key not in context.cache:
        try:
            context.cache[key] = make(value, context.folder)
        except SpecError as error:
            context.cache[key] = error
    found = context.cache[key]
    if isinstance(found, SpecError):
        raise found
    context.built[info.field_name or ""] = found
    return found


def _expanded(make: Callable[..., Any], table: Mapping[str, Any], folder: Path) -> Any:
    """What `make` builds of a table with its sweeps expanded, or the faults of both."""
    expansion = Expansion()
    spec = expansion.table(table)
    try:
        built = make(spec, folder)
    except SpecError as error:
        raise SpecError(expansion.without_echoes(error.faults)) from error
    if expansion.faults:
        raise SpecError(expansion.faults)
    return built


def _all_optimizers(table: Mapping[str, Any], folder: Path) -> "dict[str, Optimizer]":
    from lab import optimizers

    if not table:
        raise SpecError([Fault((), "no optimizer is given; add one, such as [optimizers.adam]")])
    built, faults = {}, []
    folded: dict[str, str] = {}
    for label, spec in table.items():
        faults += [Fault((label,), message) for message in label_faults(label)]
        if (other := folded.setdefault(label.casefold(), label)) != label:
            message = f"differs from {other!r} only in case, and labels name folders of results"
            faults.append(Fault((label,), message))
        if not isinstance(spec, Mapping):
            message = f"{show(spec)} is not allowed; give a table: [optimizers.LABEL]"
            faults.append(Fault((label,), message))
            continue

        def make(spec: Mapping[str, Any], folder: Path, label: str = label) -> "Optimizer":
            return optimizers.from_spec(label, spec, folder)

        try:
            built[label] = _expanded(make, spec, folder)
        except SpecError as error:
            faults += [fault.under(label) for fault in error.faults]
    if faults:
        raise SpecError(faults)
    return built


def label_faults(label: str) -> list[str]:
    """Why a label cannot name a group of results; labels become names of folders."""
    if not label.strip():
        return ["an optimizer's label cannot be empty"]
    if "/" in label or "\\" in label:
        return ["an optimizer's label cannot contain '/' or '\\': it names a folder of results"]
    if label.startswith("_") or not label.strip("."):
        return ["an optimizer's label cannot begin with '_' or be only dots: it names a folder"]
    if label == "zarr.json" or len(label.encode()) > 100:
        return [
            "an optimizer's label cannot be 'zarr.json' or longer than 100 bytes: it names a folder"
        ]
    return [] if label.isprintable() else ["an optimizer's label cannot hold control characters"]


def _sweep(value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return np.atleast_1d(np.asarray(value, np.float64))
    expansion = Expansion()
    found = expansion.value(value)
    if expansion.faults:
        raise SpecError(expansion.faults)
    if is_number(found):
        return np.array([found], dtype=np.float64)
    if not isinstance(found, np.ndarray) or found.ndim != 1 or found.dtype == bool:
        allowed = "a number, a list of numbers, or {linspace = [a, b], count = n}"
        raise SpecError([Fault((), f"{show(value)} is not allowed; give {allowed}")])
    return found


def _function(value: Any) -> "Function":
    from lab.calculus import Function, function

    if isinstance(value, Function):
        return value
    if not isinstance(value, str):
        raise SpecError([Fault((), f"{show(value)} is not allowed; give a formula in quotes")])
    return function(value)


def _placeholder(name: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "object", PLACEHOLDER: name})


if TYPE_CHECKING:
    LossField = Loss
    StartsField = Starts
    OptimizersField = dict[str, Optimizer]
    SweepField = np.ndarray
    FunctionField = Function
else:
    LossField = Annotated[Any, PlainValidator(_loss), _placeholder("loss")]
    StartsField = Annotated[Any, PlainValidator(_starts), _placeholder("starts")]
    OptimizersField = Annotated[Any, PlainValidator(_optimizers), _placeholder("optimizers")]
    SweepField = Annotated[np.ndarray, PlainValidator(_sweep), _placeholder("sweep")]
    FunctionField = Annotated[
        Any, PlainValidator(_function), WithJsonSchema({"type": "string", "title": "A formula"})
    ]

"""What must agree between tables: the starts must be points of the loss."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lab.errors import Fault, SpecError


def between_tables(built: Mapping[str, Any], table: Mapping[str, Any]) -> list[Fault]:
    """The faults between `[loss]` and `[starts]`, where both could be built."""
    loss, starts = built.get("loss"), built.get("starts")
    if loss is None or starts is None:
        return []
    given = table.get("starts", {})
    path = ("starts", *list(given)[:1]) if isinstance(given, Mapping) else ("starts",)
    if starts.dimension is None or loss.dimension == starts.dimension:
        return []
    if loss.dimension is None:
        return _at_the_starts(loss, starts.dimension)
    return [Fault(path, _disagreement(loss, starts, table))]


def _at_the_starts(loss: Any, dimension: int) -> list[Fault]:
    """What is wrong with a loss of no known dimension, seen at a point like the starts."""
    from lab.losses.base import proven

    try:
        proven(replace(loss, dimension=dimension))
    except SpecError as error:
        return [fault.under("loss", *(() if fault.path else ("name",))) for fault in error.faults]
    return []


def _disagreement(loss: Any, starts: Any, table: Mapping[str, Any]) -> str:
    has, needs = starts.dimension, loss.dimension
    what = f"{_coordinates(has)}, but loss {loss.name!r} has dimension {needs}"
    if _is_free(table.get("loss")):
        return f"{what}; give {_coordinates(needs)}, or dimension = {has} under [loss]"
    return f"{what}; give {_coordinates(needs)}"


def _coordinates(number: int) -> str:
    return f"{number} coordinate{'' if number == 1 else 's'}"


def _is_free(spec: Any) -> bool:
    """Whether the loss's dimension may be chosen in its table."""
    from lab import losses

    name = spec.get("name", "") if isinstance(spec, Mapping) else ""
    family = losses.catalogue.get(name)
    return name == "bbob" or (family is not None and family.dimension is None)

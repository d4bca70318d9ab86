"""The JSON Schema of the tables whose keys come from catalogues: losses, starts, optimizers."""

from collections.abc import Iterable
from typing import Any

OWN_FILE = {"type": "string", "pattern": r"\.py:", "description": "file.py:function"}
NUMBER: dict[str, Any] = {"type": "number"}
NUMBERS: dict[str, Any] = {"type": "array", "items": NUMBER, "minItems": 1}


def definitions() -> dict[str, Any]:
    """The definitions that fields of a model refer to, by name."""
    return {
        "sweep": {"title": "A number or a sweep", "anyOf": _sweeps()},
        "loss": _loss(),
        "starts": _starts(),
        "optimizers": {
            "title": "Optimizers",
            "description": "One table each, under the label that results have.",
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": r"^[^_/\\][^/\\]*$"},
            "additionalProperties": {"$ref": "#/$defs/optimizer"},
        },
        "optimizer": _optimizer(),
        "hyperparameter": _hyperparameter(),
        "schedule": _schedule(),
    }


def _sweeps() -> list[dict[str, Any]]:
    return [NUMBER, {**NUMBERS, "description": "each value in turn"}, *map(_space, _SPACES)]


_SPACES = {"linspace": "evenly spaced", "geomspace": "evenly spaced in the logarithm"}


def _space(kind: str) -> dict[str, Any]:
    ends = {**NUMBERS, "minItems": 2, "maxItems": 2, "description": "first and last value"}
    return _table(
        {kind: ends, "count": {"type": "integer", "minimum": 1}},
        description=f"count values, {_SPACES[kind]}, end points included",
        required=[kind, "count"],
    )


def _starts() -> dict[str, Any]:
    count: dict[str, Any] = {"type": "integer", "minimum": 1}
    box: dict[str, Any] = {"low": NUMBERS, "high": NUMBERS}
    shape = {"type": "array", "items": count, "minItems": 1}
    mean = {"anyOf": [NUMBERS, NUMBER]}
    kinds = {
        "grid": _table(box | {"shape": shape}, "A grid, end points included, last axis fastest."),
        "uniform": _table(box | {"count": count}, "Uniform in a box."),
        "normal": _table({"mean": NUMBERS, "std": mean, "count": count}, "Normal about a mean."),
        "points": {"type": "array", "items": NUMBERS, "minItems": 1, "description": "These."},
    }
    exactly = {"minProperties": 1, "maxProperties": 1}
    return {"title": "Starts", **_table(kinds, "Exactly one kind of starts.", []), **exactly}


def _loss() -> dict[str, Any]:
    from lab import losses

    families = losses.catalogue
    named: dict[str, list[str]] = {}
    for family in families.values():
        for key in family.parameters:
            named.setdefault(key, []).append(family.name)
    properties: dict[str, Any] = {
        key: {"$ref": "#/$defs/hyperparameter", "description": f"of {_listed(owners)}"}
        for key, owners in named.items()
    }
    whole = {"type": "integer", "minimum": 1}
    for model in losses.MODELS.values():
        for key in model.sizes:
            kind = (
                {"enum": list(model.choices[key])}
                if key in model.choices
                else {"type": "integer", "minimum": model.least.get(key, 1)}
            )
            properties.setdefault(key, {**kind, "description": f"of {model.name}"})
        for key in model().parameters:
            properties.setdefault(key, {"$ref": "#/$defs/hyperparameter"})
    properties["dimension"] = {**whole, "description": "coordinates"}
    properties["function"] = {**whole, "maximum": 24, "description": "of bbob"}
    properties["instance"] = {**whole, "description": "of bbob"}
    names = (*families, *losses.MODELS, "bbob")
    properties["name"] = _name(names, "A loss of the catalogue, or file.py:function.")
    table = _table(properties, "The loss, with its own parameters, each sweepable.", [])
    formula = {"type": "string", "description": "of x, y, z or x1 ... xn; other names are keys"}
    return _open_to_own({"title": "Loss", **table}, {"formula": formula})


def _optimizer() -> dict[str, Any]:
    entries = {name: entry for name, entry in _entries().items() if entry.kind != "schedule"}
    chain = {"type": "array", "items": {"$ref": "#/$defs/optimizer"}, "minItems": 1}
    properties = _hyperparameters(entries.values())
    properties["name"] = _name(entries, "An optax name, or file.py:function; else the label.")
    properties["chain"] = {**chain, "description": "Transformations, one after the other."}
    table = _table(properties, "An optimizer with its hyperparameters, each sweepable.", [])
    return _open_to_own({"title": "Optimizer", **table}, {})


def _schedule() -> dict[str, Any]:
    entries = {name: entry for name, entry in _entries().items() if entry.kind == "schedule"}
    properties = _hyperparameters(entries.values())
    properties["schedule"] = _name(entries, "An optax schedule, or file.py:function.")
    table = _table(properties, "A value that changes with the step.", ["schedule"])
    return _open_to_own({"title": "Schedule", **table}, {}, "schedule")


def _entries() -> dict[str, Any]:
    from lab import optimizers

    return {name: entry for name, entry in optimizers.names().items() if not entry.refused}


def _hyperparameters(entries: Iterable[Any]) -> dict[str, Any]:
    """Every hyperparameter that one of them has, with the names of those that have it."""
    owners: dict[str, list[str]] = {}
    for entry in entries:
        for key in entry.hyperparameters:
            owners.setdefault(key, []).append(entry.name)
    return {
        key: {"$ref": "#/$defs/hyperparameter", "description": f"of {_listed(names)}"}
        for key, names in owners.items()
    }


def _hyperparameter() -> dict[str, Any]:
    return {
        "title": "A value, a sweep or a schedule",
        "anyOf": [
            *_sweeps(),
            {"type": ["boolean", "string", "array"]},
            {"$ref": "#/$defs/schedule"},
            {"type": "object", "not": {"anyOf": _required("schedule", *_SPACES)}},
        ],
    }


def _open_to_own(table: dict[str, Any], more: dict[str, Any], key: str = "name") -> dict[str, Any]:
    """The table, whose keys are all known unless it names the user's own function (or `more`)."""
    known = [*table["properties"], *more]
    own = [{"properties": {key: OWN_FILE}, "required": [key]}, *_required(*more)]
    del table["additionalProperties"]
    table["properties"] |= more
    return table | {"if": {"anyOf": own}, "else": {"propertyNames": {"enum": known}}}


def _required(*keys: str) -> list[dict[str, Any]]:
    return [{"required": [key]} for key in keys]


def _name(names: Iterable[str], description: str) -> dict[str, Any]:
    return {"description": description, "anyOf": [{"enum": sorted(names)}, OWN_FILE]}


def _table(
    properties: dict[str, Any], description: str, required: list[str] | None = None
) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _listed(names: list[str]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")

"""The JSON Schema for editors, tried on real configs by a small validator of our own."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from lab.config import ExperimentConfig, SweepField, load, schema
from lab.config.models import UsualConfig


class Limits(ExperimentConfig):
    at: SweepField
    run: int = 1


@pytest.fixture(scope="module")
def found_schema(full):
    return schema({"descent": full, "limits": Limits})


def test_schema_has_the_keys_of_every_experiment(found_schema):
    assert found_schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(found_schema["properties"]) == {
        *("experiment", "title", "seed", "precision", "smoke"),
        *("loss", "starts", "run", "optimizers", "at"),
    }
    assert found_schema["properties"]["experiment"]["anyOf"][0] == {"enum": ["descent", "limits"]}
    assert set(schema()["properties"]) >= {*UsualConfig.model_fields, "smoke"}


def test_every_reference_of_the_schema_leads_somewhere(found_schema):
    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
            node = list(node.values())
        for each in node if isinstance(node, list) else []:
            yield from references(each)

    found = set(references(found_schema))
    assert "#/$defs/optimizer" in found
    assert {name.removeprefix("#/$defs/") for name in found} <= set(found_schema["$defs"])
    assert "x-lab" not in str(found_schema)
    assert "None" not in str(found_schema), "TOML has no null"


def test_schema_knows_names_and_closes_tables(found_schema):
    parts = found_schema["$defs"]
    assert "rosenbrock" in parts["loss"]["properties"]["name"]["anyOf"][0]["enum"]
    assert "adam" in parts["optimizer"]["properties"]["name"]["anyOf"][0]["enum"]
    schedules = parts["schedule"]["properties"]["schedule"]["anyOf"][0]["enum"]
    assert "cosine_decay_schedule" in schedules
    assert set(found_schema["else"]["propertyNames"]["enum"]) == set(found_schema["properties"])
    assert parts["RunSection"]["additionalProperties"] is False
    assert parts["starts"]["properties"]["grid"]["additionalProperties"] is False
    assert parts["RunSection"]["properties"]["keep"]["enum"] == ["lanes", "reduced"]
    assert "learning_rate" in parts["optimizer"]["else"]["propertyNames"]["enum"]


def test_schema_accepts_the_example_and_refuses_what_we_refuse(found_schema, data):
    assert complaints(found_schema, load(data / "example.toml").table) == []
    own = load(data / "example.toml").table | {"experiment": "mine.py", "mine": 3}
    assert complaints(found_schema, own) == []
    for word in [
        "rnu.steps=3",
        "run.steps=-1",
        "run.stepz=3",
        "run.keep=lane",
        "precision=float3",
        "starts.grid.lo=3",
        "starts.points=[[1, 2]]",
        "loss.name=rosenbrok",
        "loss.bb=3",
        "optimizers.sgd.learning_rat=3",
        "optimizers.sgd.learning_rate.count=0",
        "optimizers.sgd.name=adm",
        "optimizers.adam.learning_rate.schedule=cosine",
        "at=x",
        "experiment=limits",
        "optimizers={}",
        'optimizers."a/b".name=adam',
    ]:
        table = load(data / "example.toml", [word]).table
        assert complaints(found_schema, table), word


# A validator for the words that the schema uses, and no others

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
NOTES = {"$schema", "$defs", "title", "description", "default", "then", "else"}


def complaints(schema: dict[str, Any], value: Any) -> list[str]:
    """Why the value does not fit the schema; empty if it does."""
    return list(_check(schema, value, "$", schema))


def _check(here: dict[str, Any], value: Any, path: str, root: dict[str, Any]) -> Iterator[str]:
    for word, wanted in here.items():
        if word not in NOTES:
            yield from WORDS[word](here, wanted, value, path, root)


def _fits(here: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    return not any(_check(here, value, "", root))


def _ref(here, wanted, value, path, root):
    yield from _check(root["$defs"][wanted.removeprefix("#/$defs/")], value, path, root)


def _type(here, wanted, value, path, root):
    kinds = wanted if isinstance(wanted, list) else [wanted]
    flag = isinstance(value, bool)
    if not any(isinstance(value, TYPES[kind]) and flag == (kind == "boolean") for kind in kinds):
        yield f"{path}: not {wanted}"


def _plain(holds):
    def check(here, wanted, value, path, root):
        if not holds(wanted, value):
            yield f"{path}: {wanted} does not hold for {value!r}"

    return check


def _sized(kind, holds):
    return _plain(lambda wanted, value: not isinstance(value, kind) or holds(wanted, value))


def _all_of(here, wanted, value, path, root):
    for each in wanted:
        yield from _check(each, value, path, root)


def _any_of(here, wanted, value, path, root):
    if not any(_fits(each, value, root) for each in wanted):
        yield f"{path}: none of {len(wanted)} alternatives holds"


def _not(here, wanted, value, path, root):
    if _fits(wanted, value, root):
        yield f"{path}: what must not hold does"


def _if(here, wanted, value, path, root):
    branch = "then" if _fits(wanted, value, root) else "else"
    yield from _check(here.get(branch, {}), value, path, root)


def _properties(here, wanted, value, path, root):
    for key in wanted.keys() & (value if isinstance(value, dict) else {}):
        yield from _check(wanted[key], value[key], f"{path}.{key}", root)


def _additional(here, wanted, value, path, root):
    extra = set(value if isinstance(value, dict) else {}) - set(here.get("properties", {}))
    for key in sorted(extra):
        if wanted is False:
            yield f"{path}.{key}: not known"
        elif wanted is not True:
            yield from _check(wanted, value[key], f"{path}.{key}", root)


def _property_names(here, wanted, value, path, root):
    for key in value if isinstance(value, dict) else {}:
        yield from _check(wanted, key, f"{path}.{key}", root)


def _items(here, wanted, value, path, root):
    for index, each in enumerate(value if isinstance(value, list) else []):
        yield from _check(wanted, each, f"{path}.{index}", root)


NUMBER = (int, float)
WORDS = {
    "$ref": _ref,
    "type": _type,
    "enum": _plain(lambda wanted, value: value in wanted),
    "const": _plain(lambda wanted, value: value == wanted),
    "pattern": _sized(str, lambda wanted, value: re.search(wanted, value) is not None),
    "minimum": _sized(NUMBER, lambda wanted, value: value >= wanted),
    "maximum": _sized(NUMBER, lambda wanted, value: value <= wanted),
    "exclusiveMinimum": _sized(NUMBER, lambda wanted, value: value > wanted),
    "minItems": _sized(list, lambda wanted, value: len(value) >= wanted),
    "maxItems": _sized(list, lambda wanted, value: len(value) <= wanted),
    "minProperties": _sized(dict, lambda wanted, value: len(value) >= wanted),
    "maxProperties": _sized(dict, lambda wanted, value: len(value) <= wanted),
    "required": _sized(dict, lambda wanted, value: set(wanted) <= set(value)),
    "allOf": _all_of,
    "anyOf": _any_of,
    "not": _not,
    "if": _if,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _property_names,
    "items": _items,
}

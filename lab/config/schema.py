"""The JSON Schema of a config, for editors that complete and check TOML (`lab schema`).

A config opens with `#:schema lab.schema.json`, and Even Better TOML or taplo do the rest. Loss and
optimizer names and their parameters come from the catalogues themselves.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from lab.config.fields import PLACEHOLDER
from lab.config.models import UsualConfig
from lab.config.schema_parts import definitions

OWN_EXPERIMENT = {"type": "string", "pattern": r"\.py$", "description": "your own experiment"}


def schema(models: Mapping[str, type[BaseModel]] | None = None) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a config.

    Args:
        models: each experiment's model by name; by default those of the built-in experiments.
    """
    models = models or _built_in() or {"descent": UsualConfig}
    parts, tops = _parts(models)
    properties: dict[str, Any] = {}
    for top in tops.values():
        for key, each in top["properties"].items():
            properties[key] = _either(properties.get(key), each)
    properties["experiment"] = {
        "description": "The experiment's name, or a .py file beside the config.",
        "anyOf": [
            {"enum": sorted(models)},
            OWN_EXPERIMENT,
        ],
    }
    properties["smoke"] = {
        "type": "object",
        "description": 'Overrides for a run of seconds: "run.steps" = 20.',
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gradient descent lab: an experiment",
        "type": "object",
        "properties": properties,
        "required": ["experiment"],
        "if": {"properties": {"experiment": OWN_EXPERIMENT}},
        "else": {"propertyNames": {"enum": list(properties)}},
        "allOf": [_narrow(name, top) for name, top in tops.items()],
        "$defs": parts | definitions(),
    }


def _built_in() -> dict[str, type[BaseModel]]:
    from lab import builtin
    from lab.experiment import load_experiment

    return {name: load_experiment(path).Config for name, path in builtin.experiments().items()}


def _parts(models: Mapping[str, type[BaseModel]]) -> tuple[dict, dict[str, dict]]:
    """The shared definitions, and each model's own properties by the experiment's name."""
    refs, root = models_json_schema([(model, "validation") for model in models.values()])
    parts = _filled(root["$defs"])
    names = {
        name: refs[model, "validation"]["$ref"].rsplit("/", 1)[1] for name, model in models.items()
    }
    tops = {name: parts[ref] for name, ref in names.items()}
    return {key: part for key, part in parts.items() if key not in names.values()}, tops


def _filled(node: Any) -> Any:
    """The schema with a reference in place of every placeholder; no null, as TOML has none."""
    if isinstance(node, list):
        return [_filled(each) for each in node]
    if not isinstance(node, dict):
        return node
    if PLACEHOLDER in node:
        kept = {key: node[key] for key in ("description", "default") if key in node}
        return {"$ref": f"#/$defs/{node[PLACEHOLDER]}", **kept}
    node = {key: _filled(value) for key, value in node.items()}
    if not isinstance(node.get("default", 0), bool | int | float | str | list):
        del node["default"]
    if "anyOf" in node:
        node["anyOf"] = [each for each in node["anyOf"] if each != {"type": "null"}]
        if len(node["anyOf"]) == 1:
            node |= node.pop("anyOf")[0]
    return node


def _either(one: Any, other: Any) -> Any:
    """Two experiments' schemas of the same key as one."""
    if one is None or one == other:
        return other
    before = one.get("anyOf", [one])
    return one if other in before else {"anyOf": [*before, other]}


def _narrow(name: str, top: Mapping[str, Any]) -> dict[str, Any]:
    """What one experiment asks for, beyond what holds for all."""
    required = [key for key in top.get("required", ()) if key != "experiment"]
    return {
        "if": {"properties": {"experiment": {"const": name}}},
        "then": {"propertyNames": {"enum": [*top["properties"], "smoke"]}, "required": required},
    }

"""What a JSON Schema allows at a path of keys, as keys and in words."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any


def at(schema: dict, path: Iterable[str | int]) -> dict:
    """The part of a JSON Schema that speaks of a path; {} if none does."""
    here = schema
    for part in path:
        here = _step(_resolve(here, schema), part, schema)
    return here


def _step(here: dict, part: str | int, schema: dict) -> dict:
    found: Any = None
    if isinstance(part, int):
        prefix = here.get("prefixItems", [])
        found = prefix[part] if part < len(prefix) else here.get("items")
    else:
        found = here.get("properties", {}).get(part, here.get("additionalProperties"))
    if isinstance(found, dict):
        return found
    inner = (_step(_resolve(each, schema), part, schema) for each in here.get("anyOf", ()))
    return next(filter(None, inner), {})


def _resolve(here: dict, schema: dict) -> dict:
    while "$ref" in here:
        here = schema["$defs"][here["$ref"].rsplit("/", 1)[1]]
    return here


def keys(here: dict, schema: dict) -> list[str]:
    """The keys that a table may have, or any of several kinds of table."""
    here = _resolve(here, schema)
    inner = (keys(each, schema) for each in here.get("anyOf", ()))
    return [*here.get("properties", ()), *itertools.chain.from_iterable(inner)]


def paths(here: dict, schema: dict, above: tuple = ()) -> Iterator[tuple]:
    """The paths of all keys that a JSON Schema names."""
    for key in keys(here, schema):
        yield (*above, key)
        yield from paths(_step(_resolve(here, schema), key, schema), schema, (*above, key))


def options_of(here: dict, schema: dict) -> list[str]:
    """The few values that may stand here; [] if there are more."""
    here = _resolve(here, schema)
    return here.get("enum") or ([here["const"]] if "const" in here else [])


def allowed_text(here: dict, schema: dict) -> str:
    """A JSON Schema in words: `a whole number of at least 1`."""
    here = _resolve(here, schema)
    if options := options_of(here, schema):
        return either([repr(option) for option in options])
    for union in ("anyOf", "oneOf"):
        if union in here:
            parts = [each for each in here[union] if each.get("type") != "null"]
            return either([allowed_text(each, schema) for each in parts])
    return _TYPES.get(str(here.get("type")), _anything)(here, schema)


def _number(here: dict, schema: dict) -> str:
    noun = "a whole number" if here["type"] == "integer" else "a finite number"
    low, high = here.get("minimum"), here.get("maximum")
    if low is not None and high is not None and high < 2**31 - 1:
        return f"{noun} from {low} to {high}"
    if low is not None:
        return f"{noun} of at least {low:g}"
    if "exclusiveMinimum" in here:
        return f"{noun} above {here['exclusiveMinimum']:g}"
    return noun if high is None else f"{noun} of at most {high:g}"


def _array(here: dict, schema: dict) -> str:
    fixed: list[dict] = here.get("prefixItems", [])
    inner: dict = here.get("items") or next(iter(fixed), {})
    noun = f"a list of {len(fixed)}" if fixed else "a list"
    return f"{noun}, each element {allowed_text(inner, schema)}" if inner else noun


def _anything(here: dict, schema: dict) -> str:
    return "another value"


_TYPES = {
    "integer": _number,
    "number": _number,
    "boolean": lambda here, schema: "true or false",
    "string": lambda here, schema: "text in quotes",
    "object": lambda here, schema: "a table",
    "array": _array,
}


def either(parts: Sequence[str]) -> str:
    """`a, b or c`."""
    *most, last = parts or ["another value"]
    return f"{', '.join(most)} or {last}" if most else last

"""Faults in words: what pydantic found, said in ours, and where in the file it stands."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from lab.config.positions import Place, Places
from lab.errors import Fault, LabError, SpecError, nearest

SECTIONS = {"loss": "[loss]", "starts": "[starts]", "optimizers": "[optimizers.adam]"}


@dataclass(frozen=True)
class Located:
    """One fault with its place; as text, the message and then the line itself."""

    place: Place
    key: str
    message: str

    def __str__(self) -> str:
        head = ": ".join(part for part in (self.place.head, self.key, self.message) if part)
        source = self.place.source.strip()
        shown = source if len(source) <= 120 else f"{source[:117]}..."
        return f"{head}\n    {shown}" if shown else head


class ConfigError(LabError):
    """Everything that is wrong with a config, in the order of its lines."""

    def __init__(self, faults: Sequence[Located]):
        unique = {str(fault): fault for fault in sorted(faults, key=lambda f: f.place.order)}
        self.faults = tuple(unique.values())
        super().__init__("\n".join(unique))


def locate(fault: Fault, places: Places) -> Located:
    """The fault at its line; what `[smoke]` brought in says so."""
    place = places.find(fault.path)
    path = ("smoke", *fault.path) if place.smoke else fault.path
    return Located(place, key_text(path), fault.message)


def key_text(path: Iterable[str | int]) -> str:
    """A path as TOML spells it: `optimizers."heavy ball".momentum`."""
    return ".".join(part if _is_bare(part := str(each)) else f'"{part}"' for each in path)


def _is_bare(part: str) -> bool:
    return (part.isascii() and part.replace("-", "_").isidentifier()) or part.isdigit()


def show(value: Any, most: int = 60) -> str:
    """A value nearly as TOML writes it, cut short if long."""
    text = _show(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of more than 40 digits"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_show, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key_text([k])} = {_show(v)}' for k, v in value.items())}}}"
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return repr(value)


def faults_of(error: ValidationError, table: Mapping[str, Any], schema: dict) -> list[Fault]:
    """What pydantic found in a table, one fault a place; `schema` says what is allowed there."""
    faults: dict[tuple, list[Fault]] = {}
    for each in error.errors(include_url=False):
        path = _real(each["loc"], table, each["type"])
        found = _translate(each, path, schema)
        faults.setdefault(path, found)
    return [fault for found in faults.values() for fault in found]


def _real(loc: tuple[str | int, ...], table: Any, kind: str) -> tuple[str | int, ...]:
    """The part of pydantic's location that exists in the table (not the names of union members)."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(table, Mapping) and part in table:
            table = table[part]
        elif isinstance(table, list) and isinstance(part, int) and part < len(table):
            table = table[part]
        elif not (kind == "missing" and part == loc[-1]):
            continue
        path.append(part)
    return tuple(path)


def _translate(error: Mapping[str, Any], path: tuple, schema: dict) -> list[Fault]:
    kind, value = error["type"], error["input"]
    raised = error.get("ctx", {}).get("error")
    if isinstance(raised, SpecError):
        return [fault.under(*path) for fault in raised.faults]
    if raised is not None:
        return [Fault(path, str(raised))]
    here = at(schema, path)
    if kind == "missing":
        return [Fault(path, f"missing; {_add(path, here, schema)}")]
    if kind == "extra_forbidden":
        allowed = _keys(at(schema, path[:-1]), schema)
        what = "table" if len(path) == 1 and isinstance(value, Mapping) else "key"
        return [Fault(path, f"unknown {what}{nearest(str(path[-1]), allowed)}")]
    if options := _options(here, schema):
        return [Fault(path, f"{show(value)} is not allowed{_nearest(value, options)}")]
    return [Fault(path, f"{show(value)} is not allowed; give {allowed_text(here, schema)}")]


def _nearest(value: Any, options: Sequence[str]) -> str:
    if isinstance(value, str) and get_close_matches(value, options, n=1):
        return nearest(value, options)
    return f"; give {_either([repr(option) for option in options])}"


def _add(path: tuple, here: dict, schema: dict) -> str:
    if path in {(name,) for name in SECTIONS}:
        return f"add {SECTIONS[str(path[0])]}"
    return f"give {allowed_text(here, schema)}"


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


def _keys(here: dict, schema: dict) -> list[str]:
    """The keys that a table may have, or any of several kinds of table."""
    here = _resolve(here, schema)
    inner = (_keys(each, schema) for each in here.get("anyOf", ()))
    return [*here.get("properties", ()), *itertools.chain.from_iterable(inner)]


def _options(here: dict, schema: dict) -> list[str]:
    here = _resolve(here, schema)
    return here.get("enum") or ([here["const"]] if "const" in here else [])


def allowed_text(here: dict, schema: dict) -> str:
    """A JSON Schema in words: `a whole number of at least 1`."""
    here = _resolve(here, schema)
    if options := _options(here, schema):
        return _either([repr(option) for option in options])
    for union in ("anyOf", "oneOf"):
        if union in here:
            parts = [each for each in here[union] if each.get("type") != "null"]
            return _either([allowed_text(each, schema) for each in parts])
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


def _either(parts: Sequence[str]) -> str:
    *most, last = parts or ["another value"]
    return f"{', '.join(most)} or {last}" if most else last

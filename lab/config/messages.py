"""Faults in words: what pydantic found, said in ours, and where in the file it stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from pydantic import ValidationError

from lab.config.allowed import allowed_text, at, either, keys, options_of, paths
from lab.config.positions import Place, Places
from lab.errors import Fault, LabError, SpecError, close, meant, nearest

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
        if each["type"] == "missing" and path[-1] in _meant(path[:-1], table, schema):
            continue
        found = _translate(each, path, table, schema)
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


def _meant(path: tuple, table: Any, schema: dict) -> set[str]:
    """The keys that misspelt ones of the table at this path stand for."""
    for part in path:
        table = table[part]
    return meant(table, keys(at(schema, path), schema))


def _translate(error: Mapping[str, Any], path: tuple, table: Any, schema: dict) -> list[Fault]:
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
        what = "table" if len(path) == 1 and isinstance(value, Mapping) else "key"
        return [Fault(path, f"unknown {what}{_hint(path, what, table, schema)}")]
    if options := options_of(here, schema):
        return [Fault(path, f"{show(value)} is not allowed{_nearest(value, options)}")]
    return [Fault(path, f"{show(value)} is not allowed; give {allowed_text(here, schema)}")]


def _hint(path: tuple, what: str, table: Any, schema: dict) -> str:
    """What an unknown key is near to; at the top, also keys of tables: `steps` is `run.steps`."""
    allowed = keys(at(schema, path[:-1]), schema)
    name, full = str(path[-1]), {key: key for key in allowed}
    if len(path) == 1 and what == "key":
        free = [key for key in table if key in allowed and not keys(at(schema, (key,)), schema)]
        deeper = [*paths(schema, schema), *_table_paths({key: table[key] for key in free})]
        full = {str(each[-1]): key_text(each) for each in reversed(deeper)} | full
    found = close(name, full)
    return f"; did you mean {full[found]!r}?" if found else nearest(name, allowed)


def _table_paths(table: Any, above: tuple = ()) -> Iterator[tuple]:
    """The paths of all keys of a table and of those inside it."""
    for key, value in table.items() if isinstance(table, Mapping) else ():
        yield (*above, key)
        yield from _table_paths(value, (*above, key))


def _nearest(value: Any, options: Sequence[str]) -> str:
    if isinstance(value, str) and close(value, options):
        return nearest(value, options)
    return f"; give {either([repr(option) for option in options])}"


def _add(path: tuple, here: dict, schema: dict) -> str:
    if path in {(name,) for name in SECTIONS}:
        return f"add {SECTIONS[str(path[0])]}"
    return f"give {allowed_text(here, schema)}"

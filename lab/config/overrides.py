"""Overrides: `key=value` from the command line, mappings from Python, and `[smoke]`.

Each becomes an `Override`: a path and the value to put there. A `key=value` is read by tomllib, so
labels are quoted as in the file: `optimizers."heavy ball".momentum=0.5`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

from lab.config.messages import ConfigError, Located, key_text, show
from lab.config.positions import Path, Place, Places, key_parts

_SWEEP_KEYS = {"linspace", "geomspace", "schedule"}


@dataclass(frozen=True)
class Override:
    """A value to put at a path, and where its parts were given (relative to the path)."""

    path: Path
    value: Any
    places: Mapping[tuple[str, ...], Place]


def from_words(words: Sequence[str]) -> list[Override]:
    """The overrides of a command line; one fault for each word that makes none."""
    found, faults = [], []
    for index, word in enumerate(words, 1):
        place = Place("command line", index, word, outside=True)
        try:
            path, value = _split(word)
            found.append(Override(tuple(path), value, {(): place}))
        except ValueError as error:
            faults.append(Located(place, "", str(error)))
    if faults:
        raise ConfigError(faults)
    return found


def from_mapping(mapping: Mapping[str, Any]) -> list[Override]:
    """The overrides of `lab.run(path, {"run.steps": 200})`; arrays become lists."""
    found, faults = [], []
    for index, (key, value) in enumerate(mapping.items(), 1):
        place = Place("override", index, f"{key}: {show(value)}", outside=True)
        try:
            parts = _keys(key)
            for path, leaf in _leaves(tuple(parts), _plain(value), len(parts) > 1):
                found.append(Override(path, leaf, {(): place}))
        except ValueError as error:
            faults.append(Located(place, "", str(error)))
    if faults:
        raise ConfigError(faults)
    return found


def from_smoke(smoke: Mapping[str, Any], places: Places) -> list[Override]:
    """The overrides under `[smoke]`: `"run.steps" = 20`, or `[smoke.run]` with `steps = 20`."""
    found, faults = [], []
    for key, value in smoke.items():
        try:
            parts = _keys(key)
        except ValueError as error:
            place = places.find(("smoke", key))
            faults.append(Located(place, key_text(("smoke", key)), str(error)))
            continue
        for path, leaf in _leaves(tuple(parts), value, len(parts) > 1):
            source = ("smoke", key, *path[len(parts) :])
            below = {(): places.find(source)} | places.below(source)
            marked = {at: replace(place, smoke=True) for at, place in below.items()}
            found.append(Override(path, leaf, marked))
    if faults:
        raise ConfigError(faults)
    return found


def apply(
    table: dict[str, Any], places: Places, overrides: Sequence[Override]
) -> tuple[dict[str, Any], Places]:
    """The table and the places with every override put in, and the given ones left as they are."""
    faults = []
    for override in overrides:
        try:
            table = _put(table, override.path, override.value, ())
            places = places.put(override.path, dict(override.places))
        except ValueError as error:
            place = override.places[()]
            path = ("smoke", *override.path) if place.smoke else override.path
            faults.append(Located(place, key_text(path), str(error)))
    if faults:
        raise ConfigError(faults)
    return table, places


def _put(node: Any, path: Path, value: Any, above: Path) -> Any:
    if not path:
        return value
    part, rest = path[0], path[1:]
    here = (*above, part)
    if isinstance(node, Mapping):
        inner = node.get(part, {}) if rest else None
        return {**node, part: _put(inner, rest, value, here)}
    name = key_text(above)
    if not isinstance(node, list):
        raise ValueError(f"{name} is {show(node)}, which has no keys; set {name} itself")
    if not str(part).isdecimal() or int(part) >= len(node):
        last = f"from 0 to {len(node) - 1}" if len(node) > 1 else "0" if node else "of none"
        raise ValueError(f"{name} is a list; {part!r} is not an index {last}")
    index = int(part)
    return [*node[:index], _put(node[index], rest, value, here), *node[index + 1 :]]


def _split(word: str) -> tuple[list[str], Any]:
    """The parts of the key and the value of one `key=value`."""
    example = "an override is key=value, such as run.steps=200"
    if "=" not in word:
        raise ValueError(f"no '=' in it; {example}")
    for match in re.finditer("=", word):
        try:
            parts = key_parts(word[: match.start()].strip())
        except (tomllib.TOMLDecodeError, RecursionError):
            continue
        return parts, _value(word[match.end() :].strip(), key_text(parts))
    key = word.split("=", 1)[0].strip()
    if not key:
        raise ValueError(f"no key before '='; {example}")
    raise ValueError(f'{key!r} is not a key; quote labels: optimizers."heavy ball".momentum=0.5')


def _value(text: str, key: str) -> Any:
    if not text:
        raise ValueError(f"no value after '='; for an empty text write {key}='\"\"'")
    try:
        table = tomllib.loads(f"value = {text}")
        if set(table) == {"value"} and "\n" not in text:
            return table["value"]
    except (ValueError, RecursionError):
        pass
    if text[0] in "[{\"'" or "\n" in text:
        raise ValueError(f"{show(text)} is not a TOML value; see that brackets and quotes close")
    return text


def _keys(key: Any) -> list[str]:
    try:
        return key_parts(str(key))
    except ValueError:
        # A key without dots may hold anything: `[smoke]` has it quoted already.
        if isinstance(key, str) and key and "." not in key and "\n" not in key:
            return [key]
        raise ValueError(f'{key!r} is not a key; write it as in "run.steps"') from None


def _leaves(path: Path, value: Any, whole: bool) -> Iterator[tuple[Path, Any]]:
    """The values to put: a dotted key's value whole, a nested table key by key.

    Sweeps and schedules are values however they are spelt, and replace what stood there.
    """
    if whole or not isinstance(value, Mapping) or not value or _SWEEP_KEYS & set(value):
        yield path, value
        return
    for key, inner in value.items():
        yield from _leaves((*path, key), inner, False)


def _plain(value: Any) -> Any:
    """A Python value as TOML would have it: arrays to lists, paths to text."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(each) for each in value]
    if isinstance(value, bool | int | float | str | date | time):
        return value
    if hasattr(value, "__fspath__"):
        return str(value)
    raise ValueError(f"{show(value)} is not a value that a config can hold")

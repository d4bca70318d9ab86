"""Sweeps: a list, `{linspace = [a, b], count = n}` or `{geomspace = [a, b], count = n}`.

Anywhere a number may stand; expanded to float64 arrays with numpy's meaning, the end points being
exactly the ones given.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np

from lab.config.messages import show
from lab.errors import Fault, meant, nearest

SPACES: dict[str, Callable[..., np.ndarray]] = {
    "linspace": np.linspace,
    "geomspace": np.geomspace,
}
TEXTS = ("name", "schedule", "formula")
MOST = 10_000_000
Path = tuple[str | int, ...]


class Expansion:
    """Expands the sweeps of a table, and keeps what was wrong with them.

    A value with a fault is replaced by a plain number, so that whoever reads the table next can
    still judge all the rest of it.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def table(self, table: Mapping[str, Any], path: Path = ()) -> dict[str, Any]:
        """The table with every value under it expanded."""
        return {key: self.entry(key, value, (*path, key)) for key, value in table.items()}

    def entry(self, key: str, value: Any, path: Path) -> Any:
        """The value of one key: names are text, a chain is a list of tables, all else may sweep."""
        if key in TEXTS and not isinstance(value, str):
            return self.fault(path, f"{show(value)} is not allowed; give text in quotes")
        if key == "chain" and isinstance(value, list):
            numbered = ((each, (*path, index)) for index, each in enumerate(value))
            return [
                self.value(*each) if isinstance(each[0], Mapping) else each[0] for each in numbered
            ]
        return self.value(value, path)

    def value(self, value: Any, path: Path = ()) -> Any:
        """One value, expanded."""
        if isinstance(value, Mapping):
            return self.space(value, path) if _is_space(value) else self.table(value, path)
        if isinstance(value, list):
            return self.numbers(value, path)
        if is_number(value) and not is_finite(value):
            return self.fault(path, f"{show(value)} is not allowed; give a finite number")
        return value

    def numbers(self, values: list[Any], path: Path) -> Any:
        """A list of numbers (or of equal lists of numbers, or of booleans) as an array."""
        if not values:
            return self.fault(path, "the list is empty; a sweep needs at least one value")
        if all(isinstance(value, Mapping) for value in values):
            return [self.value(value, (*path, index)) for index, value in enumerate(values)]
        if all(isinstance(value, str) for value in values):
            return values
        if all(isinstance(value, bool) for value in values):
            return np.array(values)
        before = len(self.faults)
        shape = self.shape(values, path)
        if len(self.faults) > before:
            return 1.0
        if shape is None:
            return self.fault(path, "the lists within the list differ in length")
        return np.array(values, dtype=np.float64)

    def shape(self, values: list[Any], path: Path) -> tuple[int, ...] | None:
        """The shape of nested lists of numbers, None if ragged; faults for all that is neither."""
        shapes = set()
        for index, value in enumerate(values):
            if isinstance(value, list):
                shapes.add(self.shape(value, (*path, index)))
            elif not is_number(value):
                given = f"element {index + 1} is {show(value)}"
                self.fault(path, f"a sweep is a list of numbers, but {given}")
            elif not is_finite(value):
                given = f"{show(value)} (element {index + 1})"
                self.fault(path, f"{given} is not allowed; give finite numbers")
            else:
                shapes.add(())
        inner = shapes.pop() if len(shapes) == 1 else None
        return None if inner is None else (len(values), *inner)

    def space(self, spec: Mapping[str, Any], path: Path) -> Any:
        """`{linspace = [a, b], count = n}` or `{geomspace = ...}` as an array."""
        before = len(self.faults)
        kinds = [kind for kind in SPACES if kind in spec]
        for key in spec:
            if key not in (*SPACES, "count"):
                allowed = ["count", *(kinds or SPACES)]
                self.fault((*path, key), f"unknown key in a sweep{nearest(key, allowed)}")
        if len(kinds) > 1:
            self.fault(path, "a sweep is either a linspace or a geomspace, not both")
        if kinds:
            self.ends(spec[kinds[0]], kinds[0], (*path, kinds[0]))
        self.count(spec, path)
        if len(self.faults) > before:
            return 1.0
        first, last = spec[kinds[0]]
        return spaced(kinds[0], first, last, int(spec["count"]))

    def count(self, spec: Mapping[str, Any], path: Path) -> None:
        """Notes what is wrong with the number of values; a misspelt key is told of already."""
        if "count" in spec:
            if not is_whole(spec["count"]) or not 1 <= spec["count"] <= MOST:
                given = f"{show(spec['count'])} is not allowed"
                self.fault((*path, "count"), f"{given}; give a whole number from 1 to {MOST}")
        elif "count" not in meant(spec, (*SPACES, "count")):
            self.fault(path, "a sweep needs count, the number of values")

    def ends(self, ends: Any, kind: str, path: Path) -> None:
        """Notes what is wrong with the two end points."""
        if not isinstance(ends, list) or len(ends) != 2 or not all(map(is_number, ends)):
            self.fault(path, f"{show(ends)} is not allowed; give two numbers, [first, last]")
        elif not all(map(is_finite, ends)):
            self.fault(path, f"{show(ends)} is not allowed; give finite numbers")
        elif kind == "geomspace" and 0 in ends:
            self.fault(path, "a geomspace cannot begin or end at 0; try linspace")
        elif kind == "geomspace" and (ends[0] < 0) != (ends[1] < 0):
            self.fault(path, "a geomspace cannot cross 0: give both ends the same sign")

    def fault(self, path: Path, message: str) -> float:
        """Notes a fault; the value is a number that stands in for what was wrong."""
        self.faults.append(Fault(path, message))
        return 1.0

    def without_echoes(self, faults: Iterable[Fault]) -> list[Fault]:
        """Our faults and those of a later reader, less his about values that we replaced."""
        ours = [fault.path for fault in self.faults]
        return [
            *self.faults,
            *(other for other in faults if not any(_under(other.path, path) for path in ours)),
        ]


def spaced(kind: str, first: float, last: float, count: int) -> np.ndarray:
    """`count` values from `first` to `last`, both exactly themselves."""
    values = SPACES[kind](float(first), float(last), count, dtype=np.float64)
    values[0] = first
    if count > 1:
        values[-1] = last
    return values


def is_number(value: Any) -> bool:
    """Whether a value is a number (booleans are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number; 1e6 is one too, booleans are not."""
    return is_number(value) and (isinstance(value, int) or value.is_integer())


def is_finite(value: float) -> bool:
    """Whether a number is finite as a float64."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _is_space(spec: Mapping[str, Any]) -> bool:
    """Whether a table is meant as a sweep, perhaps with its name misspelt."""
    if any(kind in spec for kind in SPACES):
        return True
    others = [str(key) for key in spec if key != "count"]
    return "count" in spec and len(others) == 1 and bool(get_close_matches(others[0], SPACES))


def _under(path: Path, ancestor: Path) -> bool:
    return path[: len(ancestor)] == ancestor

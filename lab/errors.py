"""What the lab says when it is given something that it cannot use.

A `Fault` is one thing wrong, at a path of keys. Modules raise `SpecError` with paths relative to
the table they were given; `lab.config` puts file, line and source text around them and raises
`ConfigError` with all of them at once. Every `LabError` reaches the user as text, never as a
traceback, and ends the command with exit code 2.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class LabError(Exception):
    """Input that the lab cannot use; its text is all that the user needs."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong: the keys that lead to it (outermost first) and what is wrong there."""

    path: tuple[str | int, ...]
    message: str

    def under(self, *prefix: str | int) -> "Fault":
        """The same fault, seen from a table further out."""
        return Fault((*prefix, *self.path), self.message)

    def __str__(self) -> str:
        key = ".".join(str(part) for part in self.path)
        return f"{key}: {self.message}" if key else self.message


class SpecError(LabError, ValueError):
    """Everything that is wrong with one table (a loss, an optimizer, the starts)."""

    def __init__(self, faults: Sequence[Fault]):
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def close(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name that `name` is a misspelling of, if there is one."""
    return next(iter(difflib.get_close_matches(name, list(allowed), n=1, cutoff=0.6)), None)


def meant(given: Iterable[str], allowed: Iterable[str]) -> set[str]:
    """The allowed names that unknown ones among those given are misspellings of."""
    allowed = list(allowed)
    found = (close(str(name), allowed) for name in given if name not in allowed)
    return {name for name in found if name is not None}


def nearest(name: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'adam'?` for the allowed name closest to `name`, or else what is allowed."""
    allowed = list(allowed)
    if found := close(str(name), allowed):
        return f"; did you mean {found!r}?"
    if not allowed:
        return ""
    shown = ", ".join(sorted(allowed)[:12]) + (", ..." if len(allowed) > 12 else "")
    return f"; allowed: {shown}"

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


def nearest(name: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'adam'?` for the allowed name closest to `name`, or else what is allowed."""
    allowed = list(allowed)
    close = difflib.get_close_matches(str(name), allowed, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    if not allowed:
        return ""
    shown = ", ".join(sorted(allowed)[:12]) + (", ..." if len(allowed) > 12 else "")
    return f"; allowed: {shown}"

"""A figure's proof: what was expected, what was measured, how far apart, and who says so."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One statement that a run proves or refutes.

    Attributes:
        name: what is checked, in a few words.
        expected: the value that the source states.
        measured: the value that the run itself gave.
        tolerance: the largest |measured - expected| that passes; with `at_most`, by how much
            measured may exceed expected.
        source: where the expectation comes from.
        at_most: the expectation is an upper bound.
    """

    name: str
    expected: float
    measured: float
    tolerance: float
    source: str
    at_most: bool = False

    @property
    def passed(self) -> bool:
        """Whether the measurement agrees; one that is not a number does not."""
        difference = self.measured - self.expected
        if math.isnan(difference):  # inf - inf: equal infinities agree
            return self.measured == self.expected
        return difference <= self.tolerance if self.at_most else abs(difference) <= self.tolerance

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Check":
        """What `as_row` wrote."""
        numbers = {key: float(row[key]) for key in ("expected", "measured", "tolerance")}
        return cls(row["name"], **numbers, source=row["source"], at_most=row["at_most"])

    def as_row(self) -> dict[str, Any]:
        """The check as `checks.json` and the report hold it."""
        numbers = {key: float(getattr(self, key)) for key in ("expected", "measured", "tolerance")}
        return {**asdict(self), **numbers, "passed": bool(self.passed)}

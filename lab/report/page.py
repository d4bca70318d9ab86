"""What a report says, before it has a form: plain data that any experiment can fill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.plots.files import FigureFiles


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: What stands in it.
        unit: Shown small under the heading.
        help: One sentence, shown when the heading is pointed at, and read aloud.
        kind: `text`, `number` (few digits), `percent` (of a share) or `seconds`.
    """

    heading: str
    unit: str = ""
    help: str = ""
    kind: str = "text"


@dataclass(frozen=True)
class Table:
    """Rows under columns; the first cell of a row names it.

    Cells are text or numbers; None is an empty cell.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Page:
    """Everything on a report.

    Attributes:
        title: Of the run.
        question: What the run asks; empty if the title is the question.
        verdict: The answer in a sentence or two; the checks are counted beside it.
        summary: One row an optimizer.
        figures: As `lab.plots.save` returned them, in order.
        checks: Rows of `checks.json`: name, expected, measured, tolerance, source, passed, and
            optionally at_most.
        outcome_criteria: (outcome, what it means in a sentence).
        outcome_shares: One row an optimizer; None if the experiment has no outcomes.
        timings: Seconds of compile, run, transfer, plot and the like (those there are), and total.
        resumed: How often the run was interrupted and gone on with, in words; empty if never.
        lane_steps_per_second: While running; None if not measured.
        facts: Versions, devices, precision, identity and the like, in order.
        config_text: The config's exact text.
        command: What to type to run this again.
    """

    title: str
    question: str = ""
    verdict: str = ""
    summary: Table | None = None
    figures: Sequence[FigureFiles] = ()
    checks: Sequence[Mapping[str, Any]] = ()
    outcome_criteria: Sequence[tuple[str, str]] = ()
    outcome_shares: Table | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    resumed: str = ""
    lane_steps_per_second: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    config_text: str = ""
    command: str = ""

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(bool(check["passed"]) for check in self.checks)

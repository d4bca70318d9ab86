"""Tables for the terminal."""

import io
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from lab.check import Check
from lab.progress import rate_text
from lab.result import Result
from lab.table import Table, written

PARTS = ("compile", "run", "replay", "transfer", "plot")
"""Where the time of a run goes: `replay` is the closer look at the best settings."""

WIDTH = 118
"""Columns of plain text where no terminal says how many it has."""


def table_view(table: Table) -> RenderableType:
    """A summary table."""
    view = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        view.add_column(column.heading, justify="right" if column.format else "left")
    for row in table.rows:
        view.add_row(*(Text(table.text(row, column)) for column in table.columns))
    return view


def checks_view(checks: Sequence[Check]) -> RenderableType:
    """The checks: name, expected, measured, tolerance, verdict."""
    view = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("check", "expected", "measured", "tolerance", ""):
        view.add_column(heading, justify="left" if heading in ("check", "") else "right")
    for check in checks:
        bound = "≤ " if check.at_most else ""
        view.add_row(
            Text(check.name),
            bound + written(check.expected, ".6g"),
            written(check.measured, ".6g"),
            written(check.tolerance, ".2g"),
            Text("holds", "green") if check.passed else Text("FAILS", "bold red"),
        )
    return view


def result_view(result: Result) -> RenderableType:
    """A whole run: its table, its checks, where the time went, which files to open."""
    seconds = result.manifest["seconds"]
    checks = result.checks
    held = sum(check.passed for check in checks)
    rate = result.manifest["lane_steps"] / max(seconds["run"], 1e-9)
    spent = ", ".join(f"{part} {seconds[part]:.1f} s" for part in PARTS)
    color = "green" if held == len(checks) else "red"
    proof = [Text(f"{held} of {len(checks)} checks hold", color), checks_view(checks)]
    return Group(
        Text(result.manifest["title"] or result.manifest["config_file"], "bold"),
        table_view(result.table),
        *(proof if checks else []),
        Text(f"time: {spent}; {rate_text(rate)}"),
        Text(f"open:  {result.report}\n       {result.directory / 'figures'}"),
    )


def print_view(view: RenderableType) -> None:
    """Print a view on the terminal, or as plain text elsewhere."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(view)


def shown(result: Result) -> str:
    """`result_view` as plain text."""
    return rendered(result_view(result))


def rendered(view: Any) -> str:
    """A view as plain text."""
    stream = io.StringIO()
    Console(file=stream, width=WIDTH).print(view)
    return "\n".join(line.rstrip() for line in stream.getvalue().split("\n"))

"""Tables for the terminal."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from lab.check import Check
from lab.progress import rate_text
from lab.result import Result
from lab.table import Table, written
from lab.times import known, resumed

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
    checks = result.checks
    held = sum(check.passed for check in checks)
    color = "green" if held == len(checks) else "red"
    proof = [Text(f"{held} of {len(checks)} checks hold", color), checks_view(checks)]
    return Group(
        Text(result.manifest["title"] or result.manifest["config_file"], "bold"),
        table_view(result.table),
        *(proof if checks else []),
        Text(f"time:  {time_text(result.manifest)}"),
        Text(f"open:  {result.report}\n       {result.directory / 'figures'}"),
    )


def time_text(manifest: Mapping[str, Any]) -> str:
    """`12.3 s: compile 6.8 s, run 0.9 s; 516 M lane-steps/s`, without the parts that took none."""
    seconds = known(manifest)
    total = seconds.pop("total")
    spent = ", ".join(f"{part} {s:.1f} s" for part, s in seconds.items() if s >= 0.05)
    rate = rate_text(manifest["lane_steps"] / max(seconds["run"], 1e-9))
    often = resumed(manifest)
    return f"{total:.1f} s: {spent}; {rate}" + (f"; resumed {often}" if often else "")


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

"""The report's page of a run."""

from collections.abc import Mapping
from typing import Any

from lab import report, times
from lab.plots.files import FigureFiles
from lab.result import Result
from lab.table import Table


def page_of(result: Result) -> report.Page:
    """Everything that the report says about a run."""
    manifest = result.manifest
    seconds = times.known(manifest)
    folder = result.directory / "figures"
    outcomes = Table.from_json(manifest["outcomes"])
    return report.Page(
        title=manifest["title"] or manifest["config_file"],
        verdict=manifest["verdict"],
        summary=as_report(result.table),
        figures=[FigureFiles.read(folder, name) for name in manifest["figures"]],
        checks=[check.as_row() for check in result.checks],
        outcome_criteria=list(manifest["criteria"].items()),
        outcome_shares=as_report(outcomes) if outcomes.rows else None,
        timings={part: spent for part, spent in seconds.items() if spent},
        resumed=times.resumed(manifest),
        lane_steps_per_second=manifest["lane_steps"] / max(seconds["run"], 1e-9),
        facts=facts(manifest),
        config_text=(result.directory / "config.toml").read_text(),
        command=manifest["command"],
    )


def as_report(table: Table) -> report.Table:
    """A summary table as the report takes it: every cell as a person reads it."""
    columns = [
        report.Column(c.heading, help=c.meaning, kind="number" if c.format else "text")
        for c in table.columns
    ]
    rows = [[table.text(row, column) for column in table.columns] for row in table.rows]
    return report.Table(columns, rows)


def facts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Who made the run, on what, from what."""
    return {
        "lab": manifest["lab"],
        **manifest["identity"]["versions"],
        "devices": ", ".join(manifest["devices"]),
        "precision": manifest["precision"],
        "seed": str(manifest["seed"]),
        "lane-steps taken": f"{manifest['lane_steps']:,}",
        "compiled functions": str(manifest["compilations"]),
        "finished": manifest["finished"],
        "identity": manifest["hash"],
    }

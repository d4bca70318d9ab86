"""The summary table: raw numbers for files, and the same numbers in words for people."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """One column: the key of its numbers, its heading, what it means, and how it is written.

    `format` is a format specification for numbers; "%" writes a share.
    """

    key: str
    heading: str
    meaning: str
    format: str = ".3g"


@dataclass(frozen=True)
class Table:
    """Columns, and one mapping of raw values a row."""

    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]

    def text(self, row: Mapping[str, Any], column: Column) -> str:
        """A cell as a person reads it."""
        return written(row.get(column.key), column.format)

    def as_csv(self) -> str:
        """The raw numbers, one row a line."""
        text = io.StringIO()
        keys = list(dict.fromkeys(key for row in self.rows for key in row))
        writer = csv.DictWriter(text, keys, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    def as_json(self) -> str:
        """Columns and rows; infinite and missing numbers as null would lose which: as text."""
        columns = [vars(column) for column in self.columns]
        rows = [plain(row) for row in self.rows]
        return json.dumps({"columns": columns, "rows": rows}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Table":
        """What `as_json` wrote."""
        found = json.loads(text)
        rows = [{key: _number(value) for key, value in row.items()} for row in found["rows"]]
        return cls(tuple(Column(**column) for column in found["columns"]), tuple(rows))

    def beside(self, others: Sequence["Table"], names: Sequence[str]) -> "Table":
        """This table and others, row under row, with the name of each in front."""
        tables = [self, *others]
        columns = dict.fromkeys(column for table in tables for column in table.columns)
        rows = [
            {"run": name, **row}
            for name, table in zip(names, tables, strict=True)
            for row in table.rows
        ]
        run = Column("run", "run", "the run directory", "")
        return Table((run, *columns), tuple(rows))


def written(value: Any, format: str = ".3g") -> str:
    """A value in words: a dash for what is missing."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if format == "%":
        return f"{100 * value:.1f} %"
    return f"{value:{format}}" if isinstance(value, int | float) else str(value)


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as strict JSON holds it: infinite numbers, and what is none, as text."""
    return {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }


def _number(value: Any) -> Any:
    return float(value) if value in ("inf", "-inf", "nan") else value

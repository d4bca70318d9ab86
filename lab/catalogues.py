"""The catalogues behind `lab list`: what there is to name in a config, as a table or as JSON."""

import ast
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from lab import builtin

Row = Mapping[str, Any]
Cells = tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """One catalogue.

    Attributes:
        headings: of the table.
        cells: a row as the table shows it.
        rows: all that is known, in what JSON can hold.
        wraps: the columns whose cells may take several lines.
        caption: what stands below the table.
    """

    headings: Cells
    cells: Callable[[Row], Cells]
    rows: tuple[Row, ...]
    wraps: Cells
    caption: str = ""

    def table(self) -> Table:
        """For people."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.caption, table.caption_justify = self.caption or None, "left"
        for heading in self.headings:
            table.add_column(heading, overflow="fold", no_wrap=heading not in self.wraps)
        for row in self.rows:
            table.add_row(*map(Text, self.cells(row)))
        return table

    def as_json(self) -> str:
        """For programs: a list of objects."""
        return json.dumps(self.rows, indent=1, allow_nan=False)


def losses() -> Listing:
    """Every loss with its dimension, parameters, known minima and source."""
    from lab.losses import MODELS, bbob, catalogue

    rows = [
        _loss_row(family(), name, family.kind, family.dimension, family.parameters)
        for name, family in catalogue.items()
    ]
    rows += [
        _loss_row(model(), name, "models", None, {**model.sizes, **model().parameters})
        for name, model in MODELS.items()
    ]
    suite = _loss_row(bbob(1), "bbob", "bbob", None, {"function": 1, "instance": 1})
    suite["ranges"] = {"function": [1, 24]}
    return Listing(
        ("loss", "dim", "parameters", "minima", "lowest", "box", "source"),
        _loss_cells,
        (*rows, suite),
        wraps=("parameters", "source"),
        caption="Formulas, minima and sources in full: lab list losses --json",
    )


def _loss_row(
    loss: Any, name: str, kind: str, dimension: int | None, parameters: Row
) -> dict[str, Any]:
    """A loss of one dimension, or of any: then its facts are those of `shown_dimension`."""
    return {
        "name": name,
        "kind": kind,
        "formula": loss.formula,
        "dimension": dimension,
        "shown_dimension": loss.dimension,
        "parameters": _jsonable(parameters),
        "minima": loss.minima().tolist(),
        "minimum": loss.minimum(),
        "low": loss.low.tolist(),
        "high": loss.high.tolist(),
        "start": _jsonable(loss.start()),
        "kinks": loss.kinks,
        "least_squares": loss.residual_function is not None,
        "source": loss.source,
    }


def _loss_cells(row: Row) -> Cells:
    ranges = row.get("ranges", {})
    return (
        row["name"],
        "any" if row["dimension"] is None else str(row["dimension"]),
        ", ".join(
            "{}={}...{}".format(key, *ranges[key]) if key in ranges else f"{key}={_short(value)}"
            for key, value in row["parameters"].items()
        ),
        str(len(row["minima"])),
        "f_opt" if ranges else _short(row["minimum"]),
        f"[{min(row['low']):g}, {max(row['high']):g}]",
        re.split(r"(?<=\b[12]\d{3})\b", row["source"])[0],  # up to the first year
    )


def _short(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str | bool):
        return str(value)
    return f"{value:.6g}" if isinstance(value, int | float) else "..."


def _jsonable(value: Any) -> Any:
    """Arrays as lists, whatever tree they hang in."""
    if isinstance(value, Mapping):
        return {key: _jsonable(part) for key, part in value.items()}
    if isinstance(value, str | bool | int | float | None):
        return value
    return np.asarray(value).tolist()


def optimizers() -> Listing:
    """Every optimizer, transformation and schedule with its hyperparameters."""
    from lab.optimizers import names

    entries = sorted(names().values(), key=lambda entry: (entry.kind, entry.name))
    rows = []
    for entry in entries:
        known = {k: v for k, v in entry.hyperparameters.items() if v != "required"}
        rows.append(
            {
                "name": entry.name,
                "kind": entry.kind,
                "hyperparameters": {key: _literal(text) for key, text in known.items()},
                "required": [key for key in entry.hyperparameters if key not in known],
                "module": entry.module,
                "summary": entry.summary,
                "refused": entry.refused or None,
            }
        )
    written = {entry.name: entry.hyperparameters for entry in entries}

    def cells(row: Row) -> Cells:
        texts = (f"{k}={v}" if v else k for k, v in written[row["name"]].items())
        told = row["refused"] or row["summary"]
        return row["name"], row["kind"], row["module"], ", ".join(texts), told

    headings = ("name", "kind", "module", "hyperparameters", "what it is")
    return Listing(headings, cells, tuple(rows), wraps=("name", "hyperparameters", "what it is"))


def _literal(text: str) -> Any:
    """The default that a text is written for, if JSON can hold it; else the text."""
    try:
        value = ast.literal_eval(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, SyntaxError, TypeError):
        return text
    return value


def experiments() -> Listing:
    """Every built-in experiment and the question that it asks."""
    rows = tuple(
        {"name": name, "question": _docstring(path.read_text())}
        for name, path in builtin.experiments().items()
    )
    return Listing(("experiment", "question"), _values, rows, wraps=("question",))


def configs() -> Listing:
    """Every built-in config and what it shows."""
    rows = []
    for name, path in builtin.configs().items():
        text = path.read_text()
        table = tomllib.loads(text)
        known = {key: table.get(key, "") for key in ("experiment", "title")}
        rows.append({"name": name, "shows": _comment(text), **known})
    return Listing(("config", "what it shows"), _values, tuple(rows), wraps=("what it shows",))


def _values(row: Row) -> Cells:
    name, told, *_ = row.values()
    return name, told


def _docstring(source: str) -> str:
    return source.partition('"""')[2].partition('"""')[0].strip().split("\n")[0]


def _comment(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("# ")]
    return lines[0].removeprefix("# ") if lines else ""

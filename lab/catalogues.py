"""The tables behind `lab list`: what there is to name in a config."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from lab import builtin


def losses() -> Table:
    """Every loss with its dimension, parameters, known minima and source."""
    from lab.losses import MODELS, bbob, catalogue

    rows = []
    for name, family in catalogue.items():
        loss = family()
        minimum = loss.minimum()
        parameters = ", ".join(f"{key}={value}" for key, value in family.parameters.items())
        rows.append(
            (
                name,
                "any" if family.dimension is None else str(family.dimension),
                parameters,
                str(len(loss.minima())),
                "" if minimum is None else f"{minimum:.6g}",
                _box(loss),
                family.source,
            )
        )
    for name, model in MODELS.items():
        loss, sizes = model(), {**model.sizes, **model().parameters}
        minimum = loss.minimum()
        keys = ", ".join(f"{key}={value}" for key, value in sizes.items())
        lowest = "" if minimum is None else f"{minimum:.6g}"
        minima = str(len(loss.minima()))
        rows.append((name, "by its sizes", keys, minima, lowest, _box(loss), loss.source))
    suite = bbob(1)
    numbers = "function=1...24, instance=1"
    rows.append(("bbob", "any", numbers, "1", "f_opt", _box(suite), suite.source))
    headings = ("loss", "dimension", "parameters", "minima", "lowest", "box", "source")
    return _table(headings, rows)


def _box(loss: Any) -> str:
    known = loss.low is not None and loss.high is not None
    return f"[{np.min(loss.low):g}, {np.max(loss.high):g}]" if known else ""


def optimizers() -> Table:
    """Every optimizer, transformation and schedule with its hyperparameters."""
    from lab.optimizers import names

    entries = sorted(names().values(), key=lambda entry: (entry.kind, entry.name))
    rows = [
        (
            entry.name,
            entry.kind,
            entry.module,
            ", ".join(f"{k}={v}" if v else k for k, v in entry.hyperparameters.items()),
            entry.refused or entry.summary,
        )
        for entry in entries
    ]
    return _table(("name", "kind", "module", "hyperparameters", "what it is"), rows)


def experiments() -> Table:
    """Every built-in experiment and the question that it asks."""
    rows = [(name, _docstring(path.read_text())) for name, path in builtin.experiments().items()]
    return _table(("experiment", "question"), rows)


def configs() -> Table:
    """Every built-in config and what it shows."""
    rows = [(name, _comment(path.read_text())) for name, path in builtin.configs().items()]
    return _table(("config", "what it shows"), rows)


def _docstring(source: str) -> str:
    return source.partition('"""')[2].partition('"""')[0].strip().split("\n")[0]


def _comment(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("# ")]
    return lines[0].removeprefix("# ") if lines else ""


def _table(headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table

"""Each topic as a notebook: a call a figure, with the topic's text between; no library needed.

The format is nbformat 4.5 (the Jupyter notebook format's schema); the same cells are written as a
Python file with `# %%` between them, which editors run cell by cell.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lab.course.lessons import Lesson, Topic


@dataclass(frozen=True)
class Cell:
    """A cell: `markdown` or `code`, and what stands in it."""

    kind: str
    source: str


def cells(
    topic: Topic, figures: Mapping[str, Sequence[str]] | None = None, smoke: bool = False
) -> Iterator[Cell]:
    """The topic's cells in order; each figure can be run without those before it.

    Args:
        topic: whose notebook it is.
        figures: the names of each lesson's figures, by the lesson's name; by default its own.
        smoke: whether the runs are those of seconds.
    """
    yield Cell("markdown", f"# {topic.title}\n\n{topic.text.introduction}".strip())
    yield Cell("code", f"import lab\n\nSMOKE = {smoke}  # True: runs of seconds, with less in them")
    for lesson in topic.lessons:
        section = topic.text.sections.get(lesson.name)
        heading = section.heading if section else words(lesson)
        yield Cell("markdown", f"## {heading}\n\n{section.body if section else ''}".strip())
        yield Cell("code", call(lesson))
        for name in (figures or {}).get(lesson.name, [lesson.name]):
            yield Cell("code", f'result.figures["{name}"]')


def call(lesson: Lesson) -> str:
    """The run of a lesson, into a directory of its own, with room for overrides."""
    config = f"course/{lesson.key}"
    return (
        "result = lab.run(\n"
        f'    "{config}",\n'
        '    {},  # what to change, such as {"seed": 1}; with another `out`, both runs are kept\n'
        f"    out=f\"runs/{config}{{'-smoke' if SMOKE else ''}}\",\n"
        "    smoke=SMOKE,\n"
        ")\n"
        'assert result.passed, "a check failed"'
    )


def words(lesson: Lesson) -> str:
    """A lesson's name as a heading, where no text gives one."""
    said = lesson.name.replace("_", " ")
    return said[:1].upper() + said[1:]


def as_ipynb(made: Sequence[Cell]) -> str:
    """The cells as a notebook's JSON."""
    notebook = {
        "cells": [_cell(index, cell) for index, cell in enumerate(made)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def as_python(made: Sequence[Cell]) -> str:
    """The cells as a Python file: text as comments."""
    parts = []
    for cell in made:
        if cell.kind == "code":
            parts.append(f"# %%\n{cell.source}\n")
        else:
            lines = [f"# {line}".rstrip() for line in cell.source.split("\n")]
            parts.append("\n".join(["# %% [markdown]", *lines, ""]))
    return "\n".join(parts)


def _cell(index: int, cell: Cell) -> dict[str, object]:
    name = hashlib.sha256(f"{index} {cell.source}".encode()).hexdigest()[:8]
    made: dict[str, object] = {"cell_type": cell.kind, "id": name, "metadata": {}}
    if cell.kind == "code":
        made |= {"execution_count": None, "outputs": []}
    return {**made, "source": cell.source.splitlines(keepends=True)}

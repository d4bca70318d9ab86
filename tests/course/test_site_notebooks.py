"""Notebooks that a notebook program can open, and that run."""

import json
import subprocess
import sys

import jsonschema
import pytest

from lab.course.lessons import topics
from lab.course.notebooks import as_ipynb, as_python, cells

EVERY = topics()

# The parts of the published schema of nbformat 4.5 that these notebooks use.
TEXT = {"type": "array", "items": {"type": "string"}}
COMMON = {
    "id": {"type": "string", "pattern": "^[a-zA-Z0-9-_]{1,64}$"},
    "metadata": {"type": "object"},
    "source": TEXT,
}


def cell(kind, **more):
    properties = {"cell_type": {"const": kind}, **COMMON, **more}
    return {"properties": properties, "required": [*properties], "additionalProperties": False}


SCHEMA = {
    "type": "object",
    "required": ["metadata", "nbformat", "nbformat_minor", "cells"],
    "additionalProperties": False,
    "properties": {
        "nbformat": {"const": 4},
        "nbformat_minor": {"const": 5},
        "metadata": {
            "type": "object",
            "properties": {"kernelspec": {"required": ["name", "display_name"]}},
        },
        "cells": {
            "type": "array",
            "items": {
                "oneOf": [
                    cell("markdown"),
                    cell("code", execution_count={"type": "null"}, outputs={"const": []}),
                ]
            },
        },
    },
}


@pytest.mark.parametrize("topic", EVERY, ids=[topic.name for topic in EVERY])
def test_a_notebook_of_every_topic(topic):
    made = list(cells(topic))
    notebook = json.loads(as_ipynb(made))
    jsonschema.validate(notebook, SCHEMA)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    code = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    for lesson in topic.lessons:
        assert sum(f'lab.run(\n    "course/{lesson.key}"' in source for source in code) == 1
        assert f'result.figures["{lesson.name}"]' in code
    for source in code:
        compile(source, topic.name, "exec")
    assert as_python(made).count("# %%") == len(made)
    told = "".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown")
    assert all(section.body in told for section in topic.text.sections.values())


def test_a_notebook_runs(tmp_path):
    (topic,) = [topic for topic in EVERY if topic.name == "03_derivatives"]
    (lesson,) = [lesson for lesson in topic.lessons if lesson.name == "secant_tangent"]
    one = type(topic)(topic.name, topic.text, (lesson,))
    path = tmp_path / "notebook.py"
    path.write_text(as_python(list(cells(one, smoke=True))) + "\nprint(len(result.figures))\n")
    done = subprocess.run([sys.executable, path], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    run = tmp_path / "runs" / "course" / "03_derivatives" / "secant_tangent-smoke"
    assert (run / "report.html").exists()

"""A made-up course: quick lessons, one that fails a check, and some that cannot be run."""

LESSON_PY = '''\
"""How long is a line? The least that a lesson can be."""

import os
import time

import numpy as np
import xarray as xr

from lab import config, plots
from lab.check import Check
from lab.table import Column, Table


class Config(config.ExperimentConfig):
    """What is expected, and what else happens."""

    expected: float = 3.0
    moves: bool = False
    dies: bool = False
    waits: float = 0.0


def compute(config, session):
    """Count the runs that were computed in this folder."""
    (session.folder / ".pid").write_text(str(os.getpid()))
    seen = session.folder / ".computed"
    seen.write_text(seen.read_text() + "x" if seen.exists() else "x")
    time.sleep(config.waits)
    if config.dies:
        os._exit(7)
    session.save("_line", xr.Dataset({"x": ("point", np.arange(4.0))}, {}, {"moves": config.moves}))


def checks(config, data):
    """It is three long."""
    length = float(np.ptp(data["_line"].x.values))
    return [Check("length", config.expected, length, 0, "Euclid <b>I</b>")]


def summary(data):
    """Its ends."""
    return Table((Column("x", "end", "where it ends"),), ({"x": float(data["_line"].x[-1])},))


def verdict(data):
    """Its length."""
    return "The line is three long."


def figures(data):
    """The line, if it moves."""
    return {"line": lambda: draw(data["_line"].x.values)} if data["_line"].attrs["moves"] else {}


def draw(x):
    """A line that grows."""
    def panels(i):
        return [plots.Panel([plots.Line(x=x[: i + 2], y=x[: i + 2], label="line")], x="x", y="y")]

    return plots.chart("A line", panels(2), caption="Its points.", alt="A line of length 3.",
                       frames=panels, count=3)
'''

TEXT = """\
# Made up & told

Why $x<y$ and <b>not</b>.

## secant_tangent: A secant of $f$

Its slope is
$$\\frac{f(x+h) - f(x)}{h}$$
in <<frames>> frames of <<points>> points.
Try: `lab run course/03_derivatives/secant_tangent frames=90`
"""

INTERACTIVE = {
    "02_limits/epsilon_delta": "",
    "07_integration/riemann": "",
    "08_descent/basins_three_wells": "moves = true",
    "08_descent/momentum_valley": "",
    "08_descent/taylor": "",
}
BAD = {
    "04_bad/fails": "expected = 4.0",
    "04_bad/wrong": "expectd = 4.0",
    "04_bad/dies": "dies = true",
}


def write(home, lessons):
    """A config for each lesson, and the experiment beside it."""
    for key, line in lessons.items():
        path = home / f"{key}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "lesson.py").write_text(LESSON_PY)
        path.write_text(f'experiment = "lesson.py"\ntitle = "How long <i>is</i> it?"\n{line}\n')
    return home

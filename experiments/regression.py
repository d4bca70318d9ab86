"""How does descent find the line through noisy points, with all of them and with a few a step?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, optimizer, plots, theory
from lab.api import make_plan
from lab.calculus.regression import (
    Line,
    curvature,
    least_squares_line,
    line_loss,
    minibatch_covariance,
    noisy_line,
)
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.plan import Plan, Run
from lab.plots.text import number
from lab.record import Last
from lab.table import Column, Table

FULL = "all points"
SIGMAS = 5.0
"""How many standard errors a measured moment may be from its closed form."""

CLOUD = 300
CONTOURS = 121


class Config(config.ExperimentConfig):
    """The line, its points, and the descents."""

    precision: Literal["float64"] = "float64"
    slope: config.Finite = Field(description="m of the line behind the points.")
    intercept: config.Finite = Field(description="b of it.")
    noise: config.Positive = Field(description="Standard deviation of the points about it.")
    shown: config.Side = Field(60, description="Points of the descent that is drawn.")
    start: tuple[config.Finite, config.Finite] = Field(description="(m, b) at the start.")
    rate: config.Positive = Field(0.1, description="Learning rate.")
    steps: config.Count = Field(600, description="Updates with all points.")
    samples: config.Side = Field(8_000_000, description="Points that minibatches are drawn from.")
    batches: tuple[config.Count, ...] = Field((4, 16, 64), min_length=2, description="Their sizes.")
    chains: config.Side = Field(16384, description="Descents of each size.")
    batch_steps: config.Count = Field(320, description="Updates with minibatches.")
    frames: config.Side = Field(48, le=100, description="Frames of the animation.")

    @model_validator(mode="after")
    def _stable(self) -> Self:
        limit = theory.stability_limit(float(np.linalg.eigvalsh(curvature(self.few))[-1]))
        if self.rate >= limit:
            message = f"must be below 2 / lambda_max = {limit:.4g}"
            raise SpecError([Fault(("rate",), message)])
        return self

    @property
    def few(self) -> Line:
        """The points of the descent that is drawn."""
        return noisy_line(self.shown, self.slope, self.intercept, self.noise, self.seed)

    @property
    def many(self) -> Line:
        """The points that minibatches are drawn from."""
        return noisy_line(self.samples, self.slope, self.intercept, self.noise, self.seed + 1)


def plans(config: Config) -> dict[str, Plan]:
    """One descent with all of a few points, many with minibatches of many points."""
    sgd, data = optimizer("sgd", learning_rate=config.rate), config.many
    run = Run(steps=config.steps, gradient_below=1e-13, precision="float64")
    made = {FULL: make_plan(line_loss(config.few), sgd, [config.start], run)}
    run = Run(
        steps=config.batch_steps, seeds=config.chains, seed=config.seed, gradient_below=0.0,
        record=(Last(),), watch=False, backend="vmap",
    )  # fmt: skip
    for batch in config.batches:
        loss = line_loss(data, batch)
        made[f"batch {batch}"] = make_plan(loss, sgd, [config.start], run)
    return made


def compute(config: Config, session: Session) -> None:
    """The way with all points; where minibatches end."""
    every, few, many = plans(config), config.few, config.many
    engine = session.sweep(FULL, every[FULL])
    path = engine.replay(np.zeros((1, 3), np.int32))
    session.save("_way", _way(session, few, path.point[0], path.loss[0]))
    rows = []
    for batch in config.batches:
        session.sweep(f"batch {batch}", every[f"batch {batch}"])
        ends = session.group(f"batch {batch}").final_point.values[:, 0].astype(np.float64)
        exact = minibatch_covariance(many, config.rate, batch)
        spread = {
            "mean": ends.mean(0),
            "deviation": ends.std(0, ddof=1),
            "exact": np.diag(exact) ** 0.5,
        }
        data = {name: ("weight", values) for name, values in spread.items()}
        rows.append(xr.Dataset(data | {"cloud": (("chain", "weight"), ends[:CLOUD])}))
    minibatches = xr.concat(rows, "batch").assign_coords(batch=list(config.batches))
    minibatches["solution"] = ("weight", least_squares_line(many))
    minibatches.attrs = {
        "samples": config.samples,
        "chains": config.chains,
        "frames": config.frames,
    }
    session.save("_minibatches", minibatches)


def _way(session: Session, few: Line, path: np.ndarray, loss: np.ndarray) -> xr.Dataset:
    """The path, the points, and the loss over a box about both ends."""
    solution = least_squares_line(few)
    reach = 1.25 * np.abs(path - solution).max(axis=0)
    m, b = (np.linspace(c - r, c + r, CONTOURS) for c, r in zip(solution, reach, strict=True))
    grid = np.stack(np.meshgrid(m, b), axis=-1).reshape(-1, 2)
    surface = session.batched(line_loss(few), grid).reshape(CONTOURS, CONTOURS)
    return xr.Dataset(
        {
            "path": (("step", "weight"), path),
            "loss": ("step", loss),
            "surface": (("b", "m"), surface),
            "y": ("u", few.y),
            "solution": ("weight", solution),
        },
        {"m": m, "b": b, "u": few.u},
    )


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The end is the least-squares line, reached at the rate of theory; minibatches spread so."""
    way, found = data["_way"].to_dataset(), data["_minibatches"].to_dataset()
    columns = np.stack([way.u.values, np.ones(way.sizes["u"])], axis=1)
    solved = np.linalg.lstsq(columns, way.y.values)[0]
    apart = np.linalg.norm(way.path.values - solved, axis=1)
    k = int(np.argmax(apart < 1e-4 * apart[0]))
    slow = 1 - config.rate * float(np.linalg.eigvalsh(curvature(config.few))[0])
    mean_error = np.abs(found["mean"] - found.solution) / (found.exact / config.chains**0.5)
    spread_error = np.abs(found.deviation / found.exact - 1) * (2 * config.chains) ** 0.5
    cases = mean_error.size
    return [
        Check("distance of the end from the least-squares line", 0, float(apart[-1]), 1e-10,
              "least squares by singular values"),
        Check("factor by which a step shrinks the distance", slow, float(apart[k + 1] / apart[k]),
              1e-6, "1 - eta lambda_min"),
        Check(f"minibatches: largest error of {cases} mean weights, in standard errors", 0,
              float(mean_error.max()), SIGMAS, "normal equations of all points", at_most=True),
        Check(f"minibatches: largest error of {cases} spreads, in standard errors", 0,
              float(spread_error.max()), SIGMAS, "second moments of the recursion", at_most=True),
    ]  # fmt: skip


def summary(data: xr.DataTree) -> Table:
    """One row a batch size, the descent with all points first."""
    columns = (
        Column("label", "points a step", "how many examples each gradient is of", ""),
        Column("m", "slope", "where it ends; the mean over chains", ".5f"),
        Column("b", "intercept", "where it ends; the mean over chains", ".5f"),
        Column("spread", "spread of slope", "standard deviation over chains", ".5f"),
        Column("exact", "by theory", "the same by its closed form", ".5f"),
    )
    way, found = data["_way"].to_dataset(), data["_minibatches"].to_dataset()
    end = way.path.values[-1]
    rows = [{"label": f"all {way.sizes['u']}", "m": float(end[0]), "b": float(end[1])}]
    for i, batch in enumerate(found.batch.values):
        m, b = found["mean"].values[i]
        spread = {"spread": float(found.deviation[i, 0]), "exact": float(found.exact[i, 0])}
        rows.append(
            {"label": f"{batch} of {found.attrs['samples']:,}", "m": float(m), "b": float(b)}
            | spread
        )
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """The line, and how minibatches spread about theirs."""
    first, *rest = summary(data).rows
    said = ", ".join(f"{row['spread']:.4f} with {row['label']}" for row in rest)
    return (
        f"Descent ends at y = {first['m']:.4f} u + {first['b']:.4f}, the least-squares line. "
        f"With minibatches the slope scatters about that of all points by {said}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The line moving; the spread of minibatches."""
    way, found = data["_way"].to_dataset(), data["_minibatches"].to_dataset()
    return {
        "regression_descent": partial(regression_descent, way, int(found.attrs["frames"])),
        "minibatches": partial(minibatches, found),
    }


def regression_descent(way: xr.Dataset, count: int) -> plots.Figure:
    """The path over the loss surface, and the line that each of its points is."""
    last = int(np.argmax(way.loss.values < 1.0001 * way.loss.values[-1]))
    steps = np.unique(np.geomspace(1, last + 1, count).astype(int)) - 1
    shown = [0, *steps[[len(steps) // 4, len(steps) // 2]].tolist(), last]
    m, b = way.solution.values
    return plots.chart(
        "Down the loss surface, the line turns into place",
        _frame(way, shown),
        caption="Left: contours of the mean squared error over slope and intercept; a point is one "
        "step of gradient descent. Right: the points, and the line of a step.",
        alt="A path over an elongated bowl to its minimum, and the lines of four of its steps "
        f"among noisy points; the last is y = {number(float(m))} u + {number(float(b))}.",
        frames=lambda index: _frame(way, [int(steps[min(index, len(steps) - 1)])]),
        count=min(count, len(steps)),
    )


def _frame(way: xr.Dataset, steps: Sequence[int]) -> list[plots.Panel]:
    """The panels with the lines of these steps, the path up to the last of them."""
    path, k = way.path.values, steps[-1]
    levels = float(way.loss[-1]) + np.geomspace(0.02, float(way.surface.max()), 9)
    left: list[plots.Mark] = [
        plots.Contours(x=way.m.values, y=way.b.values, values=way.surface.values, levels=levels),
        plots.Line(x=path[: k + 1, 0], y=path[: k + 1, 1], label="descent", marked=1),
        plots.Points(x=path[k : k + 1, 0], y=path[k : k + 1, 1], tone="text", marker="o"),
        plots.Points(x=way.solution[:1], y=way.solution[1:], label="least squares", marker="X",
                     size=12, hollow=True),
    ]  # fmt: skip
    u = np.array([0.0, float(way.u.max())])
    right: list[plots.Mark] = [
        plots.Points(x=way.u.values, y=way.y.values, tone="muted", marker="o", size=6)
    ]
    for step in steps:
        dashes = (0, ()) if step == k else (0, (2, 2))
        y = path[step, 0] * u + path[step, 1]
        right.append(plots.Line(x=u, y=y, label="descent", dashes=dashes))
    top = float(way.y.max()) + 0.3
    note = f"step {k}: y = {path[k, 0]:.2f} u + {path[k, 1]:.2f}"
    return [
        plots.Panel(left, "Loss over slope and intercept", "slope m", "intercept b"),
        plots.Panel(
            right, "The line", "u", "y", ylim=(min(-0.3, float(way.y.min())), top), note=note
        ),
    ]


def minibatches(found: xr.Dataset) -> plots.Figure:
    """Where chains end, and how far they scatter against the batch size."""
    solution, batches = found.solution.values, found.batch.values
    clouds: list[plots.Mark] = []
    for i, batch in enumerate(batches):
        cloud = found.cloud.values[i]
        clouds.append(plots.Points(x=cloud[:, 0], y=cloud[:, 1], label=f"{batch} a step", size=5))
    clouds.append(plots.Points(x=solution[:1], y=solution[1:], label="least squares", marker="X",
                               size=13, tone="text"))  # fmt: skip
    spread: list[plots.Mark] = []
    for weight, name in enumerate(("slope m", "intercept b")):
        label = f"spread of {name}"
        spread.append(plots.Line(x=batches, y=found.exact.values[:, weight], label=label))
        measured = found.deviation.values[:, weight]
        spread.append(plots.Points(x=batches, y=measured, label=label))
    ends = ", ".join(number(float(d)) for d in found.deviation.values[:, 0])
    return plots.chart(
        "Larger minibatches end closer to the least-squares line",
        [
            plots.Panel(clouds, "Ends of some chains", "slope m", "intercept b"),
            plots.Panel(spread, "Spread of all", "points a step", "standard deviation",
                        scales=("log", "log"), ticks=(batches, None)),
        ],
        caption=f"Left: a point is where one of {found.attrs['chains']:,} descents ends, each step "
        f"on a few of {found.attrs['samples']:,} points. Right: their standard deviation; lines "
        "are the closed form.",
        alt="Clouds of weights around the least-squares line. Standard deviations of the slope: "
        f"{ends}, for {', '.join(map(str, batches))} points a step.",
    )  # fmt: skip

"""What comes of following a field? Against a gradient one settles; along a whirl one never does."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field

from lab import config, plots
from lab.calculus.fields import euler, flow, gradient_field
from lab.check import Check
from lab.experiment import Session
from lab.plots.text import number
from lab.table import Column, Table

FINE = 20
"""Steps of the Runge-Kutta method for each step of descent."""

LANES = ("gradient flow", "gradient descent", "whirl", "steps along the whirl")
REACH = 2.0
"""Distance of the drawn starts from the origin."""


class Config(config.ExperimentConfig):
    """A bowl, a rate, and how many starts follow it and a whirl."""

    precision: Literal["float64"] = "float64"
    curvatures: tuple[config.Positive, config.Positive] = Field(
        description="a and b of the bowl f = (a x^2 + b y^2)/2."
    )
    rate: config.Positive = Field(description="Learning rate: time that passes in one step.")
    steps: config.Count = Field(45, le=1000, description="Steps of descent.")
    starts: config.Count = Field(100_000, description="Random starts that the proofs follow.")
    drawn: config.Count = Field(8, le=24, description="Starts that are drawn.")
    frames: config.Side = Field(46, le=100, description="Frames of the animation.")


def bowl(curvatures: Sequence[float]) -> Callable[[Any, Any], Any]:
    """f(x, y) = (a x^2 + b y^2)/2."""
    a, b = curvatures
    return lambda x, y: (a * x**2 + b * y**2) / 2


def whirl(point: Any) -> Any:
    """The field (-y, x): it turns everything at one radian a unit of time."""
    return jnp.stack([-point[1], point[0]])


def downhill(curvatures: Sequence[float]) -> Callable[[Any], Any]:
    """The field -grad f of the bowl."""
    uphill = gradient_field(bowl(curvatures))
    return lambda point: -uphill(point)


def followed(curvatures: Sequence[float], rate: float, steps: int, start: Any) -> Any:
    """The paths of `LANES` from one start [lane, step, dim]."""
    down = downhill(curvatures)

    def smooth(field: Any) -> Any:
        ahead = lambda x: flow(field, x, rate, FINE) - x  # noqa: E731
        return euler(ahead, start, 1.0, steps)

    jumps = [euler(field, start, rate, steps) for field in (down, whirl)]
    return jnp.stack([smooth(down), jumps[0], smooth(whirl), jumps[1]])


def compute(config: Config, session: Session) -> None:
    """The paths to draw; and many more, with how far they are from closed forms."""
    angle = 2 * np.pi * (np.arange(config.drawn) + 0.35) / config.drawn
    ring = REACH * np.stack([np.cos(angle), np.sin(angle)], 1)
    follow = partial(followed, config.curvatures, config.rate, config.steps)
    starts = np.random.default_rng(config.seed).normal(size=(config.starts, 2))
    judge = partial(judged, config.curvatures, config.rate, config.steps)
    found = session.batched(judge, starts, block=1 << 14).max(axis=0)
    x = np.linspace(-1.25 * REACH, 1.25 * REACH, 101)
    values = np.asarray(bowl(config.curvatures)(x[None, :], x[:, None]))
    data = xr.Dataset(
        {
            "path": (("start", "lane", "step", "dim"), session.batched(follow, ring)),
            "surface": (("y", "x"), values),
            **{name: float(value) for name, value in zip(JUDGED, found, strict=True)},
        },
        {"x": x, "y": x},
        {"rate": config.rate, "frames": config.frames, "starts": config.starts},
    )
    session.save("_flows", data)


JUDGED = ("flow_error", "descent_error", "turn_error", "spiral_error", "rise", "factor", "left")


def judged(curvatures: Sequence[float], rate: float, steps: int, start: Any) -> Any:
    """How far one start's paths are from closed forms, relative to its distance, as in `JUDGED`.

    Flow: x_i exp(-l_i t). Descent: x_i (1 - rate l_i)^k. Whirl: turned by t. Steps along the
    whirl: turned and grown, (1 + i rate)^k. Then the largest rise of f in a piece of the flow, the
    largest factor of f in a step of descent, and the largest final distance of the flow.
    """
    smooth, jumps, turned, spiral = followed(curvatures, rate, steps, start)
    far, bends = jnp.linalg.norm(start), jnp.asarray(curvatures)[None, :]
    k = jnp.arange(steps + 1)[:, None]
    t = rate * k
    complex_start = start[0] + 1j * start[1]
    ways = [complex_start * jnp.exp(1j * t[:, 0]), complex_start * (1 + 1j * rate) ** k[:, 0]]
    exact = [start[None, :] * jnp.exp(-bends * t), start[None, :] * (1 - rate * bends) ** k]
    exact += [jnp.stack([way.real, way.imag], 1) for way in ways]
    off = [
        jnp.max(jnp.linalg.norm(path - truth, axis=1))
        for path, truth in zip((smooth, jumps, turned, spiral), exact, strict=True)
    ]
    f = bowl(curvatures)
    along, down = f(smooth[:, 0], smooth[:, 1]), f(jumps[:, 0], jumps[:, 1])
    alive = down[:-1] > 1e-250
    factor = jnp.max(jnp.where(alive, down[1:] / jnp.where(alive, down[:-1], 1), 0))
    rise = jnp.max(along[1:] - along[:-1])
    left = jnp.linalg.norm(smooth[-1]) / far
    return jnp.stack([*(one / far for one in off), rise, factor, left])


def found(data: xr.DataTree) -> xr.Dataset:
    """The saved numbers."""
    return data["_flows"].to_dataset()


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Every path is that of its closed form; f falls along the flow; the whirl keeps distances."""
    one, steps, rate = found(data), config.steps, config.rate
    bends = np.array(config.curvatures)
    many = f"over {config.starts} starts"
    grown = float(np.hypot(1, rate) ** steps)
    path = np.linalg.norm(one.path.values, axis=-1) / REACH
    stiff = max(float(bends.max()), 1.0)
    runge = (stiff * rate / FINE) ** 4 / 60 * stiff * rate * steps  # twice the leading term
    shrunk = float(np.exp(-bends.min() * rate * steps))
    return [
        Check(f"gradient flow away from exp(-l t) x, worst {many}", 0, float(one.flow_error),
              max(runge, 1e-12), "linear differential equation", at_most=True),
        Check(f"descent away from (1 - rate l)^k x, worst {many}", 0, float(one.descent_error),
              1e-12 * max(1.0, float(np.abs(1 - rate * bends).max()) ** steps),
              "linear iteration", at_most=True),
        Check(f"whirl away from a turn by t, worst {many}", 0, float(one.turn_error),
              max(runge, 1e-12), "rotation", at_most=True),
        Check(f"steps along the whirl away from (1 + i rate)^k, worst {many}", 0,
              float(one.spiral_error), 1e-12 * grown, "complex multiplication", at_most=True),
        Check(f"rise of f along the flow, largest {many}", 0, float(one.rise), 0.0,
              "df/dt = -|grad f|^2", at_most=True),
        Check(f"factor of f in a step of descent, largest {many}",
              float(np.max((1 - rate * bends) ** 2)), float(one.factor), 1e-9,
              "largest (1 - rate l)^2", at_most=True),
        Check(f"distance left after the flow, largest {many}", shrunk, float(one.left), 1e-9,
              "exp(-t) of the least curvature", at_most=True),
        Check("distance after the whirl, over that of the start", 1, float(path[:, 2, -1].mean()),
              max(runge, 1e-12), "a whirl does not come nearer to its centre"),
        Check("distance after steps along the whirl, over that of the start", grown,
              float(path[:, 3, -1].mean()), 1e-12 * grown, "|1 + i rate|^k"),
    ]  # fmt: skip


def summary(data: xr.DataTree) -> Table:
    """One row a way of following."""
    columns = (
        Column("way", "way", "what is followed, and how", ""),
        Column("end", "distance at the end", "over that at the start, mean of those drawn", ".4g"),
        Column("error", "off closed form", "worst over all starts", ".1e"),
    )
    one = found(data)
    path = np.linalg.norm(one.path.values, axis=-1) / REACH
    rows = [
        {"way": way, "end": float(path[:, lane, -1].mean()), "error": float(one[JUDGED[lane]])}
        for lane, way in enumerate(LANES)
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """Who settles."""
    ends = {row["way"]: row["end"] for row in summary(data).rows}
    return (
        f"Gradient flow and descent end at {number(ends['gradient flow'])} and "
        f"{number(ends['gradient descent'])} of their first distance from the minimum; the whirl "
        f"stays at {number(ends['whirl'])}, and steps along it end at "
        f"{number(ends['steps along the whirl'])}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The three side by side."""
    return {"flow_and_descent": partial(flow_and_descent, data)}


def flow_and_descent(data: xr.DataTree) -> plots.Figure:
    """Points that follow the gradient smoothly, in steps, and a whirl in both ways."""
    one, rows = found(data), summary(data).rows
    last, count = one.sizes["step"] - 1, int(one.attrs["frames"])
    steps = np.linspace(0, last, count).round().astype(int)
    alt = " ".join(f"{r['way']}: {number(r['end'])} of the first distance." for r in rows)
    return plots.chart(
        "Against a gradient everything settles; around a whirl nothing does",
        _panels(one, last),
        caption="Each line is the path of one start. Left and middle: against the gradient of a "
        "bowl, in continuous time and in steps of the learning rate. Right: the field (−y, x), "
        "whose curl is 2, has no minimum to go to: it leads around for ever, and steps along it "
        "lead outwards.",
        alt=f"Paths into the minimum of a bowl, and circles and spirals around a whirl. {alt}",
        columns=("way", "distance at the end, over that at the start"),
        rows=[(row["way"], row["end"]) for row in rows],
        height=5.0,
        frames=lambda index: _panels(one, int(steps[index])),
        count=count,
    )


def _panels(one: xr.Dataset, step: int) -> list[plots.Panel]:
    return [
        _panel(one, step, "gradient flow", (0,)),
        _panel(one, step, "gradient descent", (1,)),
        _panel(one, step, "a whirl", (2, 3)),
    ]


def _panel(one: xr.Dataset, step: int, title: str, lanes: Sequence[int]) -> plots.Panel:
    x, paths = one.x.values, one.path.values
    reach = 1.08 * max(REACH * 1.1, float(np.abs(paths[:, list(lanes)]).max()))
    marks: list[plots.Mark] = []
    if 2 not in lanes:
        levels = float(one.surface.max()) * np.array([0.02, 0.08, 0.18, 0.32, 0.5])
        marks.append(plots.Contours(x=x, y=x, values=one.surface.values, levels=levels))
        marks.append(plots.Points(x=[0.0], y=[0.0], marker="*", size=15, tone="text"))
    for lane in lanes:
        kept = paths[:: 1 if lane < 2 else -(-len(paths) // 2), lane]  # all circles are one
        trail = kept[:, : step + 1]
        broken = np.concatenate([trail, np.full_like(trail[:, :1], np.nan)], axis=1).reshape(-1, 2)
        x, y = broken.T
        look = plots.Style(2 if lane == 2 else 0).linestyle
        marks.append(
            plots.Line(x=x, y=y, tone=lane, label=LANES[lane], dashes=look, width=2.2)
        )  # fmt: skip
        if lane == 1:  # a bead at every step
            marks.append(plots.Points(x=x, y=y, tone=lane, size=5.5, marker="o"))
        marks.append(plots.Points(x=kept[:, step, 0], y=kept[:, step, 1], tone=lane, size=11))
    return plots.Panel(
        marks,
        title=title,
        note=f"time {step * one.attrs['rate']:.2f}",
        x="x",
        y="y",
        xlim=(-reach, reach),
        ylim=(-reach, reach),
        equal=True,
    )

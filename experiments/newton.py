"""Where does Newton's method go, and how fast, where gradient descent goes downhill?"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, optimizer, plots, starts
from lab.api import make_plan
from lab.calculus import Function
from lab.calculus.newton import bracketed_roots, cube_roots, orders
from lab.check import Check
from lab.descent import Outcome
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.optimizers import Optimizer
from lab.plan import Plan, Run
from lab.plots.text import number
from lab.table import Column, Table

METHODS = GD, NEWTON, DAMPED = "gradient descent", "Newton", "damped Newton"
MAPS = ("Newton's map", "descent")
KINDS = ("minimum", "maximum", "saddle", "nowhere")
SETTLED = (1e-12, 0.3)
"""Errors between these tell how fast a method converges: not yet rounding, no longer far."""


class Case(config.Section):
    """A function, where the drawn descents begin, and where all others do."""

    name: config.Text = Field(description="A short title.")
    function: config.FunctionField
    start: tuple[config.Finite, ...] = Field(description="Start of the descents that are drawn.")
    window: tuple[config.Finite, config.Finite] = Field(description="Ends of what is drawn.")
    rate: config.Positive = Field(description="Learning rate of gradient descent.")
    order: config.Positive = Field(2.0, description="Newton's order of convergence, from theory.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        size = self.function.dimension
        if size > 2:
            raise SpecError([Fault(("function",), "needs one or two variables")])
        if len(self.start) != size:
            message = f"{len(self.start)} coordinates, but the function has {size}"
            raise SpecError([Fault(("start",), message)])
        if self.window[0] >= self.window[1]:
            raise SpecError([Fault(("window",), "the low end must be below the high end")])
        return self


class Config(config.ExperimentConfig):
    """The functions, and the basins of the cube roots of 1."""

    precision: Literal["float64"] = "float64"
    cases: tuple[Case, ...] = Field(min_length=1, description="Functions to be minimised.")
    steps: config.Count = Field(1500, description="Updates of every descent.")
    starts: config.Side = Field(2048, description="Starts over a window of one variable.")
    side: config.Side = Field(512, description="Starts along each side of the maps; even.")
    map_steps: config.Count = Field(600, description="Updates of each start of the maps.")
    map_rate: config.Positive = Field(0.002, description="Learning rate of the descent's map.")

    @model_validator(mode="after")
    def _even(self) -> Self:
        if self.side % 2:  # an odd one puts starts on the real axis, the border of two basins
            raise SpecError([Fault(("side",), "must be even")])
        return self


def surface(f: Function) -> Callable[[jax.Array], jax.Array]:
    """The function as a loss of one vector."""
    return lambda x: f(*x)


def methods(rate: float) -> dict[str, Optimizer]:
    """The three that are compared."""
    damped = optimizer("damped_newton", DAMPED)
    return {GD: optimizer("sgd", learning_rate=rate), NEWTON: optimizer("newton"), DAMPED: damped}


def plans(config: Config) -> dict[str, Plan]:
    """Every method on every function from a grid of starts, and the two maps."""
    run = Run(steps=config.steps, gradient_below=1e-10, precision="float64")
    made = {}
    for case in config.cases:
        size = case.function.dimension
        side = config.starts if size == 1 else max(2, int(config.starts**0.5))
        box = starts.grid([case.window[0]] * size, [case.window[1]] * size, [side] * size)
        for name, method in methods(case.rate).items():
            made[f"{case.name}, {name}"] = make_plan(surface(case.function), method, box, run)
    run = Run(steps=config.map_steps, gradient_below=1e-4)
    pair = (optimizer("gauss_newton"), optimizer("sgd", learning_rate=config.map_rate))
    box = starts.grid([-1.5, -1.5], [1.5, 1.5], [config.side, config.side])
    return made | {n: make_plan(cube_roots(), o, box, run) for n, o in zip(MAPS, pair, strict=True)}


def compute(config: Config, session: Session) -> None:
    """All ends, the drawn ways, and the functions under them."""
    every = plans(config)
    for index, case in enumerate(config.cases):
        f = surface(case.function)
        ways = []
        for name in methods(case.rate):
            engine = session.sweep(f"{case.name}, {name}", every[f"{case.name}, {name}"])
            found = session.data()[f"{case.name}, {name}"].to_dataset()
            own = engine.elsewhere(starts.points([case.start]))
            path = own.replay(np.zeros((1, 3), np.int32)).point[0]
            came = own.lanes(np.zeros((1, 3), np.int32))
            ends = np.concatenate([path[-1:], found.final_point.values])
            outcome = np.concatenate([came["outcome"], found.outcome.values])
            curvature = session.batched(_curvatures(f), np.where(np.isfinite(ends), ends, 0.0))
            ways.append(_way(path, int(came["steps"][0]), _kinds(curvature, outcome), curvature[0]))
        group = xr.concat(ways, "by")
        group.attrs = {"name": case.name, "label": case.function.label, "rate": case.rate}
        session.save(f"_cases/{index}", group.merge(_drawn(session, f, case)))
    for name in MAPS:
        session.sweep(name, every[name])


def _curvatures(f: Callable) -> Callable[[jax.Array], jax.Array]:
    return lambda x: jnp.linalg.eigvalsh(jax.hessian(f)(x))


def _kinds(curvature: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """What each end is, as a number in `KINDS`; nowhere if the descent did not come to rest."""
    kind = np.where(curvature[:, 0] > 0, 0, np.where(curvature[:, -1] < 0, 1, 2))
    return np.where(outcome == Outcome.CONVERGED, kind, 3)


def _way(path: np.ndarray, steps: int, kinds: np.ndarray, curvature: np.ndarray) -> xr.Dataset:
    shares = [(kinds[1:] == number).mean() for number in range(len(KINDS))]
    return xr.Dataset(
        {
            "path": (("step", "dim"), path),
            "steps": steps,
            "kind": kinds[0],
            "curvature": ("dim", curvature),
            "share": ("kinds", shares),
        }
    )


def _drawn(session: Session, f: Callable, case: Case) -> xr.Dataset:
    """The loss, and in one variable its critical points, between the ends of the window."""
    size = case.function.dimension
    x = np.linspace(*case.window, 1001 if size == 1 else 121)
    points = np.stack(np.meshgrid(*[x] * size), axis=-1).reshape(-1, size)
    loss = session.batched(f, points).reshape([len(x)] * size)
    data: dict[str, Any] = {"loss": (("y", "x")[2 - size :], loss)}
    if size == 1:
        slope = jax.grad(lambda z: case.function(z))
        wide = np.linspace(-100, 100, 20001) + 1e-7  # no root of a textbook function lies on it
        found = bracketed_roots(lambda z: session.batched(slope, z), wide)
        data["critical"] = ("root", found)
    return xr.Dataset(data, {"x": x})


def cases(data: xr.DataTree) -> list[xr.Dataset]:
    """The saved cases, in the config's order."""
    found = [data[f"_cases/{name}"].to_dataset() for name in sorted(data["_cases"].children)]
    return [case.assign_coords(by=list(METHODS)) for case in found]


def errors(case: xr.Dataset, method: str) -> np.ndarray:
    """Distances from the end, step by step, until it is reached."""
    path = case.path.sel(by=method).values
    apart = np.linalg.norm(path - path[-1], axis=1)
    return apart[: int(case.steps.sel(by=method))]


def settled(case: xr.Dataset, method: str) -> np.ndarray:
    """The last of these distances that tell how fast it converges."""
    apart = errors(case, method)
    return apart[(apart > SETTLED[0]) & (apart < SETTLED[1])]


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Orders, rates, counts and kinds of ends; shares of the maps by symmetry."""
    made = []
    for wanted, case in zip(config.cases, cases(data), strict=True):
        made += _of_case(wanted, case)
    for name in MAPS:
        made += _of_map(name, data[name].to_dataset(), config.side)
    return made


def _of_case(wanted: Case, case: xr.Dataset) -> list[Check]:
    name, kinds = wanted.name, dict(zip(case.by.values, case.kind.values, strict=True))
    made = [Check(f"{name}: kind of the end of gradient descent (0: minimum)", 0,
                  float(kinds[GD]), 0, "f falls at every step")]  # fmt: skip
    if kinds[NEWTON] < 3:
        apart = settled(case, NEWTON)
        order = (
            float(orders(apart)[-1]) if len(apart) > 2 else np.log(apart[-1]) / np.log(apart[-2])
        )
        told = "errors square; where f is even they are cubed"
        made.append(
            Check(f"{name}: Newton's order of convergence", wanted.order, order, 0.25, told)
        )
    falls = settled(case, GD)
    slow = float(np.abs(1 - wanted.rate * case.curvature.sel(by=GD)).max())
    factor = float((falls[-1] / falls[-6]) ** 0.2)
    told = "1 - eta lambda at the minimum"
    made.append(Check(f"{name}: factor of a step of gradient descent", slow, factor, 1e-3, told))
    if "critical" in case:
        ends = case.path.isel(step=-1, dim=0).values[case.kind.values < 3]
        gap = np.abs(ends[:, None] - case.critical.values).min(axis=1).max()
        told = "bisection of f'"
        made.append(Check(f"{name}: distance of ends from critical points", 0, gap, 1e-8, told))
    ends = case.path.isel(step=-1)
    if np.linalg.norm(ends.sel(by=GD) - ends.sel(by=NEWTON)) < 1e-6:
        steps = case.steps.sel(by=[NEWTON, GD]).values
        told = f"{name}: steps of Newton, beside a tenth of gradient descent's"
        source = "quadratic against linear convergence"
        made.append(Check(told, steps[1] / 10, float(steps[0]), 0, source, at_most=True))
    return made


def _image(found: xr.Dataset, side: int) -> np.ndarray:
    """The root that each start came to: rows of y, columns of x."""
    return found.minimum.values.reshape(side, side).T


def _of_map(name: str, found: xr.Dataset, side: int) -> list[Check]:
    image, axis = _image(found, side), np.linspace(-1.5, 1.5, side)
    inside = axis[:, None] ** 2 + axis[None] ** 2 <= 1.5**2
    shares = [float((image[inside] == root).mean()) for root in range(3)]
    mirrored = np.select([image == 1, image == 2], [2, 1], image)[::-1]
    told = "z -> conj(z) swaps two roots, z -> z exp(2 pi i / 3) all three"
    return [
        Check(f"{name}: largest error of a basin's share of the disc", 0,
              max(abs(share - 1 / 3) for share in shares), 4 / side, told, at_most=True),
        Check(f"{name}: share of starts unlike their mirror image", 0,
              float((mirrored != image).mean()), 0.01, told, at_most=True),
    ]  # fmt: skip


def summary(data: xr.DataTree) -> Table:
    """One row a function and method."""
    columns = (
        Column("case", "function", "what is minimised", ""),
        Column("method", "method", "how", ""),
        Column("steps", "steps", "from the start that is drawn", "d"),
        Column("end", "ends at", "its last point", ""),
        Column("kind", "which is", "by the signs of the curvatures there", ""),
        *(Column(kind, kind, f"share of all starts that end so: {kind}", "%") for kind in KINDS),
    )
    rows = []
    for case in cases(data):
        for i, method in enumerate(case.by.values):
            end = [number(round(x, 6) + 0.0, 6) for x in case.path.values[i, -1]]
            row = {"case": case.attrs["name"], "method": str(method), "end": ", ".join(end)}
            row |= {"steps": int(case.steps[i]), "kind": KINDS[int(case.kind[i])]}
            rows.append(row | dict(zip(KINDS, case.share.values[i].tolist(), strict=True)))
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How many steps each took, and to what."""
    said = [
        f"{row['method']} on {row['case']}: {row['kind']} after {row['steps']} steps"
        for row in summary(data).rows
    ]
    return "; ".join(said) + "."


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """Ways and errors; the two maps."""
    side = round(data[MAPS[0]].sizes["start"] ** 0.5)
    maps = {name: _image(data[name].to_dataset(), side) for name in MAPS}
    return {
        "newton_vs_gd": partial(newton_vs_gd, cases(data)),
        "newton_basins": partial(newton_basins, maps),
    }


def newton_vs_gd(found: list[xr.Dataset]) -> plots.Figure:
    """Ways over each function, and below them the distances from their ends."""
    rows = summary_text(found)
    return plots.chart(
        "Newton needs few steps, but minds no downhill",
        [*(_ways(case) for case in found), *(_distances(case) for case in found)],
        grid=(2, len(found)),
        caption="Top: steps of each method from one start (square frame: outside). Bottom: "
        "distance from the point where the method ends, step by step.",
        alt=f"Ways of three methods down {len(found)} functions. {rows}",
    )


def summary_text(found: list[xr.Dataset]) -> str:
    """The ends in words."""
    return " ".join(
        f"{case.attrs['name']}, {method}: {KINDS[int(kind)]} after {int(steps)} steps."
        for case in found
        for method, kind, steps in zip(
            case.by.values, case.kind.values, case.steps.values, strict=True
        )
    )


def _ways(case: xr.Dataset) -> plots.Panel:
    x, flat = case.x.values, case.loss.ndim == 1
    marks: list[plots.Mark] = []
    if flat:
        marks.append(plots.Line(x=x, y=case.loss.values, tone="muted", width=1.6))
    else:
        levels = np.geomspace(0.5, float(case.loss.max()), 9)
        marks.append(plots.Contours(x=x, y=x, values=case.loss.values, levels=levels, width=0.8))
    for name in case.by.values:
        path = case.path.sel(by=name).values[: int(case.steps.sel(by=name)) + 1]
        across = path[:, 0]
        up = np.interp(across, x, case.loss.values, np.nan, np.nan) if flat else path[:, 1]
        marks.append(plots.Line(x=across, y=up, label=str(name), marked=1, width=1.3))
    limits = (float(x[0]), float(x[-1]))
    low, high = (float(case.loss.min()), float(case.loss.max())) if flat else limits
    air = 0.06 * (high - low) if flat else 0.0
    return plots.Panel(marks, case.attrs["name"], "x", "f(x)" if flat else "y", xlim=limits,
                       ylim=(low - air, high + air))  # fmt: skip


def _distances(case: xr.Dataset) -> plots.Panel:
    marks = []
    for name in case.by.values:
        apart = errors(case, str(name))
        apart = np.where(apart > 1e-14, apart, np.nan)
        if int(case.kind.sel(by=name)) < 3:
            steps = np.arange(1, len(apart) + 1)
            marks.append(
                plots.Line(x=steps, y=apart, label=str(name), marked=max(1, len(apart) // 9))
            )
    return plots.Panel(marks, "", "step (from 1)", "distance from its end", scales=("log", "log"))


def newton_basins(maps: dict[str, np.ndarray]) -> plots.Figure:
    """Which root each start comes to, by Newton's map and by gradient descent."""
    names = ("to z = 1", "to exp(2πi/3)", "to exp(−2πi/3)")
    panels = []
    for name, image in maps.items():
        axis = np.linspace(-1.5, 1.5, len(image))
        marks = [plots.Image(x=axis, y=axis, values=image, kind="categories", names=names)]
        panels.append(plots.Panel(marks, name, "Re z", "Im z", equal=True))
    shares = [number(float((image >= 0).mean())) for image in maps.values()]
    return plots.chart(
        "Newton's basins are fractal, those of gradient descent smooth",
        panels,
        caption="A pixel is a start; its colour and hatching say which cube root of 1 it came to. "
        "Left: the map z − (z³ − 1)/(3z²), Newton's for the equation z³ = 1 (Gauss-Newton on "
        "|z³ − 1|²). Right: gradient descent on |z³ − 1|².",
        alt="Two maps of the basins of the three cube roots of 1. Newton's interleave in chains of "
        f"ever smaller bulbs; those of gradient descent are three sectors. Shares of starts that "
        f"came to a root: {shares[0]} and {shares[1]}.",
    )

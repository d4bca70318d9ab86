"""Where does Newton's method go, and how fast, where gradient descent goes downhill?"""

import math
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
from lab.plots.newton import distances, newton_basins, newton_vs_gd
from lab.plots.text import number
from lab.table import Column, Table

METHODS = GD, NEWTON, DAMPED = "gradient descent", "Newton", "damped Newton"
MAPS = ("Newton's map", "descent")
KINDS = ("minimum", "maximum", "saddle", "nowhere")
SETTLED = (1e-12, 0.6)
"""Errors between these tell how fast a method converges: not yet rounding, no longer far."""

NEAR = 1e-5
"""A distance from the minimum at which descent contracts as the quadratic model does."""


class Case(config.Section):
    """A function, where the drawn descents begin, and where all others do."""

    name: config.Text = Field(description="A short title.")
    function: config.FunctionField
    start: tuple[config.Finite, ...] = Field(description="Start of the descents that are drawn.")
    window: tuple[config.Finite, config.Finite] = Field(description="Ends of what is drawn.")
    rate: config.Positive = Field(description="Learning rate of gradient descent.")
    order: Literal[2, 3] = Field(
        2, description="Newton's least order of convergence: 2, or 3 where f is even about its end."
    )

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
    map_steps: config.Count = Field(1500, description="Updates of each start of the maps.")
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
    # Newton throws starts near 0 far out, from where they come back.
    run = Run(steps=config.map_steps, gradient_below=1e-4, diverged_above=1e30)
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
            found = session.group(f"{case.name}, {name}")
            own = engine.elsewhere(starts.points([case.start]))
            path = own.replay(np.zeros((1, 3), np.int32)).point[0]
            came = own.lanes(np.zeros((1, 3), np.int32))
            ends = np.concatenate([path[-1:], found.final_point.values])
            outcome = np.concatenate([came["outcome"], found.outcome.values])
            curvature = session.batched(_curvatures(f), np.where(np.isfinite(ends), ends, 0.0))
            ways.append(_way(path, int(came["steps"][0]), _kinds(curvature, outcome), curvature[0]))
        group = xr.concat(ways, "by")
        if case.function.dimension == 1:
            end = group.path.isel(by=METHODS.index(NEWTON), step=-1).values
            group["constant"] = float(session.batched(partial(_constant, case), end)[0])
        group.attrs = {"name": case.name, "label": case.function.label, "rate": case.rate}
        session.save(f"_cases/{index}", group.merge(_drawn(session, f, case)))
    for name in MAPS:
        session.sweep(name, every[name])


def _constant(case: Case, x: jax.Array) -> jax.Array:
    """|e' / e^p| of a Newton step from an error e to e', where f' has no powers between 1 and p."""
    derivatives: list[Callable] = [case.function]
    for _ in range(case.order + 1):
        derivatives.append(jax.grad(derivatives[-1]))
    share = (case.order - 1) / math.factorial(case.order)
    return share * jnp.abs(derivatives[-1](x) / derivatives[2](x))


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


def settled(case: xr.Dataset, method: str) -> np.ndarray:
    """The last of these distances that tell how fast it converges."""
    apart = distances(case, method)
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
    apart = settled(case, NEWTON)
    told = "errors square, or more; where f is even they are cubed"
    made.append(Check(f"{name}: 1 / order of Newton's convergence", 1 / wanted.order,
                      float(1 / orders(apart)[-1]), 0.02, told, at_most=True))  # fmt: skip
    if "constant" in case:
        constant, p = float(case.constant), wanted.order
        source = "Taylor: (p - 1) / p! times f^(p + 1) / f'' at the end"
        told = f"{name}: last error of Newton over the one before to the power {p}"
        measured = float(apart[-1] / apart[-2] ** p)
        made.append(Check(told, constant, measured, 0.02 * constant, source))
    falls = settled(case, GD)
    slow = float(np.abs(1 - wanted.rate * case.curvature.sel(by=GD)).max())
    near = int(np.argmax(falls < NEAR))  # later, distances from where it stopped are too short
    factor = float((falls[near + 5] / falls[near]) ** 0.2)
    told = "1 - eta lambda at the minimum"
    made.append(Check(f"{name}: factor of a step of gradient descent", slow, factor, 1e-3, told))
    if "critical" in case:
        ends = case.path.isel(step=-1, dim=0).values[case.kind.values < 3]
        gap = np.abs(ends[:, None] - case.critical.values).min(axis=1).max()
        told = "bisection of f'"
        made.append(
            Check(f"{name}: distance of ends from critical points", 0, float(gap), 1e-8, told)
        )
    ends = case.path.isel(step=-1)
    if np.linalg.norm(ends.sel(by=GD) - ends.sel(by=NEWTON)) < 1e-6:
        steps = case.steps.sel(by=[NEWTON, GD]).values
        told = f"{name}: steps of Newton, beside a tenth of gradient descent's"
        source = "quadratic against linear convergence"
        made.append(Check(told, float(steps[1]) / 10, float(steps[0]), 0, source, at_most=True))
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
        "newton_vs_gd": partial(newton_vs_gd, cases(data), KINDS),
        "newton_basins": partial(newton_basins, maps),
    }

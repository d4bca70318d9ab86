"""Which pairs of learning rates train a network, and what does their boundary look like?"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, losses, plots, starts
from lab.api import make_plan
from lab.calculus.trainability import box_dimension, last_layer_limit, plain_loop, two_rates
from lab.check import Check
from lab.errors import Fault, SpecError
from lab.experiment import Session
from lab.losses import Loss
from lab.optimizers import optimizer
from lab.plan import Plan
from lab.results import labels
from lab.settings import Run
from lab.table import Column, Table

EDGE = "last layer alone"
"""The sweep whose boundary is known in closed form."""

NEAR, EDGE_CELLS = 0.1, 201
"""How far around the known boundary the rates of that sweep reach, and how many there are."""

Ends = tuple[config.Positive, config.Positive]


class Window(config.Section):
    """A rectangle of the plane of rates."""

    first: Ends = Field(description="Lowest and highest rate of the first layer.")
    second: Ends = Field(description="Lowest and highest rate of the second layer.")

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        faults = [
            Fault((name,), "the low end must be below the high end")
            for name in ("first", "second")
            if getattr(self, name)[0] >= getattr(self, name)[1]
        ]
        if faults:
            raise SpecError(faults)
        return self


class Config(config.ExperimentConfig):
    """The network, and the pictures of the plane."""

    precision: Literal["float32", "float64"] = "float32"
    width: config.Count = Field(4, le=64, description="Inputs and hidden units.")
    side: config.Side = Field(256, description="Rates along each axis of a picture.")
    steps: config.Count = Field(300, description="Full batches.")
    coarse: config.Side = Field(24, description="Rates along each axis of the plain loop's grid.")
    backend: Literal["auto", "vmap", "scalar", "kernel"] = Field(
        "auto", description="How lanes are computed; vmap compiles quickly."
    )
    windows: dict[str, Window] = Field(min_length=1, max_length=3, description="The pictures.")

    @model_validator(mode="after")
    def _no_other(self) -> Self:
        if EDGE in self.windows:
            raise SpecError([Fault(("windows", EDGE), "this label is taken")])
        return self

    @property
    def loss(self) -> Loss:
        """The network's loss; its data are made from the seed."""
        return losses.fractal_network(width=self.width, seed=self.seed)

    def drawn(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The examples and targets of that loss, drawn again, and the first weights after them."""
        rng = np.random.default_rng(self.seed)
        weights = self.width**2 + self.width
        inputs = rng.normal(size=(weights, self.width))
        return inputs, rng.normal(size=weights), rng.normal(size=weights)


def plans(config: Config) -> dict[str, Plan]:
    """A sweep for each picture, and one along the edge where the first layer stands still."""
    made = {
        name: _plan(config, np.geomspace(*window.first, config.side),
                    np.geomspace(*window.second, config.side))
        for name, window in config.windows.items()
    }  # fmt: skip
    inputs, _, weights = config.drawn()
    limit = last_layer_limit(inputs, weights)
    near = limit * np.linspace(1 - NEAR, 1 + NEAR, EDGE_CELLS)
    return {**made, EDGE: _plan(config, np.array([0.0]), near, 20, "vmap")}


def _plan(
    config: Config, first: np.ndarray, second: np.ndarray, times: int = 1, backend: str = ""
) -> Plan:
    _, _, weights = config.drawn()
    run = Run(
        steps=config.steps * times, targets=(0.9 * first_loss(config),), gradient_below=0.0,
        seed=config.seed, precision=config.precision, backend=backend or config.backend,
    )  # fmt: skip
    pair = optimizer(
        two_rates, label="two rates", split=config.width**2, first=first, second=second
    )
    return make_plan(config.loss, pair, starts.points(weights[None]), run)


def first_loss(config: Config) -> float:
    """The loss before any step."""
    return float(config.loss(config.drawn()[2]))


def compute(config: Config, session: Session) -> None:
    """All sweeps by the engine; the plain loop on a coarse grid of the first picture."""
    for name, plan in plans(config).items():
        session.sweep(name, plan)
    session.save("_setting", xr.Dataset(attrs={"first_loss": first_loss(config)}))
    window = next(iter(config.windows.values()))
    where = coarse(config)
    first, second = (
        np.geomspace(*ends, config.side)[where] for ends in (window.first, window.second)
    )
    pairs = np.stack(np.meshgrid(first, second, indexing="ij"), -1).reshape(-1, 2)
    ends = plain_loop(*config.drawn(), pairs, config.steps, diverged_above=1e8)
    shape = (len(where), len(where))
    session.save(
        "_loop", xr.Dataset({"final_loss": (("first", "second"), ends.reshape(shape))},
                            {"first": first, "second": second}),
    )  # fmt: skip


def coarse(config: Config) -> np.ndarray:
    """Places of the coarse grid in the fine one."""
    return np.unique(np.linspace(0, config.side - 1, config.coarse).round().astype(int))


def pictures(data: xr.DataTree) -> dict[str, xr.Dataset]:
    """The sweeps of pictures, without the starts' single axis."""
    names = [label for label in labels(data) if label != EDGE]
    return {name: data[name].to_dataset().isel(start=0) for name in names}


def _first(data: xr.DataTree) -> float:
    return float(data["_setting"].attrs["first_loss"])


def trained(sweep: Any, first: float) -> np.ndarray:
    """Whether each lane ended below the first loss."""
    return np.nan_to_num(sweep.final_loss.values, nan=np.inf) < first


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """The engine beside the plain loop, the known edge, and a boundary rougher than a curve."""
    first = _first(data)
    name, whole = next(iter(pictures(data).items()))
    where = coarse(config)
    fine = trained(whole, first)[np.ix_(where, where)]
    loop = trained(data["_loop"], first)
    cells = f"of {loop.size} cells of a coarse grid"
    made = [
        Check(f"{name}: share {cells} where the engine and the plain loop agree", 1,
              float(np.mean(fine == loop)), 0.03, "a loop in NumPy, gradients written out"),
        Check(f"{name}: share {cells} that train", float(loop.mean()), float(fine.mean()), 0.02,
              "the same loop"),
    ]  # fmt: skip
    inputs, _, weights = config.drawn()
    limit = last_layer_limit(inputs, weights)
    source = "the second layer's loss is quadratic: 2 / lambda_max"
    cell = 2 * NEAR / (EDGE_CELLS - 1)
    made.append(Check(f"{EDGE}: rate at which training ends, over the limit", 1,
                      edge(data, first) / limit, 2 * cell, source))  # fmt: skip
    finest = list(pictures(data).values())[-1]
    sizes = box_sizes(config.side)
    control = box_dimension(disc(config.side), sizes)
    made.append(Check(f"boxes of {sizes[0]} to {sizes[-1]} pixels: dimension of a circle", 1,
                      control, 0.12, "a smooth curve"))  # fmt: skip
    rough = box_dimension(trained(finest, first), sizes) - control
    made.append(Check("the same counter: how far the boundary's dimension exceeds it, at least", 
                      -0.3, -rough, 0, "Sohl-Dickstein 2024: the boundary is fractal",
                      at_most=True))  # fmt: skip
    return made


def edge(data: xr.DataTree, first: float) -> float:
    """The highest rate of the second layer that trains while the first stands still; 0: none."""
    sweep = data[EDGE].to_dataset().isel(start=0, first=0)
    return float(sweep.second.values[trained(sweep, first)].max(initial=0.0))


def box_sizes(side: int) -> list[int]:
    """Sides of boxes, in pixels, that leave at least eight of them along a side."""
    return [size for size in (1, 2, 4, 8, 16, 32) if size * 8 <= side]


def disc(side: int) -> np.ndarray:
    """A disc in a square of pixels: the control of the box counter."""
    across = np.linspace(-1, 1, side)
    return across[:, None] ** 2 + across**2 < 0.6


def summary(data: xr.DataTree) -> Table:
    """One row a picture."""
    columns = (
        Column("window", "picture", "its window", ""),
        Column("networks", "networks", "pairs of rates", ",.0f"),
        Column("trains", "trains", "share that ends below its first loss", "%"),
        Column("best", "best loss", "lowest final loss", ".4g"),
        Column("dimension", "box dimension", "of the boundary, over the box sizes below", ".2f"),
        Column("boxes", "boxes", "pixels a side", ""),
    )
    rows = []
    for name, sweep in pictures(data).items():
        inside = trained(sweep, _first(data))
        sizes = box_sizes(len(inside))
        rows.append(
            {
                "window": name,
                "networks": inside.size,
                "trains": float(inside.mean()),
                "best": float(np.nanmin(sweep.final_loss)),
                "dimension": box_dimension(inside, sizes),
                "boxes": f"{sizes[0]}-{sizes[-1]}",
            }
        )
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How much trains, and where the edge is."""
    rows = summary(data).rows
    alone = edge(data, _first(data))
    return (
        f"{100 * rows[0]['trains']:.1f} % of {rows[0]['networks']:,} pairs of rates train; the "
        f"boundary has box dimension {rows[-1]['dimension']:.2f} in {rows[-1]['window']!r} (boxes "
        f"of {rows[-1]['boxes']} pixels), and with the first layer still it is at rate {alone:.2f}."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """The plane, and nearer."""
    return {"trainability_map": partial(drawn, pictures(data), _first(data))}


def sooner(sweep: xr.Dataset, first: float) -> np.ndarray:
    """Decades between the last step and the one that decided: above 0 diverged, below 0 trains.

    Training is decided at the step that first has a tenth less than the first loss.
    """
    budget = int(sweep.attrs["steps_budget"])
    hit = sweep.hit_step.isel(target=0).values
    fell = np.where(hit >= 0, np.log10(np.maximum(hit, 1) / budget), 0.0)
    gone = ~(sweep.final_loss.values <= 1e8)
    early = np.log10(budget / np.maximum(sweep.steps.values, 1))
    return np.where(gone, early, np.where(trained(sweep, first), fell, 0.0))


def drawn(found: dict[str, xr.Dataset], first: float) -> plots.Figure:
    """A picture for each window, with the border of what trains."""
    images = {name: sooner(sweep, first) for name, sweep in found.items()}
    top = max(float(np.abs(values).max()) for values in images.values())
    panels: list[plots.Panel] = []
    told = []
    for name, sweep in found.items():
        x, y = np.log10(sweep.second.values), np.log10(sweep["first"].values)
        inside = trained(sweep, first)
        told.append(f"{name}: {100 * inside.mean():.1f} % train")
        image = plots.Image(x=x, y=y, values=images[name], kind="signed", limits=(-top, top),
                            label="decades before the last step")  # fmt: skip
        border = plots.Contours(x=x, y=y, values=inside.astype(float), levels=[0.5], width=0.6,
                                tone="text")  # fmt: skip
        names = [
            plots.Note(text="trains", x=x[0], y=y[-1], up="top"),
            plots.Note(text="diverges", x=x[-1], y=y[-1], up="top", across="right"),
        ]
        panels.append(plots.Panel([image, border, *(names if not panels else ())], title=name,
                                  x="log10 of the second layer's rate",
                                  y="log10 of the first layer's rate"))  # fmt: skip
    count = next(iter(found.values())).final_loss.size
    return plots.chart(
        "The border of the rates that train is ragged, and ragged again nearer",
        panels,
        caption="A pixel is one network, trained from the same weights on the same data with its "
        "own learning rate for each layer. Blue: it ends below its first loss, the stronger the "
        "sooner it had fallen by a tenth; orange: it diverged, the stronger the sooner; no "
        "colour: undecided to the last step. The line parts those that end below their first "
        "loss from the others.",
        alt=f"Maps of {count:,} networks each. {'; '.join(told)}. Their border is ragged.",
    )

"""What do the losses of the catalogue look like, and are their minima where it says?"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from lab import config, plots
from lab.check import Check
from lab.errors import Fault, SpecError, nearest
from lab.experiment import Session
from lab.losses import Loss, bbob, catalogue
from lab.losses.bbob import FUNCTIONS
from lab.survey import survey
from lab.table import Column, Table

PANELS = 12
"""The most surfaces on a page."""

CLOSE = 1e-6
"""How far Newton's method may go from a listed minimum, relative to its size and at least 1."""

KINDS = {
    "bowls": "Bowls: one minimum and no other place to stop",
    "valleys": "Valleys: a long, narrow floor with steep sides",
    "wells": "Wells: a few separate minima",
    "many_minima": "Many minima, in any dimension",
    "many_minima_2d": "Many minima, in two dimensions",
    "saddles": "Saddles and plateaus",
    "kinks": "Kinks: slopes or curvatures that jump",
    "step_sizes": "Losses made to study step sizes",
    "models": "Models",
    "more_garbow_hillstrom": "The problems of Moré, Garbow and Hillstrom",
    "bbob": "COCO's bbob suite, instance 1",
}


class Config(config.ExperimentConfig):
    """Which surfaces, how finely, and what part of them."""

    precision: Literal["float64"] = "float64"
    kinds: tuple[config.Text, ...] = Field(tuple(KINDS), description="Files of the catalogue.")
    points: config.Side = Field(201, description="Points along each side of a picture.")
    windows: dict[str, tuple[config.Finite, config.Finite]] = Field(
        {}, description="Ends of what is shown of a loss, instead of all of its box."
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        losses = {loss.name for kind in KINDS for loss in surfaces(kind)} if self.windows else set()
        faults = [
            Fault(("kinds", i), f"unknown kind {kind!r}{nearest(kind, KINDS)}")
            for i, kind in enumerate(self.kinds)
            if kind not in KINDS
        ]
        for name, (low, high) in self.windows.items():
            if name not in losses:
                told = f"no surface of the catalogue{nearest(name, losses)}"
                faults.append(Fault(("windows", name), told))
            elif low >= high:
                faults.append(Fault(("windows", name), "the low end must be below the high end"))
        if faults:
            raise SpecError(faults)
        return self


def surfaces(kind: str) -> Iterator[Loss]:
    """The losses of this kind that can have two variables, with their default parameters."""
    if kind == "bbob":
        yield from (bbob(function) for function in FUNCTIONS)
    for family in catalogue.values():
        free = family.dimension is None and family.least_dimension <= 2 >= family.multiple_of
        if family.kind == kind and (free or family.dimension == 2):
            yield family()


def compute(config: Config, session: Session) -> None:
    """Survey every surface that an earlier, interrupted run has not."""
    known = session.data().children.get("_surfaces")
    done = set(known.children) if known is not None else set()
    for kind in config.kinds:
        left = [loss for loss in surfaces(kind) if loss.name not in done]
        with session.reporter.task(kind, len(left)) as report:
            for loss in left:
                session.save(f"_surfaces/{loss.name}", _surveyed(config, kind, loss))
                report(1)


def _surveyed(config: Config, kind: str, loss: Loss) -> xr.Dataset:
    box, stated = np.array([loss.low, loss.high], float), loss.minimum()
    window = config.windows.get(loss.name)
    low, high = box if window is None else np.array(window)[:, None] * [1, 1]
    return survey(loss, low, high, config.points).assign_attrs(
        kind=kind,
        note="" if window is None else "part of its box",
        source=loss.source,
        box=f"[{box.min():g}, {box.max():g}]",
        minimum=np.nan if stated is None else stated,
        kinks=int(loss.kinks),
    )


def surveyed(data: xr.DataTree) -> dict[str, dict[str, xr.Dataset]]:
    """The surveys by kind and name, in the order of the catalogue."""
    found: dict[str, dict[str, xr.Dataset]] = {kind: {} for kind in KINDS}
    for kind, ofkind in found.items():
        for loss in surfaces(kind):
            if loss.name in data["_surfaces"].children:
                ofkind[loss.name] = data[f"_surfaces/{loss.name}"].to_dataset()
    return {kind: ofkind for kind, ofkind in found.items() if ofkind}


def _found(one: xr.Dataset) -> int:
    """How many of the listed minima Newton's method stays at."""
    reach = CLOSE * np.maximum(1, np.linalg.norm(one.minima.values, axis=1))
    return int(np.sum(one.newton_distance.values <= reach))


def _listed(one: xr.Dataset) -> int:
    """How many minima are listed where Newton's method can look for them: at no kinks."""
    return 0 if one.attrs["kinks"] else one.sizes["known_minimum"]


def _depth(one: xr.Dataset) -> float:
    """How far the lowest value of the grid is below the stated minimum, over the range shown."""
    below = one.attrs["minimum"] - float(one.loss.min())
    return max(0.0, below / float(np.ptp(one.loss.values))) if np.isfinite(below) else 0.0


def checks(config: Config, data: xr.DataTree) -> list[Check]:
    """Minima are where the catalogue lists them, and nothing on the grids is lower."""
    made = []
    for kind, found in surveyed(data).items():
        smooth = sum(map(_listed, found.values()))
        name = f"{kind}: minima at which Newton's method stays, of {smooth} listed"
        source = "catalogue of losses, whose rows name their sources"
        if smooth:
            made.append(Check(name, smooth, sum(map(_found, found.values())), 0, source))
        name = f"{kind}: depth of the grids below the stated minima, over the range shown"
        deepest = max(map(_depth, found.values()))
        made.append(Check(name, 0, deepest, 1e-12, source, at_most=True))
    return made


def summary(data: xr.DataTree) -> Table:
    """One row a kind."""
    columns = (
        Column("kind", "kind", "the file of the catalogue", ""),
        Column("surfaces", "surfaces", "losses of two variables", ".0f"),
        Column("minima", "minima", "known minima", ".0f"),
        Column("kinked", "at kinks", "minima of losses with kinks", ".0f"),
        Column("found", "stays", "others, at which Newton's method stays", ".0f"),
    )
    rows = []
    for kind, found in surveyed(data).items():
        minima = sum(one.sizes["known_minimum"] for one in found.values())
        rows.append(
            {
                "kind": kind,
                "surfaces": len(found),
                "minima": minima,
                "kinked": minima - sum(map(_listed, found.values())),
                "found": sum(map(_found, found.values())),
            }
        )
    return Table(columns, tuple(rows))


def outcomes(data: xr.DataTree) -> Table:
    """One row a surface."""
    columns = (
        Column("loss", "loss", "its name in a config", ""),
        Column("kind", "kind", "the file of the catalogue", ""),
        Column("box", "box", "its lowest and highest corner", ""),
        Column("minima", "minima", "known minima", ".0f"),
        Column("minimum", "lowest", "the stated lowest value", ".6g"),
        Column("source", "source", "where it comes from", ""),
    )
    rows = [
        {"loss": name, "minima": one.sizes["known_minimum"]}
        | {key: one.attrs[key] for key in ("kind", "box", "minimum", "source")}
        for found in surveyed(data).values()
        for name, one in found.items()
    ]
    return Table(columns, tuple(rows))


def verdict(data: xr.DataTree) -> str:
    """How many surfaces, and whether their minima are proved."""
    rows = summary(data).rows
    total = {key: sum(row[key] for row in rows) for key in ("surfaces", "minima", "found")}
    kinked = sum(row["kinked"] for row in rows)
    return (
        f"{total['surfaces']} losses of two variables have {total['minima']} known minima; "
        f"Newton's method stays at {total['found']} of the {total['minima'] - kinked} where the "
        "loss is smooth."
    )


def figures(data: xr.DataTree) -> dict[str, Callable[[], plots.Figure]]:
    """A page or more for each kind, with at most 12 surfaces."""
    made: dict[str, Callable[[], plots.Figure]] = {}
    for kind, found in surveyed(data).items():
        pages = -(-len(found) // PANELS)
        for page, names in enumerate(np.array_split(list(found), pages), start=1):
            shown = {name: found[name] for name in names.tolist()}
            ending, told = (f"_{page}", f" ({page} of {pages})") if pages > 1 else ("", "")
            made[kind + ending] = partial(plots.gallery, shown, title=KINDS[kind] + told)
    return made

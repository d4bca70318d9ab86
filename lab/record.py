"""What is kept of a lane: recorders, gathered while it runs, so that no history is ever stored.

A recorder is a frozen dataclass. The engine calls `init` and `update` (see
`lab.descent.Recorder`) and, when the lane has ended, `conclude` and `results`, which gives the
named arrays of one lane that `variables` describes; `coordinates` label their further dimensions.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from lab.descent import Descent, Lane
from lab.outcome import Point


class Variable(NamedTuple):
    """A stored variable: the dimensions that it has beyond the lane's own, its name and unit."""

    dims: tuple[str, ...]
    long_name: str
    units: str = "1"


LANE = {
    "outcome": Variable((), "why the lane ended"),
    "steps": Variable((), "updates taken", "step"),
    "minimum": Variable((), "index of the known minimum reached; -1 none"),
}
"""What is kept of every lane, whatever the recorders."""


class Recorder(ABC):
    """A recorder that keeps nothing of its own: what it reports, the lane holds anyway."""

    variables: ClassVar[Mapping[str, Variable]]

    @property
    def coordinates(self) -> Mapping[str, np.ndarray]:
        """Labels of the dimensions that the variables add."""
        return {}

    def init(self, lane: Lane) -> PyTree:
        """The empty record."""
        return ()

    def update(self, record: PyTree, t: Int[Array, ""], lane: Lane, descent: Descent) -> PyTree:
        """The record after `lane.x`, whose loss is `lane.loss`, was seen at step t."""
        return record

    def due(
        self, record: PyTree, t: Int[Array, ""], lane: Lane, descent: Descent
    ) -> Bool[Array, ""] | None:
        """Whether leaving out this update would be missed later; None where it always may be.

        Where updates are seldom due, the lanes in between are not slowed down by them.
        """
        return None

    def conclude(self, record: PyTree, lane: Lane, descent: Descent) -> PyTree:
        """The record of an ended lane: for what is too costly to work out at every step."""
        return record

    @abstractmethod
    def results(self, record: PyTree, lane: Lane) -> dict[str, Array]:
        """The arrays of one ended lane, by the names in `variables`."""


@dataclass(frozen=True)
class Last(Recorder):
    """The last point and its loss, infinite where the loss was not a finite number."""

    variables: ClassVar = {
        "final_loss": Variable((), "loss at the last point"),
        "final_point": Variable(("dim",), "last point"),
    }

    def results(self, record: PyTree, lane: Lane) -> dict[str, Array]:
        """`final_loss` and `final_point`."""
        return {"final_loss": finite_or_inf(lane.loss), "final_point": ravel(lane.x)}


@dataclass(frozen=True)
class Best(Recorder):
    """The lowest loss seen, and the step at which it was first seen."""

    variables: ClassVar = {
        "best_loss": Variable((), "lowest loss seen"),
        "best_step": Variable((), "step of the lowest loss", "step"),
    }

    def results(self, record: PyTree, lane: Lane) -> dict[str, Array]:
        """`best_loss` and `best_step`."""
        return {"best_loss": finite_or_inf(lane.lowest), "best_step": lane.lowest_at}


@dataclass(frozen=True)
class HittingTime(Recorder):
    r"""The first step at which the loss came within each target: min{t : f(x_t) - f* <= target}.

    Several targets in one pass; -1 for those never reached. f* is the lowest known loss, 0 where
    none is known (Hansen et al., *COCO*, Optimization Methods and Software 36, 2021, section 3).

    Attributes:
        targets: distances above the lowest known loss.
    """

    targets: tuple[float, ...]
    variables: ClassVar = {
        "hit_step": Variable(
            ("target",), "first step within the target of the lowest known loss; -1 never", "step"
        )
    }

    @property
    def coordinates(self) -> Mapping[str, np.ndarray]:
        """The targets."""
        return {"target": np.asarray(self.targets, np.float64)}

    def init(self, lane: Lane) -> PyTree:
        """No target hit yet."""
        return jnp.full((len(self.targets),), -1, jnp.int32)

    def update(self, record: PyTree, t: Int[Array, ""], lane: Lane, descent: Descent) -> PyTree:
        """Note the step for every target that is hit for the first time."""
        targets = jnp.asarray(self.targets, lane.loss.dtype)
        hit = (lane.loss - descent.minimum <= targets) & (lane.loss > -jnp.inf)
        return jnp.where((record < 0) & hit, t, record)

    def due(
        self, record: PyTree, t: Int[Array, ""], lane: Lane, descent: Descent
    ) -> Bool[Array, ""]:
        """When the easiest target that is left may be hit.

        What the loss is compared with does not change while none is hit; it is higher than the
        target by more than what rounding does to f - f* and to their sum.
        """
        if not self.targets:
            return jnp.zeros((), bool)
        targets, minimum = jnp.asarray(self.targets, lane.loss.dtype), descent.minimum
        easiest = jnp.max(jnp.where(record < 0, targets, -jnp.inf))
        slack = 4 * jnp.finfo(minimum.dtype).eps * (jnp.abs(minimum) + jnp.max(jnp.abs(targets)))
        return lane.loss <= minimum + easiest + slack

    def results(self, record: PyTree, lane: Lane) -> dict[str, Array]:
        """`hit_step`, one a target."""
        return {"hit_step": record}


@dataclass(frozen=True)
class Snapshots(Recorder):
    """The loss and the point at chosen steps; after a lane's end, those that it ended with.

    Attributes:
        at: the steps, 0 being the start.
    """

    at: tuple[int, ...]
    variables: ClassVar = {
        "snapshot_loss": Variable(("snapshot",), "loss at the snapshot's step"),
        "snapshot_point": Variable(("snapshot", "dim"), "point at the snapshot's step"),
    }

    @property
    def coordinates(self) -> Mapping[str, np.ndarray]:
        """The steps."""
        return {"snapshot": np.asarray(self.at, np.int64)}

    def init(self, lane: Lane) -> PyTree:
        """Room for every snapshot."""
        x = ravel(lane.x)
        loss = jnp.full((len(self.at),), jnp.inf, lane.loss.dtype)
        return loss, jnp.zeros((len(self.at), x.size), x.dtype)

    def update(self, record: PyTree, t: Int[Array, ""], lane: Lane, descent: Descent) -> PyTree:
        """Fill this snapshot and every later one, so that an ended lane stays as it ended."""
        losses, points = record
        due = jnp.asarray(self.at, jnp.int32) >= t
        losses = jnp.where(due, finite_or_inf(lane.loss), losses)
        return losses, jnp.where(due[:, None], ravel(lane.x)[None, :], points)

    def due(
        self, record: PyTree, t: Int[Array, ""], lane: Lane, descent: Descent
    ) -> Bool[Array, ""]:
        """At the snapshots themselves."""
        return jnp.any(jnp.asarray(self.at, jnp.int32) == t)

    def results(self, record: PyTree, lane: Lane) -> dict[str, Array]:
        """`snapshot_loss` and `snapshot_point`."""
        losses, points = record
        return {"snapshot_loss": losses, "snapshot_point": points}


def ravel(x: Point) -> Float[Array, " dim"]:
    """A point as one vector, leaf after leaf."""
    return jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(x)])


def finite_or_inf(loss: Float[Array, "..."]) -> Float[Array, "..."]:
    """A loss that is not a finite number counts as infinitely bad, so that medians stay right."""
    return jnp.where(jnp.isfinite(loss), loss, jnp.inf)

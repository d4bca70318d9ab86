"""What a sweep will run: the lanes, their dimensions, their blocks, and what is kept of them."""

import itertools
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from lab import reduce
from lab.blocks import Layout, layout
from lab.descent import REASONS, Limits
from lab.losses import Loss
from lab.optimizers import Optimizer
from lab.program import Inputs, Problem
from lab.record import Best, HittingTime, Last, Recorder, Snapshots
from lab.starts import Starts

NUMBERS = (bool, int, float, str, type(None))
"""Parameters of a loss that stay what they are in Python, as its function may need them to be."""

CPU_TILE = 1024
"""Lanes whose state stays in a core's cache."""


@dataclass(frozen=True)
class Run:
    """How lanes are run: the `[run]` table, the seed and the precision of a config.

    Attributes:
        steps: updates that a lane may take.
        seeds: how many times each start is run, where loss or optimizer is random.
        targets: losses above the lowest known one whose hitting times are kept.
        diverged_above: see `lab.descent.Limits`.
        gradient_below: see `lab.descent.Limits`.
        patience: see `lab.descent.Limits`; None for a tenth of the steps, and at least 10.
        minimum_within: distance at which a lane has reached a known minimum.
        snapshots: steps whose loss and point are kept.
        keep: "lanes", or "reduced" for counts across starts only.
        backend: "auto" or "vmap".
        block: the most lanes in a block.
        seed: of starts and noise.
        precision: "float32", "float64" or "bfloat16".
        record: recorders in place of Last, Best, HittingTime and Snapshots.
    """

    steps: int = 1000
    seeds: int = 1
    targets: tuple[float, ...] = (1e-2, 1e-4, 1e-6)
    diverged_above: float = 1e8
    gradient_below: float = 1e-4
    patience: int | None = None
    minimum_within: float = 1e-2
    snapshots: tuple[int, ...] = ()
    keep: str = "lanes"
    backend: str = "auto"
    block: int = 65536
    seed: int = 0
    precision: str = "float32"
    record: tuple[Recorder, ...] | None = None

    @property
    def recorders(self) -> tuple[Recorder, ...]:
        """What is kept of each lane."""
        if self.record is not None:
            return tuple(self.record)
        snapshots = (Snapshots(tuple(self.snapshots)),) if self.snapshots else ()
        return (Last(), Best(), HittingTime(tuple(self.targets)), *snapshots)

    @property
    def limits(self) -> Limits:
        """When lanes end."""
        patience = max(10, self.steps // 10) if self.patience is None else self.patience
        return Limits(self.steps, self.diverged_above, self.gradient_below, patience)

    @property
    def criteria(self) -> dict[str, str]:
        """Each outcome's criterion in words, with this run's numbers."""
        numbers = self.limits._asdict()
        return {reason.label: text.format(**numbers) for reason, text in REASONS.items()}


def labels(values: PyTree) -> np.ndarray:
    """What tells the values of a sweep apart: numbers themselves, else their places in it."""
    numbers = isinstance(values, np.ndarray) and values.ndim == 1
    return values if numbers else np.arange(len(jax.tree.leaves(values)[0]))


def value_at(values: PyTree, place: Any) -> PyTree:
    """One value of a sweep."""
    return jax.tree.map(lambda leaf: leaf[place], values)


def traced(values: np.ndarray) -> jax.Array:
    """The values of a sweep in JAX's default precision; whole numbers and flags stay such."""
    return jnp.asarray(values, {"i": int, "b": bool}.get(values.dtype.kind, float))


@dataclass(frozen=True)
class Plan:
    """One (loss, optimizer) over its settings, seeds and starts."""

    loss: Loss
    optimizer: Optimizer
    starts: Starts
    run: Run = field(default_factory=Run)
    platform: str = "cpu"

    @cached_property
    def axes(self) -> dict[str, np.ndarray]:
        """The swept keys and their labels: the loss's, then the optimizer's, in config order."""
        return {name: labels(values) for name, values in self.swept.items()}

    @cached_property
    def swept(self) -> dict[str, PyTree]:
        """The swept keys and their values, along the leading axis of an array or of each leaf."""
        own = {self.loss_axis(name): values for name, values in self.loss.swept.items()}
        return {**own, **self.optimizer.swept}

    def loss_axis(self, name: str) -> str:
        """The dimension of a swept parameter of the loss: its name, unless that is taken."""
        return f"loss.{name}" if name in self.optimizer.swept else name

    @cached_property
    def layout(self) -> Layout:
        """The lanes' dimensions and their cut into blocks."""
        untraceable = self.optimizer.untraceable
        reduced = self.run.keep == "reduced"
        block = min(self.run.block, reduce.LANES) if reduced else self.run.block
        return layout(
            [len(values) for values in self.axes.values()],
            self.run.seeds,
            self.starts.count,
            block=block,
            tile=CPU_TILE if self.platform == "cpu" else block,
            alone=[i for i, name in enumerate(self.axes) if name in untraceable],
            rows=reduce.ROWS if reduced else None,
        )

    @cached_property
    def dims(self) -> dict[str, int]:
        """The stored lane dimensions: swept keys, `seed` if there are several, `start`."""
        names = [*self.axes, "seed", "start"]
        sizes = dict(zip(names, self.layout.sizes, strict=True))
        if self.run.seeds == 1:
            del sizes["seed"]
        return sizes

    def precision(self) -> AbstractContextManager:
        """The context in which JAX's default number has the run's precision."""
        return jax.enable_x64(self.run.precision == "float64")

    @property
    def dtype(self) -> np.dtype:
        """The type of points and losses."""
        return jnp.dtype(self.run.precision)

    @cached_property
    def point(self) -> Any:
        """The shape and type of a start, leaf by leaf."""
        with self.precision():
            first = jax.eval_shape(self.starts, jnp.int32(0), jax.random.key(0))
        return jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, self.dtype), first)

    @cached_property
    def dimension(self) -> int:
        """How many numbers a point has."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.point))

    @cached_property
    def combinations(self) -> list[dict[str, Any]]:
        """The combinations of the loss's swept parameters, the last fastest."""
        swept = self.loss.swept
        places = itertools.product(*(range(len(labels(values))) for values in swept.values()))
        return [
            {
                name: value_at(values, i)
                for (name, values), i in zip(swept.items(), place, strict=True)
            }
            for place in places
        ]

    @cached_property
    def minimum(self) -> np.ndarray:
        """The lowest known loss of each combination, 0 where none is known."""
        return np.array([self.loss.minimum(**chosen) or 0.0 for chosen in self.combinations])

    @cached_property
    def minima(self) -> np.ndarray:
        """All known minima, [combination, minimum, dim]; NaN where a combination has fewer."""
        known = [self.loss.minima(**chosen) for chosen in self.combinations]
        minima = np.full((len(known), max(map(len, known)), self.dimension), np.nan)
        for row, points in zip(minima, known, strict=True):
            row[: len(points)] = points.reshape(len(points), self.dimension)
        return minima

    def setting(self, index: Mapping[str, int]) -> int:
        """The number of the setting at this place along each swept key."""
        place = tuple(index[name] for name in self.axes)
        return int(np.ravel_multi_index(place, self.layout.axes)) if place else 0

    def fixed(self, setting: int) -> dict[str, Any]:
        """The values, at that setting, of the swept keys that cannot be traced."""
        index = np.unravel_index(setting, self.layout.axes) if self.axes else ()
        chosen = dict(zip(self.axes, index, strict=True))
        return {
            name: self.axes[name][chosen[name]].item()
            for name in self.axes
            if name in self.optimizer.untraceable
        }

    def problem(self, fixed: Mapping[str, Any]) -> Problem:
        """What is compiled for the lanes with these values of the untraceable keys."""
        own = {self.loss_axis(name): name for name in self.loss.swept}
        return Problem(
            loss=self.loss,
            optimizer=self.optimizer,
            fixed=dict(fixed),
            starts=self.starts,
            recorders=self.run.recorders,
            dtype=self.dtype,
            sizes=dict(zip(self.axes, self.layout.axes, strict=True)),
            loss_axes=own,
        )

    def inputs(self) -> Inputs:
        """What is traced and the same for all lanes."""

        def number(values: Any) -> jax.Array:
            values = np.asarray(values)
            whole = np.issubdtype(values.dtype, np.integer)
            return jnp.asarray(values, jnp.int32 if whole else self.dtype)

        arrays = {k: v for k, v in self.loss.parameters.items() if not isinstance(v, NUMBERS)}
        limits = self.run.limits
        loss = jax.eval_shape(self._first_loss, self.point)
        return Inputs(
            key=jax.random.key(self.run.seed),
            axes={
                name: jax.tree.map(traced, values)
                for name, values in self.swept.items()
                if name not in self.optimizer.untraceable
            },
            constants=jax.tree.map(number, arrays),
            limits=Limits(
                jnp.int32(limits.steps),
                jnp.asarray(limits.diverged_above, loss.dtype),
                jnp.asarray(limits.gradient_below, self.dtype),
                jnp.int32(limits.patience),
            ),
            minimum=jnp.asarray(self.minimum, loss.dtype),
            minima=jnp.asarray(self.minima, self.dtype),
            within=jnp.asarray(self.run.minimum_within, self.dtype),
        )

    def losses(self, points: np.ndarray) -> np.ndarray:
        """The loss at many points [point, dim], with the first values of what is swept in it."""
        with self.precision():
            values = jax.jit(jax.vmap(self._first_loss))(jnp.asarray(points, self.dtype))
        return np.asarray(values, np.float64)

    def _first_loss(self, x: Any) -> jax.Array:
        return self.loss(x, step=jnp.int32(0), key=jax.random.key(0), **self.combinations[0])

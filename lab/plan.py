"""What a sweep will run: the lanes, their dimensions, their blocks, and what is kept of them."""

import itertools
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from lab import backends, reduce
from lab.blocks import Layout, layout
from lab.errors import Fault, SpecError
from lab.losses import Loss
from lab.names import RESERVED
from lab.optimizers import Optimizer
from lab.outcome import Limits
from lab.problem import ONE, Inputs, Problem
from lab.settings import Run
from lab.starts import Starts

NUMBERS = (bool, int, float, str, type(None))
"""Parameters of a loss that stay what they are in Python, as its function may need them to be."""

TILES = {"vmap": 1024, "scalar": 1024, "kernel": 1024}
"""Lanes that a CPU core works through together: for `vmap` and `scalar`, their state stays in its
cache; a kernel takes whole blocks, and this is what they are a multiple of."""

BLOCKS = {"cpu": (2**16, 2**18, 2**24), "gpu": (2**16, 2**20, 2**26)}
"""Where none is asked for: the fewest and the most lanes of a block, and the bytes that their
states may take. What a block costs besides its steps weighs less in larger ones, until they no
longer fit into a cache."""


def labels(values: PyTree) -> np.ndarray:
    """What tells the values of a sweep apart: numbers themselves, else their places in it."""
    numbers = isinstance(values, np.ndarray) and values.ndim == 1
    return values if numbers else np.arange(len(jax.tree.leaves(values)[0]))


def of_kind(found: Any) -> str:
    """`a value of shape (2,) and type float32`."""
    shape, dtype = getattr(found, "shape", None), getattr(found, "dtype", None)
    return f"a value of shape {shape} and type {dtype}" if dtype else type(found).__name__


def value_at(values: PyTree, place: Any) -> PyTree:
    """One value of a sweep."""
    return jax.tree.map(lambda leaf: leaf[place], values)


def traced(values: np.ndarray) -> jax.Array:
    """The values of a sweep in JAX's default precision; whole numbers and flags stay such."""
    return jnp.asarray(values, {"i": int, "b": bool}.get(values.dtype.kind, float))


def _largest(dtype: Any) -> float:
    """The largest finite number of a type."""
    return float(jnp.finfo(dtype).max)


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
        return f"loss.{name}" if name in self.optimizer.swept or name in RESERVED else name

    @cached_property
    def layout(self) -> Layout:
        """The lanes' dimensions and their cut into blocks."""
        untraceable = self.optimizer.untraceable
        reduced = self.run.keep == "reduced"
        block = min(self.block, reduce.LANES) if reduced else self.block
        return layout(
            self.sizes,
            self.run.seeds,
            self.starts.count,
            block=block,
            tile=self.tile if self.platform == "cpu" else block,
            alone=[i for i, name in enumerate(self.axes) if name in untraceable],
            rows=reduce.ROWS if reduced else None,
        )

    @cached_property
    def block(self) -> int:
        """The most lanes in a block: as asked, or the power of 2 that suits the state of one."""
        if self.run.block is not None:
            return self.run.block
        fewest, most, room = BLOCKS["cpu" if self.platform == "cpu" else "gpu"]
        return max(fewest, min(most, 2 ** math.floor(math.log2(room / self.lane_bytes))))

    @cached_property
    def lane_bytes(self) -> int:
        """The bytes of a lane's state."""
        with self.precision():
            lane = jax.eval_shape(self.problem(self.fixed(0)).begin, self.inputs(), ONE)
        return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(lane))

    @property
    def tile(self) -> int:
        """How many lanes are worked through together."""
        return TILES[self.choice.backend]

    @cached_property
    def choice(self) -> backends.Choice:
        """The backend that runs this, and why."""
        with self.precision():
            problem = self.problem(self.fixed(0))
            return backends.choose(problem, self.inputs(), self.run.backend, self.platform)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of values of each swept key."""
        return tuple(len(values) for values in self.axes.values())

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
        return int(np.ravel_multi_index(place, self.sizes)) if place else 0

    def fixed(self, setting: int) -> dict[str, Any]:
        """The values, at that setting, of the swept keys that cannot be traced."""
        index = np.unravel_index(setting, self.sizes) if self.axes else ()
        chosen = dict(zip(self.axes, index, strict=True))
        return {
            name: self.axes[name][chosen[name]].item()
            for name in self.axes
            if name in self.optimizer.untraceable
        }

    def problem(self, fixed: Mapping[str, Any]) -> Problem:
        """What is compiled for the lanes with these values of the untraceable keys."""
        key = tuple(fixed.items())
        if key not in self._problems:
            self._problems[key] = self._problem(fixed)
        return self._problems[key]

    @cached_property
    def _problems(self) -> dict[tuple, Problem]:
        return {}

    def _problem(self, fixed: Mapping[str, Any]) -> Problem:
        own = {self.loss_axis(name): name for name in self.loss.swept}
        return Problem(
            loss=self.loss,
            optimizer=self.optimizer,
            fixed=dict(fixed),
            starts=self.starts,
            recorders=self.run.recorders,
            dtype=self.dtype,
            sizes=dict(zip(self.axes, self.sizes, strict=True)),
            loss_axes=own,
            watch=self.run.watch,
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
                # An infinite limit would leave nothing beyond it, infinity itself included.
                jnp.asarray(min(limits.diverged_above, _largest(loss.dtype)), loss.dtype),
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

    def check_loss(self) -> None:
        """Raise SpecError unless the loss takes these points and gives one real number."""
        try:
            with self.precision():
                found = jax.eval_shape(self._first_loss, self.point)
        except SpecError:
            raise
        except Exception as error:  # whatever a user's function may raise at such a point
            message = f"{self.loss.name} cannot be evaluated at these starts: {error}"
            raise SpecError([Fault(("loss",), message.split("\n")[0])]) from error
        if getattr(found, "shape", None) != () or not jnp.issubdtype(found.dtype, jnp.floating):
            message = (
                f"{self.loss.name} must return one floating-point number, not {of_kind(found)}"
            )
            raise SpecError([Fault(("loss",), message)])

    def _first_loss(self, x: Any) -> jax.Array:
        return self.loss(x, step=jnp.int32(0), key=jax.random.key(0), **self.combinations[0])

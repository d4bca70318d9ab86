"""What every contender computes: lanes of one loss under one optimizer, from the same starts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from lab import losses, starts
from lab.losses import Loss
from lab.record import Last
from lab.settings import Run
from lab.starts import Starts

OPTIMIZERS: dict[str, tuple[str, dict[str, float]]] = {
    "sgd": ("sgd", {}),
    "heavy ball": ("sgd", {"momentum": 0.9}),
    "adam": ("adam", {}),
    "lion": ("lion", {}),
}
"""optax's name and the settings that are not its own defaults."""

LOSSES = ("rosenbrock", "rastrigin", "three_wells", "tanh_network", "logistic_regression")
"""The losses that peers have by hand, with their default parameters."""

TARGETS = (1e-1, 1e-2, 1e-3)

Ends = Mapping[str, np.ndarray]
"""`final_point` [lane, dim]; with recording also `final_loss`, `best_loss`, `outcome`, `hit_step`.
"""

Contender = Callable[[], Ends]
"""One whole run, from starts that are in place to ends that the host can read."""


@dataclass(frozen=True)
class Task:
    """One run that contenders are timed on.

    Nothing converges early (the gradient must vanish exactly), so lane-steps are lanes x steps.

    Attributes:
        loss: a name of `LOSSES`.
        dimension: of the points.
        optimizer: a name of `OPTIMIZERS`.
        learning_rate: its step size, the same for every lane.
        lanes: how many.
        steps: how many each takes.
        recording: keep last and best loss, three hitting times, the outcome; freeze ended lanes.
        precision: "float32" or "float64".
        platform: "cpu", or what JAX calls the accelerator.
        cores: CPU cores that may be used.
        seed: of the starts.
    """

    loss: str
    dimension: int
    optimizer: str
    learning_rate: float
    lanes: int
    steps: int
    recording: bool = False
    precision: str = "float32"
    platform: str = "cpu"
    cores: int = 1
    seed: int = 0

    @cached_property
    def lab_loss(self) -> Loss:
        """The catalogue's loss in this dimension."""
        given = {} if own_dimension(self.loss) else {"dimension": self.dimension}
        return getattr(losses, self.loss)(**given)

    @property
    def transformation(self) -> optax.GradientTransformation:
        """The optimizer as optax makes it."""
        name, settings = OPTIMIZERS[self.optimizer]
        return getattr(optax, name)(self.learning_rate, **settings)

    @cached_property
    def starts(self) -> Starts:
        """Uniform in the loss's box: start i is the same for any number of lanes."""
        box = self.lab_loss
        return starts.uniform(box.low, box.high, self.lanes)

    @property
    def run(self) -> Run:
        """The same run in the lab's words; with nothing recorded, only the ends are looked at."""
        return Run(
            steps=self.steps, targets=TARGETS, gradient_below=0.0, watch=self.recording,
            record=None if self.recording else (Last(),), seed=self.seed, precision=self.precision,
        )  # fmt: skip

    @property
    def minimum(self) -> float:
        """The lowest known loss, from which targets count; 0 where none is known."""
        return self.lab_loss.minimum() or 0.0

    def points(self) -> Float[np.ndarray, "lane dim"]:
        """The starts, written out."""
        with jax.enable_x64(self.precision == "float64"):
            key = jax.random.key(self.seed)
            draw = jax.jit(jax.vmap(lambda index: self.starts(index, key)))
            return np.asarray(draw(jnp.arange(self.lanes, dtype=jnp.int32)))

    def lacks(self, *, recording: bool, platforms: Any = ("cpu",)) -> str | None:
        """Why a peer that can do no more than this cannot take the task; None if it can."""
        if self.loss not in LOSSES:
            return f"has no {self.loss}"
        if self.platform not in platforms:
            return f"does not run on {self.platform}"
        return "keeps no records" if self.recording and not recording else None


def own_dimension(loss: str) -> int | None:
    """The dimension of a loss at its default sizes; None if any may be chosen."""
    model = losses.MODELS.get(loss)
    return losses.catalogue[loss].dimension if model is None else model().dimension

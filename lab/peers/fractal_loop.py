"""The fractal boundary of trainability: a grid of two learning rates, one network, full batches.

After Sohl-Dickstein 2024, arXiv 2402.06184: a network of one hidden layer, the same first weights
everywhere, a learning rate for each layer along each axis of the picture. Two ways to draw it: the
notebook's (a scan of steps that keeps every loss, under vmap over pairs of rates, chunk by chunk;
our own code) and the lab's (the pairs are settings of one sweep).
"""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lab import starts
from lab.api import make_plan
from lab.calculus.trainability import two_rates
from lab.devices import local_devices
from lab.engine import Engine
from lab.losses import Loss, as_loss
from lab.optimizers import optimizer
from lab.peers.ours import collected
from lab.peers.task import Contender, Ends
from lab.settings import Run

CHUNK = 65536
"""Pairs of rates that the notebook's way trains at once."""

CAP = 1e6
"""Losses, relative to the first, count as at most this much."""

RATES = (1e-1, 1e3)
"""The corners of the picture, on both axes."""


@dataclass(frozen=True)
class Picture:
    """side x side pairs of rates; `width` inputs and hidden units; `steps` full batches."""

    side: int
    width: int
    steps: int
    precision: str = "float32"
    seed: int = 0

    @property
    def lanes(self) -> int:
        """Networks trained."""
        return self.side**2

    @property
    def weights(self) -> int:
        """The first layer's, then the second's."""
        return self.width**2 + self.width

    @cached_property
    def drawn(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As many normal examples as there are weights, their targets, and the first weights."""
        rng = np.random.default_rng(self.seed)
        inputs = rng.normal(size=(self.weights, self.width))
        return inputs, rng.normal(size=self.weights), rng.normal(size=self.weights)

    @property
    def loss(self) -> Loss:
        """mean_j (<c, tanh(A u_j / sqrt(n))> / n - y_j)^2 of the flat weights (A, c)."""
        inputs, targets, _ = self.drawn
        n, split = self.width, self.width**2

        def fractal_network(w: Float[Array, " weights"]) -> Float[Array, ""]:
            u, y = jnp.asarray(inputs, w.dtype), jnp.asarray(targets, w.dtype)
            hidden = jnp.tanh(u @ w[:split].reshape(n, n).T / np.sqrt(n))
            return jnp.mean((hidden @ w[split:] / n - y) ** 2)

        return as_loss(fractal_network, dimension=self.weights)

    @property
    def rates(self) -> Float[np.ndarray, " side"]:
        """The learning rates along each axis."""
        return np.geomspace(*RATES, self.side)


def notebook(picture: Picture) -> Contender:
    """The notebook's way, compiled."""
    loss, split = picture.loss, picture.width**2
    first = picture.drawn[2].astype(picture.precision)

    def train(pair: Float[Array, "2"]) -> tuple[Array, Array]:
        rate = jnp.where(jnp.arange(first.size) < split, pair[0], pair[1])

        def step(w: Array, _: None) -> tuple[Array, Array]:
            f, g = jax.value_and_grad(loss)(w)
            return w - rate * g, f

        w, history = jax.lax.scan(step, jnp.asarray(first), length=picture.steps)
        return loss(w), measure(history)

    grid = np.stack(np.meshgrid(picture.rates, picture.rates, indexing="ij"), -1).reshape(-1, 2)
    pairs = grid.astype(picture.precision)
    trained = jax.jit(jax.vmap(train))

    def run() -> Ends:
        with jax.enable_x64(picture.precision == "float64"):
            ends = [trained(pairs[i : i + CHUNK]) for i in range(0, len(pairs), CHUNK)]
        losses, colours = (np.concatenate(arrays) for arrays in zip(*ends, strict=True))
        return {"final_loss": losses, "colour": colours}

    run()
    return run


def measure(history: Float[Array, " step"]) -> Float[Array, ""]:
    """The paper's colour: minus the sum of relative losses if they fell, else that of 1 / them."""
    relative = history / history[0]
    relative = jnp.where(jnp.isfinite(relative), jnp.minimum(relative, CAP), CAP)
    converged = jnp.mean(relative[-20:]) < 1
    return jnp.where(converged, -jnp.sum(relative), jnp.sum(1 / relative))


def ours(picture: Picture, backend: str = "auto") -> Contender:
    """The lab's way, with its usual records, compiled."""
    run = Run(steps=picture.steps, gradient_below=0.0, precision=picture.precision, backend=backend)
    rates = {"first": picture.rates, "second": picture.rates}
    both = optimizer(two_rates, label="two rates", split=picture.width**2, **rates)
    plan = make_plan(picture.loss, both, starts.points(picture.drawn[2][None]), run)
    engine, ends = Engine(plan, local_devices()), dict[str, np.ndarray]()

    def whole() -> Ends:
        return collected(engine, ("final_loss", "best_loss", "hit_step"), ends)

    whole()
    return whole


def losses_of(ends: Ends) -> Ends:
    """The final losses, capped, as ends to be compared."""
    losses = np.asarray(ends["final_loss"], np.float64).reshape(-1, 1)
    return {"final_point": np.where(losses < CAP, losses, CAP)}

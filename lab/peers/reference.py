"""Plain descent in float64, one step after the other: what every contender's ends must agree with.

Gradients are JAX's of the catalogue's loss; the optimizers are written out from their papers'
formulas, independently of optax.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from lab.outcome import Outcome
from lab.peers.task import TARGETS, Ends, Task

Points = Float[np.ndarray, "lane dim"]
AGREEING = 0.9
"""The share of lanes that must agree: one on a watershed may end on either side of it."""


def descend(task: Task, lanes: int) -> Ends:
    """The ends of the task's first lanes, and their records, in float64."""
    x = task.points()[:lanes].astype(np.float64)
    step, record = Steps(task.optimizer, task.learning_rate), Record(task, len(x))
    with jax.enable_x64(True):
        both = jax.jit(jax.vmap(jax.value_and_grad(task.lab_loss)))
        for t in range(task.steps + 1):
            f, g = (np.asarray(a) for a in both(jnp.asarray(x)))
            moves = record.see(t, f, g, x)
            new = np.where(moves[:, None], step(x, g), x)
            record.moved[np.any(new != x, axis=1)] = t + 1
            x = new
    return {"final_point": x, **record.results}


@dataclass
class Steps:
    """x -> the next x, for an optimizer with its usual settings; moments start at zero."""

    optimizer: str
    rate: float
    t: int = 0
    m: np.ndarray | float = 0.0
    v: np.ndarray | float = 0.0

    def __call__(self, x: Points, g: Points) -> Points:
        """The points after one update."""
        self.t += 1
        rules: dict[str, Callable[[Points, Points], Points]] = {
            "sgd": lambda x, g: g, "heavy ball": self._heavy_ball, "adam": self._adam,
            "lion": self._lion,
        }  # fmt: skip
        return x - self.rate * rules[self.optimizer](x, g)

    def _heavy_ball(self, x: Points, g: Points) -> Points:
        """Polyak 1964: m = g + 0.9 m."""
        self.m = g + 0.9 * self.m
        return self.m

    def _adam(self, x: Points, g: Points) -> Points:
        """Kingma & Ba 2015, algorithm 1."""
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g**2
        m_hat, v_hat = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
        return m_hat / (np.sqrt(v_hat) + 1e-8)

    def _lion(self, x: Points, g: Points) -> Points:
        """Chen et al. 2023, algorithm 2, with optax's weight decay of 0.001."""
        sign = np.sign(0.9 * self.m + 0.1 * g)
        self.m = 0.99 * self.m + 0.01 * g
        return sign + 1e-3 * x


@dataclass
class Record:
    """The records of lanes, as `lab.descent` defines them, for runs that stay finite."""

    task: Task
    lanes: int
    moved: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        whole = np.zeros(self.lanes, np.int32)
        self.moved, self.lowest_at, self.outcome = whole.copy(), whole.copy(), whole.copy()
        self.last, self.lowest = np.full((2, self.lanes), np.inf)
        self.hits = np.full((self.lanes, len(TARGETS)), -1)

    def see(self, t: int, f: np.ndarray, g: Points, x: Points) -> np.ndarray:
        """Look at x_t; which lanes go on."""
        running, lower = self.outcome == Outcome.RUNNING, f < self.lowest
        self.last = np.where(running, f, self.last)
        self.lowest_at[running & lower] = t
        self.lowest = np.where(running & lower, f, self.lowest)
        near = f[:, None] - self.task.minimum <= np.array(TARGETS)
        self.hits[running[:, None] & near & (self.hits < 0)] = t
        limits = self.task.run.limits
        spent = t >= limits.steps
        new = np.full(self.lanes, Outcome.BUDGET_SPENT if spent else Outcome.RUNNING)
        new[spent & (t - self.lowest_at >= limits.patience)] = Outcome.OSCILLATING
        new[spent & (t - self.moved >= limits.patience)] = Outcome.STALLED
        new[np.all(np.abs(g) <= limits.gradient_below, axis=1)] = Outcome.CONVERGED
        far = np.any(np.abs(x) > limits.diverged_above, axis=1) | (f > limits.diverged_above)
        new[far] = Outcome.DIVERGED
        self.outcome = np.where(running, new, self.outcome)
        return self.outcome == Outcome.RUNNING

    @property
    def results(self) -> dict[str, np.ndarray]:
        """The records under the lab's names."""
        return {
            "final_loss": self.last,
            "best_loss": self.lowest,
            "hit_step": self.hits,
            "outcome": self.outcome,
        }


def error(ends: Ends, exact: Ends) -> float:
    """How far ends are from the exact ones: max_i |x_i - y_i| / (1 + |y_i|), at the share AGREEING.

    Lanes are sorted by their error; what counts is that of the last of the best 90 %.
    """
    y = exact["final_point"]
    x = np.asarray(ends["final_point"][: len(y)], np.float64)
    with np.errstate(invalid="ignore"):
        errors = np.max(np.abs(x - y) / (1 + np.abs(y)), axis=1)
    errors = np.where(np.isfinite(errors), errors, np.inf)
    return float(np.sort(errors)[math.ceil(AGREEING * len(errors)) - 1])


def tolerance(task: Task) -> float:
    """The error that rounding may make: 100 sqrt(T) eps, and for Lion the reach of two signs.

    Lion's step is the sign of a sum that rounding may turn wherever it is near zero, each time by
    two step sizes; what comes of it is drawn back by the next steps.
    """
    rounding = 100 * np.sqrt(max(task.steps, 1)) * np.finfo(task.precision).eps
    return float(rounding + (10 * task.learning_rate if task.optimizer == "lion" else 0.0))

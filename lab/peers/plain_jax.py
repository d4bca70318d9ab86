"""JAX as a good user writes it: one lane's step over optax, scanned, vmapped, jitted, all at once.

The answer to beat. With recording, the state carries what the lab records of a lane; the rules
are those of `lab.descent`, written the way one writes them for a single use.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from lab.outcome import Outcome
from lab.peers.task import TARGETS, Contender, Ends, Task


def reason_missing(task: Task) -> str | None:
    """One-device JAX takes every task, on all the cores there are."""
    platforms = {device.platform for device in jax.devices()}
    return task.lacks(recording=True, platforms=platforms)


def prepare(task: Task) -> Contender:
    """Compile for the task's starts, which stay on JAX's first device."""
    with jax.enable_x64(task.precision == "float64"):
        starts = jax.device_put(task.points(), jax.devices()[0])
        descend = recorded(task) if task.recording else bare(task)
        compiled = jax.jit(jax.vmap(descend)).lower(starts).compile()

    def run() -> Ends:
        return {name: np.asarray(a) for name, a in compiled(starts).items()}

    return run


def bare(task: Task) -> Callable[[Array], dict[str, Array]]:
    """One lane, nothing recorded."""
    optimizer = task.transformation

    def step(carry: tuple[Array, Any], _: None) -> tuple[tuple[Array, Any], None]:
        x, state = carry
        updates, state = optimizer.update(jax.grad(task.lab_loss)(x), state, x)
        return (optax.apply_updates(x, updates), state), None

    def descend(x: Float[Array, " dim"]) -> dict[str, Array]:
        (x, _), _ = jax.lax.scan(step, (x, optimizer.init(x)), length=task.steps)
        return {"final_point": x}

    return descend


class Seen(NamedTuple):
    """The record of a lane."""

    last: Array
    lowest: Array
    lowest_at: Array
    moved: Array
    hits: Array
    outcome: Array


def recorded(task: Task) -> Callable[[Array], dict[str, Array]]:
    """One lane with its records; a lane that has ended is frozen."""
    optimizer, loss = task.transformation, task.lab_loss
    limits = task.run.limits

    def see(seen: Seen, t: Array, x: Array, f: Array, g: Array) -> Seen:
        running, lower = seen.outcome == Outcome.RUNNING, f < seen.lowest
        hit = (seen.hits < 0) & (f - task.minimum <= jnp.array(TARGETS, f.dtype))
        new = Seen(
            last=f,
            lowest=jnp.where(lower, f, seen.lowest),
            lowest_at=jnp.where(lower, t, seen.lowest_at),
            moved=seen.moved,
            hits=jnp.where(hit, t, seen.hits),
            outcome=seen.outcome,
        )
        new = new._replace(outcome=verdict(new, t, x, g))
        return jax.tree.map(lambda a, b: jnp.where(running, a, b), new, seen)

    def verdict(seen: Seen, t: Array, x: Array, g: Array) -> Array:
        f, spent = seen.last, t >= limits.steps
        far = ~(jnp.max(jnp.abs(x)) <= limits.diverged_above)
        cases = [
            far | (f > limits.diverged_above),
            jnp.isnan(f) | ~jnp.all(jnp.isfinite(g)),
            jnp.max(jnp.abs(g)) <= limits.gradient_below,
            spent & (t - seen.moved >= limits.patience),
            spent & (t - seen.lowest_at >= limits.patience),
            spent,
        ]
        codes = [
            Outcome.DIVERGED, Outcome.LEFT_DOMAIN, Outcome.CONVERGED, Outcome.STALLED,
            Outcome.OSCILLATING, Outcome.BUDGET_SPENT,
        ]  # fmt: skip
        return jnp.select(cases, [jnp.int32(code) for code in codes], jnp.int32(Outcome.RUNNING))

    def step(carry: tuple[Array, Any, Seen], t: Array) -> tuple[tuple[Array, Any, Seen], None]:
        x, state, seen = carry
        f, g = jax.value_and_grad(loss)(x)
        seen = see(seen, t, x, f, g)
        updates, state = optimizer.update(g, state, x)
        new = jnp.where(seen.outcome == Outcome.RUNNING, optax.apply_updates(x, updates), x)
        seen = seen._replace(moved=jnp.where(jnp.any(new != x), t + 1, seen.moved))
        return (new, state, seen), None

    def descend(x: Float[Array, " dim"]) -> dict[str, Array]:
        zero, infinite = jnp.int32(0), jnp.asarray(jnp.inf, x.dtype)
        hits = jnp.full(len(TARGETS), -1, jnp.int32)
        seen = Seen(infinite, infinite, zero, zero, hits, jnp.int32(Outcome.RUNNING))
        times = jnp.arange(task.steps + 1, dtype=jnp.int32)
        (x, _, seen), _ = jax.lax.scan(step, (x, optimizer.init(x), seen), times)
        return {
            "final_point": x, "final_loss": seen.last, "best_loss": seen.lowest,
            "hit_step": seen.hits, "outcome": seen.outcome,
        }  # fmt: skip

    return descend

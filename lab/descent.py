"""One lane of descent: a start, an optimizer, a loss, and the reason why it ended.

This is the heart of the lab. Everything here is pure and speaks of a single point `x`; batching,
devices, files and figures are somebody else's job. A run of one lane is

    lane = init(descent, x0)
    for t in range(steps):
        lane = step(descent, t, lane)
    lane = close(descent, steps, lane)

and it sees x_0 ... x_T: call t looks at x_t (its loss, its gradient, the recorders, the verdict)
and only then, if the lane goes on, moves to x_{t+1}. Call 0 is the start itself; `close` looks and
never moves. A lane that has ended is frozen: further calls change nothing that is read.

Who only wants to know where a lane ends calls `march` in place of `step`: it moves without looking.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PyTree

from lab.outcome import Limits, Outcome, Point, calm, first_that_holds, judge


class Recorder(Protocol):
    """What is kept of a lane, gathered while it runs (see `lab.record`)."""

    def init(self, lane: "Lane") -> PyTree:
        """The empty record."""

    def update(self, record: PyTree, t: Int[Array, ""], lane: "Lane", descent: "Descent") -> PyTree:
        """The record after `lane.x`, whose loss is `lane.loss`, was seen at step t."""

    def due(
        self, record: PyTree, t: Int[Array, ""], lane: "Lane", descent: "Descent"
    ) -> Bool[Array, ""] | None:
        """Whether leaving out this update would be missed; None where it always may be."""


class Descent(NamedTuple):
    """What a lane descends, and how: everything that stays the same while it runs.

    Attributes:
        loss: `loss(x, t) -> scalar`; t matters to online and stochastic losses only.
        optimizer: an optax transformation.
        recorders: what to keep.
        limits: when to end.
        minimum: the lowest known loss, 0 where none is known; targets are counted from it.
        residuals: the r(x) of a loss that is a sum of squares, None where it has none.
    """

    loss: Callable[[Point, Int[Array, ""]], Float[Array, ""]]
    optimizer: optax.GradientTransformationExtraArgs
    recorders: tuple[Recorder, ...]
    limits: Limits
    minimum: Float[Array, ""]
    residuals: Callable[[Point], Float[Array, " residual"]] | None = None


class Lane(NamedTuple):
    """The state of one run.

    Attributes:
        x: the current point.
        optimizer: the optimizer's state.
        loss: f at the last point that was looked at.
        steps: updates taken.
        moved: the step that last changed the point.
        lowest: the lowest finite loss seen, infinite before any.
        lowest_at: the step at which it was first seen.
        outcome: an `Outcome`.
        records: one record a recorder.
    """

    x: Point
    optimizer: PyTree
    loss: Float[Array, ""]
    steps: Int[Array, ""]
    moved: Int[Array, ""]
    lowest: Float[Array, ""]
    lowest_at: Int[Array, ""]
    outcome: Int[Array, ""]
    records: tuple[PyTree, ...]


def init(descent: Descent, x0: Point) -> Lane:
    """A lane at its start, with nothing yet seen.

    Args:
        descent: what to descend and how.
        x0: the start, an array or any pytree of arrays.
    """
    unseen = jnp.asarray(jnp.inf, descent.minimum.dtype)
    zero = jnp.zeros((), jnp.int32)
    lane = Lane(
        x=x0,
        optimizer=descent.optimizer.init(x0),
        loss=unseen,
        steps=zero,
        moved=zero,
        lowest=unseen,
        lowest_at=zero,
        outcome=jnp.full((), Outcome.RUNNING, jnp.int32),
        records=(),
    )
    return lane._replace(records=tuple(recorder.init(lane) for recorder in descent.recorders))


def step(descent: Descent, t: Int[Array, ""], lane: Lane) -> Lane:
    """Look at x_t, record it, judge it and, if the lane goes on, move to x_{t+1}.

    Args:
        descent: what to descend and how.
        t: the step, counted from 0, the same for every lane of a block.
        lane: the state, which must have been through steps 0 ... t-1.
    """
    return judged(lane, stride(descent, t, lane))


class Stride(NamedTuple):
    """What becomes of a running lane in one step.

    Attributes:
        seen: the lane after a look at x_t.
        ended: whether it ends there.
        outcome: as what, if it does; else RUNNING.
        calm: whether it plainly does not (see `lab.outcome.calm`).
        after: the lane moved to x_{t+1}, which counts only if it does not end.
    """

    seen: Lane
    ended: Bool[Array, ""]
    outcome: Int[Array, ""]
    calm: Bool[Array, ""]
    after: Lane


def stride(descent: Descent, t: Int[Array, ""], lane: Lane) -> Stride:
    """Look at x_t, judge it, and move to x_{t+1}, as if the lane were running and went on."""
    f, g = value_and_gradient(descent, t, lane.x)
    seen = observe(descent, t, lane, f)
    ended, outcome = judge(descent.limits, lane.x, f, g)
    x, state = moved_from(descent, t, lane, f, g)
    moved = jnp.where(equal(x, lane.x), lane.moved, t + 1)
    after = seen._replace(x=x, optimizer=state, steps=t + 1, moved=moved)
    return Stride(seen, ended, outcome, calm(descent.limits, lane.x, f, g), after)


def judged(lane: Lane, stride: Stride) -> Lane:
    """The lane after its stride if it was running and goes on; as it was seen if it ends there."""
    seen, ended, outcome, _, after = stride
    running = lane.outcome == Outcome.RUNNING
    goes_on = running & ~ended
    # The optimizer's state is not frozen: nothing reads it once the lane has ended, and a step
    # count that is the same for every lane stays one number for all of them.
    return select(running, seen._replace(outcome=outcome), lane)._replace(
        x=select(goes_on, after.x, lane.x),
        optimizer=after.optimizer,
        steps=jnp.where(goes_on, after.steps, lane.steps),
        moved=jnp.where(goes_on, after.moved, lane.moved),
    )


def unhindered(
    descent: Descent, t: Int[Array, ""], lane: Lane, stride: Stride
) -> tuple[Bool[Array, ""], Lane]:
    """The stride without the updates of records that are seldom due.

    Returns:
        Whether it may stand for the step, because the lane plainly goes on and no update is due;
        and the lane after it, for when it may.
    """
    free, kept = stride.calm, []
    for recorder, old, new in zip(
        descent.recorders, lane.records, stride.after.records, strict=True
    ):
        due = recorder.due(old, t, stride.seen, descent)
        free = free if due is None else free & ~due
        kept.append(new if due is None else old)
    f = stride.seen.loss
    lower = f < lane.lowest  # a calm lane's loss is finite
    lowest, at = jnp.where(lower, f, lane.lowest), jnp.where(lower, t, lane.lowest_at)
    return free, stride.after._replace(lowest=lowest, lowest_at=at, records=tuple(kept))


def march(descent: Descent, t: Int[Array, ""], lane: Lane) -> Lane:
    """Move to x_{t+1} without recording or judging x_t: a lane marches until it is closed."""
    x, state = moved_from(descent, t, lane, *value_and_gradient(descent, t, lane.x))
    return lane._replace(x=x, optimizer=state, steps=t + 1, moved=t + 1)


def close(descent: Descent, t: Int[Array, ""], lane: Lane) -> Lane:
    """Look at the last point x_T: every lane that is still running ends here.

    What it was doing when the budget ran out is told apart only now, so that no patience ever cuts
    a run short.
    """
    f, g = value_and_gradient(descent, t, lane.x)
    seen = observe(descent, t, lane, f)
    ended, outcome = judge(descent.limits, lane.x, f, g)
    patience = descent.limits.patience
    last = first_that_holds(
        [
            (ended, outcome),
            (t - seen.moved >= patience, Outcome.STALLED),
            (t - seen.lowest_at >= patience, Outcome.OSCILLATING),
        ],
        Outcome.BUDGET_SPENT,
    )
    running = lane.outcome == Outcome.RUNNING
    return select(running, seen._replace(outcome=last), lane)


def value_and_gradient(
    descent: Descent, t: Int[Array, ""], x: Point
) -> tuple[Float[Array, ""], Point]:
    """f(x) and its gradient at step t."""
    return jax.value_and_grad(lambda x: descent.loss(x, t))(x)


def moved_from(
    descent: Descent, t: Int[Array, ""], lane: Lane, f: Float[Array, ""], g: Point
) -> tuple[Point, PyTree]:
    """Where the optimizer would go from the lane's point, and its state then."""

    def loss(x: Point) -> Float[Array, ""]:
        return descent.loss(x, t)

    updates, state = descent.optimizer.update(
        g, lane.optimizer, lane.x, value=f, grad=g, value_fn=loss, obj_fn=loss,
        grad_fn=lambda x, *_: jax.grad(loss)(x), residual_fn=descent.residuals,
    )  # fmt: skip
    return optax.apply_updates(lane.x, updates), state


def observe(descent: Descent, t: Int[Array, ""], lane: Lane, f: Float[Array, ""]) -> Lane:
    """The lane after its point was seen to have loss f."""
    lower = (f < lane.lowest) & (f > -jnp.inf)
    lane = lane._replace(
        loss=f,
        lowest=jnp.where(lower, f, lane.lowest),
        lowest_at=jnp.where(lower, t, lane.lowest_at),
    )
    pairs = zip(descent.recorders, lane.records, strict=True)
    return lane._replace(records=tuple(r.update(record, t, lane, descent) for r, record in pairs))


def equal(new: Point, old: Point) -> Bool[Array, ""]:
    """Whether all numbers are equal."""
    pairs = zip(jax.tree.leaves(new), jax.tree.leaves(old), strict=True)
    return jnp.stack([jnp.all(a == b) for a, b in pairs]).all()


def select(condition: Bool[Array, ""], new: Any, old: Any) -> Any:
    """`new` where the condition holds, else `old`, leaf by leaf."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)

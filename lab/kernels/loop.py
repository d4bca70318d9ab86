"""The loop that a kernel runs: a lane's step in scalars, and what in it is the same for all lanes.

What is the same for every lane (the step, its powers, a schedule) must stay one number: taken for
each lane, the powers of Adam's bias corrections alone would cost more than all the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend import core
from jaxtyping import Array, Int, PyTree

from lab.scalarize import Leaf, Straight, scalarize


@dataclass(frozen=True)
class Loop:
    """`state = step(t, shared, given, state)` for t = first ... until-1, for many lanes at once.

    Attributes:
        whole: the step of one lane in scalars: (t, *shared, *given, *state) -> state. It may have
            further results: whether something cheaper serves a running lane as well, and the
            state after that, which are all that is computed as long as it serves all lanes.
        shared: how many scalars are the same for all lanes and all steps.
        given: for each scalar that a lane is given, whether it differs from lane to lane.
        state: likewise for each scalar of a lane's state.
        outcome: which scalar of the state is 0 while the lane is running; None if all lanes run
            to the end.
    """

    whole: Straight
    shared: int
    given: tuple[bool, ...]
    state: tuple[bool, ...]
    outcome: int | None

    @cached_property
    def step(self) -> Straight:
        """The step alone."""
        return self.whole.only(slice(len(self.state)))

    @cached_property
    def stride(self) -> Straight | None:
        """(free, *state) of a lane that is known to be running, if that is told apart."""
        count = len(self.state)
        return self.whole.only(slice(count, None)) if self.tells_strides else None

    @property
    def tells_strides(self) -> bool:
        """Whether there are those further results."""
        return len(self.whole.jaxpr.outvars) > len(self.state)

    @property
    def variables(self) -> tuple[list[core.Var], list[core.Var], list[core.Var]]:
        """The variables of what is shared, what lanes are given, and their state."""
        rest = list(self.whole.jaxpr.invars[1:])
        given = self.shared + len(self.given)
        return rest[: self.shared], rest[self.shared : given], rest[given:]

    @property
    def clock(self) -> core.Var:
        """The variable of the step t."""
        return self.whole.jaxpr.invars[0]

    @property
    def running(self) -> core.JaxprEqn | None:
        """The equation `outcome == 0` of the step, by which it freezes lanes that have ended."""
        if self.outcome is None:
            return None
        outcome = self.variables[2][self.outcome]
        for equation in self.whole.jaxpr.eqns:
            if equation.primitive.name == "eq" and equation.invars[0] is outcome:
                return equation
        raise ValueError("a watched step must ask whether its lane is running")

    @cached_property
    def used(self) -> set[core.Var]:
        """The variables that an equation or a result asks for."""
        jaxpr = self.whole.jaxpr
        atoms = [*jaxpr.outvars, *(atom for equation in jaxpr.eqns for atom in equation.invars)]
        return {atom for atom in atoms if isinstance(atom, core.Var)}

    @cached_property
    def by_lane(self) -> set[core.Var]:
        """The variables that differ from lane to lane."""
        return self.whole.depends([False, *[False] * self.shared, *self.given, *self.state])

    @cached_property
    def by_step(self) -> set[core.Var]:
        """The variables that are the same for all lanes, and change from step to step."""
        ticking = [not differs for differs in self.state]
        marks = [True, *[False] * (self.shared + len(self.given)), *ticking]
        return self.whole.depends(marks) - self.by_lane


class Whole(NamedTuple):
    """A run from the ids of its lanes to what is stored of them.

    Attributes:
        loop: its steps.
        begin: (setting, seed, start) -> the state at the start, as a loop of a single step that
            asks for no state before it; None if the state is there already.
        end: (setting, seed, start, *state) -> results, likewise. The last scalar that it shares is
            the step at which lanes end. None if none are asked for.
        columns: how many of the results, one after the other, lie side by side in each array.
    """

    loop: Loop
    begin: Loop | None = None
    end: Loop | None = None
    columns: tuple[int, ...] = ()

    @property
    def loops(self) -> list[Loop]:
        """Those that there are."""
        return [self.loop, *self.edges]

    @property
    def edges(self) -> list[Loop]:
        """Begin and end, if there are any."""
        return [loop for loop in (self.begin, self.end) if loop is not None]


def loop_of(
    step: Callable[..., PyTree],
    shared: PyTree,
    given: PyTree,
    state: PyTree,
    differs: tuple[Sequence[bool], Sequence[bool]],
    outcome: Callable[[PyTree], Any] | None,
) -> Loop:
    """Trace a step `(t, shared, given, state) -> state` of one lane.

    Args:
        step: the function, or one that returns (state, free, state after a stride if it is).
        shared: arrays, or descriptions, of what is the same for all lanes.
        given: of what one lane is given.
        state: of one lane's state.
        differs: for each leaf of `given` and of `state`, whether it differs from lane to lane at
            the beginning.
        outcome: picks from a state the leaf that is 0 while the lane is running.

    Raises:
        NotScalar: when the step cannot be taken apart.
    """
    straight = scalarize(step, jax.ShapeDtypeStruct((), jnp.int32), shared, given, state)
    sizes = [[Leaf.like(leaf).size for leaf in jax.tree.leaves(tree)] for tree in (given, state)]
    of_given, of_state = (
        tuple(mark for mark, size in zip(marks, many, strict=True) for _ in range(size))
        for marks, many in zip(differs, sizes, strict=True)
    )
    count = len(straight.jaxpr.invars) - 1 - len(of_given) - len(of_state)
    place = None
    if outcome is not None:
        numbered = jax.tree.unflatten(jax.tree.structure(state), range(len(sizes[1])))
        place = sum(sizes[1][: outcome(numbered)])
    return settled(Loop(straight, count, of_given, of_state, place))


def settled(loop: Loop) -> Loop:
    """The loop, with the state that comes to differ in the course of the steps marked as well."""
    while True:
        varying = loop.by_lane
        after = tuple(
            old or atom in varying if isinstance(atom, core.Var) else old
            for old, atom in zip(loop.state, loop.whole.jaxpr.outvars, strict=False)
        )
        if after == loop.state:
            return loop
        loop = replace(loop, state=after)


Rows = list[Array]
"""One value a scalar: of shape (lanes,) where it differs from lane to lane, else ()."""

Run = Callable[[Loop, Int[Array, ""], Int[Array, ""], Rows, Rows, Rows], Rows]
"""What a backend is: (loop, first, until, shared, given, state) -> state."""


class Bounds(NamedTuple):
    """A part of the run of a block of lanes, in the order in which kernels are told.

    Attributes:
        first: its first step.
        until: the step that is not taken any more.
        begins: whether lanes begin at the first step.
        ends: whether they end at the last.
        setting: what is added to that id of each lane.
        seed: likewise.
        start: likewise.
        lanes: how many lanes there are before the padding.
    """

    first: Any
    until: Any
    begins: Any
    ends: Any
    setting: Any
    seed: Any
    start: Any
    lanes: Any


Through = Callable[
    [Whole, Int[Array, " bound"], Int[Array, "3 lane"], Rows, Rows, Rows],
    tuple[Rows, Int[Array, ""], Rows],
]
"""What takes lanes through a part of their run: (whole, bounds, ids, shared, given, state) ->
(state, running, results). The bounds are those of `Bounds`; of lanes, so many are running; the
results, [lane, column] each, come in the columns of the `Whole`. Where lanes end the state means
nothing, and where they do not the results mean nothing."""

Once = Callable[[Loop, Rows, Rows], Rows]
"""What takes the only step of a loop that asks for no state before it: (loop, shared, given)."""

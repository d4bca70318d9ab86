"""A loop in two parts: what is taken once a step for all lanes, and what each lane takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jax.extend import core
from jaxtyping import Array

from lab.kernels.loop import Loop
from lab.scalarize import Straight, alike


@dataclass(frozen=True)
class Parts:
    """The equations and variables of a loop, told apart."""

    loop: Loop

    @cached_property
    def lanes(self) -> dict[core.Var, Any]:
        """The state that differs from lane to lane, and what it becomes in a step."""
        return self._state(True)

    @cached_property
    def alike(self) -> dict[core.Var, Any]:
        """The state that is the same for all lanes, likewise."""
        return self._state(False)

    def _state(self, differs: bool) -> dict[core.Var, Any]:
        loop = self.loop
        ends = zip(loop.variables[2], self.results, loop.state, strict=True)
        return {var: out for var, out, mark in ends if mark is differs}

    @property
    def results(self) -> list[Any]:
        """What each number of the state becomes in a step."""
        return list(self.loop.step.jaxpr.outvars)

    @cached_property
    def fixed(self) -> list[core.JaxprEqn]:
        """Equations whose results never change."""
        varying = self.loop.by_lane | self.loop.by_step
        return [e for e in self.loop.whole.jaxpr.eqns if e.outvars[0] not in varying]

    @cached_property
    def of_steps(self) -> list[core.JaxprEqn]:
        """Equations whose results change from step to step, and are the same for all lanes."""
        by_step = self.loop.by_step
        return [e for e in self.loop.whole.jaxpr.eqns if e.outvars[0] in by_step]

    @cached_property
    def of_lanes(self) -> list[core.JaxprEqn]:
        """Equations of the step whose results differ from lane to lane."""
        return self._of_lanes(self.loop.step)

    @cached_property
    def of_strides(self) -> list[core.JaxprEqn]:
        """The same of the stride of a lane that is known to be running; none if not told apart."""
        return [] if self.loop.stride is None else self._of_lanes(self.loop.stride)

    def _of_lanes(self, part: Straight) -> list[core.JaxprEqn]:
        by_lane = self.loop.by_lane
        return [e for e in part.jaxpr.eqns if e.outvars[0] in by_lane]

    @cached_property
    def strides(self) -> dict[core.Var, Any]:
        """The state that differs from lane to lane, and what it becomes in a stride."""
        assert self.loop.stride is not None
        _, *after = self.loop.stride.jaxpr.outvars
        ends = zip(self.loop.variables[2], after, self.loop.state, strict=True)
        return {var: out for var, out, mark in ends if mark}

    @property
    def free(self) -> Any:
        """Whether a stride may stand for the step of a running lane."""
        assert self.loop.stride is not None
        return self.loop.stride.jaxpr.outvars[0]

    @cached_property
    def noted(self) -> list[core.Var]:
        """What lanes ask for of that which changes from step to step, the step itself apart."""
        equations = [*self.of_lanes, *self.of_strides]
        wanted = {a for e in equations for a in e.invars if isinstance(a, core.Var)}
        ends = [*self.lanes.values(), *(self.strides.values() if self.of_strides else ())]
        wanted |= {out for out in ends if isinstance(out, core.Var)}
        changing = [*self.alike, *(e.outvars[0] for e in self.of_steps)]
        return [var for var in changing if var in wanted]


def evaluate(equations: Iterable[core.JaxprEqn], known: dict[core.Var, Array]) -> None:
    """Add the results of equations to the values that are known."""
    for equation in equations:
        operands = alike([value_of(atom, known) for atom in equation.invars])
        known[equation.outvars[0]] = equation.primitive.bind(*operands, **equation.params)


def value_of(atom: Any, known: dict[core.Var, Array]) -> Any:
    """The value of a variable or a literal."""
    return atom.val if isinstance(atom, core.Literal) else known[atom]

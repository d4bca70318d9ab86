"""The steps of a few lanes: a loop in registers.

Where a loop tells strides apart, lanes stride while none of those that are running ends or has news
to record, without freezing what has ended: that is put back where the strides stop. The step where
one does is taken as a step.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jax.extend import core

from lab.kernels.cpu import memory
from lab.kernels.cpu.basic import binary, choose, compare
from lab.kernels.cpu.code import Code, Phi, Value, constant
from lab.kernels.cpu.conversions import not_
from lab.kernels.cpu.known import Known
from lab.kernels.loop import Loop
from lab.kernels.parts import Parts
from lab.scalarize import aval

SLOT = 8
"""Bytes of a number in the table of what is the same for all lanes at a step."""

INT32, TRUTH = np.dtype(np.int32), np.dtype(bool)

State = Mapping[core.Var, Value]


class Stepper:
    """Writes the steps of a segment: from %begin to before %end."""

    def __init__(self, loop: Loop, parts: Parts, known: Known, code: Code):
        self.loop, self.parts, self.known, self.code = loop, parts, known, code
        self.running = loop.running

    def write(self, state: State, before: str) -> tuple[State, str]:
        """Steps until the segment ends, or the lanes; their state then, and the last block.

        Args:
            state: of the lanes, of which one is running.
            before: the block that this code follows. What comes after it is the block %store.
        """
        walk = self._strides if self.parts.of_strides else self._steps
        return walk(dict(state) | self.marks(state), before)

    def marks(self, state: State) -> dict[core.Var, Value]:
        """Which lanes are running, by the variable that the step keeps it in; empty if all are."""
        if self.running is None or self.loop.outcome is None:
            return {}
        code, outcome = self.code, state[self.loop.variables[2][self.loop.outcome]]
        zero = constant(0, outcome.dtype)
        still = compare("eq")(code, TRUTH, {}, code.alike([outcome, zero]))
        return {self.running.outvars[0]: still}

    def any_of(self, marks: State) -> str:
        """Whether one of the lanes is marked; of no marks, all are."""
        if not marks:
            return "true"
        code, (still,) = self.code, marks.values()
        found, *others = still.names
        for other in others:
            found = code.do(f"or <{code.width} x i1> {found}, {other}")
        bits = code.do(f"bitcast <{code.width} x i1> {found} to i{code.width}")
        return code.do(f"icmp ne i{code.width} {bits}, 0")

    def count_of(self, marks: State) -> str:
        """How many of the lanes are marked."""
        code, total = self.code, "0"
        for still in (name for value in marks.values() for name in value.names):
            bits = f"i{code.width}"
            mask = code.do(f"bitcast <{code.width} x i1> {still} to {bits}")
            ones = code.do(code.call(f"llvm.ctpop.{bits}", bits, [(bits, mask)]))
            wide = code.do(f"zext {bits} {ones} to i32")
            total = code.do(f"add i32 {total}, {wide}")
        return total

    def slot(self, row: str, slot: int) -> str:
        """The address of a number in the table."""
        wide = self.code.do(f"zext i32 {row} to i64")
        offset = self.code.do(f"mul i64 {wide}, {len(self.parts.noted) * SLOT}")
        place = self.code.do(f"add i64 {offset}, {slot * SLOT}")
        return self.code.do(f"getelementptr i8, ptr %table, i64 {place}")

    def _steps(self, state: State, before: str) -> tuple[State, str]:
        """Step after step."""
        code = self.code
        code.line("br label %step")
        code.label("step")
        time = code.phi("i32", "%begin", before)
        phis = phis_of(code, state, before)
        after, goes_on, then = self._step(time.name, values_of(state, phis))
        code.line(f"br i1 {goes_on}, label %step, label %store")
        code.becomes(time, then, "step")
        close(code, phis, after, "step")
        return after, "step"

    def _step(self, time: str, state: State) -> tuple[State, str, str]:
        """One step: the state after it, whether there is another, and at which time."""
        code = self.code
        self._at(time, state)
        self.known.write([e for e in self.parts.of_lanes if e is not self.running])
        lanes = {var: code.spread(self.known.read(out)) for var, out in self.parts.lanes.items()}
        after = lanes | self.marks(lanes)
        then, in_time = self._tick(time)
        goes_on = code.do(f"and i1 {in_time}, {self.any_of(self._marks_in(after))}")
        return after, goes_on, then

    def _strides(self, state: State, before: str) -> tuple[State, str]:
        """Strides, and a step where a lane ends."""
        code = self.code
        code.line("br label %enter")
        code.label("enter")
        entered, phis = code.phi("i32", "%begin", before), phis_of(code, state, before)
        at_first = values_of(state, phis)
        code.line("br label %stride")
        code.label("stride")
        time = code.phi("i32", entered.name, "enter")
        lanes = {var: at_first[var] for var in self.parts.lanes}
        striding = phis_of(code, lanes, "enter")
        here = values_of(lanes, striding)
        self._at(time.name, here)
        self.known.write(self.parts.of_strides)
        strode = {var: code.spread(self.known.read(out)) for var, out in self.parts.strides.items()}
        code.line(f"br i1 {self._any_stops(at_first)}, label %stop, label %strode")
        code.label("strode")
        then, in_time = self._tick(time.name)
        code.line(f"br i1 {in_time}, label %stride, label %leave")
        code.becomes(time, then, "strode")
        close(code, striding, strode, "strode")
        code.label("leave")
        left = self._put_back(at_first, strode)
        code.line("br label %stopped")
        code.label("stop")
        stopped = self._put_back(at_first, here)
        after, goes_on, later = self._step(time.name, stopped | self._marks_in(at_first))
        code.line(f"br i1 {goes_on}, label %enter, label %stopped")
        code.becomes(entered, later, "stop")
        close(code, phis, after, "stop")
        code.label("stopped")
        last = phis_of(code, left, "leave")
        close(code, last, after, "stop")
        code.line("br label %store")
        return values_of(left, last), "stopped"

    def _at(self, time: str, state: State) -> None:
        """Make known the state, the time, and what the table has for that."""
        code = self.code
        self.known.update(state)
        self.known[self.loop.clock] = Value((time,), INT32, True)
        row = code.do(f"sub i32 {time}, %begin")
        for slot, var in enumerate(self.parts.noted):
            self.known[var] = memory.load(code, self.slot(row, slot), aval(var).dtype)

    def _tick(self, time: str) -> tuple[str, str]:
        """The next time, and whether it is within the segment."""
        then = self.code.do(f"add i32 {time}, 1")
        return then, self.code.do(f"icmp slt i32 {then}, %end")

    def _marks_in(self, state: State) -> dict[core.Var, Value]:
        """Of a state, which lanes are running."""
        marks = [] if self.running is None else self.running.outvars
        return {mark: state[mark] for mark in marks}

    def _any_stops(self, at_first: State) -> str:
        """Whether a lane must take a step that was running when the strides began.

        Frozen, LLVM leaves "all of these comparisons hold" as it is, each masked by the one before;
        "one of their opposites holds" would take an instruction more for each of them.
        """
        code, (was_running,) = self.code, self._marks_in(at_first).values()
        free = code.spread(self.known.read(self.parts.free))
        frozen = code.each([free], TRUTH, lambda v: f"freeze {code.type(TRUTH, False)} {v}")
        stops = binary("and")(code, TRUTH, {}, [was_running, not_(code, TRUTH, {}, [frozen])])
        return self.any_of({self.loop.clock: stops})

    def _put_back(self, at_first: State, now: State) -> dict[core.Var, Value]:
        """The state now of lanes that were running at first, and theirs at first of the others."""
        (was_running,) = self._marks_in(at_first).values()
        return {var: choose(self.code, was_running, now[var], at_first[var]) for var in now}


def phis_of(code: Code, state: State, before: str) -> dict[core.Var, list[Phi]]:
    """Registers that begin as the state, coming from a block."""
    return {
        var: [code.phi(code.type(v.dtype, v.same), name, before) for name in v.names]
        for var, v in state.items()
    }


def values_of(state: State, phis: Mapping[core.Var, Sequence[Phi]]) -> dict[core.Var, Value]:
    """Such registers as values like those of the state."""
    return {
        var: value._replace(names=tuple(phi.name for phi in phis[var]))
        for var, value in state.items()
    }


def close(code: Code, phis: Mapping[core.Var, Sequence[Phi]], after: State, latch: str) -> None:
    """What such registers are, coming from another block."""
    for var, own in phis.items():
        for phi, name in zip(own, after[var].names, strict=True):
            code.becomes(phi, name, latch)

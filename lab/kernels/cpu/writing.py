"""The loop as an LLVM function.

    for each segment of steps:
        take what is the same for all lanes through the segment, and note it in a table
        for each few lanes, while one of them is running:
            load their state
            for each step of the segment, while one of them is running:
                the step, in registers
            store their state

The table holds, for each step, the numbers that lanes ask for. State is changed in place.

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
from lab.kernels.cpu.known import Known
from lab.kernels.cpu.memory import Buffers
from lab.kernels.loop import Loop
from lab.kernels.packing import Place
from lab.kernels.parts import Parts
from lab.scalarize import aval

SEGMENT = 512
"""Steps whose shared numbers the table holds."""

SLOT = 8
"""Bytes of a number in the table."""

INT32, TRUTH = np.dtype(np.int32), np.dtype(bool)

State = Mapping[core.Var, Value]


class Writer:
    """Writes the function of one loop: of pointers %p0 (first, until), %p1 ..., and %lanes."""

    def __init__(self, loop: Loop, buffers: Buffers, code: Code):
        self.loop, self.buffers, self.code = loop, buffers, code
        self.known = Known(loop, code)
        self.parts, self.running = Parts(loop), loop.running

    def function(self, name: str, pointers: int) -> str:
        """The function, after the declarations that it needs."""
        code = self.code
        code.label("entry")
        first, until = (
            memory.load(code, memory.scalar_pointer(code, Place(0, i), INT32), INT32)
            for i in (0, 1)
        )
        shared = dict(self.buffers.shared)
        alike = {var: self._scalar(var, place) for var, place in self.buffers.alike.items()}
        self.known |= {var: self._scalar(var, place) for var, place in shared.items()}
        self.known.write(self.parts.fixed)
        size = SEGMENT * SLOT * max(len(self.parts.noted), 1)
        code.line(f"%table = alloca [{size} x i8], align 64")
        code.line("br label %segment")
        self._segments(first.names[0], until.names[0], alike)
        arguments = ", ".join(f"ptr noalias %p{i}" for i in range(pointers))
        head = f"define internal void @{name}({arguments}, i64 %lanes) #0 {{"
        return "\n".join([*code.declared.values(), head, *code.lines, "}"])

    def _segments(self, first: str, until: str, alike: State) -> None:
        code = self.code
        code.label("segment")
        begin = code.phi("i32", first, "entry")
        phis = self._phis(alike, "entry")
        now = self._values(alike, phis)
        left = code.do(f"sub i32 {until}, {begin.name}")
        whole = code.do(f"icmp sgt i32 {left}, {SEGMENT}")
        far = code.do(f"add i32 {begin.name}, {SEGMENT}")
        code.line(f"%end = select i1 {whole}, i32 {far}, i32 {until}")
        some = code.do(f"icmp slt i32 {begin.name}, {until}")
        code.line(f"br i1 {some}, label %tick, label %done")
        after = self._ticks(begin.name, now)
        self._groups(begin.name)
        code.label("next_segment")
        code.line("br label %segment")
        code.becomes(begin, "%end", "next_segment")
        self._close(phis, after, "next_segment")
        code.label("done")
        for var, place in self.buffers.alike.items():
            memory.store(code, memory.scalar_pointer(code, place, aval(var).dtype), now[var])
        code.line("ret void")

    def _ticks(self, begin: str, alike: State) -> State:
        """What is the same for all lanes, taken through the segment and noted in the table."""
        code = self.code
        code.label("tick")
        time = code.phi("i32", begin, "segment")
        phis = self._phis(alike, "segment")
        self.known |= self._values(alike, phis) | {
            self.loop.clock: Value((time.name,), INT32, True)
        }
        self.known.write(self.parts.of_steps)
        row = code.do(f"sub i32 {time.name}, {begin}")
        for slot, var in enumerate(self.parts.noted):
            memory.store(code, self._slot(row, slot), self.known[var])
        after = {var: self.known.read(out) for var, out in self.parts.alike.items()}
        then = code.do(f"add i32 {time.name}, 1")
        again = code.do(f"icmp slt i32 {then}, %end")
        code.line(f"br i1 {again}, label %tick, label %groups")
        code.becomes(time, then, "tick")
        self._close(phis, after, "tick")
        code.label("groups")
        code.line("br label %group")
        return after

    def _groups(self, begin: str) -> None:
        """Lanes, a few at a time, through the steps of the segment."""
        code = self.code
        code.label("group")
        code.line("%g = phi i64 [ 0, %groups ], [ %g_next, %next_group ]")
        state = {var: self._row(var, place) for var, place in self.buffers.lanes.items()}
        running = self._running(state)
        code.line(f"br i1 {self._any(running)}, label %load, label %next_group")
        code.label("load")
        for var, place in self.buffers.given.items():
            self.known[var] = self._row(var, place)
        if self.parts.of_strides:
            leaving = self._strides(begin, state | running)
        else:
            leaving = self._steps(begin, state | running)
        code.label("store")
        for var, place in self.buffers.lanes.items():
            memory.store_rows(code, place, leaving[var])
        code.line("br label %next_group")
        code.label("next_group")
        code.line(f"%g_next = add i64 %g, {code.lanes}")
        code.line("%more = icmp slt i64 %g_next, %lanes")
        code.line("br i1 %more, label %group, label %next_segment")

    def _steps(self, begin: str, state: State) -> State:
        """Step after step until the segment ends, or the lanes; their state then."""
        code = self.code
        code.line("br label %step")
        code.label("step")
        time = code.phi("i32", begin, "load")
        phis = self._phis(state, "load")
        after, goes_on, then = self._step(begin, time.name, self._values(state, phis))
        code.line(f"br i1 {goes_on}, label %step, label %store")
        code.becomes(time, then, "step")
        self._close(phis, after, "step")
        return after

    def _step(self, begin: str, time: str, state: State) -> tuple[State, str, str]:
        """One step: the state after it, whether there is another, and at which time."""
        code = self.code
        self._at(begin, time, state)
        self.known.write([e for e in self.parts.of_lanes if e is not self.running])
        lanes = {var: code.spread(self.known.read(out)) for var, out in self.parts.lanes.items()}
        after = lanes | self._running(lanes)
        then, in_time = self._tick(time)
        goes_on = code.do(f"and i1 {in_time}, {self._any(self._marks(after))}")
        return after, goes_on, then

    def _strides(self, begin: str, state: State) -> State:
        """Strides, and a step where a lane ends, until the segment ends, or the lanes do."""
        code = self.code
        code.line("br label %enter")
        code.label("enter")
        entered, phis = code.phi("i32", begin, "load"), self._phis(state, "load")
        at_first = self._values(state, phis)
        code.line("br label %stride")
        code.label("stride")
        time = code.phi("i32", entered.name, "enter")
        lanes = {var: at_first[var] for var in self.parts.lanes}
        striding = self._phis(lanes, "enter")
        before = self._values(lanes, striding)
        self._at(begin, time.name, before)
        self.known.write(self.parts.of_strides)
        strode = {var: code.spread(self.known.read(out)) for var, out in self.parts.strides.items()}
        code.line(f"br i1 {self._any_stops(at_first)}, label %stop, label %strode")
        code.label("strode")
        then, in_time = self._tick(time.name)
        code.line(f"br i1 {in_time}, label %stride, label %leave")
        code.becomes(time, then, "strode")
        self._close(striding, strode, "strode")
        code.label("leave")
        left = self._put_back(at_first, strode)
        code.line("br label %store_both")
        code.label("stop")
        stopped = self._put_back(at_first, before)
        after, goes_on, next = self._step(begin, time.name, stopped | self._marks(at_first))
        code.line(f"br i1 {goes_on}, label %enter, label %store_both")
        code.becomes(entered, next, "stop")
        self._close(phis, after, "stop")
        code.label("store_both")
        last = self._phis(left, "leave")
        self._close(last, after, "stop")
        code.line("br label %store")
        return self._values(left, last)

    def _at(self, begin: str, time: str, state: State) -> None:
        """Make known the state, the time, and what the table has for that."""
        code = self.code
        self.known.update(state)
        self.known[self.loop.clock] = Value((time,), INT32, True)
        row = code.do(f"sub i32 {time}, {begin}")
        for slot, var in enumerate(self.parts.noted):
            self.known[var] = memory.load(code, self._slot(row, slot), aval(var).dtype)

    def _tick(self, time: str) -> tuple[str, str]:
        """The next time, and whether it is within the segment."""
        then = self.code.do(f"add i32 {time}, 1")
        return then, self.code.do(f"icmp slt i32 {then}, %end")

    def _marks(self, state: State) -> dict[core.Var, Value]:
        """Of a state, which lanes are running."""
        marks = [] if self.running is None else self.running.outvars
        return {mark: state[mark] for mark in marks}

    def _any_stops(self, state: State) -> str:
        """Whether a lane must take a step that was running when the strides began."""
        code, (was_running,) = self.code, self._marks(state).values()
        stops = code.spread(self.known.read(self.parts.stops))
        both = binary("and")(code, TRUTH, {}, [was_running, stops])
        return self._any({self.loop.clock: both})

    def _put_back(self, at_first: State, now: State) -> dict[core.Var, Value]:
        """The state now of lanes that were running at first, and theirs at first of the others."""
        (was_running,) = self._marks(at_first).values()
        return {var: choose(self.code, was_running, now[var], at_first[var]) for var in now}

    def _running(self, state: State) -> dict[core.Var, Value]:
        """Which lanes are running, by the variable that the step keeps it in; empty if all are."""
        if self.running is None or self.loop.outcome is None:
            return {}
        code, outcome = self.code, state[self.loop.variables[2][self.loop.outcome]]
        zero = constant(0, outcome.dtype)
        still = compare("eq")(code, TRUTH, {}, code.alike([outcome, zero]))
        return {self.running.outvars[0]: still}

    def _any(self, running: Mapping[core.Var, Value]) -> str:
        """Whether one of the lanes is running."""
        if not running:
            return "true"
        code, (still,) = self.code, running.values()
        any_of, *others = still.names
        for other in others:
            any_of = code.do(f"or <{code.width} x i1> {any_of}, {other}")
        bits = code.do(f"bitcast <{code.width} x i1> {any_of} to i{code.width}")
        return code.do(f"icmp ne i{code.width} {bits}, 0")

    def _phis(self, state: State, before: str) -> dict[core.Var, list[Phi]]:
        code = self.code
        return {
            var: [code.phi(code.type(v.dtype, v.same), name, before) for name in v.names]
            for var, v in state.items()
        }

    def _values(self, state: State, phis: Mapping[core.Var, Sequence[Phi]]) -> dict:
        return {
            var: value._replace(names=tuple(phi.name for phi in phis[var]))
            for var, value in state.items()
        }

    def _close(self, phis: Mapping[core.Var, Sequence[Phi]], after: State, latch: str) -> None:
        for var, own in phis.items():
            for phi, name in zip(own, after[var].names, strict=True):
                self.code.becomes(phi, name, latch)

    def _slot(self, row: str, slot: int) -> str:
        """The address of a number in the table."""
        wide = self.code.do(f"zext i32 {row} to i64")
        offset = self.code.do(f"mul i64 {wide}, {len(self.parts.noted) * SLOT}")
        place = self.code.do(f"add i64 {offset}, {slot * SLOT}")
        return self.code.do(f"getelementptr i8, ptr %table, i64 {place}")

    def _scalar(self, var: core.Var, place: Place) -> Value:
        dtype = aval(var).dtype
        return memory.load(self.code, memory.scalar_pointer(self.code, place, dtype), dtype)

    def _row(self, var: core.Var, place: Place) -> Value:
        return memory.load_rows(self.code, place, aval(var).dtype)

"""A run as an LLVM function.

    for each segment of steps:
        take what is the same for all lanes through the segment, and note it in a table
        for each few lanes, while one of them is running:
            load their state; at the very first, work out their starts instead
            take the steps of the segment, in registers
            store their state; at the very last, work out and store their results instead

The table holds, for each step, the numbers that lanes ask for. Between starts, steps and results
the state lies on the stack, so that a run in one call reads the ids of lanes and writes their
results, how many are running, and nothing else.
"""

from jax.extend import core

from lab.kernels.cpu import memory
from lab.kernels.cpu.basic import choose
from lab.kernels.cpu.code import Code, Value
from lab.kernels.cpu.edges import Edges
from lab.kernels.cpu.known import Known
from lab.kernels.cpu.memory import Buffers
from lab.kernels.cpu.stepping import (
    INT32,
    SLOT,
    TRUTH,
    State,
    Stepper,
    close,
    phis_of,
    values_of,
)
from lab.kernels.loop import Whole
from lab.kernels.packing import Place
from lab.kernels.parts import Parts
from lab.scalarize import NotScalar, aval

TABLE = 2**14
"""Numbers in the table: its bytes stay in a core's cache, next to the lanes' state."""

FOREVER = 2**30
"""Steps in a segment where none are noted."""

BOUNDS = {"%first": "first", "%until": "until", "%b": "begins", "%e": "ends", "%c": "lanes"}
"""Registers that hold what a function is told at first."""


class Writer:
    """Writes the function of one run: of pointers %p0 (the bounds), %p1 ..., and %lanes."""

    def __init__(self, whole: Whole, buffers: Buffers, code: Code):
        self.loop, self.buffers, self.code = whole.loop, buffers, code
        self.known, self.parts = Known(whole.loops, code), Parts(whole.loop)
        self.stepper = Stepper(self.loop, self.parts, self.known, code)
        self.edges = Edges(whole, buffers, self.known, code)

    def function(self, name: str, pointers: int) -> str:
        """The function, after the declarations that it needs."""
        code = self.code
        code.label("entry")
        for register, bound in BOUNDS.items():
            pointer = memory.scalar_pointer(code, memory.bound(bound), INT32)
            code.line(f"{register} = load i32, ptr {pointer}, align 4")
        code.line("%begins = icmp ne i32 %b, 0")
        code.line("%ends = icmp ne i32 %e, 0")
        code.line("%count = sext i32 %c to i64")
        alike = self._alike_at_first()
        code.line(f"%table = alloca [{TABLE * SLOT} x i8], align 64")
        code.line(f"%stack = alloca [{self.edges.size} x i8], align 64")
        code.line("%running = alloca i32, align 4")
        code.line("br label %segment")
        self._segments(alike)
        arguments = ", ".join(f"ptr noalias %p{i}" for i in range(pointers))
        head = f"define internal void @{name}({arguments}, i64 %lanes) #0 {{"
        return "\n".join([*code.declared.values(), head, *code.lines, "}"])

    def _alike_at_first(self) -> State:
        """The state that is the same for all lanes, as it is kept or as it begins."""
        code, shared = self.code, dict(self.buffers.shared)
        places = self.buffers.alike or self.buffers.alike_after  # where there is none, it is unread
        kept = {var: self._scalar(var, place) for var, place in places.items()}
        self.known |= {var: self._scalar(var, place) for var, place in shared.items()}
        self.known.write(self.parts.fixed)
        starts = self.edges.alike_at_first()
        begins = Value(("%begins",), TRUTH, True)
        return {
            var: choose(code, begins, starts[var], value) if starts else value
            for var, value in kept.items()
        }

    def _segments(self, alike: State) -> None:
        code = self.code
        code.label("segment")
        begin = code.phi("i32", "%first", "entry", "%begin")
        phis = phis_of(code, alike, "entry")
        now = values_of(alike, phis)
        noted = len(self.parts.noted)
        if noted > TABLE:
            raise NotScalar(f"{noted:,} numbers that change from step to step")
        steps = TABLE // noted if noted else FOREVER
        code.line("%left = sub i32 %until, %begin")
        code.line(f"%whole = icmp sgt i32 %left, {steps}")
        code.line(f"%far = add i32 %begin, {steps}")
        code.line("%end = select i1 %whole, i32 %far, i32 %until")
        code.line("%first_of_all = icmp eq i32 %begin, %first")
        code.line("%starting = and i1 %begins, %first_of_all")
        code.line("%last_of_all = icmp eq i32 %end, %until")
        code.line("%ending = and i1 %ends, %last_of_all")
        code.line("%some = icmp slt i32 %begin, %end")
        code.line("br i1 %some, label %tick, label %ticked")
        ticked = self._ticks(now)
        code.label("ticked")
        then = phis_of(code, now, "segment")
        close(code, then, ticked, "tick")
        after = values_of(now, then)
        self.edges.alike_at_last(after)
        code.line("store i32 0, ptr %running, align 4")
        code.line("br label %group")
        self._groups(after)
        code.label("next_segment")
        code.line("br i1 %last_of_all, label %done, label %segment")
        code.becomes(begin, "%end", "next_segment")
        close(code, phis, after, "next_segment")
        code.label("done")
        for var, place in self.buffers.alike_after.items():
            memory.store(code, memory.scalar_pointer(code, place, aval(var).dtype), after[var])
        if self.buffers.running is not None:
            total = code.do("load i32, ptr %running, align 4") if self.loop.running else "%c"
            pointer = memory.scalar_pointer(code, self.buffers.running, INT32)
            code.line(f"store i32 {total}, ptr {pointer}, align 4")
        code.line("ret void")

    def _ticks(self, alike: State) -> State:
        """What is the same for all lanes, taken through the segment and noted in the table."""
        code = self.code
        code.label("tick")
        time = code.phi("i32", "%begin", "segment")
        phis = phis_of(code, alike, "segment")
        self.known |= values_of(alike, phis) | {self.loop.clock: Value((time.name,), INT32, True)}
        self.known.write(self.parts.of_steps)
        row = code.do(f"sub i32 {time.name}, %begin")
        for slot, var in enumerate(self.parts.noted):
            memory.store(code, self.stepper.slot(row, slot), self.known[var])
        after = {var: self.known.read(out) for var, out in self.parts.alike.items()}
        then = code.do(f"add i32 {time.name}, 1")
        again = code.do(f"icmp slt i32 {then}, %end")
        code.line(f"br i1 {again}, label %tick, label %ticked")
        code.becomes(time, then, "tick")
        close(code, phis, after, "tick")
        return after

    def _groups(self, alike: State) -> None:
        """Lanes, a few at a time, through the steps of the segment."""
        code = self.code
        code.label("group")
        code.line("%g = phi i64 [ 0, %ticked ], [ %g_next, %next_group ]")
        before, after = (
            {var: self._row(var, place) for var, place in rows.items()}
            for rows in (self.buffers.lanes, self.buffers.lanes_after)
        )
        kept = {
            var: code.do(f"select i1 %first_of_all, ptr {before.get(var, row)}, ptr {row}")
            for var, row in after.items()
        }
        there, then = self.edges.begin(kept), self.edges.where_to(after)
        state = {v: memory.load_rows(code, p, aval(v).dtype) for v, p in there.items()}
        marks = self.stepper.marks(state)
        run = code.do(f"and i1 %some, {self.stepper.any_of(marks)}")
        edge = code.do("or i1 %first_of_all, %last_of_all")
        wanted = code.do(f"or i1 {run}, {edge}")
        code.line(f"br i1 {wanted}, label %load, label %next_group")
        code.label("load")
        for var, place in self.buffers.given.items():
            pointer = self._row(var, place)
            self.known[var] = memory.load_rows(code, pointer, aval(var).dtype)
        code.line(f"br i1 {run}, label %go, label %store")
        code.label("go")
        leaving, latch = self.stepper.write(state, "go")
        code.label("store")
        last = phis_of(code, state, "load")
        close(code, last, leaving, latch)
        left = values_of(state, last)
        for var, value in left.items():
            memory.store_rows(code, then[var], value)
        self._count(left)
        self.edges.finish()
        code.line("br label %next_group")
        code.label("next_group")
        code.line(f"%g_next = add i64 %g, {code.lanes}")
        code.line("%more = icmp slt i64 %g_next, %count")
        code.line("br i1 %more, label %group, label %next_segment")

    def _count(self, state: State) -> None:
        """Add the lanes that are running to their number, if anybody asks for it."""
        if self.buffers.running is not None:
            ours = self.stepper.count_of(self.stepper.marks(state))
            others = self.code.do("load i32, ptr %running, align 4")
            total = self.code.do(f"add i32 {others}, {ours}")
            self.code.line(f"store i32 {total}, ptr %running, align 4")

    def _scalar(self, var: core.Var, place: Place) -> Value:
        dtype = aval(var).dtype
        return memory.load(self.code, memory.scalar_pointer(self.code, place, dtype), dtype)

    def _row(self, var: core.Var, place: Place) -> str:
        return memory.row_pointer(self.code, place, aval(var).dtype)

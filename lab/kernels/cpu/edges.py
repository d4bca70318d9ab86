"""The edges of a run: lanes at their starts, and what is stored of those that have ended.

Both are written for one vector at a time, in a loop over those that take their steps together, and
find or leave the state on the stack.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from jax.extend import core

from lab.blocks import PADDING
from lab.kernels.cpu import memory
from lab.kernels.cpu.basic import binary, choose, compare
from lab.kernels.cpu.code import Code, Value, constant
from lab.kernels.cpu.known import Known
from lab.kernels.cpu.memory import LARGEST, Buffers
from lab.kernels.cpu.stepping import INT32, TRUTH, State
from lab.kernels.loop import Whole
from lab.kernels.parts import Parts
from lab.scalarize import NotScalar, aval

MOST_BYTES = 2**20
"""Of the stack of a thread, which has 8 MiB on Linux."""

Pointers = Mapping[core.Var, str]


class Edges:
    """Writes the begin and the end of a run, as far as it has them."""

    def __init__(self, whole: Whole, buffers: Buffers, known: Known, code: Code):
        self.whole, self.buffers, self.known, self.code = whole, buffers, known, code
        self.at_begin, self.at_end = (
            None if each is None else Parts(each) for each in (whole.begin, whole.end)
        )
        self.places = {var: number for number, var in enumerate(buffers.lanes_after)}
        self.lanes = code.lanes
        state = whole.loop.variables[2]
        self.starts = dict(zip(state, self.at_begin.results, strict=True)) if self.at_begin else {}
        self.results = (
            dict(zip(whole.end.variables[2], self.at_end.results, strict=True))
            if whole.end is not None and self.at_end is not None
            else {}
        )

    @property
    def size(self) -> int:
        """Bytes of the stack that the state of the lanes takes.

        Raises:
            NotScalar: when the stack might not hold it.
        """
        size = max(len(self.places), 1) * self.lanes * LARGEST
        if size > MOST_BYTES:
            raise NotScalar(f"{len(self.places):,} numbers of state, more than a stack holds")
        return size

    def alike_at_first(self) -> dict[core.Var, Value]:
        """The state that is the same for all lanes, as it begins; none if it does not."""
        if self.at_begin is None:
            return {}
        self.known.write(self.at_begin.fixed)
        return {var: self.known.read(self.starts[var]) for var in self.buffers.alike_after}

    def alike_at_last(self, state: State) -> None:
        """What results need of that which is the same for all lanes, its state being this."""
        if self.at_end is None or self.whole.end is None:
            return
        shared, given, _ = self.whole.end.variables
        own = zip(self.whole.loop.variables[2], given[3:], strict=True)
        self.known[shared[-1]] = Value(("%end",), INT32, True)
        self.known.update({var: state[of] for of, var in own if of in state})
        self.known.write(self.at_end.fixed)

    def begin(self, kept: Pointers) -> Pointers:
        """Work out the starts, if this is where they belong, and say where the state lies.

        Args:
            kept: where it lies if they do not.
        """
        if self.at_begin is None or self.whole.begin is None:
            return kept
        with self._each_vector("start", "%starting", "group") as (lane, offset):
            self._know_ids(self.whole.begin.variables[1], lane)
            self.known.write(self.at_begin.of_lanes)
            for var in self.places:
                start = self.code.spread(self.known.read(self.starts[var]))
                memory.store_rows(self.code, self._on_stack(var, offset), start)
        return self._either("%starting", kept)

    def where_to(self, kept: Pointers) -> Pointers:
        """Where the state of these lanes is to be left: there, unless this is their end."""
        return kept if self.at_end is None else self._either("%ending", kept)

    def finish(self) -> None:
        """Work out the results and store them, if this is where they belong."""
        if self.at_end is None or self.whole.end is None:
            return
        code, (_, given, _) = self.code, self.whole.end.variables
        own = dict(zip(self.whole.loop.variables[2], given[3:], strict=True))
        with self._each_vector("finish", "%ending", "store") as (lane, offset):
            self._know_ids(given[:3], lane)
            for var in self.places:
                pointer = self._on_stack(var, offset)
                self.known[own[var]] = memory.load_rows(code, pointer, aval(var).dtype)
            self.known.write(self.at_end.of_lanes)
            for var, column in self.buffers.results.items():
                result = code.spread(self.known.read(self.results[var]))
                memory.store_column(code, column, lane, result)

    def _know_ids(self, variables: Sequence[core.Var], lane: str) -> None:
        """The ids of lanes: those of a block's first lane are added to their places in it."""
        code = self.code
        corner = map(memory.bound, ("setting", "seed", "start"))
        for var, place, first in zip(variables, self.buffers.ids, corner, strict=True):
            if not any(var in loop.used for loop in self.whole.edges):
                continue
            at = memory.load_rows(code, memory.row_pointer(code, place, INT32, lane), INT32)
            pointer = memory.scalar_pointer(code, first, INT32)
            moved = binary("add")(code, INT32, {}, [at, memory.load(code, pointer, INT32)])
            none = code.spread(constant(PADDING, INT32))
            padding = compare("eq")(code, TRUTH, {}, [at, none])
            self.known[var] = choose(code, padding, at, moved)

    def _either(self, condition: str, kept: Pointers) -> Pointers:
        code = self.code
        return {
            var: code.do(f"select i1 {condition}, ptr {self._on_stack(var, '0')}, ptr {pointer}")
            for var, pointer in kept.items()
        }

    def _on_stack(self, var: core.Var, offset: str) -> str:
        """A lane's number on the stack."""
        row = self.places[var] * self.lanes * LARGEST
        start = self.code.do(f"getelementptr i8, ptr %stack, i64 {row}")
        return memory.pointer_to(self.code, start, aval(var).dtype, offset)

    @contextmanager
    def _each_vector(self, name: str, condition: str, before: str) -> Iterator[tuple[str, str]]:
        """A loop over the vectors of a group: the first lane of each, and its place there."""
        code, copies = self.code, self.code.copies
        code.line(f"br i1 {condition}, label %{name}, label %{name}_done")
        code.label(name)
        offset, lane = f"%{name}_at", f"%{name}_lane"
        code.line(f"{offset} = phi i64 [ 0, %{before} ], [ %{name}_next, %{name} ]")
        code.line(f"{lane} = add i64 %g, {offset}")
        code.copies = 1
        yield lane, offset
        code.copies = copies
        code.line(f"%{name}_next = add i64 {offset}, {code.width}")
        code.line(f"%{name}_more = icmp slt i64 %{name}_next, {self.lanes}")
        code.line(f"br i1 %{name}_more, label %{name}, label %{name}_done")
        code.label(f"{name}_done")

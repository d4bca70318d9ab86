"""A loop run by its kernel: numbers packed into buffers, the kernel called, results unpacked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jaxtyping import Array, Int

from lab.blocks import PADDING
from lab.kernels.cpu import building
from lab.kernels.cpu.code import Code
from lab.kernels.cpu.memory import BOUNDS, Buffers
from lab.kernels.cpu.writing import Writer
from lab.kernels.expanding import expanded
from lab.kernels.loop import Loop, Rows, Whole
from lab.kernels.packing import Pack, Packs, Place, lanes_of, packed
from lab.kernels.regrouping import regrouped
from lab.scalarize import NotScalar, aval

MOST_OPERATIONS = 40_000
"""Operations in a step, elementary functions written out, beyond which compiling takes minutes."""

LONG = 1000
"""Operations that keep a processor busy without a second vector side by side."""

MOST_COPIES = 8
REGISTERS = 32
"""Vectors of state that are worked on side by side, if that many fit into `MOST_COPIES`."""

WAITED_FOR = ("div", "sqrt")
"""Operations that are slow to come back: twice as many vectors side by side hide it."""


def run(
    loop: Loop,
    first: Int[Array, ""],
    until: Int[Array, ""],
    shared: Rows,
    given: Rows,
    state: Rows,
) -> Rows:
    """The state after steps first ... until-1 (see `lab.kernels.loop.Run`).

    Raises:
        NotScalar: when there is something in the loop that the kernel cannot do.
    """
    return _called(Whole(loop), [first, until], shared, given, state)[0]


def once(loop: Loop, shared: Rows, given: Rows) -> Rows:
    """The state after one step of a loop that asks for none before it.

    Raises:
        NotScalar: when there is something in the loop that the kernel cannot do.
    """
    return _called(Whole(loop), [0, 1], shared, given, None)[0]


def through(
    whole: Whole,
    bounds: Sequence[Any],
    ids: Int[Array, "3 lane"],
    shared: Rows,
    given: Rows,
    state: Rows,
) -> tuple[Rows, Rows]:
    """A part of a run, or all of it (see `lab.kernels.loop.Through`).

    Raises:
        NotScalar: when there is something in the loops that the kernel cannot do.
    """
    return _called(whole, bounds, shared, given, state, ids if whole.edges else None)


def _buffer(bounds: Sequence[Any], lanes: int) -> Int[Array, " number"]:
    """The first buffer of a function; what is not given is 0, but the number of lanes is all."""
    rest = [0] * (BOUNDS - len(bounds) - 1)
    numbers = bounds if len(bounds) == BOUNDS else [*bounds, *rest, lanes]
    return jnp.stack([jnp.asarray(number, jnp.int32) for number in numbers])


class Packed(NamedTuple):
    """The numbers of a call.

    Attributes:
        packs: those of the steps.
        edges: what starts and results share.
        ids: [3, lane], where there are edges.
        same_results: results that are the same for all lanes, and
        results: those that are not.
        state: whether there is a state before.
    """

    packs: Packs
    edges: Pack
    ids: Array | None
    same_results: Pack
    results: Pack
    state: bool

    @property
    def read(self) -> list[Array]:
        """What is read, after the bounds."""
        packs = self.packs
        before = [*packs.alike.arrays, *packs.lanes.arrays] if self.state else []
        ids = [] if self.ids is None else [self.ids]
        return [*packs.shared.arrays, *self.edges.arrays, *packs.given.arrays, *ids, *before]

    @property
    def written(self) -> list[Pack]:
        """What is written."""
        return [self.packs.alike, self.packs.lanes, self.same_results, self.results]

    def buffers(self, with_ids: bool) -> tuple[Buffers, int]:
        """Where each variable lies, and the number of buffers."""
        packs, count = self.packs, 1  # the first holds the bounds

        def places(pack: Pack) -> dict[core.Var, Place]:
            nonlocal count
            found = pack.places(count)
            count += len(pack.groups)
            return found

        shared, given = places(packs.shared) | places(self.edges), places(packs.given)
        ids = [Place(count, number) for number in range(3)] if with_ids else []
        count += bool(ids)
        before = [places(pack) if self.state else {} for pack in (packs.alike, packs.lanes)]
        return Buffers(shared, given, ids, *before, *map(places, self.written)), count


def _called(
    whole: Whole,
    bounds: Sequence[Any],
    shared: Rows,
    given: Rows,
    state: Rows | None,
    ids: Array | None = None,
) -> tuple[Rows, Rows]:
    """The state after the function's steps, from a state or from none, and the results."""
    whole = in_basic_operations(whole)
    loop, code = whole.loop, Code(*shape_of(whole.loop))
    lanes = lanes_of(loop, given, [None] * len(loop.state) if state is None else state)
    padding = -lanes % code.lanes
    numbers = packed_for(whole, shared, given, state, ids, padding)
    read, rows = [_buffer(bounds, lanes), *numbers.read], lanes + padding
    about = [
        description
        for pack, of_lanes in zip(numbers.written, [(), (rows,), (), (rows,)], strict=True)
        for description in pack.described(*of_lanes)
    ]
    target = building.registered(written(whole, code, numbers), len(read), len(about), rows)
    found, by_var = list(jax.ffi.ffi_call(target, about)(*read)), dict[core.Var, Array]()
    for pack in numbers.written:
        count = len(pack.groups)
        by_var |= pack.unpacked(found[:count])
        found = found[count:]
    ends = [] if whole.end is None else whole.end.variables[2]
    return [by_var[var] for var in loop.variables[2]], [by_var[var] for var in ends]


def packed_for(
    whole: Whole,
    shared: Sequence[Any],
    given: Sequence[Any],
    state: Sequence[Any] | None,
    ids: Array | None = None,
    padding: int = 0,
) -> Packed:
    """The numbers of a call, packed; what no equation asks for is left out."""
    constants = [
        (var, value)
        for loop in whole.edges
        for var, value in zip(loop.variables[0], shared, strict=False)
        if var in loop.used
    ]
    of_end, marks = ([], ()) if whole.end is None else (whole.end.variables[2], whole.end.state)
    same, results = (
        [(var, None) for var, differs in zip(of_end, marks, strict=True) if differs is mark]
        for mark in (False, True)
    )
    if ids is not None and padding:
        ids = jnp.pad(ids, ((0, 0), (0, padding)), constant_values=PADDING)
    values = [None] * len(whole.loop.state) if state is None else state
    packs = packed(whole.loop, shared, given, values, padding, apart=True)
    of_results = Pack(same), Pack(results, padding, apart=True)
    return Packed(packs, Pack(constants), ids, *of_results, state is not None)


def missing(loop: Loop) -> str | None:
    """Why there is no kernel for a loop; None if there is one."""
    shared, given, state = ([None] * len(part) for part in loop.variables)
    try:
        whole = in_basic_operations(Whole(loop))
        written(whole, Code(*shape_of(whole.loop)), packed_for(whole, shared, given, state))
    except NotScalar as reason:
        return f"the step holds {reason}, which the kernel does not know"
    return None


def in_basic_operations(whole: Whole) -> Whole:
    """The run, its loops written out."""
    begin, end = (None if loop is None else written_out(loop) for loop in whole[1:])
    return Whole(written_out(whole.loop), begin, end)


def written_out(loop: Loop) -> Loop:
    """The loop in basic operations.

    Raises:
        NotScalar: when there are too many of them.
    """
    if len(loop.step.jaxpr.eqns) >= LONG:
        loop = replace(loop, whole=loop.step)  # freezing is a small part of so long a step
    whole = expanded(replace(loop, whole=regrouped(loop)))
    size = len(whole.jaxpr.eqns)
    if size > MOST_OPERATIONS:
        raise NotScalar(f"{size:,} operations, more than {MOST_OPERATIONS:,}")
    return replace(loop, whole=whole)


def written(whole: Whole, code: Code, numbers: Packed) -> str:
    """The run's function in LLVM's language, for buffers packed like these."""
    buffers, count = numbers.buffers(with_ids=bool(whole.edges))
    return Writer(whole, buffers, code).function(building.FUNCTION, count)


def shape_of(loop: Loop) -> tuple[int, int]:
    """Lanes in a vector, and how many vectors are worked on side by side."""
    wide = {aval(var).dtype.itemsize for var in floats(loop)} or {4}
    width = building.vector_bytes() // max(wide)
    vectors = sum(loop.state)
    copies = MOST_COPIES if len(loop.step.jaxpr.eqns) < LONG else 1
    waits = any(equation.primitive.name in WAITED_FOR for equation in loop.step.jaxpr.eqns)
    while copies > 1 and copies * vectors > REGISTERS * (2 if waits else 1):
        copies //= 2
    return width, copies


def floats(loop: Loop) -> list[core.Var]:
    """The variables of the state that are floats."""
    return [var for var in loop.variables[2] if np.issubdtype(aval(var).dtype, np.floating)]

"""A loop run by its kernel: numbers packed into buffers, the kernel called, results unpacked."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jaxtyping import Array, Int

from lab.kernels.cpu import building
from lab.kernels.cpu.code import Code
from lab.kernels.cpu.distributing import distributed
from lab.kernels.cpu.passing import Packed, packed_for
from lab.kernels.cpu.writing import Writer
from lab.kernels.expanding import expanded
from lab.kernels.loop import Bounds, Loop, Rows, Whole
from lab.kernels.packing import lanes_of
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
    return _called(Whole(loop), (first, until), shared, given, state)[0]


def once(loop: Loop, shared: Rows, given: Rows) -> Rows:
    """The state after one step of a loop that asks for none before it.

    Raises:
        NotScalar: when there is something in the loop that the kernel cannot do.
    """
    return _called(Whole(loop), (0, 1), shared, given, None)[0]


def through(
    whole: Whole,
    bounds: Int[Array, " bound"],
    ids: Int[Array, "3 lane"],
    shared: Rows,
    given: Rows,
    state: Rows,
) -> tuple[Rows, Int[Array, ""], Rows]:
    """A part of a run, or all of it (see `lab.kernels.loop.Through`).

    Raises:
        NotScalar: when there is something in the loops that the kernel cannot do.
    """
    state, (running, *results) = _called(whole, bounds, shared, given, state, ids)
    return state, running[0], [array[: ids.shape[1]] for array in results]


def _of_steps(first: Any, until: Any, lanes: int) -> Int[Array, " bound"]:
    """The bounds of steps that neither begin nor end so many lanes."""
    bounds = Bounds(first, until, 0, 0, 0, 0, 0, lanes)
    return jnp.stack([jnp.asarray(number, jnp.int32) for number in bounds])


def _called(
    whole: Whole,
    bounds: tuple[Any, Any] | Int[Array, " bound"],
    shared: Rows,
    given: Rows,
    state: Rows | None,
    ids: Array | None = None,
) -> tuple[Rows, Rows]:
    """The state after the function's steps, from a state or from none, and the arrays after that.

    Args:
        whole: what the function does.
        bounds: or only the first step and the one that is not taken any more.
        shared: see `lab.kernels.loop`.
        given: likewise.
        state: None if nothing asks for it.
        ids: of lanes that may begin or end: then how many are running, and the results, follow.
    """
    whole = in_basic_operations(whole)
    loop, code = whole.loop, Code(*shape_of(whole.loop))
    lanes = lanes_of(loop, given, [None] * len(loop.state) if state is None else state)
    padding = -lanes % code.lanes
    numbers = packed_for(whole, shared, given, state, ids, padding)
    told, rows = _of_steps(*bounds, lanes) if isinstance(bounds, tuple) else bounds, lanes + padding
    read, (alike, of_lanes) = [told, *numbers.read], numbers.state_after
    running = [] if ids is None else [jax.ShapeDtypeStruct((1,), jnp.int32)]
    state_after = [*alike.described(), *of_lanes.described(rows)]
    about = [*state_after, *running, *numbers.results.described(rows)]
    target = building.registered(written(whole, code, numbers), len(read), len(about), rows)
    found, by_var = list(jax.ffi.ffi_call(target, about)(*read)), dict[core.Var, Array]()
    for pack in numbers.state_after:
        count = len(pack.groups)
        by_var |= pack.unpacked(found[:count])
        found = found[count:]
    return [by_var[var] for var in loop.variables[2]], found


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
    begin, end = (None if loop is None else written_out(loop) for loop in (whole.begin, whole.end))
    return Whole(written_out(whole.loop), begin, end, whole.columns)


def written_out(loop: Loop) -> Loop:
    """The loop in basic operations.

    Raises:
        NotScalar: when there are too many of them.
    """
    if len(loop.step.jaxpr.eqns) >= LONG:
        loop = replace(loop, whole=loop.step)  # freezing is a small part of so long a step
    whole = expanded(replace(loop, whole=distributed(regrouped(loop))))
    size = len(whole.jaxpr.eqns)
    if size > MOST_OPERATIONS:
        raise NotScalar(f"{size:,} operations, more than {MOST_OPERATIONS:,}")
    return replace(loop, whole=whole)


def written(whole: Whole, code: Code, numbers: Packed) -> str:
    """The run's function in LLVM's language, for buffers packed like these."""
    buffers, count = numbers.buffers()
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

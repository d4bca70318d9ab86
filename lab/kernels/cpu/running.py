"""A loop run by its kernel: numbers packed into buffers, the kernel called, results unpacked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jaxtyping import Array, Int

from lab.kernels.cpu import building
from lab.kernels.cpu.code import Code
from lab.kernels.cpu.memory import Buffers
from lab.kernels.cpu.writing import Writer
from lab.kernels.expanding import expanded
from lab.kernels.loop import Loop, Rows
from lab.kernels.packing import Packs, lanes_of, packed
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
    return _called(loop, jnp.stack([first, until]), shared, given, state)


def once(loop: Loop, shared: Rows, given: Rows) -> Rows:
    """The state after one step of a loop that asks for none before it.

    Raises:
        NotScalar: when there is something in the loop that the kernel cannot do.
    """
    return _called(loop, jnp.arange(2, dtype=jnp.int32), shared, given, None)


def _called(
    loop: Loop, bounds: Int[Array, "2"], shared: Rows, given: Rows, state: Rows | None
) -> Rows:
    """What the loop's function makes of a state in place, or in buffers that hold none yet."""
    loop = written_out(loop)
    code = Code(*shape_of(loop))
    values: Sequence[Any] = [None] * len(loop.state) if state is None else state
    lanes = lanes_of(loop, given, values)
    padding = -lanes % code.lanes
    packs = packed(loop, shared, given, values, padding, apart=True)
    read = [bounds, *packs.shared.arrays, *packs.given.arrays]
    about = [*packs.alike.described(), *packs.lanes.described(lanes + padding)]
    changed = [] if state is None else [*packs.alike.arrays, *packs.lanes.arrays]
    target = building.registered(written(loop, code, packs), len(read), len(about), lanes + padding)
    aliases = {len(read) + i: i for i in range(len(changed))}
    results = jax.ffi.ffi_call(target, about, input_output_aliases=aliases)(*read, *changed)
    alike = len(packs.alike.groups)
    found = packs.alike.unpacked(results[:alike]) | packs.lanes.unpacked(results[alike:])
    return [found[var] for var in loop.variables[2]]


def missing(loop: Loop) -> str | None:
    """Why there is no kernel for a loop; None if there is one."""
    shared, given, state = ([None] * len(part) for part in loop.variables)
    try:
        loop = written_out(loop)
        written(loop, Code(*shape_of(loop)), packed(loop, shared, given, state, apart=True))
    except NotScalar as reason:
        return f"the step holds {reason}, which the kernel does not know"
    return None


def written_out(loop: Loop) -> Loop:
    """The loop in basic operations.

    Raises:
        NotScalar: when there are too many of them.
    """
    if len(loop.step.jaxpr.eqns) >= LONG:
        loop = replace(loop, whole=loop.step)  # freezing is a small part of so long a step
    whole = expanded(loop)
    size = len(whole.jaxpr.eqns)
    if size > MOST_OPERATIONS:
        raise NotScalar(f"{size:,} operations, more than {MOST_OPERATIONS:,}")
    return replace(loop, whole=whole)


def written(loop: Loop, code: Code, packs: Packs) -> str:
    """The loop's function in LLVM's language, for buffers packed like these."""
    counts = [len(pack.groups) for pack in packs]
    starts = np.cumsum([1, *counts]).tolist()  # the first pointer is to the bounds
    places = (pack.places(first) for pack, first in zip(packs, starts, strict=False))
    return Writer(loop, Buffers(*places), code).function(building.FUNCTION, starts[-1])


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

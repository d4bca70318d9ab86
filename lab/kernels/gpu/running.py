"""A loop run on a GPU by two Pallas kernels, segment of steps after segment of steps.

`_ticks`, one thread, takes what is the same for all lanes through a segment, and notes in tables
what lanes ask for of it. `_lanes` then takes the lanes through the segment: each program of it
loads a block of them, keeps their state in registers until the segment ends or they have, and
stores it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jax.extend import core
from jaxtyping import Array, Int

from lab.kernels.elementary import EXPANSIONS
from lab.kernels.expanding import expanded
from lab.kernels.loop import Loop, Rows
from lab.kernels.packing import Pack, Packs, Place, lanes_of, packed, stored_as
from lab.kernels.parts import Parts, evaluate, value_of
from lab.scalarize import aval

TRUTH = np.dtype(np.int32)
"""What holds truth values in a buffer."""

SEGMENT = 1024
"""Steps whose shared numbers the tables hold."""

BLOCK, WARPS = 256, 4
"""Lanes of a program, and its warps of 32 threads: two lanes a thread."""

MOST_OPERATIONS = 16_000
"""Operations in a step beyond which compiling takes minutes."""

UNKNOWN = ("erf", "erfc", "asinh", "acosh", "atanh")
"""Elementary functions that Pallas does not lower for a GPU, and that are written out instead."""


def run(
    loop: Loop,
    first: Int[Array, ""],
    until: Int[Array, ""],
    shared: Rows,
    given: Rows,
    state: Rows,
    interpret: bool = False,
) -> Rows:
    """The state after steps first ... until-1 (see `lab.kernels.loop.Run`).

    Args:
        loop: and all up to `state`, as a backend takes them.
        first: the first step.
        until: the step that is not taken any more.
        shared: what is the same for all lanes.
        given: what lanes are given.
        state: their state.
        interpret: run on whatever device there is, slowly, to test the kernels.
    """
    loop = known_to_pallas(loop)
    lanes = lanes_of(loop, given, state)
    packs = packed(loop, shared, given, state, -lanes % BLOCK, truth=TRUTH)
    kernels = Kernels(loop, packs, interpret)

    def segment(carry: tuple[Array, list[Array], list[Array]]) -> tuple:
        begin, alike, changing = carry
        end = jnp.minimum(begin + SEGMENT, until)
        bounds = jnp.stack([begin, end])
        alike, tables = kernels.ticks(bounds, alike)
        return end, alike, kernels.lanes(bounds, tables, changing)

    start = (first, packs.alike.arrays, packs.lanes.arrays)
    _, alike, changing = jax.lax.while_loop(lambda carry: carry[0] < until, segment, start)
    found = packs.alike.unpacked(alike) | packs.lanes.unpacked(changing)
    return [found[var] for var in loop.variables[2]]


def known_to_pallas(loop: Loop) -> Loop:
    """The loop, with what Pallas does not lower written out."""
    loop = replace(loop, whole=loop.step)
    return replace(loop, whole=expanded(loop, {name: EXPANSIONS[name] for name in UNKNOWN}))


class Kernels:
    """The two kernels of a loop, for numbers packed like these."""

    def __init__(self, loop: Loop, packs: Packs, interpret: bool):
        self.loop, self.packs, self.parts = loop, packs, Parts(loop)
        compiler = triton.CompilerParams(num_warps=WARPS, num_stages=1)
        self.call = partial(pl.pallas_call, interpret=interpret, compiler_params=compiler)

    def ticks(self, bounds: Array, alike: list[Array]) -> tuple[list[Array], list[Array]]:
        """What is the same for all lanes after the segment, and the tables of it."""
        tables = [_like(jnp.zeros(SEGMENT, stored_as(var, TRUTH))) for var in self.parts.noted]
        if not (alike or tables):
            return [], []
        shared = self.packs.shared.arrays
        results = self.call(
            partial(self._ticks, len(shared), len(alike)),
            [*map(_like, alike), *tables],
            name="lab_ticks",
        )(bounds, *shared, *alike)
        return list(results[: len(alike)]), list(results[len(alike) :])

    def lanes(self, bounds: Array, tables: list[Array], changing: list[Array]) -> list[Array]:
        """The state of the lanes after the segment."""
        shared, given = self.packs.shared.arrays, self.packs.given.arrays
        counts = [len(tables), len(shared), len(given), len(changing)]
        whole = [pl.BlockSpec() for _ in range(1 + len(tables) + len(shared))]
        rows = [pl.BlockSpec((len(a), BLOCK), lambda i: (0, i)) for a in (*given, *changing)]
        before = 1 + sum(counts[:3])
        results = self.call(
            partial(self._lanes, counts),
            list(map(_like, changing)),
            grid=(changing[0].shape[1] // BLOCK,),
            in_specs=[*whole, *rows],
            out_specs=rows[len(given) :],
            input_output_aliases={before + i: i for i in range(len(changing))},
            name="lab_lanes",
        )(bounds, *tables, *shared, *given, *changing)
        return list(results)

    def _ticks(self, shared: int, alike: int, bounds: Any, *refs: Any) -> None:
        known = _scalars(self.packs.shared, refs[:shared])
        evaluate(self.parts.fixed, known)
        start = _scalars(self.packs.alike, refs[shared : shared + alike])
        out, tables = refs[shared + alike : shared + 2 * alike], refs[shared + 2 * alike :]
        first = bounds[0]

        def body(t: Array, state: dict[core.Var, Array]) -> dict[core.Var, Array]:
            now = known | state | {self.loop.clock: t}
            evaluate(self.parts.of_steps, now)
            for table, var in zip(tables, self.parts.noted, strict=True):
                table[t - first] = now[var].astype(table.dtype)
            return {v: _becoming(atom, now, t) for v, atom in self.parts.alike.items()}

        end = _through(first, bounds[1], body, start)
        for var, place in self.packs.alike.places().items():
            out[place.buffer][place.row] = end[var].astype(out[place.buffer].dtype)

    def _lanes(self, counts: Sequence[int], bounds: Any, *refs: Any) -> None:
        cuts = np.cumsum([0, *counts]).tolist()
        tables, shared, given, changing = (refs[a:b] for a, b in pairwise(cuts))
        out = refs[cuts[-1] :]
        known = _scalars(self.packs.shared, shared) | _rows(self.packs.given, given)
        evaluate(self.parts.fixed, known)
        first = bounds[0]

        def body(t: Array, state: dict[core.Var, Array]) -> dict[core.Var, Array]:
            noted = {
                var: table[t - first].astype(aval(var).dtype)
                for table, var in zip(tables, self.parts.noted, strict=True)
            }
            now = known | state | noted | {self.loop.clock: t}
            evaluate(self.parts.of_lanes, now)
            ends = {v: _becoming(atom, now, t) for v, atom in self.parts.lanes.items()}
            return {v: jnp.broadcast_to(end, (BLOCK,)) for v, end in ends.items()}

        end = _through(first, bounds[1], body, _rows(self.packs.lanes, changing), self._running)
        for var, place in self.packs.lanes.places().items():
            out[place.buffer][place.row, :] = end[var].astype(out[place.buffer].dtype)

    def _running(self, state: dict[core.Var, Array]) -> Any:
        """Whether one of the lanes is running."""
        if self.loop.outcome is None:
            return True
        outcome = state[self.loop.variables[2][self.loop.outcome]]
        return jnp.max((outcome == 0).astype(jnp.int32)) > 0


def _through(
    first: Array,
    until: Array,
    body: Callable[[Array, dict[core.Var, Array]], dict[core.Var, Array]],
    start: dict[core.Var, Array],
    running: Callable[[dict[core.Var, Array]], Any] = lambda state: True,
) -> dict[core.Var, Array]:
    """The state after the steps; variables are no keys of a pytree, so it is carried as a list."""
    names = list(start)

    def goes_on(carry: tuple[Array, list[Array]]) -> Any:
        return (carry[0] < until) & running(dict(zip(names, carry[1], strict=True)))

    def step(carry: tuple[Array, list[Array]]) -> tuple[Array, list[Array]]:
        t, values = carry
        after = body(t, dict(zip(names, values, strict=True)))
        return t + 1, [jnp.asarray(after[name], aval(name).dtype) for name in names]

    ended = jax.lax.while_loop(goes_on, step, (first, [start[name] for name in names]))[1]
    return dict(zip(names, ended, strict=True))


def _becoming(atom: Any, known: dict[core.Var, Array], t: Array) -> Array:
    """What a variable of the state becomes.

    Pallas cannot lower a loop whose body gives back a constant; one chosen by a test, it can.
    """
    value = value_of(atom, known)
    constant = isinstance(atom, core.Literal)
    return jnp.where(t >= 0, value, jnp.zeros_like(value)) if constant else value


def _scalars(pack: Pack, refs: Sequence[Any]) -> dict[core.Var, Array]:
    return {var: _load(var, refs, place, place.row) for var, place in pack.places().items()}


def _rows(pack: Pack, refs: Sequence[Any]) -> dict[core.Var, Array]:
    whole = slice(None)
    return {
        var: _load(var, refs, place, (place.row, whole)) for var, place in pack.places().items()
    }


def _load(var: core.Var, refs: Sequence[Any], place: Place, index: Any) -> Array:
    value = refs[place.buffer][index]
    return value != 0 if aval(var).dtype == bool else value


def _like(array: Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def missing(loop: Loop) -> str | None:
    """Why there is no kernel for a loop; None if there is one: it is lowered for a trial."""
    size = len(loop.step.jaxpr.eqns)
    if size > MOST_OPERATIONS:
        return f"a step is {size:,} operations, and it compiles at most {MOST_OPERATIONS:,}"
    try:
        lowered(loop)
    except Exception as error:  # Pallas says what it does not lower in errors of several kinds
        return f"Pallas does not lower the step: {str(error).strip().splitlines()[0]}"
    return None


def lowered(loop: Loop, lanes: int = BLOCK) -> Any:
    """The kernels of a loop lowered for CUDA, on whatever machine."""
    jaxpr = loop.step.jaxpr
    one = [jax.ShapeDtypeStruct((), aval(var).dtype) for var in jaxpr.invars]
    marks = [False, *[False] * loop.shared, *loop.given, *loop.state]
    row = [
        jax.ShapeDtypeStruct((lanes,), a.dtype) if m else a for a, m in zip(one, marks, strict=True)
    ]
    given, state = 1 + loop.shared, 1 + loop.shared + len(loop.given)

    def all_of_it(first: Array, until: Array, rows: Rows) -> Rows:
        return run(loop, first, until, rows[: given - 1], rows[given - 1 : state - 1],
                   rows[state - 1 :])  # fmt: skip

    traced = jax.jit(all_of_it).trace(row[0], row[0], row[1:])
    return traced.lower(lowering_platforms=("cuda",))

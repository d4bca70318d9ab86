"""What a function is passed: its numbers packed into buffers, and which lies where."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax.extend import core
from jaxtyping import Array

from lab.blocks import PADDING
from lab.kernels.cpu.memory import Buffers
from lab.kernels.loop import Whole
from lab.kernels.packing import Columns, Pack, Packs, Place, packed


class Packed(NamedTuple):
    """The numbers of a call.

    Attributes:
        packs: those of the steps.
        edges: what starts and results share.
        ids: [3, lane], of lanes that may begin or end here, and are counted if they are running.
        results: what is stored in the end.
        state: whether there is a state before.
    """

    packs: Packs
    edges: Pack
    ids: Array | None
    results: Columns
    state: bool

    @property
    def read(self) -> list[Array]:
        """What is read, after the bounds."""
        packs = self.packs
        before = [*packs.alike.arrays, *packs.lanes.arrays] if self.state else []
        ids = [] if self.ids is None else [self.ids]
        return [*packs.shared.arrays, *self.edges.arrays, *packs.given.arrays, *ids, *before]

    @property
    def state_after(self) -> list[Pack]:
        """The state that is written."""
        return [self.packs.alike, self.packs.lanes]

    def buffers(self) -> tuple[Buffers, int]:
        """Where each variable lies, and the number of buffers."""
        packs, count = self.packs, 1  # the first holds the bounds

        def places(pack: Any) -> dict[core.Var, Any]:
            nonlocal count
            found = pack.places(count)
            count += len(pack.groups)
            return found

        shared, given = places(packs.shared) | places(self.edges), places(packs.given)
        of_lanes = self.ids is not None
        ids = [Place(count, number) for number in range(3)] if of_lanes else []
        count += of_lanes
        alike, lanes = (places(pack) if self.state else {} for pack in (packs.alike, packs.lanes))
        alike_after, lanes_after = (places(pack) for pack in self.state_after)
        running = Place(count, 0) if of_lanes else None
        count += of_lanes
        results = places(self.results)
        before, after = (alike, lanes), (alike_after, lanes_after)
        return Buffers(shared, given, ids, *before, *after, running, results), count


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
    results = Columns([] if whole.end is None else whole.end.variables[2], whole.columns)
    if ids is not None and padding:
        ids = jnp.pad(ids, ((0, 0), (0, padding)), constant_values=PADDING)
    values = [None] * len(whole.loop.state) if state is None else state
    packs = packed(whole.loop, shared, given, values, padding, apart=True)
    return Packed(packs, Pack(constants), ids, results, state is not None)

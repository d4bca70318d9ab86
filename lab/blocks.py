"""How settings x seeds x starts are cut into blocks: geometry only, plain NumPy.

A block is a rectangle of the results' lane dimensions, flattened and padded to a fixed number of
tiles. Its shape follows from the sizes alone, never from devices or processes, so the arithmetic
of a lane, to the last bit, does not depend on where or in which order its block is run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int

PADDING = -1
ENOUGH_BLOCKS = 16
"""A small run is cut into about this many blocks, so that every core has some."""


@dataclass(frozen=True)
class Layout:
    """The lane dimensions of a run and their cut into blocks.

    Attributes:
        axes: the number of values of each swept key, in order.
        seeds: how many seeds.
        starts: how many starts.
        chunk: the rectangle that one block covers, in the dimensions (*axes, seeds, starts).
        tile: lanes that are worked through together; a block is a whole number of tiles.
    """

    axes: tuple[int, ...]
    seeds: int
    starts: int
    chunk: tuple[int, ...]
    tile: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of all lane dimensions."""
        return (*self.axes, self.seeds, self.starts)

    @property
    def lanes(self) -> int:
        """How many lanes the run has."""
        return math.prod(self.sizes)

    @property
    def settings(self) -> int:
        """How many settings the run has."""
        return math.prod(self.axes)

    @property
    def tiles(self) -> int:
        """Tiles in a block."""
        return math.ceil(math.prod(self.chunk) / self.tile)

    @property
    def capacity(self) -> int:
        """Lanes that a block has room for."""
        return self.tiles * self.tile

    @cached_property
    def grid(self) -> tuple[int, ...]:
        """How many blocks lie along each dimension."""
        return tuple(math.ceil(n / c) for n, c in zip(self.sizes, self.chunk, strict=True))

    @property
    def blocks(self) -> int:
        """How many blocks the run has."""
        return math.prod(self.grid)

    def region(self, block: int) -> tuple[slice, ...]:
        """The rectangle of a block, as one slice a dimension; it is cut off at the far edges."""
        corner = np.unravel_index(block, self.grid)
        return tuple(
            slice(int(i) * c, min((int(i) + 1) * c, n))
            for i, c, n in zip(corner, self.chunk, self.sizes, strict=True)
        )

    def ids(self, block: int) -> Int[np.ndarray, "lane 3"]:
        """(setting, seed, start) of each lane of a block; settings count the last axis fastest."""
        region = self.region(block)
        *ranges, seed, start = np.ix_(*(np.arange(s.start, s.stop, dtype=np.int32) for s in region))
        ids = np.empty((3, *(s.stop - s.start for s in region)), np.int32)
        ids[0] = np.ravel_multi_index(np.broadcast_arrays(*ranges), self.axes) if ranges else 0
        ids[1], ids[2] = seed, start
        return ids.reshape(3, -1).T

    def padded(
        self, parts: Sequence[Int[np.ndarray, "lane 3"]], blocks: int
    ) -> Int[np.ndarray, "blocks 3 tiles tile"]:
        """Lanes laid out in the tiles of a block each, PADDING after the last, and in all of more.

        Args:
            parts: the lanes of each block, no more than it has room for.
            blocks: how many blocks, at least one a part.
        """
        full = np.empty((blocks, 3, self.capacity), np.int32)
        for block, ids in zip(full, parts, strict=False):
            block[:, : len(ids)], block[:, len(ids) :] = ids.T, PADDING
        full[len(parts) :] = PADDING
        return full.reshape(blocks, 3, self.tiles, self.tile)


def layout(
    axes: Sequence[int],
    seeds: int,
    starts: int,
    *,
    block: int,
    tile: int,
    alone: Sequence[int] = (),
    rows: int | None = None,
) -> Layout:
    """Cut a run into blocks of at most `block` lanes.

    Args:
        axes: the number of values of each swept key.
        seeds: how many seeds.
        starts: how many starts.
        block: the most lanes in a block.
        tile: the most lanes in a tile.
        alone: the axes along which every block holds a single value.
        rows: the most (setting, seed) pairs in a block, if that is limited.
    """
    sizes = (*axes, seeds, starts)
    tile = min(tile, block)
    wanted = math.ceil(math.prod(sizes) / ENOUGH_BLOCKS / tile) * tile
    room = min(block, max(tile, wanted))
    chunk = []
    for axis in reversed(range(len(sizes))):
        if axis == len(sizes) - 2 and rows is not None:
            room = min(room, rows)
        take = 1 if axis in alone else max(1, min(sizes[axis], room))
        chunk.append(take)
        # A further axis joins only when this one is taken whole.
        room = room // take if take == sizes[axis] else 1
    return Layout(tuple(axes), seeds, starts, tuple(reversed(chunk)), tile)

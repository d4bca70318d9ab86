"""How settings x seeds x starts are cut into blocks: geometry only, plain NumPy.

A block is a rectangle of the results' lane dimensions, flattened and padded to a fixed number of
tiles. Its shape follows from the sizes alone, never from devices or processes, so the arithmetic
of a lane, to the last bit, does not depend on where or in which order its block is run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

PADDING = -1
ENOUGH_BLOCKS = 16
"""A small run is cut into about this many blocks, so that every core has some."""

KEPT = 16
"""Shapes of blocks whose lanes are kept in mind: all are alike but for the last ones."""


class Part(NamedTuple):
    """Lanes that run together: their ids are those of `places`, each with the corner added.

    Attributes:
        places: (setting, seed, start) of each lane.
        corner: what is added.
        shape: of the rectangle that they fill, None where they were chosen one by one. Parts of
            one shape have the same places.
    """

    places: Int[np.ndarray, "lane 3"]
    corner: Int[np.ndarray, "3"]
    shape: tuple[int, ...] | None = None

    @property
    def ids(self) -> Int[np.ndarray, "lane 3"]:
        """(setting, seed, start) of each lane."""
        return self.places + self.corner

    @classmethod
    def chosen(cls, ids: Int[np.ndarray, "lane 3"]) -> "Part":
        """These lanes."""
        return cls(ids, np.zeros(3, np.int32))


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

    def part(self, block: int) -> Part:
        """The lanes of a block; settings count the last axis fastest."""
        region = self.region(block)
        shape = tuple(s.stop - s.start for s in region)
        *settings, seed, start = (s.start for s in region)
        setting = np.ravel_multi_index(settings, self.axes) if settings else 0
        return Part(_places(self.axes, shape), np.array([setting, seed, start], np.int32), shape)

    def ids(self, block: int) -> Int[np.ndarray, "lane 3"]:
        """(setting, seed, start) of each lane of a block."""
        return self.part(block).ids

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


@lru_cache(KEPT)
def _places(axes: tuple[int, ...], shape: tuple[int, ...]) -> Int[np.ndarray, "lane 3"]:
    """The ids of a rectangle's lanes if its corner is where all ids are 0."""
    *ranges, seed, start = np.ix_(*(np.arange(side, dtype=np.int32) for side in shape))
    ids = np.empty((3, *shape), np.int32)
    ids[0] = np.ravel_multi_index(np.broadcast_arrays(*ranges), axes) if ranges else 0
    ids[1], ids[2] = seed, start
    return ids.reshape(3, -1).T


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

"""The cut into blocks: for any sizes, every lane lies in exactly one block, where it is said to."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.blocks import PADDING, layout

AXES = st.lists(st.integers(1, 7), max_size=3)
SIZES = st.integers(1, 300)


@st.composite
def layouts(draw):
    axes = draw(AXES)
    alone = draw(st.sets(st.sampled_from(range(len(axes))))) if axes else set()
    return layout(
        axes, draw(st.integers(1, 3)), draw(SIZES), block=draw(SIZES), tile=draw(SIZES),
        alone=sorted(alone), rows=draw(st.none() | st.integers(1, 20)),
    ), alone  # fmt: skip


@settings(max_examples=150)
@given(layouts())
def test_the_blocks_hold_every_lane_once_and_say_where_it_lies(made):
    cut, _ = made
    setting = np.arange(cut.settings).reshape(cut.axes)
    seen = np.zeros(cut.sizes, int)
    for block in range(cut.blocks):
        region, ids = cut.region(block), cut.ids(block)
        seen[region] += 1
        where = np.broadcast_to(setting[..., None, None], cut.sizes)[region]
        assert ids[:, 0].tolist() == where.ravel().tolist()
        whole = np.indices(cut.sizes)
        assert ids[:, 1].tolist() == whole[-2][region].ravel().tolist()
        assert ids[:, 2].tolist() == whole[-1][region].ravel().tolist()
    assert np.all(seen == 1) and cut.lanes == seen.size == math.prod(cut.sizes)


@settings(max_examples=150)
@given(layouts(), st.data())
def test_blocks_keep_their_limits(made, data):
    cut, alone = made
    assert all(cut.chunk[axis] == 1 for axis in alone)
    assert cut.tiles * cut.tile - math.prod(cut.chunk) in range(cut.tile)
    ids = cut.ids(data.draw(st.integers(0, cut.blocks - 1)))
    padded = cut.padded([ids, ids[:1]], 3)
    assert padded.shape == (3, 3, cut.tiles, cut.tile) and ids.dtype == padded.dtype == np.int32
    for block, part in zip(padded.reshape(3, 3, -1), (ids, ids[:1], ids[:0]), strict=True):
        np.testing.assert_array_equal(block[:, : len(part)].T, part)
        assert np.all(block[:, len(part) :] == PADDING)


@settings(max_examples=150)
@given(AXES, st.integers(1, 3), SIZES, SIZES, SIZES, st.integers(1, 20))
def test_no_block_has_more_lanes_or_rows_than_it_may(axes, seeds, starts, block, tile, rows):
    cut = layout(axes, seeds, starts, block=block, tile=tile, rows=rows)
    assert math.prod(cut.chunk) <= block and cut.tile <= block
    assert math.prod(cut.chunk[:-1]) <= rows
    assert cut.tile == min(tile, block)


def test_a_small_run_has_blocks_for_every_core_and_a_large_one_blocks_of_full_size():
    small = layout([10], 1, 4096, block=65536, tile=256)
    assert (small.chunk, small.blocks) == ((1, 1, 2560), 20)
    large = layout([10], 1, 1 << 20, block=65536, tile=1024)
    assert (large.chunk, large.blocks) == ((1, 1, 65536), 160)
    rows = layout([200], 1, 100, block=65536, tile=1024)
    assert rows.chunk == (20, 1, 100)

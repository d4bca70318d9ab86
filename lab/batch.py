"""Many points through a function of one: compiled once, spread over the devices, time told."""

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from lab.devices import local_devices
from lab.flow import Meter

BLOCK = 1 << 18
"""Points that go through at once, on all devices together."""


def batched(
    function: Callable[..., Any], *points: Any, meter: Meter | None = None, block: int = BLOCK
) -> Any:
    """`jax.vmap(function)(*points)`, in blocks of one compiled program, as NumPy arrays.

    Args:
        function: of one point: a pytree of arrays from one row of each input.
        *points: arrays with the same leading axis; float64 ones are computed in float64.
        meter: where seconds of compiling, running and transfer are added, and how many points
            went through (as lane-steps).
        block: how many points at once; memory grows with it and not with the number of points.

    Returns:
        What the function returns, with a leading axis of points.
    """
    meter = meter or Meter()
    inputs = [np.asarray(array) for array in points]
    count = len(inputs[0])
    devices = local_devices()
    size = min(block, -(-count // len(devices)) * len(devices))
    lanes = NamedSharding(Mesh(np.array(devices), ("lanes",)), PartitionSpec("lanes"))
    with jax.enable_x64(any(array.dtype.itemsize == 8 for array in inputs)):
        shapes = [
            jax.ShapeDtypeStruct((size, *a.shape[1:]), a.dtype, sharding=lanes) for a in inputs
        ]
        begun = time.perf_counter()
        program = jax.jit(jax.vmap(function)).lower(*shapes).compile()
        meter.compile += time.perf_counter() - begun
        meter.compilations += 1
        parts = [
            _block(program, [array[at : at + size] for array in inputs], size, lanes, meter)
            for at in range(0, count, size)
        ]
    meter.lane_steps += count
    return jax.tree.map(lambda *pieces: np.concatenate(pieces), *parts)


def _block(
    program: Any, inputs: list[np.ndarray], size: int, lanes: NamedSharding, meter: Meter
) -> Any:
    """One block through the program; a short one is padded with its last point."""
    count = len(inputs[0])
    padded = [np.concatenate([a, np.repeat(a[-1:], size - count, 0)]) for a in inputs]
    begun = time.perf_counter()
    placed = [jax.device_put(array, lanes) for array in padded]
    found = jax.block_until_ready(program(*placed))
    ran = time.perf_counter()
    fetched = jax.tree.map(lambda array: np.asarray(array)[:count], found)
    meter.run += ran - begun
    meter.transfer += time.perf_counter() - ran
    return fetched

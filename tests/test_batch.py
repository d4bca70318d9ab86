"""Many points through a function of one: as one at a time, in any block, and its time told."""

import jax.numpy as jnp
import numpy as np

from lab.batch import batched
from lab.flow import Meter


def test_blocks_short_ones_too_give_what_numpy_gives():
    x = np.linspace(-3, 3, 1001)
    y = np.arange(3003, dtype=float).reshape(1001, 3)
    meter = Meter()
    found = batched(lambda a, b: {"s": jnp.sin(a), "t": a * b.sum()}, x, y, meter=meter, block=64)
    np.testing.assert_allclose(found["s"], np.sin(x), rtol=1e-15)
    np.testing.assert_allclose(found["t"], x * y.sum(1), rtol=1e-15)
    assert found["s"].dtype == np.float64
    assert (meter.lane_steps, meter.compilations) == (1001, 1)
    assert meter.compile > 0 and meter.run > 0


def test_single_precision_stays_single():
    found = batched(jnp.exp, np.linspace(0, 1, 5, dtype=np.float32))
    assert found.dtype == np.float32 and found.shape == (5,)

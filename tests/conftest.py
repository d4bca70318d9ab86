"""Two CPU devices in every test process, strict shapes, and quick compilations on request."""

import os

os.environ["JAX_NUM_CPU_DEVICES"] = "2"  # read when jax starts
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"

import hypothesis
import pytest

# No deadline: the first call compiles. No chance: a failure is one for everybody.
hypothesis.settings.register_profile("lab", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("lab")


@pytest.fixture(scope="module")
def quick_compiles():
    """XLA without its expensive optimizations, for tests that compile much and run little."""
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture
def float64():
    """JAX's default number is float64."""
    import jax

    with jax.enable_x64(True):
        yield

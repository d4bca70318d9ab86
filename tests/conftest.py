"""Two CPU devices in every test process, strict shapes, compiled programs kept, and shortcuts.

A test asks for a shortcut by name: `quick_compiles`, `unpictured`.
"""

import gc
import os
from pathlib import Path

# What XLA has compiled once is read from here by every other test, process and run of the tests.
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(Path(__file__).parents[1] / ".pytest_cache" / "xla")
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"

# A processor for each test process: code in parts, for several threads, only takes longer.
os.environ["XLA_FLAGS"] = " ".join(
    [os.environ.get("XLA_FLAGS", ""), "--xla_cpu_parallel_codegen_split_count=1"]
).strip()

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
    from jax._src import compiler

    usual = compiler.get_compile_options

    def quick(*arguments, env_options_overrides=None, **more):
        options = {"xla_cpu_use_fusion_emitters": False} | (env_options_overrides or {})
        return usual(*arguments, env_options_overrides=options, **more)

    jax.config.update("jax_disable_most_optimizations", True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "get_compile_options", quick)  # no setting of JAX's own does it
        yield
    jax.config.update("jax_disable_most_optimizations", False)


def pytest_collection_finish():
    """What collecting has made stays: the garbage collector need not look through it each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="module")
def unpictured():
    """Figures of runs are made and laid out, in one theme; neither they nor reports are written."""
    from lab import pages, plots, report

    def lay_out(make, folder, name):
        with plots.theme("light"):
            make().settle()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "save", lay_out)
        patch.setattr(pages, "page_of", lambda result: None)
        patch.setattr(report, "render", lambda page: "")
        yield


@pytest.fixture
def float64():
    """JAX's default number is float64."""
    import jax

    with jax.enable_x64(True):
        yield

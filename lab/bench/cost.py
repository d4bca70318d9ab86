"""How much arithmetic a lane-step is, and how much the machine could do."""

import ctypes
import shutil
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import optax

from lab.peers import native
from lab.peers.task import Task

PEAK_SECONDS = 0.3


def flops_of(task: Task) -> float:
    """Floating-point operations of one step of one lane, as XLA counts them before it optimizes.

    Each addition, multiplication, division, root or comparison is one; XLA counts sines and the
    like apart, and they are left out.
    """
    optimizer = task.transformation

    def step(x: jax.Array, state: optax.OptState) -> tuple[jax.Array, optax.OptState]:
        updates, state = optimizer.update(jax.grad(task.lab_loss)(x), state, x)
        return optax.apply_updates(x, updates), state

    x = jnp.zeros(task.dimension, jnp.float32)
    counted = jax.jit(step).lower(x, optimizer.init(x)).cost_analysis() or {}
    return float(counted.get("flops", float("nan")))


def peak_flops(precision: str, cores: int) -> float | None:
    """Floating-point operations a second of a loop of fused multiply-adds in registers.

    Eight vectors a core, each of the widest registers there are; None without a C compiler.
    """
    if shutil.which("cc") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"peak_{precision}.so"
        source = native.SOURCES / "peak.c"
        kind = "double" if precision == "float64" else "float"
        words = ["cc", *native.C_FLAGS, f"-Dreal={kind}"]
        try:
            native.run_all(native.c_commands(words, source, target))
        except RuntimeError:
            return None
        library = ctypes.CDLL(str(target))
    library.peak.restype = ctypes.c_double
    return float(library.peak(ctypes.c_double(PEAK_SECONDS), cores))

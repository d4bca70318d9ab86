"""The devices that blocks run on: every GPU or, without one, one CPU device a core."""

import os

import jax

from lab.errors import LabError


def spread_over_cores() -> None:
    """Ask JAX for one CPU device a core; without effect once JAX has started its devices.

    `JAX_NUM_CPU_DEVICES`, when it is set, is left to stand.
    """
    if "JAX_NUM_CPU_DEVICES" in os.environ:
        return
    try:
        jax.config.update("jax_num_cpu_devices", cores())
    except RuntimeError:  # JAX has started: what it started with is what there is
        return


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def local_devices() -> list[jax.Device]:
    """The devices of JAX's default platform."""
    spread_over_cores()
    try:
        return jax.local_devices()
    except RuntimeError as error:  # for example JAX_PLATFORMS=cuda on a machine without a GPU
        raise LabError(f"JAX finds no device to run on: {error}") from error

"""The devices that blocks run on: every GPU or, without one, one CPU device a core."""

import os
import sys
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    import jax

VARIABLE = "JAX_NUM_CPU_DEVICES"


def spread_over_cores() -> None:
    """Ask JAX for one CPU device a core; to be called before JAX starts its devices.

    Where it has started already, or the variable is set, what there is stands.
    """
    if VARIABLE in os.environ:
        return
    if "jax" not in sys.modules:
        os.environ[VARIABLE] = str(cores())
        return
    try:
        sys.modules["jax"].config.update("jax_num_cpu_devices", cores())
    except RuntimeError:  # JAX has started its devices
        return


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def local_devices() -> "list[jax.Device]":
    """The devices of JAX's default platform."""
    import jax

    spread_over_cores()
    try:
        return jax.local_devices()
    except RuntimeError as error:  # for example JAX_PLATFORMS=cuda on a machine without a GPU
        raise LabError(f"JAX finds no device to run on: {error}") from error

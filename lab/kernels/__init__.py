"""Kernels: a loop of scalars as one piece of machine code, the state of its lanes in registers.

`kernel_for` gives what runs a `Loop` on a platform, `once_for` what takes a single step,
`through_for` what takes lanes from starts to results; `missing` says why there is no kernel. The
parts are imported when they are needed: LLVM for CPUs (`lab.kernels.cpu`), Pallas for GPUs
(`lab.kernels.gpu`).
"""

from lab.kernels.loop import Loop, Once, Run, Through
from lab.scalarize import NotScalar

__all__ = ["kernel_for", "missing", "once_for", "through_for"]


def kernel_for(platform: str) -> Run:
    """What runs a loop on "cpu" or "gpu"."""
    if platform == "cpu":
        from lab.kernels import cpu

        return cpu.run
    from lab.kernels import gpu

    return gpu.run


def once_for(platform: str) -> Once:
    """What takes a loop's only step, where the kernel does that faster than XLA: on CPUs."""
    if platform == "cpu":
        from lab.kernels import cpu

        return cpu.once

    def left_to_xla(loop: Loop, shared: object, given: object) -> list:
        raise NotScalar("one step, which XLA fuses by itself")

    return left_to_xla


def through_for(platform: str) -> Through | None:
    """What takes lanes from their starts to their results in one piece, where there is that."""
    if platform == "cpu":
        from lab.kernels import cpu

        return cpu.through
    return None


def missing(loop: Loop, platform: str) -> str | None:
    """Why there is no kernel for a loop on a platform; None if there is one."""
    if platform == "cpu":
        from lab.kernels import cpu

        return cpu.missing(loop)
    if platform in ("gpu", "cuda", "rocm"):
        from lab.kernels import gpu

        return gpu.missing(loop)
    return f"there is none for {platform}"

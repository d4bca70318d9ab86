"""Kernels: a loop of scalars as one piece of machine code, the state of its lanes in registers.

`run` runs a `Loop` with the kernel of a platform, `missing` says why there is none. The parts are
imported when they are needed: LLVM for CPUs (`lab.kernels.cpu`), Pallas for GPUs
(`lab.kernels.gpu`).
"""

from lab.kernels.loop import Loop, Run

__all__ = ["kernel_for", "missing"]


def kernel_for(platform: str) -> Run:
    """What runs a loop on "cpu" or "gpu"."""
    if platform == "cpu":
        from lab.kernels import cpu

        return cpu.run
    from lab.kernels import gpu

    return gpu.run


def missing(loop: Loop, platform: str) -> str | None:
    """Why there is no kernel for a loop on a platform; None if there is one."""
    if platform == "cpu":
        from lab.kernels import cpu

        return cpu.missing(loop)
    if platform in ("gpu", "cuda", "rocm"):
        from lab.kernels import gpu

        return gpu.missing(loop)
    return f"there is none for {platform}"

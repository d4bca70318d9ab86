"""The kernel for GPUs, in Pallas: one lane a thread or a few, in registers from step to step."""

from lab.kernels.gpu.running import missing, run

__all__ = ["missing", "run"]

"""CUDA by hand: one thread a lane, its state in registers for the whole run, fast intrinsics."""

import ctypes
import shutil
import weakref

from lab.peers import native
from lab.peers.task import Contender, Ends, Task

FLAGS = ["-O3", "--use_fast_math", "-arch=native", "-shared", "-Xcompiler", "-fPIC"]


def reason_missing(task: Task) -> str | None:
    """It wants nvcc and a GPU."""
    if shutil.which("nvcc") is None:
        return "there is no CUDA compiler `nvcc`"
    return task.lacks(recording=True, platforms=("gpu", "cuda"))


def prepare(task: Task) -> Contender:
    """Compile for the GPU that is here, copy the starts to it.

    Raises:
        RuntimeError: with CUDA's error code, for example when memory does not suffice.
    """
    library = native.compile_library(["nvcc", *FLAGS], "threads.cu", task)
    buffers, limits = native.Buffers(task), native.limits_of(task)
    arrays = (buffers.end, buffers.losses, buffers.steps)
    lanes = ctypes.c_long(task.lanes)
    _must_work(library.place(native.pointer(buffers.start), lanes))

    def run() -> Ends:
        rate = native.number(task, task.learning_rate)
        given = map(native.pointer, arrays)
        _must_work(library.run(*given, lanes, ctypes.byref(limits), rate))
        return buffers.ends

    weakref.finalize(run, library.release)
    return run


def _must_work(code: int) -> None:
    if code:
        raise RuntimeError(f"CUDA error {code}")

"""C with OpenMP: blocks of 64 lanes on every core, vectorised, gradients by hand.

Of 16 to 512 lanes, 64 were the fastest or close to it for the losses tried: in two dimensions their
state stays in registers, in more it stays in the first cache. Flags are in `lab.peers.native`.
"""

import ctypes
import shutil

from lab.peers import native
from lab.peers.task import Contender, Ends, Task

LANES = 64


def reason_missing(task: Task) -> str | None:
    """It wants the system's C compiler."""
    if shutil.which("cc") is None:
        return "there is no C compiler `cc`"
    return task.lacks(recording=True)


def prepare(task: Task) -> Contender:
    """Compile for the task."""
    library = native.compile_library(["cc", *native.C_FLAGS, f"-DL={LANES}"], "openmp.c", task)
    buffers, limits = native.Buffers(task), native.limits_of(task)
    arrays = (buffers.start, buffers.end, buffers.losses, buffers.steps)

    def run() -> Ends:
        library.run(
            *map(native.pointer, arrays), ctypes.c_long(task.lanes), ctypes.byref(limits),
            native.number(task, task.learning_rate), task.cores,
        )  # fmt: skip
        return buffers.ends

    return run

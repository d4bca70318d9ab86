"""Hand-written C and CUDA: compiled at bench time for one task, called through ctypes."""

import ctypes
import hashlib
import platform
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lab.losses import models
from lab.peers.examples import RIDGE, signed_examples
from lab.peers.task import TARGETS, Ends, Task

SOURCES = Path(__file__).parent / "native"
WIDE = ["-mprefer-vector-width=512"] if platform.machine() in ("x86_64", "AMD64") else []
C_FLAGS = ["-O3", "-march=native", "-ffast-math", *WIDE, "-fopenmp", "-fPIC"]


def c_commands(words: Sequence[str], source: Path, target: Path) -> list[list[str]]:
    """What makes a shared library of C code: compile it with these words, then link it.

    In one go, `-ffast-math` would also link what flushes denormal numbers to 0 in every thread of
    the process that loads the library.
    """
    part = target.with_suffix(".o")
    return [
        [*words, "-c", str(source), "-o", str(part)],
        ["cc", "-shared", "-fopenmp", str(part), "-o", str(target), "-lm"],
    ]


def run_all(commands: Sequence[Sequence[str]]) -> None:
    """Run a compiler's commands.

    Raises:
        RuntimeError: with the compiler's words, when one fails.
    """
    for words in commands:
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{words[0]} fails: {done.stderr.strip()[:2000]}")


def definitions(task: Task) -> list[str]:
    """The task as the preprocessor sees it."""
    names = [task.loss.upper(), task.optimizer.upper().replace(" ", "_")]
    if task.precision == "float64":
        names.append("DOUBLE")
    return [
        *(f"-D{name}" for name in names),
        f"-DD={task.dimension}",
        f"-DRECORD={task.recording:d}",
    ]


def data_header() -> str:
    """The data of the models as C arrays."""
    arrays = {
        "INPUTS": models.INPUTS,
        "OUTPUTS": models.OUTPUTS,
        "SIGNED": signed_examples(),
    }
    numbers = {
        "HIDDEN": models.HIDDEN, "POINTS": len(models.INPUTS), "EXAMPLES": len(signed_examples()),
        "RIDGE": f"((real){RIDGE!r})",
    }  # fmt: skip
    lines = [f"#define {name} {value}" for name, value in numbers.items()]
    return "\n".join([*lines, *(_array(name, a) for name, a in arrays.items())]) + "\n"


def _array(name: str, values: np.ndarray) -> str:
    sides = "".join(f"[{side}]" for side in values.shape)
    rows = repr(values.tolist()).replace("[", "{").replace("]", "}")
    return f"DATA real {name}{sides} = {rows};"


def compile_library(compiler: Sequence[str], source: str, task: Task) -> ctypes.CDLL:
    """The source, compiled for the task and loaded.

    Raises:
        RuntimeError: with the compiler's words, when it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data.h").write_text(data_header())
        words = [*compiler, *definitions(task), f"-I{folder}", f"-I{SOURCES}"]
        # A name of its own: the loader hands out what it has already under the same name.
        name = hashlib.sha256(" ".join([*words, source]).encode()).hexdigest()[:16]
        target = Path(folder) / f"{name}.so"
        if compiler[0] == "cc":
            run_all(c_commands(words, SOURCES / source, target))
        else:
            run_all([[*words, str(SOURCES / source), "-o", str(target), "-lm"]])
        return ctypes.CDLL(str(target))


def limits_of(task: Task) -> ctypes.Structure:
    """`struct limits` of records.h."""
    real = ctypes.c_double if task.precision == "float64" else ctypes.c_float

    class Limits(ctypes.Structure):
        _fields_ = (
            ("diverged_above", real), ("gradient_below", real), ("minimum", real),
            ("targets", real * 3), ("steps", ctypes.c_int), ("patience", ctypes.c_int),
        )  # fmt: skip

    limits = task.run.limits
    return Limits(
        limits.diverged_above, limits.gradient_below, task.minimum, (real * 3)(*TARGETS),
        int(limits.steps), int(limits.patience),
    )  # fmt: skip


class Buffers:
    """Where starts lie and ends go, [coordinate][lane]."""

    def __init__(self, task: Task):
        kind = np.dtype(task.precision)
        self.task, self.kept = task, task.lanes if task.recording else 0
        self.start = np.ascontiguousarray(task.points().T)
        self.end = np.empty_like(self.start)
        self.losses = np.empty((2, self.kept), kind)
        self.steps = np.empty((4, self.kept), np.int32)

    @property
    def ends(self) -> Ends:
        """What the last run left: views, good until the next run."""
        ends = {"final_point": self.end.T}
        if not self.kept:
            return ends
        last, lowest = self.losses
        records = {"final_loss": last, "best_loss": lowest, "outcome": self.steps[0]}
        return {**ends, **records, "hit_step": self.steps[1:].T}


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    """The array as C takes it."""
    return array.ctypes.data_as(ctypes.c_void_p)


def number(task: Task, value: float) -> ctypes.c_double | ctypes.c_float:
    """A `real` of the task's precision."""
    return ctypes.c_double(value) if task.precision == "float64" else ctypes.c_float(value)

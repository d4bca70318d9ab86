"""Functions compiled ahead of their first call, and the time that it takes."""

import threading
import time
from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import PyTree


class Clock(threading.local):
    """What a thread has spent, in seconds, on compiling, and on waiting while another compiled.

    Attributes:
        compiling: seconds.
        waiting: seconds.
        compilations: how many.
        at_once: threads that run side by side, this one included, and share the time that passes.
    """

    compiling = 0.0
    waiting = 0.0
    compilations = 0
    at_once = 1


CLOCK = Clock()


class Ahead:
    """A function compiled at its first call, by whichever thread comes first."""

    def __init__(self, function: Callable[..., Any], **options: Any):
        self.function = jax.jit(function, **options)
        self.executable: Callable[..., Any] | None = None
        self.lock = threading.Lock()

    def __call__(self, *arguments: PyTree) -> PyTree:
        """The function's value; the first call compiles it for arguments like these."""
        if self.executable is None:
            self._compile(arguments)
        assert self.executable is not None
        return self.executable(*arguments)

    def _compile(self, arguments: tuple[PyTree, ...]) -> None:
        begun = time.perf_counter()
        with self.lock:
            if self.executable is not None:
                CLOCK.waiting += time.perf_counter() - begun
                return
            self.executable = self.function.lower(*arguments).compile()
        CLOCK.compiling += time.perf_counter() - begun
        CLOCK.compilations += 1

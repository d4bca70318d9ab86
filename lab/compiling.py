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


class Settled:
    """What a function makes of its first arguments, made by whichever thread comes first.

    The time that it takes is put down as spent on compiling.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.made: list[Any] = []
        self.lock = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        """The same at every call."""
        if not self.made:
            self._make(arguments)
        return self.made[0]

    def _make(self, arguments: tuple[Any, ...]) -> None:
        begun = time.perf_counter()
        with self.lock:
            if self.made:
                CLOCK.waiting += time.perf_counter() - begun
                return
            self.made.append(self.function(*arguments))
        CLOCK.compiling += time.perf_counter() - begun


class Ahead:
    """A function compiled at its first call, by whichever thread comes first."""

    def __init__(self, function: Callable[..., Any], **options: Any):
        self.function = jax.jit(function, **options)
        self.executable = Settled(self._compiled)

    def __call__(self, *arguments: PyTree) -> PyTree:
        """The function's value; the first call compiles it for arguments like these."""
        return self.executable(*arguments)(*arguments)

    def _compiled(self, *arguments: PyTree) -> Callable[..., Any]:
        compiled = self.function.lower(*arguments).compile()
        CLOCK.compilations += 1
        return compiled

"""The peers that the lab is timed against: one file each, as a good user of that library writes it.

A peer is a module of this package with two functions:

    reason_missing(task) -> str | None      why it cannot take a task here; None if it can
    prepare(task) -> Contender              compile, put the starts in place

Calling what `prepare` returns does the whole run and gives the ends in the host's memory. All
start from the same points and take the same steps, and `lab.peers.reference` checks their ends:
the speed of a wrong result is worth nothing. Peers import their libraries when they are used.
"""

from importlib import import_module
from typing import Any

from lab.peers.task import OPTIMIZERS, TARGETS, Contender, Ends, Task

PEERS = {
    "plain_jax": "jit(vmap(scan(step))) over optax",
    "numpy_loop": "NumPy, vectorised over lanes, in blocks that fit the cache",
    "torch_eager": "PyTorch, autograd, eager",
    "torch_compile": "PyTorch, several steps through torch.compile",
    "c_openmp": "C with OpenMP, blocked and vectorised by hand",
    "cuda": "CUDA by hand, one thread a lane",
    "optimistix_peer": "optimistix.GradientDescent under vmap",
}
"""Names of the modules, and what they are."""


def peer(name: str) -> Any:
    """The module of a peer."""
    return import_module(f"lab.peers.{name}")


__all__ = ["OPTIMIZERS", "PEERS", "TARGETS", "Contender", "Ends", "Task", "peer"]

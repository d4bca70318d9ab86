"""Gradient descent lab: any JAX loss, any optax optimizer, one compiled program for all runs.

Only names live here; each is imported from its room when it is first asked for, so that
`import lab` and `lab --help` do not wait for JAX.
"""

from importlib import import_module
from typing import Any

from lab.devices import spread_over_cores

__version__ = "0.1.0"

_NAMES = {
    "sweep": "lab.api",
    "replay": "lab.api",
    "run": "lab.running:run",
    "open": "lab.running:open_run",
    "Check": "lab.check",
    "optimizer": "lab.optimizers",
    "Loss": "lab.losses",
    "LabError": "lab.errors",
}
_ROOMS = {
    "calculus",
    "compare",
    "losses",
    "optimizers",
    "plots",
    "record",
    "report",
    "sharpness",
    "starts",
    "theory",
}

__all__ = ["__version__", *_NAMES, *_ROOMS]


def __getattr__(name: str) -> Any:
    """A public name, from its room."""
    if name in _NAMES or name in _ROOMS:
        spread_over_cores()
    if name in _NAMES:
        module, _, attribute = _NAMES[name].partition(":")
        return getattr(import_module(module), attribute or name)
    if name in _ROOMS:
        return import_module(f"lab.{name}")
    raise AttributeError(f"module 'lab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

"""Optimizers: optax, optax.contrib and the classical ones by name, schedules, chains, one's own.

`optimizer("adam", learning_rate=0.1)` from Python, `from_spec(label, table, folder)` from a config,
`names()` for what there is. What comes out is an `Optimizer`, whose `build` makes the optax
transformation inside a traced program, so that a swept hyperparameter is an array and not a new
program. Nothing here knows of losses, starts or files of results.
"""

from lab.optimizers.catalogue import Entry, names
from lab.optimizers.optimizer import Optimizer, from_spec, optimizer

__all__ = ["Entry", "Optimizer", "from_spec", "names", "optimizer"]

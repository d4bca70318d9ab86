"""Scalars and rows of lanes packed into one buffer for each type of number, and back."""

from collections.abc import Iterable
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jaxtyping import Array

from lab.kernels.cpu.memory import Place

ENDED = 1
"""What pads rows: read as an outcome, a lane that has ended."""


class Pack:
    """Variables and their values, all of shape () or all of shape (lanes,)."""

    def __init__(self, values: Iterable[tuple[core.Var, Array]], padding: int = 0):
        self.values, self.padding = list(values), padding
        self.groups: dict[np.dtype, list[core.Var]] = {}
        for var, _ in self.values:
            self.groups.setdefault(np.dtype(var.aval.dtype), []).append(var)

    @cached_property
    def arrays(self) -> list[Array]:
        """One array a type: [scalar], or [row, lane] with padding after the last lane."""
        found = dict(self.values)
        stacked = [jnp.stack([found[var] for var in group]) for group in self.groups.values()]
        if not self.padding:
            return stacked
        return [jnp.pad(a, ((0, 0), (0, self.padding)), constant_values=ENDED) for a in stacked]

    def places(self, first: int) -> dict[core.Var, Place]:
        """Where each variable lies, if the arrays are the function's pointers from `first` on."""
        return {
            var: Place(first + number, index)
            for number, group in enumerate(self.groups.values())
            for index, var in enumerate(group)
        }

    def unpacked(self, arrays: Iterable[Array]) -> dict[core.Var, Array]:
        """The values in arrays like those of `arrays`."""
        found = {}
        for group, array in zip(self.groups.values(), arrays, strict=True):
            for index, var in enumerate(group):
                row = array[index]
                found[var] = row[: len(row) - self.padding] if self.padding else row
        return found

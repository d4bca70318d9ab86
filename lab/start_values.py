"""Reading what starts are given: numbers, lists, trees of arrays; all faults gathered."""

from typing import Any

import jax
import numpy as np

from lab.errors import Fault, SpecError
from lab.losses.values import fit, whole

MISSING = object()  # stands where a key is absent
NOT_A_LIST = "must be a list of numbers, one for each dimension"


class Reading:
    """Reads values by key and keeps every fault; what cannot be read is None."""

    def __init__(self) -> None:
        """Start without faults."""
        self.faults: list[Fault] = []

    def fault(self, key: str, message: str) -> Any:
        """Note what is wrong with a key; None, to stand for its value."""
        self.faults.append(Fault((key,), message))

    def finish(self) -> None:
        """Raise all faults, if there are any."""
        if self.faults:
            raise SpecError(self.faults)

    def tree(self, key: str, value: Any) -> Any:
        """An array, or a pytree of arrays, in float64."""
        if value is MISSING:
            return self.fault(key, "missing")
        try:
            value, _ = fit(None, value)
        except ValueError as error:
            return self.fault(key, str(error))
        value = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), value)
        if isinstance(value, np.ndarray) and (value.ndim == 0 or value.size == 0):
            return self.fault(key, NOT_A_LIST)
        return value

    def vector(self, key: str, value: Any) -> Any:
        """A list of numbers."""
        value = self.tree(key, value)
        if value is None or (isinstance(value, np.ndarray) and value.ndim == 1):
            return value
        return self.fault(key, NOT_A_LIST)

    def spread(self, key: str, value: Any, centre: Any) -> Any:
        """Positive numbers in the structure of `centre`, where one number serves all."""
        number = isinstance(value, int | float | np.generic | np.ndarray | jax.Array)
        if number and np.ndim(value) == 0:
            one = self.tree(key, [value])
            value = None if one is None else one[0]
            known = value is not None and centre is not None
            tree = jax.tree.map(lambda leaf: np.full(leaf.shape, value), centre) if known else None
        else:
            value = tree = self.tree(key, value)
        if value is not None and not all(np.all(leaf > 0) for leaf in jax.tree.leaves(value)):
            self.fault(key, "must be above 0")
        return tree

    def count(self, key: str, value: Any) -> Any:
        """A number of starts."""
        sizes = self.sizes(key, value if value is MISSING else [value])
        return sizes[0] if sizes else None

    def sizes(self, key: str, value: Any) -> Any:
        """A list of whole numbers from 1."""
        if value is MISSING:
            return self.fault(key, "missing")
        if not isinstance(value, list | tuple) and np.shape(value) == ():
            return self.fault(key, f"must be a list of whole numbers, not {value!r:.60}")
        try:
            return tuple(whole(size, 1) for size in value)
        except ValueError as error:
            return self.fault(key, str(error))

    def same_length(self, **values: Any) -> None:
        """All that could be read must have one length."""
        lengths = {key: len(value) for key, value in values.items() if value is not None}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{key} has {length}" for key, length in lengths.items())
            self.fault(next(iter(lengths)), f"the lengths differ: {shown}")

    def same_tree(self, **values: Any) -> bool:
        """Whether all could be read; they must have one structure and the same shapes."""
        if any(value is None for value in values.values()):
            return False
        shapes = [jax.tree.map(np.shape, value) for value in values.values()]
        if all(shape == shapes[0] for shape in shapes):
            return True
        shown = ", ".join(f"{key} {shape}" for key, shape in zip(values, shapes, strict=True))
        self.fault(next(iter(values)), f"the shapes differ: {shown}")
        return False

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """The values side by side, where all could be read and have one length."""
        if any(value is None for value in values) or len({len(value) for value in values}) > 1:
            return []
        return list(zip(*values, strict=True))

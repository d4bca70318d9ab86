"""`Model`: a loss whose shape is chosen by sizes, before its parameters are."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lab.errors import Fault, SpecError, nearest
from lab.losses.base import Family, Loss
from lab.losses.values import whole

MOST = {"seed": 2**31 - 1}
LARGEST = 1_000_000


@dataclass(frozen=True, eq=False)
class Model:
    """A family of losses for each choice of sizes: call it with these to get a `Loss`.

    Attributes:
        build: from sizes, each with a default, to the family.
        least: the smallest value of a size, 1 where not said.
        choices: the words that a size may be, where it is a word.
    """

    build: Callable[..., Family]
    least: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.build.__name__

    @property
    def sizes(self) -> dict[str, Any]:
        """The sizes and their defaults."""
        return {n: p.default for n, p in inspect.signature(self.build).parameters.items()}

    def __call__(self, /, **given: Any) -> Loss:
        """The loss of these sizes, with these parameters."""
        sizes, faults = dict(self.sizes), list[Fault]()
        for key in sizes.keys() & given.keys():
            try:
                sizes[key] = self._size(key, given[key])
            except ValueError as error:
                faults.append(Fault((key,), str(error)))
        if faults:
            raise SpecError(faults)
        family = _built(self, tuple(sizes.items()))
        rest = {key: value for key, value in given.items() if key not in sizes}
        known = (*sizes, *family.parameters, "dimension")
        for key in rest.keys() - set(known):
            message = f"{self.name} has no parameter {key!r}{nearest(key, known)}"
            faults.append(Fault((key,), message))
        if faults:
            raise SpecError(faults)
        return family(**rest)

    def _size(self, key: str, value: Any) -> Any:
        if key not in self.choices:
            return whole(value, self.least.get(key, 1), MOST.get(key, LARGEST))
        if value not in self.choices[key]:
            told = nearest(str(value), self.choices[key])
            raise ValueError(f"must be one of {', '.join(self.choices[key])}, not {value!r}{told}")
        return value


@lru_cache(maxsize=256)
def _built(model: Model, sizes: tuple[tuple[str, Any], ...]) -> Family:
    """The same family for the same sizes, so that it compiles once."""
    return model.build(**dict(sizes))


def model(
    least: Mapping[str, int] | None = None, choices: Mapping[str, tuple[str, ...]] | None = None
) -> Callable[[Callable[..., Family]], Model]:
    """Make a model of a function from sizes to a family."""
    return lambda build: Model(build, least or {}, choices or {})

"""Numbers that count: how many operations a computation takes, exactly and on any machine."""

import math
from typing import Any


class Counter:
    """A library of functions for `lab.calculus.tape` whose values count what is done to them.

    Sums, products, quotients, powers, signs, and each elementary function count as one operation.
    """

    def __init__(self) -> None:
        self.operations = 0

    def number(self, value: float) -> "Counted":
        """A value that counts here."""
        return Counted(self, value)

    def __getattr__(self, name: str) -> Any:
        """`counter.sin` and the like: those of `math`, counted."""
        function = getattr(math, name)

        def counted(x: "Counted") -> Counted:
            return x.done(function(x.value))

        return counted


class Counted:
    """A float that tells its counter of every operation that makes another of it."""

    def __init__(self, counter: Counter, value: float):
        self.counter, self.value = counter, value

    def done(self, value: float) -> "Counted":
        """The result of one operation."""
        self.counter.operations += 1
        return Counted(self.counter, value)

    def __add__(self, other: Any) -> "Counted":
        return self.done(self.value + plain(other))

    def __sub__(self, other: Any) -> "Counted":
        return self.done(self.value - plain(other))

    def __rsub__(self, other: Any) -> "Counted":
        return self.done(plain(other) - self.value)

    def __mul__(self, other: Any) -> "Counted":
        return self.done(self.value * plain(other))

    def __truediv__(self, other: Any) -> "Counted":
        return self.done(self.value / plain(other))

    def __rtruediv__(self, other: Any) -> "Counted":
        return self.done(plain(other) / self.value)

    def __pow__(self, other: Any) -> "Counted":
        return self.done(self.value ** plain(other))

    def __neg__(self) -> "Counted":
        return self.done(-self.value)

    __radd__ = __add__
    __rmul__ = __mul__


def plain(value: Any) -> float:
    """The float in it."""
    return float(value.value) if isinstance(value, Counted) else float(value)

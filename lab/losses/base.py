"""What a loss is: a function of one point, and the facts that stand beside it.

`Family` is a function with its facts, before its parameters are chosen; `surface` makes one.
`Loss` is the function with parameters, which the rest of the lab descends on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from lab.errors import Fault, SpecError
from lab.losses.values import (
    Signature,
    first_of,
    in_dtype_of,
    is_floating,
    read_signature,
    resolve,
    whole,
)

Fact = ArrayLike | Callable[..., Any] | None
MOST_DIMENSIONS = 10_000_000

Point = Float[Array, " dim"]
Scalar = Float[Array, ""]


@dataclass(frozen=True, eq=False, repr=False)
class Loss:
    """A loss with its parameters: `loss(x)` is its value at one point.

    `swept` holds the parameters that were given with one axis more than their default: the values
    to compare, along the leading axis. A call must name one value for each of them.
    """

    name: str
    function: Callable[..., Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dimension: int | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    source: str = ""
    formula: str = ""
    takes_step: bool = False
    takes_key: bool = False
    swept: Mapping[str, np.ndarray] = field(default_factory=dict)
    known_minima: Fact = None
    known_minimum: Fact = None
    known_start: Fact = None
    residual_function: Callable[..., Any] | None = None
    kinks: bool = False

    def __call__(self, x: Any, *, step: Any = None, key: Any = None, **parameters: Any) -> Scalar:
        """The value at one point; parameters given here stand in for the loss's own."""
        x = self._point(x)
        values = in_dtype_of(x, self._with(parameters))
        if self.takes_step and step is not None:
            values["step"] = step
        if self.takes_key and key is not None:
            values["key"] = key
        return self.function(x, **values)

    def minima(self, **parameters: Any) -> np.ndarray:
        """All known minima as rows [k, dimension], local ones too where few; the lowest first."""
        points = self._fact(self.known_minima, parameters)
        empty = np.empty((0, self.dimension or 0))
        return empty if points is None else np.asarray(points, np.float64)

    def minimum(self, **parameters: Any) -> float | None:
        """The known lowest value, or None."""
        value = self._fact(self.known_minimum, parameters)
        return None if value is None else float(value)

    def start(self, **parameters: Any) -> np.ndarray | None:
        """The start that the literature uses [dimension], or None."""
        point = self._fact(self.known_start, parameters)
        return None if point is None else np.asarray(point, np.float64)

    def residuals(self, x: Any, **parameters: Any) -> Float[Array, " residual"]:
        """The r(x) of a loss that is a sum of squares r_i(x)^2, at one point."""
        if self.residual_function is None:
            raise SpecError([Fault((), f"{self.name} is not known to be a sum of squares")])
        x = self._point(x)
        return self.residual_function(x, **in_dtype_of(x, self._with(parameters)))

    @property
    def static(self) -> tuple[Any, ...]:
        """What a compiled program depends on, apart from the numbers given to it."""
        names = (*sorted(self.parameters), *sorted(self.swept))
        return self.function, self.takes_step, self.takes_key, self.dimension, names

    def __repr__(self) -> str:
        """Name, parameters, dimension."""
        settings = [f"{name}={value!r}" for name, value in self.parameters.items()]
        settings += [f"{name}=<{len(value)} values>" for name, value in self.swept.items()]
        size = "" if self.dimension is None else f", {self.dimension}-D"
        return f"<loss {self.name}({', '.join(settings)}){size}>"

    def _with(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        open_ = [name for name in self.swept if name not in parameters]
        if open_:
            message = f"{self.name} compares several values of it here; give one of them"
            raise SpecError([Fault((name,), message) for name in open_])
        return {**self.parameters, **parameters}

    def _fact(self, fact: Fact, parameters: Mapping[str, Any]) -> Any:
        return fact(self.dimension, **self._with(parameters)) if callable(fact) else fact

    def _point(self, x: Any) -> Any:
        if self.dimension is None:
            return x
        x = jnp.asarray(x)
        if x.shape != (self.dimension,):
            many = "; for many points use jax.vmap" if x.ndim > 1 else ""
            message = f"takes one point of shape ({self.dimension},), not {x.shape}{many}"
            raise SpecError([Fault((), f"{self.name} {message}")])
        return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(float)


@dataclass(frozen=True, eq=False)
class Family:
    """A loss before its parameters are chosen: call it with them to get a `Loss`.

    Attributes:
        function: `f(x, **parameters) -> scalar`.
        low: Lower corner of the box; one number serves all coordinates; or a function of the
            dimension.
        high: Upper corner of the box, likewise.
        source: Where the function comes from: author and year.
        dimension: The only dimension it has; None: any, as the caller chooses by `dimension=`.
        least_dimension: The smallest dimension, where any will do.
        multiple_of: What the dimension must be a multiple of.
        minima: All known minima, one a row, or a function `(dimension, **parameters)` of them.
        minimum: The lowest value, or a function `(dimension, **parameters)` of it.
        positive: Names of the parameters that must be above 0.
        start: The start that the literature uses, or a function like that of the minima.
        residuals: A function `r(x, **parameters)`, one axis, of which f is the sum of squares.
        kinks: Whether slope or curvature has no limit at the listed minima.
    """

    function: Callable[..., Any]
    low: Any
    high: Any
    source: str
    dimension: int | None = None
    least_dimension: int = 1
    multiple_of: int = 1
    minima: Fact = None
    minimum: Fact = None
    positive: tuple[str, ...] = ()
    start: Fact = None
    residuals: Callable[..., Any] | None = None
    kinks: bool = False

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.function.__name__

    @property
    def kind(self) -> str:
        """The file or folder of `lab/losses/` that holds it: `bowls`, `more_garbow_hillstrom`."""
        return self.function.__module__.removeprefix("lab.losses.").partition(".")[0]

    @property
    def signature(self) -> Signature:
        """What the function takes."""
        return read_signature(self.function)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters and their defaults (a free dimension is not among them)."""
        return self.signature.defaults

    def __call__(self, /, **given: Any) -> Loss:
        """The loss with these parameters (and `dimension`, default 2, where it is free)."""
        dimension, faults = self._dimension(given)
        signature = self.signature
        if self.dimension is None:  # so that a misspelt `dimension` finds its name
            signature = replace(signature, optional=(*signature.optional, "dimension"))
        own = {name: value for name, value in given.items() if name != "dimension"}
        values, swept, more = resolve(self.name, signature, own)
        faults += [*more, *self._not_positive({**values, **swept})]
        if faults:
            raise SpecError(faults)
        loss = Loss(
            self.name, self.function, values, dimension,
            low=_box_side(self.low, dimension), high=_box_side(self.high, dimension),
            source=self.source, formula=formula_of(self.function),
            takes_step=signature.takes_step, takes_key=signature.takes_key, swept=swept,
            known_minima=self.minima, known_minimum=self.minimum, known_start=self.start,
            residual_function=self.residuals, kinks=self.kinks,
        )  # fmt: skip
        return proven(loss)

    def _dimension(self, given: Mapping[str, Any]) -> tuple[int, list[Fault]]:
        fallback = self.dimension or max(2, self.least_dimension)
        try:
            least = 1 if self.dimension else self.least_dimension
            dimension = whole(given.get("dimension", fallback), least, MOST_DIMENSIONS)
        except ValueError as error:
            return fallback, [Fault(("dimension",), str(error))]
        if self.dimension and dimension != self.dimension:
            message = f"{self.name} has dimension {self.dimension}, not {dimension}"
            return fallback, [Fault(("dimension",), message)]
        if dimension % self.multiple_of:
            message = f"must be a multiple of {self.multiple_of}, not {dimension}"
            return fallback, [Fault(("dimension",), message)]
        return dimension, []

    def _not_positive(self, values: Mapping[str, Any]) -> list[Fault]:
        lowest = {name: np.min(values[name]) for name in self.positive if _is_known(values, name)}
        message = "must be above 0, not {}"
        return [Fault((n,), message.format(v)) for n, v in lowest.items() if v <= 0]


def surface(**facts: Any) -> Callable[[Callable[..., Any]], Family]:
    """Make a loss of a function `f(x, **parameters) -> scalar` by putting its facts beside it.

    Args:
        **facts: The attributes of `Family`. The dimension need not be given where `low`, `high` or
            the minima list as many numbers.

    Returns:
        A decorator that turns the function into a `Family`.

    Example:
        >>> @surface(low=-1.0, high=1.0, dimension=2, minimum=0.0, source="School")
        ... def valley(x, a=3.0):
        ...     '''f(x, y) = x^2 + a y^2.'''
        ...     return x[0] ** 2 + a * x[1] ** 2
        >>> float(valley(a=2.0)([1.0, 1.0]))
        3.0
    """
    facts["dimension"] = _told_dimension(**facts)

    def beside(function: Callable[..., Any]) -> Family:
        return Family(function, **facts)

    return beside


def _told_dimension(
    low: Any, high: Any, minima: Fact = None, dimension: int | None = None, **others: Any
) -> int | None:
    """The only dimension that all these facts can have; None where any will do."""
    if not (callable(low) or callable(high) or np.all(np.asarray(low) < np.asarray(high))):
        raise ValueError("low must be below high in every coordinate")
    sides = {np.size(side) for side in (low, high) if np.ndim(side)}
    if minima is not None and not callable(minima):
        sides |= {np.shape(minima)[-1]}
    dimension = max(sides) if dimension is None and sides else dimension
    if len(sides | {dimension}) > 1 and sides:
        raise ValueError("low, high, minima and dimension disagree on the number of dimensions")
    return dimension


def least_squares(**facts: Any) -> Callable[[Callable[..., Any]], Family]:
    """Make a loss f(x) = sum_i r_i(x)^2 of its residuals r; the facts are those of `surface`."""

    def beside(residuals: Callable[..., Any]) -> Family:
        @wraps(residuals)
        def sum_of_squares(x: Any, **parameters: Any) -> Scalar:
            return jnp.sum(residuals(x, **parameters) ** 2)

        return surface(residuals=residuals, **facts)(sum_of_squares)

    return beside


def formula_of(function: Callable[..., Any]) -> str:
    """The first paragraph of a docstring on one line, without its full stop."""
    text = (function.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(text.split()).removesuffix(".")


def proven(loss: Loss) -> Loss:
    """The same loss, after a trial trace has shown that it returns one real number."""
    if loss.dimension is None:
        return loss
    x = jax.ShapeDtypeStruct((loss.dimension,), jnp.zeros(()).dtype)
    step = jax.ShapeDtypeStruct((), jnp.int32)

    def trial(x: Array, step: Array) -> Any:
        return loss(x, step=step, key=jax.random.key(0), **first_of(loss.swept))

    try:
        out = jax.eval_shape(trial, x, step)
    except Exception as error:  # whatever a user's function does wrong is for them to read
        told = (str(error).strip().splitlines() or [""])[0]
        message = f"{loss.name} fails at a point of dimension {loss.dimension}: "
        raise SpecError([Fault((), f"{message}{type(error).__name__}: {told}")]) from error
    shape, dtype = getattr(out, "shape", None), getattr(out, "dtype", None)
    if shape != () or not is_floating(out):
        what = f"a {type(out).__name__}" if shape is None else f"{dtype} of shape {shape}"
        message = f"{loss.name} returns {what}; a loss returns one real number (shape ())"
        raise SpecError([Fault((), message)])
    return loss


def _is_known(values: Mapping[str, Any], name: str) -> bool:
    return name in values and not isinstance(values[name], jax.core.Tracer)


def _box_side(side: Any, dimension: int) -> np.ndarray:
    corner = side(dimension) if callable(side) else side
    return np.broadcast_to(np.asarray(corner, np.float64), (dimension,))

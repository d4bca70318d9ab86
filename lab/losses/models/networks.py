"""Networks of any width and depth on data made from a seed, full batch or minibatch."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lab.errors import Fault, SpecError
from lab.losses.base import Family, Point, Scalar, surface
from lab.losses.data import DATA, LABELLED
from lab.losses.models.model import model

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh, "relu": jax.nn.relu, "identity": lambda x: x,
}  # fmt: skip
ERRORS: dict[str, tuple[str, Callable[[Array, Array], Array]]] = {
    "squared": ("(network(u_j; w) - y_j)^2", lambda o, y: (o - y) ** 2),
    "logistic": (
        "log(1 + exp(-y_j network(u_j; w)))",
        lambda found, y: jax.nn.softplus(-y * found),
    ),
}
"""What is averaged over examples; the logistic loss is for labels +1 and -1."""

SOURCE = "Rumelhart, Hinton & Williams 1986, Nature 323; chebyshev: Cohen et al. 2021 (ICLR)"


@model(
    least={"batch": 0, "seed": 0},
    choices={"data": tuple(DATA), "activation": tuple(ACTIVATIONS), "error": tuple(ERRORS)},
)
def mlp(
    width: int = 8, depth: int = 1, data: str = "moons", samples: int = 32,
    activation: str = "tanh", error: str = "squared", batch: int = 0, seed: int = 0,
) -> Family:  # fmt: skip
    """A network with `depth` hidden layers; batch: examples a step, drawn anew, 0 for all."""
    if error == "logistic" and data not in LABELLED:
        told = f"the logistic error needs labels; data may be {', '.join(LABELLED)}, not {data!r}"
        raise SpecError([Fault(("error",), told)])
    inputs, targets = DATA[data](samples, seed)
    sides = [inputs.shape[1], *[width] * depth, 1]
    shapes = list(zip(sides[1:], sides[:-1], strict=True))

    def predicted(w: Point, x: Float[Array, "sample input"]) -> Float[Array, " sample"]:
        return network(w, x, shapes, ACTIVATIONS[activation])

    facts = surface(
        low=-4.0, high=4.0, dimension=sum(math.prod(s) + s[0] for s in shapes), source=SOURCE
    )
    shown, of_one = ERRORS[error]
    formula = f"f(w) = mean_j {shown}, w the layers' weights and biases in turn"
    return facts(mean_error("mlp", formula, predicted, of_one, inputs, targets, batch))


@model(least={"samples": 0, "batch": 0, "seed": 0}, choices={"activation": tuple(ACTIVATIONS)})
def fractal_network(
    width: int = 4, samples: int = 0, activation: str = "tanh", batch: int = 0, seed: int = 0
) -> Family:
    """As many normal examples as there are weights, unless `samples` says otherwise."""
    weights = width**2 + width
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(samples or weights, width))
    targets = rng.normal(size=len(inputs))

    def predicted(w: Point, x: Float[Array, "sample input"]) -> Float[Array, " sample"]:
        first = w[: width**2].reshape(width, width)
        hidden = ACTIVATIONS[activation](x @ first.T / width**0.5)
        return hidden @ w[width**2 :] / width

    formula = "f(A, c) = mean_j (<c, activation(A u_j / sqrt(n))> / n - y_j)^2, n the width"
    source = "Sohl-Dickstein 2024, arXiv 2402.06184 (The boundary of trainability is fractal)"
    facts = surface(low=-4.0, high=4.0, dimension=weights, source=source)
    _, of_one = ERRORS["squared"]
    name = "fractal_network"
    return facts(mean_error(name, formula, predicted, of_one, inputs, targets, batch))


def mean_error(
    name: str,
    formula: str,
    predicted: Callable[[Point, Array], Array],
    error: Callable[[Array, Array], Array],
    inputs: Float[np.ndarray, "sample input"],
    targets: Float[np.ndarray, " sample"],
    batch: int,
) -> Callable[..., Scalar]:
    """The mean error over all examples, or over a batch of them drawn at every step."""

    def over(w: Point, places: Array | None) -> Scalar:
        x, y = jnp.asarray(inputs, w.dtype), jnp.asarray(targets, w.dtype)
        x, y = (x, y) if places is None else (x[places], y[places])
        return jnp.mean(error(predicted(w, x), y))

    def full(w: Point) -> Scalar:
        return over(w, None)

    def some(w: Point, *, key: Array | None = None) -> Scalar:
        drawn = None if key is None else jax.random.randint(key, (batch,), 0, len(targets))
        return over(w, drawn)

    chosen = some if batch else full
    chosen.__name__, chosen.__doc__ = name, formula + "."
    return chosen


def network(
    w: Point,
    x: Float[Array, "sample input"],
    shapes: list[tuple[int, int]],
    activation: Callable[[Array], Array],
) -> Float[Array, " sample"]:
    """The last of h_{l+1} = activation(W_l h_l / sqrt(fan in) + b_l), which is not activated."""
    at = 0
    for i, (rows, columns) in enumerate(shapes):
        weights = w[at : at + rows * columns].reshape(rows, columns)
        bias = w[at + rows * columns : at + rows * columns + rows]
        at += rows * columns + rows
        x = x @ weights.T / columns**0.5 + bias[None, :]
        x = x if i == len(shapes) - 1 else activation(x)
    return x[:, 0]

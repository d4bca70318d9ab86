"""Networks of any width and depth on data made from a seed, full batch or minibatch."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lab.losses.base import Family, Point, Scalar, surface
from lab.losses.data import DATA
from lab.losses.models.model import model

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh, "relu": jax.nn.relu, "identity": lambda x: x,
}  # fmt: skip
SOURCE = "Rumelhart, Hinton & Williams 1986, Nature 323; chebyshev: Cohen et al. 2021 (ICLR)"


@model(
    least={"batch": 0, "seed": 0},
    choices={"data": tuple(DATA), "activation": tuple(ACTIVATIONS)},
)
def mlp(
    width: int = 8, depth: int = 1, data: str = "moons", samples: int = 32,
    activation: str = "tanh", batch: int = 0, seed: int = 0,
) -> Family:  # fmt: skip
    """A network with `depth` hidden layers; batch: examples a step, drawn anew, 0 for all."""
    inputs, targets = DATA[data](samples, seed)
    sides = [inputs.shape[1], *[width] * depth, 1]
    shapes = list(zip(sides[1:], sides[:-1], strict=True))

    def predicted(w: Point, x: Float[Array, "sample input"]) -> Float[Array, " sample"]:
        return network(w, x, shapes, ACTIVATIONS[activation])

    facts = surface(
        low=-4.0, high=4.0, dimension=sum(math.prod(s) + s[0] for s in shapes), source=SOURCE
    )
    formula = "f(w) = mean_j (network(u_j; w) - y_j)^2, w the layers' weights and biases in turn"
    return facts(squared_error("mlp", formula, predicted, inputs, targets, batch))


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
    return facts(squared_error("fractal_network", formula, predicted, inputs, targets, batch))


def squared_error(
    name: str,
    formula: str,
    predicted: Callable[[Point, Array], Array],
    inputs: Float[np.ndarray, "sample input"],
    targets: Float[np.ndarray, " sample"],
    batch: int,
) -> Callable[..., Scalar]:
    """The mean squared error over all examples, or over a batch of them drawn at every step."""

    def over(w: Point, places: Array | None) -> Scalar:
        x, y = jnp.asarray(inputs, w.dtype), jnp.asarray(targets, w.dtype)
        x, y = (x, y) if places is None else (x[places], y[places])
        return jnp.mean((predicted(w, x) - y) ** 2)

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

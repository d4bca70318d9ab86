"""Networks of any width and depth on data made from a seed, full batch or minibatch."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lab.losses.base import Family, Point, Scalar, surface
from lab.losses.data import DATA
from lab.losses.models.model import model

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"tanh": jnp.tanh, "relu": jax.nn.relu}
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

    def error(w: Point, places: Array | None) -> Scalar:
        x, y = jnp.asarray(inputs, w.dtype), jnp.asarray(targets, w.dtype)
        x, y = (x, y) if places is None else (x[places], y[places])
        return jnp.mean((network(w, x, shapes, ACTIVATIONS[activation]) - y) ** 2)

    facts = surface(
        low=-4.0, high=4.0, dimension=sum(math.prod(s) + s[0] for s in shapes), source=SOURCE
    )
    if batch:

        def mlp(w: Point, *, key: Array | None = None) -> Scalar:
            """f(w) = mean_j (network(u_j; w) - y_j)^2 over a batch drawn at every step."""
            drawn = None if key is None else jax.random.randint(key, (batch,), 0, samples)
            return error(w, drawn)

        return facts(mlp)

    def full(w: Point) -> Scalar:
        """f(w) = mean_j (network(u_j; w) - y_j)^2, w the layers' weights and biases in turn."""
        return error(w, None)

    full.__name__ = "mlp"
    return facts(full)


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

"""How gradients grow or fade with depth: products of random matrices, and deep ReLU networks.

Functions of one random key, batched from outside; theory beside them, from the digamma function.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import digamma, gammaln, polygamma

from lab.losses.base import Scalar


def log_growth(key: Array, size: int, length: int) -> Float[Array, " length"]:
    """Logarithms of |M_k ... M_1 v| for k = 1 ... length: entries N(0, 1), v a unit vector.

    The vector is brought back to length 1 after every product, so nothing overflows.
    """

    def multiply(carry: tuple[Array, Scalar], own: Array) -> tuple[tuple[Array, Scalar], Scalar]:
        v, log = carry
        v = jax.random.normal(own, (size, size)) @ v
        norm = jnp.linalg.norm(v)
        log = log + jnp.log(norm)
        return (v / norm, log), log

    v = jnp.zeros(size).at[0].set(1.0)
    return jax.lax.scan(multiply, (v, jnp.zeros(())), jax.random.split(key, length))[1]


def relu_network(
    key: Array, scale: Scalar, width: int, depth: int
) -> dict[str, Float[Array, " layers"]]:
    """Squared lengths of signal and gradient in a network h_l = relu(W_l h_{l-1}), no biases.

    Args:
        key: of the weights, N(0, scale / width), of h_0 and of the gradient at the output.
        scale: the weights' variance times the width; 2 keeps mean squares.
        width: units in every layer.
        depth: layers.

    Returns:
        `signal`: |h_l|^2 / |h_0|^2 for l = 0 ... depth; `gradient`: |df/dh_l|^2 over that at
        h_depth, f = <v, h_depth> with v normal, for l = depth ... 0: by how many layers it has
        come back.
    """
    first, last, *keys = jax.random.split(key, depth + 2)
    std = jnp.sqrt(scale / width)
    drawn = jax.vmap(lambda own: jax.random.normal(own, (width, width)))(jnp.stack(keys))
    h0, v = (jax.random.normal(own, (width,)) for own in (first, last))

    def ahead(h: Array, w: Array) -> tuple[Array, tuple[Array, Array]]:
        z = std * (w @ h)
        h = jax.nn.relu(z)
        return h, (z > 0, h @ h)

    def back(g: Array, layer: tuple[Array, Array]) -> tuple[Array, Scalar]:
        w, alive = layer
        g = std * ((g * alive) @ w)
        return g, g @ g

    _, (alive, signal) = jax.lax.scan(ahead, h0, drawn)
    _, gradient = jax.lax.scan(back, v, (drawn, alive), reverse=True)
    return {
        "signal": jnp.concatenate([jnp.ones(1), signal / (h0 @ h0)]),
        "gradient": jnp.concatenate([jnp.ones(1), gradient[::-1] / (v @ v)]),
    }


def vector_growth(size: int) -> tuple[float, float]:
    """Mean and standard deviation of log |M v| / |v|: half the logarithm of a chi-square.

    (ln 2 + psi(n/2)) / 2 and sqrt(psi'(n/2)) / 2, n the size: the largest Lyapunov exponent of
    products of normal matrices (Newman 1986, Commun. Math. Phys. 103).
    """
    mean = (np.log(2) + digamma(size / 2)) / 2
    return float(mean), float(np.sqrt(polygamma(1, size / 2)) / 2)


def relu_growth(scale: float, width: int) -> float:
    """Mean of log (|h_l|^2 / |h_{l-1}|^2), given that a unit is alive.

    A sum of K squares of N(0, scale / width), K binomial(width, 1/2):
    ln(scale / width) + E[ln 2 + psi(K / 2) | K > 0].
    """
    k = np.arange(1, width + 1)
    logs = gammaln(width + 1) - gammaln(k + 1) - gammaln(width - k + 1)
    shares = np.exp(logs - width * np.log(2))
    mean = np.sum(shares * (np.log(2) + digamma(k / 2))) / shares.sum()
    return float(np.log(scale / width) + mean)

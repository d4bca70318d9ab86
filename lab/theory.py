"""Closed forms that descents can be held against."""

import numpy as np
from jaxtyping import Float


def stability_limit(curvature: float, momentum: float = 0.0) -> float:
    r"""The learning rate above which a minimum of this largest curvature repels.

    2 (1 + beta) / lambda for the heavy ball x_{k+1} = x_k - alpha g_k + beta (x_k - x_{k-1}), so
    2 / lambda for plain gradient descent (Polyak, USSR Computational Mathematics 4, 1964;
    Goh, "Why Momentum Really Works", Distill 2017).

    Args:
        curvature: lambda, the largest eigenvalue of the Hessian at the minimum.
        momentum: beta, in [0, 1).
    """
    return 2 * (1 + momentum) / curvature


def sharpness_limit(learning_rate: float, momentum: float = 0.0, nesterov: bool = False) -> float:
    r"""The largest curvature that a learning rate bears without oscillating ever wider.

    2 (1 + beta) / eta for the heavy ball, so 2 / eta for plain gradient descent; with Nesterov's
    momentum 2 (1 + beta) / (eta (1 + 2 beta)) (Cohen et al., "Gradient descent on neural networks
    typically occurs at the edge of stability", ICLR 2021, section 2).

    Args:
        learning_rate: eta.
        momentum: beta, in [0, 1).
        nesterov: whether the momentum is Nesterov's.
    """
    return stability_limit(learning_rate, momentum) / (1 + 2 * momentum if nesterov else 1)


def quadratic_descent(
    start: Float[np.ndarray, "..."],
    curvature: Float[np.ndarray, "..."],
    learning_rate: Float[np.ndarray, "..."],
    steps: int,
) -> Float[np.ndarray, "..."]:
    """Where gradient descent on lambda x^2 / 2 is after k steps: (1 - eta lambda)^k x_0."""
    return (1 - learning_rate * curvature) ** steps * start


def noisy_descent(
    start: Float[np.ndarray, " dim"],
    curvature: Float[np.ndarray, " dim"],
    rates: Float[np.ndarray, " step"],
    noise: float,
) -> tuple[Float[np.ndarray, "step dim"], Float[np.ndarray, "step dim"]]:
    r"""Mean and variance, after 0 ... T steps, of descent on lambda x^2 / 2 with noisy gradients.

    x_{t+1} = (1 - eta_t lambda) x_t - eta_t sigma e_t with independent standard normal e_t, so
    m_{t+1} = (1 - eta_t lambda) m_t and v_{t+1} = (1 - eta_t lambda)^2 v_t + eta_t^2 sigma^2.

    Args:
        start: x_0, the same for every chain.
        curvature: lambda of each axis.
        rates: eta_0 ... eta_{T-1}.
        noise: sigma, the standard deviation of each component of the gradient's noise.
    """
    means, variances = [np.asarray(start, float)], [np.zeros_like(start, float)]
    for rate in rates:
        kept = 1 - rate * curvature
        means.append(kept * means[-1])
        variances.append(kept**2 * variances[-1] + (rate * noise) ** 2)
    return np.stack(means), np.stack(variances)


def stationary_variance(
    curvature: Float[np.ndarray, "..."], rate: Float[np.ndarray, "..."], noise: float = 1.0
) -> Float[np.ndarray, "..."]:
    """The fixed point of `noisy_descent`: eta sigma^2 / (2 lambda - eta lambda^2), eta constant.

    Infinite from the stability limit 2 / lambda on (Mandt, Hoffman & Blei 2017, JMLR 18, to first
    order in eta).
    """
    left = 2 * curvature - rate * curvature**2
    return np.where(left > 0, rate * noise**2 / np.where(left > 0, left, 1), np.inf)


def heavy_ball_rate(
    curvature: Float[np.ndarray, "..."],
    learning_rate: Float[np.ndarray, "..."],
    momentum: Float[np.ndarray, "..."],
) -> Float[np.ndarray, "..."]:
    r"""The factor by which the heavy ball on lambda x^2 / 2 shrinks its error a step, in the end.

    The spectral radius of its step, max |m +- sqrt(m^2 - 4 beta)| / 2 with
    m = 1 - eta lambda + beta; that is sqrt(beta) where the roots are complex, for which Goh, "Why
    Momentum Really Works", Distill 2017, prints twice as much.
    """
    middle = 1 - learning_rate * curvature + momentum
    root = np.sqrt(middle**2 - 4 * momentum + 0j)
    return np.maximum(np.abs(middle + root), np.abs(middle - root)) / 2


def best_heavy_ball(smallest: float, largest: float) -> tuple[float, float, float]:
    r"""The learning rate and momentum that are fastest for curvatures in a range, and their rate.

    eta = (2 / (sqrt m + sqrt L))^2, beta = rate^2, rate = (sqrt L - sqrt m) / (sqrt L + sqrt m)
    (Polyak, USSR Computational Mathematics 4, 1964).
    """
    low, high = np.sqrt(smallest), np.sqrt(largest)
    rate = float((high - low) / (high + low))
    return float((2 / (low + high)) ** 2), rate**2, rate

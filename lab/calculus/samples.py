"""Where functions of two variables are looked at: random points and grids of a rectangle."""

import numpy as np
from jaxtyping import Float

Ends = tuple[float, float]


def scattered(seed: int, window: tuple[Ends, ...], count: int) -> Float[np.ndarray, "count dim"]:
    """Uniform random points of a box, in float64; the same for equal seeds."""
    low, high = np.array(window, np.float64).T
    return np.random.default_rng(seed).uniform(low, high, (count, len(window)))


def mesh(window: tuple[Ends, Ends], side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns x [side], rows y [side] and the points [side^2, 2] of a grid, x fastest."""
    x, y = (np.linspace(*ends, side) for ends in window)
    return x, y, np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """The power p of y ~ x^p, by least squares on logarithms."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])

"""The minimum of a strictly convex loss, for the facts of models that have no closed form."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Vector = Float[np.ndarray, " dim"]
Matrix = Float[np.ndarray, "dim dim"]

STEPS = 60
HALVES = 0.5 ** np.arange(30)


def lowest_by_newton(
    value: Callable[[Vector], float],
    derivatives: Callable[[Vector], tuple[Vector, Matrix]],
    dimension: int,
) -> Vector:
    """The only minimum, by Newton's method from 0, its steps halved until they descend.

    Nocedal & Wright, *Numerical Optimization*, 2006, section 3.3.

    Args:
        value: of the loss.
        derivatives: its gradient and its Hessian, which is positive definite.
        dimension: of the points.
    """
    w = np.zeros(dimension)
    for _ in range(STEPS):
        gradient, curvature = derivatives(w)
        move, here = np.linalg.solve(curvature, gradient), value(w)
        half = next((half for half in HALVES if value(w - half * move) < here), None)
        if half is None:  # rounding hides the slope; a whole step still polishes the gradient
            return w - move
        w = w - half * move
    return w

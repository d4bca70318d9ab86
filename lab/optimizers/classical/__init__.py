"""What the textbooks have and optax has not: second-order, conjugate and optimal methods.

All are optax transformations, written for one point, and take what they need beyond the gradient
from the extra arguments of `update`: `value_fn` (the loss, to be differentiated again) and
`residual_fn` (the r(x) of a loss sum_i r_i(x)^2, None where the loss has none).
"""

from lab.optimizers.classical.conjugate import (
    fletcher_reeves,
    polak_ribiere,
    scale_by_exact_linesearch,
    scale_by_fletcher_reeves,
    scale_by_polak_ribiere,
    steepest_descent,
)
from lab.optimizers.classical.momentum import nesterov, ogm
from lab.optimizers.classical.newton import damped_newton, newton
from lab.optimizers.classical.schedules import (
    chebyshev,
    chebyshev_schedule,
    inverse_root_schedule,
)
from lab.optimizers.classical.squares import gauss_newton, levenberg_marquardt

__all__ = [
    "chebyshev",
    "chebyshev_schedule",
    "damped_newton",
    "fletcher_reeves",
    "gauss_newton",
    "inverse_root_schedule",
    "levenberg_marquardt",
    "nesterov",
    "newton",
    "ogm",
    "polak_ribiere",
    "scale_by_exact_linesearch",
    "scale_by_fletcher_reeves",
    "scale_by_polak_ribiere",
    "steepest_descent",
]

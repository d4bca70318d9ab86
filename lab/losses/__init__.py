"""Losses: functions of one point with their facts, from the catalogue, a formula, or a file.

`lab.losses.rosenbrock(b=10.0)` is a `Loss`, callable on one point; `catalogue` lists them all.
"""

from lab.losses.base import Family, Loss, surface
from lab.losses.formula import formula
from lab.losses.models import logistic_regression, tanh_network
from lab.losses.spec import as_loss, catalogue, from_spec
from lab.losses.surfaces import (
    ackley,
    beale,
    double_well,
    himmelblau,
    quadratic,
    rastrigin,
    rosenbrock,
    scalar_factorisation,
    three_wells,
    two_gaussians,
)

__all__ = [
    "Family",
    "Loss",
    "ackley",
    "as_loss",
    "beale",
    "catalogue",
    "double_well",
    "formula",
    "from_spec",
    "himmelblau",
    "logistic_regression",
    "quadratic",
    "rastrigin",
    "rosenbrock",
    "scalar_factorisation",
    "surface",
    "tanh_network",
    "three_wells",
    "two_gaussians",
]

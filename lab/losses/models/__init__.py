"""Models as losses of one flat vector of weights: one with fixed data, others of any size.

A `Model` is called with its sizes, whole numbers or words, and with the parameters of the loss that
they make, which may be swept: `lab.losses.mlp(width=16, data="moons", batch=8)`.
"""

from lab.losses.models.linear import (
    deep_linear_network,
    linear_regression,
    logistic_regression,
    matrix_factorisation,
)
from lab.losses.models.model import Model
from lab.losses.models.networks import fractal_network, mlp
from lab.losses.models.small import (
    HIDDEN,
    INPUTS,
    OUTPUTS,
    TEACHER,
    tanh_network,
)
from lab.losses.models.softmax import softmax_regression

MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        *(linear_regression, logistic_regression, softmax_regression),
        *(matrix_factorisation, deep_linear_network, fractal_network, mlp),
    )
}

__all__ = [
    "HIDDEN",
    "INPUTS",
    "MODELS",
    "OUTPUTS",
    "TEACHER",
    "Model",
    "tanh_network",
    *MODELS,
]

"""What `logistic_regression` learns from at its default sizes, for those who write it by hand."""

import numpy as np
from jaxtyping import Float

from lab.losses import models
from lab.losses.data import rule

RIDGE: float = models.logistic_regression().parameters["ridge"]
"""The weight of |w|^2 / 2."""


def signed_examples() -> Float[np.ndarray, "sample feature"]:
    """Each example with its constant feature, times its label."""
    sizes = models.logistic_regression.sizes
    inputs, labels = rule(sizes["samples"], sizes["seed"], sizes["inputs"])
    return labels[:, None] * np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)

"""Descents whose course is known in closed form, from the sources that each test names."""

import numpy as np
import pytest

import lab

pytestmark = pytest.mark.usefixtures("quick_compiles")


def test_momentum_contracts_by_the_spectral_radius_of_its_recursion():
    """Heavy ball on lambda x^2/2: x_t is the recursion's matrix to the power t."""
    alpha, beta = np.array([0.002, 0.02, 0.035]), np.array([0.0, 0.5, 0.9])
    loss = lab.losses.quadratic(condition_number=100.0)
    ball = lab.optimizer("sgd", momentum=beta, learning_rate=alpha)
    data = lab.sweep(loss, ball, [[1.0, 1.0]], steps=60, precision="float64", gradient_below=0.0)
    taken = data.steps.values[..., 0]  # fewer where it diverges
    for i, b in enumerate(beta):
        for j, a in enumerate(alpha):
            for k, curvature in enumerate([1.0, 100.0]):
                matrix = np.array([[1 + b - a * curvature, -b], [1.0, 0.0]])
                exact = (np.linalg.matrix_power(matrix, int(taken[i, j])) @ [1.0, 1.0])[0]
                found = data.final_point.values[i, j, 0, k]
                np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_stability_limit_is_where_the_spectral_radius_passes_one(momentum):
    limit = lab.theory.stability_limit(7.0, momentum)
    for factor, stable in [(1 - 1e-6, True), (1 + 1e-6, False)]:
        a = factor * limit * 7.0
        roots = np.roots([1, -(1 + momentum - a), momentum])
        assert (np.abs(roots).max() < 1) == stable

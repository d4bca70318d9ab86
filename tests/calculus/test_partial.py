"""Partial and directional derivatives, Hessians and their kinds, against SciPy and closed forms."""

from itertools import pairwise

import jax
import numpy as np
import pytest
from scipy.optimize import approx_fprime, rosen, rosen_der, rosen_hess

from lab.calculus import function
from lab.calculus import partial as room

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")
POINT = np.array([0.3, -0.7])
F = function("sin(x)*y**2 + exp(x*y)")


def rosenbrock(*x):
    return sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))


@pytest.mark.parametrize("dimension", [2, 5])
def test_gradient_and_hessian_are_those_of_scipy(dimension):
    x = np.random.default_rng(dimension).normal(size=dimension)
    np.testing.assert_allclose(rosenbrock(*x), rosen(x), rtol=1e-12)
    np.testing.assert_allclose(room.gradient(rosenbrock, x), rosen_der(x), rtol=1e-11)
    np.testing.assert_allclose(room.hessian(rosenbrock, x), rosen_hess(x), rtol=1e-11, atol=1e-10)


def test_partial_and_directional_derivatives_by_hand():
    x, y = POINT
    by_hand = [np.cos(x) * y**2 + y * np.exp(x * y), 2 * y * np.sin(x) + x * np.exp(x * y)]
    for index, expected in enumerate(by_hand):
        found = room.partial_derivative(F, POINT, index)
        np.testing.assert_allclose(found, expected, rtol=1e-14)
        read = room.partial_difference(F, POINT, index, 1e-5)
        np.testing.assert_allclose(read, expected, rtol=1e-9)
    u = np.array([0.6, 0.8])
    np.testing.assert_allclose(room.directional_derivative(F, POINT, u), by_hand @ u, rtol=1e-14)
    rough = approx_fprime(POINT, lambda p: float(F(*p)), 1e-7)
    np.testing.assert_allclose(room.gradient(F, POINT), rough, rtol=1e-5)


def test_jacobian_of_polar_coordinates():
    def polar(p):
        return p[0] * jax.numpy.stack([jax.numpy.cos(p[1]), jax.numpy.sin(p[1])])

    r, t = 1.7, 0.4
    found = room.jacobian(polar, np.array([r, t]))
    by_hand = [[np.cos(t), -r * np.sin(t)], [np.sin(t), r * np.cos(t)]]
    np.testing.assert_allclose(found, by_hand, rtol=1e-14)


def test_curvatures_are_eigenvalues():
    for matrix in np.random.default_rng(0).normal(size=(50, 2, 2)):
        symmetric = matrix + matrix.T
        expected = np.linalg.eigvalsh(symmetric)
        np.testing.assert_allclose(room.curvatures(symmetric), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("text", "kind", "index"),
    [
        ("x**2 + 3*y**2", "minimum", 1),
        ("-x**2 - x*y - y**2", "maximum", 1),
        ("x*y", "saddle", -1),
        ("x**3 - 3*x*y**2", "degenerate", -2),
        ("x**4 + y**4", "degenerate", 1),
    ],
)
def test_kinds_and_indices_at_the_origin(text, kind, index):
    f, origin = function(text), np.zeros(2)
    assert room.KINDS[int(room.classify(f, origin, 1e-9))] == kind
    np.testing.assert_allclose(room.winding(f, origin, 0.1), index, atol=1e-9)


def test_newton_is_one_step_on_a_quadratic_and_stays_where_it_cannot_step():
    f = function("(x - 1)**2 + x*y + 2*(y + 1)**2")
    hessian, slope = np.array([[2.0, 1.0], [1.0, 4.0]]), np.array([-2.0, 4.0])  # at the origin
    expected = -np.linalg.solve(hessian, slope)
    np.testing.assert_allclose(room.newton(f, np.zeros(2), 1, reach=9.0), expected, atol=1e-14)
    assert np.linalg.norm(room.newton(f, np.zeros(2), 1, reach=0.5)) == pytest.approx(0.5)
    flat = function("x**3 + y**3")
    np.testing.assert_array_equal(room.newton(flat, np.zeros(2), 3), 0)


def test_models_are_exact_where_they_must_be():
    f = function("2 - x + x**2 - 3*x*y + y**2/2")
    step = np.array([0.7, -1.1])
    exact = f(*(POINT + step))
    np.testing.assert_allclose(room.quadratic_model(f, POINT, step), exact, rtol=1e-14)
    cubic = function("x**3 - 2*x*y**2")
    whole = room.quadratic_model(cubic, POINT, step) + room.cubic_term(cubic, POINT, step)
    np.testing.assert_allclose(whole, cubic(*(POINT + step)), rtol=1e-12)
    plane = function("3*x - y + 1")
    np.testing.assert_allclose(room.tangent_plane(plane, POINT, step), plane(*(POINT + step)))


def test_contours_are_found_from_values_alone():
    f = function(
        "x**2 + 4*y**2"
    )  # the contour through (2 cos t, sin t) runs along (-2 sin t, cos t)
    for t in (0.3, 2.0, 4.4):
        p, along = np.array([2 * np.cos(t), np.sin(t)]), np.array([-2 * np.sin(t), np.cos(t)])
        found = room.contour_direction(f, p, 1e-4)
        across = found[0] * along[1] - found[1] * along[0]
        assert abs(across) / np.linalg.norm(along) < 1e-7

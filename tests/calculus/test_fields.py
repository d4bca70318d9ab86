"""Vector fields against closed forms, SciPy's integrators and plain NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from lab.calculus import fields, function, vectors

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")


def swirl(p):
    """(x^2 y, y z, z x): divergence 2xy + z + x, curl (-y, -z, -x^2)."""
    x, y, z = p
    return jnp.stack([x**2 * y, y * z, z * x])


def circle(t):
    return jnp.stack([jnp.cos(t), jnp.sin(t)])


def test_divergence_and_curl_in_space_by_hand():
    p = np.array([0.5, -1.2, 2.0])
    x, y, z = p
    np.testing.assert_allclose(fields.divergence(swirl, p), 2 * x * y + z + x, rtol=1e-14)
    np.testing.assert_allclose(fields.curl(swirl, p), [-y, -z, -(x**2)], rtol=1e-14)


def test_fields_from_formulas_take_the_coordinates_that_they_name():
    flow = fields.field((function("x**2"), function("x*y")))
    np.testing.assert_allclose(flow(jnp.array([3.0, 2.0])), [9.0, 6.0])


def test_stencils_are_second_order_and_the_laplacian_is_that_of_a_gaussian():
    f, p = function("exp(-x**2 - y**2)"), np.array([0.4, -0.3])
    r2 = 0.25
    exact = (4 * r2 - 4) * np.exp(-r2)
    np.testing.assert_allclose(fields.laplacian(f, p), exact, rtol=1e-14)
    errors = [abs(float(fields.laplacian_stencil(f, p, h)) - exact) for h in (0.02, 0.01)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=1e-2)
    flow = fields.gradient_field(f)
    np.testing.assert_allclose(fields.divergence(flow, p), exact, rtol=1e-14)
    assert abs(float(fields.divergence_stencil(flow, p, 1e-4)) - exact) < 1e-7
    assert abs(float(fields.curl_stencil(flow, p, 1e-4))) < 1e-8


def test_the_grid_stencil_is_the_plain_loop():
    u = np.random.default_rng(0).normal(size=(5, 4))
    plain = np.empty_like(u)
    for i in range(5):
        for j in range(4):
            around = u[i - 1, j] + u[(i + 1) % 5, j] + u[i, j - 1] + u[i, (j + 1) % 4]
            plain[i, j] = (around - 4 * u[i, j]) / 0.1**2
    np.testing.assert_allclose(fields.grid_laplacian(jnp.asarray(u), 0.1), plain, rtol=1e-12)


@pytest.mark.parametrize(("number", "stable"), [(0.2, True), (0.25, True), (0.2501, False)])
def test_the_heat_equation_is_stable_up_to_one_quarter(number, stable):
    """Whatever it starts from: the largest value never grows; above, the checkerboard does."""
    start = np.random.default_rng(1).normal(size=(16, 16))
    after = np.abs(fields.diffuse(jnp.asarray(start), number, 20_000)).max()
    assert (after <= np.abs(start).max()) == stable
    if not stable:
        assert after > 1e3  # (8 * 0.2501 - 1)^20000 = 9e6 times the checkerboard's share


def test_heat_dies_out_at_the_rate_of_its_wave():
    k, r, steps = 2 * np.pi / 16, 0.2, 50
    wave = np.cos(k * np.arange(16))[None, :] * np.ones((16, 1))
    factor = (1 - 4 * r * np.sin(k / 2) ** 2) ** steps
    np.testing.assert_allclose(
        fields.diffuse(jnp.asarray(wave), r, steps), factor * wave, atol=1e-13
    )


def test_flow_is_that_of_scipy():
    def pendulum(p):
        return jnp.stack([p[1], -jnp.sin(p[0]) - 0.1 * p[1]])

    start = np.array([1.0, 0.5])
    exact = solve_ivp(lambda t, p: pendulum(p), (0, 3), start, rtol=1e-11, atol=1e-12).y[:, -1]
    np.testing.assert_allclose(fields.flow(pendulum, start, 3.0, 600), exact, atol=1e-9)
    coarse = [np.abs(fields.flow(pendulum, start, 3.0, n) - exact).max() for n in (20, 40)]
    assert 12 < coarse[0] / coarse[1] < 20  # fourth order


def test_euler_along_the_downhill_field_is_gradient_descent():
    f = function("x**2 + 3*y**2 + x*y")
    down = lambda p: -fields.gradient_field(f)(p)  # noqa: E731
    x, path = np.array([1.0, -2.0]), [np.array([1.0, -2.0])]
    for _ in range(5):
        x = x - 0.1 * np.array([2 * x[0] + x[1], 6 * x[1] + x[0]])
        path.append(x)
    np.testing.assert_allclose(fields.euler(down, path[0], 0.1, 5), path, rtol=1e-13)


def test_line_integrals_against_a_plain_sum():
    flow = lambda p: jnp.stack([p[0] * p[1], jnp.exp(p[0])])  # noqa: E731
    t = (np.arange(200_000) + 0.5) / 200_000 * 2 * np.pi
    x, y = np.cos(t), np.sin(t)
    work = np.mean(x * y * -y + np.exp(x) * x) * 2 * np.pi
    out = np.mean(x * y * x + np.exp(x) * y) * 2 * np.pi
    np.testing.assert_allclose(fields.circulation(flow, circle, 64), work, atol=1e-12)
    np.testing.assert_allclose(fields.flux(flow, circle, 64), out, atol=1e-12)


def test_integrals_over_the_inside():
    ellipse = lambda t: jnp.array([2.0, 0.5]) * circle(t)  # noqa: E731
    one, square = (lambda p: 1.0 + 0 * p[0]), (lambda p: p[0] ** 2)
    origin = jnp.zeros(2)
    np.testing.assert_allclose(fields.inside(one, ellipse, origin, 32, 4), np.pi, rtol=1e-13)
    expected = np.pi / 4 * 2.0**3 * 0.5  # of x^2 over the ellipse
    np.testing.assert_allclose(fields.inside(square, ellipse, origin, 32, 4), expected, rtol=1e-13)


def test_flux_out_of_a_sphere_and_integrals_inside():
    def sphere(u, v):
        flat = jnp.sqrt(1 - v**2)
        return 2 * jnp.stack([flat * jnp.cos(u), flat * jnp.sin(u), v])

    volume = 4 / 3 * np.pi * 8
    np.testing.assert_allclose(fields.surface_flux(lambda p: p, sphere, 16, 8), 3 * volume)
    found = fields.inside_surface(lambda p: 1.0 + 0 * p[0], sphere, 16, 8, 4)
    np.testing.assert_allclose(found, volume, rtol=1e-12)
    squares = fields.inside_surface(lambda p: p @ p, sphere, 16, 8, 6)
    np.testing.assert_allclose(squares, 4 * np.pi * 2**5 / 5, rtol=1e-12)


def test_a_star_is_where_its_formula_says():
    loop = fields.star(jnp.array([1.0, 2.0]), jnp.array([[0.1, 0.0], [0.0, 0.2]]), 3.0)
    t = 0.9
    radius = 3 * (1 + 0.1 * np.cos(t) + 0.2 * np.sin(2 * t))
    expected = [1 + radius * np.cos(t), 2 + radius * np.sin(t)]
    np.testing.assert_allclose(loop(jnp.asarray(t)), expected, rtol=1e-14)


numbers = st.lists(st.floats(-50, 50).filter(lambda x: abs(x) > 1e-3), min_size=3, max_size=3)


@settings(max_examples=15)
@given(a=numbers, b=numbers)
def test_products_of_vectors_are_those_of_numpy(a, b):
    a, b = np.array(a), np.array(b)
    size = np.linalg.norm(a) * np.linalg.norm(b)
    np.testing.assert_allclose(vectors.cross(a, b), np.cross(a, b), atol=1e-13 * size)
    np.testing.assert_allclose(vectors.dot(a, b), np.dot(a, b), atol=1e-13 * size)
    np.testing.assert_allclose(vectors.norm(a), np.linalg.norm(a), rtol=1e-14)
    np.testing.assert_allclose(vectors.cross(a[:2], b[:2]), np.cross(a, b)[2], atol=1e-13 * size)
    expected = np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)
    np.testing.assert_allclose(vectors.angle(a, b), expected, atol=1e-6)
    shadow = np.outer(b, b) @ a / (b @ b)
    np.testing.assert_allclose(vectors.projection(a, b), shadow, atol=1e-12 * np.linalg.norm(a))

"""Tensors and maps of the plane: against NumPy and plain loops, and runs of the figures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from unpictured import failed_checks

import lab
from lab.calculus import tensors
from lab.config import ConfigError

FOLDER = "course/06_tensors"
pytestmark = pytest.mark.usefixtures("quick_compiles", "unpictured")


@pytest.mark.usefixtures("float64")
class TestTensors:
    def test_contractions_of_outer_products_are_numpys_products(self):
        random = np.random.default_rng(0)
        a, b, t = (random.integers(-9, 10, shape) * 1.0 for shape in ((3, 4), (4, 5), (2, 3, 4)))
        np.testing.assert_array_equal(tensors.outer(a, b), np.multiply.outer(a, b))
        np.testing.assert_array_equal(tensors.contract(tensors.outer(a, b), 1, 2), a @ b)
        both = tensors.contract(tensors.outer(t, b), 2, 3)
        np.testing.assert_array_equal(both, np.tensordot(t, b, axes=1))
        np.testing.assert_array_equal(tensors.contract(a @ a.T, 0, 1), np.trace(a @ a.T))

    def test_sums_of_products_are_the_plain_loop_rounded_at_each_step(self):
        random = np.random.default_rng(1)
        x, y = random.standard_normal((2, 50)).astype(np.float16)
        total, expected = np.float16(0), []
        for one, other in zip(x, y, strict=True):
            total = np.float16(total + np.float16(one * other))
            expected.append(total)
        found = np.asarray(tensors.summed_products(x, y, np.array([1, 20, 50])))
        np.testing.assert_allclose(found, np.array(expected)[[0, 19, 49]], atol=0.02)
        assert found.dtype == np.float16

    def test_the_jacobian_of_a_layer(self):
        w, b = np.array([[1.0, -0.7], [0.4, 0.9]]), np.array([0.5, -0.3])
        layer, x = tensors.tanh_layer(w, b), jnp.array([0.3, -1.1])
        expected = (1 - np.tanh(w @ x + b) ** 2)[:, None] * w
        np.testing.assert_allclose(tensors.jacobian(layer, x), expected, rtol=1e-14)
        area = abs(np.linalg.det(expected))
        np.testing.assert_allclose(tensors.stretch(layer, x), area, rtol=1e-13)
        coarse, fine = (
            abs(float(tensors.area_ratio(layer, x, jnp.float64(side))) - area)
            for side in (0.1, 0.05)
        )
        assert coarse / fine == pytest.approx(4, rel=0.02)

    def test_the_ellipse_of_a_matrix_known_by_hand(self):
        """A rotation by 30 degrees after stretching by 3 and 1/2."""
        turn = np.deg2rad(30)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        s, u = tensors.ellipse(jnp.asarray(rotation @ np.diag([3.0, 0.5])))
        np.testing.assert_allclose(s, [3.0, 0.5], rtol=1e-14)
        np.testing.assert_allclose(np.abs(u.T @ rotation), np.eye(2), atol=1e-14)

    def test_the_shoelace_formula_far_from_the_origin(self):
        """A regular polygon of n corners and radius r has the area n r^2 sin(2 pi / n) / 2."""
        turn = np.arange(7) * 2 * np.pi / 7
        corners = 1e8 + 0.5 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        expected = 7 * 0.25 * np.sin(2 * np.pi / 7) / 2
        assert float(tensors.shoelace(jnp.asarray(corners))) == pytest.approx(expected, rel=1e-6)
        assert float(tensors.shoelace(jnp.asarray(corners[::-1]))) < 0


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("tensor_contraction", ["tensor_contraction", "tensor_operations", "contraction_error"]),
        ("jacobian_grid", ["jacobian_grid", "area_ratio"]),
    ],
)
def test_the_checks_of_a_figure_hold(name, figures, tmp_path):
    result = lab.run(f"{FOLDER}/{name}", out=tmp_path, smoke=True)
    assert result.passed, result.checks
    assert list(result.figures) == figures


def test_contracting_the_wrong_axes_fails_the_checks(tmp_path, monkeypatch):
    """The product with the rows of B reversed: of the right shape, and wrong."""
    right = tensors.contract
    monkeypatch.setattr(
        tensors, "contract", lambda t, i, j: right(jnp.flip(t, j) if t.ndim > 2 else t, i, j)
    )
    wrong = failed_checks(f"{FOLDER}/tensor_contraction", tmp_path)
    assert any(name.startswith("product") for name in wrong)
    assert any(name.startswith("einsum") for name in wrong)
    assert not any(name.startswith("outer") for name in wrong)


def test_a_transposed_jacobian_fails_the_checks(tmp_path, monkeypatch):
    """Its determinant and its singular values are right, the directions are not."""
    monkeypatch.setattr(tensors, "jacobian", lambda f, x: jax.jacfwd(f)(x).T)
    wrong = failed_checks(f"{FOLDER}/jacobian_grid", tmp_path)
    assert wrong == [f"{name}: a circle's image off the ellipse" for name in ("linear", "layer")]


@pytest.mark.parametrize(
    ("name", "overrides", "told"),
    [
        ("tensor_contraction", {"lengths": [64, 16, 256]}, "lengths must rise"),
        ("tensor_contraction", {"rows": 0}, "rows"),
        ("jacobian_grid", {"window": [2.0, -2.0]}, "first end must be below"),
        ("jacobian_grid", {"matrix": [[1.0, 2.0]]}, "matrix"),
    ],
)
def test_what_is_refused(name, overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told):
        lab.run(f"{FOLDER}/{name}", overrides, out=tmp_path)

"""Functions made from text."""

import numpy as np
import pytest

from lab.calculus import function
from lab.errors import SpecError


def test_a_function_takes_its_variables_one_by_one(float64):
    f = function("x**2 * y - sin(x)/y")
    assert f.dimension == 2
    np.testing.assert_allclose(f(2.0, 3.0), 12 - np.sin(2.0) / 3, rtol=1e-15)
    with pytest.raises(TypeError, match="takes 2 variables, not 1"):
        f(2.0)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("3*x**2 - 4*x", "3x² − 4x"),
        ("sin(x)/x", "sin(x)/x"),
        ("x**-12*y", "x⁻¹²·y"),
        ("x**x", "x^x"),
    ],
)
def test_labels_read_as_mathematics(text, label):
    assert function(text).label == label


def test_what_is_no_function_is_said():
    with pytest.raises(SpecError, match="unknown name 'a'"):
        function("a*x")
    with pytest.raises(SpecError, match="sine"):
        function("sine(x)")

"""The 35 problems against the numbers of the article, of MINPACK, and against SciPy."""

import tomllib
from pathlib import Path

import jax
import numpy as np
import pytest
import scipy.optimize

from lab.losses.more_garbow_hillstrom import PROBLEMS

ROWS = tomllib.loads(
    (Path(__file__).parent / "oracles" / "more_garbow_hillstrom.toml").read_text()
)["problems"]
IDS = [f"{row['number']}-{PROBLEMS[row['number']].name}-{row.get('dimension', '')}" for row in ROWS]
each_row = pytest.mark.parametrize("row", ROWS, ids=IDS)

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")


def problem(row):
    family = PROBLEMS[row["number"]]
    return family(dimension=row["dimension"]) if "dimension" in row else family()


def test_all_problems_are_there():
    assert {row["number"] for row in ROWS} == set(PROBLEMS) == set(range(1, 36))
    assert len({family.name for family in PROBLEMS.values()}) == 34  # Powell's is there twice


@each_row
def test_value_at_the_standard_start(row):
    loss = problem(row)
    value = float(jax.jit(loss)(loss.start()))
    if "start_value" in row:
        assert value == pytest.approx(row["start_value"], rel=1e-12)
    if "start_norm" in row:
        assert np.sqrt(value) == pytest.approx(row["start_norm"], rel=6e-8)
    assert "start_value" in row or "start_norm" in row


@each_row
def test_minimum_is_the_published_one(row):
    loss = problem(row)
    assert loss.minimum() == pytest.approx(row["minimum"], rel=6e-6, abs=1e-14)


@each_row
def test_scipy_descends_to_a_published_minimum(row):
    """From the standard start SciPy ends at the minimum, or at the article's other one."""
    loss = problem(row)
    residuals, jacobian = jax.jit(loss.residuals), jax.jit(jax.jacfwd(loss.residuals))
    found = scipy.optimize.least_squares(
        lambda x: np.asarray(residuals(x)), loss.start(), lambda x: np.asarray(jacobian(x)),
        x_scale="jac", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=3000,
    )  # fmt: skip
    published = [row["minimum"], row.get("also", row["minimum"])]
    assert any(2 * found.cost == pytest.approx(f, rel=6e-6, abs=1e-12) for f in published)
    assert 2 * found.cost >= loss.minimum() * (1 - 1e-9)

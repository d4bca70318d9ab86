"""The gallery: a run of it from end to end, and that it tells a wrong minimum from a right one."""

from dataclasses import replace

import numpy as np
import pytest

import lab
from lab import losses
from lab.config import ConfigError
from lab.survey import newton_distances, survey

pytestmark = pytest.mark.usefixtures("quick_compiles")
SMALL = {"kinds": ["saddles", "kinks"], "points": 11}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return lab.run("gallery", SMALL, out=tmp_path_factory.mktemp("gallery"))


def test_a_run_of_the_gallery(result):
    assert result.passed and len(result.checks) == 4
    assert list(result.figures) == ["saddles", "kinks"]
    rows = {row["kind"]: row for row in result.table.rows}
    assert (rows["saddles"]["surfaces"], rows["saddles"]["minima"]) == (6, 5)
    assert (rows["saddles"]["found"], rows["saddles"]["kinked"]) == (5, 0)
    assert (rows["kinks"]["kinked"], rows["kinks"]["found"]) == (3, 1)
    assert "10 losses of two variables have 9 known minima" in result.manifest["verdict"]


def test_what_is_drawn_is_the_loss(result):
    valleys = result.data["_surfaces/two_valleys"]
    at = valleys.loss.sel(x=0.4, y=-1.2, method="nearest")
    assert float(at) == pytest.approx(0.4**2 / 2 + 1.2**4 / 4 - 1.2**2 / 2)
    assert result.data["_surfaces/easom"].x.values[[0, -1]].tolist() == [-2, 8]
    assert result.figures["saddles"].alt.startswith("Contours of 6 losses.")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"kinds": ["bowl"]}, "unknown kind 'bowl'; did you mean 'bowls'?"),
        ({"windows": {"esom": [0, 1]}}, "no surface of the catalogue; did you mean 'easom'?"),
        ({"windows": {"easom": [1, 0]}}, "the low end must be below the high end"),
    ],
)
def test_what_is_refused(overrides, told, tmp_path):
    with pytest.raises(ConfigError, match=told.replace("?", r"\?")):
        lab.run("gallery", overrides, out=tmp_path)


def surveyed(minima, name="himmelblau"):
    loss = getattr(losses, name)()
    loss = replace(loss, known_minima=np.array(minima, float))
    return survey(loss, loss.low, loss.high, 5).newton_distance.values


def test_newton_stays_at_minima_and_leaves_what_is_none():
    """The true minimum, one of few digits, a point nearby, the maximum and a saddle."""
    assert surveyed(losses.himmelblau().minima()).max() < 1e-9
    rounded, near, top, saddle = surveyed(
        [[-2.805118, 3.131312], [3.0, 2.01], [-0.270845, -0.923039], [0.08668, 2.88425]]
    )
    assert 1e-7 < rounded < 1e-6 and 0.005 < near < 0.02
    assert np.isinf([top, saddle]).all()


def test_newton_holds_what_the_edge_of_the_box_holds():
    """The eggholder's minimum is on the edge x = 512, where the slope points outwards."""
    (minimum,) = losses.eggholder().minima()
    on, along = surveyed([minimum, minimum - [0, 0.01]], "eggholder")
    assert on < 1e-9 and along == pytest.approx(0.01, rel=0.01)


def test_there_is_nothing_to_follow_at_kinks_or_without_minima():
    assert np.isnan(surveyed([[0.0, 0.0]], "absolute")).all()
    assert len(newton_distances(losses.saddle(), np.empty((0, 2)))) == 0

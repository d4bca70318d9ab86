"""What `lab.sweep` and `lab.replay` refuse, each in a sentence; and what they allow."""

import numpy as np
import pytest

import lab
from lab import answers, compare

pytestmark = pytest.mark.usefixtures("quick_compiles")

STARTS = lab.starts.uniform(low=[-1, -1], high=[1, 1], count=40)
SGD = lab.optimizer("sgd", learning_rate=[0.01, 0.1])


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ({"backend": "quantum"}, "'quantum' is not allowed; allowed: auto, kernel, scalar, vmap"),
        ({"keep": "lane"}, "keep: 'lane' is not allowed; did you mean 'lanes'?"),
        ({"precision": "float16"}, "did you mean 'bfloat16'?"),
        ({"steps": -1}, "steps: -1 is not allowed"),
        ({"seeds": 0}, "seeds: 0 is not allowed; give a whole number of at least 1"),
        ({"targets": [1e-3, -1.0]}, "targets.1: -1.0 is not allowed"),
        ({"gradient_below": np.nan}, "gradient_below: nan is not allowed"),
        ({"steps": 5, "snapshots": [6]}, "snapshots: every snapshot must lie between 0 and 5"),
        ({"keep": "reduced", "record": (lab.record.Best(),)}, "record: needs keep"),
    ],
)
def test_wrong_settings(run, told):
    with pytest.raises(lab.LabError) as caught:
        lab.sweep(lab.losses.beale(), SGD, STARTS, **run)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (
            lambda x: 3,
            "must return one floating-point number, not a value of shape () and type int",
        ),
        (lambda x: x, "must return one floating-point number, not a value of shape (2,)"),
        (lambda x: x.nope, "cannot be evaluated at these starts"),
    ],
)
def test_wrong_losses(loss, told):
    with pytest.raises(lab.LabError) as caught:
        lab.sweep(loss, SGD, STARTS, steps=3)
    assert told in str(caught.value)


def test_replay_keeps_lanes_whatever_is_asked_and_takes_more_than_a_block():
    starts = lab.starts.uniform(low=[-1, -1], high=[1, 1], count=2500)
    paths = lab.replay(lab.losses.beale(), SGD, starts, steps=3, keep="reduced", block=1024)
    swept = lab.sweep(lab.losses.beale(), SGD, starts, steps=3, block=1024)
    assert paths.point.shape == (2, 2500, 4, 2)
    np.testing.assert_array_equal(paths.point.values[:, :, -1], swept.final_point.values)


def test_bfloat16_paths_are_kept_as_float32():
    paths = lab.replay(lab.losses.beale(), SGD, STARTS, steps=3, precision="bfloat16")
    assert paths.point.dtype == paths.loss.dtype == np.float32


def test_a_losss_own_parameters_make_problems_and_are_not_chosen_from():
    loss = lab.losses.quadratic(condition_number=np.array([10.0, 100.0]))
    data = lab.sweep(loss, SGD, STARTS, steps=100, targets=(1e-3,), gradient_below=0.0)
    table = answers.summary({"sgd": compare.summarize(data)})
    assert [row["problem"] for row in table.rows] == ["condition_number 10", "condition_number 100"]
    # 2 / lambda_max is 0.2 and 0.02: the larger rate is best on one and diverges on the other.
    rates = [row["learning_rate"] for row in table.rows]
    assert rates == [0.1, 0.01]
    assert table.columns[1].heading == "loss with"
    assert answers.verdict(table).startswith("condition_number 10: sgd at learning_rate 0.1 came")


def test_parameters_with_the_names_of_results_are_told_apart():
    loss = lab.losses.formula("x**2 + target*y**2", target=np.array([1.0, 2.0]))
    data = lab.sweep(loss, SGD, STARTS, steps=3)
    assert list(data.outcome.dims) == ["loss.target", "learning_rate", "start"]

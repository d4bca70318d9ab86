"""Recorders against a whole history, kept by a Python loop over the same descent."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from by_hand import assert_lane_is, told, walk

import lab
from lab.outcome import Outcome
from lab.record import Best, HittingTime, Last, Recorder, Snapshots, Variable

pytestmark = pytest.mark.usefixtures("quick_compiles", "float64")

LOSS = lab.losses.rosenbrock(b=2.0)
STARTS = np.array([[-1.2, 1.0], [1.0 + 1e-6, 1.0], [0.4, 0.1], [1.9, -1.5]])
RUN = {"steps": 200, "gradient_below": 0.02, "precision": "float64", "block": 32}
MOMENTUM, RATES = 0.7, [0.002, 0.02, 0.3]
TARGETS = (5.0, 0.5, 3.0, 1e-3)
AT = (0, 1, 7, 50, 200)


@pytest.fixture(scope="module")
def walks():
    """The histories, [rate][start]: heavy ball, written out."""
    look = jax.jit(jax.value_and_grad(LOSS))

    def one(rate, x0):
        velocity = np.zeros(2)

        def move(t, x, f, g):
            nonlocal velocity
            velocity = MOMENTUM * velocity + g
            return x - rate * velocity

        return walk(lambda x, t: look(x), move, x0, RUN["steps"], below=RUN["gradient_below"])

    with jax.enable_x64(True):
        return [[one(rate, x0) for x0 in STARTS] for rate in RATES]


@pytest.fixture(scope="module")
def data():
    ball = lab.optimizer("sgd", learning_rate=RATES, momentum=MOMENTUM)
    return lab.sweep(LOSS, ball, STARTS, targets=TARGETS, snapshots=AT, **RUN)


def lanes(data, walks):
    for i, row in enumerate(walks):
        for j, history in enumerate(row):
            yield data.isel(learning_rate=i, start=j), history


def test_the_cases_end_in_different_ways_at_different_steps(walks):
    ends = {history.outcome for row in walks for history in row}
    assert ends >= {Outcome.CONVERGED, Outcome.DIVERGED, Outcome.BUDGET_SPENT}
    assert len({len(history.losses) for row in walks for history in row}) > 4


def test_last_best_and_hitting_times(data, walks):
    """Targets may stand in any order; the start counts as step 0."""
    for lane, history in lanes(data, walks):
        assert_lane_is(lane, told(history, TARGETS), rtol=1e-11)
    assert data.hit_step.dims == ("learning_rate", "start", "target")
    assert data.target.values.tolist() == list(TARGETS)
    assert data.hit_step.sel(start=1).values.tolist() == 3 * [[0, 0, 0, 0]]
    assert {-1, 0} < set(data.hit_step.values.ravel())


def test_snapshots_stay_where_a_lane_ended(data, walks):
    assert data.snapshot.values.tolist() == list(AT)
    for lane, history in lanes(data, walks):
        seen = np.minimum(AT, len(history.losses) - 1)
        losses = np.where(np.isfinite(history.losses), history.losses, np.inf)
        np.testing.assert_allclose(lane.snapshot_loss, losses[seen], rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(lane.snapshot_point, history.points[seen], rtol=1e-11)


def test_a_replay_is_the_whole_history(walks):
    ball = lab.optimizer("sgd", learning_rate=RATES, momentum=MOMENTUM)
    paths = lab.replay(LOSS, ball, STARTS, **RUN)
    assert paths.point.dims == ("learning_rate", "start", "step", "dim")
    for lane, history in lanes(paths, walks):
        n = len(history.losses)
        np.testing.assert_allclose(lane.point[:n], history.points, rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(lane.loss[:n], history.losses, rtol=1e-11, atol=1e-15)
        assert np.all(lane.point[n:] == lane.point[n - 1])


class Travelled(Recorder):
    """A recorder of the user's own: the length of the path."""

    variables: ClassVar = {"length": Variable((), "length of the path")}

    def init(self, lane):
        return lane.x, jnp.zeros(())

    def update(self, record, t, lane, descent):
        last, length = record
        return lane.x, length + jnp.sqrt(jnp.sum((lane.x - last) ** 2))

    def results(self, record, lane):
        return {"length": record[1]}


def test_recorders_are_an_argument(walks):
    ball = lab.optimizer("sgd", learning_rate=RATES, momentum=MOMENTUM)
    record = [Last(), Travelled(), HittingTime((1.0,)), Best()]
    data = lab.sweep(LOSS, ball, STARTS, record=record, **RUN)
    assert {"length", "final_loss", "hit_step", "best_step"} < set(data.data_vars)
    for lane, history in lanes(data, walks):
        length = np.sum(np.linalg.norm(np.diff(history.points, axis=0), axis=1))
        np.testing.assert_allclose(lane.length, length, rtol=1e-11)


def test_targets_count_from_the_lowest_known_loss():
    """three_wells has its minimum at 6.28: a target of .5 is a loss of 6.78."""
    wells, x = lab.losses.three_wells(), np.array([[0.5, 0.5], [3.0, 1.5], [3.5, 4.0]])
    sgd = lab.optimizer("sgd", learning_rate=1e-9)
    data = lab.sweep(wells, sgd, x, steps=1, targets=(0.5, 0.7), precision="float64", block=32)
    excess = np.array([wells(point) - wells.minimum() for point in x])
    expected = np.where(excess[:, None] <= [0.5, 0.7], 0, -1)
    np.testing.assert_array_equal(data.hit_step, expected)
    assert set(expected.ravel()) == {0, -1}


def test_snapshots_alone_may_be_recorded():
    sgd = lab.optimizer("sgd", learning_rate=0.1)
    data = lab.sweep(
        lambda x: jnp.sum(x**2) / 2, sgd, [[1.0]], steps=4, record=[Snapshots((2, 4))],
        precision="float64", block=32,
    )  # fmt: skip
    np.testing.assert_allclose(data.snapshot_point.squeeze(), [0.9**2, 0.9**4], rtol=1e-15)

"""Counts across starts, made on the device, against counts of the single lanes in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lab
from lab import compare, dataset, reduce
from lab.api import make_plan
from lab.outcome import Outcome
from lab.plan import Run

pytestmark = pytest.mark.usefixtures("quick_compiles")

STARTS = lab.starts.uniform(low=[-5, -5], high=[5, 5], count=2500)
BALL = lab.optimizer("sgd", momentum=[0.0, 0.8], learning_rate=np.geomspace(1e-3, 0.1, 5))
RUN = {"steps": 120, "targets": (10.0, 1e-2), "seeds": 2}
FAILED = [Outcome.DIVERGED, Outcome.LEFT_DOMAIN]


@pytest.fixture(scope="module")
def both():
    """The same runs, lane by lane and as counts, in different blocks."""
    loss = lab.losses.himmelblau()
    lanes = lab.sweep(loss, BALL, STARTS, **RUN)
    return lanes, lab.sweep(loss, BALL, STARTS, keep="reduced", block=2048, **RUN)


def test_counts_equal_the_counts_of_lanes(both):
    lanes, counts = both
    for number in Outcome:
        expected = (lanes.outcome == number).sum("start")
        np.testing.assert_array_equal(counts.outcome_count.sel(outcome=number), expected)
    for number in range(4):
        expected = (lanes.minimum == number).sum("start")
        np.testing.assert_array_equal(counts.minimum_count.isel(known_minimum=number), expected)
    hit = lanes.hit_step >= 0
    np.testing.assert_array_equal(counts.hit_count, hit.sum("start"))
    work = hit * lanes.hit_step + ~hit * lanes.steps
    np.testing.assert_array_equal(counts.work, work.transpose(..., "target", "start").sum("start"))
    assert np.all(counts.lane_count == 2500) and counts.lane_count.dims == lanes.outcome.dims[:-1]


def test_histograms_are_those_of_numpy(both):
    """But for a few lanes whose logarithm, in float32, is rounded over an edge."""
    lanes, counts = both
    failed = lanes.outcome.isin(FAILED)
    losses = {"final_loss": lanes.final_loss.where(~failed, np.inf), "best_loss": lanes.best_loss}
    edges = 10.0 ** (np.arange(32 * 40 + 1) / 40 - 16)
    for name, values in losses.items():
        cumulative = counts[f"{name}_count"].cumsum("bin").values
        assert np.all(cumulative[..., -1] == 2500)
        for place in np.ndindex(cumulative.shape[:-1]):
            below = np.searchsorted(np.sort(values.values[place].astype(float)), edges)
            assert np.abs(cumulative[place][:-1] - below).max() <= 3, name


def test_summaries_agree(both):
    """Shares exactly; quantiles of losses, which span 16 decades, within a bin's 3 percent."""
    lanes, counts = (compare.summarize(data) for data in both)
    assert set(lanes.data_vars) == set(counts.data_vars) and set(lanes.coords) == set(counts.coords)
    for name in lanes.data_vars:
        a, b = lanes[name].transpose(*counts[name].dims).values, counts[name].values
        if "quantile" in name:
            zero = np.isfinite(a) & (a < 1e-15)
            assert np.all(b[zero] < 1.1e-15)
            np.testing.assert_allclose(b[~zero], a[~zero], rtol=0.03, err_msg=name)
        else:
            np.testing.assert_array_equal(a, b, name)


def test_what_is_kept_does_not_grow_with_the_starts():
    def kept(starts):
        run = Run(keep="reduced", steps=7)
        return dataset.specs(make_plan(lab.losses.himmelblau(), BALL, starts, run))

    few, many = kept(STARTS), kept(lab.starts.uniform([-5, -5], [5, 5], 100_000_000))
    assert {k: v.shape for k, v in few.items()} == {k: v.shape for k, v in many.items()}
    assert all("start" not in spec.dims for spec in many.values())


def test_sums_of_steps_cannot_overflow_whatever_the_block():
    """A block larger than `LANES` is cut; the two halves of a sum are put together again."""
    run = Run(keep="reduced", block=1_000_000)
    for platform in ("cpu", "gpu"):
        plan = make_plan(
            lab.losses.beale(), BALL, lab.starts.uniform([0, 0], [1, 1], 10_000_000), run
        )
        plan = type(plan)(plan.loss, plan.optimizer, plan.starts, plan.run, platform)
        assert np.prod(plan.layout.chunk) <= reduce.LANES
    steps = jnp.full(reduce.LANES, 2**31 - 1)
    lane = {"outcome": steps * 0 + Outcome.BUDGET_SPENT, "minimum": steps * 0 - 1, "steps": steps}
    losses = jnp.ones(reduce.LANES)
    results = {
        **lane,
        "final_loss": losses,
        "best_loss": losses,
        "hit_step": steps[:, None] * 0 - 1,
    }
    found = reduce.counts(results, losses * 0, steps * 0, rows=1, minima=0)
    work = reduce.merge_halves(found)["work"].item()
    assert work == reduce.LANES * (2**31 - 1)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64"])
def test_every_number_lies_in_the_bin_whose_value_is_within_three_percent(dtype):
    with jax.enable_x64(dtype == "float64"):
        values = jnp.asarray(np.geomspace(1.1e-16, 0.9e16, 5000), dtype)
        stands = reduce.bin_values()[np.asarray(reduce.bin_of(values))]
    np.testing.assert_allclose(stands, np.asarray(values, float), rtol=0.0293)


@given(st.floats(allow_nan=False, width=32))
def test_bins_at_the_ends_take_what_is_too_small_or_too_large(value):
    place = int(reduce.bin_of(jnp.float32(value)))
    if value < 0.99e-16:
        assert place == 0
    if value > 1.01e16:
        assert place == reduce.BINS - 1
    assert 0 <= place < reduce.BINS

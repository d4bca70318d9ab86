"""Shares, intervals, quantiles and running times against scipy, numpy and sums done by hand."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from lab import compare
from lab.outcome import Outcome

LEVELS = compare.QUANTILES


@given(st.integers(1, 5000), st.data())
def test_wilson_is_scipys(lanes, data):
    hits = data.draw(st.integers(0, lanes))
    low, high = compare.wilson(np.array(hits), np.array(lanes))
    exact = binomtest(hits, lanes).proportion_ci(method="wilson")
    np.testing.assert_allclose([low, high], exact, rtol=1e-12, atol=1e-15)


def test_wilson_of_no_lanes_is_everything_and_arrays_go_through():
    low, high = compare.wilson(np.array([[0, 5], [0, 10]]), np.array([[10], [10]]))
    assert low.shape == high.shape == (2, 2)
    assert low[0, 0] == 0 < high[0, 0] < 0.3 and high[1, 1] > 1 - 1e-15 and low[1, 1] > 0.7


LOSSES = st.floats(0, 1e30) | st.just(np.inf)


@given(st.lists(LOSSES, min_size=1, max_size=60))
def test_quantiles_are_numpys_inverted_cdf_among_infinities_too(values):
    found = compare.quantiles(xr.DataArray(np.array(values), dims="start"), ["start"])
    expected = np.quantile(np.array(values), LEVELS, method="inverted_cdf")
    np.testing.assert_array_equal(found, expected)


def test_quantiles_pool_what_they_are_told_to_and_skip_what_is_missing():
    values = np.random.default_rng(0).normal(size=(3, 4, 50))
    values[0, 1, :20] = np.nan
    values[2, 3] = np.nan
    array = xr.DataArray(values, dims=("seed", "rate", "start"))
    found = compare.quantiles(array, ["seed", "start"])
    assert found.dims == ("rate", "quantile")
    pooled = np.moveaxis(values, 1, 0).reshape(4, -1)
    present = [row[~np.isnan(row)] for row in pooled]
    expected = [np.quantile(row, LEVELS, method="inverted_cdf") for row in present]
    np.testing.assert_array_equal(found, expected)
    apart = compare.quantiles(array, ["start"])
    assert np.isnan(apart[2, 3]).all() and not np.isnan(apart[:2]).any()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_quantiles_of_counts_are_those_of_the_values_counted(places):
    values = np.concatenate([[0.0], np.geomspace(1, 1e8, 8), [np.inf]])
    counts = xr.DataArray(np.bincount(places, minlength=10), {"bin": values}, dims="bin")
    expected = np.quantile(values[places], LEVELS, method="inverted_cdf")
    np.testing.assert_array_equal(compare.quantiles_of_counts(counts), expected)


def test_quantiles_of_no_counts_are_missing():
    counts = xr.DataArray(np.zeros((2, 3), int), {"bin": [0.0, 1.0, np.inf]}, dims=("rate", "bin"))
    assert np.isnan(compare.quantiles_of_counts(counts)).all()


def lanes(hits, steps, outcome=Outcome.CONVERGED, final=0.0, rates=None):
    """Results [learning_rate, start] with one target, which lanes hit at `hits` or never (-1)."""
    hits, steps = np.array(hits), np.broadcast_to(steps, np.shape(hits))
    dims = ("learning_rate", "start")
    final = np.broadcast_to(np.asarray(final, float), hits.shape)
    return xr.Dataset(
        {
            "outcome": (dims, np.broadcast_to(np.int8(outcome), hits.shape)),
            "steps": (dims, steps),
            "minimum": (dims, np.where(hits >= 0, 0, -1)),
            "final_loss": (dims, final),
            "best_loss": (dims, final),
            "hit_step": ((*dims, "target"), hits[..., None]),
        },
        {
            "learning_rate": np.geomspace(0.01, 1, len(hits)) if rates is None else rates,
            "target": [1e-3],
            "minima": (("known_minimum", "dim"), [[0.0, 0.0]]),
            "minimum_loss": 0.0,
        },
    )


def test_expected_running_time_by_hand():
    """Hits after 3 and 5 steps, and a lane that spent 10: 18 steps for two hits."""
    summary = compare.summarize(lanes([[3, 5, -1], [-1, -1, -1], [0, 0, 0]], [8, 9, 10]))
    assert summary.ert.values.ravel().tolist() == [9.0, np.inf, 0.0]
    assert summary.hit_share.values.ravel().tolist() == [2 / 3, 0, 1]
    assert summary.minimum_share.values.ravel().tolist() == [2 / 3, 0, 1]
    steps = summary.hit_step_quantile.values
    assert steps[0, 0, 2] == 3 and np.isnan(steps[1]).all()  # the median of 3 and 5 is the lower


def test_failed_lanes_count_as_infinitely_bad():
    bad = np.array([[Outcome.DIVERGED, Outcome.LEFT_DOMAIN, Outcome.CONVERGED, Outcome.STALLED]])
    summary = compare.summarize(lanes([[0, -1, 1, 1]], 5, outcome=bad, final=[1.0, 2.0, 3.0, 4.0]))
    assert summary.final_loss_quantile.values[0].tolist() == [3, 3, 4, np.inf, np.inf]
    assert summary.best_loss_quantile.values[0].tolist() == [1, 1, 2, 3, 4]
    share = {
        name: summary.outcome_share.sel(outcome=name).item() for name in summary.outcome.values
    }
    quarter = dict.fromkeys(["converged", "diverged", "left_domain", "stalled"], 0.25)
    assert share == {**quarter, "oscillating": 0, "budget_spent": 0}


def many(shares, step):
    """A thousand lanes a rate, of which these shares hit, each at its step."""
    hits = np.arange(1000) < 1000 * np.array(shares)[:, None]
    return lanes(np.where(hits, np.array(step)[:, None], -1), 100)


def test_the_best_setting_is_the_fastest_of_those_that_most_lanes_succeed_with():
    close = compare.summarize(many([0.30, 0.95, 0.96, 0.80], [1, 20, 90, 1]))
    assert compare.best(close).index == {"learning_rate": 1}  # .95 and .96 cannot be told apart
    apart = compare.summarize(many([0.30, 0.90, 0.96, 0.80], [1, 20, 90, 1]))
    assert compare.best(apart).index == {"learning_rate": 2}
    assert "within 0.001" in compare.best(apart).criterion


def test_without_a_hit_the_best_setting_has_the_lowest_median():
    none = lanes(np.full((3, 4), -1), 9, final=[[3, 3, 3, 3], [1, 1, 9, 9], [2, 2, 2, 2]])
    best = compare.best(compare.summarize(none))
    assert best.index == {"learning_rate": 1} and best.criterion == "lowest median final loss"


@pytest.mark.parametrize(
    ("shares", "decades"),
    [
        ([0, 1, 1, 1, 0], 1.5),
        ([1, 0, 0, 0, 0], 0.25),
        ([1, 0, 1, 0, 1], 1.0),
        ([0.95, 0.91, 1, 0.89, 0], 1.25),
        ([1, 1, 1, 1, 1], 2.0),
        ([0, 0, 0, 0, 0], 0.0),
    ],
)
def test_good_decades_of_five_rates_half_a_decade_apart(shares, decades):
    summary = compare.summarize(many(shares, [1] * 5))
    assert compare.good_decades(summary) == pytest.approx(decades)
    assert compare.good_decades(summary.isel(learning_rate=[4, 2, 0, 1, 3])) == pytest.approx(
        decades
    )


def test_a_run_without_targets_has_a_summary_too():
    bare = lanes([[0, 1]], 3).isel(target=slice(0))
    summary = compare.summarize(bare)
    assert summary.sizes["target"] == 0 and compare.good_decades(summary) == 0
    assert compare.best(summary).criterion == "lowest median final loss"

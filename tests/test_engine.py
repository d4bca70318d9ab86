"""The same bits whatever the blocks, devices, pace, interruptions and company; and few programs.

The runs are chaotic on purpose: a last bit that differs would grow into other outcomes.
"""

from functools import cache
from itertools import islice

import jax
import numpy as np
import pytest

import lab
from lab import blocks, dataset, engine
from lab.api import make_plan
from lab.engine import Engine
from lab.flow import Meter
from lab.plan import Run

LOSS = lab.losses.himmelblau()
STARTS = lab.starts.uniform(low=[-5, -5], high=[5, 5], count=3000)
RATES = np.array([0.01, 0.03, 0.045])
RUN = {"steps": 150, "seed": 3, "snapshots": (10, 150), "gradient_below": 1e-5}


def momentum(rates=RATES):
    return lab.optimizer("sgd", learning_rate=rates, momentum=0.6)


@cache
def swept(block=4096, devices=2, first_chunk=64, enough_blocks=16):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "FIRST_CHUNK", first_chunk)
        patch.setattr(blocks, "ENOUGH_BLOCKS", enough_blocks)
        return lab.sweep(
            LOSS, momentum(), STARTS, block=block, devices=jax.devices()[:devices], **RUN
        )


def made(rates=RATES, starts=STARTS, block=4096, **run):
    return Engine(make_plan(LOSS, momentum(rates), starts, Run(**{**RUN, **run}, block=block)))


@pytest.fixture(scope="module")
def machine():
    return made()


def assert_same_bits(one, other):
    assert set(one) == set(other)
    for name in one:
        a, b = np.asarray(one[name]), np.asarray(other[name])
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}"), name)


def test_the_runs_are_chaotic(machine):
    """A shift of the starts by a few roundings leads somewhere else."""
    low, high = (np.full(2, side * (1 + 1e-6)) for side in (-5, 5))
    shifted = machine.elsewhere(lab.starts.uniform(low, high, 3000)).lanes(all_ids()[3000:6000])
    difference = np.abs(shifted["final_point"] - swept().final_point.values[1]).max(axis=1)
    assert np.mean(difference > 0.1) > 0.1
    assert len(np.unique(swept().steps)) > 100


@pytest.mark.parametrize(
    "other",
    [
        {"enough_blocks": 1},  # three tiles a block
        {"enough_blocks": 1, "block": 65536},  # one block of nine tiles
        {"devices": 1},
        {"devices": 1, "enough_blocks": 1},
        {"first_chunk": 1},
        {"first_chunk": 151},
    ],
    ids=lambda other: " ".join(f"{key}={value}" for key, value in other.items()),
)
def test_the_same_bits_whatever_the_blocks_devices_and_pace(other):
    assert_same_bits(swept(**other).data_vars, swept().data_vars)


def test_the_same_bits_after_an_interruption(machine):
    """Some blocks, then in another process (here: engine) those that are not done."""
    plan, specs = machine.plan, dataset.specs(machine.plan)
    data = dataset.empty(plan)
    first = list(islice(machine.blocks(), 2))
    done = [block for block, _ in first]
    rest = list(made().blocks(done))
    assert sorted(done + [block for block, _ in rest]) == list(range(plan.layout.blocks))
    for block, results in first + rest:
        for name, values in results.items():
            dataset.put(plan, data[name].values, block, specs[name], values)
    assert_same_bits(data.data_vars, swept().data_vars)


def all_ids():
    """(setting, seed, start) of every lane of `swept`."""
    setting, start = np.meshgrid(np.arange(3), np.arange(3000), indexing="ij")
    return np.stack([setting, 0 * setting, start], axis=-1).reshape(-1, 3).astype(np.int32)


def test_a_lane_alone_is_the_lane_in_company(machine):
    data = swept()
    chosen = all_ids()[[0, 17, 4321, 8999, 5000]]
    for ids in [chosen, chosen[2:3]]:
        for name, values in machine.lanes(ids).items():
            expected = data[name].values[ids[:, 0], ids[:, 2]]
            np.testing.assert_array_equal(values, expected, name)
    alone = lab.sweep(LOSS, momentum(RATES[1]), STARTS[1321], block=4096, **RUN)
    for name, values in alone.data_vars.items():
        np.testing.assert_array_equal(values[0], data[name][1, 1321], name)


def test_a_replay_ends_where_the_sweep_did(machine):
    ids = all_ids()[::57]
    walked, data = machine.replay(ids, at=[0, 10, 11, 150]), swept().isel(start=ids[:, 2])
    last = data.final_point.values[ids[:, 0], np.arange(len(ids))]
    np.testing.assert_array_equal(walked.point[:, -1], last)
    loss = np.where(np.isfinite(walked.loss), walked.loss, np.inf)
    np.testing.assert_array_equal(loss[:, -1], data.final_loss.values[ids[:, 0], range(len(ids))])
    snapshot = data.snapshot_point.values[ids[:, 0], np.arange(len(ids)), 0]
    np.testing.assert_array_equal(walked.point[:, 1], snapshot)


def test_the_same_programs_serve_other_starts(machine):
    """Only the laying out of starts is compiled anew."""
    points = np.array([[0.1, 0.2], [-3.0, 1.5], [4.0, 4.0]])
    machine.lanes(all_ids()[:1])
    before = machine.meter.compilations
    other = machine.elsewhere(lab.starts.points(points))
    ids = np.array([[1, 0, 0], [1, 0, 1], [1, 0, 2]], np.int32)
    found = other.lanes(ids)
    assert machine.meter.compilations == before + 1
    direct = lab.sweep(LOSS, momentum(RATES[1]), points, block=4096, **RUN)
    for name, values in found.items():
        np.testing.assert_array_equal(values, direct[name].values, name)
    np.testing.assert_array_equal(other.replay(ids).point[:, -1], direct.final_point.values)


@pytest.mark.parametrize(("backend", "programs"), [("kernel", 1), ("scalar", 2), ("vmap", 2)])
def test_as_many_compilations_for_200_rates_as_for_one(backend, programs):
    """But in the kernel, lanes begin in a program of their own."""
    meters = []
    for rates, starts in [([0.01], STARTS[:5]), (np.geomspace(1e-4, 1, 200), STARTS[:100])]:
        meters.append(Meter())
        lab.sweep(LOSS, momentum(rates), starts, steps=20, meter=meters[-1], backend=backend)
    assert [meter.compilations for meter in meters] == [programs, programs]
    assert meters[1].lane_steps > 1000 * meters[0].lane_steps / 20


def test_the_meter_counts_the_steps_that_were_taken_and_tells_of_all_of_them():
    told = []
    meter = Meter(listener=told.append)
    data = lab.sweep(LOSS, momentum(), STARTS[:50], meter=meter, **RUN)
    assert meter.lane_steps == int(data.steps.sum()) < sum(told) == 150 * RUN["steps"]

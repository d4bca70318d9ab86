"""Where the time goes, by a clock that the test holds in its hand."""

import pytest

from lab import times
from lab.terminal import time_text


@pytest.fixture
def clock(monkeypatch):
    """A list of one number: the time."""
    at = [100.0]
    monkeypatch.setattr(times.time, "perf_counter", lambda: at[0])
    return at


def test_parts_counts_and_total(clock):
    spent = times.Times()
    for part, seconds in (("check", 2.0), ("plot", 3.0), ("check", 0.5)):
        with spent.spent(part):
            clock[0] += seconds
    clock[0] += 10.0
    spent.sweeps.compile, spent.closer.compile = 1.0, 0.25
    spent.sweeps.run, spent.closer.run, spent.closer.transfer = 4.0, 0.5, 0.125
    spent.sweeps.lane_steps, spent.sweeps.compilations, spent.closer.compilations = 70, 2, 3
    [stretch] = spent.stretches
    nothing = dict.fromkeys(times.PARTS, 0.0)
    assert stretch["seconds"] == nothing | {
        "compile": 1.25, "run": 4.0, "replay": 0.625, "check": 2.5, "plot": 3.0, "total": 15.5,
    }  # fmt: skip
    assert (stretch["lane_steps"], stretch["compilations"]) == (70, 5)


def test_written_at_once_then_once_a_second_and_when_interrupted(clock):
    spent, written = times.Times(), []
    with pytest.raises(KeyboardInterrupt), spent.kept({"finished": None}, written.append):
        for _ in range(10):
            clock[0] += 0.4
            spent.keep()
        raise KeyboardInterrupt
    totals = [manifest["stretches"][0]["seconds"]["total"] for manifest in written]
    assert totals == pytest.approx([0.0, 1.2, 2.4, 3.6, 4.0])
    assert all(manifest["finished"] is None for manifest in written)


def test_stretches_are_summed(clock):
    manifest = {"finished": None}
    for seconds in (1.0, 2.0, 4.0):
        spent = times.Times()
        with spent.kept(manifest, lambda new: None):
            with spent.spent("store"):
                clock[0] += seconds
            spent.sweeps.lane_steps = 5
            manifest |= times.summed(spent.stretches)
    assert manifest["seconds"]["store"] == manifest["seconds"]["total"] == 7.0
    assert manifest["lane_steps"] == 15
    assert times.resumed(manifest) == "2 times"


def test_a_manifest_of_before_there_were_stretches():
    seconds = {"compile": 1.0, "run": 2.0, "plot": 0.01, "total": 9.0}
    manifest = {"seconds": seconds, "lane_steps": 6_000}
    assert times.resumed(manifest) == ""
    assert time_text(manifest) == "9.0 s: compile 1.0 s, run 2.0 s; 3 k lane-steps/s"

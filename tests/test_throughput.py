"""The throughput experiment: statistics against hand values, the table, a tiny run of it all."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import get_args

import jax
import numpy as np
import pytest
import xarray as xr

import lab
from lab import plots
from lab.bench import answers, cost, footprint, race, sections, timing
from lab.errors import LabError
from lab.peers import OPTIMIZERS, PEERS, Task
from lab.peers.task import LOSSES

pytestmark = pytest.mark.usefixtures("quick_compiles")
CONFIG = """\
experiment = "throughput"
title = "How fast?"
compilations = [1, 3]
peak = true
[tasks]
losses = [{ name = "rosenbrock", dimension = 2 }, { name = "three_wells", steps = 5 }]
optimizers = [{ name = "sgd", learning_rate = 1e-4 }]
recording = [false, true]
lanes = 200
steps = 4
repeats = 3
backends = ["vmap"]
peers = ["plain_jax", "numpy_loop", "torch_eager", "cuda"]
most_lanes = { numpy_loop = 100 }
[smoke]
"""


def raced(label="rosenbrock 2-D", seconds=((1.0, 2.0, 4.0), (2.0, 6.0, 4.0)), **facts):
    """A race of the lab and one peer, which had half as many lane-steps."""
    attributes = {
        "label": label, "loss": "rosenbrock", "optimizer": "sgd", "recording": 0, "lanes": 10,
        "steps": 10, "dimension": 2, "cores": 2, "flops": 17.0, "tolerance": 1e-3,
        "missing": {"cuda": "there is no CUDA compiler `nvcc`"}, "contenders": ["lab", "other"],
    }  # fmt: skip
    variables = {
        "seconds": (("contender", "round"), np.array(seconds)),
        "lane_steps": ("contender", [100, 50]),
        "compile_seconds": ("contender", [3.0, 1.0]),
        "error": ("contender", [1e-6, 2e-6]),
        "outcomes_differ": ("contender", [0.0, 0.0]),
    }
    return race.named(xr.Dataset(variables, attrs=attributes | facts))


def test_configs_know_every_peer_and_loss():
    assert set(get_args(sections.PeerName)) == set(PEERS)
    assert set(get_args(sections.LossSection.model_fields["name"].annotation)) == set(LOSSES)
    names = get_args(sections.OptimizerSection.model_fields["name"].annotation)
    assert set(names) == set(OPTIMIZERS)


def test_quartiles_and_means():
    assert timing.quartiles(np.array([4.0, 1.0, 3.0, 2.0, 5.0])) == (2.0, 3.0, 4.0)
    assert timing.quartiles(np.array([1.0, 2.0])) == (1.25, 1.5, 1.75)
    assert timing.geometric_mean(np.array([1.0, 4.0, 16.0])) == pytest.approx(4.0)
    assert np.isnan(timing.geometric_mean(np.array([])))


def test_contenders_take_turns():
    calls: list[str] = []
    each = {name: lambda name=name: calls.append(name) for name in "abc"}
    seconds = timing.interleaved(each, repeats=8, seed=0)
    rounds = [calls[i : i + 3] for i in range(0, 24, 3)]
    assert all(sorted(turn) == ["a", "b", "c"] for turn in rounds)
    assert len({tuple(turn) for turn in rounds}) > 1
    assert {name: len(values) for name, values in seconds.items()} == {"a": 8, "b": 8, "c": 8}
    first = list(calls)
    calls.clear()
    timing.interleaved(each, repeats=8, seed=0)
    assert calls == first


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="threads cannot be confined")
def test_all_threads_are_confined_to_some_cores():
    def of_threads():
        found = set()
        for thread in os.listdir("/proc/self/task"):
            with suppress(ProcessLookupError):
                found.add(frozenset(os.sched_getaffinity(int(thread))))
        return found

    every, (first, *_) = of_threads(), sorted(os.sched_getaffinity(0))
    with pytest.raises(ZeroDivisionError), timing.on_cores(1):
        jax.numpy.ones(3).block_until_ready()
        assert of_threads() == {frozenset([first])}
        1 / 0  # noqa: B018
    assert of_threads() == every
    with timing.on_cores(0):
        assert of_threads() == every


def test_a_misspelt_key_of_a_table_that_may_be_absent(tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(CONFIG.replace("repeats = 3", "repeat = 3"))
    with pytest.raises(LabError, match=r"tasks\.repeat: unknown key; did you mean 'repeats'\?"):
        lab.run(wrong, out=tmp_path / "run")


def test_ratios_are_within_rounds_and_per_lane_step():
    (values,) = answers.ratios(raced()).values()
    np.testing.assert_allclose(values, [4.0, 6.0, 2.0])
    assert answers.rates(raced())["lab"] == (37.5, 50.0, 75.0)
    numbers = answers.row(raced(), [])
    assert (numbers["other"], numbers["other_low"], numbers["other_high"]) == (4.0, 3.0, 5.0)
    assert numbers["other text"] == "4 (3–5)"
    assert "4 times as many as other" in answers.verdict([raced()])


def test_what_is_swept():
    by_lanes = [raced(lanes=n) for n in (10, 100)]
    assert answers.swept(by_lanes) == ["lanes"] == answers.varying(by_lanes)
    two = [raced(dimension=n, label=f"rosenbrock {n}-D") for n in (2, 10)]
    assert answers.swept(two) == []
    assert answers.swept([*two, raced(dimension=20)]) == ["dimension"]
    assert answers.swept([raced(steps=5), raced(dimension=10, steps=7)]) == []
    (line,) = answers.lines(by_lanes, "lanes").values()
    assert line.sel(contender="lab", lanes=100, quantile=0.5) == 50.0


def test_tables():
    table = answers.summary([raced(), raced(lanes=100, recording=1)])
    assert [column.key for column in table.columns] == [
        "label", "optimizer", "recorded", "lanes", "rate", "other text",
    ]  # fmt: skip
    assert [row["recorded"] for row in table.rows] == ["no", "yes"]
    assert table.rows[0]["lane_steps_per_second"] == 50.0
    lab_, other, cuda = answers.contenders([raced(), raced(lanes=100)]).rows
    assert (lab_["tasks"], lab_["compile"], other["error"]) == (2, 3.0, 2e-6)
    assert (cuda["tasks"], cuda["missing"]) == (0, "there is no CUDA compiler `nvcc`")
    assert answers.shares_of_peak([raced()], {2: 8500.0}) == {"rosenbrock 2-D, sgd": 0.1}
    sizes = answers.sizes(xr.DataArray([2e6, 3e6], {"lanes": [10, 20]}, ("lanes",)))
    assert [row["megabytes"] for row in sizes.rows] == [2.0, 3.0]


def test_flops_of_a_step_by_hand():
    """Plain descent of the sum of x_i^2-like wells: at least the update's multiply and add."""
    few, many = (cost.flops_of(Task("rastrigin", n, "sgd", 1e-3, 1, 1)) for n in (1, 8))
    assert 2 < few < 30
    assert 6 < many / few < 9


def test_figures_tell_their_numbers():
    races = [raced(), raced("three wells 2-D", loss="three_wells")]
    figure = plots.ratios(answers.ratio_quartiles(races))
    assert figure.rows[0] == ("rosenbrock 2-D, sgd", "other", "3", "4", "5")
    assert "rosenbrock 2-D, sgd: other 4 (3 to 5)" in figure.alt
    by_lanes = answers.lines([raced(lanes=n) for n in (10, 100)], "lanes")
    figure = plots.scaling(by_lanes, "lanes")
    assert figure.rows[0] == ("rosenbrock 2-D, sgd", "lab", 10, 37.5, 50.0, 75.0)
    assert "lanes" in figure.caption and "50 at 10 and 50 at 100" in figure.alt
    figure = plots.shares({"a task": 0.25})
    assert figure.rows == [("a task", 0.25)] and "25.0 %" in figure.alt
    peak = xr.DataArray([2e6, 3e6], {"lanes": [10, 20]}, ("lanes",))
    assert plots.memory(peak).rows == [(10, 2.0), (20, 3.0)]


def test_a_lab_that_cannot_is_told():
    impossible = Task("rosenbrock", 2, "sgd", 1e-4, 10, 10, cores=1000)
    with pytest.raises(LabError, match="cannot take"):
        race.of_task(impossible, {})


def test_the_peak_of_a_child_is_told():
    assert footprint.measured(lanes=100, steps=2, backend="vmap") > 10_000_000
    with pytest.raises(RuntimeError, match="100 lanes fail"):
        footprint.measured(lanes=100, steps=2, backend="none")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("throughput")
    (folder / "tiny.toml").write_text(CONFIG)
    return lab.run(folder / "tiny.toml", out=folder / "run")


def test_a_tiny_run(finished):
    assert finished.passed
    assert [row["label"] for row in finished.table.rows] == [
        "rosenbrock 2-D", "rosenbrock 2-D", "three wells 2-D", "three wells 2-D",
    ]  # fmt: skip
    bare, recorded, *_ = finished.table.rows
    assert bare["plain_jax"] > 0 and bare["numpy_loop"] > 0 and recorded["plain_jax"] > 0
    assert "numpy_loop" not in recorded and recorded["lab, nothing recorded"] > 0
    assert {"ratios"} <= set(finished.figures) <= {"ratios", "peak"}
    assert finished.manifest["verdict"].startswith("The lab does")
    told = json.loads((finished.directory / "manifest.json").read_text())["outcomes"]
    assert "cuda" in told
    assert Path(finished.report).stat().st_size > 1000


def test_what_was_timed_is_not_timed_again(finished, monkeypatch):
    experiment = lab.experiment.load_experiment(Path("experiments/throughput.py").resolve())
    saved: list[str] = []
    session = lab.experiment.Session(finished.directory, lab.progress.Silent())
    monkeypatch.setattr(session, "save", lambda group, data: saved.append(group))
    experiment._once(session, "_races/0000", lambda: pytest.fail("timed again"))
    assert saved == []
    experiment._once(session, "_races/9999", xr.Dataset)
    assert saved == ["_races/9999", "_measured/_races 9999"]

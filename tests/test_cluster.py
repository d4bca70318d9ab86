"""Sweeps on Dask's workers: the bits of a run on this machine, and words for all that can be wrong.

Workers are threads of this process, but for the last test, where they are a process.
"""

import sys
import threading
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster
from test_resume import same_bits
from tiny import BARE, invoke, refused, write_bare

import lab
from lab import cluster
from lab.engine import Engine
from lab.times import Times

pytest_plugins = ["tiny_homes"]

SMALL = BARE.replace("steps = 20", "steps = 20\nblock = 4")
OWN = SMALL.replace('"three_wells"', '"my_losses.py:LOSS"')
LOSSES = """\
import multiprocessing, os, threading
import my_helper
import elsewhere
LOCK = threading.Lock()
def good(x): return my_helper.square(x[0]) + x[1] ** 2
def locked(x):
    with LOCK: return good(x)
def lost(x): return elsewhere.double(good(x))
def fatal(x):
    if multiprocessing.parent_process(): os._exit(1)
    return good(x)
"""


def dask_cluster(workers=1, **options):
    return LocalCluster(n_workers=workers, threads_per_worker=2, dashboard_address=":0", **options)


@pytest.fixture(scope="module")
def address():
    with dask_cluster(processes=False) as local:
        yield local.scheduler_address


@pytest.fixture
def own(home):
    """Losses in a file, one of which is asked for, a helper beside it, and a module elsewhere."""
    Path("my_losses.py").write_text(LOSSES)
    Path("my_helper.py").write_text("def square(x): return x**2\n")
    Path("packages").mkdir()
    Path("packages/elsewhere.py").write_text("def double(y): return 2 * y\n")
    yield lambda loss: Path("bare.toml").write_text(OWN.replace("LOSS", loss))
    sys.modules.pop("elsewhere", None)


@pytest.mark.parametrize(("keep", "precision"), [("lanes", "float64"), ("reduced", "float32")])
def test_a_run_is_taken_up_by_workers_to_the_same_bits(home, address, keep, precision, monkeypatch):
    text = SMALL.replace("[run]", f'[run]\nkeep = "{keep}"')
    write_bare(home, text.replace("[loss]", f'precision = "{precision}"\n[loss]'))
    here = lab.run("bare.toml", out="here")
    stored, computed, block = [], [], Engine.block

    def counted(engine, number, at_once):
        computed.append(number)
        return block(engine, number, at_once)

    def six(times):
        stored.append(times)
        if len(stored) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "blocks", None)  # nothing of what follows is swept here
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Times, "keep", six)
        lab.run("bare.toml", cluster=address)
    monkeypatch.setattr(Engine, "block", counted)
    there = lab.run("bare.toml", cluster=address)
    assert len(set(computed)) == 16 - 6
    same_bits(here, there)
    assert there.manifest["devices"][-1] == "2 threads of Dask workers"
    first, last = there.manifest["stretches"]
    once = here.manifest["compilations"]  # and not for each block
    assert first["compilations"] == once and last["compilations"] <= once
    assert 0 < last["seconds"]["run"] < last["seconds"]["total"]
    if keep == "lanes":
        assert there.manifest["lane_steps"] == here.manifest["lane_steps"]


def test_no_dask(home, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = refused("run", "bare.toml", "--cluster", "tcp://localhost:8786")
    assert said == "lab: --cluster needs Dask: pip install 'gradient-descent-lab[cluster]'\n"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("tcp://127.0.0.1:1", "Timed out trying to connect"),
        ("head", "missing port number in address 'head'"),
        ("http://head:8786", "unknown address scheme 'http'"),
    ],
)
def test_nobody_there(home, address, why, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.3)
    said = refused("run", "bare.toml", "--cluster", address)
    assert said.startswith(f"lab: no Dask scheduler at {address}: {why}")
    assert said.count("\n") == 1


def test_no_worker(home, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.1)
    with dask_cluster(0, processes=False) as local:
        address = local.scheduler_address
        said = refused("run", "bare.toml", "--cluster", address)
    assert said.splitlines()[-1] == (
        f"lab: the Dask scheduler at {address} has no workers; `dask worker {address}` starts one"
    )


def test_another_version(home, address, monkeypatch):
    def version():
        return {"jax": "0.1" if threading.current_thread() is threading.main_thread() else "0.2"}

    monkeypatch.setattr(cluster, "likeness", version)
    said = refused("run", "bare.toml", "--cluster", address)
    assert "has jax 0.2, but here it is 0.1; the same bits need the same of both" in said


def test_the_scheduler_goes(home, monkeypatch, caplog):
    monkeypatch.setattr(cluster, "PATIENCE", 2.0)
    write_bare(home, SMALL)
    with dask_cluster(processes=False) as local:
        monkeypatch.setattr(Times, "keep", lambda times: local.close())
        result = invoke("run", "bare.toml", "--cluster", local.scheduler_address)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[1:] == [
        f"lab: the Dask scheduler at {local.scheduler_address} is gone; the same command goes on"
    ]
    assert "distributed.client" not in {record.name for record in caplog.records}


def test_functions_of_ones_own_and_a_worker_that_dies(own, monkeypatch):
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        dask_cluster(processes=True) as local,
    ):
        monkeypatch.syspath_prepend("packages")  # of this process, when the worker's has begun
        run = ("run", "bare.toml", "--cluster", local.scheduler_address)
        own("locked")
        assert "cannot be sent to workers: cannot pickle" in refused(*run)
        own("lost")
        assert "cannot load the plan: No module named 'elsewhere'" in refused(*run)
        own("good")
        there = lab.run("bare.toml", cluster=local.scheduler_address, out="there")
        same_bits(there, lab.run("bare.toml", out="here"))
        own("fatal")
        assert "was lost with every worker that began it" in refused(*run)

"""A run that was stopped, in whatever way, goes on and ends in the same bits."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from tiny import BARE, LAB, write_bare

import lab
from lab import terminal
from lab.engine import Engine

pytest_plugins = ["tiny_homes"]

BLOCKS = 64
LONG = BARE.replace("shape = [4, 4]", "shape = [16, 16]").replace(
    "steps = 20", "steps = 3_000\nblock = 16\ngradient_below = 0.0"
)
MARKS, COUNTS = Path("runs/bare/.progress/SGD.blocks"), Path("runs/bare/.progress/SGD.npz")


def lanes(keep):
    return LONG.replace("[run]", f'[run]\nkeep = "{keep}"').replace(
        "[loss]", "lanes = 1024\n[loss]"
    )


def same_bits(one, other):
    assert one.data.groups == other.data.groups
    for group in one.data.groups:
        a, b = (run.data[group].to_dataset() for run in (one, other))
        assert set(a.variables) == set(b.variables)
        for name in a.variables:
            assert a[name].dtype == b[name].dtype
            assert a[name].values.tobytes() == b[name].values.tobytes(), name


def stop(how):
    """Start the command, and stop it once results are kept: its exit code, words and seconds."""
    # A background job of a script is born deaf to SIGINT, and so are its children, unless:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    begun = time.monotonic()
    process = subprocess.Popen([LAB, "run", "bare.toml"], stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    while not (COUNTS.exists() or (MARKS.exists() and MARKS.stat().st_size > 8)):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() - begun < 60
        time.sleep(0.002)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    return process.returncode, said, time.monotonic() - begun


def known():
    return json.loads(Path("runs/bare/manifest.json").read_text())


def assert_summed(manifest, before, lasted):
    """The times are those before and the last part's, together no longer than what was waited."""
    *earlier, last = manifest["stretches"]
    assert earlier == before
    assert last["seconds"]["compile"] > 0
    for part, seconds in manifest["seconds"].items():
        assert seconds == sum(stretch["seconds"][part] for stretch in manifest["stretches"])
    assert manifest["lane_steps"] == last["lane_steps"] + sum(s["lane_steps"] for s in before)
    assert last["seconds"]["total"] < manifest["seconds"]["total"] < lasted


@pytest.mark.parametrize(
    ("keep", "how"),
    [("lanes", signal.SIGKILL), ("lanes", signal.SIGINT), ("reduced", signal.SIGKILL)],
    ids=["lanes-kill", "lanes-interrupt", "reduced-kill"],
)
def test_stopped_and_taken_up(home, keep, how, monkeypatch):
    write_bare(home, lanes(keep))
    code, said, lasted = stop(how)
    if how == signal.SIGINT:
        assert code == 130
        assert said.splitlines()[1:] == [
            "lab: interrupted; the same command goes on where it stopped"
        ]
    else:
        assert code == -signal.SIGKILL
    [before] = known()["stretches"]
    assert 0 < before["seconds"]["start"] < before["seconds"]["total"] < lasted
    computed = []
    blocks = Engine.blocks

    def counted(engine, done=()):
        for block, results in blocks(engine, done):
            computed.append(block)
            yield block, results

    monkeypatch.setattr(Engine, "blocks", counted)
    begun = time.monotonic()
    resumed = lab.run("bare.toml")
    lasted += time.monotonic() - begun
    assert 0 < len(computed) < BLOCKS
    assert_summed(resumed.manifest, [before], lasted)
    assert "interrupted and resumed once" in resumed.report.read_text()
    assert terminal.shown(resumed).count("resumed once") == 1
    computed.clear()
    undisturbed = lab.run("bare.toml", out="undisturbed")
    assert len(computed) == BLOCKS
    assert "resumed" not in undisturbed.report.read_text() + terminal.shown(undisturbed)
    same_bits(resumed, undisturbed)
    assert resumed.passed or keep == "reduced"
    assert not Path("runs/bare/.progress").exists()


@pytest.fixture(scope="module")
def stopped_home(tmp_path_factory):
    """A run of 16 blocks, stopped after 6, in runs/bare; and the same, undisturbed, beside it."""
    home = tmp_path_factory.mktemp("stopped")
    write_bare(home, BARE.replace("steps = 20", "steps = 20\nblock = 4"))
    lab.run(home / "bare.toml", out=home / "undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "blocks", until(6))
        with pytest.raises(KeyboardInterrupt):
            lab.run(home / "bare.toml", out=home / "runs" / "bare")
    return home


def until(last):
    """`Engine.blocks`, interrupted at that block."""
    blocks = Engine.blocks

    def few(engine, done=()):
        for block, results in blocks(engine, done):
            if block == last:
                raise KeyboardInterrupt
            yield block, results

    return few


@pytest.fixture
def stopped(stopped_home, tmp_path, monkeypatch):
    """A copy of the stopped run, to work in; gives the undisturbed one."""
    shutil.copytree(stopped_home, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    assert MARKS.read_text() == "0\n1\n2\n3\n4\n5\n"
    return lab.open("undisturbed")


@pytest.mark.parametrize(
    "marks",
    [
        "0\n1\n2\n3\n4\n5",  # the last line is torn: 5, or the beginning of 53?
        "0\n1\n2\n1",  # the next block, 3, must not turn this into a 13
        "0\n1\n",  # 2 to 5 were written but not marked
        "0\n\x00\x00\n7777\n1\n",  # no numbers of blocks
    ],
)
def test_marks(stopped, marks):
    MARKS.write_text(marks)
    same_bits(lab.run("bare.toml"), stopped)


def test_marks_without_results(stopped):
    shutil.rmtree("runs/bare/results.zarr")
    same_bits(lab.run("bare.toml"), stopped)


def test_a_block_that_was_half_written_is_written_anew(stopped):
    chunk = sorted(Path("runs/bare/results.zarr/SGD/final_loss/c").rglob("*"))[-1]
    chunk.write_bytes(chunk.read_bytes()[:5])
    MARKS.write_text("0\n1\n")
    same_bits(lab.run("bare.toml"), stopped)


def test_killed_between_manifest_and_config(home):
    first = lab.run("bare.toml", out="first")
    Path("runs/bare").mkdir(parents=True)
    manifest = Path("first/manifest.json").read_text()
    Path("runs/bare/manifest.json").write_text(
        manifest.replace(f'"finished": "{first.manifest["finished"]}"', '"finished": null')
    )
    run = lab.run("bare.toml")
    same_bits(run, first)
    assert Path("runs/bare/config.toml").read_text() == BARE
    assert np.isfinite(run.data["SGD"].final_loss).all()

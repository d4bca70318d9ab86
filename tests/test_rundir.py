"""A run directory is never mixed up, overwritten unasked, or taken from somebody else."""

import json
from pathlib import Path

import filelock
import pytest
from tiny import BARE, invoke

import lab

pytest_plugins = ["tiny_homes"]

MANIFEST = Path("runs/bare/manifest.json")


def refusal(*words, **options):
    with pytest.raises(lab.LabError) as caught:
        lab.run(*words, **options)
    return str(caught.value)


@pytest.fixture
def bare(home):
    """The bare run, finished."""
    return lab.run("bare.toml")


def test_an_edited_config_is_refused_with_what_changed(bare):
    Path("bare.toml").write_text(BARE.replace("steps = 20", "steps = 30\nseeds = 2"))
    before = MANIFEST.read_bytes()
    said = refusal("bare.toml")
    assert "run.steps: 20 -> 30" in said
    assert "run.seeds: added" in said
    assert "--fresh" in said
    assert "--out" in said
    assert MANIFEST.read_bytes() == before
    assert "optimizers.SGD.learning_rate" in refusal(
        "bare.toml", {"optimizers.SGD.learning_rate": 1}
    )


def test_a_misspelt_key_is_told_before_what_changed(bare):
    Path("bare.toml").write_text(BARE.replace("learning_rate", "learning_rat"))
    said = refusal("bare.toml")
    assert "bare.toml:11: optimizers.SGD.learning_rat" in said and "'learning_rate'?" in said


def test_a_comment_is_no_change(bare):
    Path("bare.toml").write_text(f"# hello\n{BARE}")
    assert lab.run("bare.toml").manifest == bare.manifest


def test_an_edited_experiment_is_refused(bare):
    with Path("bare.py").open("a") as file:
        file.write("\n")
    assert "bare.py: edited" in refusal("bare.toml")


def test_fresh_replaces_and_spares_what_is_not_ours(bare):
    Path("bare.toml").write_text(BARE.replace("steps = 20", "steps = 30"))
    Path("runs/bare/notes.txt").write_text("mine")
    (elsewhere := Path("elsewhere")).mkdir()
    (elsewhere / "figure.png").write_text("mine too")
    Path("runs/bare/figures").symlink_to(elsewhere.resolve())
    assert lab.run("bare.toml", fresh=True).manifest["config"]["run"]["steps"] == 30
    assert Path("runs/bare/notes.txt").read_text() == "mine"
    assert (elsewhere / "figure.png").exists()


def test_out_keeps_both(bare):
    other = lab.run("bare.toml", {"run.steps": 30}, out="deep/er")
    assert other.manifest["command"] == "lab run bare.toml run.steps=30 --out deep/er"
    assert lab.open("deep/er").manifest["config"]["run"]["steps"] == 30
    assert lab.open("runs/bare").manifest == bare.manifest
    smoke = lab.run("bare.toml", smoke=True)
    assert (str(smoke.directory), smoke.manifest["command"]) == (
        "runs/bare-smoke",
        "lab run bare.toml --smoke",
    )


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("name", ["config.toml", "figures", "thesis.tex"])
def test_a_folder_of_other_things_is_refused(home, name, fresh):
    Path("mine").mkdir()
    Path("mine", name).write_text("mine")
    assert f"mine holds no run, but {name}" in refusal("bare.toml", out="mine", fresh=fresh)
    assert [path.name for path in Path("mine").iterdir()] == [name]
    assert Path("mine", name).read_text() == "mine"


@pytest.mark.parametrize("text", ["{", '{"name": "a web app"}', "[1]", "\x00"])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_manifest_that_is_not_ours_is_refused(home, text, fresh):
    MANIFEST.parent.mkdir(parents=True)
    MANIFEST.write_text(text)
    said = refusal("bare.toml", fresh=fresh)
    assert "manifest.json is" in said
    assert "delete runs/bare if it is a run" in said
    assert [path.name for path in MANIFEST.parent.iterdir()] == ["manifest.json"]


def test_a_hidden_file_is_no_harm(home):
    Path("runs/bare").mkdir(parents=True)
    Path("runs/bare/.DS_Store").write_text("")
    assert lab.run("bare.toml").passed


def test_another_process_is_writing(home):
    Path("runs/bare").mkdir(parents=True)
    with filelock.FileLock("runs/bare/.lock"):
        said = refusal("bare.toml")
    assert said == "runs/bare is being written by another run of the lab"
    assert [path.name for path in Path("runs/bare").iterdir()] == [".lock"]


def test_an_unfinished_run_is_not_opened(bare):
    known = json.loads(MANIFEST.read_text())
    MANIFEST.write_text(json.dumps({**known, "finished": None}))
    result = invoke("show", "runs/bare")
    assert result.exit_code == 2
    assert "is not finished; `lab run bare.toml` goes on with it" in result.stderr


def test_an_unfinished_run_of_another_lab_is_not_mixed(bare):
    known = json.loads(MANIFEST.read_text())
    known["finished"], known["identity"]["versions"]["jax"] = None, "0.1"
    MANIFEST.write_text(json.dumps(known))
    assert "jax: 0.1 -> " in refusal("bare.toml")


def test_a_full_disk_is_told_and_resumable(home, monkeypatch):
    from lab import results

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(results.LaneStore, "write", full)
        assert "No space left on device" in refusal("bare.toml")
    assert lab.run("bare.toml").passed

"""What is published is complete and private: configs, lock file, wheel, no machine's addresses."""

import re
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from tiny import invoke

from lab import builtin
from lab.config import load
from lab.experiment import load_experiment
from lab.losses import MODELS, catalogue

ROOT = Path(__file__).parent.parent
CONFIGS = builtin.configs()

# Parts of the words are apart here, or this file would find itself.
ADDRESSES = (
    "index" + "-url",
    "find" + "-links",
    "file:" + "///",
    "/op" + "t/",
    "/wor" + "k/",
    "/ro" + "ot/",
    r"https?://[^\s\"')]+/sim" + "ple",
)


def tracked():
    if not (ROOT / ".git").exists():
        return sorted(path for path in ROOT.glob("[!.]*/**/*") if path.is_file())
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in names.stdout.decode().split("\0") if name]


def test_no_addresses_of_registries_or_machines():
    found = re.compile("|".join(ADDRESSES))
    for path in tracked():
        if path.is_file():
            match = found.search(path.read_bytes().decode(errors="replace"))
            assert not match, f"{path}: {match}"


def test_the_lock_file_has_versions_and_hashes_only():
    text = (ROOT / "requirements.txt").read_text().replace("\\\n", " ")
    entry = re.compile(
        r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==\S+( ; [^-]+?)?(\s+--hash=sha256:[0-9a-f]{64})+"
    )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert len(lines) > 30
    for line in lines:
        assert entry.fullmatch(line), line[:200]


def test_the_wheel_holds_experiments_and_configs(tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    names = set(zipfile.ZipFile(wheel).namelist())
    for kind in ("experiments", "configs"):
        for path in builtin.folder(kind).rglob("*.*"):
            if path.suffix in (".py", ".toml"):
                inside = path.relative_to(builtin.folder(kind)).as_posix()
                assert f"lab/builtin/{kind}/{inside}" in names
    for path in (ROOT / "lab").rglob("*.*"):
        if path.suffix in (".py", ".j2", ".css", ".js", ".md"):
            assert path.relative_to(ROOT).as_posix() in names


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_opens_with_what_it_shows_its_command_and_its_cost(name):
    text = CONFIGS[name].read_text()
    head = text[: text.index("\n\n")]
    assert head.startswith("#:schema ")
    assert re.search(r"^# [A-Z].*\.$", head, re.MULTILINE)
    assert f"#   lab run configs/{name}.toml\n" in head
    assert re.search(r"lanes x [\d,]+ steps", head)
    assert re.search(r"seconds on 2 CPU cores", head)
    assert "\n[smoke]\n" in text


KINDS = {family.kind for family in catalogue.values()} - {"many_minima_2d"} | {"bbob"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_loss_has_a_comparison(kind):
    table = tomllib.loads(CONFIGS[f"compare/{kind}"].read_text())
    name = table["loss"]["name"]
    assert kind == ("models" if name in MODELS else getattr(catalogue.get(name), "kind", name))
    assert table["title"].endswith("?")


@pytest.mark.parametrize("name", [name for name in CONFIGS if name.startswith("compare/")])
def test_six_optimizers_meet_at_the_same_rates(name):
    table = tomllib.loads(CONFIGS[name].read_text())
    rates = [optimizer["learning_rate"] for optimizer in table["optimizers"].values()]
    assert len(rates) >= 6 and all(rate == rates[0] for rate in rates)


@pytest.mark.parametrize("smoke", [False, True], ids=["in full", "in short"])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_is_valid(name, smoke):
    document = load(CONFIGS[name], smoke=smoke, experiments=builtin.experiments())
    experiment = load_experiment(builtin.find_experiment(document.experiment, document.folder))
    assert document.validate(experiment.Config).title.endswith("?")


ALWAYS = ("quickstart", "bench/fractal")
"""Configs that every run of the tests runs; `make test-configs` runs the others."""

RUN = [
    pytest.param(name, marks=[] if name in ALWAYS else pytest.mark.configs)
    for name in CONFIGS
    if not name.startswith("course/")
]


@pytest.mark.usefixtures("quick_compiles")
@pytest.mark.parametrize("name", RUN)
def test_a_config_runs_by_name_from_an_empty_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("run", name, "--smoke")
    assert result.exit_code == 0, result.output
    (run,) = Path("runs").iterdir()
    assert run.name == f"{CONFIGS[name].stem}-smoke"
    assert {"report.html", "figures", "results.zarr"} <= {path.name for path in run.iterdir()}

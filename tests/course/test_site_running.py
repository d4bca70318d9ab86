"""`lab course`: what is run, what is kept, what its exit says, and how it stops."""

import os
import signal
import subprocess
import sys
import time

import made_course
import pytest
from tiny import invoke

from lab import builtin
from lab.course.lessons import topics
from lab.course.running import course
from lab.course.workers import Job, attempt
from lab.errors import LabError


def job(folder, key, **options):
    return Job(key, folder / f"{key}.toml", folder / "out" / key, **options)


def computed(job):
    """How many times it was computed since its directory was made."""
    return len((job.out / ".computed").read_text())


def test_all_are_run_whatever_fails(made):
    ends = made.endings
    assert list(ends) == [lesson for lesson in ends if lesson]
    assert len(ends) == 9 and not made.passed and made.bad_input
    assert [key for key, end in ends.items() if end.error] == ["04_bad/dies", "04_bad/wrong"]
    assert (ends["04_bad/fails"].held, ends["04_bad/fails"].checks) == (0, 1)
    good = [end for key, end in ends.items() if not key.startswith("04")]
    assert len(good) == 6 and all(end.passed for end in good)
    assert not ends["04_bad/dies"].bad_input and ends["04_bad/wrong"].bad_input
    rows = {row["config"]: row["result"] for row in made.table.rows}
    assert (rows["04_bad/dies"], rows["04_bad/fails"]) == ("error", "FAILS")


def test_what_is_finished_is_kept_and_what_has_changed_is_run(tmp_path):
    """Here without workers: `attempt` is what a worker does."""
    made_course.write(tmp_path, {"01_a/one": "seed = 1"})
    one = job(tmp_path, "01_a/one")
    assert attempt(one, print).passed and computed(one) == 1
    assert attempt(one, print).passed and computed(one) == 1
    assert attempt(job(tmp_path, "01_a/one", fresh=True), print).passed
    assert computed(one) == 2
    made_course.write(tmp_path, {"01_a/one": "seed = 2"})
    assert attempt(one, print).passed and computed(one) == 3
    made_course.write(tmp_path, {"01_a/one": "sead = 2"})
    ending = attempt(one, print)
    assert ending.bad_input and "sead" in ending.error and not ending.passed


def test_a_topic_alone_leaves_the_others_on_the_site(tmp_path):
    configs = made_course.write(tmp_path / "c", {"01_a/one": "", "02_b/two": "", "03_c/three": ""})
    given = {"out": tmp_path / "site", "configs": configs, "texts": tmp_path, "jobs": 1}
    assert list(course("1", **given).endings) == ["01_a/one"]
    assert list(course("b", **given).endings) == ["02_b/two"]
    index = (tmp_path / "site" / "index.html").read_text()
    assert 'href="01_a.html"' in index and 'href="02_b.html"' in index
    assert "Not run yet: <code>lab course 03_c</code>" in index
    assert not (tmp_path / "site" / "03_c.html").exists()


def test_where_a_site_cannot_be(tmp_path):
    configs = made_course.write(tmp_path / "c", {"01_a/one": ""})
    (tmp_path / "index.html").write_text("<h1>Mine</h1>")
    with pytest.raises(LabError, match=r"index\.html is not the course's; choose another folder"):
        course(out=tmp_path, configs=configs)
    with pytest.raises(LabError, match=r"cannot be written: .*; choose another with --out"):
        course(out=tmp_path / "index.html", configs=configs)
    assert (tmp_path / "index.html").read_text() == "<h1>Mine</h1>"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder to work in; the course is that of its `configs/course`."""
    monkeypatch.chdir(tmp_path)
    folder = builtin.folder
    monkeypatch.setattr(
        builtin, "folder", lambda kind: tmp_path / kind if kind == "configs" else folder(kind)
    )
    made_course.write(tmp_path / "configs" / "course", {"01_a/one": "", "02_b/two": ""})
    return tmp_path


def test_the_command_and_what_it_exits_with(home):
    done = invoke("course", "--smoke", "--jobs", "1")
    assert done.exit_code == 0
    assert "open:  runs/course-smoke/index.html" in done.stdout
    assert done.stdout.count("1 of 1") == 2 and done.stdout.count("holds") == 2
    assert "[2/2] 02_b/two: 1 of 1 checks hold" in done.stderr
    made_course.write(home / "configs" / "course", {"02_b/two": "expected = 9.0"})
    failed = invoke("course", "--smoke", "--jobs", "1")
    assert failed.exit_code == 1 and "FAILS" in failed.stdout
    made_course.write(home / "configs" / "course", {"02_b/two": "expectd = 9.0"})
    wrong = invoke("course", "2", "--smoke", "--jobs", "1")
    assert wrong.exit_code == 2
    assert "did you mean 'expected'?" in wrong.stderr and "Traceback" not in wrong.stderr
    assert computed(Job("", home, home / "runs" / "course-smoke" / "01_a" / "one")) == 1


def test_no_such_topic(home):
    done = invoke("course", "03_c")
    assert done.exit_code == 2 and not (home / "runs").exists()
    assert done.stderr.startswith("lab: the course has no topic '03_c'; allowed: 01_a, 02_b")


INTERRUPTED = """
import sys
from pathlib import Path
from lab import builtin
folder = builtin.folder
builtin.folder = lambda kind: Path(kind).resolve() if kind == "configs" else folder(kind)
from lab.cli import app
if __name__ == "__main__":
    app(["course", "--jobs", "1"])
"""


def test_ctrl_c_stops_all_and_the_same_command_goes_on(home):
    """One config is done when it comes, the other is at work."""
    two = {"02_b/two": "waits = 300.0"}
    made_course.write(home / "configs" / "course", two)
    (home / "main.py").write_text(INTERRUPTED)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "main.py"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    signal.signal(signal.SIGINT, before)
    working = home / "runs" / "course" / "02_b" / "two" / ".computed"
    deadline = time.monotonic() + 300
    while not working.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 130, said
    assert said.endswith("lab: interrupted; the same command goes on where it stopped\n")
    assert "Traceback" not in said
    with pytest.raises(ProcessLookupError):  # no worker is left behind
        os.kill(int(working.with_name(".pid").read_text()), 0)
    (topic, _) = topics()
    assert course(topic.name, jobs=1).passed
    assert computed(Job("", home, home / "runs" / "course" / "01_a" / "one")) == 1

"""One site for all tests: a real config, every interactive, and all that can go wrong."""

import os
import shutil

import made_course
import pytest

from lab import builtin
from lab.course.running import course

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A course, built once with two workers; returns what `course` says of it."""
    home = tmp_path_factory.mktemp("course")
    configs = made_course.write(home / "configs", made_course.INTERACTIVE | made_course.BAD)
    real = configs / "03_derivatives" / "secant_tangent.toml"
    real.parent.mkdir()
    real.write_bytes(builtin.configs()["course/03_derivatives/secant_tangent"].read_bytes())
    (home / "texts").mkdir()
    (home / "texts" / "03_derivatives.md").write_text(made_course.TEXT)
    return course(smoke=True, out=home / "site", jobs=2, configs=configs, texts=home / "texts")


@pytest.fixture(scope="session")
def chromium():
    """Headless Chromium."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        reason = "Chromium not found; install it, for instance by `apt install chromium`"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()

"""The site's files: what they say, that they stand alone, and that they can be read."""

import hashlib
import html.parser
import itertools
import re
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
from test_plots_look import VISIONS, contrast, linear, oklab

from lab.course.site import palette
from lab.report.render import asset

VOID = {"meta", "img", "source", "br", "hr", "link", "input"}
PAGES = ("index", "02_limits", "03_derivatives", "04_bad", "07_integration", "08_descent")


class Reader(html.parser.HTMLParser):
    """Elements, and text outside scripts and styles; every element that opens must close."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.text += data


def read(made, name):
    return Reader((made.site.parent / f"{name}.html").read_text("utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_well_formed_and_its_links_lead_somewhere(made, name):
    page = read(made, name)
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for tag, attrs in page.elements:
        assert attrs.get("aria-labelledby", ids[0]) in ids
        target = attrs.get("href", "")
        if tag == "a" and target and not target.startswith("data:image/"):
            file, _, anchor = target.partition("#")
            there = made.site.parent / (file or f"{name}.html")
            assert there.is_file(), target
            assert not anchor or f'id="{anchor}"' in there.read_text("utf-8")
        if tag == "img":
            assert "alt" in attrs and attrs["src"].startswith("data:image/")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_may_load_nothing(made, name):
    """One style and one script, both named by the policy, and no address but data."""
    text = (made.site.parent / f"{name}.html").read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.findall(r"(?:https?:)?//[a-z]+[.:]", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    assert " style=" not in text


def test_a_topic_says_everything(made):
    page = read(made, "03_derivatives")
    text = " ".join(page.text.split())
    for said in (
        "Made up & told",
        "<b>not</b>",
        "Taylor's theorem",
        "1e-14",
        "in 3 frames of 41 points",
    ):
        assert said in text
    assert re.search(r"✓ [1-9]\d* checks passed", text)
    assert "lab run course/03_derivatives/secant_tangent --smoke" in text
    assert 'experiment = "secants"' in text and "frames = 3" in text
    assert sum(tag == "math" for tag, _ in page.elements) == 4  # the heading stands there twice
    (image,) = [attrs for tag, attrs in page.elements if tag == "img"]
    assert image["alt"].startswith("Curves with a tangent")
    assert any("data-play" in attrs for _, attrs in page.elements)


def test_what_went_wrong_stands_out(made):
    text = " ".join(read(made, "04_bad").text.split())
    assert "✗ 1 of 1 check failed" in text and "Euclid <b>I</b>" in text
    assert "wrong.toml:3: expectd: unknown key; did you mean 'expected'?" in text
    assert "the process that ran it died (exit code 7)" in text
    assert str(made.site.parent.parent) not in text
    assert "✗ 3 of 9 figures are not as they should be." in " ".join(
        read(made, "index").text.split()
    )
    assert "not as they should be" not in read(made, "08_descent").text


def test_a_topic_without_text_has_its_configs_name_and_title(made):
    text = read(made, "08_descent").text
    assert "Basins three wells" in text and "How long <i>is</i> it?" in text


def test_the_index_shows_every_figure(made):
    page = read(made, "index")
    cards = [attrs for _, attrs in page.elements if "data-card" in attrs]
    assert len(cards) == 9 == len(made.endings)
    pictures = [attrs["src"] for tag, attrs in page.elements if tag == "img"]
    assert len(pictures) == 2 and all(len(src) < 100_000 for src in pictures)


def test_notebooks_lie_beside_the_pages(made):
    folder = made.site.parent / "notebooks"
    assert len(list(folder.glob("*.ipynb"))) == len(list(folder.glob("*.py"))) == 5
    assert 'result.figures["line"]' in (folder / "08_descent.py").read_text()


def colours(selector):
    """The variables of the rules that a selector opens, in the style and the palette."""
    found, screen = (
        {},
        "".join(css.split("@media print")[0] for css in (asset("style.css"), palette())),
    )
    for rule in re.findall(rf"{re.escape(selector)} {{([^}}]*)}}", screen):
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", rule))
    return found


MODES = {
    "light": ":root",
    "dark": ':root[data-theme="dark"]',
    "system": ':root:not([data-theme="light"])',
}


@pytest.mark.parametrize("mode", MODES)
def test_the_colours_can_be_told_from_what_is_behind_them(mode):
    """Text 4.5:1 on every ground that it stands on, lines and marks 3:1 (WCAG 2.2)."""
    c = colours(MODES[mode])
    assert len(c) == 16
    for ink in ("ink", "soft", "link", "good", "bad"):
        for ground in ("back", "sheet"):
            assert contrast(c[ink], c[ground]) >= 4.5, (ink, ground)
    for ground in ("good-back", "bad-back"):
        for ink in ("ink", "soft", "link", ground.removesuffix("-back")):
            assert contrast(c[ink], c[ground]) >= 4.5, (ink, ground)
    for line in ("c0", "c1", "c2", "ink", "soft"):
        assert contrast(c[line], c["back"]) >= 3, line
    assert colours(MODES["dark"]) == colours(MODES["system"])


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_colours_stay_apart_for_every_eye(mode, vision):
    """Lines and basins of the interactives, and good from bad (distance in OKLab)."""
    c = colours(MODES[mode])
    seen = {
        name: oklab(np.clip(np.asarray(VISIONS[vision]) @ linear(c[name]), 0, 1))
        for name in ("c0", "c1", "c2", "c4", "good", "bad")
    }
    pairs = [*itertools.combinations(("c0", "c1", "c2", "c4"), 2), ("good", "bad")]
    assert min(np.linalg.norm(seen[one] - seen[other]) for one, other in pairs) >= 0.06


def test_no_series_of_an_interactive_is_told_by_colour_alone():
    """Where a drawing has several lines, all but one are dashed, thin or otherwise apart."""
    folder = Path(__file__).parents[2] / "lab" / "course" / "interactive"
    for name in ("secant_tangent", "taylor"):
        styles = re.findall(
            r'plot\.(?:line|curve)\([^;]*?"([\w ]+)"\);', (folder / f"{name}.js").read_text()
        )
        assert any("dashed" in style for style in styles), name
    patterns = re.search(
        r"const marked = \[(.*?)\];", (folder / "basins_three_wells.js").read_text(), re.S
    )
    assert patterns[1].count("=>") == 4

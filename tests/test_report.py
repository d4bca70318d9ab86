"""The report as a reader, a screen reader and a browser see it."""

import hashlib
import html.parser
import os
import re
import shutil
import subprocess
from base64 import b64encode

import numpy as np
import plots_data as synthetic
import pytest
from PIL import Image

from lab import plots
from lab.report import Column, FigureFiles, Page, Table, notebook_html, render
from lab.report.render import cell, magnitude, seconds

EVIL = "</code></pre></style><script>document.title='owned'</script>\"'><img src=x onerror=f()>"
VOID = {"meta", "img", "source", "br", "hr", "link", "input"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--virtual-time-budget=2000"),
)


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """Two saved figures, one of them with a label that attacks."""
    folder = tmp_path_factory.mktemp("figures")
    made = {
        "curves": lambda: plots.curves({EVIL: synthetic.curve(steps=50)}),
        "basins": lambda: plots.basins({"adam": synthetic.basin(48)}),
    }
    return [plots.save(make, folder, name) for name, make in made.items()]


@pytest.fixture(scope="module")
def page(figures):
    """A page with everything on it, and an attack in every text."""
    columns = [
        Column("optimizer"),
        Column("rate", "per step", kind="number", help=EVIL),
        Column("success", kind="percent"),
        Column("time", kind="seconds"),
    ]
    check = {"expected": 2.0, "tolerance": 1e-3, "source": f"Nocedal {EVIL}"}
    return Page(
        title=f"Which rates work? {EVIL}",
        question=f"Is it so? {EVIL}",
        verdict="adam is best.",
        summary=Table(columns, [("sgd", 1e-3, 0.25, 0.2), (EVIL, np.float32(np.inf), 1.0, None)]),
        figures=figures,
        checks=[
            check | {"name": "the limit", "measured": 2.0004, "passed": True},
            check | {"name": "bound", "measured": 2.5, "passed": False, "at_most": True},
        ],
        outcome_criteria=[("left_domain", f"the loss is not a number {EVIL}")],
        outcome_shares=Table(columns[:1], [("sgd",)]),
        timings={"compile": 0.34, "run": 12.34, "plot": 250.0},
        lane_steps_per_second=1.86e9,
        facts={"jax": "0.10.2", "identity": "9f86d081" * 8, EVIL: EVIL},
        config_text=f'[loss]\nname = "rosenbrock"\n# {EVIL}\n',
        command=f"lab run quickstart.toml {EVIL}",
    )


class Reader(html.parser.HTMLParser):
    """Elements, text and whether every element that opens also closes."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag):
        """The attributes of all elements of one kind."""
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def read(page):
    """The rendered page, read."""
    return Reader(render(page))


def test_the_page_is_well_formed_and_semantic(read):
    """Every element closes, ids are unique and referred to rightly, tables say what they are."""
    assert not read.open
    assert read.all("html") == [{"lang": "en"}]
    assert len(read.all("h1")) == len(read.all("main")) == 1
    ids = [attrs["id"] for _, attrs in read.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in read.elements:
        assert attrs.get("aria-labelledby", ids[0]) in ids
        if attrs.get("href", "").startswith("#"):
            assert attrs["href"][1:] in ids
    assert len(read.all("caption")) == len(read.all("table")) == 3
    assert all(attrs["scope"] in ("col", "row") for attrs in read.all("th"))


def test_the_page_stands_alone(read, page):
    """No address but data, inside the page or inside its styles; nothing may be loaded."""
    text = render(page)
    assert not re.findall(r"(?:https?:)?//[a-z]", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    for tag, attrs in read.elements:
        for key in ("src", "srcset", "href"):
            if attrs.get(key):
                assert attrs[key].startswith(("data:image/", "#")), (tag, key)
    policy = next(a["content"] for a in read.all("meta") if "http-equiv" in a)
    assert "default-src 'none'" in policy
    for tag in ("style", "script"):
        inside = text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        digest = b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_nothing_that_a_user_writes_becomes_markup(read, page):
    """One script, ours; no image but the figures; the attack is there as text."""
    for result in (read, Reader(notebook_html(page))):
        assert not result.open
        assert len(result.all("script")) == (1 if result is read else 0)
        assert len(result.all("img")) == 2
        assert not any("onerror" in attrs for _, attrs in result.elements)
        assert EVIL in "".join(result.text)


def test_the_page_says_everything(read, page):
    """Counts, numbers with their units, results in words and symbols, the config to the byte."""
    text = " ".join("".join(read.text).split())
    for said in ("1 of 2 checks passed.", "adam is best.", "✓ passed", "✗ failed", "at most 2"):
        assert said in text
    for said in ("2.0004", "25.0 %", "200 ms", "∞", "340 ms", "4 min 10 s", "1.86 billion"):
        assert said in text
    assert "left domain" in text and page.command in "".join(read.text)
    assert page.config_text in "".join(read.text)
    images = read.all("img")
    assert [image["alt"] for image in images] == [files.alt for files in page.figures]
    assert (images[0]["width"], images[0]["height"]) == ("1600", "896")
    assert {a["download"] for a in read.all("a") if "download" in a} == {
        f"{name}.{kind}" for name in ("curves", "basins") for kind in ("svg", "png")
    }


def test_a_large_svg_is_shown_as_png(figures, tmp_path):
    """The PNG is on the page; the SVG can still be downloaded."""
    big = tmp_path / "big.svg"
    big.write_bytes(figures[0].light_svg.read_bytes().ljust(500_000))
    files = FigureFiles(**{**vars(figures[0]), "light_svg": big})
    shown = Reader(render(Page(title="x", figures=[files])))
    assert shown.all("img")[0]["src"].startswith("data:image/png;")
    assert any(a.get("href", "").startswith("data:image/svg+xml;") for a in shown.all("a"))


def test_a_figure_that_moves_can_be_played(figures, tmp_path):
    """The still picture comes first; the animation is on the page, light and dark."""
    gifs = {name: tmp_path / f"{name}.gif" for name in ("light_gif", "dark_gif")}
    for name, path in gifs.items():
        Image.new("L", (4, 3), 255 * (name == "light_gif")).save(path)
    moving = FigureFiles(**{**vars(figures[0]), **gifs})
    shown = Reader(render(Page(title="x", figures=[moving, figures[1]])))
    (play,) = [attrs for attrs in shown.all("button") if "data-play" in attrs]
    assert play["aria-pressed"] == "false" and "hidden" in play
    (link,) = [attrs for attrs in shown.all("a") if "data-moving" in attrs]
    for key, path in (("href", gifs["light_gif"]), ("data-moving", gifs["dark_gif"])):
        assert link[key] == f"data:image/gif;base64,{b64encode(path.read_bytes()).decode()}"
    (slider,) = shown.all("input")
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "0", "0")  # one frame each
    assert not any(image["src"].startswith("data:image/gif") for image in shown.all("img"))


def test_an_empty_page_has_no_empty_sections():
    """A title is enough; a mapping serves as well."""
    read = Reader(render({"title": "Nothing yet"}))
    assert not read.all("section") and not read.all("li") and not read.open
    assert "Nothing yet" in Reader(notebook_html({"title": "Nothing yet"})).text


def test_values_as_words():
    """The formats of cells."""
    assert (cell(None, "number"), cell("a", "number"), cell(3, "text")) == ("", "a", "3")
    assert (seconds(0.0123), seconds(99.94), seconds(3600)) == ("12 ms", "99.9 s", "60 min 0 s")
    assert (magnitude(12), magnitude(5.3e6)) == ("12", "5.3 million")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Open a file in headless Chromium with further flags; returns what it prints."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        reason = "Chromium not found; install it, for instance by `apt install chromium`"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    profile = tmp_path_factory.mktemp("profile")

    def run(path, *flags):
        command = [found, *FLAGS, f"--user-data-dir={profile}", *flags, path.as_uri()]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True)
        return done.stdout.decode()

    return run


def test_a_browser_shows_the_page(browser, page, tmp_path):
    """Under its own policy the script runs (buttons appear), the attack does not."""
    path = tmp_path / "page.html"
    path.write_text(render(page), encoding="utf-8")
    dom = browser(path, "--dump-dom")
    shown = Reader(dom)
    assert shown.all("html")[0]["data-theme"] in ("light", "dark")
    assert not any("hidden" in attrs for attrs in shown.all("button"))
    links = [attrs for attrs in shown.all("a") if "data-shown" in attrs]
    assert all(link["href"].startswith("data:image/svg+xml;") for link in links)
    assert re.search(r"<title>(.*?)</title>", dom)[1].startswith("Which rates work?")
    picture = tmp_path / "wide.png"
    browser(path, "--window-size=1920,1080", f"--screenshot={picture}")
    with Image.open(picture) as image:
        assert image.size == (1920, 1080)
        assert len(image.convert("RGB").getcolors(1 << 24)) > 50


MEASURE = """<script>addEventListener("load", async () => {
  document.getElementById("theme").click();
  const images = [...document.images];
  await Promise.all(images.map((image) => image.decode()));
  const root = document.documentElement;
  parent.postMessage([innerWidth, root.scrollWidth, root.dataset.theme,
    images.every((i) => i.naturalWidth && i.currentSrc === (root.dataset.theme === "dark"
      ? i.previousElementSibling.srcset : i.src))].join(" "), "*");
});</script></body>"""


def test_a_phone_shows_the_page_without_sideways_scrolling(browser, page, tmp_path):
    """At 390 px, and after the theme was switched, with the pictures of that theme."""
    text = re.sub(r"<meta http-equiv[^>]*>", "", render(page)).replace("</body>", MEASURE)
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(
        '<!DOCTYPE html><body style="margin:0"><iframe src="page.html" '
        'style="border:0;width:390px;height:844px"></iframe><pre></pre><script>onmessage = (e) => '
        '{ document.querySelector("pre").textContent = e.data; }</script></body>'
    )
    shown = browser(frame, "--dump-dom")
    width, needed, theme, pictures = re.search(r"<pre>(.*?)</pre>", shown)[1].split()
    assert (width, needed) == ("390", "390")
    assert theme == "dark" and pictures == "true"
    picture = tmp_path / "phone.png"
    browser(frame, "--window-size=500,900", f"--screenshot={picture}")
    with Image.open(picture) as image:
        assert len(image.crop((0, 0, 390, 844)).convert("RGB").getcolors(1 << 20)) > 20

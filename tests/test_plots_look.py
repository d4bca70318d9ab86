"""Colours measured as eyes see them, styles that stay apart, and files that stay the same."""

import io
import itertools
import os
import subprocess
import sys

import matplotlib
import numpy as np
import plots_data as synthetic
import pytest

from lab import plots
from lab.plots.styles import OUTCOMES
from lab.plots.text import number, percent, plain, short
from lab.plots.themes import THEMES

# Machado, Oliveira and Fernandes, IEEE TVCG 15, 2009, severity 1, in linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}


def linear(colour):
    """Linear RGB of `#rrggbb`."""
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """The contrast ratio of WCAG 2.2."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def oklab(rgb):
    """Ottosson's perceptual space, 2020."""
    lms = np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                    [0.2119034982, 0.6806995451, 0.1073969566],
                    [0.0883024619, 0.2817188376, 0.6299787005]]) @ rgb  # fmt: skip
    return np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                     [1.9779984951, -2.4285922050, 0.4505937099],
                     [0.0259040371, 0.7827717662, -0.8086757660]]) @ np.cbrt(lms)  # fmt: skip


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_contrast_against_the_background(theme):
    """Text at least 4.5:1, lines and marks at least 3:1."""
    assert contrast(theme.text, theme.background) >= 4.5
    assert contrast(theme.text, theme.grid) >= 4.5  # text over the shaded good region
    for colour in (*theme.categories, theme.muted):
        assert contrast(colour, theme.background) >= 3


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_categories_stay_apart(theme, vision):
    """Six categories clearly, ten still, for each kind of eye (distance in OKLab)."""
    seen = [np.clip(np.asarray(VISIONS[vision]) @ linear(c), 0, 1) for c in theme.categories]
    places = [oklab(rgb) for rgb in seen]
    for count, distance in ((6, 0.1), (10, 0.06)):
        pairs = itertools.combinations(places[:count], 2)
        assert min(np.linalg.norm(one - other) for one, other in pairs) >= distance


def test_no_information_by_colour_alone():
    """Ten categories: ten markers; every pair of colour and dashes once in twenty; hatches."""
    made = list(plots.styles(f"label {i}" for i in range(20)).values())
    assert len({style.marker for style in made[:10]}) == 10
    assert len({(style.color, style.marker) for style in made}) == 20
    assert len({style.linestyle for style in made[:5]}) == 5
    assert len(set(OUTCOMES.values())) == len({hatch for _, hatch in OUTCOMES.values()}) == 6


def test_a_style_stays_with_its_label():
    """A figure of some labels uses the colours that they have in the figure of all."""
    given = plots.styles(synthetic.LABELS)
    figure = plots.curves({"lion": synthetic.curve()}, styles=given)
    with plots.theme("light"):
        assert figure.axes[0].lines[0].get_color() == given["lion"].color


def test_a_theme_leaves_nothing_behind():
    """Settings before and after are the same, also when making the figure fails."""
    before = dict(matplotlib.rcParams)
    with pytest.raises(ZeroDivisionError), plots.theme("dark"):
        _ = 1 / 0
    plots.curves({"sgd": synthetic.curve()})
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_never_imported():
    """In a fresh process, where nobody else could have."""
    code = "import sys, lab.plots; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


SMALL = {
    "sensitivity": lambda: plots.sensitivity({"a": synthetic.summary(rates=8)}),
    "paths": lambda: plots.paths(synthetic.landscape(31), {"a": synthetic.path(steps=9, lanes=2)}),
    "curves": lambda: plots.curves({"a": synthetic.curve(steps=60)}, targets=[1e-2]),
    "outcomes": lambda: plots.outcomes({"a": synthetic.summary(rates=6)}),
    "basins": lambda: plots.basins({"a": synthetic.basin(32)}),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.filterwarnings("error")
def test_files_are_the_same_bytes_each_time(name, tmp_path):
    """Five files, no date and no version in them, and their words read back."""
    names = [f"{name}{end}" for end in ("-dark.png", "-dark.svg", ".png", ".svg", ".txt")]
    files = [plots.save(SMALL[name], tmp_path / folder, name) for folder in "ab"]
    for each in names:
        one, other = ((tmp_path / folder / each).read_bytes() for folder in "ab")
        assert one == other, each
        assert b"atplotlib" not in one.replace(b"matplotlib.axis", b"") or each.endswith("svg")
        assert b"<dc:date>" not in one
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(names)
    figure = SMALL[name]()
    assert (files[0].title, files[0].alt) == (figure.title_text, figure.alt)
    assert files[0].caption == figure.caption
    table = (tmp_path / "a" / f"{name}.txt").read_text().split("Numbers\n")[1].splitlines()
    assert len(table) == 1 + len(figure.rows)


@pytest.mark.parametrize("name", SMALL)
def test_the_layout_of_one_theme_is_that_of_the_other(name, tmp_path):
    """The files that `save` writes with one layout are those of a layout solved for itself."""
    plots.save(SMALL[name], tmp_path, name)
    with plots.theme("light"):
        figure = SMALL[name]()
        figure.settle()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    assert (tmp_path / f"{name}.png").read_bytes() == buffer.getvalue()


def test_a_failing_figure_leaves_no_half_file(tmp_path, monkeypatch):
    """The old files stay until the new ones are whole."""
    plots.save(SMALL["outcomes"], tmp_path, "figure")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        plots.save(SMALL["basins"], tmp_path, "figure")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_notebook_shows_the_figure_with_its_words():
    """An image with alt text, escaped."""
    shown = plots.curves({"<b>": synthetic.curve(steps=9)})._repr_html_()
    assert 'src="data:image/png;base64,' in shown and "&lt;b&gt;" in shown and "<b>" not in shown


def test_numbers_and_words():
    """As a reader would write them."""
    assert [number(v) for v in (0.00320001, 1e-7, 123456.0, np.inf, True, np.float32(0.5))] == [
        *("0.0032", "1e-7", "123000", "inf", "true", "0.5")
    ]
    assert [percent(v) for v in (0, 1, 0.9999, 1e-5, 0.4132)] == [
        *("0 %", "100 %", "> 99.9 %", "< 0.1 %", "41.3 %")
    ]
    assert plain("a $x$\nb") == r"a \$x\$ b"
    assert len(short("a" * 50, 10)) == 10

"""A page of many large figures: they are carried small, and look the same."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from lab import plots
from lab.plots.figure import Figure
from lab.report import pictures as carried
from lab.report.pictures import picture, pictures


def shaded(noise):
    """A figure with lines, words and an image; with noise, one that no vector file holds well."""
    figure = Figure("A field with a line on it")
    axes = figure.subplots()
    side = np.linspace(-1, 1, 300 if noise else 20)
    waves = np.cos(9 * side[:, None] * side[None, :]) + (
        np.arange(len(side)) % 3 * 0.1 if noise else 0
    )
    axes.imshow(waves, extent=(0, 1, 0, 1), interpolation="none")
    axes.plot([0, 1], [0.2, 0.9], color="black")
    return figure.tell(caption="One pixel is one value.", alt="Waves.", columns=("x",), rows=[(1,)])


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    return [
        plots.save(lambda noise=noise: shaded(noise), folder, f"waves-{noise}")
        for noise in (False, True)
    ]


def pixels(uri):
    data = base64.b64decode(uri.partition("base64,")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


def test_a_light_page_carries_its_pictures_whole(figures):
    assert pictures(figures) == [picture(files) for files in figures]


def test_a_heavy_page_carries_them_small_and_alike(figures, monkeypatch):
    monkeypatch.setattr(carried, "LARGEST_PAGE", 100_000)
    whole, small = [picture(files) for files in figures], pictures(figures)
    assert [one.shown for one in small] == ["svg", "webp"]
    assert not any(one.download for one in small)
    assert all(a.weight < b.weight for a, b in zip(small, whole, strict=True))
    for shown, file in zip(
        (small[1].light, small[1].dark), (figures[1].light_png, figures[1].dark_png), strict=True
    ):
        given, found = np.asarray(Image.open(file).convert("RGB"), float), pixels(shown)
        assert found.shape == given.shape
        assert np.abs(found - given).mean() < 3  # of 255

"""Charts: what they draw, what they say, and the frames of those that move."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from lab import plots
from lab.plots import Guide, Line, Panel, Points
from lab.plots.frames import pictures
from lab.plots.themes import THEMES

X = np.linspace(0, 1, 11)


def panels(shift=0.0):
    one = [Line(x=X, y=X + shift, label="up"), Line(x=X, y=1 - X, label="down"), Guide(y=0.5)]
    two = [Line(x=X, y=1 - X, label="down"), Points(x=[0.5], y=[0.5], tone="text")]
    return [Panel(one, "one", "x", "y", ylim=(0, 2)), Panel(two, "two", "x", "y")]


def test_a_label_looks_alike_in_every_panel_and_stands_once_in_the_legend():
    figure = plots.chart("t", panels(), caption="c", alt="a")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["up", "down"]
    left, right = figure.axes
    down = [axes.lines[index] for axes, index in ((left, 1), (right, 0))]
    assert to_hex(down[0].get_color()) == to_hex(down[1].get_color())
    assert left.lines[0].get_color() != down[0].get_color()
    assert figure.rows[3] == ("up", X[3], X[3])


def test_a_slope_guide_is_a_power_on_logarithmic_axes():
    marks = [Line(x=10**X, y=10**X), Guide(at=(1.0, 2.0), slope=3.0)]
    panel = Panel(marks, scales=("log", "log"), xlim=(1.0, 10.0))
    figure = plots.chart("t", [panel], caption="c", alt="a")
    x, y = figure.axes[0].lines[-1].get_data()
    np.testing.assert_allclose(y, 2.0 * x**3)


def test_frames_are_drawn_over_the_same_axes_and_written_light_and_dark(tmp_path):
    def make():
        return plots.chart(
            "t", panels(), caption="c", alt="a", frames=lambda i: panels(0.3 * i), count=4
        )

    files = plots.save(make, tmp_path, "moving")
    assert files.light_gif is not None
    for path, theme in ((files.light_gif, "light"), (files.dark_gif, "dark")):
        with Image.open(path) as picture:
            assert picture.n_frames == 4
            corner = to_hex(np.divide(picture.convert("RGB").getpixel((0, 0)), 255))
            assert corner == THEMES[theme].background
    figure = make()
    drawn = [np.asarray(picture) for picture in pictures(figure)]
    assert len(drawn) == 4 and (drawn[0] != drawn[3]).any()
    assert figure.axes[0].get_ylim() == (0, 2)
    again = plots.save(make, tmp_path / "again", "moving")
    assert again.light_gif.read_bytes() == files.light_gif.read_bytes()


@pytest.mark.parametrize("count", [0, 101])
def test_no_animation_of_more_than_a_hundred_frames(count, tmp_path):
    def make():
        return plots.chart("t", panels(), caption="c", alt="a", frames=panels, count=count)

    with pytest.raises(AssertionError, match="1 to 100 frames"):
        plots.save(make, tmp_path, "moving")


def test_a_map_of_categories_is_told_apart_without_colour():
    values = np.repeat([[0, 1, 2]], 6, axis=0)
    image = plots.Image(
        x=np.arange(3), y=np.arange(6), values=values, kind="categories", names=("a", "b", "c")
    )
    figure = plots.chart("t", [Panel([image])], caption="c", alt="a")
    (legend,) = figure.legends
    hatches = [patch.get_hatch() for patch in legend.get_patches()]
    assert len(set(hatches)) == 3
    assert len(figure.axes[0].collections) == 2  # the two that are hatched

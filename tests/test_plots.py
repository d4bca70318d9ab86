"""Every figure: its labels, its words with the right numbers, and the cases that are hard."""

import re
from itertools import pairwise

import numpy as np
import plots_data as synthetic
import pytest
import xarray as xr
from matplotlib.text import Text

from lab import plots
from lab.plots.clipping import clip

ONE = {"sgd": synthetic.summary(rates=12)}
EXTREME = {
    "tiny": synthetic.curve().assign(loss_quantile=lambda d: d.loss_quantile * 1e-290),
    "huge": synthetic.curve().assign(loss_quantile=lambda d: d.loss_quantile * 1e290),
}
ZERO = synthetic.curve().assign(loss_quantile=lambda d: 0.0 * d.loss_quantile)
MOMENTUM = synthetic.summary(3e-3, 1.5, rates=12, momentum=[0.5, 0.9, 0.99])
WORDS = synthetic.summary(rates=2).assign_coords(learning_rate=["a_$", "b"])
LINEAR = synthetic.summary(rates=9).assign_coords(learning_rate=np.linspace(-1, 1, 9))
BARE = synthetic.summary(rates=8).isel(target=slice(0))
FLAT = (
    synthetic.basin(60).isel(y=20).drop_vars("y").assign(minima=(("k", "dim"), [[0.5], [3], [4]]))
)
MANY = synthetic.basin(60).assign(minimum=lambda d: d.minimum * 9)
FIXED = ONE["sgd"].isel(learning_rate=6)


def landscape():
    return synthetic.landscape(41)


CASES = {
    "sensitivity, one": lambda: plots.sensitivity(ONE),
    "sensitivity, ten": lambda: plots.sensitivity(synthetic.summaries(synthetic.HARD)),
    "sensitivity, two keys": lambda: plots.sensitivity({"heavy ball": MOMENTUM} | ONE),
    "sensitivity, all diverged": lambda: plots.sensitivity(synthetic.failing()),
    "sensitivity, one of each": lambda: plots.sensitivity(ONE | synthetic.failing("x")),
    "sensitivity, words": lambda: plots.sensitivity({"sgd": WORDS}),
    "sensitivity, linear": lambda: plots.sensitivity({"sgd": LINEAR}),
    "sensitivity, one rate": lambda: plots.sensitivity({"sgd": ONE["sgd"].isel(learning_rate=[5])}),
    "sensitivity, no targets": lambda: plots.sensitivity({"sgd": BARE}),
    "paths, one": lambda: plots.paths(landscape(), {"sgd": synthetic.path(steps=30)}),
    "paths, one start": lambda: plots.paths(landscape(), {"sgd": synthetic.path(lanes=1)}),
    "paths, leaving": lambda: plots.paths(landscape(), {"a": synthetic.path(6e-3, steps=60)}),
    "paths, ten": lambda: plots.paths(
        landscape(), {label: synthetic.path(lanes=2, steps=20) for label in synthetic.HARD}
    ),
    "paths, one variable": lambda: plots.paths(
        synthetic.line_landscape(), {"sgd": synthetic.line_path(), "fast": synthetic.line_path(0.3)}
    ),
    "paths, partly undefined": lambda: plots.paths(
        landscape().assign(loss=lambda d: d.loss.where(d.x > 0, np.inf)),
        {"sgd": synthetic.path(steps=10)},
    ),
    "paths, constant loss": lambda: plots.paths(
        landscape().assign(loss=lambda d: 0 * d.loss), {"sgd": synthetic.path(steps=5)}
    ),
    "gallery, one": lambda: plots.gallery({"valley": landscape()}),
    "gallery, ten": lambda: plots.gallery(
        {name: landscape().assign_attrs(note="part of its box") for name in synthetic.HARD}
    ),
    "gallery, without minima": lambda: plots.gallery(
        {"flat": landscape().drop_vars("minima").assign(loss=lambda d: 0 * d.loss)}
    ),
    "curves, one": lambda: plots.curves({"sgd": synthetic.curve()}, x="log"),
    "curves, together": lambda: plots.curves(
        {"sgd": synthetic.curve(), "$up$": synthetic.curve(diverges=True)}, targets=[1e-2, 1e-6]
    ),
    "curves, ten": lambda: plots.curves(synthetic.curves(synthetic.HARD), targets=[1e-3], x="log"),
    "curves, extreme": lambda: plots.curves(EXTREME),
    "curves, zero": lambda: plots.curves({"sgd": ZERO}),
    "sharpness, one": lambda: plots.sharpness({"sgd": synthetic.sharpening()}),
    "sharpness, no limit": lambda: plots.sharpness({"adam": synthetic.sharpening(limit=np.nan)}),
    "sharpness, ten": lambda: plots.sharpness(
        {label: synthetic.sharpening() for label in synthetic.HARD}
    ),
    "sharpness, falling below zero": lambda: plots.sharpness(
        {"sgd": synthetic.sharpening(floor=-7.0)}
    ),
    "sharpness, infinite": lambda: plots.sharpness({"sgd": synthetic.sharpening(floor=np.inf)}),
    "outcomes, one": lambda: plots.outcomes(ONE),
    "outcomes, ten": lambda: plots.outcomes(synthetic.summaries(synthetic.HARD)),
    "outcomes, not all swept": lambda: plots.outcomes(ONE | {"adam": FIXED}),
    "outcomes, bars": lambda: plots.outcomes({"sgd": FIXED, "_$": FIXED}, None),
    "basins, one": lambda: plots.basins({"sgd": synthetic.basin(60)}),
    "basins, ten": lambda: plots.basins({name: synthetic.basin(40) for name in synthetic.HARD}),
    "basins, strips": lambda: plots.basins({"sgd": FLAT, "adam": FLAT}),
    "basins, many minima": lambda: plots.basins({"sgd": MANY, "x": synthetic.basin(60)}),
    "basins, none": lambda: plots.basins(
        {"sgd": synthetic.basin(40).assign(minimum=lambda d: 0 * d.minimum - 1)}
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CASES)
def test_every_figure_can_be_read(name):
    """No warning, axes named, a legend, words, and no text clipped or over its neighbour."""
    mode = "dark" if len(name) % 2 else "light"
    with plots.theme(mode):
        figure = CASES[name]()
        figure.settle()
        assert {axes.get_xlabel() for axes in figure.axes} - {""}
        assert {axes.get_ylabel() for axes in figure.axes} - {""} or "strips" in name
        assert figure.legends and figure.legends[0].get_texts()
        assert figure.title_text and len(figure.caption) > 40 and len(figure.alt) > 40
        assert "nan" not in (figure.alt + figure.caption).lower()
        assert all(len(row) == len(figure.columns) for row in figure.rows)
        texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
        assert min(text.get_fontsize() for text in texts) >= 13
        drawn = [*(axes.get_tightbbox() for axes in figure.axes), figure.legends[0].get_tightbbox()]
        for box in [*drawn, figure.texts[0].get_window_extent()]:
            assert box.x0 > -1 and box.x1 < figure.bbox.x1 + 1
            assert box.y0 > -1 and box.y1 < figure.bbox.y1 + 1
        titles = [axes.title for axes in figure.axes]
        boxes = sorted((t.get_window_extent() for t in titles if t.get_text()), key=lambda b: b.x0)
        for left, right in pairwise(boxes):
            assert abs(left.y0 - right.y0) > 5 or left.x1 <= right.x0 + 1 or left.x0 == right.x0


def test_sensitivity_says_the_best_and_the_width():
    """Against a search by hand over the summary."""
    summary = synthetic.summary(2e-3, 1.2, rates=60)
    share = summary.hit_share.sel(target=1e-6).values
    order = [(-s, e) for s, e in zip(share, summary.ert.sel(target=1e-6).values, strict=True)]
    best = min(range(60), key=lambda i: order[i])
    rate = summary.learning_rate.values
    good = share >= 0.9 * share.max()
    decades = good.sum() * np.log10(rate[1] / rate[0])
    figure = plots.sensitivity({"sgd": summary})
    assert f"best learning rate {rate[best]:.3g}," in figure.alt
    assert f"success {100 * share[best]:.1f} %" in figure.alt
    assert f"good over {decades:.1f} decades" in figure.alt
    assert f"({rate[good][0]:.3g} to {rate[good][-1]:.3g})" in figure.alt
    assert [row[-1] for row in figure.rows] == ["yes" if g else "no" for g in good]
    assert "1e-6" in figure.alt and "0.9" in figure.caption


def test_sensitivity_breaks_off_where_the_median_diverged():
    """No line there, but a mark; and where nothing ever worked, it says so."""
    with plots.theme("light"):
        figure = plots.sensitivity(ONE)
    upper = figure.axes[0]
    lost = np.isinf(ONE["sgd"].final_loss_quantile.sel(quantile=0.5).values)
    line = next(line for line in upper.lines if len(line.get_xdata()) == 12)
    np.testing.assert_array_equal(np.isnan(line.get_ydata()), lost)
    marks = next(line for line in upper.lines if line.get_marker() == "x")
    np.testing.assert_allclose(marks.get_xdata(), ONE["sgd"].learning_rate.values[lost])
    assert (
        "median run diverged at every learning rate" in plots.sensitivity(synthetic.failing()).alt
    )


def test_sensitivity_holds_other_keys_at_their_best_and_names_them():
    """Momentum 0.9 is the best of the three; an optimizer without the axis is left out."""
    figure = plots.sensitivity({"heavy ball": MOMENTUM, "fixed": FIXED})
    said = [text.get_text() for text in figure.findobj(Text)]
    assert "momentum 0.9" in said
    assert "Not swept, so not shown: fixed." in figure.caption
    with pytest.raises(ValueError, match="no optimizer sweeps"):
        plots.sensitivity({"fixed": FIXED})


def test_paths_count_what_leaves_and_where_it_ends():
    """The alt text against the points themselves."""
    data = synthetic.path(6e-3, lanes=8, steps=40)
    points = data.point.values
    left = (np.abs(points[..., 0]) > 2) | (points[..., 1] < -1) | (points[..., 1] > 3)
    figure = plots.paths(landscape(), {"sgd": data})
    count, final = int(left.any(1).sum()), float(np.median(data.loss.values[:, -1]))
    assert 0 < count < 8
    assert f"8 paths, median final loss {plots.text.number(final)}, {count} left" in figure.alt
    assert "(1, 1)" in figure.alt
    with pytest.raises(ValueError, match="one or two variables"):
        plots.paths(
            landscape(), {"x": xr.Dataset({"point": (("lane", "step", "dim"), [[[0] * 3]])})}
        )


def test_a_path_is_cut_where_it_crosses_the_border():
    """Out through the right side, back in through the top."""
    points = np.array([[0, 0], [2, 1], [2, 4], [0.5, 0.5], [np.inf, 0], [0, 0]])
    line, exits = clip(points, np.zeros(2), np.ones(2))
    np.testing.assert_allclose(exits, [[1, 0.5]])
    cut = line[np.isfinite(line).all(1)]
    back = 0.5 + 1.5 * (0.5 / 3.5)
    np.testing.assert_allclose(cut, [[0, 0], [1, 0.5], [back, 1.0], [0.5, 0.5]])
    assert not clip(points + 9, np.zeros(2), np.ones(2))[0].size


def test_the_gallery_stars_the_lowest_minima_and_marks_the_others():
    """Two minima of one loss at different depths, one of another, none of the third."""
    minima = ("minima", (("known_minimum", "dim"), [[1.0, 1.0], [-1.0, 2.0], [0.0, 1.0]]))
    wells = landscape().drop_vars("minima").assign(dict([minima]))
    wells = wells.assign(minima_loss=("known_minimum", [-1.0, 3.0, -1.0]))
    none = landscape().drop_vars("minima")
    figure = plots.gallery({"wells": wells, "valley": landscape(), "none": none})
    marks = {
        (axes.get_title(loc="left"), line.get_marker()): np.transpose(line.get_data()).tolist()
        for axes in figure.axes
        for line in axes.lines
        if len(line.get_xdata())
    }
    assert marks == {
        ("wells", "*"): [[1.0, 1.0], [0.0, 1.0]],
        ("wells", "D"): [[-1.0, 2.0]],
        ("valley", "*"): [[1.0, 1.0]],
    }
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["lowest known minimum", "other known minimum"]
    assert "wells lowest at (1, 1) and (0, 1); valley lowest at (1, 1)" in figure.alt
    assert [row[1] for row in figure.rows] == [3, 1, 0]
    low, high = float(wells.loss.min()), float(wells.loss.max())
    assert figure.rows[0][2:4] == (low, pytest.approx(high))


def test_curves_say_where_they_start_end_and_hit():
    """The median at both ends, the first step under the tightest target, the diverged one."""
    up, down = synthetic.curve(0.2, diverges=True), synthetic.curve(0.05)
    median = down.loss_quantile.sel(quantile=0.5).values
    hit = int(np.argmax(median <= 1e-6))
    lost = int(np.argmax(np.isinf(up.loss_quantile.sel(quantile=0.5).values)))
    alt = plots.curves({"down": down, "up": up}, targets=[1e-2, 1e-6]).alt
    assert f"down: from {median[0]:.3g} to {plots.text.number(median[-1])} in 400 steps" in alt
    assert f"reaches 1e-6 at step {hit}" in alt
    assert f"up: diverged at step {lost}" in alt


def test_sharpness_says_where_it_ends_and_draws_the_limit():
    """The median at both ends, and 2/eta across."""
    data = synthetic.sharpening(limit=20.0)
    median = data.sharpness_quantile.sel(quantile=0.5).values
    figure = plots.sharpness({"sgd": data})
    said = (
        f"sgd (learning rate 0.1): from {median[0]:.3g} to {median[-1]:.3g} in 400 steps, limit 20."
    )
    assert said in figure.alt
    across = [line for line in figure.axes[0].lines if np.all(np.asarray(line.get_ydata()) == 20.0)]
    assert len(across) == 1 and "2/eta" in figure.caption
    assert "2/eta" not in plots.sharpness({"adam": synthetic.sharpening(limit=np.nan)}).caption


def test_outcomes_add_up_and_are_named():
    """Shares at the best rate; every outcome in the legend."""
    figure = plots.outcomes(ONE)
    shares = np.array([row[2:] for row in figure.rows], float)
    np.testing.assert_allclose(shares.sum(1), 1)
    best = int(np.argmax(ONE["sgd"].hit_share.sel(target=1e-6).values))
    converged = float(ONE["sgd"].outcome_share.sel(outcome="converged").values[best])
    assert f"converged {100 * converged:.1f} %" in figure.alt
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == [name.replace("_", " ") for name in synthetic.OUTCOMES]


def test_basins_name_position_and_share():
    """Against a count of the pixels."""
    data = synthetic.basin(64)
    figure = plots.basins({"sgd": data})
    share = [float((data.minimum.values == k).mean()) for k in (0, 1, 2, -1)]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[0] == f"minimum 1 at (0.52, 0.55): {100 * share[0]:.1f} %"
    assert legend[-1] == f"none: {100 * share[3]:.1f} %"
    assert f"minimum 3 at (3.5, 4) {100 * share[2]:.1f} %" in figure.alt
    np.testing.assert_allclose([row[-1] for row in figure.rows], share)


@pytest.mark.parametrize("label", synthetic.HARD)
def test_labels_are_shown_as_they_are_written(label):
    """No mathtext, no lost underscore; what the font lacks becomes a box."""
    figure = plots.curves({label: synthetic.curve()})
    shown = figure.legends[0].get_texts()[0].get_text()
    expected = re.sub(r"[最速]", "□", label)
    assert shown.replace(r"\$", "$").strip("\N{HAIR SPACE}") == expected
    assert label in figure.alt


def curve_between(high, low, lucky=None):
    """A curve whose medians fall from `high` to `low`, with a quarter of the lanes at `lucky`."""
    median = np.geomspace(high, low, 51)
    lower = median / 1.1 if lucky is None else np.full(51, lucky)
    losses = np.stack([lower, median, 1.1 * median])
    coords = {"quantile": [0.25, 0.5, 0.75], "step": np.arange(51)}
    return xr.Dataset({"loss_quantile": (("quantile", "step"), losses)}, coords)


def share_of_axis(axes, low, high):
    """How much of a logarithmic y axis lies between two values, both of which must be on it."""
    bottom, top = np.log10(axes.get_ylim())
    assert bottom <= np.log10(low) < np.log10(high) <= top
    return np.log10(high / low) / (top - bottom)


@pytest.mark.parametrize(
    ("given", "targets", "shown"),
    [
        (curve_between(2.0, 0.42), [1e-1, 1e-2, 1e-3], [1e-1]),
        (curve_between(2.0, 0.42, lucky=1e-9), [1e-1, 1e-3], [1e-1]),
        (curve_between(1.0, 1e-5), [1e-2, 1e-8], [1e-2, 1e-8]),
        (curve_between(2.0, 0.42), [], []),
    ],
    ids=["far targets", "lucky lanes", "near targets", "no target"],
)
def test_curves_give_the_axis_to_the_medians(given, targets, shown):
    """A third of its height at least; a target that is further away than that is not drawn."""
    median = given.loss_quantile.sel(quantile=0.5).values
    with plots.theme("light"):
        figure = plots.curves({"sgd": given}, targets=targets)
        figure.settle()
    (axes,) = figure.axes
    assert share_of_axis(axes, median.min(), median.max()) > 0.3
    level = [line.get_ydata()[0] for line in axes.lines if len(line.get_ydata()) == 2]
    assert sorted(level) == sorted(shown)
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert 3 <= len(labels) <= 7


def test_sensitivity_gives_the_axis_to_the_medians():
    """Whatever a lucky quarter reaches at one rate; and the ticks are round numbers in between."""
    rates = 12
    summary = synthetic.summary(rates=rates, diverges=np.inf)
    median = np.geomspace(2.0, 0.42, rates)
    lower = np.where(np.arange(rates) == 5, 1e-12, median / 1.1)
    losses = xr.zeros_like(summary.final_loss_quantile)
    for at, values in ((0.25, lower), (0.5, median), (0.75, 1.1 * median)):
        losses.loc[{"quantile": at}] = values
    with plots.theme("light"):
        figure = plots.sensitivity({"sgd": summary.assign(final_loss_quantile=losses)})
        figure.settle()
    axes = figure.axes[0]
    assert share_of_axis(axes, 0.42, 2.0) > 0.4
    assert {text.get_text() for text in axes.get_yticklabels()} <= {"0.2", "0.3", "0.5", "1", "2"}


@pytest.mark.parametrize("axis", ["learning_rate", None])
def test_outcomes_name_those_that_occur(axis):
    summary = synthetic.summary(rates=12).isel(learning_rate=slice(7))
    present = [
        str(name).replace("_", " ")
        for name in summary.outcome.values
        if summary.outcome_share.sel(outcome=name).values.any()
    ]
    with plots.theme("light"):
        figure = plots.outcomes({"sgd": summary if axis else summary.isel(learning_rate=0)}, axis)
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    if axis:
        assert sorted(named) == sorted(present) and 1 < len(named) < 6
    else:
        assert 0 < len(named) <= len(present)

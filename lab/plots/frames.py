"""The frames of a figure that moves, as a GIF and, where imageio is installed, as an MP4."""

import io
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from lab.files import replace_bytes
from lab.plots.figure import Figure

DPI = 96
COLOURS = 96
MOST = 100
NEXT = 8
"""Colours closer than this to the background's are it: Pillow would take them for each other."""


def write_frames(figure: Figure, stem: Path) -> None:
    """Write `stem.gif`, which repeats for ever, and `stem.mp4` with the extra `video`."""
    animation = figure.animation
    assert animation is not None and 0 < animation.count <= MOST, "1 to 100 frames"
    frames = list(pictures(figure))
    palette = _palette(_together(frames[:: max(1, len(frames) // 4)] + frames[-1:]))
    first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    milliseconds = round(1000 * animation.seconds)
    rest = [milliseconds] * len(others)
    first.save(
        buffer, "GIF", save_all=True, append_images=others, loop=0,
        duration=[*rest, 12 * milliseconds],  # the end stays, to be looked at
    )  # fmt: skip
    replace_bytes(stem.with_name(stem.name + ".gif"), buffer.getvalue())
    if find_spec("imageio_ffmpeg") is not None:
        _write_mp4(frames, 1 / animation.seconds, stem.with_name(stem.name + ".mp4"))


def pictures(figure: Figure) -> Iterator[Image.Image]:
    """Each frame, drawn."""
    assert figure.animation is not None
    before = figure.get_dpi()
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    for index in range(figure.animation.count):
        figure.animation.draw(index)
        canvas.draw()
        yield Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    figure.set_dpi(before)


def _together(frames: list[Image.Image]) -> Image.Image:
    """Frames one below the other: the colours of all of them."""
    return Image.fromarray(np.concatenate([np.asarray(frame) for frame in frames]))


def _palette(frame: Image.Image) -> Image.Image:
    """The frame in few colours, of which the background's is exact, and none is next to it."""
    few, background = frame.quantize(COLOURS, Image.Quantize.MEDIANCUT), frame.getpixel((0, 0))
    colours = np.array(few.getpalette()).reshape(-1, 3)
    colours[np.abs(colours - background).max(axis=1) <= NEXT] = background
    few.putpalette(colours.ravel().tolist())
    return few


def _write_mp4(frames: list[Image.Image], rate: float, path: Path) -> None:
    import imageio.v3 as imageio

    even = [np.asarray(frame)[: frame.height // 2 * 2, : frame.width // 2 * 2] for frame in frames]
    made = imageio.imwrite("<bytes>", np.stack(even), extension=".mp4", fps=rate, codec="libx264")
    replace_bytes(path, made)

"""Figures as data inside the page: each picture once, SVG where it is small enough."""

import base64
import struct
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lab.plots.files import FigureFiles

LARGEST_SVG = 400_000  # bytes shown as SVG; a larger one is shown as PNG
LARGEST_DOWNLOAD = 1_500_000  # bytes carried only to be downloaded

TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif"}


@dataclass(frozen=True)
class Picture:
    """One figure as the page holds it.

    Attributes:
        files: Its words and its files.
        light: Data URI shown on a light page.
        dark: Data URI shown on a dark page.
        shown: `svg` or `png`.
        other: The format that is not shown.
        download: Data URI of the other format; empty if it is too large to carry.
        width: In pixels.
        height: In pixels.
        moving: Data URIs of the animation, light and dark; empty if the figure does not move.
        frames: How many the animation has.
    """

    files: FigureFiles
    light: str
    dark: str
    shown: str
    other: str
    download: str
    width: int
    height: int
    moving: tuple[str, ...] = ()
    frames: int = 0


def picture(files: FigureFiles) -> Picture:
    """Read a figure's files into the page's form."""
    svgs, pngs = (files.light_svg, files.dark_svg), (files.light_png, files.dark_png)
    small = max(path.stat().st_size for path in svgs) < LARGEST_SVG
    (light, dark), (spare, _) = (svgs, pngs) if small else (pngs, svgs)
    carried = spare.stat().st_size < LARGEST_DOWNLOAD
    names = ("svg", "png") if small else ("png", "svg")
    width, height = size_of_png(files.light_png)
    download = data_uri(spare) if carried else ""
    gifs = [path for path in (files.light_gif, files.dark_gif) if path]
    shown, moving = (data_uri(light), data_uri(dark)), tuple(map(data_uri, gifs))
    frames = frames_of_gif(gifs[0]) if gifs else 0
    return Picture(files, *shown, *names, download, width, height, moving, frames)


def data_uri(path: Path) -> str:
    """The file itself as an address."""
    path = Path(path)
    return f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def size_of_png(path: Path) -> tuple[int, int]:
    """Width and height in pixels, from the file's header."""
    with Path(path).open("rb") as file:
        return struct.unpack(">II", file.read(24)[16:])


def frames_of_gif(path: Path) -> int:
    """How many frames an animation has."""
    with Image.open(path) as image:
        return getattr(image, "n_frames", 1)

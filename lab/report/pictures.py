"""Figures as data inside the page: each picture once, SVG where it is small enough."""

import base64
import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from lab.plots.files import FigureFiles

LARGEST_SVG = 400_000  # bytes shown as SVG; a larger one is shown as PNG
LARGEST_DOWNLOAD = 1_500_000  # bytes carried only to be downloaded
LARGEST_PAGE = 12_000_000  # characters of pictures; on a page of more they are made small
WEBP_QUALITY = 90  # of 100: no difference is seen at the size of the page

TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif", ".webp": "image/webp"}


@dataclass(frozen=True)
class Picture:
    """One figure as the page holds it.

    Attributes:
        files: Its words and its files.
        light: Data URI shown on a light page.
        dark: Data URI shown on a dark page.
        shown: `svg`, `png` or `webp`.
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

    @property
    def weight(self) -> int:
        """The characters that it adds to a page."""
        return sum(map(len, (self.light, self.dark, self.download, *self.moving)))


def pictures(figures: Sequence[FigureFiles]) -> list[Picture]:
    """All figures of a page: where they would make it heavy, each as small as it can be."""
    made = [picture(files) for files in figures]
    if sum(one.weight for one in made) <= LARGEST_PAGE:
        return made
    return [smallest(one) for one in made]


def smallest(whole: Picture) -> Picture:
    """The picture as SVG or WebP, whichever is smaller, and nothing to be downloaded beside it."""
    files = whole.files
    light, dark = as_webp(files.light_png), as_webp(files.dark_png)
    svgs = data_uri(files.light_svg), data_uri(files.dark_svg)
    if sum(map(len, svgs)) <= len(light) + len(dark):
        return replace(whole, light=svgs[0], dark=svgs[1], shown="svg", other="png", download="")
    return replace(whole, light=light, dark=dark, shown="webp", other="svg", download="")


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
    return _data(path.read_bytes(), path.suffix)


def as_webp(path: Path) -> str:
    """A picture of pixels as the address of a WebP, a quarter of the size of a PNG."""
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(buffer, "webp", quality=WEBP_QUALITY)
    return _data(buffer.getvalue(), ".webp")


def _data(content: bytes, suffix: str) -> str:
    return f"data:{TYPES[suffix]};base64,{base64.b64encode(content).decode()}"


def size_of_png(path: Path) -> tuple[int, int]:
    """Width and height in pixels, from the file's header."""
    with Path(path).open("rb") as file:
        return struct.unpack(">II", file.read(24)[16:])


def frames_of_gif(path: Path) -> int:
    """How many frames an animation has."""
    with Image.open(path) as image:
        return getattr(image, "n_frames", 1)

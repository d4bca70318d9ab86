"""A figure on disk: light and dark, PNG and SVG, and its words and numbers beside them.

The bytes depend on the figure alone (no dates, no versions), so that a run can be compared with
an earlier one by its files. Each file is written under a temporary name and then renamed.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.files import replace_bytes, replace_text
from lab.plots.figure import Figure
from lab.plots.frames import write_frames
from lab.plots.text import number
from lab.plots.themes import theme

SECTIONS = ("Title", "Caption", "Alt text", "Numbers")


@dataclass(frozen=True)
class FigureFiles:
    """A saved figure: its words, the paths of its four pictures, and its animations if it moves."""

    name: str
    title: str
    caption: str
    alt: str
    light_svg: Path
    dark_svg: Path
    light_png: Path
    dark_png: Path
    light_gif: Path | None = None
    dark_gif: Path | None = None

    @classmethod
    def read(cls, folder: Path, name: str) -> "FigureFiles":
        """The figure that `save` left in the folder under this name."""
        folder = Path(folder)
        parts = (folder / f"{name}.txt").read_text(encoding="utf-8").split("\n\n")
        said = dict(part.split("\n", 1) for part in parts[:3])
        pictures = (f"{name}.svg", f"{name}-dark.svg", f"{name}.png", f"{name}-dark.png")
        title, caption, alt = (said[key] for key in SECTIONS[:3])
        moving = [folder / f"{name}.gif", folder / f"{name}-dark.gif"]
        gifs = moving if all(path.exists() for path in moving) else []
        return cls(name, title, caption, alt, *(folder / picture for picture in pictures), *gifs)


def save(make: Callable[[], Figure], folder: Path, name: str) -> FigureFiles:
    """Make the figure in both themes and write its files.

    Args:
        make: Called once a theme, inside it; returns the figure.
        folder: Made if it is not there.
        name: Of the files: `name.png`, `name-dark.png`, `name.svg`, `name-dark.svg`, `name.txt`;
            for a figure that moves also `name.gif` and `name-dark.gif`, and with the extra `video`
            `name.mp4` and `name-dark.mp4`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settled = None
    for mode, suffix in (("dark", "-dark"), ("light", "")):
        with theme(mode):
            figure = make()
            figure.settle(like=settled)
            settled = figure
            _write(figure, folder / f"{name}{suffix}.png", {"Software": None})
            _write(figure, folder / f"{name}{suffix}.svg", {"Date": None, "Creator": None})
            if figure.animation is not None:
                write_frames(figure, folder / f"{name}{suffix}")
    replace_text(folder / f"{name}.txt", description(figure))
    return FigureFiles.read(folder, name)


def description(figure: Figure) -> str:
    """The words and numbers of a figure as text: four sections, the last a tab-separated table."""
    words = (figure.title_text, figure.caption, figure.alt)
    table = [figure.columns, *(tuple(number(v, 6) for v in row) for row in figure.rows)]
    lines = "\n".join("\t".join(_line(cell) for cell in row) for row in table)
    said = [f"{key}\n{_line(text)}" for key, text in zip(SECTIONS[:3], words, strict=True)]
    return "\n\n".join([*said, f"{SECTIONS[3]}\n{lines}"]) + "\n"


def _line(text: str) -> str:
    return " ".join(str(text).split())


def _write(figure: Figure, path: Path, metadata: dict[str, None]) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix[1:], metadata=metadata)
    replace_bytes(path, buffer.getvalue())

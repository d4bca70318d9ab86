"""A figure that knows what it shows: title, caption, alt text, and the numbers in it."""

import base64
import html
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from lab.plots.text import wrapped
from lab.plots.themes import current, theme

SIZE = (10.0, 5.6)  # inches: 16:9, and legible from the last row
PADS: dict[str, Any] = {"w_pad": 0.07, "h_pad": 0.06, "wspace": 0.02, "hspace": 0.02}


@dataclass(frozen=True)
class Animation:
    """The frames of a figure that moves.

    Attributes:
        count: how many, at most 100.
        draw: redraws the figure's axes as they are in the frame of this index.
        seconds: how long each frame stays.
    """

    count: int
    draw: Callable[[int], None]
    seconds: float = 0.08


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure with words.

    Attributes:
        title_text: What the figure shows.
        caption: What one point, line or pixel is, and the definitions used.
        alt: What is seen, with the numbers, for those who cannot see it.
        columns: The headings of `rows`.
        rows: The numbers drawn, one tuple a row.
        animation: Its frames, if it moves; the figure itself is the still picture.
    """

    def __init__(self, title_text: str, *, height: float = SIZE[1]):
        """An empty figure with its title; `tell` adds the words."""
        super().__init__(figsize=(SIZE[0], height), layout=ConstrainedLayoutEngine(**PADS))
        self.title_text = title_text
        self.caption = ""
        self.alt = ""
        self.columns: tuple[str, ...] = ()
        self.rows: list[tuple[Any, ...]] = []
        self.animation: Animation | None = None
        self._theme = current().name
        self._heading = self.suptitle(wrapped(title_text, 72), x=0.012, ha="left")

    def tell(
        self, *, caption: str, alt: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> "Figure":
        """Give the figure its words and numbers; returns itself."""
        self.caption, self.alt = caption, alt
        self.columns, self.rows = tuple(columns), [tuple(row) for row in rows]
        return self

    def settle(self, like: "Figure | None" = None) -> None:
        """Solve the layout once and keep it, with the title at the same place on every figure.

        Args:
            like: the same figure in another theme, settled: colours move nothing, so that its
                layout, whose solution takes as long as a picture, is this one's too.
        """
        engine = self.get_layout_engine()
        if like is not None:
            for own, other in zip(self.axes, like.axes, strict=True):
                own.set_position(other.get_position(original=True), which="original")
        elif engine is not None:
            engine.execute(self)
        self.set_layout_engine(None)  # not "none": each picture would be drawn twice to be saved
        self._heading.set(y=1 - PADS["h_pad"] / self.get_figheight(), va="top")

    def _repr_html_(self) -> str:
        buffer = io.BytesIO()
        with theme(self._theme):
            self.settle()
            self.savefig(buffer, format="png", dpi=100)
        data = base64.b64encode(buffer.getvalue()).decode()
        return (
            f'<figure style="margin:0"><img src="data:image/png;base64,{data}" '
            f'alt="{html.escape(self.alt)}" style="max-width:100%">'
            f"<figcaption>{html.escape(self.caption)}</figcaption></figure>"
        )

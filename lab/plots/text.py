"""Words and numbers as figures show them: escaped, short, and in few digits.

Labels come from users, so nothing here lets one of them turn into mathtext, be swallowed by a
legend, or ask the font for a character that it does not have.
"""

import functools
import math
import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font

FONT = "DejaVu Sans"


@functools.cache
def _characters() -> frozenset[int]:
    """The code points of the font that matplotlib brings along."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return frozenset(FT2Font(str(folder / "DejaVuSans.ttf")).get_charmap())


def plain(text: Any) -> str:
    """The text itself, whatever it holds: no mathtext, no line break, no missing character."""
    spaced = " ".join(str(text).split())
    known = "".join(c if ord(c) in _characters() else "\N{WHITE SQUARE}" for c in spaced)
    # Legends drop labels that begin with an underscore; a hair space keeps them.
    known = "\N{HAIR SPACE}" + known if known.startswith("_") else known
    return known.replace("$", r"\$")


def short(text: Any, width: int) -> str:
    """At most `width` characters of the text, escaped; an ellipsis stands for its middle."""
    words = " ".join(str(text).split())
    if len(words) > width:
        head = (width - 1) * 2 // 3
        words = words[:head].rstrip() + "…" + words[head + 1 - width :].lstrip()
    return plain(words)


def wrapped(text: str, width: int) -> str:
    """The escaped text on as many lines as it needs; no word is lost."""
    return "\n".join(plain(line) for line in textwrap.wrap(text, width)) or plain(text)


def number(value: Any, digits: int = 3) -> str:
    """A value in few digits: `0.0032`, `1.5e-7`, `12000`, `inf`; words and booleans as they are.

    Examples:
        >>> number(0.00320001), number(1.5e-7), number(12000.0), number(True), number("relu")
        ('0.0032', '1.5e-7', '12000', 'true', 'relu')
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, int | float):
        return str(value)
    if math.isnan(value):
        return "none"
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    if 0 <= int(exponent) <= 5:
        return f"{float(text):.0f}"
    return f"{mantissa}e{int(exponent)}"


def percent(share: float) -> str:
    """A share in percent, never rounded to all or nothing when it is neither.

    Examples:
        >>> percent(0.4132), percent(1.0), percent(0.99999), percent(0.00001)
        ('41.3 %', '100 %', '> 99.9 %', '< 0.1 %')
    """
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    if share > 0.9995:
        return "> 99.9 %"
    if share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"


def words(key: str) -> str:
    """A key as it is read: `learning_rate.init_value` is `learning rate, init value`."""
    return str(key).replace(".", ", ").replace("_", " ")


def position(point: Any) -> str:
    """A point in brackets: `(0.52, 0.55)`; at most three of its coordinates."""
    values = [number(value) for value in np.atleast_1d(np.asarray(point)).tolist()]
    return f"({', '.join(values[:3])}{', …' if len(values) > 3 else ''})"


def listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]])) if items else ""

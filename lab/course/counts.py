"""How many there are, in a lesson's text: as its config says, which for a quick run is fewer.

A text writes `<<samples>>` for the whole number at that key of the config, with its commas:
`1,000,000`. A list stands for the product of its elements; `<<rates.count * starts.grid.shape>>`
is a product of keys, and `<<2 * trials>>` of a number and a key.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.config import load
from lab.errors import LabError

COUNT = re.compile(r"<<([\w.]+(?: \* [\w.]+)*)>>")


def counted(text: str, config: Path, smoke: bool = False) -> str:
    """The text with every count of a config in it, or of the run that its `[smoke]` makes.

    Args:
        text: Markdown.
        config: the file.
        smoke: whether `[smoke]` applies.

    Raises:
        LabError: when the config has no such number.
    """
    if not COUNT.search(text):
        return text
    table = load(config, smoke=smoke).table
    return COUNT.sub(lambda found: f"{math.prod(_counts(table, found[1], config)):,}", text)


def _counts(table: Mapping[str, Any], keys: str, config: Path) -> list[int]:
    found: list[int] = []
    for key in keys.split(" * "):
        value: Any = int(key) if key.isdigit() else table
        for part in key.split(".") if value is table else ():
            value = value.get(part) if isinstance(value, Mapping) else None
        numbers = value if isinstance(value, list) else [value]
        if not all(type(number) is int for number in numbers):
            raise LabError(f"{config} has no whole number at {key}, which its text counts by")
        found += numbers
    return found

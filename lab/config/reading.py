"""From a path to a TOML table, or to words that say why there is none."""

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lab.config.messages import ConfigError, Located
from lab.config.positions import Place

# What tomllib says, and what a friend would say. The first pattern that matches counts.
WORDS = (
    (r"Cannot overwrite a value|Duplicate inline table key", "this key is given twice"),
    (r"Cannot declare \(?(.*?),?\)? twice", "this table is opened twice; put its keys together"),
    (r"Cannot (mutate|redefine)", "this table is already complete; put its keys together"),
    (r"Expected '=' after a key", "a key needs '=' and a value after it: key = value"),
    (r"Expected newline or end of document", "something is left over after the value"),
    (
        r"Expected '\]\]?' at the end",
        "a table's name is closed with ']', or ']]' if opened by '[['",
    ),
    (r"Unclosed array", "a '[' is not closed; elements are separated by commas"),
    (r"Unclosed inline table", "a '{' is not closed; its keys are separated by commas"),
    (r"Unterminated string|Illegal character '\\n'|Expected \"'", "a quote is not closed"),
    (r"Unescaped '\\'", "a backslash in \"...\" needs another one before it; or use '...'"),
    (r"Invalid value \(at end of document", "the file ends where a value should stand"),
    (r"Invalid value", "this is not a TOML value; text needs quotes"),
    (r"Invalid statement|Invalid initial character", "this is not a key; keys are key = value"),
    (r"Invalid date", "this is not a date, nor a number; text needs quotes"),
    (r"Invalid hex|Unicode scalar", "this escape names no character"),
    (r"Illegal character|Found invalid character", "there is a character here that TOML forbids"),
    (r"integer string conversion", "this number has too many digits"),
)


@dataclass(frozen=True)
class Source:
    """A config's text and the table that it spells."""

    name: str
    text: str
    table: dict[str, Any]


def read(path: Path) -> Source:
    """The text and the table of a TOML file."""
    name = str(path)
    text = _decode(name, _bytes(path))
    try:
        table = tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise _refuse(name, "the values are nested too deeply") from None
    except ValueError as error:
        raise _broken(name, text, str(error)) from None
    if not table:
        raise _refuse(name, 'the file is empty; a config begins with experiment = "descent"')
    return Source(name, text, table)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except IsADirectoryError:
        found = sorted(file.name for file in path.glob("*.toml"))
        inside = f"; it holds {', '.join(found[:8])}" if found else ""
        raise _refuse(str(path), f"this is a folder, not a file{inside}") from None
    except (FileNotFoundError, NotADirectoryError):
        raise _refuse(str(path), _missing(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refuse(str(path), f"cannot be read: {reason.lower()}") from None


def _missing(path: Path) -> str:
    if not path.parent.is_dir():
        return f"no such file; there is no folder '{path.parent}'"
    found = sorted(file.name for file in path.parent.glob("*.toml"))
    wanted = path.name if path.suffix else f"{path.name}.toml"
    if close := get_close_matches(wanted, found, n=1):
        return f"no such file; did you mean '{path.parent / close[0]}'?"
    inside = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")
    return f"no such file; in that folder are {inside}" if found else "no such file"


def _decode(name: str, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refuse(name, "the file is saved as UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise _refuse(name, "this is not a text file; a config is TOML, saved as UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start)
        source = data.split(b"\n")[row].decode("utf-8", "backslashreplace").rstrip("\r")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise ConfigError([Located(Place(name, row + 1, source), "", message)]) from None


def _broken(name: str, text: str, said: str) -> ConfigError:
    rows = [row.rstrip("\r") for row in text.split("\n")]
    if place := re.search(r"\(at line (\d+), column (\d+)\)", said):
        line, column = int(place[1]), int(place[2])
    elif "(at end of document)" in said:
        line = max((i for i, row in enumerate(rows, 1) if row.strip()), default=1)
        column = len(rows[line - 1]) + 1
    else:
        return _refuse(name, _words(said, ""))
    words = _words(said, rows[line - 1][column - 1 :])
    return ConfigError(
        [Located(Place(name, line, rows[line - 1]), "", f"column {column}: {words}")]
    )


def _words(said: str, rest: str) -> str:
    """What tomllib says of a place in a friend's words; `rest` is the line from there on."""
    if "Invalid initial character" in said and rest.strip()[:1] in ("", "}", "#"):
        return "a '{' and its '}' stand on one line, with no comma before the '}'"
    friendly = (words for pattern, words in WORDS if re.search(pattern, said))
    return next(friendly, said.split(" (at")[0].lower())


def _refuse(name: str, message: str) -> ConfigError:
    return ConfigError([Located(Place(name, 0, ""), "", message)])

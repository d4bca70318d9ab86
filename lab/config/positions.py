"""Where each key of a TOML text stands: `lines(text)` maps a path of keys to a line number.

Best effort: tomllib decides what a file means, tree-sitter only says where. A key that it cannot
place has the line of its nearest ancestor (see `Places`).
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]


def lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every table, key and array element that tree-sitter can place."""
    try:
        import tree_sitter
        import tree_sitter_toml

        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
        walk = _Walk()
        walk.document(parser.parse(text.encode()).root_node)
    except (ImportError, RecursionError, ValueError):
        return {}
    return walk.found


def key_parts(text: str) -> list[str]:
    """`optimizers."heavy ball".momentum` as its parts; tomllib reads the key, so its rules hold.

    Raises:
        tomllib.TOMLDecodeError: if the text is not one TOML key.
    """
    table = tomllib.loads(f"{text} = 0")
    parts: list[str] = []
    while isinstance(table, dict):
        if len(table) != 1:
            raise tomllib.TOMLDecodeError("not one key")
        [(part, table)] = table.items()
        parts.append(part)
    return parts


@dataclass
class _Walk:
    """One pass over a syntax tree, noting where each path was first named."""

    found: dict[Path, int] = field(default_factory=dict)
    elements: dict[Path, int] = field(default_factory=dict)  # arrays of tables -> latest index

    def document(self, root: Any) -> None:
        for node in root.named_children:
            if node.type == "pair":
                self.pair(node, ())
            elif node.type in ("table", "table_array_element"):
                self.table(node)

    def table(self, node: Any) -> None:
        header, *rest = (child for child in node.named_children if child.type != "comment")
        *outer, last = _key(header)
        path = self.descend((), outer, header)
        if node.type == "table_array_element":
            path = (*path, last)
            self.note(path, header)
            self.elements[path] = self.elements.get(path, -1) + 1
            path = (*path, self.elements[path])
            self.note(path, header)
        else:
            path = self.descend(path, [last], header)
        for child in rest:
            if child.type == "pair":
                self.pair(child, path)

    def descend(self, path: Path, parts: list[str], node: Any) -> Path:
        for part in parts:
            path = (*path, part)
            self.note(path, node)
            if path in self.elements:
                path = (*path, self.elements[path])
        return path

    def pair(self, node: Any, path: Path) -> None:
        key, *values = (child for child in node.named_children if child.type != "comment")
        for part in _key(key):
            path = (*path, part)
            self.note(path, key)
        for value in values:
            self.value(value, path)

    def value(self, node: Any, path: Path) -> None:
        children = [child for child in node.named_children if child.type != "comment"]
        if node.type == "inline_table":
            for child in children:
                if child.type == "pair":
                    self.pair(child, path)
        elif node.type == "array":
            for index, child in enumerate(children):
                self.note((*path, index), child)
                self.value(child, (*path, index))

    def note(self, path: Path, node: Any) -> None:
        # A row is an attribute since tree-sitter 0.22, and the first of a pair in all versions.
        self.found.setdefault(path, node.start_point[0] + 1)


def _key(node: Any) -> list[str]:
    return list(_parts(node))


def _parts(node: Any) -> Iterator[str]:
    if node.type == "dotted_key":
        for child in node.named_children:
            yield from _parts(child)
    elif node.type == "quoted_key":
        yield from key_parts(node.text.decode())
    else:
        yield node.text.decode()


@dataclass(frozen=True)
class Place:
    """Where a value came from: a line of the file, or a word of the command line."""

    where: str
    line: int
    source: str
    smoke: bool = False  # brought in by [smoke]
    outside: bool = False  # not in the file: `line` counts the overrides

    @property
    def head(self) -> str:
        """`bad.toml:9`, or `command line`."""
        return f"{self.where}:{self.line}" if self.line and not self.outside else self.where

    @property
    def order(self) -> tuple[bool, int]:
        """The file from top to bottom, then the command line from left to right."""
        return (self.outside, self.line)


@dataclass(frozen=True)
class Places:
    """The place of every path in a table; overrides put new places over those of the file.

    Paths are held as text: whether `0` is an index or a key, there is only one of it at a place.
    """

    root: Place
    known: Mapping[tuple[str, ...], Place]

    @classmethod
    def of(cls, name: str, text: str) -> "Places":
        """The places of a file's own keys."""
        rows = [row.rstrip("\r") for row in text.split("\n")]
        found = lines(text).items()
        known = {_text(path): Place(name, line, rows[line - 1]) for path, line in found}
        return cls(Place(name, 0, ""), known)

    def find(self, path: Path) -> Place:
        """The place of a path, or of its nearest ancestor that has one."""
        for end in range(len(path), 0, -1):
            if (place := self.known.get(_text(path[:end]))) is not None:
                return place
        return self.root

    def below(self, path: Path) -> dict[tuple[str, ...], Place]:
        """The places of a path and of all under it, seen from there."""
        size, path = len(path), _text(path)
        return {key[size:]: place for key, place in self.known.items() if key[:size] == path}

    def put(self, path: Path, places: Mapping[tuple[str, ...], Place]) -> "Places":
        """The same places, with those at a path and under it replaced."""
        size, path = len(path), _text(path)
        kept = {key: place for key, place in self.known.items() if key[:size] != path}
        for end in range(1, size):
            kept.setdefault(path[:end], places[()])
        return Places(self.root, kept | {(*path, *key): place for key, place in places.items()})


def _text(path: Path) -> tuple[str, ...]:
    return tuple(map(str, path))

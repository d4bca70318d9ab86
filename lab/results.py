"""Results on disk: zarr, written block by block, so that a run can be taken up again.

A block is written whole and then marked. What is not marked is computed anew, to the same bits.
"""

import io
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import xarray as xr
import zarr
from zarr.codecs import BloscCodec

from lab import dataset
from lab.engine import Results
from lab.files import replace_bytes
from lab.plan import Plan

RESULTS = "results.zarr"
PROGRESS = ".progress"
LABELS = "labels"

CHECKPOINT = 16
"""Counts across starts are saved after so many blocks."""


class LaneStore:
    """One label's lanes; `done` holds the blocks that are there already."""

    def __init__(self, folder: Path, label: str, plan: Plan):
        self.plan, self.specs = plan, dataset.specs(plan)
        self.marks = _progress(folder, label, "blocks")
        if not (self.marks.exists() and _is_complete(folder / RESULTS / label, self.specs)):
            self._create(folder / RESULTS, label)
            self.marks.write_bytes(b"")
        self.group = zarr.open_group(folder / RESULTS, mode="r+", path=label)
        # A line without its end was being written when the run was killed: it would run into the
        # next, so it goes.
        lines = self.marks.read_bytes().split(b"\n")[:-1]
        self.done = {int(line) for line in lines if line.isdigit()}
        self.marks.write_bytes(b"".join(b"%d\n" % block for block in sorted(self.done)))

    def write(self, block: int, results: Mapping[str, np.ndarray]) -> None:
        """Write a block, then mark it."""
        for name, values in results.items():
            dataset.put(self.plan, self.group[name], block, self.specs[name], values)
        with self.marks.open("a") as marks:
            marks.write(f"{block}\n")
        self.done.add(block)

    def close(self) -> None:
        """Nothing is held back."""

    def _create(self, path: Path, label: str) -> None:
        coordinates, attributes = dataset.coordinates(self.plan), dataset.attributes(self.plan)
        save(path, label, xr.Dataset(coords=coordinates, attrs=attributes))
        group = zarr.open_group(path, mode="r+", path=label)
        for name, spec in self.specs.items():
            block = dataset.region(self.plan, 0, spec)
            chunks = [len(range(*s.indices(n))) for s, n in zip(block, spec.shape, strict=True)]
            group.create_array(
                name,
                shape=spec.shape,
                chunks=tuple(max(1, n) for n in chunks),
                dtype=spec.dtype,
                compressors=BloscCodec(cname="zstd", shuffle="bitshuffle"),
                dimension_names=spec.dims,
                attributes=spec.attributes,
            )


class CountStore:
    """One label's counts across starts, held in memory and saved every few blocks."""

    def __init__(self, folder: Path, label: str, plan: Plan):
        self.plan, self.specs = plan, dataset.specs(plan)
        self.path, self.label = folder / RESULTS, label
        self.checkpoint = _progress(folder, label, "npz")
        self.counts = {name: np.zeros(s.shape, s.dtype) for name, s in self.specs.items()}
        self.done: set[int] = set()
        if self.checkpoint.exists():
            with np.load(self.checkpoint) as saved:
                self.done = set(saved["done"].tolist())
                self.counts = {name: saved[name] for name in self.counts}

    def write(self, block: int, results: Mapping[str, np.ndarray]) -> None:
        """Add a block's counts."""
        for name, values in results.items():
            dataset.put(self.plan, self.counts[name], block, self.specs[name], values)
        self.done.add(block)
        if len(self.done) % CHECKPOINT == 0:
            self._save()

    def close(self) -> None:
        """Save the counts and, once all blocks are in, the dataset."""
        self._save()
        if len(self.done) == self.plan.layout.blocks:
            data = dataset.empty(self.plan)
            for name, counts in self.counts.items():
                data[name].values[...] = counts
            save(self.path, self.label, data)

    def _save(self) -> None:
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {"done": np.array(sorted(self.done), np.int64), **self.counts}
        np.savez_compressed(buffer, **arrays)
        replace_bytes(self.checkpoint, buffer.getvalue())


def run_into(
    folder: Path,
    label: str,
    plan: Plan,
    blocks: Callable[[Collection[int]], Iterable[tuple[int, Results]]],
    stored: Callable[[], None] = lambda: None,
) -> None:
    """Compute the blocks of a label that are not in the run directory yet, and store them.

    Args:
        folder: the run directory.
        label: the plan's name there.
        plan: what is run.
        blocks: gives every block but those that are done, and its results, in any order. While
            one is written, it computes the next.
        stored: called after each.
    """
    _note(folder / RESULTS, label)
    kind = CountStore if plan.run.keep == "reduced" else LaneStore
    store = kind(folder, label, plan)
    try:
        with _writer() as submit:
            for block, results in blocks(store.done.copy()):
                submit(store.write, block, results)
                stored()
    except KeyboardInterrupt:
        store.close()
        raise
    store.close()


def save(path: Path, group: str, data: xr.Dataset) -> None:
    """Write a dataset as a group of the results, in place of one of that name.

    Words are stored with lengths of their own, the only way that zarr's third format specifies.
    """
    words = {name: v.astype(object) for name, v in data.variables.items() if v.dtype.kind == "U"}
    data = data.assign(words)
    with _quiet():
        data.to_zarr(path, group=group, mode="w", zarr_format=3, consolidated=False)


def load(path: Path) -> xr.DataTree:
    """The results, read when they are looked at; labels in the order in which they were run."""
    if not path.is_dir():
        return xr.DataTree()
    with _quiet():
        tree = xr.open_datatree(path, engine="zarr", consolidated=False)
    names = [*tree.attrs.get(LABELS, []), *tree.children]
    return xr.DataTree(tree.to_dataset(), {name: tree.children[name] for name in names})


def load_group(path: Path, group: str) -> xr.Dataset:
    """One group of the results, read when it is looked at; empty if it is not there."""
    if not (path / group).is_dir():
        return xr.Dataset()
    with _quiet():
        return xr.open_dataset(path, group=group, engine="zarr", consolidated=False)


def labels(tree: xr.DataTree) -> list[str]:
    """The groups that are labels; the others' names begin with `_`."""
    return [name for name in tree.children if not name.startswith("_")]


def _note(path: Path, label: str) -> None:
    """Remember the order of labels, which zarr does not."""
    root = zarr.open_group(path, mode="a")
    known: Any = root.attrs.get(LABELS, [])
    if label not in known:
        root.attrs[LABELS] = [*known, label]


@contextmanager
def _writer() -> Iterator:
    """Run calls in the background, in order, with at most a few waiting."""
    waiting: list[Future] = []
    with ThreadPoolExecutor(1, "writer") as pool:

        def submit(function, *arguments) -> None:
            waiting.append(pool.submit(function, *arguments))
            while len(waiting) > 4:
                waiting.pop(0).result()

        yield submit
        for future in waiting:
            future.result()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without zarr's remark that groups of the third format have no consolidated metadata."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Cc]onsolidated metadata.*")
        yield


def _is_complete(group: Path, names: Iterable[str]) -> bool:
    """Whether a label's group and its arrays are all there."""
    return all((group / name / "zarr.json").is_file() for name in ("", *names))


def _progress(folder: Path, label: str, suffix: str) -> Path:
    path = folder / PROGRESS / f"{quote(label, safe=' ')}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path

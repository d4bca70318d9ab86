"""A run directory: what it was made from, whether it is finished, and who may write to it."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import filelock

from lab import __version__
from lab.config import Document
from lab.errors import LabError
from lab.files import replace_bytes, replace_text

MANIFEST = "manifest.json"
OURS = (MANIFEST, "config.toml", "results.zarr", ".progress", "figures", "report.html", "log.txt",
        "checks.json", "summary.csv", "summary.json")  # fmt: skip
PACKAGES = ("jax", "jaxlib", "optax", "numpy", "xarray", "zarr", "matplotlib")


class RunDirectory:
    """A folder under `runs/`; it need not exist yet."""

    def __init__(self, path: Path):
        self.path = path

    @property
    def manifest(self) -> dict[str, Any] | None:
        """What the manifest says, or None where there is no run."""
        try:
            return json.loads((self.path / MANIFEST).read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise LabError(f"{self.path / MANIFEST} cannot be read: {error}") from error

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace the manifest."""
        replace_text(self.path / MANIFEST, json.dumps(manifest, indent=2) + "\n")

    def begin(self, document: Document, identity: Mapping[str, Any]) -> dict[str, Any]:
        """Make the folder ready for this config, or take up the run that is in it.

        Raises:
            LabError: when another run is in it, with what differs, or it cannot be written.
        """
        known = self.manifest
        if known is not None:
            self.refuse_changes(document, identity)
            return known
        if self.path.is_dir() and any(p.name != ".lock" for p in self.path.iterdir()):
            raise LabError(f"{self.path} is not empty and holds no run; choose another with --out")
        manifest = {
            "lab": __version__,
            "config_file": document.path.name,
            "config": document.table,
            "identity": dict(identity),
            "hash": _hash([document.table, identity]),
            "started": now(),
            "finished": None,
        }
        replace_bytes(self.path / "config.toml", document.text.encode())
        self.write_manifest(manifest)
        return manifest

    def refuse_changes(self, document: Document, identity: Mapping[str, Any]) -> None:
        """Raise LabError if this config is not the one whose run is here, saying what changed.

        A finished run stays readable when only the lab or its libraries have moved on.
        """
        known = self.manifest
        assert known is not None
        changes = document.differences(known["config"])
        parts = ["files"] if known["finished"] else ["files", "lab", "versions", "platform"]
        for part in parts:
            changes += _differences(part, known["identity"][part], identity[part])
        if changes:
            lines = "\n".join(f"  {change}" for change in changes)
            raise LabError(
                f"{self.path} holds a run of another config; changed since:\n{lines}\n"
                "Replace it with --fresh, or keep both with --out DIR."
            )

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Say that the run is finished, and drop what only an unfinished one needs."""
        self.write_manifest(manifest)
        shutil.rmtree(self.path / ".progress", ignore_errors=True)

    def clear(self) -> None:
        """Delete a run, and nothing that the lab did not put there."""
        for name in OURS:
            target = self.path / name
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The folder, made if need be, for this process alone.

        Raises:
            LabError: when it cannot be written, or another process is writing to it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.path / ".lock", timeout=0)
            lock.acquire()
        except filelock.Timeout as error:
            raise LabError(f"{self.path} is being written by another run of the lab") from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise LabError(f"{self.path} cannot be written: {reason}; choose another with --out") from error
        try:
            yield
        finally:
            lock.release()


def identity(document: Document, experiment: Path, platform: str) -> dict[str, Any]:
    """What the bits of a run depend on, apart from its config: sources, versions, platform."""
    named = {name for name in _python_files(document.table) if (document.folder / name).is_file()}
    files = {name: _digest([document.folder / name]) for name in sorted(named)}
    if experiment.name not in files:
        files[experiment.name] = _digest([experiment])
    return {
        "files": files,
        "lab": {"source": _digest(sorted(Path(__file__).parent.glob("**/*.py")))},
        "versions": versions(),
        "platform": {"name": platform},
    }


def versions() -> dict[str, str]:
    """The versions of the packages that results depend on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    return found


def now() -> str:
    """The time, to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _python_files(value: Any) -> Iterator[str]:
    """Every `file.py` that a config names, also as `file.py:function`."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _python_files(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _python_files(inner)
    elif isinstance(value, str):
        name = value.partition(".py")[0] + ".py"
        if value == name or value.startswith(f"{name}:"):
            yield name


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _differences(part: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    words = {"files": "edited", "lab": "the lab's own source has changed"}
    changes = []
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            if part in words:
                changes.append(f"{name}: {words[part]}")
            else:
                changes.append(f"{name}: {old.get(name)} -> {new.get(name)}")
    return changes

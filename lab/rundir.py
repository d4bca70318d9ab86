"""A run directory: what it was made from, whether it is finished, and who may write to it."""

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import filelock

from lab import __version__, builtin
from lab.config import Document
from lab.errors import LabError
from lab.files import replace_bytes, replace_text

MANIFEST = "manifest.json"
OURS = ("config.toml", "results.zarr", ".progress", "figures", "report.html", "log.txt",
        "checks.json", "summary.csv", "summary.json", MANIFEST)  # fmt: skip
KEYS = {"config", "identity", "finished", "command", "title"}
FINISHED_KEYS = {"seconds", "lane_steps", "figures", "verdict", "outcomes", "criteria", "hash"}
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
PACKAGES = ("jax", "jaxlib", "optax", "numpy", "xarray", "zarr", "matplotlib")


class RunDirectory:
    """A folder under `runs/`; it need not exist yet."""

    def __init__(self, path: Path):
        self.path = path

    @property
    def manifest(self) -> dict[str, Any] | None:
        """What the manifest says, or None where there is no run.

        Raises:
            LabError: when it cannot be read, or somebody else wrote it.
        """
        file = self.path / MANIFEST
        help = f"delete {self.path} if it is a run, or choose another directory with --out"
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise LabError(f"{file} cannot be read: {error.strerror}; {help}") from error
        except ValueError as error:
            raise LabError(f"{file} is damaged: {error}; {help}") from error
        missing = KEYS - found.keys() if isinstance(found, dict) else KEYS
        if not missing and found["finished"]:
            missing = FINISHED_KEYS - found.keys()
        if missing:
            raise LabError(f"{file} is not, or no longer, the manifest of a run; {help}")
        return found

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace the manifest."""
        replace_text(self.path / MANIFEST, json.dumps(manifest, indent=2) + "\n")

    def begin(
        self, document: Document, identity: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make the folder ready for this config, or take up the run that is in it.

        Args:
            document: the config.
            identity: what else the run depends on.
            facts: what the manifest says besides.

        Raises:
            LabError: when another run is in it, with what differs.
        """
        known = self.manifest
        if known is None:
            known = {
                "lab": __version__,
                "config_file": document.path.name,
                "config": document.table,
                "identity": dict(identity),
                "hash": _hash([document.table, identity]),
                "started": now(),
                "finished": None,
            }
        else:
            self.refuse_changes(document, identity)
        manifest = {**known, **facts}
        self.write_manifest(manifest)
        replace_bytes(self.path / "config.toml", document.text.encode())
        return manifest

    def refuse_strangers(self) -> None:
        """Raise LabError if this is no place for a run: a file, or a folder of other things."""
        if self.path.exists() and not self.path.is_dir():
            raise LabError(f"{self.path} is a file; a run needs a directory of its own: --out DIR")
        if self.manifest is None and self.path.is_dir():
            strangers = sorted(p.name for p in self.path.iterdir() if not p.name.startswith("."))
            if strangers:
                raise LabError(
                    f"{self.path} holds no run, but {', '.join(strangers[:3])}"
                    f"{', ...' if len(strangers) > 3 else ''}; choose another with --out"
                )

    def refuse_changes(self, document: Document, identity: Mapping[str, Any]) -> None:
        """Raise LabError if this config is not the one whose run is here, saying what changed.

        A finished run stays readable when only the lab or its libraries have moved on.
        """
        known = self.manifest
        assert known is not None
        changes = document.differences(known["config"])
        parts = ["files"] if known["finished"] else ["files", "lab", "versions", "platform"]
        for part in parts:
            changes += _differences(part, known["identity"].get(part, {}), identity[part])
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
        """Delete the run that is here, and nothing that the lab did not put there."""
        known = self.manifest
        if known is None:
            return
        self.write_manifest({**known, "finished": None})  # what follows may be interrupted
        for name in OURS:
            target = self.path / name
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)

    def _vanish(self, made: list[Path]) -> None:
        """Delete the run, and the folders that were made for it where nothing else is in them."""
        self.clear()
        with suppress(OSError):
            (self.path / ".lock").unlink(missing_ok=True)
            for path in made:
                path.rmdir()

    @property
    def begun(self) -> bool:
        """Whether there are results of an unfinished run that can be gone on with."""
        progress = self.path / ".progress"
        return progress.is_dir() and any(p.stat().st_size for p in progress.iterdir())

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The folder, made if need be, for this process alone.

        What turns out to be wrong before there are results leaves nothing behind.

        Raises:
            LabError: when it cannot be written, or another process is writing to it.
        """
        self.refuse_strangers()
        made = [path for path in (self.path, *self.path.parents) if not path.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.path / ".lock", timeout=0)
            lock.acquire()
        except filelock.Timeout as error:
            raise LabError(f"{self.path} is being written by another run of the lab") from error
        except OSError as error:
            reason = error.strerror or str(error)
            message = f"{self.path} cannot be written: {reason}; choose another with --out"
            raise LabError(message) from error
        try:
            yield
        except LabError:
            if made and not self.begun:
                self._vanish(made)
            raise
        except OSError as error:
            if error.errno not in FULL:
                raise
            message = f"{self.path}: {error.strerror}; with room, the same command goes on"
            raise LabError(message) from error
        finally:
            lock.release()


def identity(document: Document, experiment: Path, platform: str) -> dict[str, Any]:
    """What the bits of a run depend on, apart from its config: sources, versions, platform."""
    named = {name for name in _python_files(document.table) if (document.folder / name).is_file()}
    files = {name: _digest([document.folder / name]) for name in sorted(named)}
    ours = [experiment] if builtin.is_ours(experiment) else []
    return {
        "files": files,
        "lab": {"source": source(*ours)},
        "versions": versions(),
        "platform": {"name": platform} | ({"processor": processor()} if platform == "cpu" else {}),
    }


def source(*others: Path) -> str:
    """A digest of the lab's own source, and of other files."""
    return _digest([*sorted(Path(__file__).parent.glob("**/*.py")), *others])


def processor() -> str:
    """What kind of processor this is: its kernels round as its instructions do."""
    from lab.kernels.cpu import building

    return building.description()


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

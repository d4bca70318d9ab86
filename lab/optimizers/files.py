"""The user's own functions: `my_optimizers.py:nesterov`, a file relative to the config."""

import importlib.util
import re
import traceback
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from lab.errors import Fault, SpecError, nearest

REFERENCE = re.compile(r"(?P<file>.+\.py):(?P<name>[^:/\\]+)")


def is_reference(text: object) -> bool:
    """Whether it is written `file.py:name`."""
    return isinstance(text, str) and REFERENCE.fullmatch(text) is not None


def load(reference: str, folder: Path) -> Any:
    """What `file.py:name` names, or a `SpecError` that says why it cannot be had."""
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise _wrong(f"{reference!r} is not of the form 'file.py:function'")
    path = (Path(folder) / found["file"]).resolve()
    if not path.is_file():
        beside = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise _wrong(f"there is no file {path}{nearest(path.name, beside)}")
    module = _module(path, path.stat().st_mtime_ns)
    name = found["name"].strip()
    if not hasattr(module, name):
        public = [n for n, value in vars(module).items() if callable(value) and n[0] != "_"]
        raise _wrong(f"{path.name} defines no {name!r}{nearest(name, public)}")
    return getattr(module, name)


@lru_cache(maxsize=64)
def _module(path: Path, changed: int) -> ModuleType:
    """The module, read once for each version of the file, so that its functions stay the same."""
    spec = importlib.util.spec_from_file_location(f"lab_user_{path.stem}_{changed}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise _wrong(f"{path.name}{_line(error, path)}: {type(error).__name__}: {error}") from error
    return module


def _line(error: Exception, path: Path) -> str:
    """`:3`, the last line of the file that was running (or that does not parse)."""
    if isinstance(error, SyntaxError):
        return f":{error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f":{lines[-1]}" if lines else ""


def _wrong(message: str) -> SpecError:
    return SpecError([Fault((), message)])

"""The user's own functions: `my_losses.py:valley`, relative to a folder."""

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from lab.errors import Fault, SpecError, nearest

_loaded: dict[tuple[str, int, int], ModuleType] = {}


def is_file_reference(text: object) -> bool:
    """Whether a name points into a Python file."""
    return isinstance(text, str) and (text.endswith(".py") or ".py:" in text)


def load_object(text: str, folder: Path) -> Any:
    """The object that "file.py:name" names; every failure is one `SpecError` with one `Fault`."""
    file, _, name = text.rpartition(":") if not text.endswith(".py") else (text, "", "")
    path = (Path(folder) / file).resolve()
    if not path.is_file():
        others = [other.name for other in sorted(path.parent.glob("*.py"))]
        _fail(f"there is no file {file!r} in {folder}{nearest(path.name, others)}")
    public = [n for n, value in vars(_module(path, file)).items() if _is_public(n, value)]
    if not name:
        _fail(f"names no function; write '{file}:NAME'{nearest('', public)}")
    module = _module(path, file)
    if not hasattr(module, name):
        _fail(f"{file} has no {name!r}{nearest(name, public)}")
    return getattr(module, name)


def _is_public(name: str, value: Any) -> bool:
    return not name.startswith("_") and callable(value) and not isinstance(value, type)


def _module(path: Path, file: str) -> ModuleType:
    """The imported file; once for every version of it, so that its functions stay the same."""
    stat = path.stat()
    version = (str(path), stat.st_mtime_ns, stat.st_size)
    if version not in _loaded:
        _loaded[version] = _import(path, file)
    return _loaded[version]


def _import(path: Path, file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"lab_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        _fail(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    before, folder = set(sys.modules), str(path.parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        _fail(_told(error, path, file))
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:  # another folder may have a helper of the same name
            if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == path.parent:
                del sys.modules[name]
    return module


def _told(error: BaseException, path: Path, file: str) -> str:
    """`my_losses.py:12: NameError: ...`, at the last line of the file that was running."""
    if isinstance(error, SyntaxError):
        name = Path(error.filename).name if error.filename else file
        return f"{name}:{error.lineno}: cannot be read as Python: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    line = next((f.lineno for f in reversed(frames) if Path(f.filename) == path), None)
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{file}:{line}: fails on import with {type(error).__name__}: {first}"


def _fail(message: str) -> NoReturn:
    raise SpecError([Fault((), message)]) from None

"""Files that are either whole or not there."""

import os
import tempfile
from pathlib import Path


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it into place."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def replace_text(path: Path, text: str) -> None:
    """`replace_bytes`, in UTF-8."""
    replace_bytes(path, text.encode())

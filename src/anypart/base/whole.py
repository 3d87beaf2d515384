"""Files that are whole or not there: written beside their place, then moved there at once."""

from __future__ import annotations

import glob
import hashlib
import os
import platform
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

# Whether a process lives can only be told on the machine that runs it, and folders are shared.
_HERE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Give a temporary name beside `path`, moved to it when the block ends well.

    A reader sees all of the old content or all of the new, also after a crash at any
    moment; an error leaves what was there, and names `path`. What processes that were
    killed had begun to write to the same place is removed.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     place = Path(folder) / "a.txt"
        ...     with replacing(place) as part:
        ...         _ = part.write_text("all of it")
        ...     place.read_text()
        'all of it'

    """
    sweep(path.parent, glob.escape(path.name))
    part = path.with_name(f".{path.name}.{_HERE}-{os.getpid()}.part")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:  # named after what the caller asked for, not after the part
        if error.filename in (None, str(part)):
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, reason, str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file as `replacing` does."""
    with replacing(path) as part:
        part.write_bytes(content)


def sweep(folder: Path, names: str = "*") -> None:
    """Remove the beginnings that killed processes of this machine left in a folder.

    Args:
        folder: where.
        names: pattern of the files they were to become.

    """
    if os.name != "posix":  # elsewhere asking for a process can end it
        return
    for part in folder.glob(f".{names}.{_HERE}-*.part"):
        process = part.name.rpartition("-")[2].removesuffix(".part")
        if process.isdigit() and not _lives(int(process)):
            part.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True

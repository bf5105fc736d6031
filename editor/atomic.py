"""Writing a file so that its place never holds half of it."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from editor.errors import WritingError


@contextmanager
def atomic_write(path: Path) -> Generator[BinaryIO]:
    """A binary file beside `path` that takes its place when the block ends without an exception.

    The data are on the disk before the name changes. On any failure `path` is as it was and nothing is
    left over.

    Raises:
        WritingError: the folder is missing or read-only, or the disk is full.
    """
    target = path.resolve()  # a link keeps pointing at the file that it points at
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _take_mode(temporary, target)
        temporary.replace(target)
        temporary = None
        sync_folder(target.parent)
    except OSError as error:
        raise writing_error(path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def writing_error(path: Path, error: OSError) -> WritingError:
    """What the user reads when `path` could not be written."""
    reason = error.strerror or str(error)
    return WritingError(
        f"“{path}” could not be written: {reason}.", "Choose another place, or free some space."
    )


def _take_mode(temporary: Path, target: Path) -> None:
    """mkstemp makes private files; a new file gets the usual mode, a replaced one keeps its own."""
    try:
        mode = target.stat().st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    with suppress(OSError):
        temporary.chmod(mode)


def sync_folder(folder: Path) -> None:
    """Put a folder's new names on the disk."""
    with suppress(OSError):  # not possible on every system; the rename itself is done
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""One file over a line that may break: it goes on where it stopped, and ends right or not at all.

Nothing has its final name before all of its bytes were read back and their hash is the one that the hub's
list names. What a server says of the file itself (length, range, another hash) is never believed.
"""

import contextlib
import errno
import hashlib
import http.client
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inference.downloads.connection import BrokenOffError, Connection
from inference.downloads.repository import RemoteFile
from inference.errors import EditorError, UnreachableError, WritingError
from inference.reasons import reason_of

_PIECE_BYTES = 256 * 1024
_TRIES = 4  # in a row that bring nothing
_DAMAGED_TRIES = 2
_FIRST_WAIT_S = 0.5
_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(?:\d{1,15}|\*)")


def transfer(
    connection: Connection,
    path: str,
    file: RemoteFile,
    target: Path,
    *,
    model: str,
    arrived: Callable[[int], None],
    check: Callable[[], None],
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch `file` to `target`; what `target` with ".incomplete" has of it already is not asked again.

    Args:
        path: of the file on the server.
        arrived: told how many of its bytes are here; the number can fall when something was damaged.
        check: raises to stop; what has arrived stays.
        wait: between tries.

    Raises:
        EditorError: it is not to be had, or its hash is wrong each time.
        WritingError, OSError: it cannot be written.
    """
    part = target.with_name(f"{target.name}.incomplete")
    for attempt in range(_DAMAGED_TRIES):
        _fill(connection, path, file, part, model=model, arrived=arrived, check=check, wait=wait)
        if _hash_of(part, file, check) == file.hash:
            part.replace(target)
            return
        part.unlink()
        arrived(0)
        if attempt == _DAMAGED_TRIES - 1:
            raise UnreachableError(
                "“{model}” arrived damaged: {file} is not what {host} lists.",
                "Nothing of that file was kept. Try again later, or over another network.",
                model=model,
                file=file.name,
                host=connection.host,
            )


def _fill(
    connection: Connection,
    path: str,
    file: RemoteFile,
    part: Path,
    *,
    model: str,
    arrived: Callable[[int], None],
    check: Callable[[], None],
    wait: Callable[[float], None],
) -> None:
    """Bring `part` to the file's size, over as many connections as it takes."""
    failures = 0
    while (here := _size(part)) != file.size or not part.exists():
        check()
        if here > file.size:
            part.unlink()
            here = 0
        arrived(here)
        try:
            _once(connection, path, file, part, here, model=model, arrived=arrived, check=check)
        except BrokenOffError as broken:
            failures = 0 if _size(part) > here else failures + 1
            if failures >= _TRIES:
                raise broken.error from broken
            _patiently(max(broken.wait_s, _FIRST_WAIT_S * 2**failures), check, wait)


def _once(
    connection: Connection,
    path: str,
    file: RemoteFile,
    part: Path,
    here: int,
    *,
    model: str,
    arrived: Callable[[int], None],
    check: Callable[[], None],
) -> None:
    """One connection, until it ends."""
    headers = {"Accept-Encoding": "identity"}
    if here:
        headers["Range"] = f"bytes={here}-"
    with connection.open(path, headers, model=model) as answer:
        if here and not _goes_on_at(answer, here):
            here = 0  # a server that cannot go on sends the whole
        with part.open("r+b" if here else "wb") as out:
            out.seek(here)
            out.truncate()
            while here < file.size:
                check()
                try:
                    piece = answer.read1(min(_PIECE_BYTES, file.size - here))
                except (OSError, ValueError, http.client.HTTPException) as error:
                    raise connection.lost(error, model) from error
                if not piece:
                    raise connection.lost(ConnectionResetError(errno.ECONNRESET, "closed"), model)
                out.write(piece)
                here += len(piece)
                arrived(here)


def _goes_on_at(answer: Any, here: int) -> bool:
    match = _RANGE.fullmatch(str(answer.headers.get("Content-Range") or ""))
    return answer.status == 206 and match is not None and match[1] == str(here)


def _hash_of(part: Path, file: RemoteFile, check: Callable[[], None]) -> str:
    """The hash of what is on the disk, of the kind that the file's own is: SHA-256, or git's SHA-1."""
    if len(file.hash) == 64:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    with part.open("rb") as content:
        while piece := content.read(8 * 2**20):
            check()
            digest.update(piece)
    return digest.hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _patiently(seconds: float, check: Callable[[], None], wait: Callable[[float], None]) -> None:
    """Wait in short pieces, so that stopping is quick."""
    left = seconds
    while left > 0:
        check()
        wait(min(left, 0.25))
        left -= 0.25


def forgotten(folder: Path) -> None:
    """Delete what has arrived of unfinished files in a folder of contents."""
    for part in folder.glob("*.incomplete"):
        with contextlib.suppress(OSError):
            part.unlink()


def cannot_write(error: OSError, model: str) -> EditorError:
    """What is said when the disk refuses."""
    return WritingError(
        "“{model}” could not be written: {reason}.",
        "Make room, or choose another folder with HF_HOME; start it again, and it goes on where it stopped.",
        model=model,
        reason=reason_of(error),
    )

"""Downloading a model into the hub's own cache, which other programs on this machine read as well.

    download("owner/name", Progress(), tell=print)

Asked for first: what the repository holds and what its `model_index.json` says, so that a model that cannot
be used is refused before anything large is fetched; then whether the disk has room. The cache shows a model
only when all of it is there.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from inference.downloads.connection import Connection
from inference.downloads.repository import RemoteFile, look_up, wanted
from inference.downloads.transfer import cannot_write, forgotten, transfer
from inference.errors import EditorError, UnreachableError, WritingError
from inference.files import atomic_write
from inference.process.hub import cached_folder
from inference.progress import Progress

_SPARE_BYTES = 256 * 2**20  # a disk that is full to the last byte stops other programs
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")  # as the hub's own library takes them
_ON = ("1", "ON", "YES", "TRUE")
_TELL_S = 0.1
_WINDOW_S = 5.0  # over which the speed is taken


@dataclass(frozen=True, kw_only=True)
class Download:
    """How far a download is.

    Args:
        done_bytes, total_bytes: of the whole model.
        file: what arrives now.
        bytes_per_second: over the last seconds, 0 before anything is known.
    """

    done_bytes: int
    total_bytes: int
    file: str
    bytes_per_second: float

    @property
    def seconds_left(self) -> float | None:
        """How long it takes at this speed; None if nobody can tell."""
        if self.bytes_per_second <= 0:
            return None
        return (self.total_bytes - self.done_bytes) / self.bytes_per_second


Tell = Callable[[Download], None]


def download(
    hub_id: str,
    progress: Progress | None = None,
    *,
    tell: Tell | None = None,
    connection: Connection | None = None,
    cache: Path | None = None,
) -> Path:
    """Fetch what a model needs; only ever called when the user asks. Stopped and started again it goes on.

    Args:
        progress: stops it; what has arrived stays for the next time.
        tell: told how far it is, about ten times a second.
        cache: the hub's cache; None is the user's (HF_HOME, HF_HUB_CACHE).

    Returns:
        its folder in the cache.

    Raises:
        EditorError: it is not to be had, cannot be used, or does not fit onto the disk.
        Cancelled: it was stopped.
    """
    progress = progress or Progress()
    offline = _offline_by()
    if offline:
        return _already_there(hub_id, offline)
    connection = connection or Connection.standard()
    progress.check()
    try:
        repository = look_up(hub_id, connection)
    except UnreachableError:
        there = cached_folder(hub_id, "model_index.json") if cache is None else None
        if there is None:
            raise
        return there  # what was fetched before needs no network
    progress.check()
    files = wanted(repository, connection)
    home = (cache or _cache()) / f"models--{hub_id.replace('/', '--')}"
    blobs, snapshot = home / "blobs", home / "snapshots" / repository.commit
    missing = [file for file in files if not _is_whole(blobs / file.hash, file)]
    _check_room(home, hub_id, missing, blobs)
    teller = _Teller(tell, sum(file.size for file in files))
    try:
        blobs.mkdir(parents=True, exist_ok=True)
        snapshot.mkdir(parents=True, exist_ok=True)
        before = sum(file.size for file in files) - sum(file.size for file in missing)
        for file in missing:
            transfer(
                connection,
                f"/{hub_id}/resolve/{repository.commit}/{quote(file.name)}",
                file,
                blobs / file.hash,
                model=hub_id,
                arrived=lambda count, base=before, name=file.name: teller(base + count, name),
                check=progress.check,
            )
            before += file.size
        for file in files:
            _place(blobs / file.hash, snapshot / file.name)
        with atomic_write(home / "refs" / "main", parents=True) as out:
            out.write(repository.commit.encode())
    except OSError as error:
        raise cannot_write(error, hub_id) from error
    return snapshot


def give_up(hub_id: str, cache: Path | None = None) -> None:
    """Delete what a stopped download has left behind."""
    forgotten((cache or _cache()) / f"models--{hub_id.replace('/', '--')}" / "blobs")


def _is_whole(blob: Path, file: RemoteFile) -> bool:
    """Whether it is there: nothing has this name before its hash was found right."""
    try:
        return blob.stat().st_size == file.size
    except OSError:
        return False


def _check_room(home: Path, hub_id: str, missing: list[RemoteFile], blobs: Path) -> None:
    needed = 0
    for file in missing:
        part = blobs / f"{file.hash}.incomplete"
        needed += file.size - min(part.stat().st_size if part.is_file() else 0, file.size)
    there = home
    while not there.exists() and there != there.parent:
        there = there.parent
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(there).free
        if missing and needed + _SPARE_BYTES > free:
            raise WritingError(
                "“{model}” needs {needed} GB more on the disk of {folder}, where {free} GB are free.",
                "Make room, or choose a folder on another disk: HF_HOME names it.",
                model=hub_id,
                needed=f"{needed / 1e9:.1f}",
                folder=there,
                free=f"{free / 1e9:.1f}",
            )


def _place(blob: Path, name: Path) -> None:
    """Show a file under its name: as a link, or where the system allows none as a second name or a copy."""
    if name.exists():
        return
    name.parent.mkdir(parents=True, exist_ok=True)
    if name.is_symlink():  # to what was deleted
        name.unlink()
    try:
        name.symlink_to(os.path.relpath(blob, name.parent))
    except OSError:
        try:
            os.link(blob, name)
        except OSError:
            shutil.copyfile(blob, name)


class _Teller:
    """Passes on how far it is, not too often, with the speed of the last seconds."""

    def __init__(self, tell: Tell | None, total: int) -> None:
        self._tell = tell
        self._total = total
        self._next = 0.0
        self._seen: list[tuple[float, int]] = []

    def __call__(self, done: int, file: str) -> None:
        now = time.monotonic()
        if self._tell is None or (now < self._next and done < self._total):
            return
        self._next = now + _TELL_S
        if self._seen and done < self._seen[-1][1]:  # something was damaged and comes again
            self._seen.clear()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW_S and len(self._seen) > 2:
            self._seen.pop(0)
        since, first = self._seen[0]
        elapsed = now - since
        speed = (done - first) / elapsed if elapsed > 0.3 else 0.0
        self._tell(Download(done_bytes=done, total_bytes=self._total, file=file, bytes_per_second=speed))


def _already_there(hub_id: str, offline: str) -> Path:
    folder = cached_folder(hub_id, "model_index.json")
    if folder is None:
        raise EditorError(
            "“{model}” is not on this machine, and downloading is switched off ({variable}).",
            "To download it unset {variable}, and start Attune again.",
            model=hub_id,
            variable=offline,
        )
    return folder


def _offline_by() -> str:
    """The variable by which the user keeps programs from the hub, "" without one."""
    given = (name for name in _OFFLINE if os.environ.get(name, "").strip().upper() in _ON)
    return next(given, "")


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)

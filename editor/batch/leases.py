"""Who works on which file of a batch: exclusive files that any number of machines sharing a folder agree by.

A lease is a file that only one process can make; it says the host and until when it holds. Each process has a
folder of its own beside the leases, with a lock that the system frees when the process ends in whatever
way: on the same machine that tells at once whether a lease is a dead one's. For other machines its time has
to run out, by the clock of the file system, which all share.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from editor.batch.plan import path_to_json
from editor.system.atomic import writing_error
from editor.system.locks import take_lock
from inference.errors import EditorError
from inference.files import read_at_most
from inference.messages import Message
from inference.values import fields, number, parsed_json, text

FOLDER = ".attune-batch"
HOLDS_S = 60.0
_LONGEST_HOLD_S = 24 * 3600.0  # that a lease may say
_LOOK_S = 0.05
_RENEWALS = 4  # within that time
_LEASE_ENDING = ".lease"
_WORKER_ENDING = ".worker"
_LOCK = "lock"
_LARGEST_BYTES = 2**16  # of a lease
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
_IN_USE = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


@dataclass(frozen=True)
class Lease:
    """The right to work on a file; `again` tells that somebody died at it, and may have left its result."""

    path: PurePosixPath
    file: Path
    token: str
    again: bool = False


class Leases:
    """The leases of one process.

    Args:
        target: the folder of the results.
        locked: what keeps others from changing leases meanwhile: the manifest's lock.
        holds_s: after so many seconds without a sign of life another machine takes over.
    """

    def __init__(
        self,
        target: Path,
        locked: Callable[[], AbstractContextManager[None]],
        *,
        holds_s: float = HOLDS_S,
        host: str = "",
    ) -> None:
        self._root = target / FOLDER
        self._locked = locked
        self._holds_s = holds_s
        self._host = host or host_name()
        self._token = secrets.token_hex(8)
        self._own = self._root / f"{self._token}{_WORKER_ENDING}"
        self._lock: BinaryIO | None = None
        self._held: dict[PurePosixPath, Lease] = {}
        self._renewals: dict[Path, tuple[float, float]] = {}  # last ones of other machines, and when seen
        self._changing = threading.Lock()
        self._closing = threading.Event()
        self._renewing: threading.Thread | None = None

    @property
    def folder(self) -> Path:
        """Where results are written before they get their names; on the same drive, removed at the end."""
        return self._own

    def begin(self) -> None:
        """Say that this process is there.

        Raises:
            WritingError: the folder of the results cannot be written to.
        """
        try:
            with self._locked():  # nobody tidies up a folder that has no lock yet
                self._own.mkdir(parents=True)
                self._lock = (self._own / _LOCK).open("w+b")
                with suppress(OSError):  # some network drives have no locks
                    take_lock(self._lock, wait=False)
                self._lock.write(json.dumps({"host": self._host, "pid": os.getpid()}).encode())
                self._lock.flush()
        except OSError as error:
            raise writing_error(self._own, error) from error
        self._renewing = threading.Thread(target=self._renew, name="attune-leases", daemon=True)
        self._renewing.start()

    def take(self, path: PurePosixPath) -> Lease | None:
        """The lease of a file; None while another process works on it.

        Raises:
            WritingError: it cannot be written.
        """
        file = self._root / f"{_key(path)}{_LEASE_ENDING}"
        try:
            if self._make(file, path):
                return self._keep(Lease(path, file, self._token))
            if not self._is_over(file):
                return None
            with self._locked():
                if not self._is_over(file):  # somebody was faster
                    return None
                file.unlink(missing_ok=True)
                if not self._make(file, path):
                    return None
            return self._keep(Lease(path, file, self._token, again=True))
        except OSError as error:
            raise writing_error(file, error) from error

    def left(self, path: PurePosixPath) -> bool:
        """Whether there is a lease of a file, of a living process or a dead one."""
        return (self._root / f"{_key(path)}{_LEASE_ENDING}").exists()

    def holds(self, lease: Lease) -> bool:
        """Whether nobody took it over while this process slept."""
        return _owner_of(lease.file)[0] == lease.token

    def give_back(self, lease: Lease, *, keep: bool = False) -> None:
        """The file is done, or left for later.

        `keep`: the result may be there already, and no line tells of it; the lease goes on saying so.
        """
        with self._changing:
            self._held.pop(lease.path, None)
        if keep:
            return
        with suppress(OSError):
            if self.holds(lease):
                lease.file.unlink()

    def close(self, *, finished: bool) -> None:
        """Give everything back and remove what dead processes left; the last one removes the folder.

        Without `finished`, leases of dead ones stay: they tell which results nobody has written down yet.
        """
        self._closing.set()
        if self._renewing is not None:
            self._renewing.join()
        for lease in tuple(self._held.values()):
            self.give_back(lease, keep=lease.again)
        with suppress(EditorError), self._locked():
            self._tidy(finished=finished)
        if self._lock is not None:
            self._lock.close()
        with suppress(OSError):
            shutil.rmtree(self._own)
        with suppress(OSError):
            self._root.rmdir()

    def wait_for_others(self, seconds: float) -> bool:
        """Wait until no other process of this machine works here; whether there is none.

        What the last one leaves is tidied up by who is still there.
        """
        until = time.monotonic() + seconds
        while any(
            _is_alive(folder) for folder in self._root.glob(f"*{_WORKER_ENDING}") if folder != self._own
        ):
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_S)
        return True

    def _keep(self, lease: Lease) -> Lease:
        with self._changing:
            self._held[lease.path] = lease
        return lease

    def _make(self, file: Path, path: PurePosixPath) -> bool:
        """Write the lease if there is none; it is whole from the first moment on."""
        until = time.time() + self._holds_s
        values: dict[str, Any] = {
            **path_to_json(path),
            "token": self._token,
            "host": self._host,
            "pid": os.getpid(),
            "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)),
            "holds_s": self._holds_s,
        }
        draft = self._own / f"{file.name}-{threading.get_ident()}"
        draft.write_bytes(json.dumps(values).encode())
        try:
            return exclusively(draft, file)
        finally:
            draft.unlink(missing_ok=True)

    def _is_over(self, file: Path) -> bool:
        """Whether the process that holds a lease is gone, or gives no sign of life."""
        token, host, holds_s = _owner_of(file)
        if token == self._token:
            return False
        alive = _is_alive(self._root / f"{token}{_WORKER_ENDING}") if host == self._host else None
        if alive is not None:
            return not alive
        try:
            renewed = file.stat().st_mtime
            age = self._now() - renewed
        except FileNotFoundError:
            return True  # given back just now
        # a clock that was wrong may have left a time that is still to come: what counts then is our own
        since = self._renewals.get(file)
        if since is None or since[0] != renewed:
            since = self._renewals[file] = (renewed, time.monotonic())
        return max(age, time.monotonic() - since[1]) > max(holds_s, self._holds_s)

    def _now(self) -> float:
        """The time by the clock of the file system.

        Raises:
            OSError: it cannot be written to.
        """
        lock = self._own / _LOCK
        os.utime(lock)
        return lock.stat().st_mtime

    def _renew(self) -> None:
        while not self._closing.wait(self._holds_s / _RENEWALS):
            with self._changing:
                files = [lease.file for lease in self._held.values()]
            for file in (*files, self._own / _LOCK):
                with suppress(OSError):
                    os.utime(file)

    def _tidy(self, *, finished: bool) -> None:
        """Remove the folders and leases of processes that are gone; under the lock."""
        with suppress(OSError):
            for entry in list(self._root.iterdir()):
                if entry == self._own:
                    continue
                if entry.name.endswith(_LEASE_ENDING):
                    if finished and self._is_over(entry):
                        entry.unlink(missing_ok=True)
                elif entry.name.endswith(_WORKER_ENDING) and self._is_gone(entry):
                    shutil.rmtree(entry, ignore_errors=True)

    def _is_gone(self, folder: Path) -> bool:
        """Whether the process of a folder is gone: at once on this machine, after its time elsewhere."""
        lock = folder / _LOCK
        with suppress(OSError, ValueError, RecursionError, EditorError):
            given = fields(parsed_json(read_at_most(lock, _LARGEST_BYTES)), "lock")
            alive = _is_alive(folder) if text(given.get("host"), "host") == self._host else None
            if alive is not None:
                return not alive
            return self._now() - lock.stat().st_mtime > self._holds_s
        # Killed as it began: folder and lock are made while the manifest is locked, as it is now, so where
        # there are locks nobody is about to write it.
        if _is_alive(self._own):
            return not _is_alive(folder)
        with suppress(OSError):
            return self._now() - folder.stat().st_mtime > self._holds_s
        return False


def exclusively(draft: Path, file: Path) -> bool:
    """Give a file that was written beside its name; False if there is one already, which stays.

    Raises:
        OSError: it cannot be done.
    """
    try:
        os.link(draft, file)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        draft.unlink()
        return True
    # without hard links the name is made first, and whoever made it may replace it
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        return False
    draft.replace(file)
    return True


def host_name() -> str:
    """This machine, since it was started: of two containers of one name each is another."""
    parts = [socket.gethostname()]
    for place in ("/proc/sys/kernel/random/boot_id",):
        with suppress(OSError):
            parts.append(Path(place).read_text().strip()[:8])
    return "-".join(parts)


def _key(path: PurePosixPath) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:32]


def _owner_of(file: Path) -> tuple[str, str, float]:
    """Token, host and seconds of a lease; "" of one that is being written, or is damaged."""
    try:
        given = fields(parsed_json(read_at_most(file, _LARGEST_BYTES)), Message("lease"))
        token = text(given.get("token"), "token")
        if not token.isalnum():  # it names a folder
            raise ValueError(token)
        return (
            token,
            text(given.get("host"), "host"),
            number(given.get("holds_s", HOLDS_S), "holds_s", 0, _LONGEST_HOLD_S),
        )
    except (OSError, ValueError, RecursionError, EditorError):
        return "", "", HOLDS_S


def _is_alive(folder: Path) -> bool | None:
    """Whether somebody holds the lock of a process's folder; None where the drive has no locks.

    A folder that is missing was tidied up.
    """
    try:
        with (folder / _LOCK).open("r+b") as file:
            try:
                take_lock(file, wait=False)
            except OSError as error:
                return True if error.errno in _IN_USE else None
    except OSError:
        return False
    return False

"""One running Attune a user: a second start hands its files to the window that is there, and ends.

They talk over a local socket in a folder that only the user may enter. What comes over it may only name files
to open, as the user could with File › Open.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from editor.system.folders import config_folder, data_folder
from inference.values import parsed_json

CONNECT_MS = 300
ANSWER_MS = 3000
LONGEST_MESSAGE = 1 << 20  # bytes
MOST_FILES = 1000
_FRAME = 16  # bytes around the names, and around each
_DONE = b"ok\n"
_LONGEST_ADDRESS = 100  # bytes; systems allow some 104


def address() -> str:
    """The socket of this user and this configuration; "" where there is no private place for one."""
    name = hashlib.sha256(os.fsencode(config_folder().absolute())).hexdigest()[:16]
    if sys.platform == "win32":
        return f"attune-{name}"  # a named pipe, which the option of the server makes private
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(runtime) if os.path.isabs(runtime) else data_folder().absolute()  # noqa: PTH117
    path = folder / f"attune-{name}.socket"
    return str(path) if len(os.fsencode(path)) <= _LONGEST_ADDRESS and _is_private(folder) else ""


def hand_over(files: Iterable[Path], where: str) -> bool:
    """Let the Attune that listens at `where` open `files` and show itself; False if none answers."""
    return bool(where) and all(_heard(message, where) for message in messages(files))


def messages(files: Iterable[Path]) -> list[bytes]:
    """What names the files, at least one message, each such that a server takes it."""
    names = [os.fsencode(file).hex() for file in files]  # any bytes that a file system has
    parts: list[list[str]] = [[]]
    room = LONGEST_MESSAGE - _FRAME
    for name in names:
        length = len(name) + _FRAME
        if parts[-1] and (length > room or len(parts[-1]) == MOST_FILES):
            parts.append([])
            room = LONGEST_MESSAGE - _FRAME
        parts[-1].append(name)
        room -= length
    return [json.dumps({"open": part}).encode() + b"\n" for part in parts]


def _heard(message: bytes, where: str) -> bool:
    """Whether somebody at `where` took the message."""
    socket = QLocalSocket()
    socket.connectToServer(where)
    if not socket.waitForConnected(CONNECT_MS):
        return False
    socket.write(message)
    answer = b""
    while not answer.endswith(b"\n") and socket.waitForReadyRead(ANSWER_MS):
        answer += bytes(socket.readAll().data())
    socket.disconnectFromServer()
    return answer == _DONE


class InstanceServer(QObject):
    """Listens as long as it lives; who is not understood is hung up on."""

    wished = Signal(list)  # of Path: files to open; the window is to be shown in any case

    def __init__(self, where: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        self._heard: dict[QLocalSocket, bytes] = {}
        if where and not self._server.listen(where):
            QLocalServer.removeServer(where)  # of one that crashed: nobody answered there
            self._server.listen(where)

    @property
    def listens(self) -> bool:
        return self._server.isListening()

    def close(self) -> None:
        """Hear nobody any more."""
        self._server.close()
        for socket in tuple(self._heard):
            socket.abort()  # while it can be told: later the object of Qt is gone

    def _on_connection(self) -> None:
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            self._heard[socket] = b""
            socket.readyRead.connect(self._bound(self._on_heard, socket))
            socket.disconnected.connect(self._bound(self._forget, socket))
            self._on_heard(socket)

    def _bound(self, act: Callable[[QLocalSocket], None], socket: QLocalSocket) -> Callable[[], None]:
        return lambda: act(socket)

    def _on_heard(self, socket: QLocalSocket) -> None:
        if socket not in self._heard:
            return
        self._heard[socket] += bytes(socket.readAll().data())
        said = self._heard[socket]
        if len(said) > LONGEST_MESSAGE:
            socket.abort()
        elif said.endswith(b"\n"):
            files = files_of(said)
            if files is None:
                socket.abort()
                return
            socket.write(_DONE)
            socket.flush()
            self.wished.emit(files)

    def _forget(self, socket: QLocalSocket) -> None:
        self._heard.pop(socket, None)
        socket.deleteLater()


def files_of(message: bytes) -> list[Path] | None:
    """The absolute paths that a message names; None if it is no such message."""
    with suppress(ValueError, LookupError, RecursionError, TypeError):
        names = cast("object", parsed_json(message)["open"])
        if not isinstance(names, list) or len(cast("list[object]", names)) > MOST_FILES:
            return None
        paths = [Path(os.fsdecode(bytes.fromhex(name))) for name in cast("list[str]", names)]
        if all(path.is_absolute() and "\0" not in str(path) for path in paths):
            return paths
    return None


def _is_private(folder: Path) -> bool:
    """Whether nobody else may enter a folder of ours, which is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.stat()
    except OSError:
        return False
    return found.st_uid == os.getuid() and not found.st_mode & 0o022

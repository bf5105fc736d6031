"""A second start hands its files to the Attune that runs."""

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from editor.system import one_instance
from editor.system.one_instance import InstanceServer, address, files_of, hand_over

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of sockets are different there")


@pytest.fixture
def where(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("s") / "a.socket")


@pytest.fixture
def server(where: str, qtbot: QtBot) -> Iterator[InstanceServer]:
    made = InstanceServer(where)
    yield made
    made.close()


def handed(files: list[Path], where: str, qtbot: QtBot) -> bool:
    """Hand over from another process."""
    code = "import os, sys; from pathlib import Path; from editor.system.one_instance import hand_over\n"
    code += "sys.exit(not hand_over([Path(name) for name in sys.argv[2:]], sys.argv[1]))"
    names = [os.fsencode(file) for file in files]
    with subprocess.Popen([sys.executable, "-c", code, where, *names]) as other:
        qtbot.waitUntil(lambda: other.poll() is not None, timeout=30_000)
        return other.returncode == 0


def test_nobody_answers_where_nobody_is(where: str) -> None:
    assert not hand_over([Path("/a.png")], where)
    assert not hand_over([], "")


def test_files_are_handed_over(server: InstanceServer, where: str, qtbot: QtBot) -> None:
    files = [Path("/pictures/a b.png"), Path(os.fsdecode(b"/pictures/\xff\n.png"))]
    got: list[list[Path]] = []
    server.wished.connect(got.append)
    assert handed(files, where, qtbot)
    assert handed([], where, qtbot)
    assert got == [files, []]


def test_any_number_of_files_is_handed_over(server: InstanceServer, where: str, qtbot: QtBot) -> None:
    """The running window was left without its socket, and a second one opened."""
    files = [Path(f"/{number}.png") for number in range(one_instance.MOST_FILES + 2)]
    got: list[list[Path]] = []
    server.wished.connect(got.append)
    assert handed(files, where, qtbot)
    assert [len(part) for part in got] == [one_instance.MOST_FILES, 2]
    assert [file for part in got for file in part] == files


def test_no_message_is_too_long() -> None:
    files = [Path("/" + "x" * 4000)] * 300
    messages = one_instance.messages(files)
    assert all(len(message) <= one_instance.LONGEST_MESSAGE for message in messages)
    assert [file for message in messages for file in files_of(message) or []] == files
    assert one_instance.messages([]) == [b'{"open": []}\n']


def test_closing_hangs_up(server: InstanceServer, where: str, qtbot: QtBot) -> None:
    socket = QLocalSocket()
    socket.connectToServer(where)
    qtbot.waitUntil(lambda: bool(server._heard))
    server.close()
    assert not server._heard
    qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.UnconnectedState)


def test_only_the_user_may_speak(server: InstanceServer, where: str) -> None:
    assert server.listens
    assert stat.S_IMODE(Path(where).stat().st_mode) & 0o077 == 0


def test_a_crashed_one_is_replaced(where: str, qtbot: QtBot) -> None:
    import socket

    dead = socket.socket(socket.AF_UNIX)
    dead.bind(where)
    dead.close()  # the file stays
    assert not hand_over([], where)
    again = InstanceServer(where)
    assert again.listens
    again.close()


@pytest.mark.parametrize(
    "message",
    [
        b"\n", b"[]\n", b"{}\n", b'{"open": 3}\n', b'{"open": ["zz"]}\n', b'{"open": [7]}\n', b"\xff\n",
        json.dumps({"open": [b"relative.png".hex()]}).encode() + b"\n",
        json.dumps({"open": [b"/a\0b".hex()]}).encode() + b"\n",
        json.dumps({"open": ["2f"] * (one_instance.MOST_FILES + 1)}).encode() + b"\n",
        b"[" * 100_000 + b"\n",
    ],
)  # fmt: skip
def test_what_is_no_message_opens_nothing(
    server: InstanceServer, where: str, qtbot: QtBot, message: bytes
) -> None:
    assert files_of(message) is None
    server.wished.connect(lambda files: pytest.fail("opened"))
    socket = QLocalSocket()
    socket.connectToServer(where)
    qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.ConnectedState)
    socket.write(message)
    qtbot.waitUntil(lambda: socket.state() == QLocalSocket.LocalSocketState.UnconnectedState)


def test_a_relative_place_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the XDG base directory specification has it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "run")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert not address().startswith("run")
    assert not (tmp_path / "run").exists()


def test_the_place_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setattr(one_instance, "_LONGEST_ADDRESS", 1000)
    mine = address()
    assert Path(mine).parent == folder
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))
    assert address() != mine
    folder.chmod(0o777)
    assert address() == ""


PROGRAM = """
import sys
import tempfile
from pathlib import Path
import editor.__main__ as program
from editor.application import Application
from PySide6.QtCore import QTimer
Application.start = lambda self, paths: print("ready", *paths, flush=True)
Application.open_file = lambda self, path: (
    print("opened", path, flush=True), QTimer.singleShot(0, lambda: program_quit()))
def program_quit():
    from PySide6.QtWidgets import QApplication
    QApplication.quit()
sys.exit(program.main(sys.argv[1:]))
"""


@contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator[None]:
    """What fails meanwhile does not wait for the process."""
    try:
        yield
    finally:
        process.kill()


def test_the_second_process_ends_and_the_first_opens_its_file(tmp_path: Path) -> None:
    picture = tmp_path / "<b>a</b>".replace("/", "")
    picture.touch()
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        environment[f"XDG_{name}_HOME"] = str(tmp_path / name)
    command = [sys.executable, "-c", PROGRAM]
    with (
        tempfile.TemporaryDirectory() as short,  # a socket's address has some 100 bytes at most
        subprocess.Popen(
            command, env=environment | {"XDG_RUNTIME_DIR": short}, stdout=subprocess.PIPE, text=True
        ) as first,
        ended(first),
    ):
        environment["XDG_RUNTIME_DIR"] = short
        assert first.stdout is not None
        assert first.stdout.readline() == "ready\n"
        second = subprocess.run(
            [*command, str(picture)], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert (second.returncode, second.stdout) == (0, ""), second.stderr
        assert first.stdout.readline() == f"opened {picture}\n"
        assert first.wait(30) == 0

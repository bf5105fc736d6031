"""Fixtures that every test gets."""

import os
import socket
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# files of tests run beside each other, a process a core; networks this small gain nothing by threads
os.environ.setdefault("OMP_NUM_THREADS", "1")
# processes that tests start find these sources, also once a safe path keeps their folder off it
os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[1]))

import pytest
from hypothesis import settings

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

settings.register_profile("attune", deadline=None, max_examples=50)
# the same examples every time: what fails there fails here too
settings.register_profile("ci", settings.get_profile("attune"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "attune")


def pytest_unconfigure() -> None:
    """What a test put into the clipboard would end after Python, which is a segmentation fault."""
    if "PySide6.QtGui" in sys.modules:
        from PySide6.QtGui import QGuiApplication

        if QGuiApplication.instance() is not None:
            QGuiApplication.clipboard().clear()


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Generator[None]:
    """No test speaks to anything outside this machine: names and addresses but loopback's are refused."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def refuse(host: object) -> None:
        raise AssertionError(f"a test asked the network for {host!r}")

    def only_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOOPBACK:
            refuse(address[0])
        connect(self, address)

    def only_names_of_this_machine(host: Any, *rest: Any, **options: Any) -> Any:
        if host is not None and (host.decode() if isinstance(host, bytes) else host) not in _LOOPBACK:
            refuse(host)
        return look_up(host, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", only_here)
        patch.setattr(socket, "getaddrinfo", only_names_of_this_machine)
        yield


@pytest.fixture(autouse=True, scope="session")
def one_application(qapp: object) -> None:
    """There is one from the beginning: the one that a command makes by itself shows no windows."""


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own files."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_STATE_HOME", ".local/state"),
    ):
        monkeypatch.setenv(variable, str(home / folder))

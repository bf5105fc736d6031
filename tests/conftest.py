"""Fixtures that every test gets."""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# processes that tests start find these sources, also once a safe path keeps their folder off it
os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[1]))

import pytest
from hypothesis import settings

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

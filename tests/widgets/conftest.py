"""A window over fakes. Everything is closed and deleted at the end of each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from editor.application import Application
from tests.helpers.fake_application import generated, make_application, open_document
from tests.helpers.fake_service import FakeService
from widgets.subjects.subject_panel import SubjectPanel
from widgets.window.main_window import MainWindow


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform says what it cannot do: raise windows, grab the keyboard, pass size hints on."""
    ignore = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(ignore)


@pytest.fixture
def application(qtbot: QtBot, tmp_path: Path) -> Iterator[Application]:
    made = make_application(tmp_path)
    yield made
    made.shutdown()
    made.deleteLater()
    # no event loop runs between tests: windows would pile up, and each style and event pass over all of them
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def service(application: Application) -> FakeService:
    assert isinstance(application.service, FakeService)
    return application.service


@pytest.fixture
def window(qtbot: QtBot, application: Application) -> MainWindow:
    """A shown window without a document."""
    made = MainWindow(application)
    qtbot.addWidget(made, before_close_func=lambda _: _forget_changes(application))
    made.resize(1200, 800)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def filled(window: MainWindow, application: Application) -> MainWindow:
    """A shown window with one generated picture."""
    open_document(application, generated())
    return window


@pytest.fixture
def subjects(filled: MainWindow) -> SubjectPanel:
    panel = filled.panel("subjects")
    assert isinstance(panel, SubjectPanel)
    return panel


def _forget_changes(application: Application) -> None:
    """So that closing the window asks nothing."""
    for document in application.documents:
        document.undo_stack.setClean()

"""The language is switched without loss and without a restart."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.commands import AddLayer, push
from editor.document.document import Document
from editor.layers.layer import Layer
from editor.words.translation import Translations, wanted
from tests.editor.samples import flat
from tests.helpers.fake_application import generated, open_document
from tests.widgets.conftest import _forget_changes
from widgets.history.history_panel import HistoryPanel
from widgets.window.main_window import MainWindow
from widgets.window.window_keeper import WindowKeeper


@pytest.fixture
def keeper(application: Application, qtbot: QtBot) -> Iterator[WindowKeeper]:
    made = WindowKeeper(application)
    made.window.show()
    qtbot.waitExposed(made.window)
    yield made
    application.settings.set("language", "en")
    qtbot.waitUntil(lambda: made._translations.language == "en")
    _forget_changes(application)
    made.window.close()
    made.window.deleteLater()


def test_a_new_window_takes_over_all(keeper: WindowKeeper, application: Application, qtbot: QtBot) -> None:
    document = open_document(application, generated())
    application.layers.duplicate()
    old = keeper.window
    assert old.workspace.view is not None
    old.workspace.view.zoom_to(3.0)
    old.commands.show_settings()
    application.settings.set("language", "zh_CN")
    qtbot.waitUntil(lambda: keeper.window is not old)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    new = keeper.window
    assert new.isVisible()
    assert application.current is document
    assert document.undo_stack.count() == 1
    assert new.workspace.view is not None
    assert new.workspace.view.document is document
    assert new.workspace.view.viewport.zoom == pytest.approx(3.0)
    assert new.actions_by_id["file.open"].text() == "打开(&O)…"
    assert new.commands.dialog("settings") is not None
    # nothing of the old window listens any more: warnings and exceptions would fail here
    application.undo()
    application.settings.set("theme", "light")
    application.set_current(None)
    application.set_current(document)
    assert new.windowTitle().startswith("beach couple")


def test_the_history_begins_as_it_did_and_pictures_of_sliders_stay(
    keeper: WindowKeeper, application: Application, qtbot: QtBot
) -> None:
    photo = Document.from_layer(Layer.of_pixels(name="photo", pixels=flat(90)), title="photo.png")
    open_document(application, photo)
    assert beginning(keeper) == "Opened"
    layer = generated().recipe_layer
    assert layer is not None
    push(photo, AddLayer(photo, layer))
    session = application.session
    assert session is not None
    forgotten = []
    session.forget_pictures = lambda: forgotten.append(True)  # type: ignore[method-assign]
    old = keeper.window
    application.settings.set("language", "zh_CN")
    qtbot.waitUntil(lambda: keeper.window is not old)
    assert beginning(keeper) == "打开"
    application.set_current(None)
    application.set_current(photo)
    assert beginning(keeper) == "打开"
    assert not forgotten
    assert application.session is session


def beginning(keeper: WindowKeeper) -> str:
    panel = keeper.window.panel("history")
    assert isinstance(panel, HistoryPanel)
    return str(panel.model.index(0).data())


@pytest.mark.parametrize(
    ("setting", "languages", "expected"),
    [
        ("en", ["zh-Hans-CN"], "en"),
        ("zh_CN", ["en-GB"], "zh_CN"),
        ("system", ["zh-Hans-CN", "zh-CN"], "zh_CN"),
        ("system", ["zh_SG"], "zh_CN"),
        ("system", ["zh-Hant-TW", "zh-TW", "en"], "en"),
        ("system", ["de-DE", "zh-CN"], "zh_CN"),
        ("system", ["de-DE"], "en"),
    ],
)
def test_the_wanted_language(
    setting: str, languages: list[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class System:
        def uiLanguages(self) -> list[str]:
            return languages

    monkeypatch.setattr("editor.words.translation.QLocale.system", System)
    assert wanted(setting) == expected


def test_qts_own_texts_are_translated_too(qtbot: QtBot) -> None:
    translations = Translations()
    assert translations.choose("zh_CN")
    assert not translations.choose("zh_CN")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "取消"
    translations.choose("en")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Cancel"


def test_a_window_without_a_picture_changes_too(
    keeper: WindowKeeper, application: Application, qtbot: QtBot
) -> None:
    old = keeper.window
    application.settings.set("language", "zh_CN")
    qtbot.waitUntil(lambda: keeper.window is not old)
    assert isinstance(keeper.window, MainWindow)
    assert keeper.window.workspace.stack.currentWidget() is keeper.window.workspace.welcome

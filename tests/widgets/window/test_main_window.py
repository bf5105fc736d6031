"""The window as a whole: tables, panels, tabs, comparing, messages, theme, closing."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPalette
from PySide6.QtWidgets import QListWidget, QMessageBox
from pytestqt.qtbot import QtBot

from editor.actions import ACTIONS
from editor.application import Application
from editor.document.document import Document
from inference.errors import EditorError
from inference.operations import Generate
from inference.request import Request
from tests.helpers.fake_application import generated, open_document
from tests.helpers.fake_service import FakeService
from widgets.generate.job_panel import JobPanel
from widgets.history.history_model import SAVED_ROLE
from widgets.history.history_panel import HistoryPanel
from widgets.look.theme import DARK, LIGHT, Tokens
from widgets.window import message_bar
from widgets.window.main_window import MainWindow
from widgets.window.panel import PanelHeader


def test_every_action_of_the_table_reaches_a_method(filled: MainWindow) -> None:
    for item in ACTIONS:
        controller, method = item.command.split(".")
        assert callable(getattr(filled.actions_by_id.controller(controller), method)), item.id


def test_no_two_actions_share_a_shortcut() -> None:
    keys = [key for item in ACTIONS for key in item.shortcut.split("; ") if key]
    assert len(keys) == len(set(keys))


def test_torch_is_not_imported_by_the_window(window: MainWindow) -> None:
    import subprocess

    heavy = ("torch", "diffusers", "transformers")
    code = f"import widgets.window.main_window, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_actions_follow_what_is_possible(window: MainWindow, application: Application) -> None:
    assert not window.actions_by_id["file.export"].isEnabled()
    open_document(application, generated())
    assert window.actions_by_id["file.export"].isEnabled()
    assert not window.actions_by_id["edit.undo"].isEnabled()
    application.layers.duplicate()
    assert window.actions_by_id["edit.undo"].isEnabled()


def test_a_changed_shortcut_takes_effect(window: MainWindow, application: Application) -> None:
    application.settings.set_shortcut("file.export", "Ctrl+Shift+E")
    assert window.actions_by_id["file.export"].shortcut().toString() == "Ctrl+Shift+E"


def test_tabs_show_documents_and_their_changes(filled: MainWindow, application: Application) -> None:
    second = open_document(application, generated(seed=9))
    tabs = filled.workspace.tabs
    assert tabs.count() == 2
    assert tabs.currentIndex() == 1
    application.layers.duplicate()
    assert tabs.tabText(1).endswith("•")
    tabs.setCurrentIndex(0)
    assert application.current is not second
    application.close(second)
    assert tabs.count() == 1


def test_closing_the_last_document_shows_the_welcome_page(
    filled: MainWindow, application: Application
) -> None:
    filled.commands.close_document()
    assert filled.workspace.stack.currentWidget() is filled.workspace.welcome
    assert not filled.workspace.tabs.isVisible()


def test_the_welcome_page_says_what_is_on_its_way(
    window: MainWindow, application: Application, service: FakeService
) -> None:
    from inference.operations import Generate

    service.fake_engine.automatic = False
    application.new_from_prompt(Generate(prompt="a cat"), "mini-sdxl")
    welcome = window.workspace.welcome
    assert "a cat" in welcome.title.text()
    service.step(3, 10)
    assert (welcome.bar.value(), welcome.bar.maximum()) == (3, 10)
    service.finish()
    assert window.workspace.view is not None


def test_undo_and_redo_keys(filled: MainWindow, application: Application, qtbot: QtBot) -> None:
    document = application.current
    assert document is not None
    application.layers.duplicate()
    filled.actions_by_id["edit.undo"].trigger()
    assert len(document.layers) == 1
    filled.actions_by_id["edit.redo"].trigger()
    assert len(document.layers) == 2


def test_history_lists_steps_and_goes_back(filled: MainWindow, application: Application) -> None:
    panel = filled.panel("history")
    assert isinstance(panel, HistoryPanel)
    application.layers.duplicate()
    application.layers.toggle()
    model = panel.view.model()
    assert model.rowCount() == 3
    assert model.index(0, 0).data() == "New from prompt"
    panel.view.setCurrentIndex(model.index(1, 0))
    assert application.current is not None
    assert len(application.current.layers) == 2
    assert application.current.layers[1].visible


def test_the_history_of_an_opened_picture_begins_with_opening_it(
    filled: MainWindow, application: Application
) -> None:
    made = application.current
    assert made is not None
    assert made.made_by, "by a model, in this session"
    application.add_document(Document(made.state, title="couple.png"))
    panel = filled.panel("history")
    assert isinstance(panel, HistoryPanel)
    assert panel.view.model().index(0, 0).data() == "Opened"


def test_a_right_click_in_the_history_goes_nowhere(
    filled: MainWindow, application: Application, qtbot: QtBot
) -> None:
    panel, document = filled.panel("history"), application.current
    assert isinstance(panel, HistoryPanel)
    assert document is not None
    application.layers.duplicate()
    application.layers.toggle()
    filled.panels["history"].raise_()
    first = panel.view.visualRect(panel.model.index(0)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.RightButton, pos=first)
    assert document.undo_stack.index() == 2
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=first)
    assert document.undo_stack.index() == 0


def test_comparing_shows_the_picture_before_its_sliders(
    filled: MainWindow, application: Application, qtbot: QtBot
) -> None:
    session, view = application.session, filled.workspace.view
    assert session is not None
    assert view is not None
    session.add_attribute(0, "age")
    session.set_value(0, "age", 1.0, dragging=False)
    qtbot.waitUntil(lambda: not session.busy)
    filled.actions_by_id["view.compare"].trigger()
    assert view.wipe_share == 0.5
    view.set_wipe(1.0)
    before = view.grab().toImage()
    view.set_wipe(0.0)
    after = view.grab().toImage()
    place = view.viewport.target().center() / view.devicePixelRatioF()
    x, y = round(place.x() * 0.9), round(place.y() * 0.6)
    assert before.pixelColor(x, y) != after.pixelColor(x, y)
    filled.actions_by_id["view.compare"].trigger()
    assert view.wipe_share is None


def test_tools_exclude_each_other(filled: MainWindow) -> None:
    filled.actions_by_id["tool.hand"].trigger()
    assert filled.workspace.tool == "hand"
    assert not filled.actions_by_id["tool.subject"].isChecked()
    filled.actions_by_id["tool.zoom"].trigger()
    assert filled.workspace.view is not None
    assert filled.workspace.view.tool == "zoom"


def test_errors_stay_until_they_are_closed(
    filled: MainWindow, application: Application, qtbot: QtBot
) -> None:
    bar = filled.workspace.messages
    application.message.emit("“dragon” is not in the prompt.", "Words that are: man, woman.", "error")
    assert bar.isVisible()
    assert bar.hint.text() == "Words that are: man, woman."
    assert not bar._timer.isActive()
    qtbot.mouseClick(bar.dismiss, Qt.MouseButton.LeftButton)
    assert not bar.isVisible()


def test_other_messages_go_by_themselves(filled: MainWindow, application: Application) -> None:
    application.message.emit("Exported picture.png.", "", "info")
    assert filled.workspace.messages._timer.isActive()
    assert not filled.workspace.messages.hint.isVisible()


@pytest.mark.parametrize(("choice", "tokens"), [("light", LIGHT), ("dark", DARK)])
def test_the_theme_setting_takes_effect_at_once(
    filled: MainWindow, application: Application, choice: str, tokens: Tokens
) -> None:
    application.settings.set("theme", "light" if choice == "dark" else "dark")
    application.settings.set("theme", choice)
    assert QGuiApplication.palette().color(QPalette.ColorRole.Window).name() == tokens.panel
    assert filled.workspace.view is not None
    corner = filled.workspace.view.grab().toImage().pixelColor(1, 1)
    assert corner.name() == tokens.backdrop


def test_status_bar_tells_zoom_size_and_sandbox(filled: MainWindow) -> None:
    filled.actions_by_id["view.actual"].trigger()
    assert filled.status.zoom.text() == "100 %"
    assert filled.status.size_label.text() == "64 × 64 px · sRGB · 8 bit"
    assert "sandbox" in filled.status.note.text()


def test_panels_can_be_closed_and_come_back(filled: MainWindow) -> None:
    panel = filled.panels["history"]
    panel.toggleViewAction().trigger()
    assert not panel.isVisible()
    panel.toggleViewAction().trigger()
    assert panel.isVisible()


def test_window_state_is_kept(filled: MainWindow, application: Application, qtbot: QtBot) -> None:
    filled.panels["history"].close()
    filled.close()
    again = MainWindow(application)
    qtbot.addWidget(again)
    again.show()
    assert not again.panels["history"].isVisible()
    assert again.panels["layers"].isVisible()


@pytest.mark.parametrize(
    ("answer", "closed"),
    [
        (QMessageBox.StandardButton.Cancel, False),
        (QMessageBox.StandardButton.Discard, True),
        (QMessageBox.StandardButton.NoButton, False),  # the program is told to end while the question stands
        (0, False),
    ],
)
def test_closing_asks_about_unsaved_changes(
    filled: MainWindow,
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
    answer: QMessageBox.StandardButton,
    closed: bool,
) -> None:
    application.layers.duplicate()
    monkeypatch.setattr(QMessageBox, "exec", lambda self: answer)
    filled.commands.close_document()
    assert (application.current is None) is closed


def test_quitting_saves_first_and_then_quits(
    filled: MainWindow,
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    document = application.current
    assert document is not None
    application.layers.duplicate()
    document.set_path(tmp_path / "couple.ora")
    monkeypatch.setattr(QMessageBox, "exec", lambda self: QMessageBox.StandardButton.Save)
    filled.close()
    assert filled.isVisible()
    qtbot.waitUntil(lambda: not filled.isVisible(), timeout=5000)
    assert (tmp_path / "couple.ora").stat().st_size > 0


def test_hovering_a_subject_lights_it_up(filled: MainWindow) -> None:
    view = filled.workspace.view
    assert view is not None
    filled.workspace.light_subject(0)
    assert view._scene.heat is not None
    filled.workspace.light_subject(-1)
    assert view._scene.heat is None


def test_an_info_message_leaves_an_error_in_place(filled: MainWindow, application: Application) -> None:
    bar = filled.workspace.messages
    application.message.emit("The disk is full.", "", "error")
    application.message.emit("Exported picture.png.", "", "info")
    assert bar.text.text() == "The disk is full."
    assert bar.below is not None
    assert bar.below.text.text() == "Exported picture.png."
    assert bar.below.geometry().top() > bar.geometry().bottom()
    bar.dismiss.click()
    assert not bar.isVisible()
    assert bar.below.geometry().top() < 20
    application.message.emit("The next error.", "", "error")
    assert bar.text.text() == "The next error."


def test_an_error_moves_a_warning_down(filled: MainWindow, application: Application) -> None:
    bar = filled.workspace.messages
    application.message.emit("Two features were dropped.", "", "warning")
    application.message.emit("The disk is full.", "", "error")
    assert bar.text.text() == "The disk is full."
    assert bar.below is not None
    assert bar.below.text.text() == "Two features were dropped."


def test_comparing_with_a_state_of_the_history(filled: MainWindow, application: Application) -> None:
    panel, view = filled.panel("history"), filled.workspace.view
    assert isinstance(panel, HistoryPanel)
    assert view is not None
    application.layers.duplicate()
    application.layers.toggle()
    panel.context_menu(1).actions()[1].trigger()
    assert view.wipe_share is not None
    assert application.current is not None
    assert view._before_state is application.current.undo_stack.steps[0].after
    filled.actions_by_id["view.compare"].trigger()
    assert view.wipe_share is None


def test_the_saved_state_is_marked(filled: MainWindow, application: Application) -> None:
    panel = filled.panel("history")
    assert isinstance(panel, HistoryPanel)
    application.layers.duplicate()
    assert application.current is not None
    application.current.undo_stack.setClean()
    application.layers.toggle()
    marks = [panel.model.index(row).data(SAVED_ROLE) for row in range(3)]
    assert marks == [False, True, False]


def test_tabbed_panels_have_their_title_in_the_tab(window: MainWindow) -> None:
    header = window.panels["properties"].titleBarWidget()
    assert isinstance(header, PanelHeader)
    assert header.label.isHidden()
    layers = window.panels["layers"].titleBarWidget()
    assert isinstance(layers, PanelHeader)
    assert not layers.label.isHidden()


def test_quitting_discards_all_with_one_answer(
    filled: MainWindow, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def answered(box: QMessageBox) -> QMessageBox.StandardButton:
        asked.append([button.text().replace("&", "") for button in box.buttons()])
        return QMessageBox.StandardButton.NoToAll

    monkeypatch.setattr(QMessageBox, "exec", answered)
    application.layers.duplicate()
    open_document(application, generated(seed=9))
    application.layers.duplicate()
    assert filled.close()
    assert application.documents == ()
    assert len(asked) == 1
    assert "Discard all" in asked[0]


def test_one_unsaved_picture_offers_no_discard_all(
    filled: MainWindow, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answered(box: QMessageBox) -> QMessageBox.StandardButton:
        asked.extend(button.text() for button in box.buttons())
        return QMessageBox.StandardButton.Discard

    monkeypatch.setattr(QMessageBox, "exec", answered)
    application.layers.duplicate()
    open_document(application, generated(seed=9)).undo_stack.setClean()
    assert filled.close()
    assert asked
    assert "Discard all" not in asked


def test_an_error_leaves_when_the_same_succeeds(
    filled: MainWindow,
    application: Application,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(message_bar, "_LEAST_SHOWN_MS", 1)
    document, bar = application.current, filled.workspace.messages
    assert document is not None
    application.save(document, tmp_path / "missing" / "\0.ora")
    qtbot.waitUntil(bar.isVisible)
    application.layers.duplicate()  # another success does not mend it
    qtbot.wait(20)
    assert bar.isVisible()
    application.save(document, tmp_path / "a.ora")
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_a_refusal_leaves_with_the_next_step(
    filled: MainWindow, application: Application, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_bar, "_LEAST_SHOWN_MS", 1)
    bar = filled.workspace.messages
    application.report(EditorError("The layer is locked."))
    application.report(EditorError("The layer is locked."))
    assert bar.isVisible()
    application.layers.duplicate()
    qtbot.waitUntil(lambda: not bar.isVisible())


def test_an_error_can_be_read_before_it_leaves(filled: MainWindow, application: Application) -> None:
    application.report(EditorError("The layer is locked."))
    application.layers.duplicate()
    assert filled.workspace.messages.isVisible()


def test_another_theme_leaves_no_traces(window: MainWindow, application: Application, qtbot: QtBot) -> None:
    """The parts of the window look as those of one that was made in that theme."""

    def parts(shown: MainWindow) -> dict[str, QImage]:
        shown.resize(1200, 800)
        shown.commands.show_settings()
        qtbot.wait(100)
        dialog = shown.commands.dialog("settings")
        assert dialog is not None
        looked_at = {
            "options": shown.tool_options,
            "tools": shown.tool_bar,
            "start": shown.workspace.welcome.new,
            "menus": shown.menuBar(),
            "settings": dialog.findChild(QListWidget),
        }
        images = {name: widget.grab().toImage() for name, widget in looked_at.items()}
        shown.commands.close_dialogs()
        return images

    application.settings.set("theme", "dark")
    application.tools.use("transform")
    dark = parts(window)
    application.settings.set("theme", "light")
    switched = parts(window)
    other = MainWindow(application)
    qtbot.addWidget(other, before_close_func=lambda _: other.retire())
    other.show()
    fresh = parts(other)
    assert all(switched[name] != dark[name] for name in dark)
    assert [name for name in fresh if switched[name] != fresh[name]] == []


def test_the_picture_stays_in_its_place_while_one_job_runs(
    filled: MainWindow, service: FakeService, qtbot: QtBot
) -> None:
    service.fake_engine.automatic = False
    panel = filled.panel("jobs")
    assert isinstance(panel, JobPanel)
    qtbot.waitUntil(lambda: not panel.is_filled)
    before = filled.workspace.geometry()
    job = service.submit(Request(operation="generate", parameters=Generate(prompt="a cat"), model="mini-sd1"))
    qtbot.waitUntil(lambda: panel.row(job) is not None)
    service.step(1, 3, np.zeros((8, 8, 3), np.uint8))
    qtbot.wait(50)  # what the window would do about it
    row = panel.row(job)
    assert row is not None
    assert filled.workspace.geometry() == before
    assert row.visibleRegion().boundingRect() == row.rect()  # and all of the row is seen
    service.finish()

"""The first page, the recent files, what is dropped, and the dialog of a new canvas."""

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.formats.files import sample_pictures
from inference.content import DefinitionFile
from inference.operations import Generate, LearnDelta
from inference.request import Request
from inference.service import Priority
from tests.helpers.fake_service import FakeService
from widgets.actions.recent_menu import RecentMenu
from widgets.dialogs.new_canvas import NewCanvas
from widgets.subjects.subject_panel import SubjectPanel
from widgets.window.main_window import MainWindow
from widgets.window.welcome import Welcome


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "photo & co.png"
    Image.new("RGB", (20, 10), "red").save(path)
    return path


def test_a_sample_opens_as_a_copy(window: MainWindow, application: Application, qtbot: QtBot) -> None:
    welcome = window.workspace.welcome
    qtbot.waitUntil(lambda: len(welcome.samples.buttons) == len(sample_pictures()))
    assert len(welcome.samples.buttons) >= 2
    with qtbot.waitSignal(application.document_opened, timeout=5000):
        welcome.samples.buttons[0].click()
    assert application.current is not None
    assert application.current.path is None


def test_recent_files_are_on_the_page_and_in_the_menu(
    window: MainWindow, application: Application, picture: Path, qtbot: QtBot
) -> None:
    menu = window.menuBar().findChild(RecentMenu)
    assert isinstance(menu, RecentMenu)
    assert not menu.menuAction().isEnabled()
    with qtbot.waitSignal(application.document_opened, timeout=5000):
        application.open_file(picture)
    assert application.current is not None
    application.close(application.current)
    menu.fill()
    assert menu.actions()[0].text() == "&1  photo && co.png"
    with qtbot.waitSignal(application.document_opened, timeout=5000):
        window.workspace.welcome.recent.buttons[0].click()
    menu.actions()[-1].trigger()
    assert application.settings.recent_files == ()
    assert not menu.menuAction().isEnabled()
    assert window.workspace.welcome.recent.isHidden()


def test_the_canvas_dialog_opens_one_and_remembers(window: MainWindow, application: Application) -> None:
    window.workspace.welcome.blank.click()
    dialog = window.commands.dialog("canvas")
    assert isinstance(dialog, NewCanvas)
    dialog.width_box.setValue(300)
    dialog.height_box.setValue(200)
    dialog.swap.click()
    dialog.bits.setCurrentIndex(dialog.bits.findData(16))
    dialog.fill.setCurrentIndex(dialog.fill.findData("transparent"))
    dialog.make.click()
    document = application.current
    assert document is not None
    assert (document.width, document.height, document.state.depth) == (200, 300, 16)
    assert document.composite()[0, 0, 3] == 0
    assert application.settings.state("new_canvas")["width"] == 200


def test_what_is_dropped_on_the_right_becomes_a_layer(
    filled: MainWindow, application: Application, picture: Path, qtbot: QtBot
) -> None:
    hint = filled.workspace.drop_hint
    hint.begin(has_document=True)
    hint.point_at(QPoint(hint.width() - 5, 5))
    assert hint.as_layers
    document = application.current
    assert document is not None
    filled.commands.take_files([str(picture)], hint.as_layers)
    qtbot.waitUntil(lambda: len(document.layers) == 2, timeout=5000)
    hint.point_at(QPoint(5, 5))
    assert not hint.as_layers
    hint.begin(has_document=False)
    hint.point_at(QPoint(hint.width() - 5, 5))
    assert not hint.as_layers


def test_recent_files_show_their_pictures_until_they_leave_the_list(
    window: MainWindow, application: Application, picture: Path, qtbot: QtBot
) -> None:
    recent, pictures = window.workspace.welcome.recent, application.recent_pictures
    with qtbot.waitSignal(pictures.changed, timeout=5000):
        application.open_file(picture)
    assert pictures.read([str(picture)])[str(picture)].pixelColor(3, 3).red() > 200
    picture.unlink()  # it is not looked for
    shown = recent.buttons[0].icon().pixmap(104, 104).toImage()
    assert shown.pixelColor(52, 52).red() > 200
    application.settings.clear_recent_files()
    qtbot.waitUntil(lambda: not application.background.busy)
    assert pictures.read([str(picture)]) == {}


def test_files_without_a_picture_have_a_sign(window: MainWindow, application: Application) -> None:
    application.settings.add_recent_file(Path("/gone/<b>a</b> & b.png"))
    (button,) = window.workspace.welcome.recent.buttons
    assert not button.icon().isNull()


def test_an_empty_subjects_panel_offers_the_next_step(window: MainWindow) -> None:
    panel = window.panel("subjects")
    assert isinstance(panel, SubjectPanel)
    assert panel.new_picture.isVisible()
    panel.new_picture.click()
    assert window.commands.open_dialogs() == ("new",)


def test_panels_below_are_low_while_a_row_has_all_they_say(
    window: MainWindow, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    window.show()
    jobs = window.panels["jobs"]
    qtbot.waitUntil(lambda: jobs.height() < 90)
    service.fake_engine.automatic = False
    for prompt in ("a cat", "a dog"):
        assert jobs.height() < 90
        application.new_from_prompt(Generate(prompt=prompt), "mini-sdxl")
    qtbot.waitUntil(lambda: jobs.height() >= 120)
    service.finish()
    qtbot.waitUntil(lambda: jobs.height() < 90)
    service.finish()


def test_what_is_shown_already_is_not_made_again(qtbot: QtBot) -> None:
    welcome = Welcome()
    qtbot.addWidget(welcome)
    picture = QImage(8, 8, QImage.Format.Format_RGBA8888)
    picture.fill(0xFF00FF00)
    welcome.set_recent(["/a.png"], {"/a.png": picture})
    before = welcome.recent.buttons
    welcome.set_recent(["/a.png"], {"/a.png": picture.copy()})
    assert welcome.recent.buttons is before
    other = picture.copy()
    other.fill(0xFFFF0000)
    welcome.set_recent(["/a.png"], {"/a.png": other})
    assert welcome.recent.buttons is not before


def test_a_lesson_leaves_the_page_free(
    window: MainWindow, application: Application, service: FakeService
) -> None:
    welcome = window.workspace.welcome
    service.fake_engine.automatic = False
    parameters = LearnDelta(definition=DefinitionFile("0" * 64))
    request = Request(operation="learn-delta", parameters=parameters, model="mini-sdxl")
    lesson = service.submit(request, priority=Priority.LONG, label="Teach “old”: man")
    assert welcome.blank.isVisible()
    service.cancel(lesson)
    application.new_from_prompt(Generate(prompt="a cat"), "mini-sdxl")
    assert not welcome.blank.isVisible()

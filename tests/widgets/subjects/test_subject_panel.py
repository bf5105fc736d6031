"""The Subjects panel over a session with a scripted service."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Layer
from editor.layers.recipes import with_parameters
from inference.errors import EditorError
from tests.helpers.fake_application import PROMPT, generated, open_document
from tests.helpers.fake_service import FakeService
from widgets.subjects.attribute_menu import AttributeMenu
from widgets.subjects.subject_panel import SubjectPanel
from widgets.window.main_window import MainWindow


def click_word(panel: SubjectPanel, qtbot: QtBot, word: str) -> None:
    start = PROMPT.index(f" {word}") + 1
    rect = panel.prompt.view.rects_of(start, start + len(word))[0]
    qtbot.mouseClick(panel.prompt.view, Qt.MouseButton.LeftButton, pos=rect.center().toPoint())


def add_age(panel: SubjectPanel, application: Application, subject: int = 0) -> None:
    assert application.session is not None
    application.session.add_attribute(subject, "age")


def test_shows_a_section_for_each_subject(subjects: SubjectPanel) -> None:
    assert [section.subject.text for section in subjects.sections] == ["man", "woman"]


def test_clicking_words_makes_and_unmakes_subjects(
    subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    click_word(subjects, qtbot, "beach")
    assert [section.subject.text for section in subjects.sections] == ["man", "woman", "beach"]
    click_word(subjects, qtbot, "man")
    assert [section.subject.text for section in subjects.sections] == ["woman", "beach"]
    assert application.current is not None
    application.current.undo_stack.undo()
    assert [section.subject.text for section in subjects.sections] == ["man", "woman", "beach"]


def test_a_phrase_becomes_one_subject(subjects: SubjectPanel, application: Application, qtbot: QtBot) -> None:
    click_word(subjects, qtbot, "beach")
    view = subjects.prompt.view
    start = PROMPT.index(" the") + 1
    rect = view.rects_of(start, start + 3)[0]
    qtbot.mouseClick(
        view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, pos=rect.center().toPoint()
    )
    assert [section.subject.text for section in subjects.sections] == ["man", "woman", "the beach"]


def test_a_word_without_attributes_says_so(subjects: SubjectPanel, qtbot: QtBot) -> None:
    click_word(subjects, qtbot, "beach")
    section = subjects.sections[2]
    assert not section.empty.isHidden()
    assert section.add.text() == "+ Teach an attribute…"
    with qtbot.waitSignal(subjects.teach_requested) as asked:
        section.add.click()
    assert asked.args == ["beach"]


def test_adding_from_the_menu_makes_a_row(subjects: SubjectPanel, qtbot: QtBot) -> None:
    section = subjects.sections[0]
    section.add.click()
    menu = section.findChild(AttributeMenu)
    assert menu is not None
    assert [menu.list.item(row).text() for row in range(menu.list.count())] == ["Age", "Smile", "Hair"]
    menu.list.setFocus()
    qtbot.keyClick(menu.list, Qt.Key.Key_Return)
    assert list(subjects.sections[0].rows) == ["age"]


def test_what_was_added_is_scrolled_into_view(subjects: SubjectPanel, qtbot: QtBot) -> None:
    subjects.setFixedHeight(140)
    scroll = subjects.findChild(QScrollArea)
    assert scroll is not None
    section = subjects.sections[1]
    section.add_requested.emit("age")
    row, port = section.rows["age"], scroll.viewport()
    qtbot.waitUntil(lambda: scroll.verticalScrollBar().value() > 0)
    assert port.rect().contains(row.mapTo(port, row.rect().bottomRight()))


def test_dragging_a_slider_changes_the_picture_and_ends_in_one_undo_step(
    subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    add_age(subjects, application)
    document = application.current
    assert document is not None
    steps, before = document.undo_stack.count(), document.composite().copy()
    track = subjects.sections[0].rows["age"].track
    y = track.height() // 2
    qtbot.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() // 2, y))
    for x in (track.width() * 6 // 10, track.width() * 7 // 10, track.width() * 8 // 10):
        qtbot.mouseMove(track, QPoint(x, y))
    qtbot.mouseRelease(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() * 8 // 10, y))
    qtbot.waitUntil(lambda: document.undo_stack.count() == steps + 1)
    value = subjects.sections[0].rows["age"].value.value()
    assert value > 0.5
    assert value == pytest.approx(track.number)
    assert (document.composite() != before).any()
    assert "age" in document.undo_stack.undoText()
    document.undo_stack.undo()
    assert (document.composite() == before).all()
    assert track.number == 0.0


def test_typing_a_value_moves_the_slider(
    subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    add_age(subjects, application)
    row = subjects.sections[0].rows["age"]
    row.value.lineEdit().setFocus()
    row.value.lineEdit().selectAll()
    qtbot.keyClicks(row.value.lineEdit(), "-1.25")
    qtbot.keyClick(row.value.lineEdit(), Qt.Key.Key_Return)
    assert row.track.number == pytest.approx(-1.25)
    assert row.value.text() == "−1.25"
    assert application.session is not None
    assert application.session.value(0, "age") == pytest.approx(-1.25)


def test_double_click_on_the_value_resets(
    subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    add_age(subjects, application)
    assert application.session is not None
    application.session.set_value(0, "age", 1.0, dragging=False)
    row = subjects.sections[0].rows["age"]
    qtbot.waitUntil(lambda: not application.session.busy)  # type: ignore[union-attr]
    qtbot.mouseDClick(row.value.lineEdit(), Qt.MouseButton.LeftButton)
    assert row.track.number == 0.0
    assert row.value.value() == 0.0


def test_linked_sliders_move_together(subjects: SubjectPanel, application: Application, qtbot: QtBot) -> None:
    add_age(subjects, application, 0)
    add_age(subjects, application, 1)
    subjects.sections[0].rows["age"].link.click()
    assert subjects.sections[1].rows["age"].link.isChecked()
    qtbot.keyClick(subjects.sections[0].rows["age"].track, Qt.Key.Key_PageUp)
    assert subjects.sections[1].rows["age"].track.number == pytest.approx(0.5)


def test_removing_a_row(subjects: SubjectPanel, application: Application, qtbot: QtBot) -> None:
    add_age(subjects, application)
    subjects.sections[0].rows["age"].remove.click()
    assert subjects.sections[0].rows == {}
    assert application.session is not None
    assert application.session.sliders == ()


def test_keyframes_fill_the_track_when_idle(
    subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    add_age(subjects, application)
    track = subjects.sections[0].rows["age"].track
    qtbot.waitUntil(
        lambda: len(track._keyframes) == 9 and all(p is not None for _, p in track._keyframes), timeout=10000
    )
    assert not track._shimmer.isActive()


def test_a_track_keeps_its_pictures_while_the_other_subject_changes(
    subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    add_age(subjects, application)
    add_age(subjects, application, 1)
    track = subjects.sections[0].rows["age"].track
    qtbot.waitUntil(lambda: sum(p is not None for _, p in track._keyframes) == 9, timeout=10000)
    application.settings.set("precompute", False)
    assert application.session is not None
    application.session.set_value(1, "age", 1.0, dragging=True)
    subjects._on_keyframes_changed(0, "age")
    assert sum(pixels is not None for _, pixels in application.session.keyframes(0, "age")) < 9
    assert all(picture is not None for _, picture in track._keyframes)


def test_editing_the_prompt_regenerates_with_it(
    subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    box = subjects.prompt
    box.pencil.click()
    assert box.editor.isVisible()
    box.editor.setPlainText("一个男人 and a man")
    qtbot.keyClick(box.editor, Qt.Key.Key_Return)
    document = application.current
    assert document is not None
    qtbot.waitUntil(lambda: document.prompt == "一个男人 and a man")
    assert not box.is_editing
    assert [section.subject.text for section in subjects.sections] == ["man"]


def test_escape_leaves_the_prompt_as_it_was(
    subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    subjects.prompt.pencil.click()
    subjects.prompt.editor.setPlainText("something else")
    qtbot.keyClick(subjects.prompt.editor, Qt.Key.Key_Escape)
    assert application.current is not None
    assert application.current.prompt == PROMPT
    assert subjects.prompt.view.isVisible()


def test_the_dice_takes_another_seed(subjects: SubjectPanel, application: Application, qtbot: QtBot) -> None:
    session = application.session
    assert session is not None
    subjects.prompt.dice.click()
    qtbot.waitUntil(lambda: not session.busy)
    assert session.seed == subjects.prompt.seed.seed != 7


def test_a_failed_job_shows_its_message_and_puts_the_slider_back(
    filled: MainWindow, subjects: SubjectPanel, application: Application, service: FakeService, qtbot: QtBot
) -> None:
    add_age(subjects, application)
    application.settings.set("precompute", False)
    service.fail_next = EditorError("The graphics card has no memory left.", "Close other programs.")
    assert application.session is not None
    application.session.set_value(0, "age", 1.0, dragging=False)
    bar = filled.workspace.messages
    qtbot.waitUntil(bar.isVisible)
    assert bar.text.text() == "The graphics card has no memory left."
    assert bar.hint.text() == "Close other programs."
    assert subjects.sections[0].rows["age"].track.number == 0.0


def test_a_picture_without_a_prompt_says_why_there_are_no_sliders(
    window: MainWindow, application: Application
) -> None:
    photo = generated().layers[0].changed(recipe=None)
    open_document(application, Document.from_layer(photo, title="photo.jpg"))
    panel = window.panel("subjects")
    assert isinstance(panel, SubjectPanel)
    assert panel.new_picture.isVisible()
    assert panel.sections == ()


def test_a_click_on_the_canvas_goes_to_that_subjects_slider(
    filled: MainWindow, subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    add_age(subjects, application, 1)
    view = filled.workspace.view
    assert view is not None
    point = view.viewport.to_view(QPointF(48, 48)) / view.devicePixelRatioF()
    with qtbot.waitSignal(view.subject_pointed) as told:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=point.toPoint())
    assert told.args == [1]


def test_it_says_what_the_model_cannot_draw(subjects: SubjectPanel) -> None:
    prompt = subjects.prompt
    assert prompt.unknown.isHidden()
    prompt.pencil.setChecked(True)
    prompt.editor.setPlainText("a man and a <b>dragon</b>")
    assert "dragon" in prompt.unknown.text()
    assert not prompt.unknown.isHidden()


def test_marks_of_weights_are_no_words_that_a_model_cannot_draw(
    subjects: SubjectPanel, application: Application
) -> None:
    made = generated("a (man:1.2) and a woman").layers[0]
    assert isinstance(made, Layer)
    assert made.recipe is not None
    weighted = made.changed(recipe=with_parameters(made.recipe, weighted=True))
    open_document(application, Document.from_layer(weighted, title="weighted"))
    prompt = subjects.prompt
    assert prompt.unknown.isHidden()
    prompt.pencil.setChecked(True)
    prompt.editor.setPlainText("a (dragon:1.3) and a woman")
    assert prompt.unknown.text() == "This model cannot draw: dragon"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
@pytest.mark.parametrize("held", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier])
def test_return_and_ctrl_return_generate(
    subjects: SubjectPanel, qtbot: QtBot, key: Qt.Key, held: Qt.KeyboardModifier
) -> None:
    prompt = subjects.prompt
    prompt.pencil.setChecked(True)
    prompt.editor.setPlainText("a man and a cat")
    with qtbot.waitSignal(prompt.generate_requested):
        qtbot.keyClick(prompt.editor, key, held)


def test_only_this_subject_can_be_switched_off(
    subjects: SubjectPanel, application: Application, qtbot: QtBot
) -> None:
    session, document = application.session, application.current
    assert session is not None
    assert document is not None
    assert subjects.only_subject.isHidden()
    add_age(subjects, application)
    session.set_value(0, "age", 1.0, dragging=False)
    qtbot.waitUntil(lambda: not session.busy)
    assert not subjects.only_subject.isHidden()
    assert subjects.only_subject.isChecked()
    subjects.only_subject.click()
    qtbot.waitUntil(lambda: not session.busy)
    recipe = document.layer(session.layer_id).recipe
    assert recipe is not None
    assert getattr(recipe.request.parameters, "only_subject", None) is False
    document.undo_stack.undo()
    assert subjects.only_subject.isChecked()
    assert session.only_subject

"""Buttons that the keyboard reaches."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QTabBar, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from widgets.look.focus_within import FocusWithin
from widgets.subjects.subject_panel import SubjectPanel


def test_tells_when_the_focus_comes_and_goes(qtbot: QtBot) -> None:
    window, inner, outside = QWidget(), QWidget(), QLineEdit()
    first, second = QLineEdit(inner), QLineEdit(inner)
    layout = QVBoxLayout(window)
    layout.addWidget(inner)
    layout.addWidget(outside)
    qtbot.addWidget(window)
    within = FocusWithin(inner)
    told: list[bool] = []
    within.changed.connect(told.append)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    outside.setFocus()
    qtbot.waitUntil(outside.hasFocus)
    told.clear()
    for field in (first, second, outside):
        field.setFocus()
        qtbot.waitUntil(field.hasFocus)
    assert told == [True, False]


def test_the_buttons_of_an_attribute_show_while_its_slider_has_the_focus(
    subjects: SubjectPanel, qtbot: QtBot
) -> None:
    section = subjects.sections[0]
    section.add_requested.emit("age")
    row = subjects.sections[0].rows["age"]
    row.window().activateWindow()
    elsewhere = subjects.window().findChild(QTabBar)
    assert isinstance(elsewhere, QTabBar)
    elsewhere.setFocus()
    qtbot.waitUntil(row.remove.isHidden)
    row.track.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(lambda: not row.remove.isHidden())
    assert not row.link.isHidden()

"""Fields of forms: both decimal marks, and a wheel that passes over them."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QStyleOptionComboBox, QWidget
from pytestqt.qtbot import QtBot

import widgets
from widgets.forms.fields import ComboBox, DoubleSpinBox, FontComboBox, Slider, SpinBox
from widgets.forms.value_box import ValueBox

German, English = QLocale(QLocale.Language.German), QLocale(QLocale.Language.English)


@pytest.mark.parametrize("locale", [German, English], ids=["comma", "point"])
@pytest.mark.parametrize("typed", ["1.5", "1,5"])
@pytest.mark.parametrize("make", [lambda: DoubleSpinBox(maximum=99.0), lambda: ValueBox(-9, 9)])
def test_point_and_comma_are_the_same(qtbot: QtBot, locale: QLocale, typed: str, make: type) -> None:
    box: DoubleSpinBox = make()
    qtbot.addWidget(box)
    box.setLocale(locale)
    box.selectAll()
    qtbot.keyClicks(box, typed)
    box.interpretText()
    assert box.value() == 1.5


@pytest.mark.parametrize("typed", ["1.234,5", "1,234.5", "1.2.3"])
def test_two_marks_are_no_number(qtbot: QtBot, typed: str) -> None:
    box = DoubleSpinBox(maximum=99_999.0)
    qtbot.addWidget(box)
    state, _, _ = box.validate(typed, 0)  # type: ignore[misc]
    assert state.name == "Invalid"


def turn_wheel(widget: QWidget) -> None:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, -240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def choice() -> ComboBox:
    box = ComboBox()
    box.addItems(["a", "b", "c"])
    return box


@pytest.mark.parametrize(
    "make", [choice, FontComboBox, SpinBox, DoubleSpinBox, Slider, lambda: ValueBox(-1, 1)]
)
def test_the_wheel_changes_only_what_has_the_focus(qtbot: QtBot, make: type) -> None:
    holder = QWidget()
    field, other = make(), QLineEdit(holder)
    field.setParent(holder)
    qtbot.addWidget(holder)
    holder.show()
    holder.activateWindow()
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)

    def value() -> object:
        return field.currentIndex() if isinstance(field, ComboBox | FontComboBox) else field.value()

    if not isinstance(field, ComboBox | FontComboBox):
        field.setValue(field.maximum())
    before = value()
    turn_wheel(field)
    assert value() == before
    assert not field.hasFocus()  # nor does the wheel take it
    if isinstance(field, FontComboBox) and field.count() < 2:
        return
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    turn_wheel(field)
    assert value() != before


def test_a_choice_that_is_too_long_ends_in_dots(qtbot: QtBot) -> None:
    box = ComboBox()
    qtbot.addWidget(box)
    box.addItem("The picture up to the active layer")
    option = QStyleOptionComboBox()
    shown: list[str] = []
    for width in (400, 120):
        box.resize(width, 30)
        box.initStyleOption(option)
        shown.append(box.shown_text(option))
    assert shown[0] == "The picture up to the active layer"
    assert shown[1].endswith("…")
    assert shown[0].startswith(shown[1][:-1])


def test_no_field_is_qts_own() -> None:
    forbidden = re.compile(r"\b(QComboBox|QFontComboBox|QSpinBox|QDoubleSpinBox|QSlider)\(")
    root = Path(widgets.__file__).parent
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in root.rglob("*.py")
        if path.name != "fields.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if forbidden.search(line) and not line.startswith("class ")
    ]
    assert found == []

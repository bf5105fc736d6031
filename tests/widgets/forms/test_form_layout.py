"""Labels stand at the height of the words in their fields."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from widgets.forms.form_layout import FormLayout


def middle(widget: QWidget, within: QWidget) -> int:
    return widget.mapTo(within, widget.rect().center()).y()


@pytest.mark.parametrize("style", ["", "QPlainTextEdit { padding: 8px; border: 1px solid black }"])
def test_a_label_is_beside_the_first_line_of_a_longer_text(style: str, qtbot: QtBot) -> None:
    host = QWidget()
    host.setStyleSheet(style)
    qtbot.addWidget(host)
    form = FormLayout(host)
    text = QPlainTextEdit("one\ntwo\nthree")
    text.setFixedHeight(120)
    form.addRow("Prompt", text)
    host.show()
    qtbot.waitExposed(host)
    item = form.itemAt(0, FormLayout.ItemRole.LabelRole)
    label = item.widget()
    assert label is not None
    line = text.viewport().mapTo(host, text.cursorRect().center()).y()
    assert abs(middle(label, host) - line) <= 2


@pytest.mark.parametrize("height_px", [18, 30, 46])
def test_a_label_is_in_the_middle_of_its_field(height_px: int, qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    form = FormLayout(host)
    alone, in_a_row, noted = QLineEdit(), QLineEdit(), QLineEdit()
    for field in (alone, in_a_row, noted):
        field.setFixedHeight(height_px)
    row = QHBoxLayout()
    row.addWidget(in_a_row)
    row.addWidget(QPushButton("Choose"))
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(noted)
    column.addWidget(QLabel("a note of\ntwo lines"))
    form.addRow("Alone", alone)
    form.addRow("In a row", row)
    form.addRow("Noted", box)
    host.show()
    qtbot.waitExposed(host)
    for place, field in enumerate((alone, in_a_row, noted)):
        item = form.itemAt(place, FormLayout.ItemRole.LabelRole)
        label = item.widget()
        assert label is not None
        assert abs(middle(label, host) - middle(field, host)) <= 1
        assert label.height() >= label.sizeHint().height()


def test_labels_are_dim_while_their_fields_are(qtbot: QtBot) -> None:
    """Captions of fields that could not be used stood there as bright as the others."""
    window = QWidget()
    qtbot.addWidget(window)
    layout = FormLayout(window)
    plain, noted, free = QLineEdit(), QLineEdit(), QLineEdit()
    box = QWidget()
    inside = QVBoxLayout(box)
    inside.addWidget(noted)
    inside.addWidget(QLabel("a note"))
    row = QHBoxLayout()
    in_row = QLineEdit()
    row.addWidget(in_row)
    row.addWidget(QPushButton("…"))
    for name, field in (("plain", plain), ("noted", box), ("row", row), ("free", free)):
        layout.addRow(name, field)
    window.show()
    labels = {label.text(): label for label in window.findChildren(QLabel)}
    for editor, name in ((plain, "plain"), (noted, "noted"), (in_row, "row")):
        editor.setEnabled(False)
        assert not labels[name].isEnabled()
        assert labels["free"].isEnabled()
        editor.setEnabled(True)
        assert labels[name].isEnabled()
    window.setEnabled(False)
    assert not labels["plain"].isEnabled()
    window.setEnabled(True)
    assert all(label.isEnabled() for label in labels.values())

"""Pictures to learn an attribute from: one and its sentence, or one before and one after a change."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from editor.controllers.operations import Given, Source
from widgets.forms.form_layout import FormLayout
from widgets.forms.source_field import SourceField
from widgets.look.plain_text import Label

PICTURE, PAIR = "picture", "pair"


class PictureLesson(QWidget):
    """The fields for what the pictures are and show; `method` says how many are asked for."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first, self.second = (SourceField((Given.DOCUMENT, Given.LAYER)) for _ in range(2))
        self.sentence = QLineEdit()
        self.sentence.setPlaceholderText(self.tr("a photo of a man"))
        self._second_label = Label(self.tr("After"))
        self._first_label = Label(self.tr("Picture"))
        layout = FormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(18)
        layout.setVerticalSpacing(10)
        layout.addRow(self._first_label, self.first)
        layout.addRow(self._second_label, self.second)
        layout.addRow(Label(self.tr("It shows")), self.sentence)
        self.first.setAccessibleName(self._first_label.text())
        self.second.setAccessibleName(self._second_label.text())
        self.sentence.setAccessibleName(self.tr("It shows"))
        for field in (self.first, self.second):
            field.changed.connect(self.changed)
        self.sentence.textChanged.connect(self.changed)

    def labels(self) -> list[Label]:
        """Those at the left, whose column others join."""
        return [self._first_label, self._second_label]

    def show_for(self, method: str) -> None:
        """The rows that a method of learning needs; none for those from words."""
        self.setVisible(method in (PICTURE, PAIR))
        for widget in (self._second_label, self.second):
            widget.setVisible(method == PAIR)
        self._first_label.setText(self.tr("Before") if method == PAIR else self.tr("Picture"))

    def sources(self, method: str) -> tuple[Source, ...]:
        return (self.first.source, self.second.source) if method == PAIR else (self.first.source,)

    def values(self) -> dict[str, Any]:
        """What is asked for beside the pictures."""
        return {"picture_prompt": " ".join(self.sentence.text().split())}

"""The contact sheet of translations: texts down, strengths of the structure across."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPlainTextEdit, QWidget

from editor.application import Application
from editor.document.document import Document
from editor.generating.asking import Asked
from editor.generating.translation_sheet import Spot, TranslationSheet
from editor.words.said import said
from inference.errors import EditorError
from widgets.generate.sheet_dialog import SheetDialog
from widgets.look.plain_text import Label
from widgets.look.theme import tabular

STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
USUAL = (0.4, 0.6, 0.8)


class TranslationDialog(SheetDialog[Spot]):
    """Compares texts and strengths for one picture; a chosen one becomes a layer."""

    def __init__(
        self,
        application: Application,
        document: Document,
        values: Mapping[str, Any],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Compare texts and strengths"))
        self._translation = application.translation
        self._document = document
        self._values = dict(values)
        self.sheet: TranslationSheet | None = None
        self._asked: Asked | None = None
        self.prompts = QPlainTextEdit(str(values.get("prompt", "")))
        self.prompts.setAccessibleName(self.tr("Texts, one a line"))
        self.prompts.setPlaceholderText(self.tr("One text a line"))
        self.prompts.setFixedHeight(84)
        self.strengths = {value: QCheckBox(f"{value:.1f}") for value in STRENGTHS}
        self._lay_out()
        self._show()
        self.begin_with(self.prompts)
        self.resize(640, 640)

    def spots(self) -> list[Spot]:
        """The pictures that are chosen, row by row."""
        lines = [line.strip() for line in self.prompts.toPlainText().splitlines()]
        texts = list(dict.fromkeys(line for line in lines if line))
        chosen = [value for value, box in self.strengths.items() if box.isChecked()]
        return [Spot(text, value) for text in texts for value in chosen]

    def done(self, result: int) -> None:
        if self.sheet is not None:
            self.sheet.stop()
        super().done(result)

    @property
    def _pictures(self) -> TranslationSheet | None:
        return self.sheet

    def _name(self, place: Spot) -> str:
        name = self.tr("{prompt}, structure {structure}")
        return name.format(prompt=place.prompt, structure=f"{place.structure:.2f}")

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(Label(self.tr("Structure")))
        for value, box in self.strengths.items():
            box.setChecked(value in USUAL)
            row.addWidget(box)
        self.column.addWidget(self.prompts)
        self._add_grid(row)

    def _on_start(self) -> None:
        if self.sheet is not None and self.sheet.busy:
            self.sheet.stop()
        elif self.sheet is not None:
            self._begin(self.sheet)
        else:
            self._translation.sheet(self._values, self._on_made)

    def _on_made(self, sheet: TranslationSheet, asked: Asked) -> None:
        self.sheet, self._asked = sheet, asked
        sheet.changed.connect(self._show)
        sheet.finished.connect(self._show)
        self.destroyed.connect(sheet.deleteLater)
        self._begin(sheet)

    def _begin(self, sheet: TranslationSheet) -> None:
        try:
            sheet.start(self.spots())
        except EditorError as error:
            self.status.setText(said(error.sentence))
            return
        self._rebuild()

    def _rebuild(self) -> None:
        self._clear()
        spots = self.spots()
        texts = list(dict.fromkeys(spot.prompt for spot in spots))
        values = list(dict.fromkeys(spot.structure for spot in spots))
        for column, value in enumerate(values):
            head = Label(f"{value:.1f}")
            head.setFont(tabular(head.font()))
            head.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            self._grid.addWidget(head, 0, column)
        for row, text in enumerate(texts):
            label = Label(text)
            label.setWordWrap(True)
            label.setProperty("dim", True)
            self._grid.addWidget(label, 2 * row + 1, 0, 1, max(1, len(values)))
            for column, value in enumerate(values):
                self._add_card(Spot(text, value), 2 * row + 2, column)
        self._grid.setColumnStretch(len(values), 1)
        self._grid.setRowStretch(2 * len(texts) + 1, 1)
        self._show()

    def _on_add(self) -> None:
        spot = self._chosen()
        if spot is not None and self.sheet is not None and self._asked is not None:
            self._translation.place(self._document, self.sheet, spot, self._asked)

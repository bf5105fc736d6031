"""The contact sheet of translations: texts down, strengths of the structure across."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QScrollArea,
    QToolButton,
    QWidget,
)

from editor.application import Application
from editor.document.document import Document
from editor.generating.asking import Asked
from editor.generating.translation_sheet import Picture, Spot, TranslationSheet
from editor.pixels.qimages import to_qimage
from editor.words.said import said
from inference.errors import EditorError
from inference.request import Pixels
from widgets.forms.dialog import Dialog
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import tabular

PICTURE_PX = 116
STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
USUAL = (0.4, 0.6, 0.8)


class SheetCard(QToolButton):
    """One picture; an empty frame as long as it is not there."""

    def __init__(self, spot: Spot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spot = spot
        self.setObjectName("ContactCard")
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(PICTURE_PX, PICTURE_PX))
        self.setFixedSize(PICTURE_PX + 16, PICTURE_PX + 40)
        name = self.tr("{prompt}, structure {structure}")
        self.setAccessibleName(name.format(prompt=spot.prompt, structure=f"{spot.structure:.2f}"))

    def show_picture(self, picture: Picture | None) -> None:
        there = picture is not None and picture.result is not None
        self.setEnabled(there)
        set_tip(self, said(picture.error) if picture is not None and picture.error else self.accessibleName())
        if picture is None or picture.result is None:
            self.setText(self._state(picture))
            return
        self.setText("")
        if self.icon().isNull():
            self.setIcon(self._icon(picture.result.images[0]))

    def _icon(self, pixels: Pixels) -> QIcon:
        ratio = self.devicePixelRatioF()
        side = round(PICTURE_PX * ratio)
        kept, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        pixmap = QPixmap.fromImage(to_qimage(pixels).scaled(side, side, kept, smooth))
        pixmap.setDevicePixelRatio(ratio)
        return QIcon(pixmap)

    def _state(self, picture: Picture | None) -> str:
        if picture is None:
            return ""
        if picture.error:
            return self.tr("failed")
        return self.tr("stopped") if picture.stopped else self.tr("waiting…")


class TranslationDialog(Dialog):
    """Compares texts and strengths for one picture; a chosen one becomes a layer."""

    def __init__(
        self,
        application: Application,
        document: Document,
        values: Mapping[str, Any],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Compare texts and strengths"))
        self._translation = application.translation
        self._document = document
        self._values = dict(values)
        self.sheet: TranslationSheet | None = None
        self._asked: Asked | None = None
        self.cards: dict[Spot, SheetCard] = {}
        self.prompts = QPlainTextEdit(str(values.get("prompt", "")))
        self.prompts.setAccessibleName(self.tr("Texts, one a line"))
        self.prompts.setPlaceholderText(self.tr("One text a line"))
        self.prompts.setFixedHeight(84)
        self.strengths = {value: QCheckBox(f"{value:.1f}") for value in STRENGTHS}
        self.status = Label()
        self.status.setProperty("dim", True)
        self._holder = QWidget()
        self._grid = QGridLayout(self._holder)
        self._lay_out()
        self.add_button(self.tr("Close")).clicked.connect(self.close)
        self.add = self.add_button(self.tr("Add as layer"))
        self.start = self.add_button(self.tr("Compare"), primary=True)
        self.add.clicked.connect(self._on_add)
        self.start.clicked.connect(self._on_start)
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

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(Label(self.tr("Structure")))
        for value, box in self.strengths.items():
            box.setChecked(value in USUAL)
            row.addWidget(box)
        row.addStretch(1)
        row.addWidget(self.status)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(self._holder)
        self.column.addWidget(self.prompts)
        self.column.addLayout(row)
        self.column.addWidget(scroll, 1)

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
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self.cards = {}
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
                spot = Spot(text, value)
                card = self.cards[spot] = SheetCard(spot)
                card.setAutoExclusive(True)
                card.toggled.connect(lambda _: self._show_buttons())
                self._grid.addWidget(card, 2 * row + 2, column)
        self._grid.setColumnStretch(len(values), 1)
        self._grid.setRowStretch(2 * len(texts) + 1, 1)
        self._show()

    def _show(self, _spot: object = None) -> None:
        sheet = self.sheet
        for spot, card in self.cards.items():
            card.show_picture(None if sheet is None else sheet.picture(spot))
        busy = sheet is not None and sheet.busy
        if busy and sheet is not None:
            done, total = sheet.done
            self.status.setText(self.tr("{done} of {total}").format(done=done, total=total))
        elif self.cards:
            self.status.setText("")
        self._show_buttons()

    def _show_buttons(self) -> None:
        busy = self.sheet is not None and self.sheet.busy
        self.start.setText(self.tr("Stop") if busy else self.tr("Compare"))
        self.add.setEnabled(self._chosen() is not None)

    def _chosen(self) -> Spot | None:
        chosen = (spot for spot, card in self.cards.items() if card.isChecked() and card.isEnabled())
        return next(chosen, None)

    def _on_add(self) -> None:
        spot = self._chosen()
        if spot is not None and self.sheet is not None and self._asked is not None:
            self._translation.place(self._document, self.sheet, spot, self._asked)

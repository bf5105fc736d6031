"""A dialog with a sheet of pictures, of which a chosen one becomes a layer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from typing import Generic, TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QToolButton, QWidget

from editor.generating.picture_sheet import Cell, PictureSheet
from editor.pixels.qimages import to_qimage
from editor.words.said import said
from inference.request import Pixels
from widgets.forms.dialog import Dialog
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import tabular

PICTURE_PX = 116

Place = TypeVar("Place", bound=Hashable)


class PictureCard(QToolButton):
    """One picture with a text under it; an empty frame as long as it is not there."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ContactCard")
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(PICTURE_PX, PICTURE_PX))
        self.setFixedSize(PICTURE_PX + 16, PICTURE_PX + 40)
        self.setFont(tabular(self.font()))
        self.setAccessibleName(name)
        self._picture: object = None

    def show_cell(self, cell: Cell | None, text: str = "") -> None:
        """Show what is known; `text` is for a picture that is there."""
        self.setEnabled(cell is not None and cell.result is not None)
        set_tip(self, said(cell.error) if cell is not None and cell.error else self.accessibleName())
        if cell is None or cell.result is None:
            self.setText(self._state(cell))
            return
        if self._picture is not cell.result:
            self._picture = cell.result
            self.setIcon(self._icon(cell.result.images[0]))
        self.setText(text)

    def _icon(self, picture: Pixels) -> QIcon:
        """The picture fitted to its place, enlarged where it is smaller."""
        ratio = self.devicePixelRatioF()
        side = round(PICTURE_PX * ratio)
        fitted = to_qimage(picture).scaled(
            side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        pixmap = QPixmap.fromImage(fitted)
        pixmap.setDevicePixelRatio(ratio)
        return QIcon(pixmap)

    def _state(self, cell: Cell | None) -> str:
        if cell is None:
            return ""
        if cell.error:
            return self.tr("failed")
        return self.tr("stopped") if cell.stopped else self.tr("waiting…")


class SheetDialog(Dialog, Generic[Place]):
    """The grid of cards, what is done of it, and the buttons below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.cards: dict[Place, PictureCard] = {}
        self.status = Label()
        self.status.setProperty("dim", True)
        self._holder = QWidget()
        self._grid = QGridLayout(self._holder)

    @property
    @abstractmethod
    def _pictures(self) -> PictureSheet[Place] | None:
        """The sheet, as soon as there is one."""

    @abstractmethod
    def _on_start(self) -> None: ...

    @abstractmethod
    def _on_add(self) -> None: ...

    @abstractmethod
    def _name(self, place: Place) -> str:
        """What a card is called."""

    def _text(self, place: Place) -> str:
        """What stands under a picture that is there."""
        del place
        return ""

    def _add_grid(self, row: QHBoxLayout) -> None:
        """What is chosen, with the status at its end, and the sheet below."""
        row.addStretch(1)
        row.addWidget(self.status)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(self._holder)
        self.column.addLayout(row)
        self.column.addWidget(scroll, 1)
        self._add_buttons()

    def _add_buttons(self) -> None:
        """Last, as the keyboard goes through them last."""
        self.add_button(self.tr("Close")).clicked.connect(self.close)
        self.add = self.add_button(self.tr("Add as layer"))
        self.start = self.add_button(self.tr("Compare"), primary=True)
        self.add.clicked.connect(self._on_add)
        self.start.clicked.connect(self._on_start)

    def _clear(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        self.cards = {}

    def _add_card(self, place: Place, row: int, column: int) -> None:
        card = self.cards[place] = PictureCard(self._name(place))
        card.toggled.connect(lambda _: self._show_buttons())
        self._grid.addWidget(card, row, column)

    def _show(self, _place: object = None) -> None:
        sheet = self._pictures
        for place, card in self.cards.items():
            card.show_cell(None if sheet is None else sheet.cell(place), self._text(place))
        if sheet is not None and sheet.busy:
            done, total = sheet.done
            self.status.setText(self.tr("{done} of {total}").format(done=done, total=total))
        elif self.cards:
            self.status.setText("")
        self._show_buttons()

    def _show_buttons(self) -> None:
        busy = self._pictures is not None and self._pictures.busy
        self.start.setText(self.tr("Stop") if busy else self.tr("Compare"))
        self.add.setEnabled(self._chosen() is not None)

    def _chosen(self) -> Place | None:
        chosen = (place for place, card in self.cards.items() if card.isChecked() and card.isEnabled())
        return next(chosen, None)

"""The zoom in the status bar: typed, chosen from a list, or stepped by the arrow keys."""

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QValidator
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from widgets.forms.fields import ComboBox
from widgets.look.plain_text import set_tip
from widgets.look.theme import tabular

FIT = 0.0
_CHOICES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_LOWEST, _HIGHEST = 0.001, 64.0


class ZoomBox(ComboBox):
    """Tells a wished zoom (1.0 = 100 %, `FIT` = fit in window)."""

    chosen = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ""
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setProperty("flat", True)
        self.setProperty("strong", True)
        self.setFont(tabular(self.font()))
        self.setAccessibleName(self.tr("Zoom"))
        set_tip(self, self.tr("Zoom; type a number or choose one"))
        self.addItem(self.tr("Fit"), FIT)
        for zoom in _CHOICES:
            self.addItem(percent_text(zoom), zoom)
        self.setCurrentIndex(-1)
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("00000 %") + 34)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.field = QLineEdit()
        self.setLineEdit(self.field)
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setValidator(_Anything(self))
        self.field.returnPressed.connect(self._on_typed)
        self.activated.connect(self._on_activated)

    def text(self) -> str:
        return self.currentText()

    def show_zoom(self, zoom: float) -> None:
        self._shown = percent_text(zoom)
        if not self.field.isModified() or not self.hasFocus():
            self.setCurrentIndex(-1)
            self.setEditText(self._shown)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setEditText(self._shown)
            self.field.setModified(False)
            self.clearFocus()
            return
        super().keyPressEvent(event)

    def _on_activated(self, index: int) -> None:
        self._tell(float(self.itemData(index)))

    def _on_typed(self) -> None:
        zoom = zoom_of(self.currentText())
        if zoom is None:
            self.setEditText(self._shown)
        else:
            self._tell(zoom)

    def _tell(self, zoom: float) -> None:
        self.field.setModified(False)
        self.clearFocus()
        self.setCurrentIndex(-1)
        self.setEditText(self._shown)
        self.chosen.emit(zoom)


class _Anything(QValidator):
    """So that the box does not complete what is typed to one of its entries."""

    def validate(self, text: str, position: int) -> object:  # type: ignore[override]
        return QValidator.State.Acceptable, text, position


def percent_text(zoom: float) -> str:
    """Like “66.7 %”; no fraction from 10 % on."""
    percent = zoom * 100
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"


def zoom_of(text: str) -> float | None:
    """The zoom that a text such as “150 %” or “150” means; None if it means none."""
    found = re.fullmatch(r"\s*(\d+(?:[.,]\d*)?)\s*[%％]?\s*", text)
    if found is None:
        return None
    zoom = float(found[1].replace(",", ".")) / 100
    return zoom if _LOWEST <= zoom <= _HIGHEST else None

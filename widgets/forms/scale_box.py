"""A size in pixels whose sides stay in proportion, and the same in percent."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from editor.layers.limits import LARGEST_SIDE_PX
from widgets.forms.fields import DoubleSpinBox, SpinBox
from widgets.look.plain_text import Label
from widgets.look.theme import inset, tabular


class ScaleBox(QWidget):
    """Width × height and a percentage; changing one changes the others."""

    changed = Signal()

    def __init__(self, width: int, height: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._full = (width, height)
        self.width_box = self._side(width, self.tr("Width in pixels"))
        self.height_box = self._side(height, self.tr("Height in pixels"))
        self.percent = DoubleSpinBox()
        self.percent.setRange(0.1, 1000)
        self.percent.setDecimals(1)
        self.percent.setSuffix(self.tr(" %"))
        self.percent.setValue(100)
        self.percent.setAccessibleName(self.tr("Size in percent"))
        self.percent.setKeyboardTracking(False)
        inset(self.percent)
        sides = QHBoxLayout()
        sides.setSpacing(6)
        sides.addWidget(self.width_box, 1)
        sides.addWidget(Label("×"))
        sides.addWidget(self.height_box, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(sides)
        layout.addWidget(self.percent)
        self.width_box.valueChanged.connect(lambda value: self._take(value / self._full[0]))
        self.height_box.valueChanged.connect(lambda value: self._take(value / self._full[1]))
        self.percent.valueChanged.connect(lambda value: self._take(value / 100))

    @property
    def wished(self) -> tuple[int, int]:
        """(width, height) in pixels; (0, 0) for the size as it is."""
        size = self.width_box.value(), self.height_box.value()
        return (0, 0) if size == self._full else size

    def _side(self, value: int, name: str) -> QSpinBox:
        box = SpinBox()
        box.setRange(1, LARGEST_SIDE_PX)
        box.setValue(value)
        box.setAccessibleName(name)
        box.setKeyboardTracking(False)
        box.setFont(tabular(box.font()))
        inset(box)
        return box

    def _take(self, factor: float) -> None:
        width, height = (max(1, min(LARGEST_SIDE_PX, round(side * factor))) for side in self._full)
        sender = self.sender()
        for box, value in (
            (self.width_box, width),
            (self.height_box, height),
            (self.percent, factor * 100),
        ):
            if box is not sender:
                blocked = box.blockSignals(True)
                box.setValue(value)  # type: ignore[arg-type]
                box.blockSignals(blocked)
        self.changed.emit()

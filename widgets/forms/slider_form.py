"""A form of sliders made from declared parameters: a drag tells every value, its end once."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from editor.words.choices import choice_text
from inference.parameters import ParameterField, Parameters
from widgets.forms.fields import ComboBox, DoubleSpinBox, Slider, SpinBox
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import inset, tabular

_POSITIONS = 1000  # of a slider of fractions


class SliderForm(QWidget):
    """One row for each declared parameter that is shown. `names` limits it to some of them."""

    changed = Signal(str, object, bool)  # name, value, whether a drag goes on
    finished = Signal()  # a drag ended

    def __init__(
        self,
        declared: Sequence[ParameterField],
        context: str,
        *,
        skip: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self.rows: dict[str, NumberRow | QCheckBox | QComboBox] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(8)
        self._grid.setColumnStretch(0, 1)
        for item in declared:
            if not item.declaration.hidden and item.name not in skip:
                self._add(item)

    def show_values(self, values: Parameters) -> None:
        """Show values without telling."""
        for name, row in self.rows.items():
            value = getattr(values, name)
            if isinstance(row, NumberRow):
                row.show_value(value)
                continue
            blocked = row.blockSignals(True)
            if isinstance(row, QCheckBox):
                row.setChecked(bool(value))
            else:
                row.setCurrentIndex(max(0, row.findData(value)))
            row.blockSignals(blocked)

    def _add(self, item: ParameterField) -> None:
        label = QCoreApplication.translate(self._context, item.declaration.label)
        name, row = item.name, self._grid.rowCount()
        if item.type is bool:
            check = QCheckBox(label)
            check.toggled.connect(lambda on: self.changed.emit(name, on, False))
            self._grid.addWidget(check, row, 0)
            self.rows[name] = check
        elif item.declaration.choices:
            self._add_choice(item, label, row)
        elif item.type in (int, float):
            number = NumberRow(item, label)
            number.changed.connect(lambda value, dragging: self.changed.emit(name, value, dragging))
            number.finished.connect(self.finished)
            self._grid.addWidget(number, row, 0)
            self.rows[name] = number
        widget = self.rows.get(name)
        if widget is not None and item.declaration.help:
            help_text = QCoreApplication.translate(self._context, item.declaration.help)
            set_tip(widget, help_text)
            widget.setAccessibleDescription(help_text)

    def _add_choice(self, item: ParameterField, label: str, row: int) -> None:
        combo = ComboBox()
        combo.setAccessibleName(label)
        for choice in item.declaration.choices:
            combo.addItem(choice_text(choice), choice)
        combo.activated.connect(lambda: self.changed.emit(item.name, combo.currentData(), False))
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(Label(label))
        layout.addWidget(combo, 1)
        self._grid.addWidget(line, row, 0)
        self.rows[item.name] = combo


class NumberRow(QWidget):
    """Label and number over a slider. A double click on the slider goes back to the default."""

    changed = Signal(object, bool)  # value, whether a drag goes on
    finished = Signal()

    def __init__(self, item: ParameterField, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._default = item.default
        self._whole = item.type is int
        low, high = item.declaration.min, item.declaration.max
        self._low = 0.0 if low is None else low
        self._high = 100.0 if high is None else high
        self.slider = _ResetSlider()
        self.slider.setRange(0, round(self._high - self._low) if self._whole else _POSITIONS)
        self.slider.setAccessibleName(label)
        self.box = self._number(item, label)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(Label(label), 1)
        top.addWidget(self.box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.slider)
        self.slider.valueChanged.connect(self._on_slid)
        self.slider.sliderReleased.connect(self.finished)
        self.slider.reset_requested.connect(lambda: self._tell(self._default, dragging=False))
        self.box.valueChanged.connect(lambda value: self._tell(value, dragging=False))

    @property
    def value(self) -> float | int:
        return self.box.value()

    def show_value(self, value: float) -> None:
        for widget, shown in ((self.slider, self._position(value)), (self.box, value)):
            blocked = widget.blockSignals(True)
            widget.setValue(shown)  # type: ignore[arg-type]
            widget.blockSignals(blocked)

    def _number(self, item: ParameterField, label: str) -> QSpinBox | QDoubleSpinBox:
        box: QSpinBox | QDoubleSpinBox
        if self._whole:
            box = SpinBox()
            box.setRange(round(self._low), round(self._high))
        else:
            step = item.declaration.step or (self._high - self._low) / 100
            box = DoubleSpinBox()
            box.setRange(self._low, self._high)
            box.setSingleStep(step)
            box.setDecimals(2 if step < 0.1 else 1)
        box.setKeyboardTracking(False)
        box.setProperty("flat", True)
        box.setProperty("bare", True)
        box.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        box.setFont(tabular(box.font()))
        box.setAccessibleName(label)
        inset(box)
        widest = max(f"{self._low:.2f}", f"{self._high:.2f}", key=len) if not self._whole else "−0000"
        box.setFixedWidth(box.fontMetrics().horizontalAdvance(widest) + 26)
        return box

    def _position(self, value: float) -> int:
        if self._whole:
            return round(value - self._low)
        return round((value - self._low) / (self._high - self._low) * _POSITIONS)

    def _on_slid(self, position: int) -> None:
        if self._whole:
            value: float = round(self._low) + position
        else:
            share = position / _POSITIONS
            value = round(self._low + share * (self._high - self._low), self._decimals())
        self._tell(value, dragging=self.slider.isSliderDown())

    def _decimals(self) -> int:
        return self.box.decimals() if isinstance(self.box, QDoubleSpinBox) else 0

    def _tell(self, value: Any, *, dragging: bool) -> None:
        self.show_value(value)
        self.changed.emit(value, dragging)


class _ResetSlider(Slider):
    reset_requested = Signal()

    def mouseDoubleClickEvent(self, event: object) -> None:
        self.reset_requested.emit()

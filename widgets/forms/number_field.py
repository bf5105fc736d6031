"""A number as a short slider with its figure: drag for about, type for exactly."""

import math
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QSpinBox, QWidget

from inference.parameters import ParameterField
from widgets.forms.fields import DoubleSpinBox, Slider, SpinBox
from widgets.look.theme import inset, tabular

_STEPS = 1000
_LARGEST = 1_000_000
_WIDEST = 15_000  # over more a slider hits nothing
_SLIDER_PX = 92
_CURVED_FROM = 200.0  # ranges this wide get a slider that is finer at its low end


class NumberField(QWidget):
    """Takes its range and step from a declaration; digits beyond the range are refused while typing."""

    changed = Signal(object)  # int or float

    def __init__(self, item: ParameterField, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        declaration = item.declaration
        self._whole = item.type is int
        self._low = float(-_LARGEST if declaration.min is None else declaration.min)
        self._high = float(_LARGEST if declaration.max is None else declaration.max)
        self.box = self._made_box(declaration.step)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self.slider: QSlider | None = None
        self._limited = declaration.min is not None and declaration.max is not None
        if self._limited and self._high - self._low <= _WIDEST:
            self.slider = Slider()
            self.slider.setRange(0, _STEPS)
            self.slider.setFixedWidth(_SLIDER_PX)
            self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the figure beside it takes the keys
            self.slider.valueChanged.connect(self._on_slider)
            layout.addWidget(self.slider)
        layout.addWidget(self.box)
        self.setFocusProxy(self.box)

    def _made_box(self, step: float | None) -> QSpinBox | QDoubleSpinBox:
        box: QSpinBox | QDoubleSpinBox
        if self._whole:
            box = SpinBox()
            box.setRange(int(self._low), int(self._high))
            box.setSingleStep(max(1, int(step or 1)))
        else:
            box = DoubleSpinBox()
            box.setDecimals(2 if self._high - self._low <= 10 else 1)
            box.setRange(self._low, self._high)
            box.setSingleStep(step or (0.05 if self._high - self._low <= 2 else 1.0))
        box.setProperty("bare", True)
        box.setKeyboardTracking(False)
        box.setFont(tabular(box.font()))
        digits = 0 if isinstance(box, QSpinBox) else box.decimals()
        widest = max((f"{end:.{digits}f}" for end in (self._low, self._high)), key=len)
        box.setFixedWidth(box.fontMetrics().horizontalAdvance(widest) + 28)
        inset(box)
        box.valueChanged.connect(self._on_box)
        return box

    @property
    def value(self) -> Any:
        return self.box.value()

    def set_value(self, value: float) -> None:
        """Show a value without telling it."""
        parts = [part for part in (self.box, self.slider) if part is not None]
        blocked = [part.blockSignals(True) for part in parts]
        self.box.setValue(int(value) if self._whole else float(value))  # type: ignore[arg-type]
        if self.slider is not None:
            self.slider.setValue(round(self._share(value) * _STEPS))
        for part, was in zip(parts, blocked):
            part.blockSignals(was)

    def range_text(self) -> str:
        """Such as “1 to 100”."""
        if not self._limited:
            return ""
        ends = [f"{end:g}" for end in (self._low, self._high)]
        return self.tr("{low} to {high}").format(low=ends[0], high=ends[1])

    def setAccessibleName(self, name: str) -> None:
        super().setAccessibleName(name)
        self.box.setAccessibleName(name)

    def _on_slider(self, position: int) -> None:
        value = self._at(position / _STEPS)
        self.box.setValue(round(value) if self._whole else value)  # type: ignore[arg-type]

    def _on_box(self, value: float) -> None:
        self.set_value(value)
        self.changed.emit(self.box.value())

    def _is_curved(self) -> bool:
        return self._low >= 0 and self._high - self._low >= _CURVED_FROM

    def _share(self, value: float) -> float:
        if self._is_curved():
            return math.cbrt((value - self._low) / (self._high - self._low))
        return (value - self._low) / (self._high - self._low)

    def _at(self, share: float) -> float:
        curved = share**3 if self._is_curved() else share
        return self._low + curved * (self._high - self._low)

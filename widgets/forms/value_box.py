"""A number field that shows its sign and goes back to zero on a double click."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from widgets.forms.fields import DoubleSpinBox
from widgets.look.theme import inset, tabular


class ValueBox(DoubleSpinBox):
    """Signed, two decimals, figures of equal width."""

    reset_requested = Signal()

    def __init__(self, minimum: float, maximum: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("flat", True)
        self.setRange(minimum, maximum)
        self.setSingleStep(0.05)
        self.setDecimals(2)
        self.setKeyboardTracking(False)
        self.setProperty("bare", True)  # NoButtons leaves the field no width under a style sheet
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setFont(tabular(self.font()))
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("+0.00") + 20)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        inset(self)
        self.lineEdit().installEventFilter(self)

    def textFromValue(self, value: float) -> str:
        text = self.locale().toString(abs(value), "f", self.decimals())
        sign = "+" if value > 0.004 else "−" if value < -0.004 else ""
        return sign + text

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(text.replace("−", "-"))

    def validate(self, text: str, position: int) -> object:  # type: ignore[override] # PySide wants three
        state, _, _ = super().validate(text.replace("−", "-"), position)  # type: ignore[misc]
        return state, text, position

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick and watched is self.lineEdit():
            self.reset_requested.emit()
            return True
        return super().eventFilter(watched, event)

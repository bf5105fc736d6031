"""A button for what cannot be taken back: the first click asks, the second one within moments does it."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QPushButton, QWidget

_SURE_MS = 4000


class SureButton(QPushButton):
    """Emits `sure` with the second click; `question` stands on it between the two."""

    sure = Signal()

    def __init__(self, text: str, question: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._text, self._question = text, question
        self.setAutoDefault(False)  # Return is for what does no harm
        self._timer = QTimer(self, singleShot=True, interval=_SURE_MS)
        self._timer.timeout.connect(self.ask_anew)
        self.clicked.connect(self._on_clicked)

    def _on_clicked(self) -> None:
        if self._timer.isActive():
            self.ask_anew()
            self.sure.emit()
        else:
            self._timer.start()
            self.setText(self._question)

    def ask_anew(self) -> None:
        """What it is about has changed, or nobody was sure."""
        self._timer.stop()
        self.setText(self._text)

"""What a picture without a prompt shows, in the user's words: the start of its sliders."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from widgets.look.plain_text import Label, set_tip

_LINES = 3


class _Field(QPlainTextEdit):
    """Takes one description; Return hands it over."""

    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
            return
        super().keyPressEvent(event)


class Description(QWidget):
    """Emits `given` with the text."""

    given = Signal(str)
    suggestion_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.question = Label(self.tr("What does this picture show?"))
        self.field = _Field()
        self.field.setAccessibleName(self.question.text())
        self.field.setPlaceholderText(self.tr("a photo of a man and a woman on the beach"))
        self.field.setTabChangesFocus(True)
        self.field.setFixedHeight(self.field.fontMetrics().lineSpacing() * _LINES + 14)
        self.hint = Label(
            self.tr("A click on a person or a thing gives it sliders. The picture below stays as it is.")
        )
        self.hint.setWordWrap(True)
        self.hint.setProperty("dim", True)
        self.start = QPushButton(self.tr("Make sliders"))
        self.start.setProperty("primary", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        self.suggest = QPushButton(self.tr("Suggest"))
        set_tip(self.suggest, self.tr("Let the detector say what it finds in the picture"))
        self._before = ""  # what was typed when a suggestion was asked for
        self.suggestion_wanted.connect(self._remember)
        self.suggest.clicked.connect(self.suggestion_wanted)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.start, 1)
        buttons.addWidget(self.suggest)
        for widget in (self.question, self.field, self.hint):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        self._busy = False
        self.field.textChanged.connect(self._show_enabled)
        self.field.entered.connect(self._give)
        self.start.clicked.connect(self._give)
        self._show_enabled()

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._show_enabled()

    def set_suggesting(self, *, possible: bool, busy: bool) -> None:
        """Whether a detector could be asked, and whether one is being asked."""
        self.suggest.setVisible(possible)
        self.suggest.setEnabled(not busy)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.field.toPlainText()

    def set_text(self, text: str) -> None:
        self.field.setPlainText(text)

    def show_suggestion(self, text: str) -> None:
        """Put a description into the field, to be read and changed before it is given.

        What was typed since it was asked for stays.
        """
        if self._text() and self.text != self._before:
            return
        self.field.setPlainText(text)
        self.field.setFocus()
        self.field.selectAll()

    def _remember(self) -> None:
        self._before = self.text

    def _text(self) -> str:
        return " ".join(self.field.toPlainText().split())

    def _show_enabled(self) -> None:
        self.start.setEnabled(bool(self._text()) and not self._busy)

    def _give(self) -> None:
        if self.start.isEnabled():
            self.given.emit(self._text())

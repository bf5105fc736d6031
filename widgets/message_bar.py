"""Messages over the canvas: what is wrong and what to do, never in the way."""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from widgets.icons import IconButton
from widgets.theme import scaled_font

_INFO_SHOWN_MS = 5000
_WARNING_SHOWN_MS = 12000
_MARGIN = 14
_MAX_WIDTH = 620


class MessageBar(QFrame):
    """Lies at the top of its parent. Errors stay until they are closed; the rest goes by itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setObjectName("MessageBar")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setFont(scaled_font(self.text.font(), 1.0, bold=True))
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        for label in (self.text, self.hint):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.dismiss = IconButton("close", self.tr("Close this message"), size_px=14)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.text)
        words.addWidget(self.hint)
        self._layout = layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 10, 8, 10)
        layout.addLayout(words, 1)
        layout.addWidget(self.dismiss, alignment=Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.hide)
        self.dismiss.clicked.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    def show_message(self, text: str, hint: str = "", level: str = "info") -> None:
        """Show a message of level "info", "warning" or "error" in place of the last one."""
        self.text.setText(text)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.setProperty("level", level)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setAccessibleName(text)
        self.setAccessibleDescription(hint)
        self._timer.stop()
        if level != "error":
            self._timer.start(_INFO_SHOWN_MS if level == "info" else _WARNING_SHOWN_MS)
        self.show()
        self._place()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        parent = self._parent
        width = min(_MAX_WIDTH, parent.width() - 2 * _MARGIN)
        wide = (
            self.fontMetrics().horizontalAdvance(max(self.text.text(), self.hint.text(), key=len)) * 1.1 + 80
        )
        width = max(200, min(width, round(wide)))
        self.setFixedWidth(width)
        self.setFixedHeight(self._layout.totalHeightForWidth(width))
        self.move((parent.width() - width) // 2, _MARGIN)

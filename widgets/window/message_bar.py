"""Messages over the canvas: what is wrong and what to do, never in the way."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from widgets.look.icons import IconButton
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font

_INFO_SHOWN_MS = 5000
_WARNING_SHOWN_MS = 12000
_LEAST_SHOWN_MS = 2000  # of an error that was mended at once
_MARGIN = 14
_MAX_WIDTH = 620


class MessageBar(QFrame):
    """Lies at the top of its parent. Errors stay until they are closed or mended; the rest goes by itself.

    What comes while an error is shown lies below it, in a bar of its own.
    """

    def __init__(self, parent: QWidget, above: MessageBar | None = None) -> None:
        super().__init__(parent)
        self._parent = parent
        self._above = above
        self.below: MessageBar | None = None
        self.setObjectName("MessageBar")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.text = Label()
        self.text.setWordWrap(True)
        self.text.setFont(scaled_font(self.text.font(), 1.0, bold=True))
        self.hint = Label()
        self.hint.setWordWrap(True)
        for label in (self.text, self.hint):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.dismiss = IconButton("close", self.tr("Close this message"), size_px=14)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self.text)
        words.addWidget(self.hint)
        self._layout = layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 12, 10, 12)
        layout.setSpacing(10)
        layout.addLayout(words, 1)
        layout.addWidget(self.dismiss, alignment=Qt.AlignmentFlag.AlignTop)
        self._shown = QElapsedTimer()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._close)
        self.dismiss.clicked.connect(self._close)
        parent.installEventFilter(self)
        self.hide()

    def show_message(self, text: str, hint: str = "", level: str = "info") -> None:
        """Show a message of level "info", "warning" or "error" in place of the last one.

        Only an error takes an error's place.
        """
        shown = self.property("level") if self.isVisible() else ""
        if level != "error" and shown == "error":
            self._show_below(text, hint, level)
            return
        if level == "error" and shown == "warning":
            self._show_below(self.text.text(), self.hint.text(), "warning")
        self.text.setText(text)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.setProperty("level", level)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setAccessibleName(text)
        self.setAccessibleDescription(hint)
        self._timer.stop()
        self._shown.start()
        if level != "error":
            self._timer.start(_INFO_SHOWN_MS if level == "info" else _WARNING_SHOWN_MS)
        self.show()
        self._place()
        self.raise_()

    def leave(self, text: str) -> None:
        """An error that says `text` holds no more; it goes once there was time to read it."""
        if self.isVisible() and self.text.text() == text and self.property("level") == "error":
            left = max(1, _LEAST_SHOWN_MS - self._shown.elapsed())
            self._timer.start(left)
        elif self.below is not None:
            self.below.leave(text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _show_below(self, text: str, hint: str, level: str) -> None:
        if self.below is None:
            self.below = MessageBar(self._parent, above=self)
        self.below.show_message(text, hint, level)

    def _close(self) -> None:
        self.hide()
        if self.below is not None and self.below.isVisible():
            self.below._place()

    def _place(self) -> None:
        parent = self._parent
        width = min(_MAX_WIDTH, parent.width() - 2 * _MARGIN)
        wide = (
            self.fontMetrics().horizontalAdvance(max(self.text.text(), self.hint.text(), key=len)) * 1.1 + 80
        )
        width = max(200, min(width, round(wide)))
        self.setFixedWidth(width)
        self.setFixedHeight(self._layout.totalHeightForWidth(width))
        top = _MARGIN
        if self._above is not None and self._above.isVisible():
            top = self._above.geometry().bottom() + 8
        self.move((parent.width() - width) // 2, top)
        if self.below is not None and self.below.isVisible():
            self.below._place()

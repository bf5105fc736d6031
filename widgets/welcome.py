"""What the window shows while no picture is open."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from widgets.theme import scaled_font, tokens_of


class Welcome(QWidget):
    """Two ways to begin; while the first picture is on its way, that instead."""

    new_requested = Signal()
    open_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(self.tr("Open a picture, or make one"))
        self.title.setFont(scaled_font(self.title.font(), 1.5, bold=True))
        self.hint = QLabel(self.tr("You can also drop a file here."))
        self.hint.setProperty("dim", True)
        self.bar = QProgressBar(maximum=0, textVisible=False)
        self.bar.setFixedWidth(260)
        self.new = QPushButton(self.tr("New from prompt…"))
        self.new.setProperty("primary", True)
        self.open = QPushButton(self.tr("Open…"))
        self.new.clicked.connect(self.new_requested)
        self.open.clicked.connect(self.open_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch(1)
        buttons.addWidget(self.new)
        buttons.addWidget(self.open)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addStretch(1)
        for widget in (self.title, self.hint, self.bar):
            layout.addWidget(widget, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(6)
        layout.addLayout(buttons)
        layout.addStretch(1)
        self.show_waiting("")

    def show_waiting(self, text: str) -> None:
        """Say what is on its way; "" for nothing."""
        self.bar.setVisible(bool(text))
        self.title.setText(text or self.tr("Open a picture, or make one"))
        self.hint.setVisible(not text)
        self.new.setVisible(not text)
        self.open.setVisible(not text)

    def show_share(self, share: float) -> None:
        """How much of it is there, 0..1."""
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(share * 1000))

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), QColor(tokens_of(self).backdrop))

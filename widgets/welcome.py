"""What the window shows while no picture is open."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from editor.images import to_qimage
from inference.progress import Step
from widgets.theme import scaled_font, tokens_of

_PREVIEW_PX = 240


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
        self.preview = QLabel()
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
        for widget in (self.preview, self.title, self.hint, self.bar):
            layout.addWidget(widget, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(6)
        layout.addLayout(buttons)
        layout.addStretch(1)
        self.show_waiting("")

    def show_waiting(self, text: str) -> None:
        """Say what is on its way; "" for nothing."""
        self.bar.setVisible(bool(text))
        self.bar.setRange(0, 0)
        self.preview.hide()
        self.title.setText(text or self.tr("Open a picture, or make one"))
        self.hint.setVisible(not text)
        self.new.setVisible(not text)
        self.open.setVisible(not text)

    def show_step(self, step: Step) -> None:
        """How far it is, and what it looks like so far."""
        self.bar.setRange(0, step.total)
        self.bar.setValue(step.done)
        if step.preview is not None:
            ratio = self.devicePixelRatioF()
            side = round(_PREVIEW_PX * ratio)
            smooth = Qt.TransformationMode.SmoothTransformation
            image = to_qimage(step.preview).scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth)
            pixmap = QPixmap.fromImage(image)
            pixmap.setDevicePixelRatio(ratio)
            self.preview.setPixmap(pixmap)
            self.preview.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), QColor(tokens_of(self).backdrop))

"""The status bar: zoom, size, pointer, what the model is good for, device and memory."""

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from editor.application import Application
from editor.document import Document
from editor.process_memory import resident_bytes
from widgets.theme import tabular

_MEMORY_INTERVAL_MS = 2000


class StatusBar(QStatusBar):
    """Small facts, quietly."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._document: Document | None = None
        self.setSizeGripEnabled(False)
        self.zoom, self.size_label, self.cursor_label = QLabel(), QLabel(), QLabel()
        self.busy, self.note, self.device, self.memory = QLabel(), QLabel(), QLabel(), QLabel()
        self.zoom.setObjectName("Strong")
        self.device.setObjectName("Strong")
        for label in (self.zoom, self.size_label, self.cursor_label, self.busy):
            label.setFont(tabular(label.font()))
            self.addWidget(label)
        for label in (self.note, self.device, self.memory):
            label.setFont(tabular(label.font()))
            self.addPermanentWidget(label)
        application.current_changed.connect(self.set_document)
        application.session_changed.connect(self._show_model)
        application.settings.changed.connect(self._show_model)
        application.busy_changed.connect(self._on_busy)
        application.service.status_changed.connect(self._on_busy)
        self._timer = QTimer(self, interval=_MEMORY_INTERVAL_MS)
        self._timer.timeout.connect(self._show_memory)
        self._timer.start()
        self.set_document(application.current)

    def set_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.layers_changed.disconnect(self._show_size)
        self._document = document
        if document is not None:
            document.layers_changed.connect(self._show_size)
        self.zoom.setVisible(document is not None)
        self.set_cursor(None)
        self._show_size()
        self._show_model()

    def set_zoom(self, zoom: float) -> None:
        percent = zoom * 100
        self.zoom.setText(
            self.tr("{percent} %").format(percent=f"{percent:.0f}" if percent >= 10 else f"{percent:.1f}")
        )

    def set_cursor(self, position: QPoint | None) -> None:
        self.cursor_label.setVisible(position is not None)
        if position is not None:
            self.cursor_label.setText(self.tr("x {x} y {y}").format(x=position.x(), y=position.y()))

    def _on_busy(self, text: str) -> None:
        self.busy.setText(text)

    def _show_size(self) -> None:
        document = self._document
        self.size_label.setVisible(document is not None)
        if document is None:
            return
        profile = self.tr("embedded profile") if document.icc_profile else "sRGB"
        text = self.tr("{width} × {height} px · {profile} · 8 bit")
        self.size_label.setText(text.format(width=document.width, height=document.height, profile=profile))

    def _show_model(self) -> None:
        session = self._application.session
        name = session.model if session is not None else self._application.settings.get("model")
        entry = next((item for item in self._application.catalogue.entries() if item.name == name), None)
        sandbox = entry is not None and entry.sandbox
        self.note.setText(
            self.tr("Built-in sandbox model — add a checkpoint to edit photos") if sandbox else ""
        )
        device = self._application.settings.get("device")
        self.device.setText(self.tr("Auto") if device == "auto" else device.upper())
        self.device.setToolTip(self.tr("Device; change it in Edit › Settings"))

    def _show_memory(self) -> None:
        held = resident_bytes()
        self.memory.setText("" if held is None else self.tr("{size} GB").format(size=f"{held / 1e9:.1f}"))

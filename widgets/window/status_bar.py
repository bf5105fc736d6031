"""The status bar: zoom, size, pointer and the colour under it, selection, model, device and memory."""

from PySide6.QtCore import QPoint, QRect, QTimer, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QStatusBar, QToolButton, QWidget
from shiboken6 import isValid

from editor.application import Application
from editor.document.document import Document
from editor.pixels.raster import Area
from editor.selection import bounds
from editor.system.process_memory import resident_bytes
from editor.words.said import said
from inference.messages import Message
from widgets.colours.colour_patch import ColourPatch
from widgets.forms.zoom_box import ZoomBox
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import tabular

_MEMORY_INTERVAL_MS = 2000
_COLOUR_INTERVAL_MS = 40


class StatusBar(QStatusBar):
    """Small facts, quietly."""

    zoom_chosen = Signal(float)  # 1.0 = 100 %; 0 = fit in window
    models_wanted = Signal()

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._document: Document | None = None
        self._position: QPoint | None = None
        self.setSizeGripEnabled(False)
        self.zoom, self.patch = ZoomBox(), ColourPatch()
        self.zoom.chosen.connect(self.zoom_chosen)
        self.size_label, self.selection_label, self.cursor_label = Label(), Label(), Label()
        self.busy, self.device, self.memory = Label(), Label(), Label()
        self.note = QToolButton()
        self.note.setProperty("quiet", True)
        self.note.clicked.connect(self.models_wanted)
        set_tip(self.note, self.tr("Download a model, or add one that is on this computer"))
        self.device.setObjectName("Strong")
        self.addWidget(self.zoom)
        for label in (self.size_label, self.selection_label, self.cursor_label, self.patch, self.busy):
            label.setFont(tabular(label.font()))
            self.addWidget(label)
        for label in (self.note, self.device, self.memory):
            label.setFont(tabular(label.font()))
            self.addPermanentWidget(label)
        set_tip(self.memory, self.tr("Memory that Attune uses, with its image engine"))
        set_tip(self.device, self.tr("What computes pictures; change it in Edit › Settings"))
        self._connect()
        self.set_document(application.current)

    def set_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.layers_changed.disconnect(self._show_size)
            self._document.selection_changed.disconnect(self._show_selection)
            self._document.pixels_changed.disconnect(self._on_pixels_changed)
        self._document = document
        if document is not None:
            document.layers_changed.connect(self._show_size)
            document.selection_changed.connect(self._show_selection)
            document.pixels_changed.connect(self._on_pixels_changed)
        self.zoom.setVisible(document is not None)
        self.set_cursor(None)
        self._show_size()
        self._show_selection()
        self._show_model()

    def set_zoom(self, zoom: float) -> None:
        self.zoom.show_zoom(zoom)

    def set_cursor(self, position: QPoint | None) -> None:
        self._position = position
        self.cursor_label.setVisible(position is not None)
        self.patch.setVisible(position is not None)
        if position is not None:
            self.cursor_label.setText(self.tr("x {x} y {y}").format(x=position.x(), y=position.y()))
            if not self._colour_timer.isActive():
                self._colour_timer.start()

    def _connect(self) -> None:
        application = self._application
        application.current_changed.connect(self.set_document)
        application.session_changed.connect(self._show_model)
        application.settings.changed.connect(self._show_model)
        application.busy_changed.connect(self._on_busy)
        application.service.status_changed.connect(self._on_busy)
        application.service.device_changed.connect(self._show_model)
        self._memory_timer = QTimer(self, interval=_MEMORY_INTERVAL_MS)
        self._memory_timer.timeout.connect(self._show_memory)
        self._memory_timer.start()
        self._colour_timer = QTimer(self, singleShot=True, interval=_COLOUR_INTERVAL_MS)
        self._colour_timer.timeout.connect(self._show_colour)

    def _on_busy(self, text: str | Message) -> None:
        self.busy.setText(said(text))

    def _on_pixels_changed(self, area: QRect) -> None:
        if self._position is not None and area.contains(self._position):
            self._colour_timer.start()

    def _show_colour(self) -> None:
        document, position = self._document, self._position
        if document is None or position is None or not document.rect.contains(position):
            return
        red, green, blue, alpha = document.composite(QRect(position.x(), position.y(), 1, 1))[0, 0].tolist()
        self.patch.show_colour(QColor(red, green, blue, alpha))

    def _show_size(self) -> None:
        document = self._document
        self.size_label.setVisible(document is not None)
        if document is None:
            return
        profile = self.tr("embedded profile") if document.icc_profile else "sRGB"
        text = self.tr("{width} × {height} px · {profile} · {depth} bit")
        depth = document.state.depth
        self.size_label.setText(
            text.format(width=document.width, height=document.height, profile=profile, depth=depth)
        )

    def _show_selection(self) -> None:
        state = self._document.state if self._document is not None else None
        mask = state.selection if state is not None else None
        if state is None or mask is None:
            self.selection_label.hide()
            return

        def show(area: Area) -> None:
            document = self._document if isValid(self) else None
            if document is not None and document.state.selection is mask:  # the newest one
                text = self.tr("Selection {width} × {height}")
                self.selection_label.setText(text.format(width=area.width, height=area.height))
                self.selection_label.show()

        whole = state.area
        self._application.background.run(
            lambda: whole if mask.outside else bounds(mask).intersected(whole), show, lambda _: None
        )

    def _show_model(self) -> None:
        session = self._application.session
        name = session.model if session is not None else self._application.settings.get("model")
        entry = next((item for item in self._application.catalogue.entries() if item.name == name), None)
        sandbox = entry is not None and entry.sandbox
        self.note.setText(
            self.tr("Built-in sandbox model — add a checkpoint to edit photos") if sandbox else ""
        )
        self.note.setVisible(sandbox)
        device = self._application.service.device
        self.device.setText(device.upper())
        self.device.setVisible(bool(device))

    def _show_memory(self) -> None:
        held = resident_bytes()
        self.memory.setText("" if held is None else self.tr("{size} GB").format(size=f"{held / 1e9:.1f}"))

"""Export: format, quality, metadata, and how large the file will be."""

import tempfile
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QWidget,
)
from shiboken6 import isValid

from editor.application import Application
from editor.document import Document
from editor.files import ExportOptions, export_picture
from editor.formats import FORMATS as FILE_FORMATS
from editor.images import thumbnail
from editor.settings import Settings
from inference.errors import EditorError
from widgets.dialog import Dialog
from widgets.theme import tabular
from widgets.window_commands import may_replace

FORMATS = (("png", "PNG", ".png"), ("jpeg", "JPEG", ".jpg"), ("webp", "WebP", ".webp"))
_THUMB_PX = 150
_ESTIMATE_AFTER_MS = 250


class ExportDialog(Dialog):
    """Writes one document; the choices become the defaults of the next export."""

    def __init__(self, application: Application, document: Document, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Export"))
        self._application = application
        self._document = document
        self._asked = 0
        settings = application.settings
        self.format = QComboBox()
        self.format.setAccessibleName(self.tr("Format"))
        for key, label, _ in FORMATS:
            self.format.addItem(label, key)
        self.format.setCurrentIndex(max(0, self.format.findData(settings.get("export_format"))))
        self.lossless = QCheckBox(self.tr("Lossless"))
        self.quality = QSlider(Qt.Orientation.Horizontal)
        self.quality.setRange(1, 100)
        self.quality.setPageStep(5)
        self.quality.setAccessibleName(self.tr("Quality"))
        self.quality.setValue(settings.get("export_quality"))
        self.quality_value = QLabel()
        self.quality_value.setFont(tabular(self.quality_value.font()))
        self.metadata = QCheckBox(self.tr("Write how the picture was made"))
        self.metadata.setChecked(settings.get("export_metadata"))
        self.metadata.setToolTip(
            self.tr("Lets you open the export again with its sliders, and tells others that it is AI-made.")
        )
        self.size_label = QLabel()
        self.size_label.setFont(tabular(self.size_label.font()))
        self.size_label.setProperty("dim", True)
        self._lay_out()
        cancel = self.add_button(self.tr("Cancel"))
        self.export = self.add_button(self.tr("Export…"), primary=True)
        cancel.clicked.connect(self.close)
        self.export.clicked.connect(self._on_export)
        self._timer = QTimer(self, singleShot=True, interval=_ESTIMATE_AFTER_MS)
        self._timer.timeout.connect(self._estimate)
        self.format.currentIndexChanged.connect(self._on_changed)
        self.lossless.toggled.connect(self._on_changed)
        self.quality.valueChanged.connect(self._on_changed)
        self.metadata.toggled.connect(self._on_changed)
        application.document_closed.connect(self._on_document_closed)
        self._on_changed()

    @property
    def options(self) -> ExportOptions:
        return ExportOptions(
            format=self.format.currentData(),
            quality=self.quality.value(),
            lossless=self.lossless.isChecked() and self.format.currentData() == "webp",
            metadata=self.metadata.isChecked(),
        )

    def write(self, path: Path) -> None:
        """Export to `path` and keep the choices."""
        try:
            _remember(self._application.settings, self.options)
        except EditorError as error:
            self._application.message.emit(error.message, error.hint, "warning")
        self._application.export(self._document, path, self.options)
        self.close()

    def _lay_out(self) -> None:
        picture = QLabel()
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap.fromImage(thumbnail(self._document.composite(), round(_THUMB_PX * ratio)))
        pixmap.setDevicePixelRatio(ratio)
        picture.setPixmap(pixmap)
        picture.setFixedSize(_THUMB_PX, _THUMB_PX)
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        quality = QHBoxLayout()
        quality.addWidget(self.quality, 1)
        quality.addWidget(self.quality_value)
        self.quality_value.setFixedWidth(self.fontMetrics().horizontalAdvance("100") + 8)
        self.quality_value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._form = QFormLayout()
        self._form.setVerticalSpacing(10)
        self._form.setHorizontalSpacing(18)
        self._form.addRow(self.tr("Format"), self.format)
        self._form.addRow("", self.lossless)
        self._form.addRow(self.tr("Quality"), quality)
        self._form.addRow("", self.metadata)
        self._form.addRow(self.tr("Size"), self.size_label)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(picture, alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(self._form, 1)
        self.column.addLayout(row)
        self.setMinimumWidth(520)

    def _on_changed(self) -> None:
        options = self.options
        self.lossless.setEnabled(options.format == "webp")
        lossy = options.format == "jpeg" or (options.format == "webp" and not options.lossless)
        self.quality.setEnabled(lossy)
        self.quality_value.setEnabled(lossy)
        self.quality_value.setText(str(options.quality) if lossy else "–")
        self.size_label.setText(self._with_size(self.tr("…")))
        self._timer.start()

    def _estimate(self) -> None:
        """Write to a temporary file on another thread: the estimate is exact."""
        self._asked += 1
        asked, state, source, options = self._asked, self._document.state, self._document.source, self.options

        def measured() -> int:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"estimate{_ending(options.format)}"
                export_picture(state, source, path, options)
                return path.stat().st_size

        def show(size: int) -> None:
            if isValid(self) and asked == self._asked:
                self.size_label.setText(self._with_size(_readable(size)))

        def failed(error: EditorError) -> None:
            if isValid(self):
                self.size_label.setText(error.message)

        self._application.background.run(measured, show, failed)

    def _with_size(self, size: str) -> str:
        text = self.tr("{width} × {height} px · {size}")
        return text.format(width=self._document.width, height=self._document.height, size=size)

    def _on_export(self) -> None:
        options = self.options
        recent = self._application.settings.recent_files
        folder = Path(recent[0]).parent if recent else Path.home()
        ending = _ending(options.format)
        start = folder / f"{Path(self._document.title).stem or 'picture'}{ending}"
        label = self.format.currentText()
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Export"), str(start), f"{label} (*{ending})")
        if not name:
            return
        path = Path(name)
        if path.suffix.lower() not in FILE_FORMATS[options.format].extensions:
            path = path.with_name(f"{path.name}{ending}")
            if not may_replace(self, path):
                return
        self.write(path)

    def _on_document_closed(self, document: Document) -> None:
        if document is self._document:
            self.close()


def _ending(name: str) -> str:
    return next(ending for key, _, ending in FORMATS if key == name)


def _readable(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"


def _remember(settings: Settings, options: ExportOptions) -> None:
    settings.set("export_format", options.format)
    settings.set("export_quality", options.quality)
    settings.set("export_metadata", options.metadata)

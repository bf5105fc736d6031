"""Export: format, quality, size, colour, metadata, with both pictures and how large the file will be."""

from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QScrollArea,
    QWidget,
)
from shiboken6 import isValid

from editor.application import Application
from editor.document.document import Document
from editor.formats import FORMATS, export_formats, readable_extensions
from editor.formats.files import ExportOptions, export_preview
from editor.formats.losses import what_would_be_lost
from editor.formats.metadata.jpeg_encoding import estimated_quality
from editor.pixels.qimages import to_qimage
from editor.rendering.compositing import composite
from editor.system.settings import Settings
from editor.words.file_names import free_path, proposed_stem
from editor.words.said import said
from inference.errors import EditorError
from widgets.dialogs.export_preview import ExportPreview
from widgets.forms.dialog import Dialog
from widgets.forms.fields import ComboBox, Slider
from widgets.forms.form_layout import FormLayout
from widgets.forms.parameter_form import ParameterForm, form_labels, needed_width
from widgets.forms.replacing import may_replace
from widgets.forms.scale_box import ScaleBox
from widgets.look.display_colours import on_screen, window_profile
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import tabular

_ESTIMATE_AFTER_MS = 250
_STATE = "export_options"
_LEAST_SIDE_PX = 340
_MOST_NAMES = 6  # of what is left out

# what is shown for each format beside quality and loss
_EXTRAS = {
    "png": ("effort", "depth"),
    "jpeg": ("subsampling", "progressive"),
    "webp": ("effort",),
    "tiff": ("tiff_compression", "depth"),
    "avif": ("effort",),
}
_ALWAYS = ("profile", "resampling")


class ExportDialog(Dialog):
    """Writes one document; the choices become the defaults of the next export."""

    def __init__(self, application: Application, document: Document, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Export"))
        self._application = application
        self._document = document
        self._asked = 0
        given = remembered(application.settings)
        self.preview = ExportPreview()
        self.format = ComboBox()
        self.format.setAccessibleName(self.tr("Format"))
        for item in export_formats():
            self.format.addItem(QCoreApplication.translate("FileFormat", item.label), item.name)
        self.format.setCurrentIndex(max(0, self.format.findData(given.format or "png")))
        self.lossless = QCheckBox(self.tr("Lossless"))
        self.lossless.setChecked(given.lossless)
        self.like_original = QCheckBox(self._original_text())
        set_tip(
            self.like_original,
            self.tr(
                "The quality and colour resolution of the JPEG that was opened: about as large, and as good."
            ),
        )
        self.like_original.setChecked(given.like_original and document.source.jpeg is not None)
        self.quality = Slider()
        self.quality.setRange(1, 100)
        self.quality.setPageStep(5)
        self.quality.setAccessibleName(self.tr("Quality"))
        self.quality.setValue(given.quality)
        self.quality_value = Label()
        self.quality_value.setFont(tabular(self.quality_value.font()))
        self.scale = ScaleBox(document.width, document.height)
        self.extras = ParameterForm(
            [item for item in ExportOptions.declared() if item.name in _shown_anywhere()],
            "Export",
            choice_labels=self._choice_labels(),
        )
        for name in self.extras.editors:
            self.extras.set_value(name, getattr(given, name))
        self.metadata = ComboBox()
        self.metadata.setAccessibleName(self.tr("Metadata"))
        for text, key in (
            (self.tr("All"), "all"),
            (self.tr("All but the location"), "no-place"),
            (self.tr("None"), "none"),
        ):
            self.metadata.addItem(text, key)
        kept = "none" if not given.metadata else "all" if given.location else "no-place"
        self.metadata.setCurrentIndex(self.metadata.findData(kept))
        set_tip(
            self.metadata,
            self.tr(
                "Camera data and how the picture was made: lets you open the export again with its sliders, "
                "and tells others that it is AI-made."
            ),
        )
        self.left_out = Label()
        self.left_out.setProperty("dim", True)
        self.left_out.setWordWrap(True)
        self.size_label = Label()
        self.size_label.setFont(tabular(self.size_label.font()))
        self.size_label.setProperty("dim", True)
        self.size_label.setWordWrap(True)
        self._lay_out()
        self._connect()
        self._show_before()
        self._on_changed()

    @property
    def options(self) -> ExportOptions:
        name = self.format.currentData()
        width, height = self.scale.wished
        extras = {key: self.extras.value(key) for key in (*_EXTRAS.get(name, ()), *_ALWAYS)}
        kept = self.metadata.currentData()
        return ExportOptions(
            format=name,
            quality=self.quality.value(),
            lossless=self.lossless.isChecked() and FORMATS[name].lossless,
            like_original=self._is_like_original(name),
            metadata=kept != "none",
            location=kept == "all",
            width=width,
            height=height,
            **extras,
        )

    def _has_original(self, name: str) -> bool:
        """Whether there is a JPEG that an export in this format could be like."""
        return name == "jpeg" and self._document.source.jpeg is not None

    def _is_like_original(self, name: str) -> bool:
        return self._has_original(name) and self.like_original.isChecked()

    def _original_text(self) -> str:
        encoding = self._document.source.jpeg
        if encoding is None:
            return self.tr("Like the original")
        text = self.tr("Like the original ({quality}, {subsampling})")
        return text.format(quality=estimated_quality(encoding), subsampling=encoding.subsampling)

    def write(self, path: Path) -> None:
        """Export to `path` and keep the choices."""
        try:
            _remember(self._application.settings, self.options)
        except EditorError as error:
            self._application.message.emit(said(error.sentence), said(error.advice), "warning")
        self._application.export(self._document, path, self.options)
        self.close()

    def _lay_out(self) -> None:
        quality = QHBoxLayout()
        quality.addWidget(self.quality, 1)
        quality.addWidget(self.quality_value)
        self.quality_value.setFixedWidth(self.fontMetrics().horizontalAdvance("100") + 8)
        self.quality_value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        side = QWidget()
        form = FormLayout(side)
        form.setContentsMargins(0, 0, 8, 0)
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(18)
        form.addRow(self.tr("Format"), self.format)
        form.addRow("", self.lossless)
        form.addRow("", self.like_original)
        form.addRow(self.tr("Quality"), quality)
        form.addRow(self.tr("Size"), self.scale)
        form.addRow(self.extras)
        form.addRow(self.tr("Metadata"), self.metadata)
        form.addRow("", self.left_out)
        labels = [*self.extras.labels(), *form_labels(form)]
        for label in labels:
            label.ensurePolished()
        widest = max(label.sizeHint().width() for label in labels)
        for label in labels:  # both forms' fields begin at one line
            label.setFixedWidth(widest)
        self._form, self._quality = form, quality
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(side)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFixedWidth(max(_LEAST_SIDE_PX, needed_width(side)))
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(self.preview, 1)
        row.addWidget(scroll)
        self.column.addLayout(row, 1)
        self.foot.insertWidget(0, self.size_label, 1)
        cancel = self.add_button(self.tr("Cancel"))
        self.export = self.add_button(self.tr("Export…"), primary=True)
        cancel.clicked.connect(self.close)
        self.export.clicked.connect(self._on_export)
        self.resize(560 + scroll.width(), 560)

    def _connect(self) -> None:
        self._timer = QTimer(self, singleShot=True, interval=_ESTIMATE_AFTER_MS)
        self._timer.timeout.connect(self._estimate)
        self.format.currentIndexChanged.connect(self._on_changed)
        self.lossless.toggled.connect(self._on_changed)
        self.like_original.toggled.connect(self._on_changed)
        self.quality.valueChanged.connect(self._on_changed)
        self.scale.changed.connect(self._on_changed)
        self.extras.changed.connect(self._on_changed)
        self.metadata.currentIndexChanged.connect(self._on_changed)
        self._application.document_closed.connect(self._on_document_closed)

    def _on_changed(self, *_: object) -> None:
        options = self.options
        chosen = FORMATS[options.format]
        self._form.setRowVisible(self.lossless, chosen.lossless)
        self._form.setRowVisible(self.like_original, self._has_original(options.format))
        lossy = chosen.lossy and not options.lossless and not options.like_original
        self._form.setRowVisible(self._quality, chosen.lossy)
        self.quality.setEnabled(lossy)
        self.quality_value.setEnabled(lossy)
        self.quality_value.setText(str(options.quality) if lossy else "–")
        hidden = {"subsampling"} if options.like_original else set[str]()
        self.extras.show_names({*_EXTRAS.get(options.format, ()), *_ALWAYS} - hidden)
        self._show_left_out(options)
        self.size_label.setText(self._with_size(self.tr("…")))
        self.preview.set_note(self.tr("Computing…"))
        self._timer.start()

    def _show_left_out(self, options: ExportOptions) -> None:
        """What of the opened file the chosen format cannot hold, by name."""
        lost = what_would_be_lost(self._document.source, options.format, options)
        names = [item.said(QCoreApplication.translate) for item in lost]
        if len(names) > _MOST_NAMES:
            more = self.tr("{count} more").format(count=len(names) - _MOST_NAMES + 1)
            names = [*names[: _MOST_NAMES - 1], more]
        text = self.tr("This format has no place for: {names}")
        self.left_out.setText(text.format(names=" · ".join(names)) if names else "")
        self._form.setRowVisible(self.left_out, bool(names))

    def _show_before(self) -> None:
        state, screen = self._document.state, window_profile(self)

        def made() -> QImage:
            return to_qimage(on_screen(composite(state.layers, state.area), state.icc_profile, screen))

        def show(image: QImage) -> None:
            if isValid(self):
                self.preview.set_before(image)

        self._application.background.run(made, show, lambda _: None)

    def _estimate(self) -> None:
        """Write to a temporary file on another thread and read it back: size and pixels are exact."""
        self._asked += 1
        asked, state, source, options = self._asked, self._document.state, self._document.source, self.options
        screen = window_profile(self)

        def made() -> tuple[int, QImage]:
            size, pixels, profile = export_preview(state, source, options)
            return size, to_qimage(on_screen(pixels, profile, screen))

        def show(result: tuple[int, QImage]) -> None:
            if isValid(self) and asked == self._asked:
                self.size_label.setText(self._with_size(readable_size(result[0])))
                self.preview.set_after(result[1])

        def failed(error: EditorError) -> None:
            if isValid(self) and asked == self._asked:
                self.size_label.setText(said(error.sentence))
                self.preview.set_note(self.tr("No preview"))

        self._application.background.run(made, show, failed)

    def _with_size(self, size: str) -> str:
        width, height = self.options.size_of(self._document.width, self._document.height)
        text = self.tr("{width} × {height} px · {size}")
        return text.format(width=width, height=height, size=size)

    def _on_export(self) -> None:
        chosen = FORMATS[self.options.format]
        ending = chosen.extensions[0]
        start = self.proposed_path(ending)
        label = self.format.currentText()
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Export"), str(start), f"{label} (*{ending})")
        if not name:
            return
        path = Path(name)
        if path.suffix.lower() not in chosen.extensions:
            path = path.with_name(f"{path.name}{ending}")
            if not may_replace(self, path):
                return
        self.write(path)

    def proposed_path(self, ending: str) -> Path:
        """What the document was exported as, or a name that is free: nothing is replaced by accident."""
        last = self._document.last_export
        if last is not None and last[0].suffix.lower() == ending:
            return last[0]
        stem = proposed_stem(self._document.title, readable_extensions(), self.tr("picture"))
        return free_path(self._folder(), stem, ending)

    def _folder(self) -> Path:
        last = self._document.last_export
        recent = self._application.settings.recent_files
        return last[0].parent if last is not None else Path(recent[0]).parent if recent else Path.home()

    def _on_document_closed(self, document: Document) -> None:
        if document is self._document:
            self.close()

    def _choice_labels(self) -> dict[str, str]:
        return {
            "auto": self.tr("Automatic"),
            "fast": self.tr("Fast"),
            "normal": self.tr("Normal"),
            "small": self.tr("Smallest file"),
            "nearest": self.tr("Nearest pixel"),
            "bilinear": self.tr("Bilinear"),
            "bicubic": self.tr("Bicubic"),
            "lanczos": self.tr("Lanczos"),
            "keep": self.tr("As the document"),
            "srgb": "sRGB",
            "deflate": "Deflate (ZIP)",
            "none": self.tr("None"),
            "8": self.tr("8 bits"),
            "16": self.tr("16 bits"),
        }


def readable_size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"


def remembered(settings: Settings) -> ExportOptions:
    """The choices of the last export, else those of the settings."""
    kept = settings.state(_STATE)
    try:
        if isinstance(kept, dict):
            return ExportOptions.from_json({**kept, "width": 0, "height": 0, "percent": 100.0})
    except EditorError:
        pass  # of another version; the settings' own hold
    return ExportOptions(
        format=settings.get("export_format"),
        quality=settings.get("export_quality"),
        metadata=settings.get("export_metadata"),
    )


def _remember(settings: Settings, options: ExportOptions) -> None:
    settings.set_state(_STATE, options.to_json())
    settings.set("export_format", options.format)
    settings.set("export_quality", options.quality)
    settings.set("export_metadata", options.metadata)


def _shown_anywhere() -> set[str]:
    return {name for names in _EXTRAS.values() for name in names} | set(_ALWAYS)

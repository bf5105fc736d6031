"""Three pictures of the folder, before and after the recipe."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from editor.controllers.batch_preview import COUNT, BatchPreview, Sample
from editor.pixels.qimages import to_qimage
from editor.words.said import said
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import scaled_font, tokens_of

_GAP_PX = 3


class PreviewPicture(QWidget):
    """One picture; the file's own left, the recipe's right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sample: Sample | None = None
        self.setMinimumHeight(112)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_sample(self, sample: Sample | None) -> None:
        self.sample = sample
        text = "" if sample is None else str(sample.path)
        if sample is not None and sample.error:
            text = said(sample.error)
        set_tip(self, text)
        self.setAccessibleName(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(260, 130)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, painter = tokens_of(self), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        sample = self.sample
        half = (self.width() - _GAP_PX) // 2
        left, right = QRect(0, 0, half, self.height()), QRect(half + _GAP_PX, 0, half, self.height())
        pictures = (None, None) if sample is None else (sample.before, sample.after)
        for place, pixels in zip((left, right), pictures):
            if pixels is None:
                painter.fillRect(place, QColor(tokens.hover))
                continue
            image = to_qimage(pixels)
            size = image.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRect(0, 0, size.width(), size.height())
            target.moveCenter(place.center())
            if place is left:  # the two stand together, whatever their shape
                target.moveRight(place.right())
            else:
                target.moveLeft(place.left())
            painter.drawImage(target, image)
        if sample is not None and sample.error:
            painter.setPen(QColor(tokens.text))
            painter.setFont(scaled_font(self.font(), 0.85))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(right.adjusted(6, 6, -6, -6), int(flags), said(sample.error))
        painter.end()


class PreviewRow(QWidget):
    """Follows a `BatchPreview`."""

    def __init__(self, preview: BatchPreview, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preview = preview
        self.pictures = [PreviewPicture() for _ in range(COUNT)]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        for picture in self.pictures:
            layout.addWidget(picture, 1)
        self.empty = Label(self.tr("Three pictures of the folder are shown here, before and after."))
        self.empty.setProperty("dim", True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setMinimumHeight(self.pictures[0].sizeHint().height())
        layout.addWidget(self.empty)
        preview.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        samples = self._preview.samples
        for place, picture in enumerate(self.pictures):
            picture.show_sample(samples[place] if place < len(samples) else None)
            picture.setVisible(place < len(samples))
        self.empty.setVisible(not samples)

"""Sets a text: lines, caret places and pixels, by Qt's text layout (so all scripts and directions work)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QPainter,
    QTextLayout,
    QTextLine,
    QTextOption,
    QTransform,
)

from editor.layers.layer import Layer
from editor.layers.limits import LARGEST_PIXELS
from editor.layers.text import TextContent
from editor.pixels.raster import Area, Raster, frozen, to_sixteen_bits
from editor.tools.overlay import Point
from inference.errors import EditorError

_CLEAR_PX = 1e6  # as wide as a line may be that is not broken
_SHIFT_PX = 1e5  # lines are laid out that far right: Qt takes carets left of 0 for 0


def units_of(text: str, index: int) -> int:
    """Qt's count of what stands before the character `index`: two for those beyond 16 bits, such as emoji."""
    before = text[:index]
    return len(before) + sum(character > "\uffff" for character in before)


def index_of(text: str, units: int) -> int:
    """The character at Qt's count; the one whose half is meant, where it is inside of one."""
    counted = 0
    for index, character in enumerate(text):
        counted += 2 if character > "\uffff" else 1
        if counted > units:
            return index
    return len(text)


class Typeset:
    """A text laid out; layout coordinates are unscaled, with the anchor at (_SHIFT_PX, 0).

    Places count characters as Python does, and are told to Qt in its own count.
    """

    def __init__(self, content: TextContent) -> None:
        self.content = content
        base = max(1, round(content.size_px))
        self._scale = content.size_px / base
        self._font = _font(content, base, self._scale)
        metrics = QFontMetricsF(self._font)
        self._ascent, self._descent = metrics.ascent(), metrics.descent()
        self._step = metrics.lineSpacing() * content.line_height
        self._layouts: list[QTextLayout] = []
        self._starts: list[int] = []
        self._lay_out()

    @property
    def to_document(self) -> QTransform:
        """From layout coordinates to the document's."""
        transform = QTransform()
        transform.translate(self.content.x, self.content.y)
        transform.rotate(self.content.angle)
        transform.scale(self._scale, self._scale)
        transform.translate(-_SHIFT_PX, 0)
        return transform

    def corners(self) -> tuple[Point, Point, Point, Point]:
        """The box around all lines, in the document, clockwise from the top left."""
        box = self._box()
        corners = (box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft())
        found = [self.to_document.map(corner).toTuple() for corner in corners]
        return found[0], found[1], found[2], found[3]

    def caret(self, index: int) -> tuple[Point, Point]:
        """Top and bottom of the caret before the character `index`, in the document."""
        layout, line, inside = self._line_of(index)
        x = _cursor_x(layout, line, inside)
        baseline = layout.position().y() + line.y() + line.ascent()
        x += layout.position().x()
        top = self.to_document.map(QPointF(x, baseline - self._ascent))
        bottom = self.to_document.map(QPointF(x, baseline + self._descent))
        return (top.x(), top.y()), (bottom.x(), bottom.y())

    def index_at(self, x: float, y: float) -> int:
        """The place between characters that is nearest to a point of the document."""
        inverted, possible = self.to_document.inverted()
        assert possible, "a text's size is not 0"
        point = inverted.map(QPointF(x, y))
        found, least = 0, math.inf
        for start, layout, line in self._lines_with_layouts():
            top = layout.position().y() + line.y()
            apart = max(top - point.y(), point.y() - top - line.height(), 0)
            if apart < least:
                units = line.xToCursor(point.x() - layout.position().x())
                found, least = start + index_of(layout.text(), units), apart
        return found

    def above(self, index: int, lines: int) -> int:
        """The place `lines` higher (negative: lower), at about the same distance from the left."""
        (tx, ty), (bx, by) = self.caret(index)
        middle = ((tx + bx) / 2, (ty + by) / 2)
        turn = QTransform().rotate(self.content.angle)
        way = turn.map(QPointF(0, -self._step * self._scale * lines))
        return self.index_at(middle[0] + way.x(), middle[1] + way.y())

    def line_ends(self, index: int) -> tuple[int, int]:
        """First and last place of the line that `index` is in."""
        layout, line, inside = self._line_of(index)
        start, end = (index - inside + place for place in _ends(layout, line))
        text = self.content.text
        if end > start and end < len(text) and text[end - 1] == " ":
            end -= 1  # the blank at which the line was broken
        return start, end

    def marked(self, first: int, last: int) -> tuple[tuple[Point, Point, Point, Point], ...]:
        """Boxes around the characters from `first` to `last`, one a line, in the document."""
        boxes: list[tuple[Point, Point, Point, Point]] = []
        for start, layout, line in self._lines_with_layouts():
            begin, end = _ends(layout, line)
            low, high = max(first, start + begin), min(last, start + end)
            if low >= high:
                continue
            left, right = sorted(_cursor_x(layout, line, index - start) for index in (low, high))
            at = layout.position()
            box = QRectF(at.x() + left, at.y() + line.y(), right - left, line.height())
            corners = (box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft())
            mapped = [self.to_document.map(corner).toTuple() for corner in corners]
            boxes.append((mapped[0], mapped[1], mapped[2], mapped[3]))
        return tuple(boxes)

    def image(self) -> tuple[QImage, Area]:
        """The text's pixels, premultiplied, and where they lie.

        Raises:
            EditorError: they would be too many.
        """
        margin = self._ascent  # slanted and decorated letters reach out of their line
        box = self._box().adjusted(-margin, -margin, margin, margin)
        around = self.to_document.mapRect(box).toAlignedRect()
        if around.width() * around.height() > LARGEST_PIXELS:
            raise EditorError("The text would become too large.", "Choose a smaller size.")
        image = QImage(around.size(), QImage.Format.Format_RGBA8888_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        painter.setTransform(self.to_document * QTransform().translate(-around.x(), -around.y()))
        painter.setPen(QColor(*self.content.colour))
        for layout in self._layouts:
            layout.draw(painter, QPointF(0, 0))
        painter.end()
        return image, Area(around.x(), around.y(), around.width(), around.height())

    def _lay_out(self) -> None:
        width = self.content.width_px / self._scale
        baseline, start = 0.0, 0
        for paragraph in self.content.text.split("\n"):
            layout = QTextLayout(paragraph, self._font)
            option = QTextOption(Qt.AlignmentFlag.AlignLeft)
            option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
            layout.setTextOption(option)
            layout.setCacheEnabled(True)
            layout.beginLayout()
            while (line := layout.createLine()).isValid():
                line.setLineWidth(width or _CLEAR_PX)
                used = line.naturalTextWidth()
                line.setPosition(QPointF(self._indent(used), baseline - line.ascent()))
                baseline += self._step
            layout.endLayout()
            self._layouts.append(layout)
            self._starts.append(start)
            start += len(paragraph) + 1

    def _indent(self, used: float) -> float:
        """Where a line begins; the anchor is its start, middle or end."""
        return _SHIFT_PX - used * {"left": 0.0, "centre": 0.5, "right": 1.0}[self.content.alignment]

    def _lines_with_layouts(self) -> list[tuple[int, QTextLayout, QTextLine]]:
        return [
            (start, layout, layout.lineAt(index))
            for start, layout in zip(self._starts, self._layouts)
            for index in range(layout.lineCount())
        ]

    def _line_of(self, index: int) -> tuple[QTextLayout, QTextLine, int]:
        """The line of a place, with its layout and the place within that."""
        number = max(i for i, start in enumerate(self._starts) if start <= max(index, 0))
        layout = self._layouts[number]
        inside = min(index - self._starts[number], len(layout.text()))
        return layout, layout.lineForTextPosition(units_of(layout.text(), inside)), inside

    def _box(self) -> QRectF:
        box = QRectF()
        for _, layout, line in self._lines_with_layouts():
            at = layout.position()
            width = max(line.naturalTextWidth(), 1.0)
            box = box.united(QRectF(at.x() + line.x(), at.y() + line.y(), width, line.height()))
        return box


def rendered(content: TextContent, sixteen_bits: bool = False) -> tuple[Raster, int, int]:
    """The raster of a text and its place in the document; one transparent pixel if there is nothing to see.

    Needs a QGuiApplication (for the fonts); works on any thread.

    Raises:
        EditorError: it would be too large.
    """
    image, area = Typeset(content).image()
    straight = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(straight.constBits(), np.uint8).reshape(area.height, straight.bytesPerLine())
    pixels = rows[:, : area.width * 4].reshape(area.height, area.width, 4)
    shown = pixels[..., 3] > 0
    if not shown.any():
        dtype = np.uint16 if sixteen_bits else np.uint8
        return Raster.filled(1, 1, dtype=dtype), math.floor(content.x), math.floor(content.y)
    rows_shown, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    top, left = int(rows_shown[0]), int(columns[0])
    cut = pixels[top : int(rows_shown[-1]) + 1, left : int(columns[-1]) + 1].copy()
    samples = to_sixteen_bits(cut) if sixteen_bits else cut
    return Raster.of(frozen(samples)), area.x + left, area.y + top


def set_again(layer: Layer, content: TextContent) -> Layer:
    """A text layer with another text or look; it keeps its number of bits."""
    raster, x, y = rendered(content, layer.raster.top > 255)
    return layer.changed(raster=raster, x=x, y=y, text=content)


def _font(content: TextContent, size: int, scale: float) -> QFont:
    font = QFont(content.family) if content.family else QFont()
    font.setPixelSize(size)
    font.setBold(content.bold)
    font.setItalic(content.italic)
    font.setUnderline(content.underline)
    # letters keep their places when the text is scaled or turned
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, content.letter_spacing_px / scale)
    return font


def _ends(layout: QTextLayout, line: QTextLine) -> tuple[int, int]:
    """First and last place of a line in its paragraph."""
    text, start = layout.text(), line.textStart()
    return index_of(text, start), index_of(text, start + line.textLength())


def _cursor_x(layout: QTextLayout, line: QTextLine, index: int) -> float:
    """Where the caret stands in a line, before the character `index` of the paragraph."""
    found: Any = line.cursorToX(
        units_of(layout.text(), index)
    )  # PySide gives (x, index), its annotations say x
    return float(found[0])

"""A slider whose track is the row of its keyframes: the subject at nine positions of one attribute.

Until they are computed the track is a plain line, with a shimmer while they are on their way.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from editor.sliders.spacing import Track, linear
from widgets.look.theme import Tokens, tokens_of, with_alpha

SCALE = 100  # slider units per unit of the attribute
STEP = 5
_TRACK_HEIGHT = 44
_PLAIN_HEIGHT = 24
_MARGIN_Y = 4
_RADIUS = 6.0
_SNAP_UNITS = 6  # at most; on a short track so much of it as of the usual one
_USUAL_UNITS = 400
_KEY_PAUSE_MS = 450
_SHIMMER_MS = 50
_SHIMMER_STEPS = 36

Keyframe = tuple[float, QImage | None]


class KeyframeSlider(QSlider):
    """From -2 to 2 (or `set_range`); `moved` tells each change and whether the hand still holds it."""

    moved = Signal(float, bool)  # value, dragging
    reset_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._colour = QColor(tokens_of(self).accent)
        self._line = linear(-2.0, 2.0)
        self._keyframes: tuple[tuple[float, QPixmap | None], ...] = ()
        self._current: QPixmap | None = None
        self._waiting = False
        self._phase = 0
        self._holding = False
        self._shimmer = QTimer(self, interval=_SHIMMER_MS)
        self._shimmer.timeout.connect(self._on_shimmer)
        self._key_pause = QTimer(self, interval=_KEY_PAUSE_MS, singleShot=True)
        self._key_pause.timeout.connect(self._on_key_pause)
        self.set_range(-2.0, 2.0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_range(self, minimum: float, maximum: float) -> None:
        self._line = linear(minimum, maximum)
        self.setRange(round(minimum * SCALE), round(maximum * SCALE))
        step = max(1, round(self._share_of(STEP)))
        self.setSingleStep(step)
        self.setPageStep(10 * step)

    def set_track(self, track: Track) -> None:
        """Where values lie along the track; what is beyond its ends can be typed, but not dragged to."""
        if track != self._line:
            self._line = track
            self.update()

    @property
    def line(self) -> Track:
        """From values to places along the track."""
        return self._line

    def set_colour(self, colour: QColor) -> None:
        self._colour = colour
        self.update()

    @property
    def number(self) -> float:
        """The value in the attribute's unit."""
        return self.value() / SCALE

    def set_number(self, value: float) -> None:
        """Move the handle without telling anybody."""
        blocked = self.blockSignals(True)
        self.setValue(round(value * SCALE))
        self.blockSignals(blocked)
        self.update()

    def set_keyframes(self, keyframes: Sequence[Keyframe], *, waiting: bool) -> None:
        """The pictures of the track, already cropped to the subject; None for those still missing."""
        had = self.has_pictures
        self._keyframes = tuple(
            (value, QPixmap.fromImage(image) if image is not None else None) for value, image in keyframes
        )
        self._waiting = waiting
        self._refresh_shimmer()
        if had != self.has_pictures:
            self.updateGeometry()
        self.update()

    def set_current(self, image: QImage | None) -> None:
        """The subject as the picture shows it now: what the handle shows."""
        self._current = QPixmap.fromImage(image) if image is not None else None
        self.update()

    @property
    def has_pictures(self) -> bool:
        return self._waiting or any(pixmap is not None for _, pixmap in self._keyframes)

    @property
    def cell_size(self) -> QSize:
        """Size of one keyframe on the track in logical pixels."""
        return QSize(max(1, self.width() // max(1, len(self._keyframes) or 9)), _TRACK_HEIGHT)

    def sizeHint(self) -> QSize:
        return QSize(240, (_TRACK_HEIGHT if self.has_pictures else _PLAIN_HEIGHT) + 2 * _MARGIN_Y)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    # events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self._holding = True
        self.setSliderDown(True)
        self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._holding:
            self._follow(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._holding and event.button() == Qt.MouseButton.LeftButton:
            self._holding = False
            self.setSliderDown(False)
            self.update()
            self.moved.emit(self.number, False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._holding = False
        self.setSliderDown(False)
        self.reset_requested.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the wheel scrolls the panel; a value must not change by accident

    def keyPressEvent(self, event: QKeyEvent) -> None:
        before = self.value()
        if event.key() == Qt.Key.Key_0:
            self.reset_requested.emit()
            return
        if event.key() == Qt.Key.Key_PageUp:  # QSlider's PageUp goes down on a horizontal slider
            self.setValue(before + self.pageStep())
        elif event.key() == Qt.Key.Key_PageDown:
            self.setValue(before - self.pageStep())
        else:
            super().keyPressEvent(event)
        if self.value() != before:
            self._key_pause.start()
            self.moved.emit(self.number, True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._end_keys()
        super().focusOutEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._shimmer.stop()
        self._key_pause.stop()  # its session ends the gesture when another one is shown
        super().hideEvent(event)

    def showEvent(self, event: QEvent) -> None:
        self._refresh_shimmer()
        super().showEvent(event)  # type: ignore[arg-type]

    def _follow(self, event: QMouseEvent) -> None:
        units = round(self._value_at(event.position().x()) * SCALE)
        is_near = abs(units) < self._share_of(_SNAP_UNITS)
        if is_near and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            units = 0
        if units != self.value():
            self.setValue(units)
            self.moved.emit(self.number, True)
        self.update()

    def _share_of(self, units: int) -> float:
        """So many units of the usual track; of a shorter one as large a share."""
        low, high = self._line.range
        return units * min(1.0, (high - low) * SCALE / _USUAL_UNITS)

    def _end_keys(self) -> None:
        """Keys that were pressed just now are a whole gesture once the keyboard goes elsewhere."""
        if self._key_pause.isActive():
            self._key_pause.stop()
            self._on_key_pause()

    def _on_key_pause(self) -> None:
        self.moved.emit(self.number, False)

    def _on_shimmer(self) -> None:
        self._phase = (self._phase + 1) % _SHIMMER_STEPS
        self.update()

    def _refresh_shimmer(self) -> None:
        missing = any(pixmap is None for _, pixmap in self._keyframes) or not self._keyframes
        if self._waiting and missing and self.isVisible():
            self._shimmer.start()
        else:
            self._shimmer.stop()

    # geometry

    def _track(self) -> QRectF:
        rect = QRectF(self.rect()).adjusted(1, _MARGIN_Y, -1, -_MARGIN_Y)
        if self.has_pictures:
            return rect
        return QRectF(rect.left() + 8, rect.center().y() - 2, rect.width() - 16, 4)

    def _ends(self) -> tuple[float, float]:
        """x of the smallest and the largest value: with pictures, the middles of the outer ones."""
        track = self._track()
        half = track.width() / len(self._keyframes) / 2 if self.has_pictures and self._keyframes else 0.0
        return track.left() + half, track.right() - half

    def _x_of(self, value: float) -> float:
        left, right = self._ends()
        return left + (right - left) * self._line.place_of(value)

    def _value_at(self, x: float) -> float:
        left, right = self._ends()
        return self._line.value_at(min(1.0, max(0.0, (x - left) / max(1.0, right - left))))

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.height() <= 2 * _MARGIN_Y or self.width() <= 2 * _MARGIN_Y:
            return
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        tokens = tokens_of(self)
        if self.has_pictures:
            self._paint_pictures(painter, tokens)
        else:
            self._paint_plain(painter, tokens)

    def _paint_plain(self, painter: QPainter, tokens: Tokens) -> None:
        track = self._track()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.pressed))
        painter.drawRoundedRect(track, 2, 2)
        zero, x = self._x_of(0), self._x_of(self.number)
        painter.setBrush(self._colour)
        painter.drawRoundedRect(QRectF(min(zero, x), track.top(), abs(x - zero), track.height()), 2, 2)
        painter.setBrush(QColor(tokens.control))
        painter.drawRect(QRectF(zero - 0.5, track.top() - 4, 1, track.height() + 8))
        painter.setPen(QPen(self._colour, 2) if self.hasFocus() else QPen(QColor(0, 0, 0, 60), 1))
        painter.setBrush(QColor("#ffffff"))
        painter.drawEllipse(QPointF(x, track.center().y()), 7, 7)

    def _paint_pictures(self, painter: QPainter, tokens: Tokens) -> None:
        track = self._track()
        clip = QPainterPath()
        clip.addRoundedRect(track, _RADIUS, _RADIUS)
        painter.save()
        painter.setClipPath(clip)
        painter.fillRect(track, QColor(tokens.raised))
        count = max(1, len(self._keyframes))
        for index, (_, pixmap) in enumerate(self._keyframes):
            cell = self._cell(index, track)
            if pixmap is not None:
                painter.drawPixmap(cell.adjusted(0, 0, 0.5, 0), pixmap, _cover(pixmap, cell))
            elif self._waiting:
                self._paint_shimmer(painter, cell.adjusted(0.5, 0, -0.5, 0), track, tokens)
        painter.restore()
        painter.setPen(QPen(with_alpha("#000000", 0.35) if tokens.dark else QColor(tokens.control), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(track, _RADIUS, _RADIUS)
        self._paint_breaks(painter, track, tokens)
        self._paint_zero(painter, track)
        self._paint_handle(painter, track, count, tokens)

    def _paint_shimmer(self, painter: QPainter, cell: QRectF, track: QRectF, tokens: Tokens) -> None:
        centre = track.left() + track.width() * (self._phase / _SHIMMER_STEPS * 1.6 - 0.3)
        gradient = QLinearGradient(centre - 60, 0, centre + 60, 0)
        gradient.setColorAt(0, QColor(tokens.hover))
        gradient.setColorAt(0.5, QColor(tokens.pressed))
        gradient.setColorAt(1, QColor(tokens.hover))
        painter.fillRect(cell, gradient)

    def _cell(self, index: int, track: QRectF) -> QRectF:
        """A keyframe's part of the track: up to the middles between it and its neighbours."""
        xs = [self._x_of(value) for value, _ in self._keyframes]
        left = track.left() if index == 0 else (xs[index - 1] + xs[index]) / 2
        right = track.right() if index == len(xs) - 1 else (xs[index] + xs[index + 1]) / 2
        return QRectF(left, track.top(), max(1.0, right - left), track.height())

    def _paint_breaks(self, painter: QPainter, track: QRectF, tokens: Tokens) -> None:
        """Where the picture breaks: a notch on both edges, and a line between them."""
        for value in self._line.breaks:
            x = self._x_of(value)
            painter.setPen(QPen(with_alpha("#000000", 0.55), 3))
            painter.drawLine(QPointF(x, track.top()), QPointF(x, track.bottom()))
            painter.setPen(QPen(QColor(tokens.warning), 1.5, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, track.top()), QPointF(x, track.bottom()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.warning))
            for y, way in ((track.top() - 1, 1), (track.bottom() + 1, -1)):
                notch = [QPointF(x - 4, y), QPointF(x + 4, y), QPointF(x, y + 5 * way)]
                painter.drawPolygon(QPolygonF(notch))

    def _paint_zero(self, painter: QPainter, track: QRectF) -> None:
        x = self._x_of(0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(255, 255, 255, 220))
        painter.drawEllipse(QPointF(x, track.bottom() - 4), 1.8, 1.8)

    def _paint_handle(self, painter: QPainter, track: QRectF, count: int, tokens: Tokens) -> None:
        width = max(22.0, min(44.0, track.width() / count + 4))
        x = min(max(self._x_of(self.number), track.left() + width / 2), track.right() - width / 2)
        handle = QRectF(x - width / 2, 1.5, width, self.height() - 3)
        path = QPainterPath()
        path.addRoundedRect(handle, 7, 7)
        painter.setPen(QPen(QColor(0, 0, 0, 110), 5))
        painter.setBrush(QColor(tokens.raised))
        painter.drawPath(path)
        if self._current is not None:
            painter.save()
            painter.setClipPath(path)
            painter.drawPixmap(handle, self._current, _cover(self._current, handle))
            painter.restore()
        edge = self._colour if self.hasFocus() or self._holding else QColor("#ffffff")
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(edge, 2.5))
        painter.drawPath(path)
        if self._current is None:
            painter.setPen(QPen(QColor("#ffffff"), 2))
            painter.drawLine(QPointF(x, handle.top() + 10), QPointF(x, handle.bottom() - 10))


def _cover(pixmap: QPixmap, target: QRectF) -> QRectF:
    """The middle part of `pixmap` that has the target's shape."""
    width, height = float(pixmap.width()), float(pixmap.height())
    scale = min(width / target.width(), height / target.height())
    used_width, used_height = target.width() * scale, target.height() * scale
    return QRectF((width - used_width) / 2, (height - used_height) / 2, used_width, used_height)

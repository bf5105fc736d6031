"""Where the picture lies in the view: zoom, pan and rotation as an affine map, all in device pixels.

One image pixel covers `zoom` device pixels, so 100 % is exact on every screen. Between the picture and the
view lies the *frame*: the view as it would be without rotation. Upright things, such as the wipe, live there.
"""

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QTransform

MIN_ZOOM = 0.01
MAX_ZOOM = 64.0
ZOOM_STEPS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.33, 0.5, 0.67, 0.75, 1.0, 1.5, 2.0,
              3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)  # fmt: skip
FIT_MARGIN_SHARE = 0.05
_KEEP_VISIBLE_PX = 48.0
_LITTLE = 0.25  # share of the view's height that panels below may take without another zoom


@dataclass
class Viewport:
    """A picture in a view: sizes in image pixels and device pixels.

    `left`, `top` is where the picture's corner lies, `angle` turns it clockwise around that corner (degrees);
    `fitted` keeps it fitted when the view changes; `fitted_height` is the view's when it was.
    """

    image_width: int = 1
    image_height: int = 1
    view_width: float = 1.0
    view_height: float = 1.0
    zoom: float = 1.0
    left: float = 0.0
    top: float = 0.0
    angle: float = 0.0
    fitted: bool = True
    fitted_height: float = 0.0

    def resize_view(self, width: float, height: float, *, by_panels: bool = False) -> None:
        """The view has another size: keep fitted, or keep the middle of the view where it is.

        What opens `by_panels` below the picture moves it; the zoom changes where much would be hidden.
        """
        shift_x, shift_y = (width - self.view_width) / 2, (height - self.view_height) / 2
        self.view_width, self.view_height = width, height
        little = abs(height - self.fitted_height) <= _LITTLE * self.fitted_height
        if self.fitted and not (by_panels and little):
            self.fit()
            return
        fitted = self.fitted
        self.pan(shift_x, shift_y)
        self.fitted = fitted

    def resize_image(self, width: int, height: int) -> None:
        """The picture has another size."""
        if (width, height) == (self.image_width, self.image_height):
            return
        self.image_width, self.image_height = max(1, width), max(1, height)
        if self.fitted:
            self.fit()
        else:
            self.pan(0, 0)

    def fit(self) -> None:
        """Show the whole picture in the middle with a margin."""
        self.show_rect(QRectF(0, 0, self.image_width, self.image_height))
        self.fitted, self.fitted_height = True, self.view_height

    def fit_width(self) -> None:
        """As wide as the view; what was in the middle from top to bottom stays there."""
        middle = self.to_image(self._middle()).y()
        self.show_rect(QRectF(0, min(max(middle, 0.0), self.image_height), self.image_width, 0.0))

    def show_rect(self, rect: QRectF) -> None:
        """Zoom so that a rectangle of the picture fills the view but for a margin, and centre it."""
        margin = FIT_MARGIN_SHARE * min(self.view_width, self.view_height)
        width, height = max(1.0, self.view_width - 2 * margin), max(1.0, self.view_height - 2 * margin)
        turned = QTransform().rotate(self.angle).mapRect(rect)
        ratios = [width / turned.width()] if turned.width() > 0 else []
        ratios += [height / turned.height()] if turned.height() > 0 else []
        self.zoom = _clamp(min(ratios, default=self.zoom), MIN_ZOOM, MAX_ZOOM)
        self._put(rect.center(), self._middle())
        self.fitted = False

    def zoom_to(self, zoom: float, anchor: QPointF | None = None) -> None:
        """Set the zoom; the image point under `anchor` (default: the middle of the view) stays there."""
        anchor = self._middle() if anchor is None else anchor
        zoom = _clamp(zoom, MIN_ZOOM, MAX_ZOOM)
        factor = zoom / self.zoom
        self.left = anchor.x() - (anchor.x() - self.left) * factor
        self.top = anchor.y() - (anchor.y() - self.top) * factor
        self.zoom = zoom
        self.fitted = False
        self.pan(0, 0)

    def step_zoom(self, steps: int, anchor: QPointF | None = None) -> None:
        """Go `steps` (may be negative) along the usual zoom levels."""
        zoom = self.zoom
        for _ in range(abs(steps)):
            zoom = _next_level(zoom, up=steps > 0)
        self.zoom_to(zoom, anchor)

    def rotate_to(self, angle: float, anchor: QPointF | None = None) -> None:
        """Turn the view to `angle` degrees; the image point under `anchor` (default: the middle) stays."""
        anchor = self._middle() if anchor is None else anchor
        kept = self.to_image(anchor)
        self.angle = (angle + 180.0) % 360.0 - 180.0
        if self.fitted:
            self.fit()
            return
        self._put(kept, anchor)
        self.pan(0, 0)

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture; a part of it always stays in the view."""
        box = self.bounds()
        keep_x, keep_y = min(_KEEP_VISIBLE_PX, box.width()), min(_KEEP_VISIBLE_PX, box.height())
        x = _clamp(box.x() + dx, keep_x - box.width(), self.view_width - keep_x)
        y = _clamp(box.y() + dy, keep_y - box.height(), self.view_height - keep_y)
        self.left += x - box.x()
        self.top += y - box.y()
        if dx or dy:
            self.fitted = False

    # maps

    def origin(self) -> QPointF:
        """Where the picture's corner lies; on a device pixel as long as the view is upright."""
        if self.angle:
            return QPointF(self.left, self.top)
        return QPointF(round(self.left), round(self.top))

    def transform(self) -> QTransform:
        """Image coordinates → view."""
        origin = self.origin()
        return QTransform.fromTranslate(origin.x(), origin.y()).rotate(self.angle).scale(self.zoom, self.zoom)

    def turn(self) -> QTransform:
        """Frame → view: the rotation alone."""
        origin = self.origin()
        made = QTransform.fromTranslate(origin.x(), origin.y()).rotate(self.angle)
        return made.translate(-origin.x(), -origin.y())

    def target(self) -> QRectF:
        """The picture's rectangle in the frame."""
        origin = self.origin()
        return QRectF(origin.x(), origin.y(), self.image_width * self.zoom, self.image_height * self.zoom)

    def bounds(self) -> QRectF:
        """The smallest upright rectangle of the view around the (turned) picture."""
        picture = QRectF(0, 0, self.image_width * self.zoom, self.image_height * self.zoom)
        return QTransform.fromTranslate(self.left, self.top).rotate(self.angle).mapRect(picture)

    def to_image(self, point: QPointF) -> QPointF:
        """Image coordinates of a point of the view."""
        away = point - self.origin()
        cosine, sine = self._direction()
        x, y = away.x() * cosine + away.y() * sine, away.y() * cosine - away.x() * sine
        return QPointF(x / self.zoom, y / self.zoom)

    def to_view(self, point: QPointF) -> QPointF:
        """The view's coordinates of an image point."""
        x, y = point.x() * self.zoom, point.y() * self.zoom
        cosine, sine = self._direction()
        return self.origin() + QPointF(x * cosine - y * sine, x * sine + y * cosine)

    def to_frame(self, point: QPointF) -> QPointF:
        """The frame's coordinates of a point of the view."""
        origin = self.origin()
        return self.to_image(point) * self.zoom + origin

    def seen_frame(self) -> QRectF:
        """The smallest upright rectangle of the frame around what the view shows."""
        view = QRectF(0, 0, self.view_width, self.view_height)
        return _around([self.to_frame(corner) for corner in _corners(view)]) if self.angle else view

    def rect_to_view(self, rect: QRectF) -> QRectF:
        """The smallest upright rectangle of the view around a rectangle of the picture."""
        corners = [self.to_view(corner) for corner in _corners(rect)]
        return _around(corners)

    def visible_rect(self, exposed: QRectF | None = None) -> QRectF:
        """The smallest image rectangle around what `exposed` (default: the whole view) shows; not clipped."""
        view = QRectF(0, 0, self.view_width, self.view_height) if exposed is None else exposed
        return _around([self.to_image(corner) for corner in _corners(view)])

    def visible_pixels(self, exposed: QRectF) -> QRect:
        """The image pixels that touch `exposed` (view), with one pixel around for smooth edges."""
        return self.visible_rect(exposed).toAlignedRect().adjusted(-1, -1, 1, 1) & QRect(
            0, 0, self.image_width, self.image_height
        )

    def _middle(self) -> QPointF:
        return QPointF(self.view_width / 2, self.view_height / 2)

    def _put(self, image_point: QPointF, at: QPointF) -> None:
        """Move so that an image point lies at a point of the view."""
        cosine, sine = self._direction()
        x, y = image_point.x() * self.zoom, image_point.y() * self.zoom
        self.left = at.x() - (x * cosine - y * sine)
        self.top = at.y() - (x * sine + y * cosine)

    def _direction(self) -> tuple[float, float]:
        """Cosine and sine of the angle, exact for quarter turns."""
        quarter = self.angle / 90.0
        if quarter == round(quarter):
            return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarter) % 4]
        radians = math.radians(self.angle)
        return math.cos(radians), math.sin(radians)


def _corners(rect: QRectF) -> tuple[QPointF, QPointF, QPointF, QPointF]:
    return rect.topLeft(), rect.topRight(), rect.bottomLeft(), rect.bottomRight()


def _around(points: list[QPointF]) -> QRectF:
    xs, ys = [point.x() for point in points], [point.y() for point in points]
    return QRectF(QPointF(min(xs), min(ys)), QPointF(max(xs), max(ys)))


def _next_level(zoom: float, *, up: bool) -> float:
    if up:
        return next((level for level in ZOOM_STEPS if level > zoom * 1.001), MAX_ZOOM)
    return next((level for level in reversed(ZOOM_STEPS) if level < zoom * 0.999), MIN_ZOOM)


def _clamp(value: float, low: float, high: float) -> float:
    return max(min(low, high), min(max(low, high), value))

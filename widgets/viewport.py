"""Where the picture lies in the view: zoom and pan as plain geometry, all in device pixels.

One image pixel covers `zoom` device pixels, so 100 % is exact on every screen.
"""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF

MIN_ZOOM = 0.01
MAX_ZOOM = 64.0
ZOOM_STEPS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.33, 0.5, 0.67, 0.75, 1.0, 1.5, 2.0,
              3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)  # fmt: skip
FIT_MARGIN_SHARE = 0.05
_KEEP_VISIBLE_PX = 48.0


@dataclass
class Viewport:
    """A picture in a view: sizes in image pixels and device pixels.

    `left`, `top` is where the picture's corner lies; `fitted` keeps it fitted when the view changes.
    """

    image_width: int = 1
    image_height: int = 1
    view_width: float = 1.0
    view_height: float = 1.0
    zoom: float = 1.0
    left: float = 0.0
    top: float = 0.0
    fitted: bool = True

    def resize_view(self, width: float, height: float) -> None:
        """The view has another size: keep fitted, or keep the middle of the view where it is."""
        shift_x, shift_y = (width - self.view_width) / 2, (height - self.view_height) / 2
        self.view_width, self.view_height = width, height
        if self.fitted:
            self.fit()
        else:
            self.pan(shift_x, shift_y)

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
        margin = FIT_MARGIN_SHARE * min(self.view_width, self.view_height)
        width, height = max(1.0, self.view_width - 2 * margin), max(1.0, self.view_height - 2 * margin)
        self.zoom = _clamp(min(width / self.image_width, height / self.image_height), MIN_ZOOM, MAX_ZOOM)
        self.left = (self.view_width - self.image_width * self.zoom) / 2
        self.top = (self.view_height - self.image_height * self.zoom) / 2
        self.fitted = True

    def zoom_to(self, zoom: float, anchor: QPointF | None = None) -> None:
        """Set the zoom; the image point under `anchor` (default: the middle of the view) stays there."""
        x, y = (anchor.x(), anchor.y()) if anchor else (self.view_width / 2, self.view_height / 2)
        zoom = _clamp(zoom, MIN_ZOOM, MAX_ZOOM)
        factor = zoom / self.zoom
        self.left, self.top = x - (x - self.left) * factor, y - (y - self.top) * factor
        self.zoom = zoom
        self.fitted = False
        self.pan(0, 0)

    def step_zoom(self, steps: int, anchor: QPointF | None = None) -> None:
        """Go `steps` (may be negative) along the usual zoom levels."""
        zoom = self.zoom
        for _ in range(abs(steps)):
            zoom = _next_level(zoom, up=steps > 0)
        self.zoom_to(zoom, anchor)

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture; a part of it always stays in the view."""
        width, height = self.image_width * self.zoom, self.image_height * self.zoom
        keep_x, keep_y = min(_KEEP_VISIBLE_PX, width), min(_KEEP_VISIBLE_PX, height)
        self.left = _clamp(self.left + dx, keep_x - width, self.view_width - keep_x)
        self.top = _clamp(self.top + dy, keep_y - height, self.view_height - keep_y)
        if dx or dy:
            self.fitted = False

    def target(self) -> QRectF:
        """The picture's rectangle in the view, its corner on a device pixel."""
        return QRectF(
            round(self.left), round(self.top), self.image_width * self.zoom, self.image_height * self.zoom
        )

    def to_image(self, point: QPointF) -> QPointF:
        """Image coordinates of a point of the view."""
        return QPointF((point.x() - round(self.left)) / self.zoom, (point.y() - round(self.top)) / self.zoom)

    def to_view(self, point: QPointF) -> QPointF:
        """The view's coordinates of an image point."""
        return QPointF(point.x() * self.zoom + round(self.left), point.y() * self.zoom + round(self.top))

    def rect_to_view(self, rect: QRectF) -> QRectF:
        return QRectF(self.to_view(rect.topLeft()), self.to_view(rect.bottomRight()))

    def visible_pixels(self, exposed: QRectF) -> QRect:
        """The image pixels that touch `exposed` (view), with one pixel around for smooth edges."""
        inside = QRectF(self.to_image(exposed.topLeft()), self.to_image(exposed.bottomRight()))
        return inside.toAlignedRect().adjusted(-1, -1, 1, 1) & QRect(
            0, 0, self.image_width, self.image_height
        )


def _next_level(zoom: float, *, up: bool) -> float:
    if up:
        return next((level for level in ZOOM_STEPS if level > zoom * 1.001), MAX_ZOOM)
    return next((level for level in reversed(ZOOM_STEPS) if level < zoom * 0.999), MIN_ZOOM)


def _clamp(value: float, low: float, high: float) -> float:
    return max(min(low, high), min(max(low, high), value))

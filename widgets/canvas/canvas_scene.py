"""What the canvas paints, and how. Everything is in device pixels."""

from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QImage, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from widgets.canvas import wipe
from widgets.canvas.tile_picture import TilePicture
from widgets.canvas.viewport import Viewport
from widgets.look.theme import Tokens, with_alpha

GRID_ABOVE = 8.0
_CHECK_PX = 8
_SHADOW_PX = 16
_DARK_ALPHA = 0.42
_TINT_ALPHA = 0.16
_LABEL_MARGIN_PX = 8
_LABEL_SPACE_PX = 40


@dataclass
class Scene:
    """The picture, the state before, a running job's preview, a subject's highlight, and the wipe."""

    picture: TilePicture | None = None
    before: TilePicture | None = None
    preview: QPixmap | None = None
    heat: QPixmap | None = None
    wipe_share: float | None = None
    original_held: bool = False
    pixel_grid: bool = True


@dataclass(frozen=True)
class Look:
    """How it is painted: scale factor, colours, words (before, after), whether the canvas has the focus."""

    ratio: float
    tokens: Tokens
    font: QFont
    words: tuple[str, str]
    focused: bool


def paint(painter: QPainter, scene: Scene, viewport: Viewport, exposed: QRectF, look: Look) -> None:
    """Paint everything inside `exposed`."""
    painter.fillRect(exposed, QColor(look.tokens.backdrop))
    if scene.picture is None:
        return
    painter.save()
    painter.setTransform(viewport.turn(), True)  # from here on in the frame, where the picture is upright
    _paint_shadow(painter, viewport.target(), look)
    painter.restore()
    _paint_picture(painter, scene, viewport, exposed, look)
    if scene.pixel_grid and viewport.zoom >= GRID_ABOVE and not viewport.fitted:
        _paint_grid(painter, scene.picture, viewport, exposed)
    painter.save()
    painter.setTransform(viewport.turn(), True)
    if scene.heat is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(viewport.target(), scene.heat, QRectF(scene.heat.rect()))
    _paint_wipe(painter, scene, viewport, look)
    painter.restore()


def spotlight(mask: QImage, colour: QColor) -> QPixmap:
    """An overlay that darkens where the greyscale `mask` is dark and tints where it is bright."""
    bright = mask.convertToFormat(QImage.Format.Format_Grayscale8)
    dark = bright.copy()
    dark.invertPixels()
    overlay = QImage(mask.size(), QImage.Format.Format_ARGB32_Premultiplied)
    overlay.fill(Qt.GlobalColor.transparent)
    painter = QPainter(overlay)
    for shade, alpha, strength in ((QColor("#000000"), dark, _DARK_ALPHA), (colour, bright, _TINT_ALPHA)):
        layer = QImage(mask.size(), QImage.Format.Format_ARGB32)
        layer.fill(shade)
        layer.setAlphaChannel(alpha)
        painter.setOpacity(strength)
        painter.drawImage(0, 0, layer)
    painter.end()
    return QPixmap.fromImage(overlay)


@cache
def checker_tile(first: str, second: str, size_px: int) -> QPixmap:
    """Two by two squares to tile what is transparent with."""
    tile = QPixmap(2 * size_px, 2 * size_px)
    tile.fill(QColor(first))
    painter = QPainter(tile)
    painter.fillRect(size_px, 0, size_px, size_px, QColor(second))
    painter.fillRect(0, size_px, size_px, size_px, QColor(second))
    painter.end()
    return tile


def _paint_picture(painter: QPainter, scene: Scene, viewport: Viewport, exposed: QRectF, look: Look) -> None:
    if scene.original_held and scene.before is not None:
        _paint_one(painter, scene.before, viewport, exposed, look)
        return
    if scene.preview is not None:
        _paint_preview(painter, scene.preview, viewport)
    elif scene.picture is not None:
        _paint_one(painter, scene.picture, viewport, exposed, look)
    if scene.wipe_share is not None and scene.before is not None:
        target = viewport.target()
        edge = wipe.line_x(target, scene.wipe_share)
        painter.save()
        _clip(painter, QRectF(target.x(), target.y(), edge - target.x(), target.height()), viewport)
        _paint_one(painter, scene.before, viewport, exposed, look)
        painter.restore()


def _clip(painter: QPainter, frame_rect: QRectF, viewport: Viewport) -> None:
    """Limit painting to a rectangle of the frame, beside what limits it already."""
    if viewport.angle:
        path = QPainterPath()
        path.addPolygon(viewport.turn().map(QPolygonF(frame_rect)))
        painter.setClipPath(path, Qt.ClipOperation.IntersectClip)
    else:
        painter.setClipRect(frame_rect, Qt.ClipOperation.IntersectClip)


def _paint_preview(painter: QPainter, preview: QPixmap, viewport: Viewport) -> None:
    painter.save()
    painter.setTransform(viewport.turn(), True)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(viewport.target(), preview, QRectF(preview.rect()))
    painter.restore()


def _paint_one(
    painter: QPainter, picture: TilePicture, viewport: Viewport, exposed: QRectF, look: Look
) -> None:
    """A picture over the squares that say where it is transparent."""
    width, height = picture.size
    target = QRectF(viewport.target().topLeft(), QSizeF(width, height) * viewport.zoom)
    tile = checker_tile(look.tokens.checker_a, look.tokens.checker_b, round(_CHECK_PX * look.ratio))
    painter.save()
    painter.setTransform(viewport.turn(), True)
    painter.setBrushOrigin(target.topLeft())
    painter.fillRect(target if viewport.angle else target & exposed, QBrush(tile))
    painter.restore()
    # a fitted picture is being looked at, not worked on pixel by pixel: never show it blocky
    picture.paint(painter, viewport, smooth=viewport.fitted)


def _paint_grid(painter: QPainter, picture: TilePicture, viewport: Viewport, exposed: QRectF) -> None:
    """A line between all pixels of the picture, dark beside light so that it shows on both."""
    seen = (viewport.visible_rect(exposed) & picture.area).toAlignedRect().adjusted(0, 0, 1, 1)
    across = [
        QLineF(viewport.to_view(QPointF(x, seen.top())), viewport.to_view(QPointF(x, seen.bottom())))
        for x in range(seen.left(), seen.right() + 1)
    ]
    down = [
        QLineF(viewport.to_view(QPointF(seen.left(), y)), viewport.to_view(QPointF(seen.right(), y)))
        for y in range(seen.top(), seen.bottom() + 1)
    ]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, bool(viewport.angle))
    for shift, colour in ((0.0, QColor(0, 0, 0, 70)), (1.0, QColor(255, 255, 255, 40))):
        painter.setPen(QPen(colour, 1))
        painter.translate(shift, shift)
        painter.drawLines(across + down)
    painter.restore()


def _paint_shadow(painter: QPainter, target: QRectF, look: Look) -> None:
    """Rings that fade outwards: one pixel each, so that a large picture costs no more than a small one."""
    strength = 0.22 if look.tokens.dark else 0.12
    rings = round(_SHADOW_PX * look.ratio)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ring in range(rings):
        painter.setPen(QPen(with_alpha("#000000", strength * (1 - ring / rings) ** 2), 1))
        painter.drawRect(target.adjusted(-ring - 1, -ring - 1, ring, ring).translated(0, ring / 4))


def _paint_wipe(painter: QPainter, scene: Scene, viewport: Viewport, look: Look) -> None:
    target, ratio = viewport.target(), look.ratio
    view = viewport.seen_frame()
    margin = _LABEL_MARGIN_PX * ratio
    seen = (target & view).adjusted(margin, margin, -margin, -margin)
    painter.setFont(look.font)
    before, after = look.words
    if scene.original_held:
        wipe.paint_label(painter, before, seen.bottomLeft(), ratio, right=False)
        return
    if scene.wipe_share is None:
        return
    line = wipe.line_x(target, scene.wipe_share)
    if line > seen.left() + _LABEL_SPACE_PX * ratio:
        wipe.paint_label(painter, before, seen.bottomLeft(), ratio, right=False)
    if line < seen.right() - _LABEL_SPACE_PX * ratio:
        wipe.paint_label(painter, after, seen.bottomRight(), ratio, right=True)
    wipe.paint(painter, target, view, scene.wipe_share, ratio, look.tokens, focused=look.focused)

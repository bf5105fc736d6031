"""What the canvas paints, and how. Everything is in device pixels."""

from dataclasses import dataclass, field
from functools import cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QImage, QPainter, QPen, QPixmap

from widgets import wipe
from widgets.pyramid import Pyramid
from widgets.theme import Tokens, with_alpha
from widgets.viewport import Viewport

_CHECK_PX = 8
_SHADOW_PX = 16
_DARK_ALPHA = 0.42
_TINT_ALPHA = 0.16
_LABEL_MARGIN_PX = 8
_LABEL_SPACE_PX = 40


@dataclass
class Scene:
    """The picture, the state before, a running job's preview, a subject's highlight, and the wipe."""

    picture: Pyramid = field(default_factory=Pyramid)
    before: Pyramid | None = None
    preview: QPixmap | None = None
    heat: QPixmap | None = None
    wipe_share: float | None = None
    original_held: bool = False


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
    if scene.picture.is_empty and scene.preview is None:
        return
    target = viewport.target()
    _paint_shadow(painter, target, look)
    _paint_picture(painter, scene, viewport, exposed, look)
    if scene.heat is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(target, scene.heat, QRectF(scene.heat.rect()))
    _paint_wipe(painter, scene, viewport, look)


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
        target = viewport.target()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(target, scene.preview, QRectF(scene.preview.rect()))
    else:
        _paint_one(painter, scene.picture, viewport, exposed, look)
    if scene.wipe_share is not None and scene.before is not None:
        target = viewport.target()
        edge = wipe.line_x(target, scene.wipe_share)
        painter.save()
        painter.setClipRect(QRectF(target.x(), target.y(), edge - target.x(), target.height()))
        _paint_one(painter, scene.before, viewport, exposed, look)
        painter.restore()


def _paint_one(painter: QPainter, picture: Pyramid, viewport: Viewport, exposed: QRectF, look: Look) -> None:
    target = viewport.target()
    tile = checker_tile(look.tokens.checker_a, look.tokens.checker_b, round(_CHECK_PX * look.ratio))
    painter.setBrushOrigin(target.topLeft())
    painter.fillRect(target & exposed, QBrush(tile))
    # a fitted picture is being looked at, not worked on pixel by pixel: never show it blocky
    part = viewport.visible_pixels(exposed)
    picture.paint(painter, target, part, viewport.zoom, smooth=viewport.fitted)


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
    view = QRectF(0, 0, viewport.view_width, viewport.view_height)
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

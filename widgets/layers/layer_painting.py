"""How a row of the layer tree looks."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle

from editor.layers.layer import Adjustment, Group, Layer, Node
from widgets.layers.layer_row import Parts
from widgets.look.icons import icon
from widgets.look.theme import Tokens, scaled_font, tabular

_HIDDEN_OPACITY = 0.45
_CROPPED_UP_TO = 1.8  # longer pictures are shown whole


@dataclass(frozen=True)
class Row:
    """All that a row shows."""

    node: Node
    parts: Parts
    state: QStyle.StateFlag
    summary: str
    badge: str
    older: bool  # the badge warns
    picture: object  # QImage or None
    mask: object  # QImage or None
    edits_mask: bool
    expanded: bool


def paint_row(painter: QPainter, row: Row, tokens: Tokens) -> None:
    node, parts = row.node, row.parts
    _paint_back(painter, QRectF(parts.row).adjusted(2, 1, -2, -1), row.state, tokens)
    eye = "eye" if node.visible else "eye-off"
    _paint_icon(painter, eye, parts.eye, 16, tokens.dim if node.visible else tokens.faint, tokens)
    painter.setOpacity(1.0 if node.visible else _HIDDEN_OPACITY)
    if isinstance(node, Group):
        arrow = "chevron-down" if row.expanded else "chevron-right"
        _paint_icon(painter, arrow, parts.arrow, 14, tokens.dim, tokens)
    if node.clipped:
        _paint_icon(painter, "clip", parts.clip, 14, tokens.dim, tokens)
    _paint_picture(painter, row, tokens)
    if node.mask is not None:
        _paint_mask(painter, row, tokens)
    _paint_texts(painter, row, tokens)
    _paint_lock(painter, row, tokens)


def _paint_back(painter: QPainter, box: QRectF, state: QStyle.StateFlag, tokens: Tokens) -> None:
    selected = bool(state & QStyle.StateFlag.State_Selected)
    hovered = bool(state & QStyle.StateFlag.State_MouseOver)
    if selected or hovered:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.selection if selected else tokens.hover))
        painter.drawRoundedRect(box, 6, 6)
    if selected and state & QStyle.StateFlag.State_HasFocus:
        painter.setPen(QPen(QColor(tokens.accent), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_icon(painter: QPainter, name: str, place: QRect, size: int, colour: str, tokens: Tokens) -> None:
    box = QRect(0, 0, size, size)
    box.moveCenter(place.center())
    icon(name, colour, tokens.faint, size).paint(painter, box)


def _paint_picture(painter: QPainter, row: Row, tokens: Tokens) -> None:
    box = QRectF(row.parts.thumbnail)
    name = _sign(row.node)
    if name:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(box, 4, 4)
        _paint_icon(painter, name, row.parts.thumbnail, 20, tokens.dim, tokens)
    else:
        _paint_image(painter, box, row.picture, QColor(tokens.checker_a))
    if row.node.mask is not None and not row.edits_mask and row.state & QStyle.StateFlag.State_Selected:
        _paint_frame(painter, box, tokens)


def _sign(node: Node) -> str:
    """The icon of what is no picture, "" for one."""
    if isinstance(node, Group):
        return "group"
    if isinstance(node, Adjustment):
        return "adjustment"
    return "tool-text" if isinstance(node, Layer) and node.text is not None else ""


def _paint_mask(painter: QPainter, row: Row, tokens: Tokens) -> None:
    box = QRectF(row.parts.mask)
    mask = row.node.mask
    outside = mask.outside if mask is not None else 0
    _paint_image(painter, box, row.mask, QColor(outside, outside, outside))
    painter.setPen(QPen(QColor(tokens.control), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    if row.edits_mask:
        _paint_frame(painter, box, tokens)
    if mask is not None and not mask.enabled:
        painter.setPen(QPen(QColor(tokens.danger), 2))
        painter.drawLine(box.topLeft() + QPointF(5, 5), box.bottomRight() - QPointF(5, 5))
        painter.drawLine(box.topRight() + QPointF(-5, 5), box.bottomLeft() + QPointF(5, -5))


def _paint_frame(painter: QPainter, box: QRectF, tokens: Tokens) -> None:
    """Around what painting goes to."""
    painter.setPen(QPen(QColor(tokens.accent), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box.adjusted(-1, -1, 1, 1), 5, 5)


def _paint_image(painter: QPainter, box: QRectF, image: object, ground: QColor) -> None:
    path = QPainterPath()
    path.addRoundedRect(box, 4, 4)
    painter.save()
    painter.setClipPath(path)
    painter.fillRect(box, ground)
    if isinstance(image, QImage) and not image.isNull():
        wide = max(image.width(), image.height()) / min(image.width(), image.height())
        if wide <= _CROPPED_UP_TO:
            side = min(image.width(), image.height())
            source = QRectF((image.width() - side) / 2, (image.height() - side) / 2, side, side)
            painter.drawImage(box, image, source)
        else:
            scale = box.width() / max(image.width(), image.height())
            fitted = QRectF(0, 0, image.width() * scale, image.height() * scale)
            fitted.moveCenter(box.center())
            painter.drawImage(fitted, image)
    painter.restore()


def _paint_texts(painter: QPainter, row: Row, tokens: Tokens) -> None:
    font, small, parts = painter.font(), scaled_font(painter.font(), 0.88), row.parts
    pill = _badge_size(painter, small, row.badge)
    painter.setFont(font)
    painter.setPen(QColor(tokens.text))
    room = parts.name.width() - (pill.width() + 8 if row.badge else 0)
    name = painter.fontMetrics().elidedText(row.node.name, Qt.TextElideMode.ElideRight, round(room))
    painter.drawText(parts.name, Qt.AlignmentFlag.AlignVCenter, name)
    if row.badge:
        x = parts.name.left() + painter.fontMetrics().horizontalAdvance(name) + 8
        pill.moveTo(x, parts.name.center().y() - pill.height() / 2 + 0.5)
        painter.setFont(small)
        painter.setPen(QPen(QColor(tokens.warning if row.older else tokens.accent), 1))
        painter.drawRoundedRect(pill, 4, 4)
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, row.badge)
    painter.setFont(tabular(small))
    painter.setPen(QColor(tokens.dim))
    text = painter.fontMetrics().elidedText(row.summary, Qt.TextElideMode.ElideRight, parts.second.width())
    painter.drawText(parts.second, Qt.AlignmentFlag.AlignVCenter, text)
    painter.setFont(tabular(font))
    flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(parts.opacity, flags, f"{round(row.node.opacity * 100)}")


def _badge_size(painter: QPainter, font: QFont, text: str) -> QRectF:
    painter.setFont(font)
    metrics = painter.fontMetrics()
    return QRectF(0, 0, metrics.horizontalAdvance(text) + 10 if text else 0, metrics.height() + 2)


def _paint_lock(painter: QPainter, row: Row, tokens: Tokens) -> None:
    node = row.node
    if node.locked or node.position_locked or node.alpha_locked:
        name = "lock" if node.locked else "tool-move" if node.position_locked else "lock-alpha"
        _paint_icon(painter, name, row.parts.lock, 14, tokens.dim, tokens)

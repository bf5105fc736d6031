"""Paints one row of the layer list: eye, thumbnail, name, badge, summary, opacity."""

from PySide6.QtCore import QAbstractItemModel, QEvent, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtCore import QModelIndex as Index
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from editor.layer import Layer
from widgets.icons import icon
from widgets.layer_model import LAYER_ROLE, SUMMARY_ROLE, THUMBNAIL_ROLE, THUMBNAIL_SIZE
from widgets.theme import Tokens, scaled_font, tabular, tokens_of

ROW_HEIGHT = 52
_EYE_WIDTH = 30
_GAP = 10


class LayerDelegate(QStyledItemDelegate):
    """Tells clicks on the eye by `eye_clicked`."""

    eye_clicked = Signal(str)  # layer id

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index | QPersistentModelIndex) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def eye_rect(self, row: QRect) -> QRect:
        return QRect(row.left() + 4, row.top(), _EYE_WIDTH, row.height())

    def name_rect(self, row: QRect) -> QRect:
        left = row.left() + _EYE_WIDTH + THUMBNAIL_SIZE.width() + 2 * _GAP
        return QRect(left, row.top() + 6, row.right() - left - 44, 21)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index | QPersistentModelIndex
    ) -> None:
        layer = index.data(LAYER_ROLE)
        tokens = tokens_of(self._view)
        if not isinstance(layer, Layer):
            return
        row: QRect = option.rect  # type: ignore[attr-defined]
        state: QStyle.StateFlag = option.state  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        _paint_back(painter, QRectF(row).adjusted(2, 1, -2, -1), state, tokens)
        eye = icon(
            "eye" if layer.visible else "eye-off", tokens.dim if layer.visible else tokens.faint, tokens.faint
        )
        eye.paint(painter, self.eye_rect(row).adjusted(4, 16, -4, -16))
        painter.setOpacity(1.0 if layer.visible else 0.45)
        left = row.left() + _EYE_WIDTH + _GAP
        box = QRectF(left, row.center().y() - THUMBNAIL_SIZE.height() / 2 + 0.5, *THUMBNAIL_SIZE.toTuple())  # type: ignore[misc]
        _paint_thumbnail(painter, box, index.data(THUMBNAIL_ROLE), tokens)
        self._paint_texts(painter, row, layer, str(index.data(SUMMARY_ROLE)), tokens)
        painter.restore()

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: Index | QPersistentModelIndex,
    ) -> bool:
        pressed = event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
        if pressed and isinstance(event, QMouseEvent):
            layer = index.data(LAYER_ROLE)
            over = self.eye_rect(option.rect).contains(event.position().toPoint())  # type: ignore[attr-defined]
            if over and isinstance(layer, Layer):
                self.eye_clicked.emit(layer.id)
                return True
        return super().editorEvent(event, model, option, index)

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index | QPersistentModelIndex
    ) -> None:
        editor.setGeometry(self.name_rect(option.rect).adjusted(-6, -3, 0, 5))  # type: ignore[attr-defined]

    def _paint_texts(self, painter: QPainter, row: QRect, layer: Layer, summary: str, tokens: Tokens) -> None:
        font = painter.font()
        name_rect = self.name_rect(row)
        small = scaled_font(font, 0.88)
        painter.setFont(small)
        badge = self.tr("editable")
        badge_width = painter.fontMetrics().horizontalAdvance(badge) + 10 if layer.recipe is not None else 0
        badge_height = painter.fontMetrics().height() + 2
        painter.setFont(font)
        painter.setPen(QColor(tokens.text))
        room = name_rect.width() - (badge_width + 8 if badge_width else 0)
        name = painter.fontMetrics().elidedText(layer.name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(name_rect, Qt.AlignmentFlag.AlignVCenter, name)
        if badge_width:
            x = name_rect.left() + painter.fontMetrics().horizontalAdvance(name) + 8
            pill = QRectF(x, name_rect.center().y() - badge_height / 2 + 0.5, badge_width, badge_height)
            painter.setFont(small)
            painter.setPen(QPen(QColor(tokens.accent), 1))
            painter.drawRoundedRect(pill, 4, 4)
            painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, badge)
        painter.setFont(tabular(small))
        painter.setPen(QColor(tokens.dim))
        second = name_rect.translated(0, 19)
        text = painter.fontMetrics().elidedText(summary, Qt.TextElideMode.ElideRight, second.width() + 8)
        painter.drawText(second.adjusted(0, 0, 8, 0), Qt.AlignmentFlag.AlignVCenter, text)
        painter.setFont(tabular(font))
        opacity = row.adjusted(0, 0, -12, 0)
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(opacity, flags, f"{round(layer.opacity * 100)}")


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


def _paint_thumbnail(painter: QPainter, box: QRectF, image: object, tokens: Tokens) -> None:
    path = QPainterPath()
    path.addRoundedRect(box, 4, 4)
    painter.save()
    painter.setClipPath(path)
    painter.fillRect(box, QColor(tokens.checker_a))
    if isinstance(image, QImage) and not image.isNull():
        side = min(image.width(), image.height())
        source = QRectF((image.width() - side) / 2, (image.height() - side) / 2, side, side)
        painter.drawImage(box, image, source)
    painter.restore()

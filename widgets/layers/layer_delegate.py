"""Paints one row of the layer tree and tells clicks on its parts."""

from PySide6.QtCore import QAbstractItemModel, QEvent, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtCore import QModelIndex as Index
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from editor.layers.layer import Node
from widgets.layers.layer_model import (
    DEPTH_ROLE,
    EDITS_MASK_ROLE,
    MASK_ROLE,
    NODE_ROLE,
    OLDER_ROLE,
    SUMMARY_ROLE,
    THUMBNAIL_ROLE,
)
from widgets.layers.layer_painting import Row, paint_row
from widgets.layers.layer_row import ROW_HEIGHT, Parts, parts_of
from widgets.look.theme import tokens_of


class LayerDelegate(QStyledItemDelegate):
    """The view's indentation is zero: eyes stay in one column, the rest moves in with its group."""

    eye_clicked = Signal(str, bool)  # node id, whether Alt was held
    mask_clicked = Signal(str, bool)  # node id, whether Shift was held
    pixels_clicked = Signal(str)  # node id
    lock_clicked = Signal(str)  # node id

    def __init__(self, view: QTreeView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index | QPersistentModelIndex) -> QSize:
        return QSize(200, max(ROW_HEIGHT, 2 * self._view.fontMetrics().height() + 12))

    def parts(self, index: Index | QPersistentModelIndex, row: QRect) -> Parts | None:
        """Where the parts of a row are; None if there is no node."""
        node = index.data(NODE_ROLE)
        return parts_of(row, node, int(index.data(DEPTH_ROLE))) if isinstance(node, Node) else None

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index | QPersistentModelIndex
    ) -> None:
        node = index.data(NODE_ROLE)
        parts = self.parts(index, option.rect)  # type: ignore[attr-defined]
        if parts is None or not isinstance(node, Node):
            return
        older = bool(index.data(OLDER_ROLE))
        row = Row(
            node=node,
            parts=parts,
            state=option.state,  # type: ignore[attr-defined]
            summary=str(index.data(SUMMARY_ROLE)),
            badge=self._badge(node, older=older),
            older=older,
            picture=index.data(THUMBNAIL_ROLE),
            mask=index.data(MASK_ROLE),
            edits_mask=bool(index.data(EDITS_MASK_ROLE)),
            expanded=self._view.isExpanded(index),  # type: ignore[arg-type]
        )
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        paint_row(painter, row, tokens_of(self._view))
        painter.restore()

    def _badge(self, node: Node, *, older: bool) -> str:
        if older:
            return self.tr("older picture")
        return self.tr("editable") if node.recipe is not None else ""

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: Index | QPersistentModelIndex,
    ) -> bool:
        pressed = event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
        if pressed and isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.LeftButton:
            parts, node = self.parts(index, option.rect), index.data(NODE_ROLE)  # type: ignore[attr-defined]
            if parts is not None and self._on_press(event, parts, node, index):
                return True
        return super().editorEvent(event, model, option, index)

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index | QPersistentModelIndex
    ) -> None:
        parts = self.parts(index, option.rect)  # type: ignore[attr-defined]
        if parts is not None:
            editor.setGeometry(parts.name.adjusted(-6, -3, 0, 5))

    def _on_press(
        self, event: QMouseEvent, parts: Parts, node: Node, index: Index | QPersistentModelIndex
    ) -> bool:
        point, modifiers = event.position().toPoint(), event.modifiers()
        if parts.eye.contains(point):
            self.eye_clicked.emit(node.id, bool(modifiers & Qt.KeyboardModifier.AltModifier))
        elif parts.arrow.contains(point):
            self._view.setExpanded(index, not self._view.isExpanded(index))  # type: ignore[arg-type]
        elif parts.lock.contains(point):
            self.lock_clicked.emit(node.id)
        elif parts.mask.contains(point):
            self.mask_clicked.emit(node.id, bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
            return False  # the row is selected as well
        else:
            if parts.thumbnail.contains(point):
                self.pixels_clicked.emit(node.id)
            return False
        return True

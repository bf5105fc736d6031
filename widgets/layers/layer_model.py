"""A document's layer tree as a Qt model, topmost first. Edits are wished for by signals, not done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from PySide6.QtCore import (
    QAbstractItemModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from editor.document.document import Document
from editor.layers.layer import Group, Node
from widgets.layers.layer_summary import spoken, summary, tip
from widgets.layers.layer_thumbnails import LayerThumbnails
from widgets.look.plain_text import tip_text

NODE_ROLE = Qt.ItemDataRole.UserRole
SUMMARY_ROLE = Qt.ItemDataRole.UserRole + 1
THUMBNAIL_ROLE = Qt.ItemDataRole.UserRole + 2
MASK_ROLE = Qt.ItemDataRole.UserRole + 3
DEPTH_ROLE = Qt.ItemDataRole.UserRole + 4
EDITS_MASK_ROLE = Qt.ItemDataRole.UserRole + 5
OLDER_ROLE = Qt.ItemDataRole.UserRole + 6  # made from an older state of the picture below it
MIME_TYPE = "application/x-attune-layers"

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_ALLOWED = (
    Qt.ItemFlag.ItemIsEnabled
    | Qt.ItemFlag.ItemIsSelectable
    | Qt.ItemFlag.ItemIsEditable
    | Qt.ItemFlag.ItemIsDragEnabled
)


@dataclass
class _Entry:
    """One node in its place; children run from top to bottom."""

    node: Node | None
    parent: _Entry | None
    row: int
    key: int
    children: list[_Entry] = field(default_factory=list)


class LayerModel(QAbstractItemModel):
    """Row 0 of the top level is the topmost node. Indexes carry a number for each node's id."""

    rename_requested = Signal(str, str)  # node id, name
    move_requested = Signal(list, str, int)  # node ids, group id ("" = top level), index from the bottom

    def __init__(self, thumbnails: LayerThumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._document: Document | None = None
        self._numbers = count(1)
        self._keys: dict[str, int] = {}
        self._entries: dict[int, _Entry] = {}
        self._root = _Entry(None, None, 0, 0)
        self._older: frozenset[str] = frozenset()
        thumbnails.ready.connect(self._on_thumbnail)

    def set_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.layers_changed.disconnect(self._on_layers_changed)
            self._document.target_changed.disconnect(self._refresh)
        self._document = document
        if document is not None:
            document.layers_changed.connect(self._on_layers_changed)
            document.target_changed.connect(self._refresh)
        self._thumbnails.clear()
        self._on_layers_changed()

    def set_older(self, node_ids: frozenset[str]) -> None:
        """These layers were made from an older state of the picture below them."""
        changed, self._older = self._older ^ node_ids, node_ids
        for node_id in changed:
            index = self.index_of(node_id)
            if index.isValid():
                self.dataChanged.emit(index, index, [OLDER_ROLE])

    def index_of(self, node_id: str) -> QModelIndex:
        """Where a node is; an invalid index if it is nowhere."""
        entry = self._entries.get(self._keys.get(node_id, 0))
        return QModelIndex() if entry is None else self.createIndex(entry.row, 0, entry.key)

    def node(self, index: Index) -> Node | None:
        entry = self._entry(index)
        return entry.node if entry is not None else None

    # what views ask

    def index(self, row: int, column: int = 0, parent: Index = _ROOT) -> QModelIndex:
        entry = self._entry(parent)
        if entry is None or column or not 0 <= row < len(entry.children):
            return QModelIndex()
        return self.createIndex(row, 0, entry.children[row].key)

    def parent(self, index: Index = _ROOT) -> QModelIndex:  # type: ignore[override] # QObject.parent() too
        entry = self._entry(index)
        if entry is None or entry.parent is None or entry.parent.node is None:
            return QModelIndex()
        return self.createIndex(entry.parent.row, 0, entry.parent.key)

    def rowCount(self, parent: Index = _ROOT) -> int:
        entry = self._entry(parent)
        return len(entry.children) if entry is not None else 0

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        node = self.node(index)
        if node is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return node.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(node, older=node.id in self._older)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(tip(node, older=node.id in self._older))
        if role == OLDER_ROLE:
            return node.id in self._older
        if role == NODE_ROLE:
            return node
        if role == SUMMARY_ROLE:
            return summary(node)
        if role == THUMBNAIL_ROLE:
            return self._thumbnails.pixels(node)
        if role == MASK_ROLE:
            return self._thumbnails.mask(node)
        if role == DEPTH_ROLE:
            return self._depth(index)
        if role == EDITS_MASK_ROLE:
            document = self._document
            return document is not None and document.state.active == node.id and document.edit_mask
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        node = self.node(index)
        name = str(value).strip()
        if node is None or role != Qt.ItemDataRole.EditRole or not name or name == node.name:
            return False
        self.rename_requested.emit(node.id, name)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        node = self.node(index)
        if node is None:
            return Qt.ItemFlag.ItemIsDropEnabled
        return _ALLOWED | Qt.ItemFlag.ItemIsDropEnabled if isinstance(node, Group) else _ALLOWED

    # dragging

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        ids = [node.id for node in map(self.node, indexes) if node is not None]
        data = QMimeData()
        data.setData(MIME_TYPE, QByteArray("\n".join(ids).encode()))
        return data

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:  # fmt: skip
        """Ask to move what is dragged above `row` of a group; row -1 is into the group, at its top."""
        ids = [key for key in bytes(data.data(MIME_TYPE).data()).decode().split("\n") if key in self._keys]
        target = self._entry(parent)
        if not ids or target is None:
            return False
        if row < 0:
            row = 0 if target.node is not None else len(target.children)
        below = [child for child in target.children[row:] if child.node and child.node.id not in ids]
        self.move_requested.emit(ids, target.node.id if target.node is not None else "", len(below))
        return False  # the document moves them; the view must not remove a row by itself

    # inside

    def _entry(self, index: Index) -> _Entry | None:
        return self._entries.get(index.internalId()) if index.isValid() else self._root

    def _depth(self, index: Index) -> int:
        entry, depth = self._entry(index), -1
        while entry is not None and entry.node is not None:
            entry, depth = entry.parent, depth + 1
        return depth

    def _on_layers_changed(self) -> None:
        nodes = self._document.layers if self._document is not None else ()
        if self._take(self._root, nodes):
            return
        self.beginResetModel()
        self._entries = {}
        self._root = _Entry(None, None, 0, 0)
        self._fill(self._root, nodes)
        kept = {entry.node.id for entry in self._entries.values() if entry.node is not None}
        self._keys = {key: number for key, number in self._keys.items() if key in kept}
        self._thumbnails.keep_only(kept)
        self.endResetModel()

    def _take(self, entry: _Entry, nodes: Sequence[Node]) -> bool:
        """Put changed nodes into an unchanged tree; False if the tree itself is another."""
        old = [child.node.id for child in entry.children if child.node is not None]
        if old != [node.id for node in reversed(nodes)]:
            return False
        for child, node in zip(entry.children, reversed(nodes), strict=True):
            below = node.children if isinstance(node, Group) else ()
            if not self._take(child, below):
                return False
            if child.node is not node:
                child.node = node
                index = self.createIndex(child.row, 0, child.key)
                self.dataChanged.emit(index, index)
        return True

    def _fill(self, entry: _Entry, nodes: Sequence[Node]) -> None:
        for row, node in enumerate(reversed(nodes)):
            key = self._keys.setdefault(node.id, 0) or next(self._numbers)
            self._keys[node.id] = key
            child = _Entry(node, entry, row, key)
            self._entries[key] = child
            entry.children.append(child)
            if isinstance(node, Group):
                self._fill(child, node.children)

    def _on_thumbnail(self, node_id: str) -> None:
        index = self.index_of(node_id)
        if index.isValid():
            self.dataChanged.emit(index, index, [THUMBNAIL_ROLE, MASK_ROLE])

    def _refresh(self) -> None:
        index = self.index_of(self._document.state.active) if self._document is not None else QModelIndex()
        if index.isValid():
            self.dataChanged.emit(index, index, [EDITS_MASK_ROLE])

"""The tree view of the layers: selection, dragging into and out of groups, keys."""

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QDropEvent, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QTreeView, QWidget

from editor.layers.layer import Group
from widgets.layers.layer_model import LayerModel

_Position = QAbstractItemView.DropIndicatorPosition


class LayerTree(QTreeView):
    """Groups are open until they are closed by hand; that, and the place, survive changes of the tree."""

    chosen = Signal(str, list)  # active node's id, ids of all selected nodes
    toggle_requested = Signal(str)  # node id: show or hide
    opened = Signal(str)  # node id: Return was pressed on it

    def __init__(self, model: LayerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._closed: set[str] = set()
        self._showing = False
        self._scrolled = 0
        self.setModel(model)
        self.setHeaderHidden(True)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setExpandsOnDoubleClick(False)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.expanded.connect(lambda index: self._remember(index, closed=False))
        self.collapsed.connect(lambda index: self._remember(index, closed=True))
        model.modelAboutToBeReset.connect(self._on_reset)
        model.modelReset.connect(self._expand)
        self.selectionModel().selectionChanged.connect(self._on_selected)
        self.selectionModel().currentChanged.connect(self._on_selected)

    def select(self, active: str, others: frozenset[str] = frozenset()) -> None:
        """Show which nodes are selected, without telling."""
        index = self._model.index_of(active)
        wanted = {active, *others}
        if {*self.selected(), self._current()} == wanted and self._current() == active:
            return
        self._showing = True
        try:
            selection = self.selectionModel()
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            for other in others:
                selection.select(self._model.index_of(other), QItemSelectionModel.SelectionFlag.Select)
        finally:
            self._showing = False

    def selected(self) -> list[str]:
        """Ids of the selected nodes."""
        nodes = (self._model.node(index) for index in self.selectionModel().selectedIndexes())
        return [node.id for node in nodes if node is not None]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self._current()
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if current and plain and event.key() == Qt.Key.Key_Space:
            self.toggle_requested.emit(current)
        elif current and plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(current)
        elif plain and event.key() == Qt.Key.Key_Left and not self.isExpanded(self.currentIndex()):
            parent = self.currentIndex().parent()
            if parent.isValid():
                self.setCurrentIndex(parent)
        else:
            super().keyPressEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Between two rows means between them as they are seen: below an open group's row is into it."""
        index = self.indexAt(event.position().toPoint())
        where = self.dropIndicatorPosition()
        if where == _Position.OnItem:
            row, parent = -1, index
        elif where == _Position.AboveItem:
            row, parent = index.row(), index.parent()
        elif where == _Position.BelowItem and self.isExpanded(index):
            row, parent = 0, index
        elif where == _Position.BelowItem:
            row, parent = index.row() + 1, index.parent()
        else:
            row, parent = -1, QModelIndex()
        self._model.dropMimeData(event.mimeData(), Qt.DropAction.MoveAction, row, 0, parent)
        event.setDropAction(Qt.DropAction.CopyAction)  # the document moved them: nothing is to be removed
        event.accept()
        self.stopAutoScroll()
        self.setState(QAbstractItemView.State.NoState)
        self.viewport().update()

    def _current(self) -> str:
        node = self._model.node(self.currentIndex()) if self.currentIndex().isValid() else None
        return node.id if node is not None else ""

    def _on_selected(self) -> None:
        if self._showing:
            return
        selected, current = self.selected(), self._current()
        if selected:
            self.chosen.emit(current if current in selected else selected[0], selected)

    def _remember(self, index: QModelIndex, *, closed: bool) -> None:
        node = self._model.node(index)
        if node is not None:
            (self._closed.add if closed else self._closed.discard)(node.id)

    def _on_reset(self) -> None:
        self._showing = True
        self._scrolled = self.verticalScrollBar().value()

    def _expand(self, parent: QModelIndex | None = None) -> None:
        above = QModelIndex() if parent is None else parent
        for row in range(self._model.rowCount(above)):
            index = self._model.index(row, 0, above)
            node = self._model.node(index)
            if isinstance(node, Group):
                self.setExpanded(index, node.id not in self._closed)
                self._expand(index)
        if parent is None:
            self._showing = False
            self.executeDelayedItemsLayout()
            self.verticalScrollBar().setValue(self._scrolled)

"""The History panel: the current document's steps; a click goes back or forward to one."""

from PySide6.QtCore import QCoreApplication, QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QListView, QMenu, QVBoxLayout, QWidget

from editor.application import Application
from editor.document.document import Document
from inference.operations import OPERATIONS
from widgets.history.history_delegate import HistoryDelegate
from widgets.history.history_model import HistoryModel

_LEAST_PX = 40  # of the list: the window has to fit small screens


class StepList(QListView):
    """A right click asks for the menu and goes nowhere."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
        else:
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() == Qt.MouseButton.NoButton or event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)


class HistoryPanel(QWidget):
    """Shows where in its history the current document stands, and which state was saved."""

    compare_requested = Signal(object)  # DocumentState

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._document: Document | None = None
        self.model = HistoryModel(self)
        self.view = StepList()
        self.view.setModel(self.model)
        self.view.setUniformItemSizes(True)
        self.view.setItemDelegate(HistoryDelegate(self.view))
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._on_menu)
        self.view.setAccessibleName(self.tr("History"))
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setMinimumHeight(_LEAST_PX)
        self.view.setTextElideMode(Qt.TextElideMode.ElideRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.addWidget(self.view)
        self.view.selectionModel().currentChanged.connect(self._on_row_chosen)
        self.model.modelReset.connect(self._show_present)
        self.model.dataChanged.connect(self._show_present)
        application.current_changed.connect(self.set_document)
        self.set_document(application.current)

    def sizeHint(self) -> QSize:
        return QSize(330, 150)

    def set_document(self, document: Document | None) -> None:
        self._document = document
        if document is None:
            self.model.set_history(None)
            return
        self.model.set_history(document.undo_stack, self._beginning(document))

    def _beginning(self, document: Document) -> str:
        operation = OPERATIONS.get(document.made_by)
        if operation is not None and operation.enlarges:
            return QCoreApplication.translate("Operations", operation.label)
        return self.tr("New from prompt") if document.made_by else self.tr("Opened")

    def context_menu(self, row: int) -> QMenu:
        """What can be done with the state in which `row` steps are done."""
        menu = QMenu(self)
        menu.addAction(self.tr("Go to this state")).triggered.connect(lambda: self._go_to(row))
        compare = menu.addAction(self.tr("Compare with this"))
        compare.triggered.connect(lambda: self._compare_with(row))
        return menu

    def _on_menu(self, position: QPoint) -> None:
        index = self.view.indexAt(position)
        if index.isValid():
            self.context_menu(index.row()).popup(self.view.viewport().mapToGlobal(position))

    def _go_to(self, row: int) -> None:
        if self._document is not None:
            self._document.undo_stack.setIndex(row)

    def _compare_with(self, row: int) -> None:
        if self._document is not None:
            steps = self._document.undo_stack.steps
            state = steps[row - 1].after if row else steps[0].before if steps else self._document.state
            self.compare_requested.emit(state)

    def _show_present(self) -> None:
        if self._document is None:
            return
        index = self.model.index(self._document.undo_stack.index())
        blocked = self.view.selectionModel().blockSignals(True)
        self.view.setCurrentIndex(index)
        self.view.selectionModel().blockSignals(blocked)
        self.view.scrollTo(index)
        self.view.viewport().update()

    def _on_row_chosen(self, index: QModelIndex) -> None:
        if self._document is not None and index.isValid():
            self._document.undo_stack.setIndex(index.row())

"""The History panel: Qt's view of the current document's undo stack."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QUndoView, QVBoxLayout, QWidget

from editor.application import Application
from editor.document import Document


class HistoryPanel(QWidget):
    """A click on a step goes back or forward to it."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self.view = QUndoView()
        self.view.setAccessibleName(self.tr("History"))
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setTextElideMode(Qt.TextElideMode.ElideRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.addWidget(self.view)
        application.current_changed.connect(self.set_document)
        self.set_document(application.current)

    def sizeHint(self) -> QSize:
        return QSize(330, 150)

    def set_document(self, document: Document | None) -> None:
        if document is None:
            self.view.setStack(None)  # type: ignore[arg-type]
            self.view.setEmptyLabel("")
            return
        generated = document.recipe_layer is not None
        self.view.setEmptyLabel(self.tr("New from prompt") if generated else self.tr("Opened"))
        self.view.setStack(document.undo_stack)

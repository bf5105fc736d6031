"""A document's undo history as a Qt model: the beginning first, then one row for each step."""

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from editor.document.history import History
from widgets.look.plain_text import tip_text

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
SAVED_ROLE = Qt.ItemDataRole.UserRole


class HistoryModel(QAbstractListModel):
    """Row r is the state in which r steps are done; rows beyond the present one are undone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history: History | None = None
        self._beginning = ""

    @property
    def history(self) -> History | None:
        return self._history

    def set_history(self, history: History | None, beginning: str = "") -> None:
        """`beginning` is the text of the row before the first step."""
        if self._history is not None:
            self._history.steps_changed.disconnect(self._on_steps_changed)
            self._history.indexChanged.disconnect(self._on_index_changed)
            self._history.cleanChanged.disconnect(self._on_index_changed)
        self._history, self._beginning = history, beginning
        if history is not None:
            history.steps_changed.connect(self._on_steps_changed)
            history.indexChanged.connect(self._on_index_changed)
            history.cleanChanged.connect(self._on_index_changed)
        self._on_steps_changed()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() or self._history is None else self._history.count() + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        history = self._history
        if history is None or not 0 <= index.row() <= history.count():
            return None
        text = history.text(index.row() - 1) if index.row() else self._beginning
        undone = index.row() > history.index()
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_text(text)
        saved = index.row() == history.cleanIndex()
        if role == SAVED_ROLE:
            return saved
        if role == Qt.ItemDataRole.AccessibleTextRole:
            spoken = self.tr("{step}, undone").format(step=text) if undone else text
            return self.tr("{step}, saved").format(step=spoken) if saved else spoken
        if role == Qt.ItemDataRole.FontRole and undone:
            font = QFont()
            font.setItalic(True)
            return font
        return None

    def _on_steps_changed(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def _on_index_changed(self) -> None:
        last = self.rowCount() - 1
        if last >= 0:
            self.dataChanged.emit(self.index(0), self.index(last))

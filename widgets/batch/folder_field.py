"""A folder: typed, chosen, or dropped."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget


class FolderField(QWidget):
    """Emits `changed` when there is another one."""

    changed = Signal()

    def __init__(self, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = label
        self._path: Path | None = None
        self.line = QLineEdit()
        self.line.setAccessibleName(label)
        self.line.setPlaceholderText(self.tr("Choose a folder, or drop one here"))
        self.line.setAcceptDrops(False)
        self.choose = QPushButton(self.tr("Choose…"))
        self.choose.setAutoDefault(False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.choose)
        self.setAcceptDrops(True)
        self.line.editingFinished.connect(self._on_typed)
        self.choose.clicked.connect(self._on_choose)

    @property
    def path(self) -> Path | None:
        return self._path

    def set_path(self, path: Path | None) -> None:
        """Show a folder; tells if it is another one."""
        if path != self._path:
            self._path = path
            self.line.setText("" if path is None else str(path))
            self.changed.emit()

    def _on_typed(self) -> None:
        text = self.line.text().strip()
        if self._path is None or text != str(self._path):  # a name that is no text is kept as it is
            self.set_path(Path(text).expanduser() if text else None)

    def _on_choose(self) -> None:
        start = str(self._path) if self._path is not None else str(Path.home())
        name = QFileDialog.getExistingDirectory(self, self._label, start)
        if name:
            self.set_path(Path(name))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        folder = dropped_folder(event)
        if folder is not None:
            self.set_path(folder)
            event.acceptProposedAction()


def dropped_folder(event: QDropEvent) -> Path | None:
    """The folder that is dragged; that of a file."""
    for url in event.mimeData().urls():
        if url.isLocalFile():
            path = Path(url.toLocalFile())
            return path if path.is_dir() else path.parent
    return None

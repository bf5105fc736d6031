"""File › Open recent."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from editor.application import Application
from inference.errors import EditorError
from widgets.look.plain_text import set_tip, unmarked

_LONGEST = 60


class RecentMenu(QMenu):
    """Filled when it opens; files are not looked for then, because a lost network drive takes long."""

    chosen = Signal(str)

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Open &recent"))
        self.setToolTipsVisible(True)
        self._application = application
        self.aboutToShow.connect(self.fill)
        application.settings.recent_changed.connect(self._show_enabled)
        self._show_enabled()

    def fill(self) -> None:
        self.clear()
        for number, path in enumerate(self._application.settings.recent_files, 1):
            name = unmarked(_shortened(Path(path).name))
            entry = self.addAction(f"&{number}  {name}" if number < 10 else f"{number}  {name}")
            set_tip(entry, path)
            entry.triggered.connect(lambda _=False, path=path: self.chosen.emit(path))
        self.addSeparator()
        self.addAction(self.tr("&Clear this list")).triggered.connect(self._on_clear)

    def _on_clear(self) -> None:
        try:
            self._application.settings.clear_recent_files()
        except EditorError as error:
            self._application.report(error)

    def _show_enabled(self) -> None:
        self.menuAction().setEnabled(bool(self._application.settings.recent_files))


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 :]}"

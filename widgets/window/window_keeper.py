"""Keeps the one window, and makes it anew in another language around the same documents."""

from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QFont, QGuiApplication

from editor.application import Application
from editor.words.translation import Translations
from widgets.window.main_window import MainWindow

# so that Chinese characters have their simplified forms, wherever Attune runs
_FONTS = {"zh_CN": ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei UI")}


class WindowKeeper(QObject):
    """Documents, history, jobs and settings live in the application: a new window loses nothing of them."""

    def __init__(self, application: Application, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._font = QGuiApplication.font()
        self._translations = Translations(self)
        self._translations.choose(application.settings.get("language"))
        self._use_font()
        self.window = MainWindow(application)
        application.settings.changed.connect(self._on_setting_changed)

    def open_from_outside(self, files: list[Path]) -> None:
        """Another start of Attune hands its files over: open them, and come to the front."""
        window = self.window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
        for file in files:
            self._application.open_file(file)

    def _on_setting_changed(self, name: str) -> None:
        if name == "language":
            QTimer.singleShot(0, self, self._change_language)  # the settings dialog is still in its slot

    def _change_language(self) -> None:
        if not self._translations.choose(self._application.settings.get("language")):
            return
        self._use_font()
        self._application.sessions.offer_new_attributes()  # they carry their labels; the pictures stay
        old, kept = self.window, self.window.look()
        self.window = MainWindow(self._application)
        self.window.take_look(kept)
        self.window.show()
        old.retire()

    def _use_font(self) -> None:
        font = QFont(self._font)
        families = _FONTS.get(self._translations.language, ())
        font.setFamilies([*self._font.families(), *families])
        QGuiApplication.setFont(font)

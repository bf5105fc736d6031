"""The language of the window: which one is wanted, and Qt's translators for it."""

from importlib import resources
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

SOURCE = "en"  # the language of the sources; needs no file
LANGUAGES = (SOURCE, "zh_CN")


def folder() -> Path:
    """Where the translations are."""
    return Path(str(resources.files("resources") / "translations"))


def wanted(setting: str) -> str:
    """One of `LANGUAGES` for the value of the setting; "system" goes by the user's list of languages."""
    if setting in LANGUAGES:
        return setting
    for name in QLocale.system().uiLanguages():
        parts = name.replace("_", "-").split("-")
        if parts[0] == "zh" and not {"Hant", "TW", "HK", "MO"} & set(parts):
            return "zh_CN"
        if parts[0] == "en":
            return SOURCE
    return SOURCE


class Translations(QObject):
    """Keeps the translators that the application uses."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._installed: list[QTranslator] = []
        self._language = SOURCE

    @property
    def language(self) -> str:
        return self._language

    def choose(self, setting: str) -> bool:
        """Use the language of the setting for all that is translated from now on; whether it is another."""
        language = wanted(setting)
        if language == self._language:
            return False
        for translator in self._installed:
            QCoreApplication.removeTranslator(translator)
            translator.deleteLater()
        self._installed = []
        self._language = language
        if language != SOURCE:
            qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
            self._install(f"qtbase_{language}", qt)
            self._install(f"attune_{language}", str(folder()))
        return True

    def _install(self, name: str, place: str) -> None:
        translator = QTranslator(self)
        if translator.load(name, place):
            QCoreApplication.installTranslator(translator)
            self._installed.append(translator)

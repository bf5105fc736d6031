"""Asking before a file is replaced."""

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMessageBox, QWidget


def may_replace(parent: QWidget, path: Path) -> bool:
    """Whether `path` is free, or the user agrees to replace it, as a file dialog asks about other names."""
    if not path.exists():
        return True
    question = QCoreApplication.translate("WindowCommands", "“{name}” exists. Replace it?")
    title = QCoreApplication.translate("WindowCommands", "Replace?")
    answer = QMessageBox.question(parent, title, question.format(name=path.name))
    return answer == QMessageBox.StandardButton.Yes

"""Asking before a file is replaced."""

from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from widgets.look.plain_text import PlainMessageBox


def may_replace(parent: QWidget, path: Path) -> bool:
    """Whether `path` is free, or the user agrees to replace it, as a file dialog asks about other names."""
    if not path.exists():
        return True
    question = QCoreApplication.translate("WindowCommands", "“{name}” exists. Replace it?")
    title = QCoreApplication.translate("WindowCommands", "Replace?")
    box = PlainMessageBox(parent)
    box.setWindowTitle(title)
    box.setText(question.format(name=path.name))
    box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No)
    box.setDefaultButton(QMessageBox.StandardButton.No)
    answer = box.exec()
    box.deleteLater()
    return answer == QMessageBox.StandardButton.Yes

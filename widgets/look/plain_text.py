"""Text that is shown as it is: names and prompts come from files, and Qt would render markup in them."""

import html

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QListWidgetItem, QMessageBox, QToolTip, QWidget


class Label(QLabel):
    """A label that never takes its text for markup."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


class PlainMessageBox(QMessageBox):
    """A question whose text is never taken for markup."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setIcon(QMessageBox.Icon.NoIcon)


def tip_text(text: str) -> str:
    """What to give to Qt so that a tool tip shows `text`: Qt knows no plain tool tips, it guesses."""
    if not {"<", "&"} & set(text):
        return text
    return f"<qt>{html.escape(text, quote=False)}</qt>".replace("\n", "<br>")


def set_tip(shown: QWidget | QAction | QListWidgetItem, text: str) -> None:
    """Give a widget, an action or a row of a list a tool tip that shows `text` as it is."""
    shown.setToolTip(tip_text(text))


def show_tip(place: QPoint, text: str, widget: QWidget) -> None:
    """Show a tool tip at `place` of the screen now."""
    QToolTip.showText(place, tip_text(text), widget)


def unmarked(text: str) -> str:
    """For buttons, tabs and menus, which take an ampersand for the mark of a shortcut."""
    return text.replace("&", "&&")


def window_title(text: str) -> str:
    """For window titles, which take “[*]” for the place of the mark of changes."""
    return text.replace("[*]", "[*][*]")

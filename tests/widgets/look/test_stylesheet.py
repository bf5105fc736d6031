"""What the style sheet makes of widgets that have more than one state."""

from typing import Any

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from widgets.look.theme import DARK, style_sheet


@pytest.mark.parametrize(
    ("kind", "name"), [(QLabel, "dim"), (QToolButton, "quiet"), (QToolButton, "segment")]
)
def test_what_rests_is_fainter_than_what_is_merely_quiet(kind: Any, name: str, qtbot: QtBot) -> None:
    """A hint below a field that rests was brighter than the field's own name."""
    panel = QWidget()
    qtbot.addWidget(panel)
    panel.setStyleSheet(style_sheet(DARK))
    layout = QVBoxLayout(panel)
    resting, quiet = kind(), kind()
    for one in (resting, quiet):
        one.setProperty(name, True)
        layout.addWidget(one)
    resting.setEnabled(False)
    panel.show()
    role = QPalette.ColorRole.WindowText if kind is QLabel else QPalette.ColorRole.ButtonText
    colours = [one.palette().color(role).name() for one in (resting, quiet)]
    assert colours == [DARK.faint, DARK.dim]

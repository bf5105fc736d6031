"""The command palette."""

import pytest
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.qtbot import QtBot

from editor.actions import ACTIONS
from editor.application import Application
from widgets.actions.command_palette import CommandPalette
from widgets.actions.palette_delegate import ENTRY_ROLE
from widgets.window.main_window import MainWindow


@pytest.fixture
def palette(filled: MainWindow, qtbot: QtBot) -> CommandPalette:
    filled.actions_by_id["help.palette"].trigger()
    found = filled.findChild(CommandPalette)
    assert isinstance(found, CommandPalette)
    qtbot.waitExposed(found)
    return found


def shown(palette: CommandPalette) -> list[str]:
    return [palette.model.item(row).data(ENTRY_ROLE).id for row in range(palette.model.rowCount())]


def test_lists_every_command_but_itself(palette: CommandPalette) -> None:
    assert sorted(shown(palette)) == sorted(item.id for item in ACTIONS if item.id != "help.palette")


def test_typing_finds_and_return_does_it(
    palette: CommandPalette, application: Application, qtbot: QtBot
) -> None:
    qtbot.keyClicks(palette.search, "dup lay")
    assert shown(palette)[0] == "layer.duplicate"
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert application.current is not None
    assert len(application.current.layers) == 2
    assert not palette.isVisible()


def test_what_was_used_comes_first_next_time(
    palette: CommandPalette, filled: MainWindow, qtbot: QtBot
) -> None:
    palette.search.setText("duplicate layer")
    palette.run(palette.model.index(0, 0))
    again = CommandPalette(filled.actions_by_id, filled.application.settings, filled)
    again.show_matches("")
    assert shown(again)[0] == "layer.duplicate"
    again.deleteLater()


def test_what_cannot_be_done_is_grey_last_and_does_nothing(palette: CommandPalette) -> None:
    palette.search.setText("redo")
    row = shown(palette).index("edit.redo")
    item = palette.model.item(row)
    assert not item.isEnabled()
    palette.run(palette.model.index(row, 0))
    assert palette.isVisible()
    enabled = [palette.model.item(at).isEnabled() for at in range(palette.model.rowCount())]
    assert enabled == sorted(enabled, reverse=True)


def test_keys_skip_what_cannot_be_done_and_go_round(palette: CommandPalette, qtbot: QtBot) -> None:
    palette.search.setText("zoom")
    first = palette.list.currentIndex()
    qtbot.keyClick(palette.search, Qt.Key.Key_Up)
    assert palette.list.currentIndex().row() > first.row()
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == first.row()


def test_nothing_fits(palette: CommandPalette) -> None:
    palette.search.setText("qqqqzzzz")
    assert palette.empty.isVisible()
    palette.run(QModelIndex())
    assert palette.isVisible()

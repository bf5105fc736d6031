"""The command palette: every command by a few letters of its name."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QEvent, QModelIndex, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QVBoxLayout, QWidget

from editor.actions import ACTIONS, MENUS
from editor.actions.fuzzy import match
from editor.system.settings import Settings
from editor.words.wording import plain
from widgets.actions.action_set import ActionSet
from widgets.actions.palette_delegate import ENTRY_ROLE, PaletteDelegate, Shown
from widgets.look.plain_text import Label

_WIDTH = 620
_ROWS = 11
_RECENT = 8
_STATE = "recent_commands"


@dataclass(frozen=True)
class Command:
    """A command as the palette knows it. `english` is looked through as well, whatever the language."""

    id: str
    action: QAction
    text: str
    path: str
    english: str


class CommandPalette(QFrame):
    """A popup over the window's top. What was used lately comes first; what cannot be done now is grey."""

    def __init__(self, actions: ActionSet, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("Popup")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Command palette"))
        self._window = parent
        self._settings = settings
        self._commands = commands_of(actions)
        self.search = QLineEdit(placeholderText=self.tr("Type what you want to do"))
        self.search.setAccessibleName(self.tr("Search commands"))
        self.model = QStandardItemModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.setItemDelegate(PaletteDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.empty = Label(self.tr("No command fits."))
        self.empty.setProperty("dim", True)
        self.empty.setContentsMargins(12, 8, 12, 8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        layout.addWidget(self.empty)
        self.search.textChanged.connect(self.show_matches)
        self.search.installEventFilter(self)
        self.list.clicked.connect(self.run)

    def open(self) -> None:
        """Show it over the window's upper part, empty."""
        window = self._window
        self.search.clear()
        self.show_matches("")
        width = min(_WIDTH, window.width() - 40)
        self.setFixedWidth(width)
        self.move(window.mapToGlobal(QPoint((window.width() - width) // 2, 56)))
        self.show()
        self.search.setFocus()

    def show_matches(self, query: str) -> None:
        """Fill the list, the best first."""
        self.model.clear()
        for command, positions in self._found(query):
            item = QStandardItem(command.text)
            enabled = command.action.isEnabled()
            item.setFlags(
                Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
                if enabled
                else Qt.ItemFlag.NoItemFlags
            )
            keys = command.action.shortcut().toString(command.action.shortcut().SequenceFormat.NativeText)
            item.setData(Shown(command.id, command.text, command.path, keys, positions), ENTRY_ROLE)
            item.setAccessibleText(f"{command.text}, {command.path}, {keys}")
            self.model.appendRow(item)
        count = self.model.rowCount()
        self.empty.setVisible(count == 0)
        self.list.setVisible(count > 0)
        row = self.list.sizeHintForRow(0) if count else 0
        self.list.setFixedHeight(min(count, _ROWS) * row + 4)
        self.adjustSize()
        self._select_first()

    def run(self, index: QModelIndex) -> None:
        """Do the command of a row, if it can be done."""
        entry = index.data(ENTRY_ROLE)
        command = next((one for one in self._commands if entry and one.id == entry.id), None)
        if command is None or not command.action.isEnabled():
            return
        recent = [key for key in self._recent() if key != command.id]
        self._settings.set_state(_STATE, [command.id, *recent][:_RECENT])
        self.close()
        command.action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            moves = {
                Qt.Key.Key_Down: 1,
                Qt.Key.Key_Up: -1,
                Qt.Key.Key_PageDown: _ROWS,
                Qt.Key.Key_PageUp: -_ROWS,
            }
            if Qt.Key(key) in moves:
                self._move(moves[Qt.Key(key)])
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.run(self.list.currentIndex())
                return True
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, super().sizeHint().height())

    def _found(self, query: str) -> list[tuple[Command, tuple[int, ...]]]:
        recent = self._recent()
        ranked = []
        for place, command in enumerate(self._commands):
            hit = match(query, command.text)
            positions = hit.positions if hit is not None else ()
            hits = (hit, match(query, f"{command.path} {command.text}"), match(query, command.english))
            scores = [found.score - 6 * index for index, found in enumerate(hits) if found is not None]
            if not scores:
                continue
            lately = _RECENT - recent.index(command.id) if command.id in recent else 0
            score = max(scores) + lately if query.strip() else 0.0
            order = (not command.action.isEnabled(), -score, -lately, place)
            ranked.append((order, command, positions))
        ranked.sort(key=lambda item: item[0])
        return [(command, positions) for _, command, positions in ranked]

    def _recent(self) -> list[str]:
        kept = self._settings.state(_STATE, [])
        return [str(key) for key in kept] if isinstance(kept, list) else []

    def _select_first(self) -> None:
        if self.model.rowCount() and self.model.item(0).isEnabled():
            self.list.setCurrentIndex(self.model.index(0, 0))

    def _move(self, by: int) -> None:
        rows = [row for row in range(self.model.rowCount()) if self.model.item(row).isEnabled()]
        if not rows:
            return
        current = self.list.currentIndex().row()
        at = rows.index(current) if current in rows else -1 if by > 0 else 0
        target = at + by
        if abs(by) == 1:
            target %= len(rows)
        self.list.setCurrentIndex(self.model.index(rows[max(0, min(target, len(rows) - 1))], 0))


def commands_of(actions: ActionSet) -> tuple[Command, ...]:
    """All commands of the table but the one that opens the palette."""
    menus = dict(MENUS)
    return tuple(
        Command(
            id=item.id,
            action=actions[item.id],
            text=plain(QCoreApplication.translate("Actions", item.text)),
            path=_path(menus[item.menu], item.submenu),
            english=plain(item.text),
        )
        for item in ACTIONS
        if item.id != "help.palette"
    )


def _path(menu: str, submenu: str) -> str:
    """Where a command stands: Layer › Mask."""
    parts = [plain(QCoreApplication.translate("Actions", part)) for part in (menu, submenu) if part]
    return " › ".join(parts)

"""Menus and shortcuts made from the table of actions."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from editor.actions import ACTIONS, MENUS, Action, in_menu
from editor.application import Application
from widgets.look.plain_text import set_tip


class ActionSet(QObject):
    """One QAction for each row of the table.

    `controllers` gives the object of each of `CONTROLLERS` at the moment of the call, or None.
    """

    def __init__(
        self, application: Application, controllers: Mapping[str, Callable[[], object]], window: QWidget
    ) -> None:
        super().__init__(window)
        self._application = application
        self._controllers = controllers
        self._actions = {item.id: self._made(item, window) for item in ACTIONS}
        application.enabled_changed.connect(self.refresh)
        application.settings.shortcuts_changed.connect(self._show_shortcuts)
        self._show_shortcuts()
        self.refresh()

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def __contains__(self, action_id: str) -> bool:
        return action_id in self._actions

    def controller(self, name: str) -> object:
        """What `name` of the table stands for now; None if there is no such thing at the moment."""
        return self._controllers[name]()

    def fill(self, bar: QMenuBar) -> dict[str, QMenu]:
        """Add the menus that have entries."""
        menus: dict[str, QMenu] = {}
        for menu_id, text in MENUS:
            menu = menus[menu_id] = QMenu(QCoreApplication.translate("Actions", text), bar)
            menu.setToolTipsVisible(True)
            self.add_entries(menu, menu_id)
            bar.addMenu(menu)
        return menus

    def add_entries(self, menu: QMenu, menu_id: str) -> None:
        """Add what stands in a menu of the table, with its submenus and separators."""
        submenus: dict[str, QMenu] = {}
        group = 0
        for item in in_menu(menu_id):
            if item.group != group and menu.actions():
                menu.addSeparator()
            group = item.group
            if item.submenu and item.submenu not in submenus:
                text = QCoreApplication.translate("Actions", item.submenu)
                submenus[item.submenu] = menu.addMenu(text)
            submenus.get(item.submenu, menu).addAction(self._actions[item.id])

    def hide_empty(self, menus: Mapping[str, QMenu]) -> None:
        """A menu without entries waits for the features that fill it."""
        for menu in menus.values():
            menu.menuAction().setVisible(bool(menu.actions()))

    def refresh(self) -> None:
        """Enable what can be done now."""
        for item in ACTIONS:
            self._actions[item.id].setEnabled(self._application.holds(item.enabled_when))

    def set_checked(self, action_id: str, checked: bool) -> None:
        """Show a state without doing anything."""
        action = self._actions[action_id]
        blocked = action.blockSignals(True)
        action.setChecked(checked)
        action.blockSignals(blocked)

    def _made(self, item: Action, window: QWidget) -> QAction:
        action = QAction(QCoreApplication.translate("Actions", item.text), window)
        action.setObjectName(item.id)
        action.setCheckable(item.checkable)
        if item.tip:
            set_tip(action, QCoreApplication.translate("Actions", item.tip))
        action.triggered.connect(lambda checked: self._call(item, checked))
        window.addAction(action)
        return action

    def _call(self, item: Action, checked: bool) -> None:
        controller, method = item.command.split(".")
        target = self.controller(controller)
        if target is None:
            return
        arguments = ([item.argument] if item.argument else []) + ([checked] if item.checkable else [])
        getattr(target, method)(*arguments)

    def _show_shortcuts(self) -> None:
        for item in ACTIONS:
            own = self._application.settings.shortcut(item.id)
            text = item.shortcut if own is None else own
            parts = [part.strip() for part in text.split("; ") if part.strip()]
            self._actions[item.id].setShortcuts([QKeySequence(part) for part in parts])

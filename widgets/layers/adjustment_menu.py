"""The button that adds an adjustment layer: one entry for each declared adjustment."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from editor.adjustments import ADJUSTMENTS
from editor.application import Application
from widgets.look.icons import IconButton
from widgets.look.plain_text import set_tip


class AdjustmentButton(IconButton):
    """Adds above the active layer; a selection becomes the new layer's mask."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("adjustment", "", parent)
        set_tip(self, self.tr("New adjustment layer"))
        self.setAccessibleName(self.toolTip())
        self._application = application
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        for kind in ADJUSTMENTS.values():
            entry = menu.addAction(QCoreApplication.translate("Adjustments", kind.label))
            entry.triggered.connect(lambda _=False, name=kind.name: application.filters.add(name))
        self.setMenu(menu)
        application.enabled_changed.connect(self._show_enabled)
        self._show_enabled()

    def _show_enabled(self) -> None:
        self.setEnabled(self._application.current is not None)

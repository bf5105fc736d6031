"""The button that adds an adjustment layer: one entry for each declared adjustment."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from editor.adjustments import ADJUSTMENTS, AdjustmentKind
from editor.application import Application
from editor.commands import AddLayer
from editor.layer import Adjustment
from widgets.icons import IconButton


class AdjustmentButton(IconButton):
    """Adds above the active layer; a selection becomes the new layer's mask."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("adjustment", "", parent)
        self.setToolTip(self.tr("New adjustment layer"))
        self.setAccessibleName(self.toolTip())
        self._application = application
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        for kind in ADJUSTMENTS.values():
            entry = menu.addAction(QCoreApplication.translate("Adjustments", kind.label))
            entry.triggered.connect(lambda _=False, kind=kind: self.add(kind))
        self.setMenu(menu)
        application.enabled_changed.connect(self._show_enabled)
        self._show_enabled()

    def add(self, kind: AdjustmentKind) -> None:
        document = self._application.current
        if document is None:
            return
        name = QCoreApplication.translate("Adjustments", kind.label)
        node = Adjustment(name=name, settings=kind.settings(), mask=document.state.selection)
        text = self.tr("Add {name}").format(name=name)
        self._application.run(lambda: AddLayer(document, node, text=text))

    def _show_enabled(self) -> None:
        self.setEnabled(self._application.current is not None)

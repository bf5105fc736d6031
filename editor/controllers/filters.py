"""What the Filter menu calls: the controller "filters"."""

from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from editor.adjustments import ADJUSTMENTS
from editor.commands import AddLayer, Command
from editor.controllers.base import Controller
from editor.document.document import Document
from editor.layers.layer import Adjustment, Mask

translate = QCoreApplication.translate


class FilterController(Controller):
    """Puts adjustments over the current document's layers."""

    def add(self, name: str) -> None:
        """Put an adjustment layer above the active node; a selection becomes its mask."""

        def make(document: Document) -> Command:
            kind = ADJUSTMENTS[name]
            label = translate("Adjustments", kind.label)
            mask = _as_mask(document.state.selection)
            node = Adjustment(name=label, settings=kind.settings(), mask=mask)
            return AddLayer(document, node, text=translate("Commands", "Add {name}").format(name=label))

        self._on_document(make)


def _as_mask(selection: Mask | None) -> Mask | None:
    return replace(selection, enabled=True, linked=True) if selection is not None else None

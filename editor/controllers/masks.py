"""What the Layer › Mask menu calls: the controller "masks"."""

from PySide6.QtCore import QCoreApplication

from editor.controllers.base import Controller
from editor.edits import masks

translate = QCoreApplication.translate


class MaskController(Controller):
    """Acts on the mask of the active node."""

    def add(self, kind: str) -> None:
        """A new mask; `kind` is one of `masks.MASKS`."""
        text = translate("Commands", "Add mask")
        self._beside(lambda state: masks.mask_added(state, state.active, kind), text)

    def add_fitting(self) -> None:
        """What one click on the panel's button adds: from the selection if there is one, else white."""
        document = self.document
        if document is not None:
            self.add("white" if document.state.selection is None else "selection")

    def apply(self) -> None:
        self._beside(lambda s: masks.mask_applied(s, s.active), translate("Commands", "Apply mask"))

    def delete(self) -> None:
        self._now(lambda s: masks.mask_deleted(s, s.active), translate("Commands", "Delete mask"))

    def invert(self) -> None:
        self._beside(lambda s: masks.mask_inverted(s, s.active), translate("Commands", "Invert mask"))

    def toggle(self) -> None:
        """Let it hide something, or not."""
        mask = self.active.mask if self.active is not None else None
        if mask is not None:
            text = translate("Commands", "Disable mask") if mask.enabled else translate(
                "Commands", "Enable mask"
            )  # fmt: skip
            self._now(lambda s: masks.mask_changed(s, s.active, enabled=not mask.enabled), text)

    def toggle_linked(self) -> None:
        """Let it move with its layer, or not."""
        mask = self.active.mask if self.active is not None else None
        if mask is not None:
            text = translate("Commands", "Link or unlink mask")
            self._now(lambda s: masks.mask_changed(s, s.active, linked=not mask.linked), text)

    def edit(self, _on: bool = True) -> None:
        """Paint on the mask from now on, or on the pixels again."""
        document = self.document
        if document is not None and self.active is not None and self.active.mask is not None:
            document.set_edit_mask(not document.edit_mask)

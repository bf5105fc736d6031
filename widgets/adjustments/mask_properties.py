"""What can be set of the active node's mask."""

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from editor.application import Application
from editor.commands import ReplaceNode
from editor.document.document import Document
from editor.layers.layer import Node
from widgets.look.plain_text import Label


class MaskProperties(QWidget):
    """Shown while the active node has a mask."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._document: Document | None = None
        self._node: Node | None = None
        title = Label(self.tr("Mask"))
        title.setProperty("heading", True)
        self.enabled = QCheckBox(self.tr("Use the mask"))
        self.linked = QCheckBox(self.tr("Moves with its layer"))
        self.painted = QCheckBox(self.tr("Paint on the mask"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (title, self.painted, self.enabled, self.linked):
            layout.addWidget(widget)
        self.enabled.clicked.connect(lambda on: self._change("enabled", on))
        self.linked.clicked.connect(lambda on: self._change("linked", on))
        self.painted.clicked.connect(self._on_painted)

    def show_node(self, document: Document | None, node: Node | None) -> None:
        self._document, self._node = document, node
        mask = node.mask if node is not None else None
        self.setVisible(mask is not None)
        if mask is not None and document is not None and node is not None:
            self.enabled.setChecked(mask.enabled)
            self.linked.setChecked(mask.linked)
            self.painted.setChecked(document.edit_mask)
            for box in (self.enabled, self.linked):
                box.setEnabled(not node.locked)

    def _change(self, field: str, on: bool) -> None:
        document, node = self._document, self._node
        if document is None or node is None or node.mask is None:
            return
        changed = node.changed(mask=node.mask.changed(**{field: on}))
        texts = {
            "enabled": self.tr("Enable mask") if on else self.tr("Disable mask"),
            "linked": self.tr("Link mask") if on else self.tr("Unlink mask"),
        }
        self._application.run(lambda: ReplaceNode(document, changed, texts[field]))

    def _on_painted(self, on: bool) -> None:
        if self._document is not None:
            self._document.set_edit_mask(on)

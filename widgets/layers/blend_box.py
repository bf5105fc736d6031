"""The box of blend modes, in groups of what they do; a group of layers may also pass through."""

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from editor.layers.layer import BlendMode, Group, Node
from widgets.forms.fields import ComboBox
from widgets.layers.layer_summary import blend_label
from widgets.look.plain_text import set_tip

PASS_THROUGH = "pass-through"

# the first of each group: normal, darker, lighter, contrast, difference, colour, alpha
_BEGINNINGS = (
    BlendMode.DARKEN,
    BlendMode.LIGHTEN,
    BlendMode.OVERLAY,
    BlendMode.DIFFERENCE,
    BlendMode.HUE,
    BlendMode.SOURCE_ATOP,
)


class BlendBox(ComboBox):
    """The data of an entry is its `BlendMode`, or `PASS_THROUGH`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("flat", True)
        self.setAccessibleName(self.tr("Blend mode"))
        set_tip(self, self.tr("Blend mode"))
        self.setMaxVisibleItems(40)
        self._fill(group=False)

    def show_node(self, node: Node) -> None:
        """Show a node's mode; offer passing through for groups."""
        is_group = isinstance(node, Group)
        if is_group != (self.findData(PASS_THROUGH) >= 0):
            self._fill(group=is_group)
        passes = isinstance(node, Group) and not node.isolated
        self.setCurrentIndex(self.findData(PASS_THROUGH if passes else node.blend_mode))

    def _fill(self, *, group: bool) -> None:
        self.clear()
        if group:
            text = QCoreApplication.translate("BlendBox", "Pass through")
            self.addItem(text, PASS_THROUGH)
        for mode in BlendMode:
            if mode in _BEGINNINGS:
                self.insertSeparator(self.count())
            self.addItem(blend_label(mode), mode)

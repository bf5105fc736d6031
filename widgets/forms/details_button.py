"""What unfolds the part of a form that not everybody sets."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QWidget

from widgets.look.icons import ThemedButton, icon_for

_ARROW_PX = 12


class DetailsButton(ThemedButton):
    """Shows and hides what not everybody sets; an arrow says which."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(self.tr("Details"))
        self.setCheckable(True)
        self.setProperty("quiet", True)
        self.setProperty("unfolds", True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(_ARROW_PX, _ARROW_PX))
        self.toggled.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        arrow = "chevron-down" if self.isChecked() else "chevron-right"
        self.setIcon(icon_for(self, arrow, size_px=_ARROW_PX))

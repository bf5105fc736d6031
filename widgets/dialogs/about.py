"""About Attune."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from inference.process.version import version
from widgets.forms.dialog import Dialog
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font


class About(Dialog):
    """Name, version, what it is, licence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("About Attune"))
        name = Label("Attune")
        name.setFont(scaled_font(name.font(), 1.8, bold=True))
        number = Label(self.tr("Version {version}").format(version=version()))
        number.setProperty("dim", True)
        text = Label(
            self.tr(
                "An image editor with sliders for meaning: point at a subject and change its age, its smile "
                "or its size, while everything else in the picture stays. Everything runs on this "
                "computer; no picture leaves it."
            )
        )
        text.setWordWrap(True)
        licence = Label(self.tr("Free software under the MIT licence. Built with Qt, PyTorch and Diffusers."))
        licence.setProperty("dim", True)
        licence.setWordWrap(True)
        for label in (name, number, text, licence):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.column.addWidget(label)
        self.column.addStretch(1)
        self.add_button(self.tr("Close"), primary=True).clicked.connect(self.close)
        self.setMinimumWidth(400)

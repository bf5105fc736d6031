"""Says that a layer was made from an older state of the picture below it, and offers to make it again."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from widgets.look.focus_within import enable
from widgets.look.plain_text import Label, set_tip


class OlderNotice(QFrame):
    """Emits `wanted` when it is to be made again."""

    wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Notice")
        self.text = Label()
        self.text.setWordWrap(True)
        self.again = QPushButton(self.tr("Make again"))
        set_tip(self.again, self.tr("The same edits on the picture as it is now"))
        self.again.clicked.connect(self.wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(8)
        layout.addWidget(self.text)
        layout.addWidget(self.again)
        self.hide()

    def show_older(self, older: bool, *, lacks_picture: bool, busy: bool) -> None:
        """Whether there is anything to say; without its picture the layer's sliders wait for it."""
        text = self.tr("The picture below was changed after this layer was made from it.")
        if lacks_picture:
            text = self.tr(
                "The picture has another form now. The sliders work again once the layer is made anew."
            )
        self.text.setText(text)
        self.again.setText(self.tr("Working…") if busy else self.tr("Make again"))
        shown = older or lacks_picture
        if not shown:
            self.again.clearFocus()  # it would go to what is next, and the panel would scroll there
        self.setVisible(shown)
        enable(self.again, not busy)

"""The size in pixels of a drawing that was opened: it is drawn anew, as sharp as that size allows."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from editor.application import Application
from editor.document.document import Document
from widgets.forms.dialog import Dialog
from widgets.forms.form_layout import FormLayout
from widgets.forms.scale_box import ScaleBox
from widgets.look.plain_text import Label


class DrawingSize(Dialog):
    """Offers another size than the drawing's own, which is open already."""

    def __init__(
        self, application: Application, document: Document, path: Path, parent: QWidget | None = None
    ) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Size of the drawing"))
        self._application, self._document, self._path = application, document, path
        name = Label(path.name)
        name.setTextFormat(Qt.TextFormat.PlainText)
        about = Label(
            self.tr(
                "A drawing has no pixels: it is sharp at every size that you choose here. Later it is not."
            )
        )
        about.setWordWrap(True)
        about.setProperty("dim", True)
        self.size_box = ScaleBox(document.width, document.height)
        form = FormLayout()
        form.setHorizontalSpacing(18)
        form.addRow(self.tr("File"), name)
        form.addRow(self.tr("Size"), self.size_box)
        self.column.addLayout(form)
        self.column.addWidget(about)
        keep = self.add_button(self.tr("Keep as it is"))
        self.draw = self.add_button(self.tr("Draw at this size"), primary=True)
        keep.clicked.connect(self.close)
        self.draw.clicked.connect(self._on_draw)
        application.document_closed.connect(self._on_document_closed)
        self.begin_with(self.size_box.width_box)
        self.resize(420, self.sizeHint().height())

    def _on_draw(self) -> None:
        width, height = self.size_box.wished
        self.close()
        if width and height:
            self._application.draw_again(self._document, self._path, width, height)

    def _on_document_closed(self, document: Document) -> None:
        if document is self._document:
            self.close()

"""Another name for a concept."""

from PySide6.QtWidgets import QLineEdit, QWidget

from editor.application import Application
from editor.words.said import in_one_line
from inference.concepts.names import checked_word, made_word
from inference.errors import EditorError
from inference.prompts.words import folded
from widgets.forms.dialog import Dialog
from widgets.forms.form_layout import FormLayout
from widgets.look.plain_text import Label


class RenameConcept(Dialog):
    """Says beforehand whether the name can be taken."""

    def __init__(self, application: Application, word: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Rename concept"))
        self._application = application
        self._word = word
        self.name = QLineEdit(word.strip("<>"))
        self.name.setAccessibleName(self.tr("Name"))
        self.note = Label()
        self.note.setWordWrap(True)
        form = FormLayout()
        form.addRow(self.tr("Name"), self.name)
        form.addRow("", self.note)
        self.column.addLayout(form)
        self.add_cancel()
        self.rename = self.add_button(self.tr("Rename"), primary=True)
        self.rename.clicked.connect(self._on_rename)
        self.begin_with(self.name)
        self.setMinimumWidth(380)

    def _on_rename(self) -> None:
        try:
            word = made_word(self.name.text()) or checked_word(self.name.text())
            if folded(word) != folded(self._word):
                self._application.concepts.refuse_taken(word)
        except EditorError as error:
            self.note.setText(in_one_line(error))
            return
        self._application.concepts.rename(self._word, word)
        self.close()

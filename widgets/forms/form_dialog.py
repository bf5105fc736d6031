"""One dialog for every command that asks for numbers first."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QAbstractSpinBox, QWidget

from editor.actions.forms import LABELS, Form
from editor.application import Application
from editor.document.document import Document
from editor.words.said import in_one_line
from inference.errors import EditorError
from widgets.forms.dialog import Dialog
from widgets.forms.parameter_form import ParameterForm
from widgets.look.plain_text import Label


class FormDialog(Dialog):
    """Shows a declared form; what is out of range cannot be entered, what is impossible is said."""

    def __init__(
        self, application: Application, document: Document, form: Form, parent: QWidget | None = None
    ) -> None:
        super().__init__(_translated(form.title), parent)
        self._application, self._document, self._form = application, document, form
        self._values = form.initial(document.state)
        labels = {choice: _translated(text) for choice, text in LABELS.items()}
        self.fields = ParameterForm(self._values.declared(), "Forms", choice_labels=labels)
        self.problem = Label()
        self.problem.setProperty("dim", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.column.addWidget(self.fields)
        self.column.addWidget(self.problem)
        self.add_cancel()
        self.ok = self.add_button(_translated(form.button), primary=True)
        self.ok.clicked.connect(self._on_ok)
        self.fields.changed.connect(self._on_changed)
        application.document_closed.connect(self._on_document_closed)
        self._show_values()
        numbers = [one for one in self.fields.editors.values() if isinstance(one, QAbstractSpinBox)]
        if numbers:
            self.begin_with(numbers[0])

    def _on_changed(self, name: str, value: Any) -> None:
        old = self._values
        try:
            self._values = self._form.follow(self._document.state, old, replace(old, **{name: value}))
        except EditorError as error:
            self.problem.setText(in_one_line(error))
            self.problem.show()
            self.ok.setEnabled(False)
            return
        self.problem.hide()
        self.ok.setEnabled(True)
        self._show_values()

    def _show_values(self) -> None:
        for field in self._values.declared():
            self.fields.set_value(field.name, getattr(self._values, field.name))

    def _on_ok(self) -> None:
        self._application.set_current(self._document)
        self._form.apply(self._application, self._values)
        self.close()

    def _on_document_closed(self, document: Document) -> None:
        if document is self._document:
            self.close()


def _translated(text: str) -> str:
    return QCoreApplication.translate("Forms", text)

"""What was done to a picture as a checklist; what is checked becomes a recipe for others."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QListWidget, QListWidgetItem, QWidget

from editor.application import Application
from editor.batch.from_history import Candidate, recipe_of
from editor.document.document import Document
from editor.words.file_names import proposed_stem
from editor.words.said import in_one_line, said
from inference.errors import EditorError
from widgets.forms.dialog import Dialog
from widgets.forms.form_layout import FormLayout
from widgets.look.plain_text import Label, tip_text


class HistoryDialog(Dialog):
    """Lists the steps in their order; those that belong to this picture alone cannot be checked."""

    def __init__(self, application: Application, document: Document, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Save what was done as a recipe"))
        self._application = application
        self._document = document
        self._candidates = application.batches.candidates(document)
        self.explanation = Label(
            self.tr("What is checked is done to other pictures in this order, by a batch or one by one.")
        )
        self.explanation.setWordWrap(True)
        self.explanation.setProperty("dim", True)
        self.name = QLineEdit(proposed_stem(document.title, (), self.tr("recipe")))
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Steps"))
        self.problem = Label()
        self.problem.setWordWrap(True)
        form = FormLayout()
        form.addRow(self.tr("Name"), self.name)
        self.column.addWidget(self.explanation)
        self.column.addLayout(form)
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.problem)
        self.add_cancel()
        self.save = self.add_button(self.tr("Save…"), primary=True)
        self._fill()
        self.list.itemChanged.connect(lambda _: self._show())
        self.save.clicked.connect(self._on_save)
        application.document_closed.connect(self._on_closed)
        self.begin_with(self.name)
        self._show()
        self.resize(520, 460)

    @property
    def chosen(self) -> tuple[Candidate, ...]:
        return tuple(
            candidate
            for place, candidate in enumerate(self._candidates)
            if self.list.item(place).checkState() == Qt.CheckState.Checked
        )

    def _fill(self) -> None:
        for candidate in self._candidates:
            text = candidate.text
            if candidate.note:
                text = f"{text}\n{said(candidate.note)}"
            item = QListWidgetItem(text)
            item.setData(Qt.ItemDataRole.ToolTipRole, tip_text(text))
            usable = candidate.step is not None
            item.setFlags(
                Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
                if usable
                else Qt.ItemFlag.NoItemFlags
            )
            item.setCheckState(Qt.CheckState.Checked if usable else Qt.CheckState.Unchecked)
            self.list.addItem(item)

    def _show(self) -> None:
        try:
            recipe_of(self.name.text(), self.chosen)
        except EditorError as error:
            self.problem.setText(in_one_line(error))
            self.save.setEnabled(False)
            return
        self.problem.setText("")
        self.save.setEnabled(True)

    def _on_save(self) -> None:
        name = self.name.text().strip()
        start = Path.home() / f"{proposed_stem(name, (), 'recipe')}.json"
        path, _ = QFileDialog.getSaveFileName(
            self, self.windowTitle(), str(start), self.tr("Recipe (*.json)")
        )
        if path:
            place = Path(path)
            place = place if place.suffix else place.with_name(f"{place.name}.json")
            self._application.batches.save_history(name, self.chosen, place)
            self.close()

    def _on_closed(self, document: Document) -> None:
        if document is self._document:
            self.close()

"""Any operation that has no panel of its own: its form, and what makes a layer of it."""

from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.document.document import Document
from inference.kinds import content_type
from inference.operations import OPERATIONS, Operation
from inference.parameters import ParameterField
from widgets.forms.details_button import DetailsButton
from widgets.forms.fields import ComboBox
from widgets.forms.parameter_form import ParameterForm
from widgets.forms.scrolled import lay_out_scrolled
from widgets.forms.unknown_words import UnknownWords, on_words, said_in
from widgets.generate.document_panel import DimLabel, DocumentPanel, LayerFields, Slots
from widgets.look.focus_within import enable
from widgets.look.steady_button import SteadyButton


def offered() -> tuple[Operation, ...]:
    """The operations that this panel shows."""
    return tuple(one for one in OPERATIONS.values() if one.interactive and not one.panel)


class OperationPanel(DocumentPanel):
    """Shows one operation's parameters; with a layer of that operation active, those of its recipe."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(application, parent)
        self._operations = application.operations
        self._again = False
        self._fields = LayerFields(self._field_values, self._show_field)
        self._known_prompt = ""  # what the picture shows, as the form was told
        self.choice = ComboBox()
        self.choice.setAccessibleName(self.tr("Operation"))
        self.choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for operation in offered():
            self.choice.addItem(QCoreApplication.translate("Operations", operation.label), operation.name)
        self.choice.hide()  # the panel of all edits has the list
        self.form: QWidget = QWidget()
        self.more = DetailsButton()
        self.unknown = UnknownWords()
        self.hint = DimLabel()
        self.start = SteadyButton()
        self.start.setProperty("primary", True)
        self._lay_out()
        self._connect()
        self._show_operation()
        self._begin()

    @property
    def operation(self) -> Operation:
        return OPERATIONS[self.choice.currentData()]

    def show_operation(self, name: str) -> None:
        """Show the form of one of those that are offered; what was typed into it stays."""
        self.choice.setCurrentIndex(self.choice.findData(name))

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setContentsMargins(14, 8, 14, 10)
        buttons.addWidget(self.more)
        buttons.addStretch(1)
        buttons.addWidget(self.start)
        content = QWidget()
        self._body = body = QVBoxLayout(content)
        body.setContentsMargins(14, 8, 14, 14)
        body.setSpacing(10)
        body.addWidget(self.choice)
        body.addWidget(self.form)
        body.addWidget(self.unknown)
        body.addWidget(self.hint)
        body.addStretch(1)
        lay_out_scrolled(self, content, buttons)

    def _connect(self) -> None:
        self.choice.currentIndexChanged.connect(self._show_operation)
        self.more.toggled.connect(self._show_rows)
        self.start.clicked.connect(self._on_start)
        self._operations.busy_changed.connect(self._show_enabled)
        self._hear_of_models(self._show_unknown)

    def _heard(self, document: Document) -> Slots:
        return (
            (document.active_changed, self._show_layer),
            (document.layers_changed, self._show_layer),
            (document.selection_changed, self._show_enabled),
        )

    def _show_operation(self) -> None:
        form = ParameterForm(self.operation.parameters.declared(), "Operations", least_px=150)
        self._fields = LayerFields(self._field_values, self._show_field)
        self._body.replaceWidget(self.form, form)
        self.form.deleteLater()
        self.form = form
        on_words(form, self._show_unknown)
        for item in self.operation.parameters.declared():
            if not item.declaration.hidden and not item.required and content_type(item) is None:
                form.set_value(item.name, item.default)
        if "weighted" in form.editors:
            form.set_value("weighted", self._application.settings.get("weighted_prompts"))
        self._show_rows()
        self._show_layer()

    def _say_what_it_shows(self) -> None:
        """Where the picture was described before, nobody has to say it again; what was typed stays.

        Of an enlarged picture each tile would draw all that is named: its prompt stays empty.
        """
        known, old = (self._document.prompt if self._document is not None else ""), self._known_prompt
        if self.operation.picture is None or self.operation.enlarges:
            return
        for name in ("prompt", "source_prompt"):
            if name in self._form.editors and self._form.value(name) in ("", old):
                self._form.set_value(name, known)
        self._known_prompt = known

    def _show_rows(self) -> None:
        """What everybody sets; the rest under *Details*. Of a layer made again only what may change."""
        more = self.more.isChecked()
        self._form.show_names(
            [
                item.name
                for item in self.operation.parameters.declared()
                if not item.declaration.hidden
                and (more or not item.declaration.advanced)
                and (not self._again or item.name in self.operation.editable)
            ]
        )

    def _show_layer(self) -> None:
        recipe = self._operations.recipe_of(self.operation)
        self._again = recipe is not None
        if recipe is not None:
            made = {name: getattr(recipe.request.parameters, name) for name in self._field_values()}
            active = self._document.state.active if self._document is not None else ""
            self._fields.take((self._document, active), made)
        else:
            self._fields.leave()
            self._say_what_it_shows()
        self._show_rows()
        self._show_enabled()
        self._show_unknown()

    def _show_unknown(self) -> None:
        self._tell_unknown(self.unknown, said_in(self._form), self._operations.recipe_of(self.operation))

    def _field_values(self) -> dict[str, Any]:
        """What the form says beside pictures and files."""
        declared = self._declared
        names = [name for name in self._form.editors if content_type(declared[name]) is None]
        return {name: self._form.value(name) for name in names}

    def _show_field(self, name: str, value: Any) -> None:
        self._form.set_value(name, value)

    def _show_enabled(self) -> None:
        label = QCoreApplication.translate("Operations", self.operation.label)
        busy = self._operations.busy
        enable(self.start, self._document is not None and not busy)
        texts = (self.tr("Working…"), self.tr("Make again"), label)
        self.start.say(texts[0] if busy else texts[1] if self._again else label, texts)
        if self._document is None:
            text = self.tr("Open a picture first.")
        elif self._again:
            text = self.tr("The active layer was made this way; it is made again from the same picture.")
        elif self.operation.enlarges:
            text = self.tr("The result opens as a picture of its own; this one stays as it is.")
        else:
            text = self.tr("The result becomes a layer of its own above the active one.")
        self.hint.setText(text)

    def _on_start(self) -> None:
        values = {
            name: self._form.value(name)
            for name in self._form.editors
            if not self._again or name in self.operation.editable
        }
        model = self._application.settings.get("model")
        self._fields.ask()
        self._operations.start(self.operation.name, values, model, again=self._again)

    @property
    def _form(self) -> ParameterForm:
        assert isinstance(self.form, ParameterForm), "made with the operation"
        return self.form

    @property
    def _declared(self) -> dict[str, ParameterField]:
        return {item.name: item for item in self.operation.parameters.declared()}

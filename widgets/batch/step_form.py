"""What one step of a recipe has to be set: the editors of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from editor.application import Application
from editor.batch.operation_step import OperationStep, edits_from_text, edits_to_text
from editor.batch.recipe import AdjustmentStep, ShapeStep, Step
from editor.document.document import Document
from editor.layers.layer import Adjustment, Layer
from editor.layers.state import DocumentState
from editor.pixels.arithmetic import transparent
from editor.words.said import in_one_line
from inference.errors import EditorError
from inference.kinds import content_type
from inference.parameters import ParameterField
from inference.request import Pixels
from widgets.adjustments.tone_editors import special_editor
from widgets.forms.details_button import DetailsButton
from widgets.forms.form_layout import FormLayout
from widgets.forms.parameter_form import ParameterForm
from widgets.forms.slider_form import SliderForm
from widgets.look.plain_text import Label

_OWN = ("seed", "width", "height")  # the recipe's, or the file's


class StepForm(QWidget):
    """Emits `changed` with the step as it is set now."""

    changed = Signal(object)  # Step

    def __init__(self, step: Step, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.step = step
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(10)

    def _tell(self, step: Step) -> None:
        self.step = step
        self.changed.emit(step)


class AdjustmentForm(StepForm):
    """The sliders of an adjustment, or its own editor over one of the folder's pictures."""

    def __init__(
        self,
        application: Application,
        step: AdjustmentStep,
        sample: Pixels | None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(step, parent)
        settings = step.settings
        self._adjustment = step
        self.special = special_editor(type(settings), application)
        shown = self.special.names if self.special is not None else ()
        self.form = SliderForm(settings.declared(), "Adjustments", skip=shown)
        self.form.show_values(settings)
        if self.special is not None:
            layer = Layer.of_pixels(name="", pixels=transparent(1, 1) if sample is None else sample)
            self._node = Adjustment(name="", settings=settings)
            state = DocumentState.of_layer(layer).inserted([self._node])
            self._document = Document(state, parent=self)
            self.special.show_settings(self._document, self._node)
            self.special.changed.connect(lambda values, dragging: self._change(values))
            self.column.addWidget(self.special)
        self.column.addWidget(self.form)
        if not settings.declared():
            note = Label(self.tr("This adjustment has nothing to set."))
            note.setProperty("dim", True)
            self.column.addWidget(note)
        self.column.addStretch(1)
        self.form.changed.connect(lambda name, value, dragging: self._change({name: value}))

    def _change(self, values: Mapping[str, Any]) -> None:
        settings = replace(self._adjustment.settings, **values)
        self._adjustment = replace(self._adjustment, settings=settings)
        if self.special is not None:
            self._node = self._node.changed(settings=settings)
            self.special.show_settings(self._document, self._node)
        self._tell(self._adjustment)


class ShapeForm(StepForm):
    """Size, crop or profile."""

    def __init__(self, step: ShapeStep, parent: QWidget | None = None) -> None:
        super().__init__(step, parent)
        self._shape = step
        self.form = ParameterForm(step.settings.declared(), "Batch", least_px=130)
        for item in step.settings.declared():
            self.form.set_value(item.name, getattr(step.settings, item.name))
        self.problem = _problem()
        self.column.addWidget(self.form)
        self.column.addWidget(self.problem)
        self.column.addStretch(1)
        self.form.changed.connect(self._change)

    def _change(self, name: str, value: Any) -> None:
        try:
            settings = replace(self._shape.settings, **{name: value})
        except EditorError as error:
            _show(self.problem, in_one_line(error))
            return
        _show(self.problem, "")
        self._shape = replace(self._shape, settings=settings)
        self._tell(self._shape)


class OperationForm(StepForm):
    """What an operation declares, without what the file and the recipe say."""

    def __init__(self, step: OperationStep, parent: QWidget | None = None) -> None:
        super().__init__(step, parent)
        self._operation = step
        self._items = [item for item in step.parameters.declared() if self._is_shown(item)]
        self.form = ParameterForm(self._items, "Operations", least_px=130)
        for item in self._items:
            self.form.set_value(item.name, getattr(step.parameters, item.name))
        self.more = DetailsButton()
        self.problem = _problem()
        self.sliders = QLineEdit()
        self.column.addWidget(self.form)
        if any(item.name == "edits" for item in step.parameters.declared()):
            self._add_sliders()
        self.column.addWidget(self.problem)
        self.column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addStretch(1)
        self.more.setVisible(any(item.declaration.advanced for item in self._items))
        self.more.toggled.connect(self._show_rows)
        self.form.changed.connect(self._change)
        self._show_rows()

    def _is_shown(self, item: ParameterField) -> bool:
        return not item.declaration.hidden and item.name not in _OWN and content_type(item) is None

    def _add_sliders(self) -> None:
        label = QCoreApplication.translate("Operations", "Attributes")
        parameters: Any = self._operation.parameters
        self.sliders.setText(edits_to_text(parameters.edits, parameters.prompt))
        self.sliders.setPlaceholderText("man:age=1.5, woman:smile=1")
        self.sliders.setAccessibleName(label)
        row = FormLayout()
        row.setHorizontalSpacing(18)
        row.addRow(label, self.sliders)
        self.column.addLayout(row)
        self.sliders.editingFinished.connect(self._on_sliders)

    def _show_rows(self) -> None:
        more = self.more.isChecked()
        self.form.show_names([i.name for i in self._items if more or not i.declaration.advanced])

    def _change(self, name: str, value: Any) -> None:
        self._set({name: value})
        if name == "prompt" and self.sliders.text():
            self._on_sliders()  # words may stand elsewhere now

    def _on_sliders(self) -> None:
        try:
            prompt = str(getattr(self._operation.parameters, "prompt", ""))
            edits = edits_from_text(self.sliders.text(), prompt)
        except EditorError as error:
            _show(self.problem, in_one_line(error))
            return
        self._set({"edits": edits})

    def _set(self, values: Mapping[str, Any]) -> None:
        step = self._operation
        try:
            parameters = replace(step.parameters, **values)
        except EditorError as error:
            _show(self.problem, in_one_line(error))
            return
        _show(self.problem, "")
        self._operation = replace(step, parameters=parameters, given=step.given | set(values))
        self._tell(self._operation)


def step_form(application: Application, step: Step, sample: Pixels | None) -> StepForm:
    """The form of any step; `sample` is one of the pictures it is for."""
    if isinstance(step, OperationStep):
        return OperationForm(step)
    if isinstance(step, AdjustmentStep):
        return AdjustmentForm(application, step, sample)
    return ShapeForm(step)


def _problem() -> Label:
    label = Label()
    label.setWordWrap(True)
    label.setProperty("danger", True)
    label.hide()
    return label


def _show(label: Label, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))

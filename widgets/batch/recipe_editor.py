"""A recipe as a list of steps, each with its form, and what holds for all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from editor.adjustments import ADJUSTMENTS
from editor.application import Application
from editor.batch.operation_step import OperationStep, blank_step, operations_on_pictures
from editor.batch.recipe import MOST_AMOUNT, AdjustmentStep, BatchRecipe, ShapeStep, Step
from editor.formats import export_formats
from inference.request import Pixels
from widgets.batch.step_form import StepForm, step_form
from widgets.batch.words import SHAPES, step_text
from widgets.forms.fields import ComboBox, Slider, SpinBox
from widgets.forms.model_box import add_model, fill_models
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import inset, tabular

_LIST_PX = 230


class RecipeEditor(QWidget):
    """Emits `changed` for everything that would give other pictures."""

    changed = Signal()

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._steps: list[Step] = []
        self._sample: Pixels | None = None
        self._rest = BatchRecipe()  # what has no editor here
        self.name = QLineEdit()
        self.model = ComboBox()
        self.seed = SpinBox(minimum=0, maximum=2**31 - 1)
        inset(self.seed)
        self.own_seeds = QCheckBox(self.tr("each file its own"))
        self.amount = Slider()
        self.amount.setRange(0, round(MOST_AMOUNT))
        self.amount_text = Label()
        self.amount_text.setFont(tabular(self.amount_text.font()))
        self.format = ComboBox()
        self.quality = SpinBox(minimum=1, maximum=100)
        inset(self.quality)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Steps"))
        self.list.setFixedWidth(_LIST_PX)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # long names are elided
        self.add = QPushButton(self.tr("Add a step"))
        self.add.setAutoDefault(False)
        self.add.setMenu(self._menu())
        self.remove = IconButton("delete", self.tr("Remove this step"))
        self.up = IconButton("chevron-up", self.tr("Earlier"))
        self.down = IconButton("chevron-down", self.tr("Later"))
        self.form: StepForm | None = None
        self.area = QScrollArea(widgetResizable=True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._fill()
        self._lay_out()
        self._connect()
        self.show_recipe(BatchRecipe())

    @property
    def recipe(self) -> BatchRecipe:
        """As it is set; a step may still lack something that it needs."""
        export = replace(self._rest.export, format=self.format.currentData(), quality=self.quality.value())
        return replace(
            self._rest,
            name=self.name.text().strip(),
            model=self.model.currentData() or "",
            seed=None if self.own_seeds.isChecked() else self.seed.value(),
            amount=float(self.amount.value()),
            steps=tuple(self._steps),
            export=export,
        )

    def show_recipe(self, recipe: BatchRecipe) -> None:
        """Edit another recipe."""
        self._rest = recipe
        widgets = (self.name, self.model, self.seed, self.own_seeds, self.amount, self.format, self.quality)
        blocked = [widget.blockSignals(True) for widget in widgets]
        self.name.setText(recipe.name)
        model = recipe.model or str(self._application.settings.get("model"))
        if self.model.findData(model) < 0:  # refused when it starts, and then it is said
            add_model(self.model, model)
        self.model.setCurrentIndex(self.model.findData(model))
        self.own_seeds.setChecked(recipe.seed is None)
        self.seed.setValue(recipe.seed or 0)
        self.amount.setValue(round(recipe.amount))
        self.format.setCurrentIndex(max(0, self.format.findData(recipe.export.format)))
        self.quality.setValue(recipe.export.quality)
        for widget, was in zip(widgets, blocked):
            widget.blockSignals(was)
        self._steps = list(recipe.steps)
        self._show_steps(0)
        self._show_values()
        self.changed.emit()

    def show_sample(self, sample: Pixels | None) -> None:
        """Take a picture of the folder for histograms."""
        self._sample = sample

    def add_step(self, step: Step) -> None:
        """Put a step at the end, and show it."""
        self._steps.append(step)
        self._show_steps(len(self._steps) - 1)
        self.changed.emit()

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        for operation in operations_on_pictures():
            text = QCoreApplication.translate("Operations", operation.label)
            menu.addAction(text, lambda operation=operation: self.add_step(blank_step(operation)))
        menu.addSeparator()
        for kind in ADJUSTMENTS.values():
            text = QCoreApplication.translate("Adjustments", kind.label)
            menu.addAction(text, lambda kind=kind: self.add_step(AdjustmentStep(settings=kind.settings())))
        menu.addSeparator()
        for shape, label in SHAPES.items():
            text = QCoreApplication.translate("Batch", label)
            menu.addAction(text, lambda shape=shape: self.add_step(ShapeStep(settings=shape())))
        return menu

    def _fill(self) -> None:
        fill_models(self.model, self._application.catalogue.entries(), "")
        self.format.addItem(self.tr("Each picture's own"), "")
        for chosen in export_formats():
            self.format.addItem(QCoreApplication.translate("FileFormat", chosen.label), chosen.name)

    def _lay_out(self) -> None:
        seeds = QHBoxLayout()
        seeds.addWidget(self.seed)
        seeds.addWidget(self.own_seeds)
        seeds.addStretch(1)
        amount = QHBoxLayout()
        amount.addWidget(self.amount, 1)
        amount.addWidget(self.amount_text)
        written = QHBoxLayout()
        for row in (seeds, amount, written):
            row.setSpacing(10)
        written.addWidget(self.format)
        written.addWidget(Label(self.tr("Quality")))
        written.addWidget(self.quality)
        written.addStretch(1)
        both = QGridLayout()  # what stands side by side stands at one height
        both.setHorizontalSpacing(14)
        both.setVerticalSpacing(8)
        both.setColumnMinimumWidth(2, 4)
        for column in (1, 4):
            both.setColumnStretch(column, 1)
        for row, (text, field) in enumerate(
            ((self.tr("Name"), self.name), (self.tr("Model"), self.model), (self.tr("Format"), written))
        ):
            both.addWidget(Label(text), row, 0)
            _put(both, field, row, 1)
        for row, (text, field) in enumerate(((self.tr("Amount"), amount), (self.tr("Seed"), seeds))):
            both.addWidget(Label(text), row, 3)
            _put(both, field, row, 4)
        for text, field in (
            (self.tr("Name"), self.name),
            (self.tr("Model"), self.model),
            (self.tr("Format"), self.format),
            (self.tr("Quality"), self.quality),
            (self.tr("Amount"), self.amount),
            (self.tr("Seed"), self.seed),
        ):
            field.setAccessibleName(text)
        buttons = QHBoxLayout()
        buttons.addWidget(self.add, 1)
        for button in (self.remove, self.up, self.down):
            buttons.addWidget(button)
        steps = QVBoxLayout()
        steps.addWidget(self.list, 1)
        steps.addLayout(buttons)
        body = QHBoxLayout()
        body.setSpacing(16)
        body.addLayout(steps)
        body.addWidget(self.area, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(both)
        layout.addLayout(body, 1)

    def _connect(self) -> None:
        self.list.currentRowChanged.connect(self._show_form)
        self.list.itemChanged.connect(self._on_checked)
        self.remove.clicked.connect(self._on_remove)
        self.up.clicked.connect(lambda: self._move(-1))
        self.down.clicked.connect(lambda: self._move(1))
        self.name.textEdited.connect(self.changed)
        for box in (self.model, self.format):
            box.activated.connect(self._on_value)
        for number in (self.seed, self.quality):
            number.valueChanged.connect(self._on_value)
        self.own_seeds.toggled.connect(self._on_value)
        self.amount.valueChanged.connect(self._on_value)

    def _on_value(self, _: Any = None) -> None:
        if self.model.currentData() != self._rest.model:
            self._rest = replace(self._rest, model_hash="")  # it pinned another model
        self._show_values()
        self.changed.emit()

    def _show_values(self) -> None:
        self.amount_text.setText(self.tr("{count} %").format(count=self.amount.value()))
        self.seed.setEnabled(not self.own_seeds.isChecked())
        chosen = next((one for one in export_formats() if one.name == self.format.currentData()), None)
        self.quality.setEnabled(chosen is None or chosen.lossy)
        self.model.setEnabled(any(isinstance(step, OperationStep) for step in self._steps))

    def _show_steps(self, current: int) -> None:
        blocked = self.list.blockSignals(True)
        self.list.clear()
        for step in self._steps:
            item = QListWidgetItem()
            _name(item, step)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if step.on else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.list.setCurrentRow(min(current, len(self._steps) - 1))
        self.list.blockSignals(blocked)
        self._show_form(self.list.currentRow())
        self._show_values()

    def _show_form(self, row: int) -> None:
        self.form = None
        if 0 <= row < len(self._steps):
            self.form = step_form(self._application, self._steps[row], self._sample)
            self.form.changed.connect(self._on_step)
            self.area.setWidget(self.form)
        else:
            hint = Label(
                self.tr("Add what is to be done to every picture: the steps run from top to bottom.")
            )
            hint.setWordWrap(True)
            hint.setProperty("dim", True)
            hint.setAlignment(Qt.AlignmentFlag.AlignTop)
            self.area.setWidget(hint)
        self.remove.setEnabled(row >= 0)
        self.up.setEnabled(row > 0)
        self.down.setEnabled(0 <= row < len(self._steps) - 1)

    def _on_step(self, step: Step) -> None:
        row = self.list.currentRow()
        self._steps[row] = replace(step, on=self._steps[row].on)
        item = self.list.item(row)
        blocked = self.list.blockSignals(True)
        _name(item, step)
        self.list.blockSignals(blocked)
        self.changed.emit()

    def _on_checked(self, item: QListWidgetItem) -> None:
        row = self.list.row(item)
        on = item.checkState() == Qt.CheckState.Checked
        if self._steps[row].on != on:
            self._steps[row] = replace(self._steps[row], on=on)
            self.changed.emit()

    def _on_remove(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            del self._steps[row]
            self._show_steps(row)
            self.changed.emit()

    def _move(self, by: int) -> None:
        row = self.list.currentRow()
        to = row + by
        if 0 <= row < len(self._steps) and 0 <= to < len(self._steps):
            self._steps[row], self._steps[to] = self._steps[to], self._steps[row]
            self._show_steps(to)
            self.changed.emit()


def _put(grid: QGridLayout, field: QWidget | QHBoxLayout, row: int, column: int) -> None:
    if isinstance(field, QWidget):
        grid.addWidget(field, row, column)
    else:
        grid.addLayout(field, row, column)


def _name(item: QListWidgetItem, step: Step) -> None:
    text = step_text(step)
    item.setText(text)
    set_tip(item, text)

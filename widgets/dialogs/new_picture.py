"""New picture from a prompt: what it shows, which seed, which model, how large."""

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QSpinBox, QWidget

from editor.application import Application
from editor.generating.known_words import taught_by
from editor.words.choices import choice_text
from editor.words.said import in_one_line
from inference.errors import EditorError
from inference.operations import SAMPLERS, Generate
from inference.prompts.weights import read, understood
from widgets.forms.dialog import Dialog
from widgets.forms.fields import ComboBox, DoubleSpinBox, SpinBox
from widgets.forms.form_layout import FormLayout
from widgets.forms.model_box import fill_models
from widgets.forms.unknown_words import UnknownWords
from widgets.generate.lora_section import LoraSection
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label
from widgets.look.theme import inset, scaled_font
from widgets.subjects.prompt_box import SeedBox, insert_word

_SIZE_STEP = 8
_GUIDANCE_STEP = 0.5


class NewPicture(Dialog):
    """Stays open beside the work, so that one can try again."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("New from prompt"))
        self._application = application
        self.prompt = QPlainTextEdit(placeholderText=self.tr("a photo of a man and a woman on the beach"))
        self.prompt.setAccessibleName(self.tr("Prompt"))
        self.prompt.setTabChangesFocus(True)
        self.prompt.setFixedHeight(self.fontMetrics().lineSpacing() * 4 + 20)
        self.prompt.installEventFilter(self)
        self.negative = QPlainTextEdit(placeholderText=self.tr("What should not be there (optional)"))
        self.negative.setAccessibleName(self.tr("Negative prompt"))
        self.negative.setTabChangesFocus(True)
        self.negative.setFixedHeight(self.fontMetrics().lineSpacing() * 2 + 18)
        self.model = ComboBox()
        self.model.setAccessibleName(self.tr("Model"))
        self.seed = SeedBox()
        self.seed.roll()
        self.dice = IconButton("dice", self.tr("Another seed"))
        self.dice.clicked.connect(self.seed.roll)
        self.steps = self._number(self.tr("Steps"), 1, 999, 1)
        self.guidance = DoubleSpinBox(
            minimum=-_GUIDANCE_STEP,
            maximum=50.0,
            singleStep=_GUIDANCE_STEP,
            decimals=1,
            value=-_GUIDANCE_STEP,
        )
        self.guidance.setSpecialValueText(self.tr("Automatic"))
        self.guidance.setAccessibleName(self.tr("Guidance scale"))
        self.guidance.setMinimumWidth(120)
        inset(self.guidance)
        self.sampler = ComboBox()
        self.sampler.setAccessibleName(self.tr("Sampler"))
        self.sampler.addItem(self.tr("Automatic"), None)
        for sampler in SAMPLERS:
            self.sampler.addItem(choice_text(sampler), sampler)
        self.loras = LoraSection(
            application.loras, application.settings.get("model"), titled=False, most_px=230
        )
        self.loras.word_clicked.connect(self.insert)
        self.width_box = self._number(self.tr("Width"), 8, 4096, _SIZE_STEP)
        self.height_box = self._number(self.tr("Height"), 8, 4096, _SIZE_STEP)
        self.note = Label()
        self.note.setProperty("dim", True)
        self.note.setWordWrap(True)
        self.note.setFont(scaled_font(self.note.font(), 0.92))
        self.unknown = UnknownWords()
        self.problem = Label()
        self.problem.setProperty("danger", True)
        self.problem.setWordWrap(True)
        self.problem.hide()
        self._lay_out()
        self.add_cancel()
        self.generate = self.add_button(self.tr("Generate"), primary=True)
        self.begin_with(self.prompt)
        self.generate.clicked.connect(self._on_generate)
        self.prompt.textChanged.connect(self._show_ready)
        self.model.currentIndexChanged.connect(self._show_model)
        self.prompt.setPlainText(str(application.settings.state("new_prompt", "")))
        self.prompt.selectAll()
        application.shell.models_changed.connect(self._fill_models)
        application.settings.changed.connect(self._on_setting_changed)
        self._fill_models()
        self._show_ready()
        self.setMinimumWidth(470)

    def insert(self, word: str) -> None:
        """Put a concept's word into the prompt, at the cursor."""
        insert_word(self.prompt, word)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched is self.prompt:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not shift:
                self._on_generate()
                return True
        return super().eventFilter(watched, event)

    def _number(self, name: str, low: int, high: int, step: int) -> QSpinBox:
        """A number whose lowest position means the model's own."""
        box = SpinBox(minimum=low - 1, maximum=high, singleStep=step, value=low - 1)
        box.setSpecialValueText(self.tr("Automatic"))
        box.setAccessibleName(name)
        box.setMinimumWidth(120)
        inset(box)
        return box

    def _lay_out(self) -> None:
        seed = QHBoxLayout()
        seed.addWidget(self.seed)
        seed.addWidget(self.dice)
        seed.addStretch(1)
        size = QHBoxLayout()
        size.addWidget(self.width_box)
        size.addWidget(Label("×"))
        size.addWidget(self.height_box)
        size.addStretch(1)
        form = FormLayout()
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(18)
        form.addRow(self.tr("Prompt"), self.prompt)
        form.addRow("", self.unknown)
        form.addRow(self.tr("Without"), self.negative)
        form.addRow(self.tr("Model"), self.model)
        form.addRow("", self.note)
        form.addRow(self.tr("Seed"), seed)
        form.addRow(self.tr("Size"), size)
        form.addRow(self.tr("Steps"), self.steps)
        form.addRow(self.tr("Guidance scale"), self.guidance)
        form.addRow(self.tr("Sampler"), self.sampler)
        form.addRow(self.tr("LoRAs"), self.loras)
        self.column.addLayout(form)
        self.column.addWidget(self.problem)

    def _fill_models(self) -> None:
        """List the models; the one for new pictures is chosen."""
        blocked = self.model.blockSignals(True)
        fill_models(
            self.model, self._application.catalogue.entries(), self._application.settings.get("model")
        )
        self.model.blockSignals(blocked)
        self._show_model()

    def _on_setting_changed(self, name: str) -> None:
        if name == "model":  # one that has come, or was chosen, while this was open
            self._fill_models()

    def _show_model(self) -> None:
        name = self.model.currentData()
        entry = next((item for item in self._application.catalogue.entries() if item.name == name), None)
        self.loras.set_model(name or "")
        sandbox = entry is not None and entry.sandbox
        usual_steps = self._application.settings.get("steps") or getattr(entry, "default_steps", 0)
        usual_guidance = getattr(entry, "default_guidance_scale", None)
        for box, usual in ((self.steps, usual_steps or None), (self.guidance, usual_guidance)):
            text = (
                self.tr("Automatic") if usual is None else self.tr("Automatic ({value})").format(value=usual)
            )
            box.setSpecialValueText(text)
        self._show_ready()
        self.note.setVisible(sandbox)
        self.note.setText(
            self.tr(
                "A small built-in model for trying things out. It draws cartoon scenes of people (man, "
                "woman), animals (cat, dog) and things (car, ball, tree, house). For photos, add a "
                "checkpoint under Models."
            )
        )

    def _show_ready(self) -> None:
        prompt, entries = self.prompt.toPlainText(), self._application.catalogue.entries()
        seen = understood(prompt, weighted=self._application.settings.get("weighted_prompts"))
        taught = taught_by(row.lora for row in self.loras.rows)
        self.unknown.look_at(seen.text, self.model.currentData(), entries, taught)
        self.generate.setEnabled(bool(self.prompt.toPlainText().strip()))

    def _on_generate(self) -> None:
        if not self.generate.isEnabled():
            return
        steps = _or_none(self.steps)
        weighted = self._application.settings.get("weighted_prompts")
        try:
            if weighted:  # wrong marks are said before anything is asked for
                read(self.prompt.toPlainText().strip())
                read(self.negative.toPlainText().strip())
            parameters = Generate(
                prompt=self.prompt.toPlainText().strip(),
                negative_prompt=self.negative.toPlainText().strip(),
                seed=self.seed.seed,
                steps=self._application.settings.get("steps") if steps is None else steps,
                guidance_scale=_or_none(self.guidance),
                sampler=self.sampler.currentData(),
                width=_or_none(self.width_box),
                height=_or_none(self.height_box),
                weighted=weighted,
                loras=self._application.loras.uses(self.model.currentData()),
            )
        except EditorError as error:
            self.problem.setText(in_one_line(error))
            self.problem.show()
            return
        self.problem.hide()
        if self._application.new_from_prompt(parameters, self.model.currentData()) is not None:
            # the engine may still refuse it, and it need not be typed again then
            self._application.settings.set_state("new_prompt", parameters.prompt)
            self.close()


def _or_none(box: Any) -> Any:
    """A box's number, None in its lowest position."""
    return None if box.value() == box.minimum() else box.value()

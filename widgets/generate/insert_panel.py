"""The Insert panel: what is changed, in two sentences; which words differ; where, how strongly, and how."""

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.controllers.insertion import POSITIONS
from editor.document.document import Document
from editor.pixels.arithmetic import to_rgba
from editor.pixels.qimages import thumbnail
from inference.methods.prompt_to_prompt.presets import found_anew
from inference.operations import INSERT_KINDS, LONGEST_PROMPT, Insert, InsertWord
from inference.parameters import N_
from inference.prompts.weights import understood
from inference.prompts.words import words
from widgets.forms.details_button import DetailsButton
from widgets.forms.fields import Slider
from widgets.forms.parameter_form import ParameterForm
from widgets.forms.scrolled import lay_out_scrolled, scroll_to
from widgets.forms.unknown_words import UnknownWords
from widgets.generate.document_panel import DimLabel, DocumentPanel, LayerFields, Slots
from widgets.generate.insert_words import DifferenceView
from widgets.look.elided_label import ElidedLabel
from widgets.look.flow import Flow
from widgets.look.focus_within import enable
from widgets.look.plain_text import Label, set_tip, unmarked
from widgets.look.steady_button import SteadyButton
from widgets.subjects.concept_shelf import concept_icon
from widgets.subjects.keyframe_slider import KeyframeSlider
from widgets.subjects.prompt_box import SeedBox

WEIGHT_SCALE = 100
MOST_WEIGHT = 3.0
_FIELD_LINES = 2
_CONCEPT_PX = 22


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A kind of change in the window's words."""

    label: str
    hint: str
    wants_place: bool = False


KINDS = {
    "replace": _Kind(
        label=N_("InsertKinds", "Replace"),
        hint=N_("InsertKinds", "Another subject in the place of one: change its word."),
    ),
    "add": _Kind(
        label=N_("InsertKinds", "Add"),
        hint=N_("InsertKinds", "One subject more: select the place, and name it in the second sentence."),
        wants_place=True,
    ),
    "remove": _Kind(
        label=N_("InsertKinds", "Remove"),
        hint=N_(
            "InsertKinds", "One subject less: select it roughly, and leave it out of the second sentence."
        ),
        wants_place=True,
    ),
    "change": _Kind(
        label=N_("InsertKinds", "Change"),
        hint=N_("InsertKinds", "Clothes, hair or material: describe the subject otherwise."),
    ),
    "style": _Kind(
        label=N_("InsertKinds", "Style"),
        hint=N_("InsertKinds", "The look of everything, or of the selection."),
    ),
}


def kind_text(text: str) -> str:
    return QCoreApplication.translate("InsertKinds", text)


class InsertPanel(DocumentPanel):
    """Asks `Application.insertion` for edits by words; of a layer made so it shows and changes its own."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(application, parent)
        self._insertion = application.insertion
        self.kinds = QButtonGroup(self)
        self.kinds.setExclusive(True)
        self.hint = DimLabel()
        self.shown = _field(self.tr("The picture shows"), self.tr("a photo of a man and a woman"))
        self.wanted = _field(self.tr("It is to show"), self.tr("a photo of a man and a cat"))
        self.unknown = UnknownWords()
        self.concepts = Flow()
        self.differences = DifferenceView()
        self.place = QCheckBox(self.tr("Only in the selection"))
        self.draw = QPushButton(self.tr("Draw a box"))
        set_tip(self.draw, self.tr("Take the rectangle in hand; brush and lasso selections work as well"))
        self.strength_label = Label(self.tr("Strength"))
        self.strength = KeyframeSlider()
        self.strength.setAccessibleName(self.tr("Strength"))
        self.strength.set_range(POSITIONS[0], POSITIONS[-1])
        self.strength.set_number(1.0)
        set_tip(self.strength, self.tr("How much of the change is there; double click takes all of it"))
        self.weights_label = Label(self.tr("Weight of words"))
        self.weights = QGridLayout()
        self._weights: dict[str, float] = {}
        self.waiting = DimLabel(self.tr("What was changed here counts once the layer is made again."))
        self.waiting.hide()
        self.seed = SeedBox()
        set_tip(self.seed, self.tr("Where something is drawn anew, another seed gives another picture of it"))
        declared = [item for item in Insert.declared() if item.declaration.advanced]
        self.details = ParameterForm(declared, "Operations", least_px=150)
        # for new layers, while one that was made otherwise is in front
        self._details = {item.name: item.default for item in declared if item.name in self.details.editors}
        self._show_details()
        self.details.hide()
        self.more = DetailsButton()
        self.start = SteadyButton()
        self.start.setProperty("primary", True)
        self._fields = LayerFields(self.values, self._show_field)
        self._suggested = ""  # what the picture was made from, as both sentences were told
        self._lay_out()
        self._connect()
        self._show_kind()
        self._begin()

    @property
    def kind(self) -> str:
        """The kind of change that is chosen."""
        button = self.kinds.checkedButton()
        return str(button.property("kind")) if button is not None else INSERT_KINDS[0]

    def _lay_out(self) -> None:
        choice = QHBoxLayout()
        choice.setSpacing(0)
        for name, kind in KINDS.items():
            button = QToolButton()
            button.setText(kind_text(kind.label))
            button.setCheckable(True)
            button.setChecked(name == INSERT_KINDS[0])
            button.setProperty("segment", True)
            button.setProperty("kind", name)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self.kinds.addButton(button)
            choice.addWidget(button, 1)
        where = QHBoxLayout()
        where.addWidget(self.place, 1)
        where.addWidget(self.draw)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(14, 8, 14, 10)
        buttons.setSpacing(8)
        buttons.addStretch(1)
        seed = Label(self.tr("Seed"))
        seed.setProperty("dim", True)
        buttons.addWidget(seed)
        buttons.addWidget(self.seed)
        buttons.addWidget(self.start)
        content = QWidget()
        body = QVBoxLayout(content)
        body.setContentsMargins(14, 8, 14, 14)
        body.setSpacing(8)
        body.addLayout(choice)
        body.addWidget(self.hint)
        for label, field in (
            (self.tr("The picture shows"), self.shown),
            (self.tr("It is to show"), self.wanted),
        ):
            title = Label(label)
            title.setBuddy(field)
            body.addWidget(title)
            body.addWidget(field)
        body.addWidget(self.unknown)
        body.addLayout(where)  # what is added or removed wants it: no scrolling to it in a low window
        body.addWidget(self.concepts)
        body.addWidget(self.differences)
        body.addWidget(self.strength_label)
        body.addWidget(self.strength)
        body.addWidget(self.weights_label)
        body.addLayout(self.weights)
        body.addWidget(self.waiting)
        body.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)  # beside the seed it made the panel wider
        body.addWidget(self.details)
        body.addStretch(1)
        lay_out_scrolled(self, content, buttons)

    def _connect(self) -> None:
        insertion = self._insertion
        self.kinds.buttonClicked.connect(lambda _: self._show_kind())
        self.seed.valueChanged.connect(self._show_enabled)
        for field in (self.shown, self.wanted):
            field.textChanged.connect(self._show_words)
        self.differences.corrected.connect(self._show_weights)
        self.draw.clicked.connect(lambda: self._application.tools.use("select-rectangle"))
        self.strength.moved.connect(self._on_strength)
        self.strength.reset_requested.connect(lambda: self._on_strength(1.0, False))
        self.more.toggled.connect(self.details.setVisible)
        self.details.changed.connect(self._on_detail)
        self.start.clicked.connect(self._on_start)
        insertion.busy_changed.connect(self._show_enabled)
        insertion.busy_changed.connect(self._show_strength)
        insertion.keyframes_changed.connect(self._on_keyframes)
        self._hear_of_models(self._show_unknown)
        self._application.concepts.changed.connect(self._show_concepts)
        self._show_concepts()
        if self._application.settings.get("weighted_prompts"):
            self._details["weighted"] = True

    def _heard(self, document: Document) -> Slots:
        return (
            (document.active_changed, self._show_layer),
            (document.layers_changed, self._show_layer),
            (document.selection_changed, self._show_enabled),
        )

    # what is shown

    def _show_kind(self) -> None:
        kind = KINDS[self.kind]
        self.hint.setText(kind_text(kind.hint))
        if kind.wants_place:
            self.place.setChecked(True)
        self._show_enabled()

    def _show_layer(self) -> None:
        """The active layer's own sentences and values; the prompt of a picture that was made from one."""
        layer = self._insertion.layer
        if layer is not None and layer.recipe is not None:
            parameters = layer.recipe.request.parameters
            assert isinstance(parameters, Insert), "the layer was made this way"
            made = {name: getattr(parameters, name) for name in self.values()}
            self._fields.take((self._document, layer.id), made)
            self.place.setChecked(parameters.mask is not None)
            self.hint.setText(kind_text(KINDS[self.kind].hint))
        else:
            self._fields.leave()
            self._show_details()
            self._suggest()
        self._show_words()
        self._show_strength()

    def _show_field(self, name: str, value: Any) -> None:
        if name == "kind":
            for button in self.kinds.buttons():
                button.setChecked(button.property("kind") == value)
        elif name in ("source_prompt", "prompt"):
            _set_text(self.shown if name == "source_prompt" else self.wanted, value)
        elif name == "seed":
            self.seed.set_seed(value)
        elif name in ("words", "source_words"):
            self._show_said_words(value, is_target=name == "words")
        else:
            self.details.set_value(name, value)

    def _show_said_words(self, said: tuple[InsertWord, ...], *, is_target: bool) -> None:
        """What was said of a sentence's words: their weights, and whether they belong to the change."""
        self._find_differences()
        changes = {(one.start, one.end): one.changes for one in said if one.changes is not None}
        self.differences.correct(changes, is_target=is_target)
        if is_target:
            text = self._read(self.wanted)
            self._weights = {text[one.start : one.end]: one.weight for one in said}

    def _show_details(self) -> None:
        """Those of new layers."""
        for name, value in self._details.items():
            self.details.set_value(name, value)

    def _suggest(self) -> None:
        """What the picture in front was made from, as both sentences; what was typed stays."""
        old, known = ("", self._suggested), self._known_prompt()
        if all(field.toPlainText().strip() in old for field in (self.shown, self.wanted)):
            _set_text(self.shown, known)
            _set_text(self.wanted, known)
            self._suggested = known.strip()

    def _known_prompt(self) -> str:
        """What the picture was made from, if it was."""
        document = self._document
        layer = document.recipe_layer if document is not None else None
        parameters = (
            layer.recipe.request.parameters if layer is not None and layer.recipe is not None else None
        )
        return str(getattr(parameters, "prompt", ""))

    def _find_differences(self) -> None:
        names = [kept.word for kept in self._application.concepts.known]
        self.differences.set_prompts(self._read(self.shown), self._read(self.wanted), names)

    def _show_words(self) -> None:
        self._find_differences()
        self._show_unknown()
        self._show_weights()
        self._show_enabled()

    def _show_unknown(self) -> None:
        """Words that the model cannot draw, before it tries."""
        layer = self._insertion.layer
        said = f"{self._read(self.shown)}\n{self._read(self.wanted)}"
        self._tell_unknown(self.unknown, said, layer.recipe if layer is not None else None)

    def _show_weights(self) -> None:
        """A slider for each word of the change, and for what was weighed before it was none; one that stands
        there twice is weighed once.
        """
        while (item := self.weights.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        text = self._read(self.wanted)
        spans = sorted({*self.differences.changed_spans, *self._weighed(text)})
        self.weights_label.setVisible(bool(spans))
        for row, word in enumerate(dict.fromkeys(text[start:end] for start, end in spans)):
            slider = Slider()
            slider.setRange(0, round(MOST_WEIGHT * WEIGHT_SCALE))
            slider.setValue(round(self._weights.get(word, 1.0) * WEIGHT_SCALE))
            slider.setAccessibleName(self.tr("Weight of “{word}”").format(word=word))
            set_tip(slider, self.tr("How much the picture listens to “{word}”").format(word=word))
            slider.valueChanged.connect(lambda value, word=word: self._on_weight(word, value / WEIGHT_SCALE))
            name = ElidedLabel(word)
            name.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            self.weights.addWidget(name, row, 0)
            self.weights.addWidget(slider, row, 1)

    def _show_concepts(self) -> None:
        """The learnt words; a click writes one."""
        buttons: list[QWidget] = []
        for kept in self._application.concepts.known:
            button = QToolButton()
            button.setText(unmarked(kept.word))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setIconSize(QSize(_CONCEPT_PX, _CONCEPT_PX))
            button.setIcon(concept_icon(button, kept.concept, _CONCEPT_PX))
            button.setProperty("quiet", True)
            set_tip(button, self.tr("Write “{word}” where the cursor is").format(word=kept.word))
            button.clicked.connect(lambda _=False, word=kept.word: self._write(word))
            buttons.append(button)
        self.concepts.set_widgets(buttons)

    def _on_keyframes(self, _layer_id: str) -> None:
        self._show_strength()

    def _show_strength(self) -> None:
        layer = self._insertion.layer
        is_new = layer is not None and self.strength.isHidden()
        for widget in (self.strength, self.strength_label):
            widget.setVisible(layer is not None)
        if is_new:  # in a low window it comes below the edge, where nobody would look for it
            scroll_to(self, self.strength)
        if layer is None or layer.recipe is None:
            return
        if not self.strength.isSliderDown():
            self.strength.set_number(self._insertion.strength_of(layer))
        known = self._insertion.keyframes(layer)
        size = self.strength.cell_size.height()
        pictures = [
            (value, thumbnail(to_rgba(known[value]), size) if value in known else None) for value in POSITIONS
        ]
        self.strength.set_current(thumbnail(layer.pixels, size))
        waiting = any(image is None for _, image in pictures) and self._insertion.prepares(layer)
        self.strength.set_keyframes(pictures, waiting=waiting)
        self._insertion.prepare()

    def _show_enabled(self) -> None:
        document, busy = self._document, self._insertion.busy
        again = self._insertion.layer is not None
        selected = document is not None and document.state.selection is not None
        differs = self.differences.differ
        weighs = any(one.weight != 1 for one in self.values()["words"])
        enable(self.start, document is not None and (differs or weighs) and not busy)
        lacking = self.tr("Write two sentences: what the picture shows, and what is to be different")
        set_tip(self.start, "" if differs or weighs else lacking)
        self.waiting.setVisible(self._fields.typed_over and not busy)
        working, make_again = self.tr("Working…"), self.tr("Make again")
        text = working if busy else make_again if again else kind_text(KINDS[self.kind].label)
        self.start.say(text, (working, make_again, *(kind_text(one.label) for one in KINDS.values())))
        self.seed.setEnabled(self._seed_counts())
        self.place.setEnabled(selected and not again)
        self.draw.setVisible(not selected and not again)

    def _seed_counts(self) -> bool:
        """Whether the seed decides something, as far as it is known: of a new layer the model has its say."""
        layer = self._insertion.layer
        made = layer.recipe.request.parameters if layer is not None and layer.recipe is not None else None
        if not isinstance(made, Insert) or made.kind != self.kind:
            return True
        return replace(made, **{name: self.details.value(name) for name in self.details.editors}).is_drawn

    # what is done

    def values(self) -> dict[str, Any]:
        """The parameters of `Insert` as the panel has them, without picture, place and strength."""
        return {
            "kind": self.kind,
            "source_prompt": self.shown.toPlainText(),
            "prompt": self.wanted.toPlainText(),
            "seed": self.seed.seed,
            "words": self._words(self._read(self.wanted), self.differences.target_corrections, self._weights),
            "source_words": self._words(self._read(self.shown), self.differences.source_corrections, {}),
            **{name: self.details.value(name) for name in self.details.editors},
        }

    def _weighed(self, text: str) -> list[tuple[int, int]]:
        """Characters of the second sentence's words that have weights."""
        spans = [(word.start, word.end) for word in words(text)]
        return [(start, end) for start, end in spans if self._weights.get(text[start:end], 1.0) != 1]

    def _words(
        self, text: str, corrections: dict[tuple[int, int], bool], weights: dict[str, float]
    ) -> tuple[InsertWord, ...]:
        spans = {(word.start, word.end) for word in words(text)} | set(corrections)
        if weights:  # a sign of a script without spaces is weighed alone, too
            spans |= set(self.differences.changed_spans)
        found = [
            InsertWord(
                start=start,
                end=end,
                weight=weights.get(text[start:end], 1.0),
                changes=corrections.get((start, end)),
            )
            for start, end in sorted(spans)
        ]
        return tuple(word for word in found if word.weight != 1 or word.changes is not None)

    def _on_start(self) -> None:
        opened = self._opened()
        for name in opened.intersection(self.details.editors):
            self.details.set_value(name, None)
        self._fields.ask()
        if self._insertion.layer is not None:
            self._insertion.again({**self.values(), **dict.fromkeys(opened)})
            return
        in_selection = self.place.isChecked() and self.place.isEnabled()
        model = self._application.settings.get("model")
        self._insertion.start(self.values(), model, in_selection=in_selection)

    def _opened(self) -> frozenset[str]:
        """What the layer in front found by itself, and finds anew: another kind or other words are said."""
        layer = self._insertion.layer
        if layer is None or layer.recipe is None:
            return frozenset()
        made = layer.recipe.request.parameters
        assert isinstance(made, Insert), "the layer was made this way"
        return found_anew(made, self.values())

    def _on_strength(self, value: float, dragging: bool) -> None:
        self._insertion.set_strength(round(value, 2), dragging=dragging)
        if not dragging:
            self._show_strength()

    def _on_weight(self, word: str, weight: float) -> None:
        self._weights[word] = weight
        self._show_enabled()

    def _on_detail(self, name: str, value: Any) -> None:
        if self._insertion.layer is None:
            self._details[name] = value
        if name == "weighted":
            self._show_words()
        self._show_enabled()

    def _read(self, field: QPlainTextEdit) -> str:
        """A sentence as the model reads it: where words have weights, with spaces for their marks.

        Of one that is too long to be asked for, such as a log that was pasted, the beginning is looked at.
        """
        text = field.toPlainText()[:LONGEST_PROMPT]
        return understood(text, weighted=bool(self.details.value("weighted"))).text

    def _write(self, word: str) -> None:
        cursor = self.wanted.textCursor()
        before = self.wanted.toPlainText()[: cursor.selectionStart()]
        cursor.insertText(word if not before or before[-1].isspace() else f" {word}")
        self.wanted.setFocus()


def _field(name: str, example: str) -> QPlainTextEdit:
    field = QPlainTextEdit()
    field.setAccessibleName(name)
    field.setPlaceholderText(example)
    field.setTabChangesFocus(True)
    field.setFixedHeight(field.fontMetrics().height() * _FIELD_LINES + 22)
    return field


def _set_text(field: QPlainTextEdit, text: str) -> None:
    if field.toPlainText() != text:
        blocked = field.blockSignals(True)
        field.setPlainText(text)
        field.blockSignals(blocked)

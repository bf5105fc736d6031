"""Teaching an attribute: words for a subject and for both ends, and what is seen while it is learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.generating.asking import picture_from
from editor.generating.lessons import USUAL_PREFIXES, Lesson, comes_after
from editor.pixels.qimages import to_qimage
from inference.content import Contents, DefinitionFile, content_hash, named_pictures
from inference.deltas import DeltaInfo
from inference.errors import EditorError
from inference.methods.learning.cost import evaluations_of
from inference.operations import LEARNED_FROM, OPERATIONS, LearnDelta, read_by
from inference.parameters import ParameterField
from inference.progress import Step
from inference.request import Request
from widgets.forms.details_button import DetailsButton
from widgets.forms.fields import ComboBox
from widgets.forms.form_layout import FormLayout
from widgets.forms.model_box import fill_models
from widgets.forms.parameter_form import ANY_PX, ParameterForm
from widgets.forms.unknown_words import UnknownWords
from widgets.look.durations import duration
from widgets.look.plain_text import Label
from widgets.subjects.checkpoints import Checkpoints
from widgets.subjects.learning_dialog import Asked, LearningDialog
from widgets.subjects.picture_lesson import PictureLesson

OPERATION = "learn-delta"
LEARNED = "learned"
_FIRST = ["method", "preset", "low_memory"]  # rows that are always there
_STRIP_PX = 96
_FIELDS_PX = (470, 420)
_FIELDS_BESIDE_PX = 140  # high, while pictures below them take their room: the dialog stays on small screens
_BETWEEN = " | "  # prefixes in one line: they may hold commas


def _declared() -> tuple[ParameterField, ...]:
    """The parameters of all ways of learning; pictures and what they show have fields of their own."""
    elsewhere = {"definition", "images", "picture_prompt"}
    declared = OPERATIONS[OPERATION].parameters.declared()
    return tuple(item for item in declared if item.name not in elsewhere)


class TeachDialog(LearningDialog):
    """Asks for a lesson and shows how it goes."""

    operation = OPERATION

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(application, "", parent)
        self.setWindowTitle(self.tr("Teach an attribute"))
        self._steps = 0  # of the run, when it was last heard of
        self._taught: tuple[Request, Contents] | None = None  # what the checkpoints are of
        self._make_fields()
        self._lay_out()
        self._connect()
        self.connect_all(self.tr("Teach"))
        self.begin_with(self.subject)

    def suggest(self, subject: str) -> None:
        """Fill in the subject, unless something is being learnt."""
        if not self.is_busy:
            self.subject.setText(subject)
            self.low_end.setFocus()

    # layout

    def _make_fields(self) -> None:
        self.explanation = Label(
            self.tr(
                "Say in a few words what shall change, in English, and Attune makes a slider of it. "
                "The words are put before the subject: “young man”, “old man”."
            )
        )
        self.explanation.setWordWrap(True)
        self.explanation.setProperty("dim", True)
        self.name, self.subject = QLineEdit(), QLineEdit()
        self.low_end, self.high_end, self.prefixes = QLineEdit(), QLineEdit(), QLineEdit()
        self.subject.setPlaceholderText(self.tr("man, woman"))
        self.low_end.setPlaceholderText(self.tr("rested"))
        self.high_end.setPlaceholderText(self.tr("tired"))
        self.name.setPlaceholderText(self.tr("By itself: the word for the higher end"))
        self.prefixes.setPlaceholderText(_BETWEEN.join(USUAL_PREFIXES))
        self.model = ComboBox()
        fill_models(self.model, self._application.catalogue.entries(), self._application.usual_model)
        declared = _declared()
        self.form = ParameterForm(declared, "Operations", most_px=ANY_PX)
        for item in declared:
            self.form.set_value(item.name, item.default)
        self.form.set_value("method", LEARNED)
        self.pictures = PictureLesson()
        self.phrases = Label()
        self.phrases.setWordWrap(True)
        self.phrases.setProperty("dim", True)
        self.phrases.setMinimumHeight(self.phrases.sizeHint().height())  # what is below stays where it is
        self.phrases.setAccessibleName(self.tr("What the model is shown"))
        self.unknown = UnknownWords()
        self.cost = Label()
        self.cost.setWordWrap(True)
        self.cost.setProperty("dim", True)
        self.cost.setAccessibleName(self.tr("How long it will take"))
        self.checkpoints = Checkpoints()
        self.more = DetailsButton()
        self.strip = Label()
        self.strip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.strip.setAccessibleName(self.tr("From the lower to the higher end, as learnt so far"))

    def _lay_out(self) -> None:
        words = FormLayout()
        words.setHorizontalSpacing(18)
        words.setVerticalSpacing(10)
        for label, field in (
            (self.tr("Subject"), self.subject),
            (self.tr("Lower end"), self.low_end),
            (self.tr("Higher end"), self.high_end),
            (self.tr("Name of the slider"), self.name),
            (self.tr("Model"), self.model),
        ):
            field.setAccessibleName(label)
            words.addRow(label, field)
        self._prefix_label = Label(self.tr("Before the phrases"))
        self.prefixes.setAccessibleName(self._prefix_label.text())
        words.addRow(self._prefix_label, self.prefixes)
        fields = QVBoxLayout(self.fields)
        fields.setContentsMargins(0, 0, 8, 0)
        fields.setSpacing(10)
        fields.addLayout(words)
        fields.addWidget(self.phrases)
        fields.addWidget(self.unknown)
        fields.addWidget(self.form)
        self.form.put_below("method", self.pictures)  # not above: what was just chosen would move away
        fields.addWidget(self.cost)
        fields.addWidget(self.more)
        fields.addStretch(1)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self.fields)
        # as high as it must be, not as its fields would like to be: so it can give room away
        self._scroll.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self._scroll.setMinimumSize(*_FIELDS_PX)
        labels = [words.labelForField(field) for field in (self.subject, self.name)] + self.form.labels()
        widest = max(label.sizeHint().width() for label in labels)
        labels = (words.labelForField(self.subject), *self.pictures.labels(), *self.form.labels())
        for label in labels:  # three forms, one column
            label.setMinimumWidth(widest)
        self.column.addWidget(self.explanation)
        self.column.addWidget(self._scroll, 1)
        self.column.addWidget(self.strip)
        self.column.addWidget(self.checkpoints)
        self.column.addWidget(self.bar)
        self.column.addWidget(self.status)
        self._show_rows()
        self._show_phrases()
        self._show_unknown()
        self._show_cost()

    def _connect(self) -> None:
        self.checkpoints.keep.connect(self._on_keep_checkpoint)
        for field in (self.subject, self.low_end, self.high_end):
            field.textChanged.connect(self._show_phrases)
            field.textChanged.connect(self._show_unknown)
        for field in (self.subject, self.low_end, self.high_end, self.name, self.prefixes):
            field.textChanged.connect(self.forget_problem)
        for changed in (self.form.changed, self.pictures.changed, self.model.currentIndexChanged):
            changed.connect(self.forget_problem)
        self.more.toggled.connect(self._show_rows)
        self.form.changed.connect(self._show_rows)
        self.form.changed.connect(self._show_cost)
        self.model.currentIndexChanged.connect(self._show_cost)
        self.model.currentIndexChanged.connect(self._show_unknown)
        self._application.speeds.changed.connect(self._show_cost)

    # the hand's side

    def lesson(self) -> Lesson:
        """What is typed."""
        prefixes = [one.strip() for one in self.prefixes.text().split(_BETWEEN.strip())]
        return Lesson(
            subject=self.subject.text(),
            lower=self.low_end.text(),
            higher=self.high_end.text(),
            label=self.name.text(),
            prefixes=tuple(one for one in prefixes if one),
        )

    def asked(self) -> Callable[[], Asked]:
        lesson = self.lesson()
        content = lesson.definition()
        read = read_by(str(self.form.value("method")))
        values = {name: self.form.value(name) for name in self.form.editors if name in read}
        definition = DefinitionFile(content_hash(content))
        given = LearnDelta(definition=definition, **values)
        name = lesson.label.strip() or lesson.higher.strip()
        label = self.tr("Teach “{name}”: {subject}").format(name=name, subject=lesson.subject.strip())
        model = self.model.currentData()
        document = self._application.current
        state = document.state if document is not None else None
        sources = self.pictures.sources(given.method) if given.method in LEARNED_FROM else ()
        said_of_them = self.pictures.values() if sources else {}

        def make() -> Asked:
            images, pictures = named_pictures(picture_from(source, state) for source in sources)
            parameters = replace(given, images=images, **said_of_them)
            request = Request(operation=OPERATION, parameters=parameters, model=model)
            return Asked(request, {definition.hash: content, **pictures}, label)

        return make

    def _on_keep_checkpoint(self, state: bytes) -> None:
        """Also when the run has ended: only then is it seen which of them was the best."""
        if self._taught is not None:
            self._jobs.keep_checkpoint(*self._taught, state)

    # the job's side

    def show_asked(self, request: Request, contents: Mapping[str, Any]) -> None:
        parameters = request.parameters
        if not isinstance(parameters, LearnDelta) or any(self._words()):
            return  # of something else, or asked for here
        content = contents.get(parameters.definition.hash)
        lesson = Lesson.of(content) if isinstance(content, bytes) else None
        if lesson is None:
            return
        self.subject.setText(lesson.subject)
        self.low_end.setText(lesson.lower)
        self.high_end.setText(lesson.higher)
        self.name.setText(lesson.label)
        self.prefixes.setText(_BETWEEN.join(lesson.prefixes))
        self.model.setCurrentIndex(self.model.findData(request.model))
        for name in self.form.editors:
            self.form.set_value(name, getattr(parameters, name))

    def _words(self) -> tuple[str, ...]:
        return tuple(field.text().strip() for field in (self.subject, self.low_end, self.high_end))

    def forget_steps(self) -> None:
        self.strip.clear()
        self.checkpoints.clear()
        self._steps = 0
        self._taught = None if self._job is None else (self._job.request, self._job.contents)

    def show_checkpoint(self, state: bytes) -> None:
        if self._steps:
            self._share_room(pictures=True)
            self.checkpoints.add(self._steps, state, self.strip.pixmap())

    def show_step(self, step: Step) -> None:
        self._steps = step.done
        if step.preview is None:
            return
        ratio = self.devicePixelRatioF()
        image = to_qimage(step.preview).scaledToHeight(
            round(_STRIP_PX * ratio), Qt.TransformationMode.SmoothTransformation
        )
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(ratio)
        self.strip.setPixmap(pixmap)
        self._share_room(pictures=True)
        self.strip.setVisible(True)

    def told_kept(self, info: Any) -> str:
        if not isinstance(info, DeltaInfo):  # a concept, which is taught elsewhere
            return ""
        return self.tr("“{label}” is among the attributes now.").format(label=info.label)

    def show_state(self, *, busy: bool) -> None:
        pictures = not self.strip.pixmap().isNull()  # what was learnt last is still to be judged
        self._share_room(pictures=pictures or not self.checkpoints.isHidden())
        self.strip.setVisible(pictures)

    # what is shown

    def _share_room(self, *, pictures: bool) -> None:
        """Before pictures are shown: they take the room of the fields, and push no button off the screen."""
        self._scroll.setMinimumHeight(_FIELDS_BESIDE_PX if pictures else _FIELDS_PX[1])

    def _show_rows(self) -> None:
        """The naive way needs no more than its words; what stands before them, and the rest, are details."""
        method = str(self.form.value("method"))
        learned, read = method != "naive", read_by(method)
        details = self.more.isChecked() and learned
        names = list(self.form.editors) if details else _FIRST
        self.form.show_names([name for name in names if name in read])
        self.pictures.show_for(method)
        for widget in (self._prefix_label, self.prefixes):
            widget.setVisible(self.more.isChecked())

    def _show_phrases(self) -> None:
        """What the model is shown, to be read before it is learnt from; what cannot be said so is told."""
        both = self.tr("“{lower}” … “{higher}”")
        lesson = self.lesson()
        shown = [both.format(lower=lower, higher=higher) for lower, higher in lesson.phrases()]
        whole = bool(self.low_end.text().strip() and self.high_end.text().strip())
        text, behind = " · ".join(shown), [w for w in (lesson.lower, lesson.higher) if comes_after(w)]
        if behind and shown:
            text = self.tr("“{words}” does not stand before a noun. Say it in other words.").format(
                words=behind[0]
            )
        self.phrases.setText(text if whole and shown else "")
        self.phrases.setProperty("danger", bool(behind))
        self.phrases.style().polish(self.phrases)

    def _show_unknown(self) -> None:
        """Words that mean nothing to the model give a direction that means nothing, after a long time."""
        typed = " ".join(field.text() for field in (self.subject, self.low_end, self.high_end))
        self.unknown.look_at(typed, self.model.currentData() or "", self._application.catalogue.entries())

    def _show_cost(self) -> None:
        """How long the run will take, before it starts; as passes while nobody knows how long one takes."""
        read = read_by(str(self.form.value("method")))
        try:
            values = {name: self.form.value(name) for name in self.form.editors if name in read}
            count = evaluations_of(LearnDelta(definition=DefinitionFile("0" * 64), **values))
        except EditorError:  # being typed; it is said when learning is to start
            self.cost.clear()
            return
        seconds = self._application.speeds.of(self.model.currentData() or "")
        if not count:
            text = self.tr("Takes moments.")
        elif seconds is None:
            text = self.tr(
                "About {count} passes through the model. How long is told after its first picture."
            )
            text = text.format(count=f"{count:,}".replace(",", "\u202f"))
        else:
            text = self.tr("Takes about {time} on this machine.").format(time=duration(seconds * count))
        self.cost.setText(text)

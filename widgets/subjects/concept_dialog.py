"""Teaching a concept: photos of it, its name, what it is a kind of, and how "a photo of it" gets better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.controllers.concepts import Judged
from editor.formats import readable_extensions
from editor.generating.known_words import unknown_words
from editor.pixels.qimages import to_qimage
from editor.words.said import in_one_line
from editor.words.wording import quoted
from inference.concepts.library import Kept
from inference.concepts.names import checked_word, made_word
from inference.content import named_pictures
from inference.errors import EditorError
from inference.operations import OPERATIONS, LearnConcept
from inference.progress import Step
from inference.request import Pixels, Request
from widgets.forms.details_button import DetailsButton
from widgets.forms.fields import ComboBox
from widgets.forms.form_layout import FormLayout
from widgets.forms.model_box import fill_models
from widgets.forms.parameter_form import ANY_PX, ParameterForm
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font
from widgets.subjects.learning_dialog import Asked, LearningDialog
from widgets.subjects.photo_tiles import MOST, WHOLE, Crop, PhotoTiles

OPERATION = "learn-concept"
_FIRST = ("template", "vectors")  # rows that are always there
_OWN = frozenset({"images", "token", "initialise_from", "crops"})
_STRIP_PX, _GAP_PX, _MOST_SHOWN = 92, 4, 7
_JUDGE_AFTER_MS = 700
_MOST_TOLD = 3  # files that are no photos


class Strip(QWidget):
    """Pictures as they came, the first and the last ones; the newest is at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pictures: list[QImage] = []
        self.setFixedHeight(_STRIP_PX)

    def add(self, pixels: Pixels) -> None:
        """Show one more; in between some are left out when they become many."""
        self.pictures.append(to_qimage(pixels))
        if len(self.pictures) > _MOST_SHOWN:
            del self.pictures[1]
        self.update()

    def clear(self) -> None:
        self.pictures = []
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_MOST_SHOWN * (_STRIP_PX + _GAP_PX), _STRIP_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number, picture in enumerate(self.pictures):
            wide = _STRIP_PX * picture.width() / max(1, picture.height())
            painter.drawImage(QRectF(number * (_STRIP_PX + _GAP_PX), 0, wide, _STRIP_PX), picture)


class ConceptDialog(LearningDialog):
    """Asks for photos and words, says what would help, and shows how it goes."""

    operation = OPERATION

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(application, "", parent)
        self.setWindowTitle(self.tr("Teach a concept"))
        self._judging = QTimer(self, singleShot=True, interval=_JUDGE_AFTER_MS)
        self._judging.timeout.connect(self._judge)
        self._make_fields()
        self._lay_out()
        self.more.toggled.connect(self._show_rows)
        self.form.changed.connect(lambda name, value: self._judging.start())
        self.photos.wanted.connect(self._read)
        self.photos.choose.connect(self._choose)
        self.photos.take_selection.connect(self._take_selection)
        self.photos.changed.connect(self._on_photos)
        self.photos.cropped.connect(lambda: self._judging.start())
        self.name.textChanged.connect(self._show_word)
        self.name.textChanged.connect(self._tell_unknown)
        self.kind.textChanged.connect(self._on_kind)
        self.model.currentIndexChanged.connect(lambda index: self._judging.start())
        self.connect_all(self.tr("Teach"))
        self.begin_with(self.name)
        self._show_word()

    # layout

    def _make_fields(self) -> None:
        self.explanation = Label(
            self.tr(
                "Show Attune a thing, a person or a style in a few photos, and it learns a word for it "
                "that every prompt understands."
            )
        )
        self.explanation.setWordWrap(True)
        self.explanation.setProperty("dim", True)
        self.photos = PhotoTiles()
        self.advice = Label()
        self.advice.setWordWrap(True)
        self.advice.hide()
        self.name, self.kind = QLineEdit(), QLineEdit()
        self.name.setPlaceholderText(self.tr("my cat"))
        self.kind.setPlaceholderText(self.tr("cat"))
        self.word = Label()
        self.word.setProperty("dim", True)
        self.word.setFont(scaled_font(self.word.font(), 0.92))
        self.model = ComboBox()
        fill_models(self.model, self._application.catalogue.entries(), self._application.usual_model)
        declared = tuple(
            item for item in OPERATIONS[OPERATION].parameters.declared() if item.name not in _OWN
        )
        self.form = ParameterForm(declared, "Operations", most_px=ANY_PX)
        for item in declared:
            self.form.set_value(item.name, item.default)
        self.more = DetailsButton()
        self.strip = Strip()
        self.strip.setAccessibleName(self.tr("A photo of it, as learnt so far"))

    def _lay_out(self) -> None:
        words = FormLayout()
        words.setHorizontalSpacing(18)
        words.setVerticalSpacing(10)
        for label, field in (
            (self.tr("Name"), self.name),
            ("", self.word),
            (self.tr("A kind of"), self.kind),
            (self.tr("Model"), self.model),
        ):
            if label:
                field.setAccessibleName(label)
            words.addRow(label, field)
        fields = QVBoxLayout(self.fields)
        fields.setContentsMargins(0, 0, 8, 0)
        fields.setSpacing(10)
        fields.addWidget(self.photos)
        fields.addWidget(self.advice)
        fields.addLayout(words)
        fields.addWidget(self.form)
        fields.addWidget(self.more)
        fields.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.fields)
        scroll.setMinimumSize(640, 420)
        labels = [words.labelForField(field) for field in (self.name, self.kind)] + self.form.labels()
        widest = max(label.sizeHint().width() for label in labels)
        for label in (words.labelForField(self.name), *self.form.labels()):  # two forms, one column
            label.setMinimumWidth(widest)
        self.column.addWidget(self.explanation)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.strip)
        self.column.addWidget(self.bar)
        self.column.addWidget(self.status)
        self._show_rows()

    # the hand's side

    def asked(self) -> Callable[[], Asked]:
        photos, crops = self.photos.photos, self.photos.crops
        if not photos:
            raise EditorError("There are no photos.", "Choose three to five of one subject.")
        word = made_word(self.name.text()) or checked_word(self.name.text())
        self._application.concepts.refuse_taken(word)
        kind = " ".join(self.kind.text().split())
        if not kind:
            raise EditorError(
                "There is no word that the concept is a kind of.",
                "Name one, such as “{example}”: learning begins there.",
                example="cat",
            )
        values = {name: self.form.value(name) for name in self.form.editors}
        model = self.model.currentData()
        label = self.tr("Teach {word}: {kind}").format(word=word, kind=kind)

        def make() -> Asked:
            images, contents = named_pictures(photos)
            parameters = LearnConcept(
                images=images,
                token=word,
                initialise_from=kind,
                crops=crops,
                **values,
            )
            request = Request(operation=OPERATION, parameters=parameters, model=model)
            return Asked(request, contents, label)

        return make

    def add_photos(self, photos: tuple[Pixels, ...], crop: Crop | None = None) -> None:
        """Take photos that are read already, with a part that was chosen."""
        before = len(self.photos.tiles)
        self.photos.add_photos(photos, crop)
        if len(photos) > MOST - before:
            self.say(self.tr("No more than {count} photos are taken.").format(count=MOST), problem=True)

    def _choose(self) -> None:
        patterns = " ".join(f"*{ending}" for ending in readable_extensions())
        names, _ = QFileDialog.getOpenFileNames(
            self, self.tr("Photos"), "", self.tr("Pictures ({patterns})").format(patterns=patterns)
        )
        self._read(tuple(Path(name) for name in names))

    def _take_selection(self) -> None:
        self._application.concepts.photo_selected(
            self.while_here(lambda pixels, crop: self.add_photos((pixels,), crop)),
            self.while_here(lambda error: self.say(in_one_line(error), problem=True)),
        )

    def _read(self, paths: tuple[Path, ...]) -> None:
        if paths:
            answers = self.while_here(self.add_photos), self.while_here(self._tell_problems)
            most = MOST + 1 - len(self.photos.tiles)  # one beyond, which is told
            self._application.concepts.read_photos(paths, most, *answers)

    def _tell_problems(self, problems: Sequence[EditorError]) -> None:
        """Here: a message in the window would lie behind the dialog."""
        told = [in_one_line(problem) for problem in problems[:_MOST_TOLD]]
        self.say("\n".join([*told, *(["…"] if len(problems) > len(told) else [])]), problem=True)

    def _on_photos(self) -> None:
        self._tell_unknown()
        self._judging.start()

    def _on_kind(self) -> None:
        self._tell_unknown()
        self._judging.start()

    def _tell_unknown(self) -> None:
        """A kind that the model does not know; what else was wrong is being put right."""
        model, catalogue = self.model.currentData(), self._application.catalogue
        unknown = unknown_words(self.kind.text(), model, catalogue.entries())
        if unknown:
            names = " · ".join(unknown)
            self.say(self.tr("This model cannot draw: {names}").format(names=names), problem=True)
        else:
            self.forget_problem()

    # what the photos are like

    def _judge(self) -> None:
        photos, kind = self.photos.photos, " ".join(self.kind.text().split())
        if not photos or not kind or self.is_busy:
            self._advise(())
            return
        values: dict[str, Any] = {"initialise_from": kind, "template": self.form.value("template")}
        if all(tile.is_set for tile in self.photos.tiles):
            values["crops"] = self.photos.crops
        asked = [id(photo) for photo in photos]

        def judged(found: Judged) -> None:
            if [id(photo) for photo in self.photos.photos] == asked:
                self.photos.suggest(found.crops)
                self._advise(found.sentences)

        self._application.concepts.judge(photos, values, self.model.currentData(), judged, self)

    def _advise(self, sentences: tuple[str, ...]) -> None:
        self.advice.setText("\n".join(f"• {sentence}" for sentence in sentences))
        self.advice.setVisible(bool(sentences))

    # the job's side

    def show_asked(self, request: Request, contents: Mapping[str, Any]) -> None:
        parameters = request.parameters
        if self.photos.tiles or not isinstance(parameters, LearnConcept):
            return  # asked for here
        found = [contents.get(image.hash) for image in parameters.images]
        for pixels, crop in zip(found, parameters.crops or (WHOLE,) * len(found), strict=False):
            if isinstance(pixels, np.ndarray):
                self.photos.add_photos([pixels], crop)
        self.name.setText(parameters.token.strip("<>"))
        self.kind.setText(parameters.initialise_from)
        self.model.setCurrentIndex(self.model.findData(request.model))
        for name in self.form.editors:
            self.form.set_value(name, getattr(parameters, name))

    def forget_steps(self) -> None:
        self.strip.clear()

    def show_step(self, step: Step) -> None:
        if step.preview is not None:
            self.strip.add(step.preview)
            self.strip.setVisible(True)

    def told_kept(self, info: Any) -> str:
        if not isinstance(info, Kept):
            return ""
        text = self.tr("Learnt. Write {word} in a prompt: {example}.")
        return text.format(word=info.word, example=quoted(f"a photo of a {info.word}"))

    def show_state(self, *, busy: bool) -> None:
        self.strip.setVisible(bool(self.strip.pictures))

    # what is shown

    def _show_word(self) -> None:
        word = made_word(self.name.text())
        self.word.setText(
            self.tr("In prompts: {word}").format(word=word)
            if word
            else self.tr("In prompts it stands in angle brackets")
        )

    def _show_rows(self) -> None:
        self.form.show_names(list(self.form.editors) if self.more.isChecked() else list(_FIRST))

"""The Subjects panel: binds a session's prompt, subjects and sliders to widgets."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QCheckBox, QPushButton, QScrollArea, QVBoxLayout, QWidget

from editor.application import Application
from editor.document.document import Document
from editor.generating.heatmaps import subject_box
from editor.generating.known_words import taught_by, unknown_words
from editor.layers.recipes import Recipe
from editor.pixels.raster import Raster
from editor.sliders.keyframes import Shown
from editor.sliders.session import AttributeSession
from editor.words.said import said
from inference.errors import EditorError
from widgets.forms.scrolled import scroll_to
from widgets.look.pictures import WHOLE, cropped, faded
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import tokens_of
from widgets.subjects.concept_shelf import ConceptShelf
from widgets.subjects.description import Description
from widgets.subjects.keyframe_slider import Keyframe
from widgets.subjects.older_notice import OlderNotice
from widgets.subjects.prompt_box import PromptBox, insert_word
from widgets.subjects.subject_section import SubjectSection

CELL = QSize(36, 46)
_CURRENT_INTERVAL_MS = 40
_SMALL_KEPT = 128  # pictures of the size of a handle
QRectKey = tuple[float, float, float, float]
_MIN_WIDTH = 320  # seed, dice, pencil and button side by side


class SubjectPanel(QWidget):
    """Shows the application's session; every change goes to the session and comes back by its signals."""

    subject_hovered = Signal(int)  # index, -1 for none
    teach_requested = Signal(str)  # a subject's words
    concept_wanted = Signal(str)  # to be put into a prompt that is yet to come

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._application = application
        self._session: AttributeSession | None = None
        self._sections: list[SubjectSection] = []
        self._current: Shown | None = None
        self._boxes: dict[tuple[tuple[int, int], tuple[str, int | None, str]], QRectF] = {}
        self._images: dict[tuple[int, str, float], tuple[Raster, QRectF, QImage]] = {}
        self._small: OrderedDict[tuple[int, QRectKey], tuple[Raster, QImage]] = OrderedDict()
        self._origin: tuple[str, int | None, str] = ("", 0, "")  # prompt, seed, picture that `_images` show
        self._current_timer = QTimer(self, singleShot=True, interval=_CURRENT_INTERVAL_MS)
        self._current_timer.timeout.connect(self._show_current)
        self.setMinimumWidth(_MIN_WIDTH)
        self.prompt = PromptBox()
        self.hint = Label(self.tr("Click a word above to make it a subject, then add attributes to it."))
        self.hint.setProperty("dim", True)
        self.hint.setWordWrap(True)
        self._lay_out()
        self.prompt.generate_requested.connect(self._on_generate)
        self.prompt.view.toggled.connect(self._on_toggled)
        self.prompt.view.extended.connect(self._on_extended)
        self.prompt.view.subject_hovered.connect(self.subject_hovered)
        self.description.given.connect(application.operations.describe)
        self.shelf.chosen.connect(self._on_concept)
        application.operations.busy_changed.connect(self.description.set_busy)
        self.description.suggestion_wanted.connect(application.descriptions.suggest)
        application.descriptions.busy_changed.connect(self._show_suggesting)
        application.descriptions.suggested.connect(self._on_suggested)
        self.older.wanted.connect(self._on_make_again)
        self.another.clicked.connect(lambda: self._show_description(wanted=True))
        self.back.clicked.connect(lambda: self._show_description(wanted=False))
        application.operations.busy_changed.connect(self._show_older)
        application.older_states.changed.connect(self._show_older)
        application.session_changed.connect(self.set_session)
        self._described, self._texts = application.current, dict[Document, str]()
        application.current_changed.connect(self._on_current_changed)
        application.document_closed.connect(self._on_document_closed)
        application.recipe_requested.connect(self._on_recipe_requested)
        self.set_session(application.session)

    def set_session(self, session: AttributeSession | None) -> None:
        """Show another session's sliders, or say why there are none."""
        if self._session is not None:
            self._session.disconnect(self)
        self._session = session
        self._images.clear()
        self._small.clear()
        self._boxes.clear()
        self._drop_sections()
        self._show_description(wanted=False)
        if session is None:
            self._show_why_empty()
            return
        session.sliders_changed.connect(self._on_sliders_changed)
        session.value_changed.connect(self._on_value_changed)
        session.keyframes_changed.connect(self._on_keyframes_changed)
        session.maps_changed.connect(self._on_maps_changed)
        session.display_changed.connect(self._on_display_changed)
        session.committed.connect(self._on_sliders_changed)
        layer = session.document.layer(session.layer_id)
        self._current = Shown(layer.raster, exact=True)
        self._on_sliders_changed()

    @property
    def sections(self) -> tuple[SubjectSection, ...]:
        return tuple(self._sections)

    def focus_subject(self, index: int) -> None:
        """Bring a subject's first slider into view and give it the keyboard."""
        if not 0 <= index < len(self._sections):
            return
        self._show_description(wanted=False)
        section = self._sections[index]
        self._scroll.ensureWidgetVisible(section)
        row = next(iter(section.rows.values()), None)
        (row.track if row is not None else section.add).setFocus()

    # layout

    def _lay_out(self) -> None:
        self._filled, self._empty = QWidget(), QWidget()
        self._body = QVBoxLayout(self._filled)
        self._body.setContentsMargins(14, 4, 14, 14)
        self._body.setSpacing(6)
        self.older = OlderNotice()
        self._body.addWidget(self.older)
        self._body.addWidget(self.prompt)
        self._body.addWidget(self.hint)
        self.only_subject = QCheckBox(self.tr("Only this subject"))
        set_tip(self.only_subject, self.tr("Everything outside of the subjects that change stays as it is"))
        self.only_subject.toggled.connect(lambda on: self._do(lambda s: s.set_only_subject(on)))
        self._body.addWidget(self.only_subject)
        self.another = QPushButton(self.tr("Describe another part…"))
        set_tip(
            self.another,
            self.tr("Select a part of the picture first: it gets sliders and a layer of its own"),
        )
        self._body.addSpacing(8)
        self._body.addWidget(self.another)
        self._body.addStretch(1)
        self._reason = Label()
        self._reason.setWordWrap(True)
        self._reason.setProperty("dim", True)
        self.description = Description()
        self.new_picture = QPushButton(self.tr("New from prompt…"))
        empty = QVBoxLayout(self._empty)
        empty.setContentsMargins(14, 8, 14, 14)
        empty.setSpacing(10)
        empty.addWidget(self._reason)
        empty.addWidget(self.description)
        self.back = QPushButton(self.tr("Back to the sliders"))
        empty.addWidget(self.back)
        empty.addSpacing(8)
        empty.addWidget(self.new_picture)
        empty.addStretch(1)
        content = QWidget()
        stack = QVBoxLayout(content)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.addWidget(self._filled)
        stack.addWidget(self._empty)
        self.shelf = ConceptShelf(self._application.concepts)
        below = QVBoxLayout()
        below.setContentsMargins(14, 0, 14, 14)
        below.addWidget(self.shelf)
        stack.addLayout(below)
        stack.addStretch(1)
        self._scroll = scroll = QScrollArea(widgetResizable=True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def sizeHint(self) -> QSize:
        return QSize(330, 420)

    def _on_current_changed(self, document: Document | None) -> None:
        """What was typed belongs to its picture: another one is asked anew, this one finds it again."""
        before = self._described
        if document is not before:
            if before is not None and before in self._application.documents:
                self._texts[before] = self.description.text
            self.description.set_text(self._texts.pop(document, "") if document is not None else "")
            self._described = document
        self._show_why_empty()

    def _on_document_closed(self, document: Document) -> None:
        self._texts.pop(document, None)

    def _show_description(self, *, wanted: bool) -> None:
        """In place of the sliders what asks for the words of a picture, or of another part of one."""
        has_sliders = self._session is not None
        self._filled.setVisible(has_sliders and not wanted)
        self._empty.setVisible(not has_sliders or wanted)
        self.back.setVisible(has_sliders)
        self.new_picture.setVisible(not has_sliders)
        if not wanted or self._session is None:
            return
        self._show_why_empty()
        self._reason.setText(self.tr("Select a part of the picture, and say what it shows."))
        self._reason.show()
        layers = self._session.document.state.rasters()
        described = [layer.recipe.prompt.split() for layer in layers if layer.recipe is not None]
        if self.description.text.split() in described:
            self.description.set_text("")
        self.description.field.setFocus()

    def _show_why_empty(self) -> None:
        no_picture = self._application.current is None
        self._reason.setVisible(no_picture)
        self.description.setVisible(not no_picture)
        self._show_suggesting()
        self._reason.setText(self.tr("The prompt of a picture and the sliders of its subjects appear here."))

    def _show_suggesting(self) -> None:
        asked = self._application.descriptions
        self.description.set_suggesting(possible=asked.can_suggest, busy=asked.busy)

    def _on_suggested(self, document: Document, text: str) -> None:
        if document is self._application.current:
            self.description.show_suggestion(text)

    def _drop_sections(self) -> None:
        for section in self._sections:
            self._body.removeWidget(section)
            section.hide()
            section.deleteLater()
        self._sections = []

    def _new_section(self, index: int) -> SubjectSection:
        assert self._session is not None
        subject = self._session.subjects[index]
        section = SubjectSection(subject, tokens_of(self).subject(subject.colour_index))
        section.moved.connect(lambda *move: self._on_moved(index, *move))
        section.reset_requested.connect(lambda name: self._do(lambda s: s.reset(index, name or None)))
        section.remove_requested.connect(lambda name: self._do(lambda s: s.remove_attribute(index, name)))
        section.add_requested.connect(lambda name: self._on_add(index, name))
        section.teach_requested.connect(self.teach_requested)
        section.link_toggled.connect(lambda name, on: self._do(lambda s: s.set_linked(name, on)))
        section.subject_removed.connect(lambda: self._on_toggled(*subject.span))
        section.hovered.connect(lambda on: self._on_hovered(index, on))
        return section

    # the session's side

    def _on_sliders_changed(self) -> None:
        session = self._session
        if session is None:
            return
        self.prompt.set_prompt(session.recipe.read_prompt, session.seed, session.subjects)
        self.prompt.tell_unknown(partial(self._unknown_words, session.recipe))
        if self._origin != session.origin:
            self._origin = session.origin
            self._images.clear()
        if [section.subject for section in self._sections] != list(session.subjects):
            self._drop_sections()
            self._images.clear()
            for index in range(len(session.subjects)):
                section = self._new_section(index)
                self._sections.append(section)
                self._body.insertWidget(self._body.indexOf(self.only_subject), section)
        for index, section in enumerate(self._sections):
            sliders = [slider for slider in session.sliders if slider.subject == index]
            section.set_sliders(sliders, session.available_attributes(index))
            for slider in sliders:
                self._on_keyframes_changed(index, slider.attribute)
        self.hint.setVisible(not session.subjects)
        self.only_subject.setVisible(bool(session.sliders))
        blocked = self.only_subject.blockSignals(True)
        self.only_subject.setChecked(session.only_subject)
        self.only_subject.blockSignals(blocked)
        self.prompt.set_seeded(session.has_seed)
        self._show_older()
        self._on_maps_changed()
        self._show_current()

    def _unknown_words(self, recipe: Recipe, prompt: str) -> tuple[str, ...]:
        """Those of a prompt that the model and the LoRAs of a recipe cannot draw."""
        entries, loras = self._application.catalogue.entries(), self._application.loras.named(recipe.loras)
        return unknown_words(recipe.as_read(prompt).text, recipe.request.model, entries, taught_by(loras))

    def _show_older(self) -> None:
        session = self._session
        if session is None:
            return
        older = session.layer_id in self._application.older_states.of(session.document)
        busy = self._application.operations.busy
        self.older.show_older(older, lacks_picture=session.lacks_picture, busy=busy)
        for widget in (self.prompt, self.only_subject, *self._sections):
            widget.setEnabled(not session.lacks_picture)

    def _on_make_again(self) -> None:
        if self._session is not None:
            self._application.operations.make_again(self._session.layer_id)

    def _on_value_changed(self, index: int, attribute: str, value: float) -> None:
        row = self._sections[index].rows.get(attribute) if index < len(self._sections) else None
        if row is not None:
            row.set_number(value)

    def _on_keyframes_changed(self, index: int, attribute: str) -> None:
        row = self._sections[index].rows.get(attribute) if index < len(self._sections) else None
        if row is None or self._session is None:
            return
        frames = self._session.keyframes(index, attribute)
        box = self._box(index)
        made: list[Keyframe] = [
            (value, self._image((index, attribute, value), pixels, box)) for value, pixels in frames
        ]
        row.set_track(self._session.track(index, attribute))
        row.set_keyframes(made, waiting=self._session.prepares)

    def _on_maps_changed(self) -> None:
        if self._session is None:
            return
        for index, section in enumerate(self._sections):
            for attribute in section.rows:
                self._on_keyframes_changed(index, attribute)

    def _on_display_changed(self, shown: Shown) -> None:
        self._current = shown
        if not self._current_timer.isActive():
            self._current_timer.start()

    def _show_current(self) -> None:
        """The handles show the subject as it is now."""
        if self._current is None:
            return
        for index, section in enumerate(self._sections):
            if section.rows:
                image = self._handle(self._current, self._box(index))
                for row in section.rows.values():
                    row.set_current(image)

    def _on_recipe_requested(self, session: AttributeSession) -> None:
        if session is not self._session:
            self.set_session(session)
        self._show_description(wanted=False)
        rows = [row for section in self._sections for row in section.rows.values()]
        if rows:
            rows[0].track.setFocus()

    # the hand's side

    def _on_hovered(self, index: int, on: bool) -> None:
        known = on and self._session is not None and self._session.heat(index) is not None
        self._sections[index].set_note(self.tr("shown on the canvas") if known else "")
        self.subject_hovered.emit(index if on else -1)

    def _on_moved(self, index: int, attribute: str, value: float, dragging: bool) -> None:
        self._do(lambda session: session.set_value(index, attribute, value, dragging=dragging))

    def _on_add(self, index: int, attribute: str) -> None:
        self._do(lambda session: session.add_attribute(index, attribute))
        row = self._sections[index].rows.get(attribute) if index < len(self._sections) else None
        if row is not None:
            row.track.setFocus()
            scroll_to(self, row)

    def _on_toggled(self, start: int, end: int) -> None:
        self._do(lambda session: session.toggle_subject(start, end))
        for section in self._sections:
            if section.subject.span == (start, end):  # it was chosen: what comes next is to be seen
                scroll_to(self, section)

    def _on_extended(self, start: int, end: int, wished_start: int, wished_end: int) -> None:
        def extend(session: AttributeSession) -> None:
            for subject in session.subjects:
                if subject.start < wished_end and wished_start < subject.end:
                    session.toggle_subject(*subject.span)
            session.toggle_subject(wished_start, wished_end)

        self._do(extend)

    def _on_concept(self, word: str) -> None:
        if self._session is None:
            self.concept_wanted.emit(word)
        elif self._filled.isHidden():  # another part is being described
            insert_word(self.description.field, word)
        else:
            self.prompt.insert(word)

    def _on_generate(self, prompt: str, seed: int) -> None:
        def generate(session: AttributeSession) -> None:
            if prompt != session.prompt:
                session.set_prompt(prompt, seed)
            else:
                session.set_seed(seed)

        self._do(generate)

    def _do(self, change: Callable[[AttributeSession], None]) -> None:
        """Change the session; what it refuses becomes a message."""
        if self._session is None:
            return
        try:
            change(self._session)
        except EditorError as error:
            self._application.message.emit(said(error.sentence), said(error.advice), "error")
            self._on_sliders_changed()

    # pictures

    def _box(self, index: int) -> QRectF:
        """Where a subject is. Kept while the sliders move, so that the pictures of a track stay in place."""
        session = self._session
        if session is None:
            return WHOLE
        key = (session.subjects[index].span, session.origin)
        if key not in self._boxes:
            heat = session.heat(index)
            if heat is None:
                return WHOLE
            self._boxes[key] = subject_box(heat)
        return self._boxes[key]

    def _handle(self, shown: Shown, box: QRectF) -> QImage:
        """The subject as it is shown; a crossfade is made of the two small pictures."""
        first = self._cropped(shown.first, box)
        return first if shown.second is None else faded(first, self._cropped(shown.second, box), shown.share)

    def _cropped(self, raster: Raster, box: QRectF) -> QImage:
        key = (id(raster), (box.x(), box.y(), box.width(), box.height()))
        known = self._small.get(key)
        if known is None or known[0] is not raster:
            profile = self._session.document.icc_profile if self._session is not None else b""
            known = (raster, cropped(raster, box, CELL, self.devicePixelRatioF(), profile))
            self._small[key] = known
        self._small.move_to_end(key)
        while len(self._small) > _SMALL_KEPT:
            self._small.popitem(last=False)
        return known[1]

    def _image(self, key: tuple[int, str, float], pixels: Raster | None, box: QRectF) -> QImage | None:
        """A position's picture; until the exact one is there, its last one, if that shows the same part."""
        kept = self._images.get(key)
        if pixels is None:
            return kept[2] if kept is not None and kept[1] == box else None
        if kept is None or kept[0] is not pixels or kept[1] != box:
            kept = (pixels, box, self._cropped(pixels, box))
            self._images[key] = kept
        return kept[2]

"""The Translate panel: a new text for a picture, and how much of its structure and look is kept."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from editor.application import Application
from editor.document.document import Document
from editor.generating.heatmaps import overlaid
from editor.pixels.qimages import to_qimage
from editor.sliders.strengths import StrengthSession
from inference.content import Picture
from inference.kinds import content_type
from inference.operations import OPERATIONS, Translate
from widgets.forms.details_button import DetailsButton
from widgets.forms.parameter_form import ParameterForm
from widgets.forms.scrolled import lay_out_scrolled
from widgets.forms.slider_form import SliderForm
from widgets.forms.unknown_words import UnknownWords, on_words, said_in
from widgets.generate.document_panel import (
    DimLabel,
    DocumentPanel,
    LayerFields,
    Slots,
    listened,
)
from widgets.look.focus_within import enable
from widgets.look.plain_text import Label, set_tip
from widgets.look.steady_button import SteadyButton
from widgets.look.theme import tokens_of

STRENGTHS = ("structure", "appearance")
_FIRST = ("image", "mask", "prompt")
_PREVIEW_PX = 160
_NO_PICTURE = Picture("0" * 64)  # only the numbers are shown


class TranslatePanel(DocumentPanel):
    """Shows and changes `Application.translation`."""

    sheet_wished = Signal(object)  # the values of the form
    look_wished = Signal(object)

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(application, parent)
        self._translation = application.translation
        self._session: StrengthSession | None = None
        self._fields = LayerFields(self._field_values, self._show_field)
        self._strengths: dict[str, float] = {name: _default(name) for name in STRENGTHS}
        declared = Translate.declared()
        known = {*_FIRST, *STRENGTHS}
        self.form = ParameterForm(
            [item for item in declared if item.name in _FIRST], "Operations", least_px=150
        )
        self.sliders = SliderForm([item for item in declared if item.name in STRENGTHS], "Operations")
        self.details = ParameterForm(
            [item for item in declared if item.name not in known], "Operations", least_px=150
        )
        self.details.hide()
        self.more = DetailsButton()
        self.show_mask = QToolButton()
        self.show_mask.setText(self.tr("Show the subject's mask"))
        self.show_mask.setCheckable(True)
        self.show_mask.setProperty("quiet", True)
        self.mask_picture = Label()
        self.mask_picture.setAccessibleName(self.tr("Where the model sees the subject"))
        self.mask_picture.hide()
        self.unknown = UnknownWords()
        self.hint = DimLabel()
        self.memory = DimLabel()
        self.memory.hide()
        self.see = QPushButton(self.tr("What it sees…"))
        set_tip(self.see, self.tr("Features and attention of the model for this picture, step by step"))
        self.compare = QPushButton(self.tr("Compare…"))
        set_tip(self.compare, self.tr("Several texts and strengths side by side"))
        self.start = SteadyButton()
        self.start.setProperty("primary", True)
        self._show_defaults()
        self._lay_out()
        self._connect()
        self._begin()
        self._show_session(self._translation.session)

    def values(self) -> dict[str, Any]:
        """What the forms say; pictures and masks as `Source`."""
        forms = (self.form, self.details)
        found = {name: form.value(name) for form in forms for name in form.editors}
        return {**found, **self._strengths}

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setContentsMargins(14, 8, 14, 10)
        buttons.setSpacing(8)
        buttons.addWidget(self.see)
        buttons.addWidget(self.compare)
        buttons.addStretch(1)
        buttons.addWidget(self.start)
        switches = QHBoxLayout()
        switches.addWidget(self.more)
        switches.addStretch(1)
        switches.addWidget(self.show_mask)
        content = QWidget()
        body = QVBoxLayout(content)
        body.setContentsMargins(14, 8, 14, 14)
        body.setSpacing(10)
        body.addWidget(self.form)
        body.addWidget(self.unknown)
        body.addWidget(self.sliders)
        body.addLayout(switches)
        body.addWidget(self.mask_picture, 0, Qt.AlignmentFlag.AlignHCenter)
        body.addWidget(self.details)
        body.addWidget(self.hint)
        body.addWidget(self.memory)
        body.addStretch(1)
        lay_out_scrolled(self, content, buttons)

    def _connect(self) -> None:
        translation = self._translation
        self.more.toggled.connect(self.details.setVisible)
        self.show_mask.toggled.connect(self._show_mask)
        self.sliders.changed.connect(self._on_slid)
        self.sliders.finished.connect(self._on_slid_to_end)
        self.start.clicked.connect(self._on_start)
        self.compare.clicked.connect(lambda: self.sheet_wished.emit(self.values()))
        self.see.clicked.connect(lambda: self.look_wished.emit(self.values()))
        self.details.changed.connect(lambda *_: self._show_memory())
        for form in (self.form, self.details):
            on_words(form, self._show_unknown)
        self._hear_of_models(self._show_unknown)
        translation.memory_known.connect(self._show_memory)
        translation.session_changed.connect(self._show_session)
        translation.busy_changed.connect(self._show_enabled)

    def _show_defaults(self) -> None:
        for form in (self.form, self.details):
            for item in Translate.declared():
                if item.name in form.editors and not item.required and content_type(item) is None:
                    form.set_value(item.name, item.default)
        self.details.set_value("weighted", self._application.settings.get("weighted_prompts"))
        self.sliders.show_values(Translate(image=_NO_PICTURE))

    def _heard(self, document: Document) -> Slots:
        return ((document.layer_changed, self._show_layer),)

    def _show_session(self, session: StrengthSession | None) -> None:
        """Another layer is active: its values, if a translation made it."""
        self._session = listened(
            self,
            self._session,
            session,
            lambda now: ((now.changed, self._show_strengths), (now.busy_changed, self._show_enabled)),
        )
        self._show_layer()

    def _show_layer(self) -> None:
        recipe = self._translation.recipe
        if recipe is not None:
            made = {name: getattr(recipe.request.parameters, name) for name in self._field_values()}
            active = self._document.state.active if self._document is not None else ""
            self._fields.take((self._document, active), made)
        else:
            self._fields.leave()
        again = recipe is not None
        editable = OPERATIONS["translate"].editable
        self.form.show_names([name for name in self.form.editors if not again or name in editable])
        self.details.show_names([name for name in self.details.editors if not again or name in editable])
        self._show_strengths()
        self._show_mask()
        self._show_enabled()
        self._show_unknown()

    def _show_unknown(self) -> None:
        self._tell_unknown(self.unknown, said_in(self.form, self.details), self._translation.recipe)

    def _field_values(self) -> dict[str, Any]:
        """What the forms say beside pictures and files."""
        plain = {item.name for item in Translate.declared() if content_type(item) is None}
        forms = (self.form, self.details)
        return {name: form.value(name) for form in forms for name in form.editors if name in plain}

    def _show_field(self, name: str, value: Any) -> None:
        (self.form if name in self.form.editors else self.details).set_value(name, value)

    def _show_strengths(self) -> None:
        if self._session is not None:
            self._strengths = dict(self._session.strength._asdict())
        structure, appearance = (self._strengths[name] for name in STRENGTHS)
        self.sliders.show_values(Translate(image=_NO_PICTURE, structure=structure, appearance=appearance))

    def _show_mask(self) -> None:
        heat = self._translation.mask()
        self.show_mask.setVisible(heat is not None)
        shown = heat is not None and self.show_mask.isChecked() and self._session is not None
        self.mask_picture.setVisible(shown)
        if not shown or heat is None or self._session is None:
            return
        pixels = self._session.document.layer(self._session.layer_id).pixels
        colour = tokens_of(self).subject(0)
        rgb = (colour.red(), colour.green(), colour.blue())
        image = to_qimage(overlaid(pixels, heat, rgb))
        ratio = self.devicePixelRatioF()
        side = round(_PREVIEW_PX * ratio)
        kept, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        pixmap = QPixmap.fromImage(image.scaled(side, side, kept, smooth))
        pixmap.setDevicePixelRatio(ratio)
        self.mask_picture.setPixmap(pixmap)

    def _show_memory(self) -> None:
        """What the run will keep, before it starts."""
        values = self.values()
        needed, limit = self._translation.memory(values), int(values["kept_mib"])
        self.memory.setVisible(bool(needed) and self._document is not None)
        set_tip(self.start, "")
        if not needed:
            return
        mib = needed / 2**20
        if mib > limit:
            text = self.tr("Features: {needed} MiB, {limit} may be kept. The rest is computed for each text.")
        else:
            text = self.tr("Keeps {needed} MiB of the picture's features: a further text costs half.")
        said = text.format(needed=f"{mib:.0f}" if mib >= 10 else f"{mib:.1f}", limit=limit)
        self.memory.setText(said)
        set_tip(self.start, said)  # seen without scrolling, too

    def _show_enabled(self) -> None:
        busy, has_document = self._translation.busy, self._document is not None
        again = self._translation.recipe is not None
        label = QCoreApplication.translate("Operations", OPERATIONS["translate"].label)
        enable(self.start, has_document and not busy)
        texts = (self.tr("Working…"), self.tr("Make again"), label)
        self.start.say(texts[0] if busy else texts[1] if again else label, texts)
        self.compare.setEnabled(has_document)
        self.see.setEnabled(has_document)
        lacks_picture = self._session is not None and self._session.lacks_picture
        self.sliders.setEnabled(not lacks_picture)
        if not has_document:
            text = self.tr("Open a picture first.")
        elif lacks_picture:
            text = self.tr(
                "The picture has another form now. The sliders work again once the layer is made anew."
            )
        elif again:
            text = self.tr("The sliders change this layer; it is made from the same picture.")
        else:
            text = self.tr("Say what the picture shall become. The result becomes a layer of its own.")
        self.hint.setText(text)
        self._show_memory()

    def _on_slid(self, name: str, value: float, dragging: bool) -> None:
        self._strengths[name] = float(value)
        self._show_memory()
        if self._session is not None:
            self._session.set_value(name, float(value), dragging=dragging)

    def _on_slid_to_end(self) -> None:
        if self._session is not None:
            name = STRENGTHS[0]
            self._session.set_value(name, self._strengths[name], dragging=False)

    def _on_start(self) -> None:
        again = self._translation.recipe is not None
        values = self.values()
        self._fields.ask()
        if again:
            values = {
                name: value for name, value in values.items() if name in OPERATIONS["translate"].editable
            }
        self._translation.start(values, again=again)


def _default(name: str) -> float:
    return float(next(item.default for item in Translate.declared() if item.name == name))

"""The contact sheet: seeds down, methods across, the scores under each picture."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from editor.application import Application
from editor.document.document import Document
from editor.generating.contact_sheet import ContactSheet, Place
from editor.layers.layer import Layer
from editor.words.said import said
from inference.errors import EditorError
from inference.methods.gsn.procedures import METHODS
from widgets.forms.fields import SpinBox
from widgets.generate.refine_panel import method_label
from widgets.generate.sheet_dialog import PICTURE_PX, SheetDialog
from widgets.look.plain_text import Label
from widgets.look.theme import inset, scaled_font, tabular

USUAL_METHODS = ("plain", "ours", "ours+")
USUAL_SEEDS = 3
MOST_SEEDS = 16


class ContactSheetDialog(SheetDialog[Place]):
    """Compares methods over seeds for one layer; a chosen picture becomes a layer beside it."""

    def __init__(
        self, application: Application, document: Document, layer: Layer, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Compare methods and seeds"))
        self._application = application
        self._document = document
        self._layer = layer
        scores = application.refinement.scores
        self.sheet = ContactSheet(layer, application.service, scores, self, called=method_label)
        self._heads: dict[str, Label] = {}
        self.methods = QPushButton()
        self.methods.setProperty("menu", True)
        self.seeds = SpinBox(minimum=1, maximum=MOST_SEEDS, value=USUAL_SEEDS)
        inset(self.seeds)
        self.seeds.setAccessibleName(self.tr("Seeds"))
        self._menu = QMenu(self)
        self._entries = {name: self._entry(name) for name in METHODS}
        self.methods.setMenu(self._menu)
        self._lay_out()
        self.seeds.valueChanged.connect(lambda _: self._on_choice())
        self.sheet.changed.connect(self._show)
        self.sheet.scored.connect(self._show)
        self.sheet.finished.connect(self._on_finished)
        self._show_methods()
        self._rebuild()
        self.resize(700, 682)

    def chosen_methods(self) -> tuple[str, ...]:
        return tuple(name for name, entry in self._entries.items() if entry.isChecked())

    def done(self, result: int) -> None:
        self.sheet.close()
        super().done(result)

    @property
    def _pictures(self) -> ContactSheet:
        return self.sheet

    def _name(self, place: Place) -> str:
        text = self.tr("{method}, seed {seed}")
        return text.format(method=method_label(place.method), seed=place.seed)

    def _text(self, place: Place) -> str:
        score = self.sheet.score(place)
        if score is None:
            return "…"
        if score.problem or not score.seen:
            return "–"
        return self.tr("{seen} of {all}").format(seen=sum(score.seen), all=len(score.seen))

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.methods)
        row.addSpacing(12)
        row.addWidget(Label(self.tr("Seeds")))
        row.addWidget(self.seeds)
        self._add_grid(row)

    def _entry(self, name: str) -> QAction:
        entry = self._menu.addAction(method_label(name))
        entry.setCheckable(True)
        entry.setChecked(name in USUAL_METHODS)
        entry.toggled.connect(lambda _: self._on_choice())
        return entry

    def _on_choice(self) -> None:
        self._show_methods()
        if not self.sheet.busy:
            self._rebuild()

    def _on_finished(self) -> None:
        """What was chosen while the pictures were drawn shows now."""
        if list(self.cards) != self._places():
            self._rebuild()
        else:
            self._show()

    def _places(self) -> list[Place]:
        """The frames of what is chosen, row by row."""
        seeds = self.sheet.seeds(self.seeds.value())
        return [Place(method, seed) for seed in seeds for method in self.chosen_methods()]

    def _show_methods(self) -> None:
        count = len(self.chosen_methods())
        self.methods.setText(self.tr("Methods: {count}").format(count=count))

    def _on_start(self) -> None:
        if self.sheet.busy:
            self.sheet.stop()
            return
        try:
            self.sheet.start(self.chosen_methods(), self.seeds.value())
        except EditorError as error:
            self.status.setText(said(error.sentence))
            return
        self._rebuild()

    def _rebuild(self) -> None:
        chosen = self._chosen()
        self._clear()
        self._heads = {}
        methods, seeds = self.chosen_methods(), self.sheet.seeds(self.seeds.value())
        for column, method in enumerate(methods, 1):
            head = self._heads[method] = Label()
            head.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            head.setWordWrap(True)
            head.setFixedWidth(PICTURE_PX + 16)
            self._grid.addWidget(head, 0, column)
        for row, seed in enumerate(seeds, 1):
            label = Label(str(seed))
            label.setFont(tabular(scaled_font(label.font(), 0.92)))
            label.setProperty("dim", True)
            self._grid.addWidget(label, row, 0)
        for index, place in enumerate(self._places()):
            row, column = divmod(index, len(methods))
            self._add_card(place, row + 1, column + 1)
        self._grid.setColumnStretch(len(methods) + 1, 1)
        self._grid.setRowStretch(len(seeds) + 1, 1)
        self._show()
        if chosen is not None and chosen in self.cards:
            self.cards[chosen].setChecked(True)

    def _show(self, _place: object = None) -> None:
        for method, head in self._heads.items():
            head.setText(self._head(method))
        super()._show()

    def _head(self, method: str) -> str:
        scores = [self.sheet.score(place) for place in self.cards if place.method == method]
        known = [score for score in scores if score is not None and score.seen]
        if not known:
            return method_label(method)
        right = sum(score.all_seen for score in known)
        text = self.tr("{method}\nall there: {right} of {count}")
        return text.format(method=method_label(method), right=right, count=len(known))

    def _on_add(self) -> None:
        place = self._chosen()
        cell = self.sheet.cell(place) if place is not None else None
        if place is None or cell is None or cell.result is None:
            return
        recipe = self.sheet.recipe(place)
        self._application.refinement.place(self._document, self._layer.id, cell.result, recipe)

"""The contact sheet: seeds down, methods across, the scores under each picture."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QIcon, QPixmap
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QToolButton,
    QWidget,
)

from editor.application import Application
from editor.document.document import Document
from editor.generating.contact_sheet import Cell, ContactSheet, Place
from editor.generating.picture_scores import PictureScore
from editor.layers.layer import Layer
from editor.pixels.qimages import to_qimage
from editor.words.said import said
from inference.errors import EditorError
from inference.methods.gsn.procedures import METHODS
from inference.request import Pixels
from widgets.forms.dialog import Dialog
from widgets.forms.fields import SpinBox
from widgets.generate.refine_panel import method_label
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import inset, scaled_font, tabular

PICTURE_PX = 116
USUAL_METHODS = ("plain", "ours", "ours+")
USUAL_SEEDS = 3
MOST_SEEDS = 16


class ContactCard(QToolButton):
    """One picture; an empty frame as long as it is not there."""

    def __init__(self, place: Place, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = place
        self.setObjectName("ContactCard")
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(PICTURE_PX, PICTURE_PX))
        self.setFixedSize(PICTURE_PX + 16, PICTURE_PX + 40)
        self.setFont(tabular(self.font()))
        name = self.tr("{method}, seed {seed}")
        self.setAccessibleName(name.format(method=method_label(place.method), seed=place.seed))
        self._picture: object = None

    def show_cell(self, cell: Cell | None, score: PictureScore | None) -> None:
        self.setEnabled(cell is not None and cell.result is not None)
        set_tip(self, said(cell.error) if cell is not None and cell.error else self.accessibleName())
        if cell is None or cell.result is None:
            self.setText(self._state(cell))
            return
        if self._picture is not cell.result:
            self._picture = cell.result
            self.setIcon(self._icon(cell.result.images[0]))
        self.setText(self._score_text(score))

    def _icon(self, picture: Pixels) -> QIcon:
        """The picture fitted to its place, enlarged where it is smaller."""
        ratio = self.devicePixelRatioF()
        side = round(PICTURE_PX * ratio)
        fitted = to_qimage(picture).scaled(
            side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        pixmap = QPixmap.fromImage(fitted)
        pixmap.setDevicePixelRatio(ratio)
        return QIcon(pixmap)

    def _state(self, cell: Cell | None) -> str:
        if cell is None:
            return ""
        if cell.error:
            return self.tr("failed")
        return self.tr("stopped") if cell.stopped else self.tr("waiting…")

    def _score_text(self, score: PictureScore | None) -> str:
        if score is None:
            return "…"
        if score.problem or not score.seen:
            return "–"
        return self.tr("{seen} of {all}").format(seen=sum(score.seen), all=len(score.seen))


class ContactSheetDialog(Dialog):
    """Compares methods over seeds for one layer; a chosen picture becomes a layer beside it."""

    def __init__(
        self, application: Application, document: Document, layer: Layer, parent: QWidget | None = None
    ) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Compare methods and seeds"))
        self._application = application
        self._document = document
        self._layer = layer
        scores = application.refinement.scores
        self.sheet = ContactSheet(layer, application.service, scores, self, called=method_label)
        self.cards: dict[Place, ContactCard] = {}
        self._heads: dict[str, Label] = {}
        self.methods = QPushButton()
        self.methods.setProperty("menu", True)
        self.seeds = SpinBox(minimum=1, maximum=MOST_SEEDS, value=USUAL_SEEDS)
        inset(self.seeds)
        self.seeds.setAccessibleName(self.tr("Seeds"))
        self.status = Label()
        self.status.setProperty("dim", True)
        self._menu = QMenu(self)
        self._entries = {name: self._entry(name) for name in METHODS}
        self.methods.setMenu(self._menu)
        self._grid_holder = QWidget()
        self._grid = QGridLayout(self._grid_holder)
        self._lay_out()
        self.add_button(self.tr("Close")).clicked.connect(self.close)
        self.add = self.add_button(self.tr("Add as layer"))
        self.start = self.add_button(self.tr("Compare"), primary=True)
        self.add.clicked.connect(self._on_add)
        self.start.clicked.connect(self._on_start)
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

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.methods)
        row.addSpacing(12)
        row.addWidget(Label(self.tr("Seeds")))
        row.addWidget(self.seeds)
        row.addStretch(1)
        row.addWidget(self.status)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(self._grid_holder)
        self.column.addLayout(row)
        self.column.addWidget(scroll, 1)

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
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        self.cards, self._heads = {}, {}
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
            self._grid.addWidget(self._card(place), row + 1, column + 1)
        self._grid.setColumnStretch(len(methods) + 1, 1)
        self._grid.setRowStretch(len(seeds) + 1, 1)
        self._show()
        if chosen is not None and chosen in self.cards:
            self.cards[chosen].setChecked(True)

    def _card(self, place: Place) -> ContactCard:
        card = self.cards[place] = ContactCard(place)
        card.setAutoExclusive(True)
        card.toggled.connect(lambda _: self._show_buttons())
        return card

    def _show(self, _place: object = None) -> None:
        for place, card in self.cards.items():
            card.show_cell(self.sheet.cell(place), self.sheet.score(place))
        for method, head in self._heads.items():
            head.setText(self._head(method))
        done, total = self.sheet.done
        text = self.tr("{done} of {total}").format(done=done, total=total) if self.sheet.busy else ""
        self.status.setText(text)
        self._show_buttons()

    def _head(self, method: str) -> str:
        scores = [self.sheet.score(place) for place in self.cards if place.method == method]
        known = [score for score in scores if score is not None and score.seen]
        if not known:
            return method_label(method)
        right = sum(score.all_seen for score in known)
        text = self.tr("{method}\nall there: {right} of {count}")
        return text.format(method=method_label(method), right=right, count=len(known))

    def _show_buttons(self) -> None:
        self.start.setText(self.tr("Stop") if self.sheet.busy else self.tr("Compare"))
        self.add.setEnabled(self._chosen() is not None)

    def _chosen(self) -> Place | None:
        chosen = (place for place, card in self.cards.items() if card.isChecked() and card.isEnabled())
        return next(chosen, None)

    def _on_add(self) -> None:
        place = self._chosen()
        cell = self.sheet.cell(place) if place is not None else None
        if place is None or cell is None or cell.result is None:
            return
        recipe = self.sheet.recipe(place)
        self._application.refinement.place(self._document, self._layer.id, cell.result, recipe)

"""The LoRAs of new pictures: those in use with their strengths and words, and a list of the others."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editor.controllers.loras import Loras
from inference.loras.library import ListedLora
from inference.parameters import Declaration, ParameterField
from widgets.forms.fields import ComboBox
from widgets.forms.slider_form import NumberRow
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label, set_tip, unmarked

STRONGEST = 2.0  # of the slider; the command line takes up to 4
_WORDS_SHOWN = 3
_LEAST_PX = 24
_LONGEST_SHOWN = 22  # characters of a name
_LONGEST_WORD = 13


class LoraRow(QWidget):
    """One LoRA in use: its strength, and the words that it wants in the prompt."""

    word_clicked = Signal(str)
    taken_out = Signal()
    resized = Signal()

    def __init__(self, lora: ListedLora, loras: Loras, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lora = lora
        self._loras = loras
        declared = Declaration(label=lora.name, min=-STRONGEST, max=STRONGEST, step=0.05)
        item = ParameterField(name="strength", type=float, optional=False, default=1.0, declaration=declared)
        self.number = NumberRow(item, _short(lora.name))
        for widget in (self.number.slider, self.number.box):
            widget.setAccessibleName(self.tr("Strength of {name}").format(name=lora.name))
        self.number.show_value(loras.strength(lora))
        self.number.changed.connect(lambda value, _: loras.set_strength(lora, value))
        tip = self.tr("1 is what it was trained for, 0 is without it; double-click for 1")
        set_tip(self.number, f"{lora.name}\n{tip}\n{lora.path}")
        self.more = IconButton("more", self.tr("More about {name}").format(name=_short(lora.name)))
        self.more.clicked.connect(self._show_menu)
        self.words = QLineEdit(", ".join(lora.words))
        self.words.setPlaceholderText(self.tr("words, parted by commas"))
        self.words.setAccessibleName(self.tr("Words of {name}").format(name=lora.name))
        self.words.editingFinished.connect(self._keep_words)
        self.words.hide()
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.number, 1)
        top.addWidget(self.more, 0, Qt.AlignmentFlag.AlignTop)
        self.buttons = [self._button(word) for word in lora.words[:_WORDS_SHOWN]]
        line = QHBoxLayout()
        line.setSpacing(4)
        for button in self.buttons:
            line.addWidget(button)
        line.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addLayout(line)
        layout.addWidget(self.words)

    def menu(self) -> QMenu:
        """What can be done with it."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for word in self.lora.words:
            text = self.tr("Put “{word}” into the prompt").format(word=_short(word))
            menu.addAction(unmarked(text), lambda word=word: self.word_clicked.emit(word))
        menu.addAction(self.tr("Change its words"), self.edit_words)
        menu.addSeparator()
        menu.addAction(self.tr("Do without it"), self.taken_out.emit)
        menu.addAction(self.tr("Forget it (its file stays)"), lambda: self._loras.remove(self.lora.name))
        return menu

    def _show_menu(self) -> None:
        self.menu().popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def edit_words(self) -> None:
        """Type the words that it wants in the prompt."""
        self.words.show()
        self.resized.emit()
        self.words.setFocus()

    def _keep_words(self) -> None:
        self.words.hide()
        self.resized.emit()
        words = tuple(word.strip() for word in self.words.text().split(",") if word.strip())
        if words != self.lora.words:
            self._loras.set_words(self.lora.name, words)

    def _button(self, word: str) -> QToolButton:
        button = QToolButton()
        button.setText(unmarked(_short(word, _LONGEST_WORD)))
        button.setProperty("link", True)
        button.setMinimumWidth(_LEAST_PX)  # rather cut than widening the panel
        button.setAccessibleName(word)
        set_tip(button, self.tr("{word}: put it into the prompt").format(word=word))
        button.clicked.connect(lambda: self.word_clicked.emit(word))
        return button


class LoraSection(QWidget):
    """Shows what is used with a model; files are added by *Add…* or by a drop.

    `titled` says in front what these are, for where no label of a form does; what is in use scrolls where it
    is higher than `most_px`, for where nothing around it scrolls.
    """

    word_clicked = Signal(str)

    def __init__(
        self,
        loras: Loras,
        model: str,
        parent: QWidget | None = None,
        *,
        titled: bool = True,
        most_px: int | None = None,
    ) -> None:
        super().__init__(parent)
        self._loras = loras
        self._model = model
        self._kept: set[str] = set()  # hashes of what was taken here; at strength 0 its slider stays
        self.rows: list[LoraRow] = []
        self.setAcceptDrops(True)
        self.choice = ComboBox()
        self.choice.setAccessibleName(self.tr("Use a LoRA"))
        self.choice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.choice.activated.connect(self._on_chosen)
        self.add = QToolButton()
        self.add.setText(self.tr("Add…"))
        self.add.setProperty("link", True)
        set_tip(self.add, self.tr("LoRA files (.safetensors), also by a drop; they stay where they are"))
        self.add.clicked.connect(self.ask_for_files)
        head = QHBoxLayout()
        head.setSpacing(8)
        if titled:
            title = Label(self.tr("LoRAs"))
            title.setProperty("dim", True)
            head.addWidget(title)
        head.addWidget(self.choice, 1)
        head.addWidget(self.add)
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(4)
        self._most_px = most_px
        self._shown: QWidget = content
        if most_px is not None:
            scroll = QScrollArea(widgetResizable=True)
            scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            scroll.setFrameShape(QScrollArea.Shape.NoFrame)
            scroll.setWidget(content)
            self._shown = scroll
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self._shown)
        loras.changed.connect(self._show)
        loras.strengths_changed.connect(self._show_strengths)
        self._show()

    def set_model(self, model: str) -> None:
        """Show those that may be for another model."""
        if model != self._model:
            self._model = model
            self._show()

    def ask_for_files(self) -> None:
        """Choose files to add."""
        names, _ = QFileDialog.getOpenFileNames(
            self, self.tr("Add LoRAs"), "", self.tr("LoRAs (*.safetensors)")
        )
        if names:
            self._loras.add_files([Path(name) for name in names])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self._loras.add_files(paths)

    def _show(self) -> None:
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        fitting = self._loras.fitting(self._model)
        used = [one for one in fitting if self._loras.strength(one) or one.hash in self._kept]
        self._kept.update(one.hash for one in used)
        self.rows = [self._row(one) for one in used]
        self.choice.clear()
        others = [one for one in fitting if one not in used]
        self.choice.addItem(self._invitation(len(others), bool(fitting)), None)
        for one in others:
            self.choice.addItem(one.name, one)
        self.choice.setEnabled(bool(others))
        self._fit()

    def _fit(self) -> None:
        """As high as what is in use, up to a point."""
        self._shown.setVisible(bool(self.rows))
        self._list.activate()
        if self._most_px is not None:
            self._shown.setFixedHeight(min(self._list.sizeHint().height(), self._most_px))

    def _invitation(self, others: int, some_fit: bool) -> str:
        if others:
            return self.tr("Use one…")
        if some_fit:
            return self.tr("All are in use")
        return self.tr("None for this model") if self._loras.known else self.tr("None yet")

    def _show_strengths(self) -> None:
        shown = {row.lora.hash: row for row in self.rows}
        for one in self._loras.fitting(self._model):
            strength = self._loras.strength(one)
            if one.hash in shown:
                shown[one.hash].number.show_value(strength)
            elif strength:
                self._show()
                return

    def _row(self, lora: ListedLora) -> LoraRow:
        row = LoraRow(lora, self._loras)
        row.word_clicked.connect(self.word_clicked)
        row.resized.connect(self._fit)
        row.taken_out.connect(lambda: self._take_out(lora))
        self._list.addWidget(row)
        row.show()  # now: what is not shown yet has no height
        return row

    def _on_chosen(self) -> None:
        lora = self.choice.currentData()
        if isinstance(lora, ListedLora):
            self._loras.set_strength(lora, 1.0)

    def _take_out(self, lora: ListedLora) -> None:
        self._loras.set_strength(lora, 0.0)
        self._kept.discard(lora.hash)
        self._show()


def _short(text: str, most: int = _LONGEST_SHOWN) -> str:
    return text if len(text) <= most else f"{text[:most]}…"

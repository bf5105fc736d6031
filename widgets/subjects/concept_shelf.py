"""The learnt words beside the attributes: each with its picture, to be put into the prompt."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QIcon, QImage, QImageReader, QPixmap
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from editor.controllers.concepts import Concepts
from inference.concepts.concept import Concept
from inference.concepts.library import Kept
from inference.downloads.curated import title_of
from widgets.look.icons import icon_for
from widgets.look.plain_text import Label, set_tip, unmarked
from widgets.look.theme import scaled_font

_PICTURE_PX = 52
_COLUMNS = 4
_LARGEST_PX = 2048  # of a small picture in a file


class ConceptButton(QToolButton):
    """A concept's picture over its word."""

    menu_wanted = Signal(QPoint)

    def __init__(self, concept: Concept, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.concept = concept
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(_PICTURE_PX, _PICTURE_PX))
        self.setAutoRaise(True)
        self.setFont(scaled_font(self.font(), 0.85))
        self.setFixedWidth(_PICTURE_PX + 16)
        shown = self.fontMetrics().elidedText(concept.word, Qt.TextElideMode.ElideMiddle, _PICTURE_PX + 10)
        self.setText(unmarked(shown))
        self.setAccessibleName(concept.word)
        self.setIcon(concept_icon(self, concept, _PICTURE_PX))
        tip = self.tr("{word}: put it into the prompt").format(word=concept.word)
        if concept.kind:
            tip += "\n" + self.tr("A kind of {kind}").format(kind=concept.kind)
        if concept.model or concept.family:
            tip += "\n" + self.tr("Learnt with {model}").format(
                model=title_of(concept.model) or concept.family.upper()
            )
        set_tip(self, tip)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_wanted.emit(event.globalPos())


class ConceptShelf(QWidget):
    """Shows the library; `chosen` tells a word, the others what a menu asks for."""

    chosen = Signal(str)
    teach_wanted = Signal()
    import_wanted = Signal()
    rename_wanted = Signal(str)
    export_wanted = Signal(str)

    def __init__(self, concepts: Concepts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._concepts = concepts
        self.buttons: list[ConceptButton] = []
        title = Label(self.tr("Concepts"))
        title.setProperty("dim", True)
        self.teach = self._link(
            self.tr("Teach a concept…"), self.tr("Learn a word for what a few photos show")
        )
        self.load = self._link(self.tr("Import…"), self.tr("Files of this or another program"))
        self.teach.clicked.connect(self.teach_wanted)
        self.load.clicked.connect(self.import_wanted)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.teach)
        head.addWidget(self.load)
        self._grid = QGridLayout()
        self._grid.setSpacing(2)
        self._grid.setColumnStretch(_COLUMNS, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addLayout(self._grid)
        concepts.changed.connect(self._show)
        self._show()

    def menu_of(self, word: str) -> QMenu:
        """What can be done with a concept."""
        menu = QMenu(self)
        menu.addAction(self.tr("Put into the prompt"), lambda: self.chosen.emit(word))
        menu.addAction(self.tr("Rename…"), lambda: self.rename_wanted.emit(word))
        menu.addAction(self.tr("Export…"), lambda: self.export_wanted.emit(word))
        menu.addSeparator()
        # what took minutes to learn, and cannot be taken back, goes by a second click
        sure = menu.addMenu(self.tr("Delete"))
        sure.addAction(
            self.tr("Really delete “{word}”").format(word=unmarked(word)), lambda: self._concepts.remove(word)
        )
        return menu

    def _link(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setProperty("link", True)
        set_tip(button, tip)
        return button

    def _show(self) -> None:
        for button in self.buttons:
            self._grid.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = []
        for number, kept in enumerate(self._concepts.known):
            button = self._button(kept)
            self.buttons.append(button)
            self._grid.addWidget(button, number // _COLUMNS, number % _COLUMNS)

    def _button(self, kept: Kept) -> ConceptButton:
        button = ConceptButton(kept.concept)
        button.clicked.connect(lambda: self.chosen.emit(kept.word))
        button.menu_wanted.connect(lambda place: self.menu_of(kept.word).popup(place))
        return button


def concept_icon(widget: QWidget, concept: Concept, side_px: int) -> QIcon:
    """The concept's small picture as a square; a sign where it has none."""
    image = _picture_of(concept)
    if image.isNull():
        return icon_for(widget, "image")
    ratio = widget.devicePixelRatioF()
    side = round(side_px * ratio)
    short = min(image.width(), image.height())
    middle = image.copy((image.width() - short) // 2, (image.height() - short) // 2, short, short)
    pixmap = QPixmap.fromImage(
        middle.scaled(
            side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
    )
    pixmap.setDevicePixelRatio(ratio)
    return QIcon(pixmap)


def _picture_of(concept: Concept) -> QImage:
    """Its picture, if that is a small one: kilobytes of a file may unfold to hundreds of megabytes."""
    buffer = QBuffer()
    buffer.setData(QByteArray(concept.picture))
    reader = QImageReader(buffer)
    size = reader.size()
    return reader.read() if 0 < max(size.width(), size.height()) <= _LARGEST_PX else QImage()

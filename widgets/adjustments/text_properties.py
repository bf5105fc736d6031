"""The text of a text layer and its look; every change is set again at once."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Layer, Node
from editor.layers.text import ALIGNMENTS, TextContent
from editor.tools.typesetting import set_again
from inference.errors import EditorError
from widgets.adjustments.node_edit import NodeEdit
from widgets.colours.colour_picker import ColourPicker
from widgets.forms.fields import DoubleSpinBox, FontComboBox
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import inset, tabular, tokens_of


class TextProperties(QWidget):
    """Each act is one step: typing without a pause, turning a wheel, one choice."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._document: Document | None = None
        self._layer: Layer | None = None
        self._edit = NodeEdit(application, self)
        self.text = QPlainTextEdit()
        self.text.setAccessibleName(self.tr("Text"))
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(self.fontMetrics().lineSpacing() * 3 + 18)
        self.family = FontComboBox()
        self.family.setAccessibleName(self.tr("Font"))
        self.colour = ColourButton(self.tr("Text colour"))
        self.styles = {
            "bold": IconButton("bold", self.tr("Bold"), checkable=True),
            "italic": IconButton("italic", self.tr("Italic"), checkable=True),
            "underline": IconButton("underline", self.tr("Underline"), checkable=True),
        }
        tips = (self.tr("Align left"), self.tr("Centre"), self.tr("Align right"))
        self.alignments = {
            name: IconButton(f"align-{name}", tip, checkable=True)
            for name, tip in zip(ALIGNMENTS, tips, strict=True)
        }
        self._group = QButtonGroup(self)
        for button in self.alignments.values():
            self._group.addButton(button)
        self.numbers = {
            "size_px": _number(self.tr("Size"), 1, 10_000, 1, self.tr(" px")),
            "line_height": _number(self.tr("Line height"), 0.1, 10, 0.05),
            "letter_spacing_px": _number(self.tr("Letter spacing"), -100, 1000, 0.5, self.tr(" px")),
            "angle": _number(self.tr("Angle"), -360, 360, 1, "°"),
        }
        self._lay_out()
        self._connect()

    def show_node(self, document: Document, node: Node) -> None:
        """Take text and look of a text layer."""
        if not isinstance(node, Layer) or node.text is None:
            return
        self._document, self._layer = document, node
        content = node.text
        self.setEnabled(not node.locked)
        widgets = (self.text, self.family, *self.styles.values(), *self.alignments.values())
        blocked = [(widget, widget.blockSignals(True)) for widget in (*widgets, *self.numbers.values())]
        if self.text.toPlainText() != content.text:
            self.text.setPlainText(content.text)
        self.family.setCurrentFont(QFont(content.family) if content.family else self.font())
        for name, button in self.styles.items():
            button.setChecked(bool(getattr(content, name)))
        self.alignments[content.alignment].setChecked(True)
        for name, box in self.numbers.items():
            box.setValue(getattr(content, name))
        self.colour.show_colour(content.colour)
        for widget, was in blocked:
            widget.blockSignals(was)

    def _lay_out(self) -> None:
        looks = QHBoxLayout()
        looks.setSpacing(2)
        for button in self.styles.values():
            looks.addWidget(button)
        looks.addSpacing(10)
        for button in self.alignments.values():
            looks.addWidget(button)
        looks.addStretch(1)
        looks.addWidget(self.colour)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        for row, box in enumerate(self.numbers.values()):
            grid.addWidget(Label(box.accessibleName()), row, 0)
            grid.addWidget(box, row, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.text)
        layout.addWidget(self.family)
        layout.addLayout(looks)
        layout.addLayout(grid)

    def _connect(self) -> None:
        self.text.textChanged.connect(lambda: self._change("text", self.text.toPlainText()))
        self.family.currentFontChanged.connect(lambda font: self._change("family", font.family()))
        for name, button in self.styles.items():
            button.clicked.connect(lambda on, name=name: self._change(name, on))
        for name, button in self.alignments.items():
            button.clicked.connect(lambda _, name=name: self._change("alignment", name))
        for name, box in self.numbers.items():
            box.valueChanged.connect(lambda value, name=name: self._change(name, value))
        self.colour.chosen.connect(lambda colour: self._change("colour", tuple(colour)))

    def _change(self, name: str, value: Any) -> None:
        document, layer = self._document, self._layer
        if document is None or layer is None or layer.text is None or getattr(layer.text, name) == value:
            return
        try:
            changed = set_again(layer, _with(layer.text, name, value))
        except EditorError as error:
            self._application.report(error)
            self.show_node(document, layer)
            return
        text = self.tr("Change text") if name == "text" else self.tr("Change the text's look")
        self._edit.show(document, changed, text, f"{layer.id}:{name}", dragging=False)


class ColourButton(QToolButton):
    """A patch of the colour that opens the picker."""

    def __init__(self, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor()
        set_tip(self, tip)
        self.setAccessibleName(tip)
        self.setFixedSize(34, 26)
        self.picker = ColourPicker(self)
        self.picker.chosen.connect(self.show_colour)
        self.chosen = self.picker.chosen
        self.clicked.connect(self._open)

    def show_colour(self, colour: tuple[int, int, int, int]) -> None:
        self._colour = QColor(*colour)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = tokens_of(self)
        painter.setPen(QPen(QColor(tokens.accent if self.hasFocus() else tokens.control), 1.4))
        painter.setBrush(self._colour)
        painter.drawRoundedRect(self.rect().adjusted(3, 3, -3, -3), 4, 4)

    def _open(self) -> None:
        colour = self._colour
        self.picker.show_colour((colour.red(), colour.green(), colour.blue(), colour.alpha()))
        self.picker.show_beside(self)


def _with(content: TextContent, name: str, value: Any) -> TextContent:
    return TextContent.from_json({**content.to_json(), name: value})


def _number(name: str, low: float, high: float, step: float, suffix: str = "") -> QDoubleSpinBox:
    box = DoubleSpinBox()
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setDecimals(2 if step < 0.1 else 1)
    box.setSuffix(suffix)
    box.setKeyboardTracking(False)
    box.setAccessibleName(name)
    box.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    box.setFont(tabular(box.font()))
    box.setMinimumWidth(110)
    inset(box)
    return box

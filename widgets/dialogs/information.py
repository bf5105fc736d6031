"""How a picture was made: each layer's recipe in words, to read and to copy."""

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFormLayout, QFrame, QScrollArea, QVBoxLayout, QWidget

from editor.document.document import Document
from editor.layers.layer import Layer
from editor.words.wording import attribute_name, signed
from inference.downloads.curated import title_of
from widgets.forms.dialog import Dialog
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font


class Information(Dialog):
    """One card for the picture and one for each layer, topmost first."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("How this picture was made"))
        self._document = document
        content = QWidget()
        cards = QVBoxLayout(content)
        cards.setContentsMargins(0, 0, 0, 0)
        cards.setSpacing(10)
        for title, facts in self._blocks():
            cards.addWidget(self._card(title, facts))
        cards.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(content)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.column.addWidget(scroll, 1)
        copy = self.add_button(self.tr("Copy as text"))
        close = self.add_button(self.tr("Close"), primary=True)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.as_text()))
        close.clicked.connect(self.close)
        self.resize(500, 460)

    def as_text(self) -> str:
        """What the cards show, as plain text."""
        blocks = [
            "\n".join([title, *(f"{name}: {value}" for name, value in facts)])
            for title, facts in self._blocks()
        ]
        return "\n\n".join(blocks)

    def _blocks(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Title and facts of the file, then of each layer with pixels, topmost first."""
        from editor.formats.information import facts_of  # with Pillow, which the window's start does not need

        facts = facts_of(self._document.state, self._document.source)
        picture = [
            (
                QCoreApplication.translate("Information", name),
                QCoreApplication.translate("Information", value),
            )
            for name, value in facts
        ]
        layers = reversed(tuple(self._document.state.rasters()))
        return [(self.tr("Picture"), picture), *((layer.name, self._facts(layer)) for layer in layers)]

    def _card(self, heading: str, facts: list[tuple[str, str]]) -> QFrame:
        card = QFrame()
        card.setObjectName("Card")
        form = QFormLayout(card)
        form.setContentsMargins(14, 12, 14, 12)
        form.setVerticalSpacing(5)
        form.setHorizontalSpacing(16)
        title = Label(heading)
        title.setFont(scaled_font(title.font(), 1.0, bold=True))
        form.addRow(title)
        for name, value in facts:
            key, text = Label(name), Label(value)
            key.setProperty("dim", True)
            text.setWordWrap(True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            form.addRow(key, text)
        return card

    def _facts(self, layer: Layer) -> list[tuple[str, str]]:
        size = self.tr("{width} × {height} px").format(width=layer.width, height=layer.height)
        recipe = layer.recipe
        if recipe is None:
            return [(self.tr("Made by"), self.tr("opened from a file")), (self.tr("Size"), size)]
        parameters = recipe.request.parameters
        facts = [
            (self.tr("Prompt"), recipe.prompt),
            (self.tr("Without"), str(getattr(parameters, "negative_prompt", ""))),
            (self.tr("Model"), _with_title(recipe.request.model)),
            (self.tr("Seed"), str(recipe.seed) if recipe.has_seed else ""),
            (self.tr("Steps"), str(getattr(parameters, "steps", None) or self.tr("automatic"))),
            (self.tr("Guidance"), str(getattr(parameters, "guidance_scale", None) or self.tr("automatic"))),
        ]
        for edit in recipe.edits:
            if edit.value:
                word = recipe.prompt[edit.start : edit.end]
                facts.append((attribute_name(edit.attribute), f"{signed(edit.value)} · {word}"))
        return [*((name, value) for name, value in facts if value), (self.tr("Size"), size)]


def _with_title(model: str) -> str:
    """What people call a model, and what it is called in recipes."""
    title = title_of(model)
    return model if title == model else f"{title} ({model})"

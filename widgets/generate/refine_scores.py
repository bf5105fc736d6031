"""Before and after: which subjects are there, and how well the pictures fit the prompt."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from editor.application import Application
from editor.document.document import Document
from editor.generating.picture_scores import PictureScore
from editor.generating.requests import REFINE
from editor.layers.layer import Layer
from editor.layers.recipes import Recipe
from editor.words.said import said
from widgets.look.plain_text import Label
from widgets.look.theme import tabular

_SIMILARITIES = ("full_prompt", "least_subject", "text_text")


class RefineScores(QWidget):
    """A table of the layer that was refined and the refined one; shown once something was refined."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._scores = application.refinement.scores
        self._document: Document | None = None
        self.note = Label()
        self.note.setProperty("dim", True)
        self.note.setWordWrap(True)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addLayout(self._grid)
        layout.addWidget(self.note)
        self._scores.changed.connect(self.refresh)
        application.current_changed.connect(self._on_document)
        self._on_document(application.current)

    @property
    def texts(self) -> list[list[str]]:
        """The cells that are shown, row by row."""
        rows = range(self._grid.rowCount())
        cells = [[self._grid.itemAtPosition(row, column) for column in range(3)] for row in rows]
        return [[_text(item.widget()) if item is not None else "" for item in row] for row in cells]

    def refresh(self) -> None:
        """Show the scores of the active refined layer and of the layer below it."""
        self._clear()
        after = self._document.recipe_layer if self._document is not None else None
        if after is None or after.recipe is None or after.recipe.request.operation != REFINE:
            self.hide()
            return
        self.show()
        before = self._original_of(after)
        scores = [self._scores.of_layer(layer) if layer is not None else None for layer in (before, after)]
        problem = next((said(score.problem) for score in scores if score is not None and score.problem), "")
        self.note.setText(problem)
        self.note.setVisible(bool(problem))
        if problem:
            return
        self._add_row(0, "", [self.tr("Before"), self.tr("After")], dim=True)
        for index, subject in enumerate(after.recipe.subjects):
            self._add_row(index + 1, subject.text, [self._mark(score, index) for score in scores])
        first = 1 + len(after.recipe.subjects)
        for offset, name in enumerate(_SIMILARITIES):
            values = [_similarity(score, name) for score in scores]
            self._add_row(first + offset, self._similarity_label(name), values, dim=True)

    def _on_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.active_changed.disconnect(self._on_changed)
            self._document.layers_changed.disconnect(self._on_changed)
        self._document = document
        if document is not None:
            document.active_changed.connect(self._on_changed)
            document.layers_changed.connect(self._on_changed)
        self.refresh()

    def _on_changed(self, _id: str = "") -> None:
        self.refresh()

    def _original_of(self, after: Layer) -> Layer | None:
        """The nearest layer below with the same prompt and seed that was not refined."""
        assert self._document is not None
        assert after.recipe is not None
        found = None
        for layer in self._document.state.rasters():
            if layer is after:
                break
            recipe = layer.recipe
            same = recipe is not None and (recipe.prompt, recipe.seed) == (
                after.recipe.prompt,
                after.recipe.seed,
            )
            if same and recipe is not None and recipe.request.operation != REFINE:
                found = layer
        # its own choice of subjects may differ: both are asked for the same ones
        return found.changed(recipe=_with_subjects_of(found, after)) if found is not None else None

    def _mark(self, score: PictureScore | None, index: int) -> str:
        if score is None or index >= len(score.seen):
            return "…"
        return self.tr("there") if score.seen[index] else self.tr("missing")

    def _similarity_label(self, name: str) -> str:
        labels = {
            "full_prompt": self.tr("Fits the prompt"),
            "least_subject": self.tr("Weakest subject"),
            "text_text": self.tr("Caption fits the prompt"),
        }
        return labels[name]

    def _add_row(self, row: int, name: str, values: list[str], *, dim: bool = False) -> None:
        for column, text in enumerate((name, *values)):
            label = Label(text)
            label.setProperty("dim", dim)
            if column:
                label.setFont(tabular(label.font()))
                label.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(label, row, column)

    def _clear(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()


def _with_subjects_of(layer: Layer, other: Layer) -> Recipe:
    assert layer.recipe is not None
    assert other.recipe is not None
    return replace(layer.recipe, subjects=other.recipe.subjects)


def _same(one: Recipe, other: Recipe) -> bool:
    return (one.prompt, one.seed) == (other.prompt, other.seed)


def _similarity(score: PictureScore | None, name: str) -> str:
    value = (score.similarities or {}).get(name) if score is not None else None
    return f"{value:.2f}" if value is not None else "…"


def _text(widget: QWidget | None) -> str:
    return widget.text() if isinstance(widget, Label) else ""

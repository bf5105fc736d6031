"""The words in which two sentences differ, in colour; a click says whether one belongs to the change."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from editor.layers.recipes import Subject
from inference.prompts.differences import differences
from inference.prompts.words import words
from widgets.look.plain_text import Label, set_tip
from widgets.subjects.prompt_view import PromptView

Span = tuple[int, int]


class DifferenceView(QWidget):
    """Shows both sentences once they differ; what stands in the place of each other has one colour."""

    corrected = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source_corrections: dict[Span, bool] = {}
        self.target_corrections: dict[Span, bool] = {}
        self._texts = ("", "")
        self._found: tuple[dict[Span, int], dict[Span, int]] = ({}, {})  # by span: which difference
        self.title = Label(self.tr("What changes"))
        self.source, self.target = PromptView(), PromptView()
        self.source.setAccessibleName(self.tr("Words that go"))
        self.target.setAccessibleName(self.tr("Words that come"))
        for view in (self.source, self.target):
            set_tip(view, self.tr("Click a word to say that it belongs to the change, or that it does not."))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.title, self.source, self.target):
            layout.addWidget(widget)
        self.source.toggled.connect(lambda start, end: self._toggle(0, (start, end)))
        self.target.toggled.connect(lambda start, end: self._toggle(1, (start, end)))
        self.hide()

    @property
    def differ(self) -> bool:
        """Whether the sentences say something else, whatever was corrected."""
        return any(self._found)

    @property
    def changed_spans(self) -> tuple[Span, ...]:
        """Characters of the second sentence's words that belong to the change."""
        return tuple(sorted(self._coloured(1)))

    def set_prompts(self, source: str, target: str, names: Sequence[str]) -> None:
        """Find the differences again; corrections of a sentence hold as long as it stays.

        Args:
            names: learnt words, which may have any signs.
        """
        if source != self._texts[0]:
            self.source_corrections = {}
        if target != self._texts[1]:
            self.target_corrections = {}
        self._texts = (source, target)
        found = differences(source, target, names)
        self._found = (
            {(word.start, word.end): i for i, one in enumerate(found) for word in one.source},
            {(word.start, word.end): i for i, one in enumerate(found) for word in one.target},
        )
        self.setVisible(bool(found))
        self._show()

    def correct(self, changes: Mapping[Span, bool], *, is_target: bool) -> None:
        """Take the corrections that a layer was made with, of the sentence as it is shown."""
        corrections = self.target_corrections if is_target else self.source_corrections
        corrections.clear()
        corrections.update(changes)
        self._show()

    def _toggle(self, side: int, span: Span) -> None:
        corrections = (self.source_corrections, self.target_corrections)[side]
        changes = span not in self._coloured(side)
        if (span in self._found[side]) == changes:
            corrections.pop(span, None)
        else:
            corrections[span] = changes
        self._show()
        self.corrected.emit()

    def _coloured(self, side: int) -> dict[Span, int]:
        corrections = (self.source_corrections, self.target_corrections)[side]
        found = {span: i for span, i in self._found[side].items() if corrections.get(span) is not False}
        extra = {span: 0 for span, changes in corrections.items() if changes}
        return {**extra, **found}

    def _show(self) -> None:
        for side, view in enumerate((self.source, self.target)):
            text = self._texts[side]
            spans = sorted({(word.start, word.end) for word in words(text)} | set(self._found[side]))
            subjects = [
                Subject(start=start, end=end, text=text[start:end], colour_index=index)
                for (start, end), index in sorted(self._coloured(side).items())
            ]
            view.set_prompt(text, spans, subjects)

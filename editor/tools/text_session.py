"""Editing one text: characters, caret, what is marked, and what an input method is composing."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QTextBoundaryFinder

from editor.layers.text import TextContent
from editor.tools.typesetting import Typeset, index_of, units_of


class TextSession:
    """Places count characters as Python does; the caret never stands inside of what is seen as one."""

    def __init__(self, content: TextContent) -> None:
        self.content = content
        self.caret = len(content.text)
        self.anchor = self.caret  # the other end of what is marked
        self.preedit = ""
        self._past: list[tuple[TextContent, int]] = []
        self._typeset: Typeset | None = None

    @property
    def shown(self) -> TextContent:
        """The text with what is being composed."""
        if not self.preedit:
            return self.content
        text, at = self.content.text, self.caret
        return replace(self.content, text=text[:at] + self.preedit + text[at:])

    @property
    def typeset(self) -> Typeset:
        shown = self.shown
        if self._typeset is None or self._typeset.content != shown:
            self._typeset = Typeset(shown)
        return self._typeset

    @property
    def marked(self) -> tuple[int, int]:
        return min(self.anchor, self.caret), max(self.anchor, self.caret)

    @property
    def marked_text(self) -> str:
        first, last = self.marked
        return self.content.text[first:last]

    def insert(self, text: str) -> None:
        """Put text in place of what is marked."""
        first, last = self.marked
        old = self.content.text
        self._change(old[:first] + text + old[last:], first + len(text))

    def compose(self, preedit: str) -> None:
        """Show what an input method composes; it takes the place of what is marked."""
        if preedit and self.anchor != self.caret:
            self.insert("")
        self.preedit = preedit

    def delete(self, *, forward: bool, word: bool = False) -> None:
        """Delete what is marked, else the character or word beside the caret."""
        if self.anchor == self.caret:
            self.anchor = self.step(1 if forward else -1, word=word)
        if self.anchor != self.caret:
            self.insert("")

    def move_to(self, index: int, *, marking: bool = False) -> None:
        self.caret = max(0, min(index, len(self.content.text)))
        if not marking:
            self.anchor = self.caret

    def step(self, way: int, *, word: bool = False) -> int:
        """The place one character or word before or after the caret."""
        kind = QTextBoundaryFinder.BoundaryType
        text = self.content.text
        finder = QTextBoundaryFinder(kind.Word if word else kind.Grapheme, text)
        finder.setPosition(units_of(text, self.caret))
        found = finder.toNextBoundary() if way > 0 else finder.toPreviousBoundary()
        return self.caret if found < 0 else index_of(text, found)

    def mark_word(self) -> None:
        """Mark the word that the caret is in."""
        text = self.content.text
        finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Word, text)
        finder.setPosition(units_of(text, self.caret))
        end = finder.toNextBoundary()
        start = finder.toPreviousBoundary()
        self.anchor, self.caret = index_of(text, max(0, start)), len(text) if end < 0 else index_of(text, end)

    def restyle(self, **fields: object) -> None:
        """Change the look."""
        changed = replace(self.content, **fields)  # pyright: ignore[reportArgumentType]
        if changed != self.content:
            self._past.append((self.content, self.caret))
            self.content = changed

    def undo(self) -> None:
        """Take the last change of this session back."""
        if self._past:
            self.content, self.caret = self._past.pop()
            self.anchor = self.caret

    def _change(self, text: str, caret: int) -> None:
        if text != self.content.text:
            self._past.append((self.content, self.caret))
        self.content = replace(self.content, text=text)
        self.caret = self.anchor = caret

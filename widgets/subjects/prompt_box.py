"""Prompt, seed and the button that generates: words to click, or a field to type in."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QRandomGenerator, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from inference.prompts.weights import Weighted
from inference.prompts.words import words
from widgets.forms.fields import DoubleSpinBox
from widgets.forms.unknown_words import UnknownWords
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import inset, tabular
from widgets.subjects.prompt_view import PromptView

SEED_LIMIT = 2**32 - 1


class SeedBox(DoubleSpinBox):
    """Whole numbers up to 2³² - 1, which are more than a QSpinBox can hold."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(0)
        self.setRange(0, SEED_LIMIT)
        self.setGroupSeparatorShown(False)
        self.setProperty("bare", True)  # NoButtons leaves the field no width under a style sheet
        self.setKeyboardTracking(False)
        self.setFont(tabular(self.font()))
        inset(self)
        self.setMaximumWidth(self.fontMetrics().horizontalAdvance("0" * 10) + 24)
        self.setAccessibleName(self.tr("Seed"))

    def textFromValue(self, value: float) -> str:
        return str(round(value))

    @property
    def seed(self) -> int:
        return round(self.value())

    def set_seed(self, seed: int) -> None:
        blocked = self.blockSignals(True)
        self.setValue(float(seed))
        self.blockSignals(blocked)

    def roll(self) -> None:
        """Take a new random seed that is short enough to read out."""
        self.setValue(float(QRandomGenerator.global_().bounded(1_000_000)))


class PromptBox(QWidget):
    """Emits `generate_requested` with the prompt and seed as they stand."""

    generate_requested = Signal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._prompt = ""
        self._refused = ""  # what was asked for and is not (yet) the layer's prompt
        self._shown_seed = 0
        self._seeded = True
        self.view = PromptView()
        self.editor = QPlainTextEdit(placeholderText=self.tr("Describe the picture"))
        self.editor.setAccessibleName(self.tr("Prompt"))
        self.editor.setTabChangesFocus(True)
        self.editor.setFixedHeight(self.fontMetrics().lineSpacing() * 4 + 18)
        self.editor.installEventFilter(self)
        self.editor.hide()
        self.pencil = IconButton("pencil", self.tr("Edit the prompt (F2)"), checkable=True)
        self.unknown = UnknownWords()
        self._unknown_words: Callable[[str], Sequence[str]] = lambda prompt: ()
        self.seed = SeedBox()
        self.dice = IconButton("dice", self.tr("Another seed"))
        self.generate = QPushButton(self.tr("Generate"))
        set_tip(self.generate, self.tr("Make the picture of this prompt and seed (Return in the prompt)"))
        self._lay_out()
        self.pencil.toggled.connect(self._on_editing)
        self.view.edit_requested.connect(lambda: self.pencil.setChecked(True))
        self.editor.textChanged.connect(self._show_pending)
        self.seed.valueChanged.connect(self._show_pending)
        self.dice.clicked.connect(self._on_dice)
        self.generate.clicked.connect(self._on_generate)

    def set_prompt(self, read: Weighted, seed: int, subjects: tuple) -> None:
        """Show a layer's prompt, without marks of weights; what was typed is dropped when it differs."""
        prompt = read.written
        if prompt != self._prompt:
            self._prompt = prompt
            self._refused = ""
            self.pencil.setChecked(False)
        if seed != self._shown_seed:
            self._shown_seed = seed
            self.seed.set_seed(seed)
        self.view.set_prompt(read.shown, [(word.start, word.end) for word in words(read.text)], subjects)
        self._show_pending()

    def set_seeded(self, seeded: bool) -> None:
        """Whether another seed makes another picture; without one only another text makes anything new."""
        self._seeded = seeded
        for widget in (self._seed_label, self.seed, self.dice):
            widget.setVisible(seeded)
        self.generate.setText(self.tr("Generate") if seeded else self.tr("Describe anew"))
        tip = self.tr("Make the picture of this prompt and seed (Return in the prompt)")
        if not seeded:
            tip = self.tr("The photo as it is edited with these words; change them by the pencil first")
        set_tip(self.generate, tip)
        self._show_pending()

    def tell_unknown(self, unknown_words: Callable[[str], Sequence[str]]) -> None:
        """Say from now on which words of a prompt the model cannot draw."""
        self._unknown_words = unknown_words
        self._show_unknown()

    def insert(self, word: str) -> None:
        """Put a word into the prompt where it is typed: at the cursor, or at its end."""
        if not self.is_editing:
            self.pencil.setChecked(True)
            self.editor.moveCursor(QTextCursor.MoveOperation.End)
        insert_word(self.editor, word)

    @property
    def is_editing(self) -> bool:
        return self.pencil.isChecked()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.editor and isinstance(event, QKeyEvent):
            new_line = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            generates = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not new_line
            if generates and event.type() == QEvent.Type.ShortcutOverride:
                event.accept()  # Ctrl+Return is a command's elsewhere
                return True
            if generates and event.type() == QEvent.Type.KeyPress:
                self._on_generate()
                return True
            if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
                self.pencil.setChecked(False)
                return True
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        self._seed_label = Label(self.tr("Seed"))
        self._seed_label.setProperty("dim", True)
        row.addWidget(self._seed_label)
        row.addWidget(self.seed)
        row.addWidget(self.dice)
        row.addStretch(1)
        row.addWidget(self.pencil)
        row.addSpacing(2)
        row.addWidget(self.generate)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.view)
        layout.addWidget(self.editor)
        layout.addWidget(self.unknown)
        layout.addLayout(row)

    def _wished(self) -> str:
        return self.editor.toPlainText().strip() if self.is_editing else self._prompt

    def _show_unknown(self) -> None:
        self.unknown.show_words(self._unknown_words(self._wished()))

    def _show_pending(self) -> None:
        """The button stands out only when it would make another picture."""
        pending = self._wished() != self._prompt or self.seed.seed != self._shown_seed
        if self.generate.property("primary") != pending:
            self.generate.setProperty("primary", pending)
            self.generate.style().unpolish(self.generate)
            self.generate.style().polish(self.generate)
        self.generate.setEnabled(bool(self._wished()) and (self._seeded or pending))
        self._show_unknown()

    def _on_editing(self, editing: bool) -> None:
        if editing:
            self.editor.setPlainText(self._refused or self._prompt)
            self.editor.selectAll()
        self.editor.setVisible(editing)
        self.view.setVisible(not editing)
        (self.editor if editing else self.view).setFocus()
        self._show_pending()

    def _on_dice(self) -> None:
        self.seed.roll()
        self._on_generate()

    def _on_generate(self) -> None:
        wished = self._wished()
        if wished and self.generate.isEnabled():
            self.generate_requested.emit(wished, self.seed.seed)
            # a prompt that the engine refuses later is offered again by the pencil
            self._refused = wished if wished != self._prompt else ""


def insert_word(editor: QPlainTextEdit, word: str) -> None:
    """Type a word at the cursor, in place of what is chosen, with spaces around it where it needs them.

    Where all is chosen, as when a dialog opens, it goes to the end.
    """
    cursor = editor.textCursor()
    text = editor.toPlainText()
    if cursor.selectionEnd() - cursor.selectionStart() == len(text):
        cursor.movePosition(QTextCursor.MoveOperation.End)
    before, after = text[: cursor.selectionStart()], text[cursor.selectionEnd() :]
    space_before = " " if before and not before[-1].isspace() else ""
    space_after = " " if after and not (after[0].isspace() or after[0] in ",.;:") else ""
    cursor.insertText(f"{space_before}{word}{space_after}")
    editor.setTextCursor(cursor)
    editor.setFocus()

"""The prompt as words: click one to make it a subject, shift-click another to take the phrase between."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from editor.layers.recipes import Subject
from widgets.look.plain_text import set_tip
from widgets.look.theme import Tokens, scaled_font, tokens_of, with_alpha

_PAD_X = 12.0
_PAD_Y = 9.0
_LINE_SPACING = 1.75
_WORD_SPACING_PX = 3.0
_CHIP_SIDE = 4.0

Span = tuple[int, int]


class PromptView(QWidget):
    """Shows a prompt and its subjects; asks for changes by signals and changes nothing itself."""

    toggled = Signal(int, int)  # characters [start, end)
    extended = Signal(int, int, int, int)  # the subject's span, and the longer span wished for
    subject_hovered = Signal(int)  # index of the subject under the pointer or keyboard cursor, -1 for none
    edit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._words: tuple[Span, ...] = ()
        self._subjects: tuple[Subject, ...] = ()
        self._layout = QTextLayout()
        self._heights: dict[int, int] = {}  # by width, which Qt asks for again and again
        self._hovered: Span | None = None
        self._cursor = 0  # index of the word that the keyboard is on
        self._anchor: Span | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Prompt"))
        set_tip(
            self,
            self.tr("Click a word to make it a subject. Shift-click a second word to take the whole phrase."),
        )

    def set_prompt(self, text: str, words: Sequence[Span], subjects: Sequence[Subject]) -> None:
        """Show `text`; `words` are the spans that can be clicked."""
        relayout = text != self._text
        self._text, self._words, self._subjects = text, tuple(words), tuple(subjects)
        self._cursor = min(self._cursor, max(0, len(self._words) - 1))
        names = ", ".join(subject.text for subject in subjects) or self.tr("none")
        self.setAccessibleDescription(self.tr("{prompt}. Subjects: {names}").format(prompt=text, names=names))
        if relayout:
            self._lay_out_anew()
        self.update()

    def rects_of(self, start: int, end: int) -> list[QRectF]:
        """Where the characters [start, end) stand, one rectangle for each line that they touch."""
        rects: list[QRectF] = []
        start, end = self._qt_place(start), self._qt_place(end)
        for index in range(self._layout.lineCount()):
            line = self._layout.lineAt(index)
            first = max(start, line.textStart())
            last = min(end, line.textStart() + line.textLength())
            if first < last:
                x1, x2 = sorted((_x_of(line, first), _x_of(line, last)))
                rects.append(QRectF(x1, line.position().y(), x2 - x1, line.height()))
        return rects

    def _qt_place(self, character: int) -> int:
        """Qt's place of a character: it counts the halves of those beyond 16 bits, such as emoji."""
        before = self._text[:character]
        return len(before) + sum(one > "\uffff" for one in before)

    # layout

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        if width not in self._heights:
            self._heights[width] = self._laid_out(width)[1]
        return self._heights[width]

    def sizeHint(self) -> QSize:
        return QSize(240, self.heightForWidth(max(self.width(), 240)))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, round(self._line_height() + 2 * _PAD_Y))

    def resizeEvent(self, event: QEvent) -> None:
        self._layout, self._heights[self.width()] = self._laid_out(self.width())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._lay_out_anew()
        super().changeEvent(event)

    def _lay_out_anew(self) -> None:
        """Another text, or another font."""
        self._heights.clear()
        self._layout, self._heights[self.width()] = self._laid_out(self.width())
        self.updateGeometry()

    def _font(self) -> QFont:
        font = scaled_font(self.font(), 1.06)
        font.setWordSpacing(_WORD_SPACING_PX)
        return font

    def _line_height(self) -> float:
        return self.fontMetrics().height() * _LINE_SPACING

    def _laid_out(self, width: int) -> tuple[QTextLayout, int]:
        """The text broken into lines, and the height that they need."""
        layout = QTextLayout(self._text or self.tr("No prompt yet"), self._font())
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        y, line_height = _PAD_Y, self._line_height()
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(20.0, width - 2 * _PAD_X))
            line.setPosition(QPointF(_PAD_X, y + (line_height - line.height()) / 2))
            y += line_height
        layout.endLayout()
        return layout, round(y + _PAD_Y)

    # events

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hovered(self._word_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hovered(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        span = self._word_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or span is None:
            return
        self._cursor = self._words.index(span)
        self._choose(span, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._word_at(event.position()) is None:
            self.edit_requested.emit()
        else:
            self.mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self._words:
            step = 1 if key == Qt.Key.Key_Right else -1
            self._cursor = max(0, min(len(self._words) - 1, self._cursor + step))
            self._tell_hovered(self._words[self._cursor])
            self.update()
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._words:
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._choose(self._words[self._cursor], extend=shift)
        elif key == Qt.Key.Key_F2:
            self.edit_requested.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QEvent) -> None:
        self._tell_hovered(None)
        self.update()

    def _choose(self, span: Span, *, extend: bool) -> None:
        if extend and self._anchor is not None and self._anchor != span:
            old = self._subject_at(self._anchor)
            wished = min(self._anchor[0], span[0]), max(self._anchor[1], span[1])
            if old is not None:
                self.extended.emit(*old.span, *wished)
                self._anchor = wished
                return
        subject = self._subject_at(span)
        self._anchor = None if subject is not None else span
        self.toggled.emit(*(subject.span if subject is not None else span))

    def _set_hovered(self, span: Span | None) -> None:
        if span == self._hovered:
            return
        self._hovered = span
        self.setCursor(Qt.CursorShape.PointingHandCursor if span else Qt.CursorShape.ArrowCursor)
        self._tell_hovered(span)
        self.update()

    def _tell_hovered(self, span: Span | None) -> None:
        subject = self._subject_at(span) if span else None
        self.subject_hovered.emit(self._subjects.index(subject) if subject else -1)

    def _subject_at(self, span: Span) -> Subject | None:
        return next((s for s in self._subjects if s.start < span[1] and span[0] < s.end), None)

    def _word_at(self, point: QPointF) -> Span | None:
        for span in self._words:
            if any(rect.adjusted(-3, -4, 3, 4).contains(point) for rect in self.rects_of(*span)):
                return span
        return None

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = tokens_of(self)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.accent if self.hasFocus() else tokens.line), 1))
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        for subject in self._subjects:
            self._paint_chip(painter, subject, tokens)
        if self._hovered is not None and self._subject_at(self._hovered) is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.pressed))
            for rect in self.rects_of(*self._hovered):
                painter.drawRoundedRect(rect.adjusted(-_CHIP_SIDE, -2, _CHIP_SIDE, 2), 5, 5)
        if self.hasFocus() and self._words:
            painter.setPen(QPen(QColor(tokens.accent), 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for rect in self.rects_of(*self._words[self._cursor]):
                painter.drawRoundedRect(rect.adjusted(-_CHIP_SIDE, -3, _CHIP_SIDE, 3), 5, 5)
        painter.setPen(QColor(tokens.text if self._text else tokens.faint))
        self._layout.draw(painter, QPointF(0, 0))

    def _paint_chip(self, painter: QPainter, subject: Subject, tokens: Tokens) -> None:
        colour = tokens.subject(subject.colour_index)
        hovered = self._hovered is not None and self._subject_at(self._hovered) is subject
        for rect in self.rects_of(subject.start, subject.end):
            chip = rect.adjusted(-_CHIP_SIDE, -2, _CHIP_SIDE, 2)
            painter.setPen(QPen(with_alpha(colour, 0.55), 1))
            painter.setBrush(with_alpha(colour, 0.34 if hovered else 0.2))
            painter.drawRoundedRect(chip, 5, 5)
            painter.setPen(QPen(colour, 2))
            painter.drawLine(chip.bottomLeft() + QPointF(4, 0), chip.bottomRight() + QPointF(-4, 0))


def _x_of(line: object, position: int) -> float:
    x = line.cursorToX(position)  # type: ignore[attr-defined]
    return float(x[0] if isinstance(x, tuple) else x)

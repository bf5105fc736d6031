"""One subject: its name, its attribute rows, and the button that adds one."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRectF, Signal
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from editor.layers.recipes import Subject
from editor.sliders.session import Slider
from widgets.look.focus_within import FocusWithin
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font
from widgets.subjects.attribute_menu import AttributeMenu
from widgets.subjects.attribute_row import AttributeRow


class Dot(QWidget):
    """The subject's colour."""

    def __init__(self, colour: QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = colour
        self.setFixedSize(12, 12)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._colour)
        painter.setBrush(self._colour)
        painter.drawEllipse(QRectF(1.5, 1.5, 9, 9))


class HoverArea(QWidget):
    """Tells when the pointer comes and goes."""

    hovered = Signal(bool)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.hovered.emit(True)

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(False)


class SubjectSection(QWidget):
    """Reports what is wished for its subject by signals."""

    moved = Signal(str, float, bool)  # attribute, value, dragging
    reset_requested = Signal(str)  # attribute, "" for all
    remove_requested = Signal(str)
    add_requested = Signal(str)
    link_toggled = Signal(str, bool)
    teach_requested = Signal(str)  # the subject's words
    subject_removed = Signal()
    hovered = Signal(bool)

    def __init__(self, subject: Subject, colour: QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.subject = subject
        self.colour = colour
        self.rows: dict[str, AttributeRow] = {}
        self._available: tuple[tuple[str, str], ...] = ()
        name = Label(subject.text)
        name.setFont(scaled_font(name.font(), 1.0, bold=True))
        self.note = Label()
        self.note.setProperty("dim", True)
        self.note.setFont(scaled_font(self.note.font(), 0.9))
        self.reset_all = IconButton(
            "reset", self.tr("Set all sliders of {name} to zero").format(name=subject.text)
        )
        self.drop = IconButton("close", self.tr("{name} is no subject").format(name=subject.text), size_px=14)
        self.header = HoverArea()
        self.header.hovered.connect(self.hovered)
        header = QHBoxLayout(self.header)
        header.setContentsMargins(0, 0, 0, 0)
        header.setSpacing(7)
        header.addWidget(Dot(colour))
        header.addWidget(name)
        header.addStretch(1)
        header.addWidget(self.note)
        header.addWidget(self.reset_all)
        header.addWidget(self.drop)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self.add = QToolButton()
        self.add.setText(self.tr("+ Add attribute"))
        self.add.setProperty("link", True)
        self.empty = Label(self.tr("The library has no attribute for this word and model."))
        self.empty.setProperty("dim", True)
        self.empty.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 6)
        layout.setSpacing(4)
        layout.addWidget(self.header)
        layout.addLayout(self._rows)
        layout.addWidget(self.empty)
        layout.addWidget(self.add)
        self._focus = FocusWithin(self)
        self._focus.changed.connect(self._show_buttons)
        self.add.clicked.connect(self._on_add)
        self.reset_all.clicked.connect(lambda: self.reset_requested.emit(""))
        self.drop.clicked.connect(self.subject_removed)
        self._show_buttons()

    def set_sliders(self, sliders: Sequence[Slider], available: Sequence[tuple[str, str]]) -> None:
        """Show these sliders, keeping the rows that stay (and the keyboard focus in them)."""
        self._available = tuple(available)
        wanted = {slider.attribute for slider in sliders}
        for attribute in [key for key in self.rows if key not in wanted]:
            row = self.rows.pop(attribute)
            self._rows.removeWidget(row)
            row.hide()
            row.deleteLater()
        for index, slider in enumerate(sliders):
            row = self.rows.get(slider.attribute)
            if row is None:
                row = self.rows[slider.attribute] = self._new_row(slider)
            self._rows.insertWidget(index, row)
            row.show_slider(slider)
        self.add.setText(self.tr("+ Add attribute") if available else self.tr("+ Teach an attribute…"))
        self.empty.setVisible(not available and not sliders)
        self._show_buttons()

    def set_note(self, text: str) -> None:
        self.note.setText(text)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._show_buttons()

    def leaveEvent(self, event: QEvent) -> None:
        self._show_buttons()

    def _new_row(self, slider: Slider) -> AttributeRow:
        row = AttributeRow(slider, self.subject.text, self.colour, self)
        name = slider.attribute
        row.moved.connect(lambda value, dragging: self.moved.emit(name, value, dragging))
        row.reset_requested.connect(lambda: self.reset_requested.emit(name))
        row.remove_requested.connect(lambda: self.remove_requested.emit(name))
        row.link_toggled.connect(lambda linked: self.link_toggled.emit(name, linked))
        return row

    def _show_buttons(self) -> None:
        near = self.underMouse() or self._focus.inside
        changed = any(abs(row.track.number) > 1e-6 for row in self.rows.values())
        for button, shown in ((self.reset_all, near and changed), (self.drop, near)):
            keep = button.sizePolicy()
            keep.setRetainSizeWhenHidden(True)
            button.setSizePolicy(keep)
            button.setVisible(shown)

    def _on_add(self) -> None:
        if not self._available:
            self.teach_requested.emit(self.subject.text)
            return
        menu = AttributeMenu(self._available, self.subject.text, self)
        menu.chosen.connect(self.add_requested)
        menu.teach.connect(lambda: self.teach_requested.emit(self.subject.text))
        menu.open_at(self.add.mapToGlobal(QPoint(0, self.add.height() + 2)))

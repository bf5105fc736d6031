"""The editors of curves and levels: a channel, its histogram, and what is set for it."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QVBoxLayout, QWidget
from shiboken6 import isValid

from editor.adjustments.curves import STRAIGHT, Curves, sampled
from editor.adjustments.levels import NEUTRAL, Levels
from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Adjustment
from editor.rendering.histogram import Histogram, histogram_below, shown_heights
from inference.parameters import Parameters
from widgets.adjustments.curve_editor import CurveEditor
from widgets.adjustments.levels_editor import LevelsEditor
from widgets.forms.fields import ComboBox, SpinBox
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label
from widgets.look.theme import inset, tabular

CHANNELS = ("combined", "red", "green", "blue")
_COLOURS = {"red": "#e0584f", "green": "#4fae5c", "blue": "#4d86e0"}
_HISTOGRAM_AFTER_MS = 120


class ToneEditor(QWidget):
    """What both have: the channel's box, and the histogram of what lies below the adjustment."""

    changed = Signal(dict, bool)  # settings by name, whether a drag goes on
    finished = Signal()
    names = CHANNELS

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings: Parameters | None = None
        self.channel = ComboBox()
        self.channel.setAccessibleName(self.tr("Channel"))
        for text, name in (
            (self.tr("RGB"), "combined"),
            (self.tr("Red"), "red"),
            (self.tr("Green"), "green"),
            (self.tr("Blue"), "blue"),
        ):
            self.channel.addItem(text, name)
        self.reset = IconButton("reset", self.tr("Reset this channel"))
        self.histograms = _Histograms(application, self)
        self.histograms.changed.connect(self._show_histogram)
        self.channel.currentIndexChanged.connect(self._on_channel)
        self.reset.clicked.connect(self._on_reset)
        top = QHBoxLayout()
        top.addWidget(self.channel, 1)
        top.addWidget(self.reset)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)
        self.column.addLayout(top)

    @property
    def name(self) -> str:
        """The channel that is shown."""
        return str(self.channel.currentData())

    def show_settings(self, document: Document, node: Adjustment) -> None:
        """Show an adjustment's settings, over what lies below it."""
        self._settings = node.settings
        self.histograms.ask(document, node.id)
        self.show_channel()

    def show_shape(self, settings: Parameters) -> None:
        """Keep the settings of a running drag."""
        self._settings = settings

    def show_channel(self) -> None:
        """Show the chosen channel's settings."""
        raise NotImplementedError

    def set_histogram(self, heights: list[float], colour: QColor | None) -> None:
        raise NotImplementedError

    def neutral(self) -> object:
        """What changes nothing."""
        raise NotImplementedError

    def tell(self, value: object, dragging: bool) -> None:
        self.changed.emit({self.name: value}, dragging)

    def _on_channel(self) -> None:
        self._show_histogram()
        self.show_channel()

    def _on_reset(self) -> None:
        self.tell(self.neutral(), False)

    def _show_histogram(self) -> None:
        colour = _COLOURS.get(self.name)
        self.set_histogram(self.histograms.heights(self.name), QColor(colour) if colour else None)


class CurvesEditor(ToneEditor):
    """A curve for each channel, and the chosen point's numbers."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(application, parent)
        self.curve = CurveEditor(sampled)
        self.input = _value_box(self.tr("Input"))
        self.output = _value_box(self.tr("Output"))
        numbers = QHBoxLayout()
        for text, box in ((self.tr("Input"), self.input), (self.tr("Output"), self.output)):
            label = Label(text)
            label.setProperty("dim", True)
            numbers.addWidget(label)
            numbers.addWidget(box)
            numbers.addStretch(1)
        self.column.addWidget(self.curve)
        self.column.addLayout(numbers)
        self.curve.changed.connect(self.tell)
        self.curve.changed.connect(self._show_numbers)
        self.curve.selected.connect(self._show_numbers)
        self.curve.finished.connect(self.finished)
        self.input.valueChanged.connect(self._on_number)
        self.output.valueChanged.connect(self._on_number)

    def show_channel(self) -> None:
        if isinstance(self._settings, Curves):
            self.curve.set_points(getattr(self._settings, self.name))
            self._show_numbers()

    def set_histogram(self, heights: list[float], colour: QColor | None) -> None:
        self.curve.set_histogram(heights, colour)

    def neutral(self) -> object:
        return STRAIGHT

    def _show_numbers(self, *_: object) -> None:
        x, y = self.curve.points[self.curve.selected_index]
        for box, value in ((self.input, x), (self.output, y)):
            blocked = box.blockSignals(True)
            box.setValue(round(value * 255))
            box.blockSignals(blocked)

    def _on_number(self) -> None:
        self.curve.set_point(self.input.value() / 255, self.output.value() / 255)


class LevelsPanel(ToneEditor):
    """A range for each channel: handles under the histogram, and numbers."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(application, parent)
        self.editor = LevelsEditor()
        self.column.addWidget(self.editor)
        self.editor.changed.connect(self.tell)
        self.editor.finished.connect(self.finished)

    def show_channel(self) -> None:
        if isinstance(self._settings, Levels):
            self.editor.set_range(getattr(self._settings, self.name))

    def set_histogram(self, heights: list[float], colour: QColor | None) -> None:
        self.editor.set_histogram(heights, colour)

    def neutral(self) -> object:
        return NEUTRAL


_EDITORS: dict[type[Parameters], Callable[[Application], ToneEditor]] = {
    Curves: CurvesEditor,
    Levels: LevelsPanel,
}


def special_editor(settings: type[Parameters], application: Application) -> ToneEditor | None:
    """The editor of its own that a kind of adjustment has, or None."""
    make = _EDITORS.get(settings)
    return make(application) if make is not None else None


class _Histograms(QObject):
    """Counts on another thread, once the hand rests; the last counts are shown until then."""

    changed = Signal()

    def __init__(self, application: Application, parent: QObject) -> None:
        super().__init__(parent)
        self._application = application
        self._wished: tuple[Document, str] | None = None
        self._below: Any = None  # the nodes that were counted last
        self._counts: Histogram | None = None
        self._running = False
        self._timer = QTimer(self, singleShot=True, interval=_HISTOGRAM_AFTER_MS)
        self._timer.timeout.connect(self._count)

    def ask(self, document: Document, node_id: str) -> None:
        """Count what lies below a node, if that is another than before."""
        self._wished = (document, node_id)
        self._timer.start()

    def heights(self, channel: str) -> list[float]:
        """256 heights 0..1; a few bins that stand out do not flatten the rest."""
        if self._counts is None:
            return []
        return shown_heights(getattr(self._counts, _FIELDS[channel]))

    def _count(self) -> None:
        if self._wished is None or self._running:
            return
        (document, node_id), self._wished = self._wished, None
        state = document.state
        below = tuple(node for node in state.layers if node.id != node_id)
        if state.find(node_id) is None or _same(below, self._below):
            return
        self._running = True

        def done(counts: Histogram) -> None:
            if isValid(self):
                self._running, self._counts, self._below = False, counts, below
                self.changed.emit()
                self._count()

        def failed(_: object) -> None:
            if isValid(self):
                self._running = False

        self._application.background.run(lambda: histogram_below(state, node_id), done, failed)


_FIELDS = {"combined": "luminosity", "red": "red", "green": "green", "blue": "blue"}


def _same(one: Any, other: Any) -> bool:
    return other is not None and len(one) == len(other) and all(a is b for a, b in zip(one, other))


def _value_box(name: str) -> QSpinBox:
    box = SpinBox()
    box.setRange(0, 255)
    box.setAccessibleName(name)
    box.setKeyboardTracking(False)
    box.setFont(tabular(box.font()))
    inset(box)
    return box

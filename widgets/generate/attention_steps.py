"""A slider over the steps of a run: where the model attended to a subject at each of them."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from editor.controllers.refinement import WHOLE_RUN, map_steps
from editor.layers.layer import Layer, Node
from editor.layers.recipes import Subject
from widgets.forms.fields import ComboBox, Slider
from widgets.look.plain_text import Label


class AttentionSteps(QWidget):
    """Asks for maps by `wished`; shown when the layer has maps of single steps."""

    wished = Signal(object, int)  # index of the subject or -1 for none, step or -1 for the mean of the run
    export_wished = Signal(int, int)  # index of the subject, step

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layer: Layer | None = None
        self._subjects: tuple[Subject, ...] = ()
        self._steps: tuple[int, ...] = ()
        self.title = Label(self.tr("Where the model looks"))
        self.subject = ComboBox()
        self.subject.setAccessibleName(self.tr("Subject"))
        self.slider = Slider()
        self.slider.setAccessibleName(self.tr("Step"))
        self.slider.setTickPosition(QSlider.TickPosition.NoTicks)
        self.step = Label()
        self.export = QPushButton(self.tr("Export map…"))
        row = QHBoxLayout()
        row.addWidget(self.subject)
        row.addWidget(self.slider, 1)
        row.addWidget(self.step)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self.title)
        layout.addLayout(row)
        layout.addWidget(self.export, 0, Qt.AlignmentFlag.AlignRight)
        self.subject.activated.connect(self._on_changed)
        self.slider.valueChanged.connect(self._on_changed)
        self.export.clicked.connect(
            lambda: self.export_wished.emit(self.subject.currentIndex() - 1, self._chosen_step())
        )
        self.hide()

    def show_layer(self, node: Node | None, subjects: Sequence[Subject]) -> None:
        """The layer whose maps there are, and its subjects."""
        layer = node if isinstance(node, Layer) else None
        if layer is self._layer and tuple(subjects) == self._subjects:
            return
        self._layer, self._subjects = layer, tuple(subjects)
        known = [map_steps(layer, one.span) for one in subjects] if layer is not None else []
        self._steps = max(known, key=len, default=())
        self.setVisible(bool(self._steps))
        self.subject.clear()
        self.subject.addItem(self.tr("None"))
        self.subject.addItems([one.text for one in subjects])
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(0, len(self._steps))
        self.slider.setValue(0)
        self.slider.blockSignals(blocked)
        self._show_step()

    def _chosen_step(self) -> int:
        value = self.slider.value()
        return self._steps[value - 1] if 0 < value <= len(self._steps) else WHOLE_RUN

    def _on_changed(self) -> None:
        self._show_step()
        if self.sender() is self.slider and self.subject.currentIndex() == 0 and self._subjects:
            self.subject.setCurrentIndex(1)  # moving the slider asks to see something
            self._show_step()
        self.wished.emit(self.subject.currentIndex() - 1, self._chosen_step())

    def _show_step(self) -> None:
        step = self._chosen_step()
        text = self.tr("all steps") if step == WHOLE_RUN else self.tr("step {number}").format(number=step + 1)
        self.step.setText(text)
        self.step.setMinimumWidth(self.step.fontMetrics().horizontalAdvance(self.tr("all steps")) + 4)
        self.export.setEnabled(self.subject.currentIndex() > 0)

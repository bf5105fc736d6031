"""The batch among the jobs: how far it is, and a way back to its dialog."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from editor.controllers.batches import Batches
from widgets.look.durations import duration
from widgets.look.elided_label import ElidedLabel
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import scaled_font, tabular


class BatchRow(QWidget):
    """Follows `Batches`; hidden while no batch runs. Its runs are idle work, which has no rows of its own."""

    wanted = Signal()
    running = Signal(bool)

    def __init__(self, batches: Batches, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._batches = batches
        self.label = ElidedLabel("")
        self.state = Label()
        self.state.setProperty("dim", True)
        self.state.setFont(tabular(scaled_font(self.state.font(), 0.92)))
        self.bar = QProgressBar(textVisible=False)
        self.open = QPushButton(self.tr("Show"))
        self.open.clicked.connect(self.wanted)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.label, 1)
        top.addWidget(self.state)
        text = QVBoxLayout()
        text.setSpacing(5)
        text.addLayout(top)
        text.addWidget(self.bar)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(8)
        layout.addLayout(text, 1)
        layout.addWidget(self.open)
        self.hide()
        batches.changed.connect(self._show)
        self._show()

    @property
    def is_running(self) -> bool:
        return self._batches.busy

    def _show(self) -> None:
        order = self._batches.order
        shown = self._batches.busy and order is not None
        if order is not None:
            name = order.recipe.name or order.source.name
            self.label.setText(self.tr("Batch: {name}").format(name=name))
            set_tip(self.label, str(order.source))
            for widget, text in ((self.bar, self.label.text()), (self.open, self.tr("Show the batch"))):
                widget.setAccessibleName(text)
        done, failed, total = self._batches.counts
        self.bar.setMaximum(total)
        self.bar.setValue(done + failed)
        self.state.setText(self._words(done, failed, total))
        self.setVisible(shown)
        self.running.emit(shown)

    def _words(self, done: int, failed: int, total: int) -> str:
        if not total:
            return self.tr("starting")
        text = self.tr("{done} of {total} done").format(done=done, total=total)
        if failed:
            text = self.tr("{words} · {count} failed").format(words=text, count=failed)
        seconds = self._batches.seconds_left
        if self._batches.paused:
            return self.tr("{words} · paused").format(words=text)
        if seconds is None:
            return text
        return self.tr("{words} · {time} left").format(words=text, time=duration(seconds))

"""The batch among the jobs: how far it is, and a way back to its dialog."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from editor.controllers.batches import Batches
from widgets.look.durations import duration
from widgets.look.plain_text import set_tip
from widgets.look.progress_row import ProgressRow


class BatchRow(ProgressRow):
    """Follows `Batches`; hidden while no batch runs. Its runs are idle work, which has no rows of its own."""

    wanted = Signal()
    running = Signal(bool)

    def __init__(self, batches: Batches, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._batches = batches
        self.open = QPushButton(self.tr("Show"))
        self.open.clicked.connect(self.wanted)
        self.lay_out([], [self.open])
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

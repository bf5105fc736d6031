"""What was learnt at earlier steps of a run, beside what is learnt now: to look at, and to keep."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from widgets.forms.fields import ComboBox
from widgets.look.plain_text import Label, set_tip

MOST = 12  # of them, the later ones closer together


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A checkpoint with the strip of pictures that belongs to it."""

    step: int
    state: bytes
    strip: QPixmap


class Checkpoints(QWidget):
    """Emits `keep` with the state of the one on show."""

    keep = Signal(bytes)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._snapshots: list[Snapshot] = []
        self.choice = ComboBox()
        self.choice.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToContents)  # steps get longer
        self.choice.setAccessibleName(self.tr("Compare with"))
        self.strip = Label()
        self.strip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.strip.setAccessibleName(self.tr("From the lower to the higher end, at an earlier step"))
        self.take = QPushButton(self.tr("Keep this one"))
        set_tip(self.take, self.tr("Put what was learnt at that step into the library; learning goes on"))
        row = QHBoxLayout()
        row.setSpacing(8)
        label = Label(self.tr("Compare with"))
        label.setProperty("dim", True)
        row.addWidget(label)
        row.addWidget(self.choice)
        row.addStretch(1)
        row.addWidget(self.take)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row)
        layout.addWidget(self.strip)
        self.choice.currentIndexChanged.connect(self._show)
        self.take.clicked.connect(self._on_take)
        self.clear()

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        return tuple(self._snapshots)

    def clear(self) -> None:
        self._snapshots = []
        self.choice.clear()
        self.hide()

    def add(self, step: int, state: bytes, strip: QPixmap) -> None:
        """Another checkpoint; of one step the last one counts, of too many every second early one goes."""
        chosen = self.choice.currentData()
        self._snapshots = [one for one in self._snapshots if one.step != step]
        self._snapshots.append(Snapshot(step, state, strip))
        if len(self._snapshots) > MOST:
            early = self._snapshots[: MOST // 2]
            dropped = [one for one in early[1::2] if one.step != chosen] or early[1:2]
            self._snapshots = [one for one in self._snapshots if one not in dropped]
        blocked = self.choice.blockSignals(True)
        self.choice.clear()
        for one in self._snapshots:
            self.choice.addItem(self.tr("Step {step}").format(step=one.step), one.step)
        self.choice.setCurrentIndex(max(0, self.choice.findData(chosen)))
        self.choice.blockSignals(blocked)
        self._show()
        self.show()

    def _shown(self) -> Snapshot | None:
        return next((one for one in self._snapshots if one.step == self.choice.currentData()), None)

    def _show(self) -> None:
        shown = self._shown()
        self.strip.setVisible(shown is not None and not shown.strip.isNull())
        if shown is not None:
            self.strip.setPixmap(shown.strip)

    def _on_take(self) -> None:
        shown = self._shown()
        if shown is not None:
            self.keep.emit(shown.state)

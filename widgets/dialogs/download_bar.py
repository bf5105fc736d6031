"""How far a download of a model is, with its buttons."""

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from editor.application import Application
from inference.downloads.curated import title_of
from widgets.look.durations import duration
from widgets.look.elided_label import ElidedLabel
from widgets.look.plain_text import set_tip


class DownloadBar(QWidget):
    """How far a download is, and its buttons."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._downloads = downloads = application.downloads
        self.words = ElidedLabel()
        self.bar = QProgressBar(textVisible=False, maximum=1000)
        self.bar.setAccessibleName(self.tr("Download"))
        self.pause = QPushButton(self.tr("Pause"))
        self.stop = QPushButton(self.tr("Give up"))
        for button in (self.pause, self.stop):
            button.setAutoDefault(False)
        row = QHBoxLayout()
        row.addWidget(self.words, 1)
        row.addWidget(self.pause)
        row.addWidget(self.stop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.bar)
        self.pause.clicked.connect(self._on_pause)
        self.stop.clicked.connect(downloads.give_up)
        downloads.changed.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        """Say where the download is; without one there is nothing to see."""
        downloads, state = self._downloads, self._downloads.state
        self.setVisible(downloads.busy or downloads.paused)
        self.pause.setText(self.tr("Pause") if downloads.busy else self.tr("Go on"))
        self.bar.setMaximum(1000 if state is not None or not downloads.busy else 0)
        if state is None:
            self._say(self.tr("Asking for {model}…").format(model=title_of(downloads.hub_id)))
            return
        self.bar.setValue(round(1000 * state.done_bytes / max(state.total_bytes, 1)))
        words = [
            title_of(downloads.hub_id),
            self.tr("{done} of {total} GB").format(
                done=f"{state.done_bytes / 1e9:.2f}", total=f"{state.total_bytes / 1e9:.2f}"
            )
            if state.total_bytes >= 1e9
            else self.tr("{done} of {total} MB").format(
                done=f"{state.done_bytes / 1e6:.1f}", total=f"{state.total_bytes / 1e6:.1f}"
            ),
        ]
        if not downloads.busy:
            words.append(self.tr("paused"))
        elif state.done_bytes >= state.total_bytes:  # which takes a while as well
            words.append(self.tr("looking at the model…"))
        elif state.seconds_left is not None:
            words.append(self.tr("{speed} MB/s").format(speed=f"{state.bytes_per_second / 1e6:.1f}"))
            words.append(self.tr("{time} left").format(time=duration(state.seconds_left)))
        self._say(" · ".join(words))

    def _say(self, text: str) -> None:
        self.words.setText(text)
        set_tip(self.words, text)

    def _on_pause(self) -> None:
        if self._downloads.busy:
            self._downloads.pause()
        else:
            self._downloads.go_on()

"""The Jobs panel: what runs and waits, how long it still takes, a button to stop it, and what can go on."""

from PySide6.QtCore import QCoreApplication, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from editor.controllers.batches import Batches
from editor.controllers.long_jobs import LongJobs
from editor.generating.learnt_files import CONCEPT, DELTA
from editor.pixels.qimages import to_qimage
from editor.recovery.checkpoints import Leftover
from editor.words.said import lines, said
from inference.errors import EditorError
from inference.messages import Message
from inference.progress import Step
from inference.service import InferenceService, Job, JobState, Priority
from widgets.batch.batch_row import BatchRow
from widgets.look.durations import TimeLeft, duration
from widgets.look.elided_label import ElidedLabel
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label, set_tip
from widgets.look.progress_row import ProgressRow
from widgets.look.theme import scaled_font, tabular

_SHOW_AFTER_MS = 80  # a slider's job that is over sooner would only flicker
_FAILED_SHOWN_MS = 6000
_THUMB_PX = 30
_ROW_MARGINS_PX = 18  # above and below one row: its own, the list's
_SURE_MS = 4000

translate = QCoreApplication.translate


class JobRow(ProgressRow):
    """One job."""

    def __init__(self, job: Job, service: InferenceService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job = job
        self._time_left = TimeLeft()
        self.thumb = Label()
        self.thumb.setFixedSize(_THUMB_PX, _THUMB_PX)
        self.thumb.hide()
        self.label.setText(job.label)
        set_tip(self.label, job.label)
        self.state.setText(self.tr("waiting"))
        self.bar.setMaximum(1000)
        self.bar.setAccessibleName(job.label)
        self.cancel = IconButton("close", self.tr("Stop this job"), size_px=14)
        self.cancel.clicked.connect(lambda: service.set_aside(job))
        self.lay_out([self.thumb], [self.cancel])

    def show_step(self, step: Step) -> None:
        self.bar.setRange(0, 1000)
        self.bar.setValue(round(1000 * step.done / step.total) if step.total else 0)
        self.state.setText(self._words(step))
        if step.preview is not None:
            ratio = self.devicePixelRatioF()
            side = round(_THUMB_PX * ratio)
            mode = Qt.TransformationMode.SmoothTransformation
            image = to_qimage(step.preview).scaled(
                side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding, mode
            )
            pixmap = QPixmap.fromImage(image)
            pixmap.setDevicePixelRatio(ratio)
            self.thumb.setPixmap(pixmap)
            self.thumb.show()

    def show_started(self) -> None:
        self.bar.setRange(0, 0)
        self.state.setText(self.tr("starting"))

    def show_parked(self) -> None:
        self.state.setText(self.tr("waiting; goes on by itself"))

    def show_error(self, error: EditorError) -> None:
        self.bar.hide()
        self.state.setProperty("danger", True)
        self.state.setText(self.tr("failed"))
        set_tip(self, lines(filter(None, (error.sentence, error.advice))))
        self.cancel.hide()

    def _words(self, step: Step) -> str:
        phase = _phase_words().get(step.phase, "")
        words = phase or self.tr("step {done} of {total}").format(done=step.done, total=step.total)
        seconds = self._time_left.estimate(step)
        if seconds is None or seconds < 0.5:
            return words
        return self.tr("{words} · {time} left").format(words=words, time=duration(seconds))


class StoppedRow(QWidget):
    """A long job that was stopped, in this session or an earlier one."""

    def __init__(self, leftover: Leftover, jobs: LongJobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.leftover = leftover
        self.label = ElidedLabel(leftover.label)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        set_tip(self.label, leftover.label)
        where = self.tr("stopped at {done} of {total}").format(done=leftover.done, total=leftover.total)
        self.state = Label(where if leftover.total else self.tr("stopped at the beginning"))
        self.state.setProperty("dim", True)
        self.state.setFont(tabular(scaled_font(self.state.font(), 0.92)))
        self.go_on = QPushButton(self.tr("Go on"))
        self.go_on.setAccessibleName(self.tr("Go on: {job}").format(job=leftover.label))
        self.keep = QPushButton(self.tr("Keep"))
        self.keep.setAccessibleName(self.tr("Keep: {job}").format(job=leftover.label))
        set_tip(self.keep, self.tr("Put what was learnt so far into the library"))
        self.keep.setVisible(leftover.begun and leftover.request.declared.artifact in (DELTA, CONCEPT))
        self.discard = QPushButton(self.tr("Discard"))
        self.discard.setAccessibleName(self.tr("Discard: {job}").format(job=leftover.label))
        self._sure = QTimer(self, singleShot=True, interval=_SURE_MS)
        self._sure.timeout.connect(lambda: self.discard.setText(self.tr("Discard")))
        self.go_on.clicked.connect(lambda: jobs.go_on(leftover))
        self.keep.clicked.connect(lambda: jobs.keep(leftover))
        self.discard.clicked.connect(lambda: self._on_discard(jobs))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(8)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.state)
        layout.addWidget(self.go_on)
        layout.addWidget(self.keep)
        layout.addWidget(self.discard)

    def _on_discard(self, jobs: LongJobs) -> None:
        """Hours of work do not go with one click."""
        if self._sure.isActive() or not self.leftover.begun:
            jobs.discard(self.leftover)
        else:
            self._sure.start()
            self.discard.setText(self.tr("Really?"))


class JobPanel(QWidget):
    """One row for each job that takes longer than a blink; idle preparations are not shown.

    Of a batch one row tells how far it is. Below stand those of `long_jobs` that are stopped.
    """

    filled = Signal(bool)  # whether there is something to show
    batch_wanted = Signal()

    def __init__(
        self,
        service: InferenceService,
        long_jobs: LongJobs | None = None,
        batches: Batches | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._service = service
        self._long_jobs = long_jobs
        self._rows: dict[int, JobRow] = {}
        self._stopped: list[StoppedRow] = []
        self.empty = Label(self.tr("Nothing is running."))
        self.empty.setProperty("dim", True)
        self.loading = Label()
        self.loading.setProperty("dim", True)
        self.loading_bar = QProgressBar(maximum=0, textVisible=False)
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(14, 2, 14, 10)
        self._list.setSpacing(6)
        self._list.addWidget(self.loading)
        self._list.addWidget(self.loading_bar)
        self._list.addWidget(self.empty)
        self.batch = None if batches is None else BatchRow(batches)
        if self.batch is not None:
            self._list.addWidget(self.batch)
            self.batch.wanted.connect(self.batch_wanted)
            self.batch.running.connect(self._show_empty)
        self._list.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        # one job has room in the low strip, too: the picture stays in its place while a slider is dragged
        scroll.setMinimumHeight(max(self.empty.sizeHint().height() + 14, _THUMB_PX + _ROW_MARGINS_PX))
        scroll.setWidget(content)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        service.job_queued.connect(self._on_queued)
        service.job_started.connect(self._on_started)
        service.job_progress.connect(self._on_progress)
        service.job_parked.connect(self._on_parked)
        service.job_finished.connect(self._on_over)
        service.job_cancelled.connect(self._on_over)
        service.job_failed.connect(self._on_failed)
        service.status_changed.connect(self._on_status)
        for job in service.jobs():
            self._add(job)
        self._on_status(service.status)
        if long_jobs is not None:
            long_jobs.changed.connect(self._show_stopped)
            self._show_stopped()

    def sizeHint(self) -> QSize:
        return QSize(420, 120)

    def row(self, job: Job) -> JobRow | None:
        return self._rows.get(job.id)

    def _on_queued(self, job: Job) -> None:
        if job.priority is not Priority.IDLE:
            QTimer.singleShot(_SHOW_AFTER_MS, self, lambda: self._add(job))

    def _add(self, job: Job) -> None:
        if job.is_over or job.id in self._rows or job.priority is Priority.IDLE:
            return
        row = self._rows[job.id] = JobRow(job, self._service)
        if job.state is JobState.RUNNING:
            row.show_started()
        if job.step is not None:
            row.show_step(job.step)
        self._list.insertWidget(self._list.count() - 1, row)
        self._show_empty()

    def _on_started(self, job: Job) -> None:
        row = self.row(job)
        if row is not None:
            row.show_started()

    def _on_parked(self, job: Job) -> None:
        row = self.row(job)
        if row is not None:
            row.show_parked()

    def _show_stopped(self) -> None:
        assert self._long_jobs is not None, "it told that it changed"
        left = self._long_jobs.stopped
        for row in [row for row in self._stopped if row.leftover not in left]:
            self._stopped.remove(row)
            row.hide()
            row.deleteLater()
        shown = [row.leftover for row in self._stopped]
        for leftover in left:
            if leftover not in shown:
                row = StoppedRow(leftover, self._long_jobs)
                self._stopped.append(row)
                self._list.insertWidget(self._list.count() - 1, row)
        self._show_empty()

    @property
    def stopped(self) -> tuple[StoppedRow, ...]:
        return tuple(self._stopped)

    def _on_progress(self, job: Job, step: Step) -> None:
        row = self.row(job)
        if row is not None:
            row.show_step(step)

    def _on_over(self, job: Job, _result: object = None) -> None:
        row = self._rows.pop(job.id, None)
        if row is not None:
            row.hide()
            row.deleteLater()
        self._show_empty()

    def _on_failed(self, job: Job, error: EditorError) -> None:
        row = self.row(job)
        if row is not None:
            row.show_error(error)
            QTimer.singleShot(_FAILED_SHOWN_MS, self, lambda: self._on_over(job))

    def _on_status(self, text: Message) -> None:
        self.loading.setText(said(text))
        percent = text.values.get("percent")
        self.loading_bar.setVisible(percent is not None)
        self.loading_bar.setRange(0, 100 if percent is not None else 0)
        self.loading_bar.setValue(percent or 0)
        self._show_empty()

    def _show_empty(self) -> None:
        # a job that waits for its model says so itself; how far loading is stays to be seen
        self.loading.setVisible(
            bool(self.loading.text()) and not (self._rows and self.loading_bar.isHidden())
        )
        self.empty.setVisible(not self.is_filled)
        self.filled.emit(self.is_filled)

    @property
    def needs_room(self) -> bool:
        """Whether there is more than fits into one row."""
        return len(self._rows) + (not self.loading.isHidden()) > 1 or bool(self._stopped) or self._batch_runs

    @property
    def is_filled(self) -> bool:
        return bool(self._rows or self._stopped or self.loading.text() or self._batch_runs)

    @property
    def _batch_runs(self) -> bool:
        return self.batch is not None and self.batch.is_running


def _phase_words() -> dict[str, str]:
    """What is said instead of counting steps."""
    return {
        "load": translate("JobPanel", "loading the model"),
        "encode": translate("JobPanel", "reading the prompt"),
        "decode": translate("JobPanel", "finishing the picture"),
    }

"""What dialogs that teach something share: a job is started, followed, stopped, and kept as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QProgressBar, QWidget
from shiboken6 import isValid

from editor.application import Application
from editor.words.said import in_one_line
from inference.errors import EditorError
from inference.progress import Step
from inference.request import Request
from inference.service import Job, JobState
from widgets.forms.dialog import Dialog
from widgets.look.durations import TimeLeft, duration
from widgets.look.plain_text import Label, set_tip

translate = QCoreApplication.translate


@dataclass(frozen=True)
class Asked:
    """What a dialog's fields say: a long job."""

    request: Request
    contents: dict[str, Any]
    label: str


class LearningDialog(Dialog):
    """It can be closed while its job runs, and opened again. A dialog of this kind has `fields`, which rest
    meanwhile, and says with `asked` what is wanted; it lays itself out and calls `connect_all` at the end.
    From the click until the job is there the button waits: pictures are read and hashed on another thread.
    """

    operation = ""

    def __init__(self, application: Application, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._application = application
        self._jobs = application.long_jobs
        self._job: Job | None = None
        self._is_starting = False
        self._kept = ""  # what was said when it was kept while it goes on
        self._time_left = TimeLeft()
        self.fields = QWidget()
        self.bar = QProgressBar(maximum=1000, textVisible=False)
        self.status = Label()
        self.status.setWordWrap(True)

    # what a kind of dialog says

    def asked(self) -> Callable[[], Asked]:
        """What makes the job that the fields ask for; it is called on another thread, and touches no widget.

        Raises:
            EditorError: something is missing or wrong. What is made may raise it as well.
        """
        raise NotImplementedError

    def show_step(self, step: Step) -> None:
        """Show a preview, where a step has one."""

    def show_checkpoint(self, state: bytes) -> None:
        """Show that there is one to keep."""

    def show_asked(self, request: Request, contents: Mapping[str, Any]) -> None:
        """Show in the fields what a job learns that goes on since before the dialog was opened."""

    def forget_steps(self) -> None:
        """Another job is followed."""

    def told_kept(self, info: Any) -> str:
        """What is said when something is in a library; "" if it is of another dialog."""
        raise NotImplementedError

    def show_state(self, *, busy: bool) -> None:
        """Show more of whether a job is followed."""

    # what all share

    def connect_all(self, start_text: str) -> None:
        """Add the buttons and follow the job that runs already, if one does."""
        self._start_text = start_text
        self.shut = self.add_button(translate("TeachDialog", "Close"))
        set_tip(
            self.shut, translate("TeachDialog", "What is being learnt goes on; the panel “Jobs” shows it")
        )
        self.shut.clicked.connect(self.close)
        self.keep = self.add_button(translate("TeachDialog", "Keep as it is"))
        set_tip(
            self.keep,
            translate("TeachDialog", "Put what is learnt so far into the library; learning goes on"),
        )
        self.start = self.add_button(start_text, primary=True)
        service, jobs = self._application.service, self._jobs
        self.start.clicked.connect(self._on_start)
        self.keep.clicked.connect(self._on_keep)
        jobs.begun.connect(self._on_begun)
        jobs.changed.connect(self._on_changed)
        jobs.kept.connect(self._on_kept)
        jobs.failed.connect(self._on_failed)
        service.job_started.connect(self._on_state)
        service.job_parked.connect(self._on_state)
        service.job_checkpoint.connect(self._on_checkpoint)
        service.job_progress.connect(self._on_progress)
        self._follow(next(iter(self._learning()), None))

    @property
    def is_busy(self) -> bool:
        return self._job is not None

    def say(self, text: str, *, problem: bool = False) -> None:
        self.status.setText(text)
        self.status.setProperty("danger", problem)
        self.status.style().polish(self.status)

    def forget_problem(self) -> None:
        """What was wrong is being put right: said until the next try, it would be taken for still wrong."""
        if self.status.property("danger"):
            self.say("")

    def _on_start(self) -> None:
        if self._job is not None:
            self._jobs.stop(self._job)
            return
        try:
            make = self.asked()
        except EditorError as error:
            self._on_failed(error)
            return
        self.say(translate("TeachDialog", "Starting…"))
        self._is_starting = True
        self._show()
        jobs = self._jobs  # the dialog may be closed before the pictures are read

        def submit(asked: Asked) -> None:
            jobs.submit(asked.request, asked.contents, asked.label)

        self._application.background.run(make, submit, self._on_failed)

    def _on_keep(self) -> None:
        if self._job is not None:
            self._jobs.keep(self._job)

    def _on_begun(self, job: Job) -> None:
        if self._job is None and job.request.operation == self.operation:
            self._follow(job)

    def _follow(self, job: Job | None) -> None:
        self._job, self._is_starting, self._kept = job, False, ""
        self._time_left = TimeLeft()
        self.forget_steps()
        if job is not None:
            self.show_asked(job.request, job.contents)
            self.say(translate("TeachDialog", "Waiting…"))
            if job.step is not None:
                self._on_progress(job, job.step)
        self._show()

    def _on_changed(self) -> None:
        if self._job is None or self._job in self._jobs.running:
            return
        ended, self._job = self._job, None
        if ended.state is JobState.CANCELLED:
            self.say(
                translate("TeachDialog", "Stopped. It can go on, or be kept as it is, from the panel “Jobs”.")
            )
        elif ended.state is JobState.FINISHED:
            self.say(translate("TeachDialog", "Learnt."))
        self._show()

    def _on_state(self, job: Job) -> None:
        if job is not self._job:
            return
        if job.state is JobState.PARKED:
            self.say(translate("TeachDialog", "Waits for what you are doing, and goes on by itself."))
        self._show()

    def _on_checkpoint(self, job: Job) -> None:
        if job is self._job and isinstance(job.checkpoint, bytes):
            self.show_checkpoint(job.checkpoint)
        self._on_state(job)

    def _on_progress(self, job: Job, step: Step) -> None:
        if job is not self._job:
            return
        self.bar.setRange(0, 1000 if step.total else 0)
        self.bar.setValue(round(1000 * step.done / step.total) if step.total else 0)
        if step.phase == "load":
            self.say(translate("JobPanel", "loading the model"))
            return
        text = translate("TeachDialog", "Step {done} of {total}").format(done=step.done, total=step.total)
        seconds = self._time_left.estimate(step)
        if seconds is not None and seconds >= 1:
            text = translate("TeachDialog", "{words} · {time} left").format(
                words=text, time=duration(seconds)
            )
        self.say("\n".join(part for part in (self._kept, text) if part))
        self.show_step(step)

    def _on_kept(self, info: Any) -> None:
        text = self.told_kept(info)
        if text:
            self._kept = text
            self.say(text)

    def _on_failed(self, error: EditorError) -> None:
        if not isValid(self):  # closed, and what it waited for came afterwards
            return
        self._is_starting = False
        self.say(in_one_line(error), problem=True)
        self._show()

    def _learning(self) -> tuple[Job, ...]:
        return tuple(job for job in self._jobs.running if job.request.operation == self.operation)

    def _show(self) -> None:
        busy = self._job is not None
        self.fields.setEnabled(not busy)
        self.bar.setVisible(busy)
        self.start.setText(translate("TeachDialog", "Stop") if busy else self._start_text)
        self.start.setEnabled(not self._is_starting)
        for by_return in (self.start.setAutoDefault, self.start.setDefault):
            by_return(not busy)  # nobody means to stop by it
        self.keep.setEnabled(self._job is not None and self._job.checkpoint is not None)
        self.show_state(busy=busy)

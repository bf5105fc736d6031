"""The centre of the window: tabs of documents, the welcome page, and messages over both."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget
from shiboken6 import isValid

from editor.application import Application
from editor.controllers.refinement import WHOLE_RUN
from editor.document.document import Document
from editor.formats.files import sample_pictures
from editor.sliders.session import AttributeSession
from inference.progress import Step
from inference.service import Job, Priority
from widgets.canvas.document_frame import DocumentFrame
from widgets.canvas.document_view import DocumentView
from widgets.canvas.view_options import ViewOptions
from widgets.canvas.viewport import Viewport
from widgets.look.icons import IconButton
from widgets.look.plain_text import tip_text, unmarked
from widgets.window.drop_hint import DropHint
from widgets.window.message_bar import MessageBar
from widgets.window.recovery_bar import RecoveryBar
from widgets.window.welcome import Welcome

_SAMPLE_PX = 208


class Workspace(QWidget):
    """One view for each document; the shown one is the application's current document."""

    zoom_changed = Signal(float)
    cursor_moved = Signal(object)  # QPoint or None
    compare_changed = Signal(bool)
    close_requested = Signal(object)  # Document
    files_dropped = Signal(list, bool)  # of str; whether they become layers
    menu_requested = Signal(QPoint)  # where on the screen
    subject_pointed = Signal(int)
    tool_running = Signal(bool)  # whether the tool in hand waits to be applied or dropped

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._frames: list[DocumentFrame] = []
        self._tool = application.tools.current
        application.tools.chosen.connect(self.set_tool)
        self.options = ViewOptions(application.settings, self)
        self.setAcceptDrops(True)
        self.tabs = QTabBar()
        self.tabs.setObjectName("Documents")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.tabs.setAccessibleName(self.tr("Open pictures"))
        self.stack = QStackedWidget()
        self.welcome = Welcome()
        self.stack.addWidget(self.welcome)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.recovery = RecoveryBar(application.recovery.leftovers)
        layout.addWidget(self.tabs)
        layout.addWidget(self.recovery)
        layout.addWidget(self.stack, 1)
        self.messages = MessageBar(self.stack)
        self.drop_hint = DropHint(self)
        self.tabs.hide()
        self.tabs.currentChanged.connect(self._on_tab_changed)
        application.document_opened.connect(self._on_opened)
        application.document_closed.connect(self._on_closed)
        application.current_changed.connect(self._on_current_changed)
        application.session_changed.connect(self._on_session_changed)
        application.shell.models_changed.connect(self._show_models)
        self._show_models()
        application.message.connect(self.messages.show_message)
        application.shell.mended.connect(self.messages.leave)
        service = application.service
        service.job_queued.connect(self._on_jobs_changed)
        service.job_progress.connect(self._on_job_progress)
        for ended in (service.job_finished, service.job_failed, service.job_cancelled):
            ended.connect(self._on_jobs_changed)
        for document in application.documents:
            self._on_opened(document)
        self._on_current_changed(application.current)
        self._on_session_changed(application.session)
        QTimer.singleShot(0, self, self._read_samples)

    @property
    def view(self) -> DocumentView | None:
        """The view of the current document."""
        shown = self.stack.currentWidget()
        return shown.view if isinstance(shown, DocumentFrame) else None

    @property
    def _views(self) -> tuple[DocumentView, ...]:
        return tuple(frame.view for frame in self._frames)

    @property
    def tool(self) -> str:
        return self._tool

    def set_tool(self, tool: str) -> None:
        self._tool = tool
        for view in self._views:
            view.set_tool(tool)

    def shutdown(self) -> None:
        """Stop what composes the pictures; call it once, when the window closes."""
        for view in self._views:
            view.close_tiles()
        self._frames.clear()

    def viewports(self) -> dict[Document, Viewport]:
        """What each document's view shows of it."""
        return {view.document: replace(view.viewport) for view in self._views}

    def take_viewports(self, viewports: Mapping[Document, Viewport]) -> None:
        """Show documents as other views did."""
        for view in self._views:
            other = viewports.get(view.document)
            if other is not None and not other.fitted:
                view.viewport.fitted = False
                view.viewport.angle = other.angle
                view.viewport.zoom = other.zoom
                view.viewport.left, view.viewport.top = other.left, other.top
                view.on_view_moved()

    def light_subject(self, index: int, step: int = WHOLE_RUN) -> None:
        if self.view is not None:
            self.view.light_subject(index, step)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

            self.drop_hint.begin(has_document=self.view is not None)
            self.drop_hint.point_at(event.position().toPoint())

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.drop_hint.point_at(event.position().toPoint())
        event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop_hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_hint.hide()
        names = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        self.files_dropped.emit(names, self.drop_hint.as_layers)
        event.acceptProposedAction()

    def _on_opened(self, document: Document) -> None:
        view = DocumentView(document, self._application, self.options)
        frame = DocumentFrame(view, self.options)
        view.menu_requested.connect(self.menu_requested)
        view.set_tool(self._tool)
        view.zoom_changed.connect(self._only_shown(view, self.zoom_changed.emit))
        view.cursor_moved.connect(self._only_shown(view, self.cursor_moved.emit))
        view.wipe_changed.connect(self._only_shown(view, self.compare_changed.emit))
        view.subject_pointed.connect(self.subject_pointed)
        view.tool_running.connect(self._only_shown(view, self.tool_running.emit))
        self._frames.append(frame)
        self.stack.addWidget(frame)
        blocked = self.tabs.blockSignals(True)
        index = self.tabs.addTab(unmarked(document.title))
        close = IconButton("close", self.tr("Close {title}").format(title=document.title), size_px=12)
        close.setFixedSize(20, 20)
        close.clicked.connect(lambda: self.close_requested.emit(document))
        self.tabs.setTabButton(index, QTabBar.ButtonPosition.RightSide, close)
        self.tabs.blockSignals(blocked)
        document.modified_changed.connect(self._show_titles)
        document.path_changed.connect(self._show_titles)
        self._show_titles()

    def _on_closed(self, document: Document) -> None:
        index = next((i for i, view in enumerate(self._views) if view.document is document), -1)
        if index < 0:  # another window took this one's place
            return
        frame = self._frames.pop(index)
        frame.view.set_session(None)
        blocked = self.tabs.blockSignals(True)
        self.tabs.removeTab(index)
        self.tabs.blockSignals(blocked)
        frame.view.close_tiles()
        self.stack.removeWidget(frame)
        frame.deleteLater()
        self._show_titles()
        self._on_current_changed(self._application.current)

    def _on_current_changed(self, document: Document | None) -> None:
        index = next((i for i, view in enumerate(self._views) if view.document is document), -1)
        if index < 0:
            self.stack.setCurrentWidget(self.welcome)
            self.tool_running.emit(False)
            return
        view = self._views[index]
        blocked = self.tabs.blockSignals(True)
        self.tabs.setCurrentIndex(index)
        self.tabs.blockSignals(blocked)
        self.stack.setCurrentWidget(self._frames[index])
        self.zoom_changed.emit(view.viewport.zoom)
        self.compare_changed.emit(view.wipe_share is not None)
        self.tool_running.emit(view.tools.running)

    def answer_tool(self, *, apply: bool) -> None:
        """Apply what the tool in hand does, or drop it."""
        if self.view is not None:
            self.view.tools.answer(apply=apply)

    def _on_session_changed(self, session: AttributeSession | None) -> None:
        for view in self._views:
            mine = session is not None and session.document is view.document
            view.set_session(session if mine else None)

    def _on_tab_changed(self, index: int) -> None:
        if 0 <= index < len(self._views):
            self._application.set_current(self._views[index].document)

    def _on_jobs_changed(self, _job: Job, _result: object = None) -> None:
        """While there is no picture, the page says which one is on its way."""
        jobs = [] if self._views else [job for job in self._application.service.jobs() if _is_asked_for(job)]
        self.welcome.show_waiting(jobs[0].label if jobs else "")

    def _on_job_progress(self, job: Job, step: Step) -> None:
        if not self._views and _is_asked_for(job):
            self.welcome.show_step(step)

    def _show_models(self) -> None:
        entries = self._application.catalogue.entries()
        self.welcome.show_models(wanted=all(entry.sandbox for entry in entries))

    def _read_samples(self) -> None:
        """After the first paint, on another thread."""
        paths = sample_pictures()

        def small() -> list[tuple[str, QImage]]:
            return [(str(path), _small(path)) for path in paths]

        def show(samples: list[tuple[str, QImage]]) -> None:
            if isValid(self):
                self.welcome.set_samples(samples)

        self._application.background.run(small, show, lambda _: None)

    def _show_titles(self) -> None:
        self.tabs.setVisible(bool(self._views))
        for index, view in enumerate(self._views):
            mark = " •" if view.document.modified else ""
            self.tabs.setTabText(index, unmarked(view.document.title) + mark)
            self.tabs.setTabToolTip(index, tip_text(str(view.document.path or view.document.title)))

    def _only_shown(self, view: DocumentView, emit: Callable[..., None]) -> Callable[..., None]:
        def forward(value: float | QPoint | bool | None) -> None:
            if self.view is view:
                emit(value)

        return forward


def _is_asked_for(job: Job) -> bool:
    """Whether somebody waits for a picture: lessons, a batch and idle preparations leave the page free."""
    return job.priority < Priority.LONG and not job.request.declared.artifact


def _small(path: Path) -> QImage:
    smooth = Qt.TransformationMode.SmoothTransformation
    return QImage(str(path)).scaled(
        _SAMPLE_PX, _SAMPLE_PX, Qt.AspectRatioMode.KeepAspectRatioByExpanding, smooth
    )

"""Downloading a model from the window: one at a time, to be paused, gone on with and given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QMetaMethod, QTimer, Signal

from editor.controllers.base import Controller
from editor.controllers.shell import Shell
from inference.downloads.curated import title_of
from inference.errors import Cancelled, EditorError
from inference.progress import Progress

if TYPE_CHECKING:
    from inference.downloads.download import Download
    from inference.models import Catalogue

translate = QCoreApplication.translate

_LOOK_MS = 100


class ModelDownloads(Controller):
    """What is being downloaded, how far it is, and what became of it.

    `changed` comes about ten times a second while something arrives; `added` and `failed` once at the end,
    neither after `pause` or `give_up`. Where nobody listens to them a message tells. Who has used built-in
    models alone until then has new pictures made with the model from then on.
    """

    changed = Signal()
    added = Signal(object)  # ModelEntry
    failed = Signal(object)  # EditorError

    def __init__(self, shell: Shell, catalogue: Catalogue) -> None:
        super().__init__(shell)
        self._catalogue = catalogue
        self._progress: Progress | None = None
        self._state: Download | None = None
        self._shown: Download | None = None
        self._discards = False
        self._is_here = False
        self.hub_id = ""
        self.token = ""
        self._looking = QTimer(self)
        self._looking.setInterval(_LOOK_MS)
        self._looking.timeout.connect(self._look)

    @property
    def busy(self) -> bool:
        """Whether something arrives now."""
        return self._progress is not None

    @property
    def paused(self) -> bool:
        """Whether there is a download that can go on."""
        return bool(self.hub_id) and not self.busy

    @property
    def state(self) -> Download | None:
        """How far it is; None until the first bytes."""
        return self._state

    def start(self, hub_id: str, token: str = "", *, here: bool = False) -> None:
        """Download a model and add it to the catalogue; one that was stopped goes on where it was.

        Args:
            here: it is in the hub's cache already: nothing is asked of the network, and it is used.
        """
        if self.busy:
            return
        if hub_id != self.hub_id:
            self._state = None
        self.hub_id, self.token, self._discards, self._is_here = hub_id, token, False, here
        progress = self._progress = Progress()

        def tell(state: Download) -> None:  # on the other thread
            self._state = state

        def work() -> Any:
            try:
                return self._catalogue.add(hub_id, progress, tell=tell, token=token, fetch=not here)
            except Cancelled:
                return None

        self._shell.background.run(work, self._on_done, self._on_failed)
        self._looking.start()
        self.changed.emit()

    def go_on(self) -> None:
        """Go on with what was paused."""
        if self.paused:
            self.start(self.hub_id, self.token)

    def pause(self) -> None:
        """Stop within a moment; what has arrived stays."""
        if self._progress is not None:
            self._progress.cancel()

    def give_up(self) -> None:
        """Stop, and delete what has arrived."""
        self._discards = True
        if self._progress is not None:
            self._progress.cancel()
        else:
            self._forget()

    def _on_done(self, entry: Any) -> None:
        self._end()
        if entry is not None:
            self.hub_id = ""
            self._shell.models_changed.emit()
            self._use_first(entry)
            if not self._is_heard(self.added):
                self._shell.message.emit(self.said_of(entry), "", "info")
            self.added.emit(entry)
        elif self._discards:
            self._forget()
        self.changed.emit()

    def said_of(self, entry: Any) -> str:
        """What is said of a model that has come."""
        text = translate("Models", "Added {name}. Choose it under Models for new pictures.")
        if entry.name == self._shell.settings.get("model"):
            text = translate("Models", "{name} is here. New pictures are made with it.")
        return text.format(name=title_of(entry.name))

    def _use_first(self, entry: Any) -> None:
        """Make new pictures with it if that was asked for, or was done with a built-in model until now."""
        settings = self._shell.settings
        used = next((one for one in self._catalogue.entries() if one.name == settings.get("model")), None)
        if used is not None and not used.sandbox and not self._is_here:
            return
        try:
            settings.set("model", entry.name)
        except EditorError as error:
            self._shell.report(error)
        self._shell.service.preload(entry.name)

    def _on_failed(self, error: EditorError) -> None:
        self._end()
        state = self._state
        if state is None or state.done_bytes >= state.total_bytes:  # nothing that could be gone on with
            self.hub_id, self._state = "", None
        if not self._is_heard(self.failed):
            self._shell.report(error)
        self.failed.emit(error)
        self.changed.emit()

    def _is_heard(self, signal: Any) -> bool:
        """Whether the dialog is there that says so itself: it may be closed meanwhile."""
        return self.isSignalConnected(QMetaMethod.fromSignal(signal))

    def _end(self) -> None:
        self._progress = None
        self._looking.stop()

    def _forget(self) -> None:
        from inference.downloads.download import give_up

        hub_id, self.hub_id, self._state = self.hub_id, "", None
        if hub_id:
            self._shell.background.run(lambda: give_up(hub_id), lambda _: None, lambda _: None, kept=True)
        self.changed.emit()

    def _look(self) -> None:
        if self._state is not self._shown:
            self._shown = self._state
            self.changed.emit()

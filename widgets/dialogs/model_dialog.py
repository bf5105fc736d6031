"""Models: which there are, what each is good for, downloading, adding, checking and removing."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QWidget,
)
from shiboken6 import isValid

from editor.application import Application
from editor.system.process_memory import whole_bytes
from editor.system.settings import Preferences
from editor.words.said import in_one_line, lines
from inference.downloads.connection import PUBLIC_ENDPOINT
from inference.downloads.curated import RECOMMENDED, Recommended, is_here, suggested, title_of
from inference.errors import Cancelled, EditorError
from inference.messages import Message
from inference.process.hub import is_hub_id
from inference.progress import Progress
from widgets.dialogs.download_bar import DownloadBar
from widgets.dialogs.model_rows import ModelRow, OfferRow, facts_of, offer_lines
from widgets.forms.dialog import Dialog
from widgets.look.plain_text import Label, set_tip

_NAME = Qt.ItemDataRole.UserRole
_OFFER = Qt.ItemDataRole.UserRole + 1
_LOOK_MS = 200
_ITEM_PADDING = 6  # of the style sheet, above and below
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class ModelDialog(Dialog):
    """Reads and changes the application's catalogue; slow work happens on another thread.

    The first button is what comes next with the chosen model: to download it, to use it for new pictures, or
    to make one. Where there are built-in models alone, one to download is chosen already.
    """

    new_picture_wanted = Signal()

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Models"))
        self._application = application
        self.list = _ModelList()
        self.list.setAccessibleName(self.tr("Models"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.address = QLineEdit(
            placeholderText=self.tr("Folder, .safetensors file, or hub id such as owner/name")
        )
        self.address.setAccessibleName(self.tr("Folder, file or hub id of a model"))
        self.browse = QPushButton(self.tr("Browse…"))
        self.folder = QPushButton(self.tr("Folder…"))
        self.stop = QPushButton(self.tr("Stop"))
        self.stop.hide()
        self._here: frozenset[str] = frozenset()  # of what is offered
        self._looking: Progress | None = None
        self._look = QTimer(self)
        self._look.setInterval(_LOOK_MS)
        set_tip(
            self.folder, self.tr("Add all models in a folder, such as ComfyUI's or A1111's; they stay there")
        )
        self.token = QLineEdit(
            placeholderText=self.tr("Access token of huggingface.co (only for models that ask to sign in)"),
            echoMode=QLineEdit.EchoMode.Password,
        )
        self.token.setAccessibleName(self.tr("Access token"))
        self.page = QToolButton()
        self.page.setText(self.tr("Open its page"))
        self.page.setProperty("link", True)
        set_tip(self.page, self.tr("Sign in there, accept the licence, and make a token"))
        self.download = QPushButton(self.tr("Download"))
        self.download.setProperty("primary", True)
        self.progress = DownloadBar(application)
        self.add = QPushButton(self.tr("Add"))
        self.answer = Label()
        self.answer.setWordWrap(True)
        self.answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.use = QPushButton(self.tr("Use for new pictures"))
        self.new = QPushButton(self.tr("New from prompt…"))
        self.new.setProperty("primary", True)
        self.check = QPushButton(self.tr("Check"))
        self.remove = QPushButton(self.tr("Remove from list"))
        self.vae = QPushButton(self.tr("Autoencoder…"))
        set_tip(
            self.vae,
            self.tr(
                "Use the model with another autoencoder (VAE), as an entry of its own; it stays as it is"
            ),
        )
        self._lay_out()
        self.add_button(self.tr("Close"), primary=False).clicked.connect(self.close)
        self.list.currentItemChanged.connect(self._show_buttons)
        self.add.clicked.connect(self._on_add)
        self.address.returnPressed.connect(self._on_add)
        self.address.textChanged.connect(self._show_buttons)
        self.browse.clicked.connect(self._on_browse)
        self.folder.clicked.connect(self._on_folder)
        self.stop.clicked.connect(self.stop_looking)
        self.download.clicked.connect(self._on_download)
        self.page.clicked.connect(self._on_page)
        application.downloads.changed.connect(self._show_buttons)
        application.downloads.added.connect(self._on_downloaded)
        application.downloads.failed.connect(self._on_download_failed)
        self.setAcceptDrops(True)
        self.use.clicked.connect(self._on_use)
        self.new.clicked.connect(self._on_new)
        self.check.clicked.connect(self._on_check)
        self.remove.clicked.connect(self._on_remove)
        self.vae.clicked.connect(self._on_vae)
        self._fill(self._suggestion())
        self.resize(640, 600)
        application.background.run(_here, self._show_here, lambda _: None)

    @property
    def selected(self) -> str:
        item = self.list.currentItem()
        return str(item.data(_NAME) or "") if item is not None else ""

    @property
    def offer(self) -> Recommended | None:
        """The chosen model if it is one to download."""
        item = self.list.currentItem()
        hub_id = item.data(_OFFER) if item is not None else None
        return next((one for one in RECOMMENDED if one.hub_id == hub_id), None)

    def _lay_out(self) -> None:
        intro = Label(
            self.tr(
                "The sandbox models come with Attune and draw small cartoon scenes. For photos, download a "
                "model, or add one that is on this computer: it is used where it lies. Nothing is uploaded."
            )
        )
        intro.setWordWrap(True)
        intro.setProperty("dim", True)
        row = QHBoxLayout()
        row.addWidget(self.address, 1)
        row.addWidget(self.browse)
        row.addWidget(self.folder)
        row.addWidget(self.stop)
        row.addWidget(self.add)
        self.column.addWidget(intro)
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.progress)
        self.column.addWidget(self.answer)
        access = QHBoxLayout()
        access.addWidget(self.token, 1)
        access.addWidget(self.page)
        self.column.addLayout(access)
        self.column.addLayout(row)
        first = (self.download, self.use, self.new)
        for index, button in enumerate((*first, self.check, self.vae, self.remove)):
            self.foot.insertWidget(index, button)
        for button in (
            self.browse,
            self.folder,
            self.stop,
            self.add,
            *first,
            self.check,
            self.vae,
            self.remove,
        ):
            button.setAutoDefault(False)

    def _suggestion(self) -> str:
        """The hub id of what to begin with, "" for who has a model already."""
        if any(not entry.sandbox for entry in self._application.catalogue.entries()):
            return ""
        here = [offer for offer in RECOMMENDED if offer.hub_id in self._here]
        found = suggested(whole_bytes(), here) or suggested(whole_bytes())
        return found.hub_id if found is not None else ""

    def _show_here(self, found: frozenset[str]) -> None:
        """Say which offers are on this computer; what was suggested and not touched since is such a one."""
        if not isValid(self) or not found:
            return
        untouched = self.offer is not None and self.offer.hub_id == self._suggestion()
        self._here = found
        self._fill(self._suggestion() if untouched else "")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        item = self.list.currentItem()
        if item is not None:
            self.list.scrollToItem(item)
        if self.offer is not None and self.download.isEnabled():
            self.download.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the keyboard; none is the default, for Enter ends the address."""
        button = self.focusWidget()
        if event.key() in _ENTER and isinstance(button, QPushButton):
            button.click()
            return
        super().keyPressEvent(event)

    def _fill(self, select: str = "") -> None:
        """List everything anew; `select` is the name of the chosen one, or the hub id of an offer."""
        chosen = self.offer.hub_id if self.offer is not None else self.selected
        select = select or chosen or self._application.settings.get("model")
        self.list.clear()
        entries = self._application.catalogue.entries()
        for entry in entries:
            row = ModelRow(entry, entry.name == self._application.settings.get("model"))
            spoken = ", ".join([title_of(entry.name), *facts_of(entry)])
            item = self._add_row(row, _NAME, entry.name, spoken)
            if entry.name == select:
                self.list.setCurrentItem(item)
        there = {entry.hub_id for entry in entries}
        for offer in RECOMMENDED:
            if offer.hub_id not in there:
                row = OfferRow(offer, here=offer.hub_id in self._here)
                spoken = ", ".join([offer.title, *offer_lines(offer)])
                item = self._add_row(row, _OFFER, offer.hub_id, spoken)
                if offer.hub_id == select:
                    self.list.setCurrentItem(item)
        if self.list.currentItem() is not None:
            self.list.scrollToItem(self.list.currentItem())
        self._show_buttons()

    def _add_row(self, row: QWidget, role: int, value: str, spoken: str) -> QListWidgetItem:
        item = QListWidgetItem(self.list)
        item.setData(role, value)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
        self.list.setItemWidget(item, row)
        for part in (row, *row.findChildren(QWidget)):
            part.ensurePolished()  # paddings and borders count
        # as wide as the list: long paths end in an ellipsis
        item.setSizeHint(QSize(1, row.sizeHint().height() + 2 * _ITEM_PADDING))
        return item

    def _entry(self) -> Any:
        return next((e for e in self._application.catalogue.entries() if e.name == self.selected), None)

    def _show_buttons(self) -> None:
        entry = self._entry()
        self.check.setEnabled(entry is not None)
        self.vae.setEnabled(entry is not None and not entry.sandbox)
        self.remove.setEnabled(entry is not None and not entry.sandbox)
        self.add.setEnabled(bool(self.address.text().strip()))
        offer, busy = self.offer, self._application.downloads.busy
        is_used = entry is not None and entry.name == self._application.settings.get("model")
        self.use.setEnabled(entry is not None)
        self.download.setEnabled(not busy)
        is_to_fetch = offer is None or offer.hub_id not in self._here
        self.download.setText(self.tr("Download") if is_to_fetch else self.tr("Use for new pictures"))
        wanted = self.download if offer is not None else self.new if is_used else self.use
        # what goes does so first: beside each other they would widen the window
        for button in sorted((self.download, self.use, self.new), key=lambda one: one is wanted):
            button.setVisible(button is wanted)
        is_gated = offer is not None and offer.gated and is_to_fetch
        self.page.setVisible(is_gated)
        self.token.setVisible(is_gated or is_hub_id(self.address.text().strip()))

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self.answer.setText(text)
        self.answer.setProperty("danger", wrong)
        self.answer.style().unpolish(self.answer)
        self.answer.style().polish(self.answer)

    def _run(self, waiting: str, work: Any, done: Any, failed: Any = None) -> None:
        """Do slow work on another thread; the buttons rest meanwhile."""
        self._say(waiting)
        resting = [self.list, self.add, self.browse, self.folder, self.use, self.check, self.vae, self.remove]
        # not `new`: a picture needs nothing of this
        for widget in resting:
            widget.setEnabled(False)

        def ended() -> bool:
            if not isValid(self):  # the dialog was closed meanwhile
                return False
            for widget in resting:
                widget.setEnabled(True)
            return True

        def finished(result: Any) -> None:
            if ended():
                done(result)

        def on_error(error: EditorError) -> None:
            if ended():
                if failed is not None:
                    failed()
                self._say(in_one_line(error), wrong=True)

        self._application.background.run(work, finished, on_error)

    def _on_browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, self.tr("Add a checkpoint"), "", self.tr("Checkpoints (*.safetensors);;model_index.json")
        )
        if path:
            file = Path(path)
            self.address.setText(str(file.parent if file.name == "model_index.json" else file))

    def _on_add(self) -> None:
        address = self.address.text().strip()
        if not address:
            return
        if not Path(address).expanduser().exists() and is_hub_id(address):
            self._say("")
            self.address.clear()
            self._application.downloads.start(address, self.token.text().strip())
            return

        def done(_entry: Any) -> None:
            name = getattr(_entry, "name", "")
            self.address.clear()
            self._application.shell.models_changed.emit()
            self._fill(name)
            self._say(self.tr("Added {name}.").format(name=title_of(name)))

        self._run(self.tr("Looking at the model…"), lambda: self._application.catalogue.add(address), done)

    def _on_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Add all models in a folder"))
        if folder:
            self.add_folder(Path(folder))

    def add_folder(self, folder: Path) -> None:
        """Add all models that lie in a folder and below it."""

        progress = self._looking = Progress()
        seen: list[tuple[int, int]] = []

        def tell(_here: Path, folders: int, found: int) -> None:  # on the other thread
            seen[:] = [(folders, found)]

        def work() -> Any:
            try:
                return self._application.catalogue.add_all(folder, progress, tell=tell)
            except Cancelled:
                return None

        def show() -> None:
            if seen:
                folders, found = seen[0]
                text = self.tr("Looking through {folder}: {folders} folders, {found} models…")
                self._say(text.format(folder=folder, folders=folders, found=found))

        def done(result: Any) -> None:
            self._end_looking()
            if result is None:
                self._fill()
                self._say(self.tr("Stopped. The models that were found before are in the list."))
                return
            added, refused = result
            self._application.shell.models_changed.emit()
            self._fill(added[-1].name if added else "")
            found = self.tr("%n model(s) in {folder}.", "", len(added)).format(folder=folder)
            self._say(lines([found, *refused]), wrong=bool(refused) and not added)

        self._run(
            self.tr("Looking through {folder}…").format(folder=folder), work, done, failed=self._end_looking
        )
        self._look.timeout.connect(show)
        self._look.start()
        self.stop.show()

    def stop_looking(self) -> None:
        """Look for no more models; those that were found stay."""
        if self._looking is not None:
            self._looking.cancel()

    def _end_looking(self) -> None:
        self._looking = None
        self._look.stop()
        self._look.timeout.disconnect()
        self.stop.hide()

    def done(self, result: int) -> None:
        self.stop_looking()
        super().done(result)

    def _on_download(self) -> None:
        offer = self.offer
        if offer is not None:
            self._say("")
            self.list.setFocus()  # the button rests now, and the next one in the row closes the window
            token, here = self.token.text().strip(), offer.hub_id in self._here
            self._application.downloads.start(offer.hub_id, token, here=here)

    def _on_page(self) -> None:
        if self.offer is not None:
            QDesktopServices.openUrl(QUrl(f"{PUBLIC_ENDPOINT}/{self.offer.hub_id}"))

    def _on_download_failed(self, error: EditorError) -> None:
        self._say(in_one_line(error), wrong=True)

    def _on_downloaded(self, entry: Any) -> None:
        """Show it, with what comes next."""
        self._fill(entry.name)
        self._say(self._application.downloads.said_of(entry))
        if self.new.isVisible():
            self.new.setFocus()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = next((Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()), None)
        if path is None:
            return
        event.acceptProposedAction()
        if path.is_dir() and not (path / "model_index.json").exists():
            self.add_folder(path)
        else:
            self.address.setText(str(path))
            self._on_add()

    def _on_use(self) -> None:
        try:
            self._application.settings.set("model", self.selected)
        except EditorError as error:
            self._say(in_one_line(error), wrong=True)
        self._application.service.preload(self.selected)
        self._fill()

    def _on_new(self) -> None:
        self.close()
        self.new_picture_wanted.emit()

    def _on_check(self) -> None:
        name = self.selected

        def done(report: Any) -> None:
            problems = _problems(report)
            whole = self.tr("{name} is complete.").format(name=title_of(name))
            self._say(lines(problems) if problems else whole, wrong=bool(problems))

        self._run(
            self.tr("Checking {name}…").format(name=title_of(name)),
            lambda: self._application.catalogue.check(name),
            done,
        )

    def _on_vae(self) -> None:
        entry = self._entry()
        if entry is None:
            return
        path, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Another autoencoder for {name}").format(name=title_of(entry.name)),
            "",
            self.tr("Autoencoders (*.safetensors);;config.json"),
        )
        if path:
            file = Path(path)
            self.add_with_vae(entry, file.parent if file.name == "config.json" else file)

    def add_with_vae(self, entry: Any, vae: Path) -> None:
        """Add a model once more, with an autoencoder in the place of its own."""

        def done(added: Any) -> None:
            self._application.shell.models_changed.emit()
            self._fill(added.name)
            self._say(self.tr("Added {name}.").format(name=title_of(added.name)))

        # by its place: a hub id would be asked for again
        self._run(
            self.tr("Looking at the model…"),
            lambda: self._application.catalogue.add(str(entry.path), vae=vae),
            done,
        )

    def _on_remove(self) -> None:
        name = self.selected
        try:
            self._application.catalogue.remove(name)
        except EditorError as error:
            self._say(in_one_line(error), wrong=True)
            return
        if self._application.settings.get("model") == name:
            self._application.settings.set("model", Preferences().model)
        self._application.shell.models_changed.emit()
        self._fill()
        text = self.tr("{name} is no longer listed; its files are where they were.")
        self._say(text.format(name=title_of(name)))


class _ModelList(QListWidget):
    """Keeps the chosen model in sight when a sentence below takes room from the list."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.currentItem() is not None:
            self.scrollToItem(self.currentItem())


def _here() -> frozenset[str]:
    return frozenset(offer.hub_id for offer in RECOMMENDED if is_here(offer))


def _problems(report: Any) -> list[Message | str]:
    """Sentences on what is wrong with a checked model."""
    return list(report.get("problems", []) if isinstance(report, dict) else getattr(report, "problems", []))

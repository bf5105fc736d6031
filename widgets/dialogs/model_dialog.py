"""Models: which there are, what each is good for, downloading, adding, checking and removing."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QSize, Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from editor.application import Application
from editor.system.settings import Preferences
from editor.words.said import in_one_line, lines
from inference.downloads.curated import RECOMMENDED, Recommended
from inference.errors import Cancelled, EditorError
from inference.messages import Message
from inference.process.hub import is_hub_id
from inference.progress import Progress
from widgets.forms.dialog import Dialog
from widgets.look.durations import duration
from widgets.look.elided_label import ElidedLabel
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import scaled_font

_NAME = Qt.ItemDataRole.UserRole
_OFFER = Qt.ItemDataRole.UserRole + 1
_LOOK_MS = 200
_ITEM_PADDING = 6  # of the style sheet, above and below
_KINDS = {"sd1": "Stable Diffusion 1.x", "sdxl": "Stable Diffusion XL", "sd3": "Stable Diffusion 3"}


class ModelRow(QWidget):
    """Name, badges, and one line of facts."""

    def __init__(self, entry: Any, chosen: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name = Label(entry.name)
        name.setFont(scaled_font(name.font(), 1.0, bold=True))
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(name)
        for text, shown in ((self.tr("sandbox"), entry.sandbox), (self.tr("used for new pictures"), chosen)):
            if shown:
                badge = Label(text)
                badge.setProperty("badge", True)
                badge.setFont(scaled_font(badge.font(), 0.88))
                top.addWidget(badge)
        top.addStretch(1)
        facts = ElidedLabel(" · ".join(_facts(entry)))
        set_tip(facts, facts.text())
        facts.setProperty("dim", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 7, 8, 7)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(facts)


class OfferRow(QWidget):
    """A model that could be downloaded: its name, what it is good at, and what it costs."""

    def __init__(self, offer: Recommended, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        name = Label(offer.title)
        name.setFont(scaled_font(name.font(), 1.0, bold=True))
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(name)
        badge = Label(self.tr("sign in first") if offer.gated else self.tr("to download"))
        badge.setProperty("badge", True)
        badge.setFont(scaled_font(badge.font(), 0.88))
        top.addWidget(badge)
        top.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 7, 8, 7)
        layout.setSpacing(2)
        layout.addLayout(top)
        for line in offer_lines(offer):
            facts = ElidedLabel(line)
            set_tip(facts, line)
            facts.setProperty("dim", True)
            layout.addWidget(facts)


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
            self._say(self.tr("Asking for {model}…").format(model=_title(downloads.hub_id)))
            return
        self.bar.setValue(round(1000 * state.done_bytes / max(state.total_bytes, 1)))
        words = [
            _title(downloads.hub_id),
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


class ModelDialog(Dialog):
    """Reads and changes the application's catalogue; slow work happens on another thread."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Models"))
        self._application = application
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Models"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.address = QLineEdit(
            placeholderText=self.tr("Folder, .safetensors file, or hub id such as owner/name")
        )
        self.address.setAccessibleName(self.tr("Folder, file or hub id of a model"))
        self.browse = QPushButton(self.tr("Browse…"))
        self.folder = QPushButton(self.tr("Folder…"))
        self.stop = QPushButton(self.tr("Stop"))
        self.stop.hide()
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
        self.download = QPushButton(self.tr("Download"))
        self.download.setProperty("primary", True)
        self.progress = DownloadBar(application)
        self.add = QPushButton(self.tr("Add"))
        self.answer = Label()
        self.answer.setWordWrap(True)
        self.answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.use = QPushButton(self.tr("Use for new pictures"))
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
        application.downloads.changed.connect(self._show_buttons)
        application.downloads.added.connect(self._on_downloaded)
        application.downloads.failed.connect(self._on_download_failed)
        self.setAcceptDrops(True)
        self.use.clicked.connect(self._on_use)
        self.check.clicked.connect(self._on_check)
        self.remove.clicked.connect(self._on_remove)
        self.vae.clicked.connect(self._on_vae)
        self._fill()
        self.resize(640, 600)

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
        self.column.addWidget(self.token)
        self.column.addLayout(row)
        for index, button in enumerate((self.download, self.use, self.check, self.vae, self.remove)):
            self.foot.insertWidget(index, button)
        for button in (
            self.browse,
            self.folder,
            self.stop,
            self.add,
            self.download,
            self.use,
            self.check,
            self.vae,
            self.remove,
        ):
            button.setAutoDefault(False)

    def _fill(self, select: str = "") -> None:
        select = select or self.selected or self._application.settings.get("model")
        self.list.clear()
        entries = self._application.catalogue.entries()
        for entry in entries:
            row = ModelRow(entry, entry.name == self._application.settings.get("model"))
            item = self._add_row(row, _NAME, entry.name, f"{entry.name}, {', '.join(_facts(entry))}")
            if entry.name == select:
                self.list.setCurrentItem(item)
        there = {getattr(entry, "hub_id", "") for entry in entries}
        for offer in RECOMMENDED:
            if offer.hub_id not in there:
                self._add_row(
                    OfferRow(offer), _OFFER, offer.hub_id, ", ".join([offer.title, *offer_lines(offer)])
                )
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
        self.use.setEnabled(entry is not None and entry.name != self._application.settings.get("model"))
        self.check.setEnabled(entry is not None)
        self.vae.setEnabled(entry is not None and not entry.sandbox)
        self.remove.setEnabled(entry is not None and not entry.sandbox)
        self.add.setEnabled(bool(self.address.text().strip()))
        offer, busy = self.offer, self._application.downloads.busy
        self.download.setVisible(offer is not None)
        self.download.setEnabled(not busy)
        self.use.setVisible(offer is None)
        self.token.setVisible((offer is not None and offer.gated) or is_hub_id(self.address.text().strip()))

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self.answer.setText(text)
        self.answer.setProperty("danger", wrong)
        self.answer.style().unpolish(self.answer)
        self.answer.style().polish(self.answer)

    def _run(self, waiting: str, work: Any, done: Any, failed: Any = None) -> None:
        """Do slow work on another thread; the buttons rest meanwhile."""
        self._say(waiting)
        resting = [self.list, self.add, self.browse, self.folder, self.use, self.check, self.vae, self.remove]
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
            self._application.sessions.forget_attributes()
            self._fill(name)
            self._say(self.tr("Added {name}.").format(name=name))

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
            self._application.sessions.forget_attributes()
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
            self._application.downloads.start(offer.hub_id, self.token.text().strip())

    def _on_download_failed(self, error: EditorError) -> None:
        self._say(in_one_line(error), wrong=True)

    def _on_downloaded(self, entry: Any) -> None:
        """Show it, and use it if only the sandbox was used until now."""
        self._application.sessions.forget_attributes()
        used = next(
            (
                one
                for one in self._application.catalogue.entries()
                if one.name == self._application.settings.get("model")
            ),
            None,
        )
        self._fill(entry.name)
        self._say(self.tr("Added {name}.").format(name=entry.name))
        if used is None or used.sandbox:
            self._on_use()

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

    def _on_check(self) -> None:
        name = self.selected

        def done(report: Any) -> None:
            problems = _problems(report)
            whole = self.tr("{name} is complete.").format(name=name)
            self._say(lines(problems) if problems else whole, wrong=bool(problems))

        self._run(
            self.tr("Checking {name}…").format(name=name),
            lambda: self._application.catalogue.check(name),
            done,
        )

    def _on_vae(self) -> None:
        entry = self._entry()
        if entry is None:
            return
        path, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Another autoencoder for {name}").format(name=entry.name),
            "",
            self.tr("Autoencoders (*.safetensors);;config.json"),
        )
        if path:
            file = Path(path)
            self.add_with_vae(entry, file.parent if file.name == "config.json" else file)

    def add_with_vae(self, entry: Any, vae: Path) -> None:
        """Add a model once more, with an autoencoder in the place of its own."""

        def done(added: Any) -> None:
            self._application.sessions.forget_attributes()
            self._fill(added.name)
            self._say(self.tr("Added {name}.").format(name=added.name))

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
        self._application.sessions.forget_attributes()
        self._fill()
        self._say(self.tr("{name} is no longer listed; its files are where they were.").format(name=name))


def _title(hub_id: str) -> str:
    """What a model that is downloaded is called in the list."""
    return next((one.title for one in RECOMMENDED if one.hub_id == hub_id), hub_id)


def _facts(entry: Any) -> list[str]:
    family = getattr(entry.family, "value", str(entry.family))
    facts = [_KINDS.get(family, family)]
    size = getattr(entry, "size_bytes", 0)
    if size:
        facts.append(f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB")
    vae = getattr(entry, "vae", None)
    if vae is not None:
        facts.append(QCoreApplication.translate("Models", "autoencoder: {name}").format(name=vae.name))
    where = getattr(entry, "path", None) or getattr(entry, "hub_id", "")
    if where and not entry.sandbox:
        facts.append(str(where))
    return facts


def offer_lines(offer: Recommended) -> tuple[str, str]:
    """What a model is good at, and what it costs, in the window's language."""
    cost = (
        QCoreApplication.translate("Models", "{size} GB"),
        QCoreApplication.translate("Models", "{memory} GB of memory at {picture} px"),
    )
    values = {
        "size": f"{offer.size_bytes / 1e9:.1f}",
        "memory": f"{offer.memory_bytes / 1e9:.1f}",
        "picture": offer.picture,
    }
    facts = [part.format(**values) for part in cost]
    return (
        QCoreApplication.translate("Models", offer.good_at),
        " · ".join([_KINDS[offer.family.value], *facts, offer.licence]),
    )


def _problems(report: Any) -> list[Message | str]:
    """Sentences on what is wrong with a checked model."""
    return list(report.get("problems", []) if isinstance(report, dict) else getattr(report, "problems", []))

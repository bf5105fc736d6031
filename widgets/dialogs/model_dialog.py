"""Models: which there are, what each is good for, adding, checking and removing."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from editor.application import Application
from editor.system.settings import Preferences
from editor.words.said import in_one_line, lines
from inference.errors import EditorError
from inference.messages import Message
from widgets.forms.dialog import Dialog
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font

_NAME = Qt.ItemDataRole.UserRole
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
        facts = Label(" · ".join(_facts(entry)))
        facts.setProperty("dim", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 7, 8, 7)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(facts)


class ModelDialog(Dialog):
    """Reads and changes the application's catalogue; slow work happens on another thread."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Models"))
        self._application = application
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Models"))
        self.address = QLineEdit(
            placeholderText=self.tr("Folder, .safetensors file, or hub id such as owner/name")
        )
        self.address.setAccessibleName(self.tr("Folder, file or hub id of a model"))
        self.browse = QPushButton(self.tr("Browse…"))
        self.add = QPushButton(self.tr("Add"))
        self.answer = Label()
        self.answer.setWordWrap(True)
        self.answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.use = QPushButton(self.tr("Use for new pictures"))
        self.check = QPushButton(self.tr("Check"))
        self.remove = QPushButton(self.tr("Remove from list"))
        self._lay_out()
        self.add_button(self.tr("Close"), primary=False).clicked.connect(self.close)
        self.list.currentItemChanged.connect(self._show_buttons)
        self.add.clicked.connect(self._on_add)
        self.address.returnPressed.connect(self._on_add)
        self.address.textChanged.connect(self._show_buttons)
        self.browse.clicked.connect(self._on_browse)
        self.use.clicked.connect(self._on_use)
        self.check.clicked.connect(self._on_check)
        self.remove.clicked.connect(self._on_remove)
        self._fill()
        self.resize(600, 480)

    @property
    def selected(self) -> str:
        item = self.list.currentItem()
        return str(item.data(_NAME)) if item is not None else ""

    def _lay_out(self) -> None:
        intro = Label(
            self.tr(
                "The sandbox models come with Attune and draw small cartoon scenes. For photos, add a "
                "Stable Diffusion checkpoint that is on this computer; it is used where it lies and "
                "nothing is uploaded."
            )
        )
        intro.setWordWrap(True)
        intro.setProperty("dim", True)
        row = QHBoxLayout()
        row.addWidget(self.address, 1)
        row.addWidget(self.browse)
        row.addWidget(self.add)
        self.column.addWidget(intro)
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.answer)
        self.column.addLayout(row)
        for index, button in enumerate((self.use, self.check, self.remove)):
            self.foot.insertWidget(index, button)
        for button in (self.browse, self.add, self.use, self.check, self.remove):
            button.setAutoDefault(False)

    def _fill(self, select: str = "") -> None:
        select = select or self.selected or self._application.settings.get("model")
        self.list.clear()
        for entry in self._application.catalogue.entries():
            row = ModelRow(entry, entry.name == self._application.settings.get("model"))
            item = QListWidgetItem(self.list)
            item.setData(_NAME, entry.name)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.name}, {', '.join(_facts(entry))}")
            self.list.setItemWidget(item, row)
            for part in (row, *row.findChildren(QWidget)):
                part.ensurePolished()  # paddings and borders count
            item.setSizeHint(row.sizeHint() + QSize(0, 2 * _ITEM_PADDING))
            if entry.name == select:
                self.list.setCurrentItem(item)
        self._show_buttons()

    def _entry(self) -> Any:
        return next((e for e in self._application.catalogue.entries() if e.name == self.selected), None)

    def _show_buttons(self) -> None:
        entry = self._entry()
        self.use.setEnabled(entry is not None and entry.name != self._application.settings.get("model"))
        self.check.setEnabled(entry is not None)
        self.remove.setEnabled(entry is not None and not entry.sandbox)
        self.add.setEnabled(bool(self.address.text().strip()))

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self.answer.setText(text)
        self.answer.setProperty("danger", wrong)
        self.answer.style().unpolish(self.answer)
        self.answer.style().polish(self.answer)

    def _run(self, waiting: str, work: Any, done: Any) -> None:
        """Do slow work on another thread; the buttons rest meanwhile."""
        self._say(waiting)
        resting = [self.list, self.add, self.browse, self.use, self.check, self.remove]
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

        def failed(error: EditorError) -> None:
            if ended():
                self._say(in_one_line(error), wrong=True)

        self._application.background.run(work, finished, failed)

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

        def done(_entry: Any) -> None:
            name = getattr(_entry, "name", "")
            self.address.clear()
            self._application.sessions.forget_attributes()
            self._fill(name)
            self._say(self.tr("Added {name}.").format(name=name))

        self._run(self.tr("Looking at the model…"), lambda: self._application.catalogue.add(address), done)

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


def _facts(entry: Any) -> list[str]:
    family = getattr(entry.family, "value", str(entry.family))
    facts = [_KINDS.get(family, family)]
    size = getattr(entry, "size_bytes", 0)
    if size:
        facts.append(f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB")
    where = getattr(entry, "path", None) or getattr(entry, "hub_id", "")
    if where and not entry.sandbox:
        facts.append(str(where))
    return facts


def _problems(report: Any) -> list[Message | str]:
    """Sentences on what is wrong with a checked model."""
    return list(report.get("problems", []) if isinstance(report, dict) else getattr(report, "problems", []))

"""The attributes there are, and their files: what one says of itself is shown before it is taken in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QListWidget, QListWidgetItem, QPushButton, QWidget
from shiboken6 import isValid

from editor.application import Application
from editor.words.choices import choice_text
from editor.words.said import in_one_line
from editor.words.wording import attribute_label
from inference.deltas import Delta, DeltaInfo, read_delta_file
from inference.downloads.curated import title_of
from inference.errors import EditorError
from widgets.forms.dialog import Dialog
from widgets.look.plain_text import Label, set_tip
from widgets.look.sure_button import SureButton

_KEY = Qt.ItemDataRole.UserRole
_SUBJECTS_SHOWN = 6


class AttributesDialog(Dialog):
    """Lists the library; imports after a look, and exports what has a file."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Attributes"))
        self._application = application
        self._infos: dict[str, DeltaInfo] = {}
        self._offered: Path | None = None
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Attributes"))
        self.facts = Label()
        self.facts.setWordWrap(True)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.answer = Label()
        self.answer.setWordWrap(True)
        self.take = QPushButton(self.tr("Add to the attributes"))
        self.take.setProperty("primary", True)
        self.take.hide()  # until a file is offered
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.facts)
        self.column.addWidget(self.take, alignment=Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self.answer)
        self.load = self.add_button(self.tr("Import…"))
        self.save = self.add_button(self.tr("Export…"))
        self.remove = SureButton(self.tr("Delete"), self.tr("Really?"))
        self.foot.insertWidget(0, self.remove)
        self.remove.sure.connect(self._on_remove)
        self.shut = self.add_button(self.tr("Close"))
        self.load.clicked.connect(self._on_import)
        self.save.clicked.connect(self._on_export)
        self.shut.clicked.connect(self.close)
        self.take.clicked.connect(self._on_take)
        self.list.currentItemChanged.connect(self._on_chosen)
        application.long_jobs.kept.connect(self._fill)
        self._fill()
        self.resize(560, 520)

    def offer(self, path: Path) -> None:
        """Show what a file says of itself, and offer to take it in."""
        self._say(self.tr("Reading…"))
        self._application.background.run(
            lambda: read_delta_file(path),
            self.while_here(lambda delta: self._on_read(path, delta)),
            self.while_here(self._on_failed),
        )

    # inside

    def _fill(self) -> None:
        chosen = self._chosen()
        self._application.background.run(
            self._application.library.list,
            self.while_here(lambda infos: self._show_list(infos, chosen)),
            self.while_here(self._on_failed),
        )

    def _show_list(self, infos: tuple[DeltaInfo, ...], chosen: str) -> None:
        library = self._application.library
        own_first = sorted(infos, key=lambda info: not library.is_own(info))
        self._infos = {info.key: info for info in own_first}
        blocked = self.list.blockSignals(True)
        self.list.clear()
        for key, info in self._infos.items():
            words = ", ".join(info.subjects[:_SUBJECTS_SHOWN]) or self.tr("anything")
            label = self.tr("{attribute} of {subject}").format(
                attribute=attribute_label(info.label), subject=words
            )
            item = QListWidgetItem(f"{label} · {title_of(info.model)}" if info.model else label, self.list)
            item.setData(_KEY, key)
            if key == chosen:
                self.list.setCurrentItem(item)
        if self.list.currentItem() is None:
            self.list.setCurrentRow(0)
        self.list.blockSignals(blocked)
        if self._offered is None:
            self._on_chosen()

    def _chosen(self) -> str:
        item = self.list.currentItem()
        return str(item.data(_KEY)) if item is not None else ""

    def _on_chosen(self, *_: object) -> None:
        self._offered = None
        info = self._infos.get(self._chosen())
        self.facts.setText(self._facts_of(info) if info is not None else "")
        self.save.setEnabled(info is not None and info.path is not None)
        is_own = info is not None and self._application.library.is_own(info)
        self.remove.ask_anew()
        self.remove.setEnabled(is_own)
        set_tip(self.remove, "" if is_own else self.tr("Only what was taught or imported can be deleted"))
        self.take.hide()

    def _facts_of(self, info: DeltaInfo) -> str:
        unknown = self.tr("not said")
        made_for = title_of(info.model) or info.family.upper() or unknown
        if info.model_hash:
            made_for = f"{made_for} ({info.model_hash[:10]})"
        low, high = info.range
        parts = [
            (self.tr("Attribute"), attribute_label(info.label)),
            (self.tr("Of"), ", ".join(info.subjects) or self.tr("anything")),
            (self.tr("Made for"), made_for),
            (self.tr("Range"), f"{low:g} … {high:g}".replace("-", "−")),
            (self.tr("Learnt"), choice_text(info.method) if info.method else unknown),
            (self.tr("Licence"), info.licence or unknown),
            (self.tr("Vectors"), ", ".join(f"{name} {width}" for name, width in info.widths.items())),
        ]
        if info.phrases:
            pairs = [f"{lower} … {higher}" for lower, higher in info.phrases[:3]]
            parts.append((self.tr("From the words"), " · ".join(pairs)))
        row = self.tr("{name}: {value}")
        return "\n".join(row.format(name=name, value=value) for name, value in parts if value)

    def _on_import(self) -> None:
        kinds = self.tr("Attributes (*.safetensors *.pt)")
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Import an attribute"), "", kinds)
        if name:
            self.offer(Path(name))

    def _on_read(self, path: Path, delta: Delta) -> None:
        self._offered = path
        self.facts.setText(self._facts_of(delta.info))
        self.take.show()
        self._say(self.tr("“{name}” is not taken in yet.").format(name=path.name))

    def _on_take(self) -> None:
        path = self._offered
        if path is None:
            return
        self.take.hide()
        library = self._application.library
        self._change(lambda: library.import_delta(path), self._on_taken)

    def _change(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], object],
        tell: Callable[[], object] | None = None,
    ) -> None:
        """Change the library; its sliders are offered, and what failed is said, also if this was closed.

        Args:
            tell: lets the sliders know of it, if something else than a further attribute.
        """
        application, told = self._application, self.while_here(done)
        tell = tell or application.sessions.offer_new_attributes

        def changed(found: Any) -> None:
            tell()
            told(found)

        def failed(error: EditorError) -> None:
            if isValid(self):
                self._on_failed(error)
            else:
                application.shell.report(error)

        application.background.run(work, changed, failed, kept=True)

    def _on_taken(self, info: DeltaInfo) -> None:
        self._offered = None
        self._say(self.tr("“{label}” is among the attributes now.").format(label=attribute_label(info.label)))
        self._fill()

    def _on_remove(self) -> None:
        info = self._infos.get(self._chosen())
        if info is None:
            return
        library = self._application.library
        # another of its name that is taught later has pictures of its own
        forget = self._application.sessions.forget_attributes
        self._change(lambda: library.remove(info), lambda _: self._on_removed(info), forget)

    def _on_removed(self, info: DeltaInfo) -> None:
        words = self.tr("“{label}” was deleted; pictures made with it keep theirs.")
        self._say(words.format(label=attribute_label(info.label)))
        self._fill()

    def _on_export(self) -> None:
        info = self._infos.get(self._chosen())
        if info is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Export the attribute"),
            f"{info.name}.safetensors",
            self.tr("Attribute (*.safetensors)"),
        )
        if name:
            library, key = self._application.library, info.key
            words = self.tr("“{name}” was written.").format(name=Path(name).name)
            self._change(lambda: library.export_delta(key, Path(name)), lambda _: self._say(words))

    def _on_failed(self, error: EditorError) -> None:
        self._say(in_one_line(error), problem=True)

    def _say(self, text: str, *, problem: bool = False) -> None:
        self.answer.setText(text)
        self.answer.setProperty("danger", problem)
        self.answer.style().polish(self.answer)

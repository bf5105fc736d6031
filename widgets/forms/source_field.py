"""Where a picture, a mask or a file of a form comes from: the document, or a file on disk."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QWidget

from editor.controllers.operations import Given, Source
from editor.formats import readable_extensions
from widgets.forms.fields import ComboBox
from widgets.look.plain_text import tip_text


class SourceField(ComboBox):
    """Offers what the document has, and a file; emits `changed` when the user chose."""

    changed = Signal()

    def __init__(self, offered: Sequence[Given], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        words = {
            Given.DOCUMENT: self.tr("The picture up to the active layer"),
            Given.LAYER: self.tr("The active layer"),
            Given.SELECTION: self.tr("The selection"),
            Given.NOTHING: self.tr("Everywhere"),
        }
        for given in offered:
            self.addItem(words[given], given)
        self.addItem(self.tr("A file…"), None)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)  # names of files may be long
        self._shown = 0
        self.activated.connect(self._on_activated)

    @property
    def source(self) -> Source:
        """What is chosen; `Given.NOTHING` where a file is still to be chosen."""
        data = self.currentData()
        return data if isinstance(data, Given | Path) else Given.NOTHING

    def set_source(self, source: Source) -> None:
        """Show a choice without emitting `changed`."""
        index = next((i for i in range(self.count()) if self.itemData(i) == source), -1)
        if index < 0 and isinstance(source, Path):
            index = self.count() - 1
            self.insertItem(index, source.name, source)
            self.setItemData(index, tip_text(str(source)), Qt.ItemDataRole.ToolTipRole)
        self._shown = max(index, 0)
        self.setCurrentIndex(self._shown)

    def _on_activated(self, index: int) -> None:
        if self.itemData(index) is None:
            patterns = " ".join(f"*{ending}" for ending in (*readable_extensions(), ".safetensors"))
            name, _ = QFileDialog.getOpenFileName(self, self.tr("Choose a file"), "", f"({patterns})")
            if not name:
                self.setCurrentIndex(self._shown)
                return
            self.set_source(Path(name))
        self._shown = self.currentIndex()
        self.changed.emit()

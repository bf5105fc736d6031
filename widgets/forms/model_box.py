"""The models of the catalogue as a choice: by the names that people have for them, hub ids as tool tips."""

from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QComboBox

from inference.downloads.curated import title_of
from inference.models import ModelEntry
from widgets.look.plain_text import tip_text


def fill_models(box: QComboBox, entries: Iterable[ModelEntry], chosen: str) -> None:
    """Have a row for each model, its name as data, and choose one; the first where that is not listed."""
    box.clear()
    for entry in entries:
        add_model(box, entry.name, sandbox=entry.sandbox)
    box.setCurrentIndex(max(0, box.findData(chosen)))


def add_model(box: QComboBox, name: str, *, sandbox: bool = False) -> None:
    """Add a row for a model, which may be one that is not listed."""
    text = title_of(name)
    if sandbox:
        text = QCoreApplication.translate("Models", "{name} · sandbox").format(name=text)
    box.addItem(text, name)
    if text != name and not sandbox:
        box.setItemData(box.count() - 1, tip_text(name), Qt.ItemDataRole.ToolTipRole)

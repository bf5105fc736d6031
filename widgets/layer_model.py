"""A document's layers as a Qt model, topmost first. Edits are wished for by signals, not done."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QCoreApplication,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QImage

from editor.document import Document
from editor.images import thumbnail
from editor.layer import Layer
from editor.recipes import Recipe
from editor.wording import signed

LAYER_ROLE = Qt.ItemDataRole.UserRole
SUMMARY_ROLE = Qt.ItemDataRole.UserRole + 1
THUMBNAIL_ROLE = Qt.ItemDataRole.UserRole + 2
THUMBNAIL_PX = 96
MIME_TYPE = "application/x-attune-layer"

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class LayerModel(QAbstractListModel):
    """Row 0 is the topmost layer."""

    rename_requested = Signal(str, str)  # layer id, name
    move_requested = Signal(str, int)  # layer id, index from the bottom

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document: Document | None = None
        self._layers: tuple[Layer, ...] = ()
        self._thumbnails: dict[int, tuple[object, QImage]] = {}

    def set_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.layers_changed.disconnect(self._on_layers_changed)
        self._document = document
        if document is not None:
            document.layers_changed.connect(self._on_layers_changed)
        self._thumbnails.clear()
        self._on_layers_changed()

    def row_of(self, layer_id: str) -> int:
        return next((row for row, layer in enumerate(self._layers) if layer.id == layer_id), -1)

    def layer_at(self, row: int) -> Layer | None:
        return self._layers[row] if 0 <= row < len(self._layers) else None

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._layers)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        layer = self.layer_at(index.row())
        if layer is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return layer.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{layer.name}, {summary(layer)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(layer)
        if role == LAYER_ROLE:
            return layer
        if role == SUMMARY_ROLE:
            return summary(layer)
        if role == THUMBNAIL_ROLE:
            return self._thumbnail(layer)
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        layer = self.layer_at(index.row())
        name = str(value).strip()
        if layer is None or role != Qt.ItemDataRole.EditRole or not name or name == layer.name:
            return False
        self.rename_requested.emit(layer.id, name)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return (
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsEditable
            | Qt.ItemFlag.ItemIsDragEnabled
        )

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        layer = self.layer_at(indexes[0].row()) if indexes else None
        if layer is not None:
            data.setData(MIME_TYPE, QByteArray(layer.id.encode()))
        return data

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:  # fmt: skip
        layer_id = bytes(data.data(MIME_TYPE).data()).decode()
        source = self.row_of(layer_id)
        if source < 0:
            return False
        if row < 0:
            row = parent.row() if parent.isValid() else len(self._layers)
        target = row - 1 if row > source else row
        if target != source:
            self.move_requested.emit(layer_id, len(self._layers) - 1 - target)
        return False  # the document moves the layer; the view must not remove a row by itself

    def _on_layers_changed(self) -> None:
        layers = tuple(reversed(self._document.layers)) if self._document is not None else ()
        same_rows = [layer.id for layer in layers] == [layer.id for layer in self._layers]
        if same_rows:
            self._layers = layers
            if layers:
                self.dataChanged.emit(self.index(0), self.index(len(layers) - 1))
            return
        self.beginResetModel()
        self._layers = layers
        self.endResetModel()

    def _thumbnail(self, layer: Layer) -> QImage:
        key = hash(layer.id)
        kept = self._thumbnails.get(key)
        if kept is None or kept[0] is not layer.pixels:
            kept = self._thumbnails[key] = (layer.pixels, thumbnail(layer.pixels, THUMBNAIL_PX))
        return kept[1]

    def _tip(self, layer: Layer) -> str:
        if layer.recipe is None:
            return self.tr("{width} × {height} pixels").format(width=layer.width, height=layer.height)
        return self.tr("{prompt}\nDouble click shows its sliders.").format(prompt=layer.recipe.prompt)


def summary(layer: Layer) -> str:
    """The second line of a layer: how it was made, else how large it is."""
    if layer.recipe is None:
        return f"{layer.width} × {layer.height} px"
    return recipe_summary(layer.recipe)


def recipe_summary(recipe: Recipe) -> str:
    """Like “age +0.64 · seed 7”; without sliders “seed 7 · mini-sdxl”."""
    seed = QCoreApplication.translate("LayerModel", "seed {seed}").format(seed=recipe.seed)
    moved = [f"{edit.attribute} {signed(edit.value)}" for edit in recipe.edits if edit.value]
    return " · ".join([*moved, seed] if moved else [seed, recipe.request.model])


THUMBNAIL_SIZE = QSize(38, 38)

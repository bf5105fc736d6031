"""The Layers panel: list, blend mode, opacity, and what can be done with the active layer."""

from PySide6.QtCore import QCoreApplication, QItemSelectionModel, QModelIndex, QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListView,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.commands import ReorderLayer, SetLayerProperty
from editor.document import Document
from editor.layer import BlendMode
from widgets.icons import IconButton
from widgets.layer_delegate import LayerDelegate
from widgets.layer_model import LAYER_ROLE, LayerModel
from widgets.theme import tabular


def layer_buttons(application: Application) -> QWidget:
    """What can be done with the active layer, for the panel's header."""
    bar = QWidget()
    row = QHBoxLayout(bar)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(1)
    for name, tip, act in (
        ("duplicate", bar.tr("Duplicate layer"), application.duplicate_layer),
        ("arrow-up", bar.tr("Move layer up"), application.raise_layer),
        ("arrow-down", bar.tr("Move layer down"), application.lower_layer),
        ("delete", bar.tr("Delete layer"), application.delete_layer),
    ):
        button = IconButton(name, tip)
        button.clicked.connect(act)
        row.addWidget(button)
    return bar


class LayerPanel(QWidget):
    """Shows the current document's layers."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._application = application
        self._document: Document | None = None
        self._gesture = 0
        self.model = LayerModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.delegate = LayerDelegate(self.list)
        self.list.setItemDelegate(self.delegate)
        self.list.setAccessibleName(self.tr("Layers"))
        self.list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.list.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.blend = QComboBox()
        self.blend.setProperty("flat", True)
        self.blend.setAccessibleName(self.tr("Blend mode"))
        self.blend.setToolTip(self.tr("Blend mode"))
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setAccessibleName(self.tr("Opacity"))
        self.opacity.setToolTip(self.tr("Opacity"))
        self.percent = QLabel()
        self.percent.setFont(tabular(self.percent.font()))
        self.percent.setProperty("dim", True)
        self._lay_out()
        self._connect()
        self.set_document(application.current)

    def sizeHint(self) -> QSize:
        return QSize(330, 230)

    def set_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.active_changed.disconnect(self._show_active)
            self._document.layers_changed.disconnect(self._show_active)
        self._document = document
        self.model.set_document(document)
        if document is not None:
            document.active_changed.connect(self._show_active)
            document.layers_changed.connect(self._show_active)
        self._show_active()

    def _lay_out(self) -> None:
        for mode in BlendMode:
            self.blend.addItem(_translated(mode), mode)
        self.percent.setFixedWidth(self.fontMetrics().horizontalAdvance("100 %") + 6)
        self.percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        top = QHBoxLayout()
        top.setContentsMargins(8, 0, 14, 0)
        top.addWidget(self.blend)
        top.addSpacing(6)
        top.addWidget(self.opacity, 1)
        top.addWidget(self.percent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)

    def _connect(self) -> None:
        self._application.current_changed.connect(self.set_document)
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.list.doubleClicked.connect(self._on_double_clicked)
        self.delegate.eye_clicked.connect(self._on_eye_clicked)
        self.model.rename_requested.connect(lambda key, name: self._set(key, "name", name))
        self.model.move_requested.connect(self._on_move_requested)
        self.blend.activated.connect(self._on_blend)
        self.opacity.sliderPressed.connect(self._on_opacity_pressed)
        self.opacity.valueChanged.connect(self._on_opacity)

    def _show_active(self) -> None:
        layer = self._document.active_layer if self._document is not None else None
        for widget in (self.blend, self.opacity, self.percent):
            widget.setVisible(layer is not None)
        if layer is None:
            self.percent.clear()
            return
        index = self.model.index(self.model.row_of(layer.id))
        if self.list.currentIndex() != index:
            self.list.selectionModel().setCurrentIndex(
                index, QItemSelectionModel.SelectionFlag.ClearAndSelect
            )
        self.blend.setCurrentIndex(self.blend.findData(layer.blend_mode))
        blocked = self.opacity.blockSignals(True)
        self.opacity.setValue(round(layer.opacity * 100))
        self.opacity.blockSignals(blocked)
        self.percent.setText(self.tr("{percent} %").format(percent=round(layer.opacity * 100)))

    def _on_current_changed(self, current: QModelIndex) -> None:
        layer = self.model.layer_at(current.row())
        active = self._document.active_layer if self._document is not None else None
        if layer is not None and self._document is not None and layer is not active:
            self._document.set_active(layer.id)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        position = self.list.viewport().mapFromGlobal(self.list.cursor().pos())
        row = self.list.visualRect(index)
        if self.delegate.eye_rect(row).contains(position):
            return
        layer = index.data(LAYER_ROLE)
        over_name = self.delegate.name_rect(self.list.visualRect(index)).contains(position)
        if over_name or not layer.recipe is not None:
            self.list.edit(index)
        else:
            self._application.edit_recipe()

    def _on_eye_clicked(self, layer_id: str) -> None:
        if self._document is not None:
            self._set(layer_id, "visible", not self._document.layer(layer_id).visible)

    def _on_move_requested(self, layer_id: str, index: int) -> None:
        document = self._document
        if document is not None:
            self._application.run(lambda: ReorderLayer(document, layer_id, index))

    def _on_blend(self, index: int) -> None:
        layer = self._document.active_layer if self._document is not None else None
        mode = self.blend.itemData(index)
        if layer is not None and mode is not layer.blend_mode:
            self._set(layer.id, "blend_mode", mode)

    def _on_opacity_pressed(self) -> None:
        self._gesture += 1

    def _on_opacity(self, percent: int) -> None:
        layer = self._document.active_layer if self._document is not None else None
        if layer is None:
            return
        if not self.opacity.isSliderDown():
            self._gesture += 1
        self._set(layer.id, "opacity", percent / 100, merge_key=f"opacity:{layer.id}:{self._gesture}")

    def _set(self, layer_id: str, name: str, value: object, merge_key: str = "") -> None:
        document = self._document
        if document is not None:
            self._application.run(lambda: SetLayerProperty(document, layer_id, name, value, merge_key))


def _translated(mode: BlendMode) -> str:
    return QCoreApplication.translate("BlendMode", mode.label)

"""The Layers panel: the tree, blend mode and opacity, and buttons for what is done most."""

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from editor.application import Application
from editor.commands import ReorderLayer, ReplaceState, SetLayerProperty
from editor.document.document import Document
from editor.edits.tree import moved, shown_alone
from editor.layers.layer import Adjustment, Layer
from editor.words.wording import plain
from inference.errors import EditorError
from widgets.actions.action_set import ActionSet
from widgets.layers.adjustment_menu import AdjustmentButton
from widgets.layers.layer_delegate import LayerDelegate
from widgets.layers.layer_model import LayerModel
from widgets.layers.layer_properties import LayerProperties
from widgets.layers.layer_thumbnails import LayerThumbnails
from widgets.layers.layer_tree import LayerTree
from widgets.look.icons import IconButton

BUTTONS = (
    ("layer.new", "new-layer"),
    ("layer.new_group", "group"),
    ("", ""),  # where the adjustments' button stands
    ("layer.mask_white", "mask"),
    ("layer.duplicate", "duplicate"),
    ("layer.delete", "delete"),
)


class LayerPanel(QWidget):
    """Shows the current document's layers. `actions` are those of the menus, by id."""

    properties_requested = Signal()  # of the active node, whose row was double-clicked

    def __init__(
        self,
        application: Application,
        actions: ActionSet,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._application = application
        self._actions = actions
        self._document: Document | None = None
        self.model = LayerModel(LayerThumbnails(application.background, self), self)
        self.tree = LayerTree(self.model)
        self.tree.setAccessibleName(self.tr("Layers"))
        self.delegate = LayerDelegate(self.tree)
        self.tree.setItemDelegate(self.delegate)
        self.properties = LayerProperties(application)
        self._lay_out()
        self._connect()
        self.set_document(application.current)

    def sizeHint(self) -> QSize:
        return QSize(330, 260)

    def set_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.active_changed.disconnect(self._show_active)
            self._document.layers_changed.disconnect(self._show_active)
        self._document = document
        self.model.set_document(document)
        if document is not None:
            document.active_changed.connect(self._show_active)
            document.layers_changed.connect(self._show_active)
        self.properties.set_document(document)
        self._on_older(document)
        self._show_active()

    def context_menu(self) -> QMenu:
        """The Layer menu and renaming."""
        menu = QMenu(self)
        rename = menu.addAction(self.tr("Rename"))
        rename.triggered.connect(lambda: self.tree.edit(self.tree.currentIndex()))
        menu.addSeparator()
        self._actions.add_entries(menu, "layer")
        return menu

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 2, 8, 6)
        foot.setSpacing(2)
        for action_id, name in BUTTONS:
            if name == "duplicate":
                foot.addStretch(1)
            foot.addWidget(
                self._button(action_id, name) if action_id else AdjustmentButton(self._application)
            )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.properties)
        layout.addWidget(self.tree, 1)
        layout.addLayout(foot)

    def _button(self, action_id: str, name: str) -> IconButton:
        shown = self._actions[action_id]
        tip = self.tr("Add mask") if name == "mask" else plain(shown.text())
        button = IconButton(name, tip)
        button.setEnabled(shown.isEnabled())
        shown.changed.connect(lambda: button.setEnabled(shown.isEnabled()))
        button.clicked.connect(self._add_mask if name == "mask" else shown.trigger)
        return button

    def _add_mask(self) -> None:
        """Of the selection if there is one, else one that hides nothing."""
        selected = self._document is not None and self._document.state.selection is not None
        self._actions["layer.mask_selection" if selected else "layer.mask_white"].trigger()

    def _connect(self) -> None:
        self._application.current_changed.connect(self.set_document)
        self._application.older_states.changed.connect(self._on_older)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._on_menu)
        self.tree.chosen.connect(self._on_chosen)
        self.tree.opened.connect(self._open)
        self.tree.toggle_requested.connect(self._toggle)
        self.tree.doubleClicked.connect(self._on_double_clicked)
        self.delegate.eye_clicked.connect(self._on_eye_clicked)
        self.delegate.mask_clicked.connect(self._on_mask_clicked)
        self.delegate.pixels_clicked.connect(self._on_pixels_clicked)
        self.delegate.lock_clicked.connect(self._on_lock_clicked)
        self.model.rename_requested.connect(self._rename)
        self.model.move_requested.connect(self._move)

    def _on_older(self, document: Document | None) -> None:
        if document is self._document:
            found = frozenset[str]() if document is None else self._application.older_states.of(document)
            self.model.set_older(found)

    def _show_active(self) -> None:
        if self._document is not None:
            state = self._document.state
            self.tree.select(state.active, state.chosen)

    def _on_chosen(self, active: str, selected: list[str]) -> None:
        if self._document is not None:
            self._document.choose(active, selected)

    def _on_menu(self, position: QPoint) -> None:
        if self.tree.indexAt(position).isValid():
            self.context_menu().popup(self.tree.viewport().mapToGlobal(position))

    def _on_double_clicked(self, index: QModelIndex) -> None:
        parts = self.delegate.parts(index, self.tree.visualRect(index))
        node = self.model.node(index)
        if parts is None or node is None:
            return
        position = self.tree.viewport().mapFromGlobal(self.tree.cursor().pos())
        if parts.name.contains(position):
            self.tree.edit(index)
        elif not parts.eye.contains(position) and not parts.arrow.contains(position):
            self._open(node.id)

    def _open(self, node_id: str) -> None:
        """Show what a node is made of: its sliders, its settings; else rename it."""
        node = self._document.state.find(node_id) if self._document is not None else None
        if isinstance(node, Adjustment) or (isinstance(node, Layer) and node.text is not None):
            self.properties_requested.emit()
        elif node is not None and node.recipe is not None:
            self._application.sessions.edit_recipe()
        else:
            self.tree.edit(self.model.index_of(node_id))

    def _toggle(self, node_id: str) -> None:
        self._on_eye_clicked(node_id, False)

    def _on_eye_clicked(self, node_id: str, alone: bool) -> None:
        document = self._document
        if document is None:
            return
        if alone:
            state = shown_alone(document.state, node_id)
            self._application.run(lambda: ReplaceState(document, state, self.tr("Show one layer alone")))
        else:
            self._set(node_id, "visible", not document.state.node(node_id).visible)

    def _on_mask_clicked(self, node_id: str, toggle: bool) -> None:
        document = self._document
        node = document.state.find(node_id) if document is not None else None
        if document is None or node is None or node.mask is None:
            return
        if toggle:
            mask = node.mask.changed(enabled=not node.mask.enabled)
            text = self.tr("Enable mask") if mask.enabled else self.tr("Disable mask")
            state = document.state.with_node(node.changed(mask=mask))
            self._application.run(lambda: ReplaceState(document, state, text))
            return
        document.choose(node_id)
        document.set_edit_mask(True)

    def _on_pixels_clicked(self, node_id: str) -> None:
        if self._document is not None and self._document.state.active == node_id:
            self._document.set_edit_mask(False)

    def _on_lock_clicked(self, node_id: str) -> None:
        document = self._document
        if document is None:
            return
        node = document.state.node(node_id)
        free = node.changed(locked=False, alpha_locked=False, position_locked=False)
        state, text = document.state.with_node(free), self.tr("Unlock layer")
        self._application.run(lambda: ReplaceState(document, state, text))

    def _rename(self, node_id: str, name: str) -> None:
        self._set(node_id, "name", name)

    def _move(self, ids: list[str], parent: str, index: int) -> None:
        document = self._document
        if document is None:
            return
        if len(ids) == 1:
            self._application.run(lambda: ReorderLayer(document, ids[0], index, parent))
            return
        try:
            state = moved(document.state, ids, parent, index)
        except EditorError as error:
            self._application.report(error)
            return
        text = self.tr("Move {count} layers").format(count=len(ids))
        self._application.run(lambda: ReplaceState(document, state, text))

    def _set(self, node_id: str, name: str, value: object) -> None:
        document = self._document
        if document is not None:
            self._application.run(lambda: SetLayerProperty(document, node_id, name, value))

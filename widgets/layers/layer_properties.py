"""Blend mode, opacity and locks of the selected nodes."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from editor.application import Application
from editor.commands import ReplaceState, SetLayerProperty
from editor.document.document import Document
from editor.layers.layer import BlendMode, Group, Node
from widgets.forms.fields import Slider, SpinBox
from widgets.layers.blend_box import PASS_THROUGH, BlendBox
from widgets.look.icons import IconButton
from widgets.look.plain_text import set_tip
from widgets.look.theme import inset, tabular

_ONE_ACT_S = 0.8  # turns of the wheel and repeats of a key that follow each other within this are one step

LOCKS = ("alpha_locked", "position_locked", "locked")


class LayerProperties(QWidget):
    """Acts on all selected nodes; a drag is shown at once and becomes one step when it ends."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._document: Document | None = None
        self._gesture, self._last = 0, 0.0
        self._previewed: list[str] = []
        self.blend: QComboBox = BlendBox()
        self.opacity = Slider()
        self.opacity.setRange(0, 100)
        self.opacity.setAccessibleName(self.tr("Opacity"))
        set_tip(self.opacity, self.tr("Opacity"))
        self.percent = SpinBox(minimum=0, maximum=100)
        self.percent.setKeyboardTracking(False)
        self.percent.setSuffix(self.tr(" %"))
        self.percent.setProperty("flat", True)
        self.percent.setProperty("bare", True)
        self.percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.percent.setAccessibleName(self.tr("Opacity in percent"))
        self.percent.setFont(tabular(self.percent.font()))
        inset(self.percent)
        self.percent.setFixedWidth(self.fontMetrics().horizontalAdvance("100 %") + 24)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 8, 0)
        row.setSpacing(6)
        row.addWidget(self.blend)
        row.addWidget(self.opacity, 1)
        row.addWidget(self.percent)
        self.blend.activated.connect(self._on_blend)
        self.opacity.valueChanged.connect(self._on_opacity)
        self.opacity.sliderReleased.connect(self._on_released)
        self.percent.valueChanged.connect(self._on_typed)

    def set_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.active_changed.disconnect(self.show_values)
            self._document.layers_changed.disconnect(self.show_values)
        self._document = document
        if document is not None:
            document.active_changed.connect(self.show_values)
            document.layers_changed.connect(self.show_values)
        self.show_values()

    def show_values(self) -> None:
        """Take all from the active node."""
        node = self._document.active_node if self._document is not None else None
        self.setVisible(node is not None)
        if node is None or self._previewed:
            return
        self.blend.show_node(node)  # type: ignore[attr-defined]
        for widget in (self.blend, self.opacity, self.percent):
            widget.setEnabled(not node.locked)
        self._show_percent(round(node.opacity * 100))

    def _show_percent(self, percent: int) -> None:
        for widget in (self.opacity, self.percent):
            blocked = widget.blockSignals(True)
            widget.setValue(percent)
            widget.blockSignals(blocked)

    def _on_blend(self, index: int) -> None:
        mode = self.blend.itemData(index)
        node = self._document.active_node if self._document is not None else None
        if node is None:
            return
        fields: dict[str, Any] = {"blend_mode": BlendMode.NORMAL if mode == PASS_THROUGH else mode}
        if isinstance(node, Group):
            fields["isolated"] = mode != PASS_THROUGH
        self._apply(fields, self.tr("Blend mode to {value}").format(value=self.blend.itemText(index)))

    def _on_opacity(self, percent: int) -> None:
        self._show_percent(percent)
        if self.opacity.isSliderDown():
            self._preview(percent / 100)
        else:
            self._commit(percent)

    def _on_released(self) -> None:
        self._commit(self.opacity.value())

    def _on_typed(self, percent: int) -> None:
        self._show_percent(percent)
        self._commit(percent)

    def _preview(self, opacity: float) -> None:
        if self._document is None:
            return
        nodes = targets(self._document)
        self._previewed = [node.id for node in nodes]
        for node in nodes:
            self._document.preview_node(node.changed(opacity=opacity))

    def _commit(self, percent: int) -> None:
        now = monotonic()
        if self._previewed or now - self._last > _ONE_ACT_S:
            self._gesture += 1
        self._last = now
        shown, self._previewed = self._previewed, []
        text = self.tr("Opacity to {value} %").format(value=percent)
        self._apply({"opacity": percent / 100}, text, merge_key=f"opacity:{self._gesture}")
        if self._document is not None:
            for node_id in shown:
                self._document.clear_preview(node_id)

    def _apply(self, fields: dict[str, Any], text: str, merge_key: str = "") -> None:
        document = self._document
        if document is not None:
            set_fields(self._application, document, targets(document), fields, text, merge_key)


class LockButtons(QWidget):
    """Three locks of the selected nodes, for the panel's header."""

    changed = Signal(str, bool)

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._application = application
        self._document: Document | None = None
        names = ("lock-alpha", "tool-move", "lock")
        tips = (self.tr("Lock transparency"), self.tr("Lock position"), self.tr("Lock the whole layer"))
        self.buttons: dict[str, IconButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for field, name, tip in zip(LOCKS, names, tips, strict=True):
            button = self.buttons[field] = IconButton(name, tip, size_px=15, checkable=True)
            button.clicked.connect(lambda on, field=field: self._on_clicked(field, on))
            row.addWidget(button)
        application.current_changed.connect(self.set_document)
        self.set_document(application.current)

    def set_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.active_changed.disconnect(self._show)
            self._document.layers_changed.disconnect(self._show)
        self._document = document
        if document is not None:
            document.active_changed.connect(self._show)
            document.layers_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        node = self._document.active_node if self._document is not None else None
        for field, button in self.buttons.items():
            button.setEnabled(node is not None)
            button.setChecked(node is not None and bool(getattr(node, field)))

    def _on_clicked(self, field: str, on: bool) -> None:
        document = self._document
        if document is None:
            return
        text = self.tr("Lock layer") if on else self.tr("Unlock layer")
        set_fields(self._application, document, targets(document), {field: on}, text)
        self._show()


def targets(document: Document) -> list[Node]:
    """The active node and the further selected ones, the active one first."""
    state = document.state
    found = [state.find(key) for key in (state.active, *sorted(state.chosen - {state.active}))]
    return [node for node in found if node is not None]


def set_fields(
    application: Application,
    document: Document,
    nodes: Sequence[Node],
    fields: dict[str, Any],
    text: str,
    merge_key: str = "",
) -> None:
    """Change fields of nodes as one step; nothing if they have these values already."""
    changed = [node for node in nodes if any(getattr(node, key) != value for key, value in fields.items())]
    if not changed:
        return
    if len(changed) == 1 and len(fields) == 1 and "opacity" in fields:
        (name, value), node = next(iter(fields.items())), changed[0]
        application.run(lambda: SetLayerProperty(document, node.id, name, value, merge_key))
        return
    state = document.state
    for node in changed:
        known = {key: value for key, value in fields.items() if hasattr(node, key)}
        state = state.with_node(state.node(node.id).changed(**known))
    application.run(lambda: ReplaceState(document, state, text, merge_key))

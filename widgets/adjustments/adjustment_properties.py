"""The settings of one kind of adjustment: sliders from its declaration, or an editor of its own."""

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from editor.adjustments import kind_of
from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Adjustment, Node
from inference.parameters import Parameters
from widgets.adjustments.node_edit import NodeEdit
from widgets.adjustments.tone_editors import special_editor
from widgets.forms.slider_form import SliderForm
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font


class AdjustmentProperties(QWidget):
    """Shows drags on the canvas while they go on; each becomes one step of the history."""

    def __init__(
        self, application: Application, settings: type[Parameters], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document: Document | None = None
        self._node: Adjustment | None = None
        self._defaults = settings()
        self._edit = NodeEdit(application, self)
        self._label = QCoreApplication.translate("Adjustments", kind_of(self._defaults).label)
        self.special = special_editor(settings, application)
        shown = self.special.names if self.special is not None else ()
        self.form = SliderForm(settings.declared(), "Adjustments", skip=shown)
        self.reset = IconButton("reset", self.tr("Back to the defaults"))
        self._lay_out(bool(settings.declared()))
        self.form.changed.connect(
            lambda name, value, dragging: self._change({name: value}, dragging=dragging)
        )
        self.form.finished.connect(self._edit.finish)
        self.reset.clicked.connect(self._on_reset)
        if self.special is not None:
            self.special.changed.connect(lambda values, dragging: self._change(values, dragging=dragging))
            self.special.finished.connect(self._edit.finish)

    def show_node(self, document: Document, node: Node) -> None:
        """Take the settings of an adjustment of this kind."""
        if not isinstance(node, Adjustment) or self._edit.running:
            return
        self._document, self._node = document, node
        self.form.show_values(node.settings)
        self.form.setEnabled(not node.locked)
        self.reset.setVisible(node.settings != self._defaults)
        if self.special is not None:
            self.special.setEnabled(not node.locked)
            self.special.show_settings(document, node)

    def _lay_out(self, has_settings: bool) -> None:
        title = Label(self._label)
        title.setFont(scaled_font(title.font(), 1.0, bold=True))
        keep = self.reset.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(keep)
        top = QHBoxLayout()
        top.addWidget(title)
        top.addStretch(1)
        top.addWidget(self.reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        if self.special is not None:
            layout.addWidget(self.special)
        if self.form.rows:
            layout.addWidget(self.form)
        elif not has_settings:
            note = Label(self.tr("This adjustment has nothing to set."))
            note.setProperty("dim", True)
            layout.addWidget(note)

    def _change(self, values: Mapping[str, object], *, dragging: bool) -> None:
        document, node = self._document, self._node
        if document is None or node is None:
            return
        current = self._shown(document, node)
        settings = replace(current.settings, **values)
        text = self.tr("Change {name}").format(name=node.name)
        key = f"{node.id}:{','.join(values)}"
        self._edit.show(document, node.changed(settings=settings), text, key, dragging=dragging)
        if self.special is not None and dragging:
            self.special.show_shape(settings)

    def _shown(self, document: Document, node: Adjustment) -> Adjustment:
        """The node as it is shown: earlier values of the same drag count."""
        preview = document.preview(node.id)
        return preview if isinstance(preview, Adjustment) else node

    def _on_reset(self) -> None:
        if self._document is not None and self._node is not None:
            text = self.tr("Reset {name}").format(name=self._node.name)
            node = self._node.changed(settings=self._defaults)
            self._edit.show(self._document, node, text, f"reset:{self._node.id}", dragging=False)

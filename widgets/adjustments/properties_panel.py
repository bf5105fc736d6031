"""The Properties panel: the settings of the active adjustment or text, and of the active mask."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from editor.application import Application
from editor.document.document import Document
from editor.layers.layer import Adjustment, Layer, Node
from inference.parameters import Parameters
from widgets.adjustments.adjustment_properties import AdjustmentProperties
from widgets.adjustments.mask_properties import MaskProperties
from widgets.adjustments.text_properties import TextProperties
from widgets.look.plain_text import Label


class PropertiesPanel(QWidget):
    """Follows the active node. One editor is kept as long as the next node is of the same kind."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._application = application
        self._document: Document | None = None
        self._kind: object = None
        self.editor: AdjustmentProperties | TextProperties | None = None
        self.mask_settings = MaskProperties(application)
        self.empty = Label(self.tr("Choose an adjustment or a text layer to see its settings."))
        self.empty.setProperty("dim", True)
        self.empty.setWordWrap(True)
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(14, 4, 14, 10)
        self._column.setSpacing(12)
        self._column.addWidget(self.empty)
        self._column.addWidget(self.mask_settings)
        self._column.addStretch(1)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(content)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        application.current_changed.connect(self.set_document)
        self.set_document(application.current)

    def sizeHint(self) -> QSize:
        return QSize(330, 360)

    def set_document(self, document: Document | None) -> None:
        if self._document is not None:
            self._document.active_changed.disconnect(self._show)
            self._document.layers_changed.disconnect(self._show)
            self._document.target_changed.disconnect(self._show)
        self._document = document
        if document is not None:
            document.active_changed.connect(self._show)
            document.layers_changed.connect(self._show)
            document.target_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        document = self._document
        node = document.active_node if document is not None else None
        kind = _kind_of(node)
        if kind != self._kind:
            self._kind = kind
            self._replace(node)
        if document is not None and node is not None and self.editor is not None:
            self.editor.show_node(document, node)
        self.mask_settings.show_node(document, node)
        self.empty.setVisible(self.editor is None and (node is None or node.mask is None))

    def _replace(self, node: Node | None) -> None:
        if self.editor is not None:
            self.editor.hide()
            self.editor.deleteLater()
        self.editor = None
        if isinstance(node, Adjustment):
            self.editor = AdjustmentProperties(self._application, type(node.settings))
        elif isinstance(node, Layer) and node.text is not None:
            self.editor = TextProperties(self._application)
        if self.editor is not None:
            self._column.insertWidget(0, self.editor)


def _kind_of(node: Node | None) -> type[Parameters] | str:
    if isinstance(node, Adjustment):
        return type(node.settings)
    return "text" if isinstance(node, Layer) and node.text is not None else ""

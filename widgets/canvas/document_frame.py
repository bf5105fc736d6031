"""A document's view with what stands around it: rulers and scroll bars."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QGridLayout, QScrollBar, QWidget

from widgets.canvas.document_view import DocumentView
from widgets.canvas.rulers import THICKNESS_PX, Ruler
from widgets.canvas.view_options import ViewOptions

_BAR_PX = 10


class DocumentFrame(QWidget):
    """One tab's content. The scroll bars lie over the canvas, so that they take no room from the picture."""

    def __init__(self, view: DocumentView, options: ViewOptions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self.options = options
        self._corner = QWidget()
        self._corner.setObjectName("PanelBody")
        self._corner.setFixedSize(THICKNESS_PX, THICKNESS_PX)
        self.rulers = Ruler(view, Qt.Orientation.Horizontal), Ruler(view, Qt.Orientation.Vertical)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._corner, 0, 0)
        layout.addWidget(self.rulers[0], 0, 1)
        layout.addWidget(self.rulers[1], 1, 0)
        layout.addWidget(view, 1, 1)
        self.bars = QScrollBar(Qt.Orientation.Horizontal, view), QScrollBar(Qt.Orientation.Vertical, view)
        for bar in self.bars:
            bar.setCursor(Qt.CursorShape.ArrowCursor)
            bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            bar.valueChanged.connect(self._on_scrolled)
        self.rulers[0].guide_moved.connect(lambda at, dropped: view.guides.drag_new(False, at, dropped))
        self.rulers[1].guide_moved.connect(lambda at, dropped: view.guides.drag_new(True, at, dropped))
        view.view_moved.connect(self._show_bars)
        view.installEventFilter(self)
        options.changed.connect(self._show_options)
        self._show_options()
        self._show_bars()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.view and event.type() == QEvent.Type.Resize:
            self._place_bars()
        return super().eventFilter(watched, event)

    def _show_options(self) -> None:
        for part in (self._corner, *self.rulers):
            part.setVisible(self.options.get("rulers"))

    def _place_bars(self) -> None:
        width, height = self.view.width(), self.view.height()
        self.bars[0].setGeometry(0, height - _BAR_PX, width - _BAR_PX, _BAR_PX)
        self.bars[1].setGeometry(width - _BAR_PX, 0, _BAR_PX, height - _BAR_PX)

    def _show_bars(self) -> None:
        """The bars reach over the picture and where the view is now."""
        viewport = self.view.viewport
        box = viewport.bounds()
        spans = (
            (self.bars[0], -box.x(), box.width(), viewport.view_width),
            (self.bars[1], -box.y(), box.height(), viewport.view_height),
        )
        for bar, position, length, page in spans:
            blocked = bar.blockSignals(True)
            bar.setRange(round(min(0.0, position)), round(max(length - page, position, 0.0)))
            bar.setPageStep(max(1, round(page)))
            bar.setSingleStep(max(1, round(page / 20)))
            bar.setValue(round(position))
            bar.blockSignals(blocked)
            bar.setVisible(length > page + 0.5)

    def _on_scrolled(self) -> None:
        box = self.view.viewport.bounds()
        across, down = self.bars
        left = -across.value() if across.isVisible() else box.x()
        top = -down.value() if down.isVisible() else box.y()
        self.view.scroll_to(left, top)

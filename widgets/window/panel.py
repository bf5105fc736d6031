"""Docks: one row of a table each; a panel's widget is made when it is first shown."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from widgets.look.icons import IconButton
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font


@dataclass(frozen=True)
class PanelSpec:
    """Where a panel stands and what makes it; `extra` makes what its header shows at the right."""

    id: str
    title: str
    area: Qt.DockWidgetArea
    make: Callable[[], QWidget]
    extra: Callable[[], QWidget] | None = None
    shortcut: str = ""


class PanelHeader(QWidget):
    """The title, what belongs to it, and a button to close; the dock is dragged by it."""

    def __init__(self, title: str, extra: QWidget | None, dock: QDockWidget) -> None:
        super().__init__(dock)
        self.setObjectName("PanelHeader")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.label = label = Label(title)
        label.setFont(scaled_font(label.font(), 1.0, bold=True))
        self.close_button = IconButton(
            "close", self.tr("Close panel {title}").format(title=title), size_px=12
        )
        self.close_button.clicked.connect(dock.close)
        keep = self.close_button.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.close_button.setSizePolicy(keep)
        self.close_button.hide()
        self._row = layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 7, 8, 5)
        layout.setSpacing(4)
        layout.addWidget(label)
        layout.addWidget(self.close_button)
        layout.addStretch(1)
        self._extra = extra
        if extra is not None:
            layout.addWidget(extra)

    def show_title(self, shown: bool) -> None:
        """Without its title, a header that has nothing else takes no room."""
        self.label.setVisible(shown)
        slim = not shown and self._extra is None
        self._row.setContentsMargins(14, 0 if slim else 7, 8, 0 if slim else 5)
        self.close_button.setMaximumHeight(6 if slim else 24)

    def enterEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self.close_button.show()

    def leaveEvent(self, event: QEvent) -> None:
        self.close_button.hide()


class Panel(QDockWidget):
    """A dock that makes its content when it is first shown."""

    def __init__(self, spec: PanelSpec, parent: QWidget) -> None:
        super().__init__(spec.title, parent)
        self.spec = spec
        self.setObjectName(f"Panel:{spec.id}")
        self.setTitleBarWidget(PanelHeader(spec.title, spec.extra() if spec.extra else None, self))
        self._content: QWidget | None = None
        self.visibilityChanged.connect(self._show_title)
        self.dockLocationChanged.connect(self._show_title)
        self.topLevelChanged.connect(self._show_title)
        if spec.shortcut:
            self.toggleViewAction().setShortcut(spec.shortcut)

    @property
    def content(self) -> QWidget:
        """The panel's own widget, made now if it was not yet."""
        if self._content is None:
            self._content = self.spec.make()
            self.setWidget(_filled(self._content))
        return self._content

    def _show_title(self) -> None:
        """Beside others in tabs, the tab is the title."""
        window, header = self.parent(), self.titleBarWidget()
        if isinstance(window, QMainWindow) and isinstance(header, PanelHeader):
            header.show_title(self.isFloating() or not window.tabifiedDockWidgets(self))

    def showEvent(self, event: QShowEvent) -> None:
        _ = self.content
        super().showEvent(event)


def _filled(content: QWidget) -> QWidget:
    """A frame that paints the panel's colour behind `content`."""
    frame = QWidget()
    frame.setObjectName("PanelBody")
    frame.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(content)
    return frame

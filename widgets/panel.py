"""Docks: one row of a table each; a panel's widget is made when it is first shown."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from widgets.icons import IconButton
from widgets.theme import scaled_font


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
        label = QLabel(title)
        label.setFont(scaled_font(label.font(), 1.0, bold=True))
        self.close_button = IconButton(
            "close", self.tr("Close panel {title}").format(title=title), size_px=12
        )
        self.close_button.clicked.connect(dock.close)
        keep = self.close_button.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.close_button.setSizePolicy(keep)
        self.close_button.hide()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 7, 8, 5)
        layout.setSpacing(4)
        layout.addWidget(label)
        layout.addWidget(self.close_button)
        layout.addStretch(1)
        if extra is not None:
            layout.addWidget(extra)

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
        if spec.shortcut:
            self.toggleViewAction().setShortcut(spec.shortcut)

    @property
    def content(self) -> QWidget:
        """The panel's own widget, made now if it was not yet."""
        if self._content is None:
            self._content = self.spec.make()
            self.setWidget(_filled(self._content))
        return self._content

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

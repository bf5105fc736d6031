"""The tools at the left: a button for each group of kindred tools, and the two colours below."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPolygonF, QShowEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from editor.actions import action, in_menu
from editor.controllers.tools import ToolController
from editor.words.wording import plain
from widgets.actions.action_set import ActionSet
from widgets.colours.colour_swatches import ColourSwatches
from widgets.look.icons import IconButton, icon_for
from widgets.look.plain_text import set_tip
from widgets.look.theme import tokens_of

GROUPS = (  # "" is a gap; tools of one group share a button
    ("move",), ("transform",), ("crop", "straighten"), (),
    ("select-rectangle", "select-ellipse"), ("lasso", "polygon"), ("wand",), (),
    ("brush",), ("eraser",), ("clone", "heal"), ("fill", "gradient"), ("text",), ("eyedropper",), (),
    ("subject",), ("hand",), ("zoom",),
)  # fmt: skip
_BUTTON_PX = 34


class ToolButton(IconButton):
    """Shows the tool of its group that was used last; holding it down shows the others."""

    def __init__(self, names: tuple[str, ...], tools: ToolController, actions: ActionSet) -> None:
        self._names = names
        self._actions = actions
        self._tools = tools
        self._shown = names[0]
        super().__init__(action(f"tool.{names[0]}").icon, "", size_px=19, checkable=True)
        self.setFixedSize(_BUTTON_PX, _BUTTON_PX)
        self.clicked.connect(self._use)
        tools.chosen.connect(self._on_chosen)
        if len(names) > 1:
            self._menu = self._made_menu()
            self.setMenu(self._menu)
            self.setPopupMode(QToolButton.ToolButtonPopupMode.DelayedPopup)
            self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            self.customContextMenuRequested.connect(lambda: self.showMenu())
        self._actions[f"tool.{self._shown}"].changed.connect(self._show)
        self._on_chosen(tools.current)

    def _made_menu(self) -> QMenu:
        menu = QMenu(self)
        for name in self._names:
            entry = QAction(_plain(self._actions[f"tool.{name}"]), menu)
            entry.setIcon(icon_for(self, action(f"tool.{name}").icon))
            entry.setShortcuts(self._actions[f"tool.{name}"].shortcuts())
            entry.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)  # shown, not taken a second time
            entry.triggered.connect(lambda _=False, name=name: self._tools.use(name))
            menu.addAction(entry)
        return menu

    def _use(self) -> None:
        self._tools.use(self._shown)

    def _on_chosen(self, tool_id: str) -> None:
        if tool_id in self._names:
            self._shown = tool_id
            self.set_icon(action(f"tool.{tool_id}").icon)
        self.setChecked(tool_id == self._shown)
        self._show()

    def _show(self) -> None:
        shown = self._actions[f"tool.{self._shown}"]
        keys = shown.shortcut().toString()
        tip = f"{_plain(shown)} ({keys})" if keys else _plain(shown)
        set_tip(self, tip)
        self.setAccessibleName(tip)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if len(self._names) < 2:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens_of(self).faint))
        corner = QPointF(self.width() - 4.0, self.height() - 4.0)
        painter.drawPolygon(QPolygonF([corner, corner - QPointF(5, 0), corner - QPointF(0, 5)]))


class ToolBar(QToolBar):
    """Everything fits into 720 pixels; a lower window gets Qt's own way to the rest."""

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            keep_margins(self, 5, 4)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        keep_margins(self, 5, 4)

    def __init__(self, tools: ToolController, actions: ActionSet, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Tools"))
        self.setObjectName("Tools")
        self.setMovable(False)
        self.toggleViewAction().setEnabled(False)
        self.buttons: Mapping[str, ToolButton] = {}
        buttons: dict[str, ToolButton] = {}
        known = {item.argument for item in in_menu("tools")}
        for group in GROUPS:
            names = tuple(name for name in group if name in known)
            if names:
                button = ToolButton(names, tools, actions)
                buttons |= dict.fromkeys(names, button)
                self.addWidget(button)
            elif not group:
                self.addWidget(_gap(6))
        self.buttons = buttons
        stretch = QWidget()
        stretch.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.addWidget(stretch)
        self.swatches = ColourSwatches(tools.colours)
        self.addWidget(self.swatches)


def _gap(height: int) -> QWidget:
    gap = QWidget()
    gap.setFixedHeight(height)
    return gap


def _plain(shown: QAction) -> str:
    return plain(shown.text())


def keep_margins(bar: QToolBar, margin: int, spacing: int) -> None:
    """Qt takes other margins from a style sheet when the style changes than at first.

    They are the same on all sides: in a horizontal bar Qt takes those of the left for the top.
    """
    layout = bar.layout()
    if layout is not None:
        layout.setContentsMargins(margin, margin, margin, margin)
        layout.setSpacing(spacing)

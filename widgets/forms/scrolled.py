"""A panel whose rows scroll."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

_COLUMN = "ScrolledColumn"


def lay_out_scrolled(panel: QWidget, content: QWidget, buttons: QHBoxLayout | None = None) -> None:
    """Fill `panel` with `content`, which scrolls up and down; `buttons` below it are always there."""
    column = QWidget()
    column.setObjectName(_COLUMN)
    rows = QVBoxLayout(column)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(0)
    rows.addWidget(content, 1)
    scroll = QScrollArea(widgetResizable=True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(column)
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(scroll)
    if buttons is not None:
        layout.addLayout(buttons)


def scroll_below(panel: QWidget, widget: QWidget) -> None:
    """Show `widget` below the rows of a panel that was laid out so; it scrolls with them."""
    column = panel.findChild(QWidget, _COLUMN)
    rows = column.layout() if column is not None else None
    assert isinstance(rows, QVBoxLayout), "the panel was laid out to scroll"
    if widget.parentWidget() is column:
        return
    if rows.count() == 1:  # the rest of the room is below both
        rows.setStretch(0, 0)
        rows.addStretch(1)
    rows.insertWidget(1, widget)
    widget.show()  # what changes its parent is hidden


def scroll_to(panel: QWidget, widget: QWidget) -> None:
    """Bring `widget` into view once the rows have their places."""
    scroll = panel.findChild(QScrollArea)
    assert scroll is not None, "the panel was laid out to scroll"
    QTimer.singleShot(0, widget, lambda: scroll.ensureWidgetVisible(widget))

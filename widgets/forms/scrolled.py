"""A panel whose rows scroll."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget


def lay_out_scrolled(panel: QWidget, content: QWidget, buttons: QHBoxLayout | None = None) -> None:
    """Fill `panel` with `content`, which scrolls up and down; `buttons` below it are always there."""
    scroll = QScrollArea(widgetResizable=True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(content)
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(scroll)
    if buttons is not None:
        layout.addLayout(buttons)

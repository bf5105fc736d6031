"""The list under “+ Add attribute”: what the library has for a subject, with a search field."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.look.plain_text import Label, set_tip

_ROLE = Qt.ItemDataRole.UserRole
_TEXT_PX = 12  # from the list's edge to its words: its padding and an entry's
_SEARCH_FROM = 6  # fewer entries need no search field


class AttributeMenu(QFrame):
    """A popup; `chosen` tells the attribute, `teach` that none of them is what is wanted."""

    chosen = Signal(str)
    teach = Signal()

    def __init__(
        self, attributes: Sequence[tuple[str, str]], subject: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("Popup")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.search = QLineEdit(placeholderText=self.tr("Search attributes"))
        self.search.setAccessibleName(self.tr("Search attributes"))
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Attributes for {subject}").format(subject=subject))
        self.empty = Label(self.tr("Nothing fits."))
        self.empty.setProperty("dim", True)
        for attribute, label in attributes:
            item = QListWidgetItem(label, self.list)
            item.setData(_ROLE, attribute)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        layout.addWidget(self.empty, alignment=Qt.AlignmentFlag.AlignCenter)
        self.teach_one = QToolButton()
        self.teach_one.setText(self.tr("Teach…"))
        set_tip(self.teach_one, self.tr("Make a slider of your own from a few words"))
        self.teach_one.setProperty("link", True)
        self.teach_one.clicked.connect(self._on_teach)
        below = QHBoxLayout()
        below.setContentsMargins(_TEXT_PX, 0, 0, 0)
        below.addWidget(self.teach_one)
        below.addStretch(1)
        layout.addLayout(below)
        self.search.setVisible(len(attributes) >= _SEARCH_FROM)
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self._filter("")

    def open_at(self, position: QPoint) -> None:
        """Show below `position` (global), focused."""
        rows = max(1, min(8, self.list.count()))
        self.list.setFixedHeight(rows * self.list.sizeHintForRow(0) + 6 if self.list.count() else 0)
        self.setFixedWidth(230)
        self.move(position)
        self.show()
        (self.search if not self.search.isHidden() else self.list).setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self.list.setFocus()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.list.currentItem() is not None:
                self._choose(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        shown = []
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setHidden(text.casefold().strip() not in item.text().casefold())
            if not item.isHidden():
                shown.append(item)
        self.list.setCurrentItem(shown[0] if shown else None)  # type: ignore[arg-type]
        self.empty.setVisible(not shown)

    def _on_teach(self) -> None:
        self.teach.emit()
        self.close()

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(str(item.data(_ROLE)))
            self.close()

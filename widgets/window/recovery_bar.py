"""What earlier sessions left unsaved, above the canvas: to restore, to discard, or for later; never modal."""

from functools import partial

from PySide6.QtCore import QDateTime, QLocale, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from editor.recovery.leftovers import Leftover, Leftovers
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import scaled_font

_THUMBNAIL_PX = 44
_ROWS_SHOWN = 3
_ROW_PX = _THUMBNAIL_PX + 10
_SURE_MS = 4000


class RecoveryBar(QFrame):
    """One row a document; hidden while there is nothing to decide."""

    def __init__(self, leftovers: Leftovers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._leftovers = leftovers
        self.setObjectName("RecoveryBar")
        self.setAccessibleName(self.tr("Unsaved work of earlier sessions"))
        self.restore_all = QPushButton(self.tr("Restore all"))
        self.restore_all.setProperty("primary", True)
        self.later = QPushButton(self.tr("Later"))
        self.discard_all = QPushButton(self.tr("Discard all"))
        self._sure = QTimer(self, singleShot=True, interval=_SURE_MS)
        self._sure.timeout.connect(lambda: self.discard_all.setText(self.tr("Discard all")))
        set_tip(self.later, self.tr("Ask again at the next start"))
        title = Label(self.tr("This work of an earlier session was not saved:"))
        title.setFont(scaled_font(title.font(), 1.0, bold=True))
        title.setWordWrap(True)
        head = QHBoxLayout()
        head.addWidget(title, 1)
        head.addWidget(self.restore_all)
        head.addWidget(self.discard_all)
        head.addWidget(self.later)
        self._rows = QWidget()
        self._rows.setLayout(QVBoxLayout())
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._rows)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 16, 8)
        layout.addLayout(head)
        layout.addWidget(self._scroll)
        self.restore_all.clicked.connect(self._restore_all)
        self.discard_all.clicked.connect(self._discard_all)
        self.later.clicked.connect(leftovers.postpone)
        leftovers.changed.connect(self._show)
        self._show()

    @property
    def rows(self) -> tuple["RecoveryRow", ...]:
        return tuple(self._rows.findChildren(RecoveryRow, options=Qt.FindChildOption.FindDirectChildrenOnly))

    def _show(self) -> None:
        wanted = {id(item) for item in self._leftovers.all}
        for row in self.rows:
            if id(row.leftover) not in wanted:
                row.setParent(None)
                row.deleteLater()
        shown = {id(row.leftover) for row in self.rows}
        for leftover in self._leftovers.all:
            if id(leftover) not in shown:
                self._add(leftover)
        count = len(self._leftovers.all)
        self._scroll.setFixedHeight(min(count, _ROWS_SHOWN) * _ROW_PX + 4)
        self.restore_all.setVisible(count > 1)
        self.discard_all.setVisible(count > 1)
        self.setVisible(count > 0)

    def _add(self, leftover: Leftover) -> None:
        row = RecoveryRow(leftover)
        row.restore.clicked.connect(partial(self._leftovers.restore, leftover))
        row.discarded.clicked.connect(partial(self._discard, row))
        layout = self._rows.layout()
        assert layout is not None, "made with the widget"
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(row)

    def _discard(self, row: "RecoveryRow") -> None:
        if row.is_sure():
            self._leftovers.discard(row.leftover)

    def _discard_all(self) -> None:
        """A second click within some seconds does it: what is discarded cannot come back."""
        if not self._sure.isActive():
            self.discard_all.setText(self.tr("Discard all for good?"))
            self._sure.start()
            return
        for leftover in tuple(self._leftovers.all):
            self._leftovers.discard(leftover)

    def _restore_all(self) -> None:
        for leftover in self._leftovers.all:
            self._leftovers.restore(leftover)


class RecoveryRow(QWidget):
    """A document: its picture, name, time and size, and what to do with it."""

    def __init__(self, leftover: Leftover, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.leftover = leftover
        self.setFixedHeight(_ROW_PX)
        picture = Label()
        picture.setFixedSize(_THUMBNAIL_PX, _THUMBNAIL_PX)
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        picture.setPixmap(_pixmap(leftover.thumbnail, self.devicePixelRatioF()))
        name = Label(leftover.summary.title)
        set_tip(name, str(leftover.summary.path or ""))
        about = Label(self._about())
        about.setProperty("dim", True)
        self.restore = QPushButton(self.tr("Restore"))
        self.discarded = QPushButton(self.tr("Discard"))
        for button in (self.restore, self.discarded):
            button.setAccessibleDescription(leftover.summary.title)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(name)
        words.addWidget(about)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(picture)
        layout.addLayout(words, 1)
        layout.addWidget(self.restore)
        layout.addWidget(self.discarded)
        self._sure = QTimer(self, singleShot=True, interval=_SURE_MS)
        self._sure.timeout.connect(lambda: self.discarded.setText(self.tr("Discard")))

    def is_sure(self) -> bool:
        """Whether the button was clicked a second time; what is discarded cannot come back."""
        if self._sure.isActive():
            return True
        self.discarded.setText(self.tr("Discard for good?"))
        self._sure.start()
        return False

    def _about(self) -> str:
        summary = self.leftover.summary
        moment = QDateTime.fromSecsSinceEpoch(int(summary.saved_at))
        time = QLocale().toString(moment, QLocale.FormatType.ShortFormat)
        parts = [time, f"{summary.width} × {summary.height}"]
        if self.leftover.file_is_newer:
            parts.append(self.tr("the file was saved later"))
        return " · ".join(parts)


def _pixmap(image: QImage, ratio: float) -> QPixmap:
    if image.isNull():
        return QPixmap()
    size = QSize(_THUMBNAIL_PX, _THUMBNAIL_PX) * ratio
    pixmap = QPixmap.fromImage(
        image.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    )
    pixmap.setDevicePixelRatio(ratio)
    return pixmap

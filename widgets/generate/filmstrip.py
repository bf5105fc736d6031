"""The Variations panel: the same prompt with other seeds; a click takes one."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from editor.application import Application
from editor.generating.variations import Variation, VariationSession
from editor.pixels.qimages import thumbnail
from editor.words.said import said
from widgets.look.plain_text import Label, set_tip
from widgets.look.theme import scaled_font, tabular, tokens_of, with_alpha

CARD_PX = 84
_RADIUS = 7.0


class VariationCard(QAbstractButton):
    """One seed's picture; empty while it is computed."""

    def __init__(self, variation: Variation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap: QPixmap | None = None
        self._error = False
        self.setCheckable(True)
        self.setAutoExclusive(False)
        self.setFixedSize(CARD_PX, CARD_PX)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_variation(variation)

    def set_variation(self, variation: Variation) -> None:
        self._error = bool(variation.error)
        name = self.tr("Seed {seed}").format(seed=variation.seed)
        self.setText(str(variation.seed))
        self.setAccessibleName(name)
        set_tip(self, f"{name}\n{said(variation.error)}".strip())
        if variation.pixels is not None:
            image = thumbnail(variation.pixels, round(CARD_PX * self.devicePixelRatioF()))
            self._pixmap = QPixmap.fromImage(image)
        self.setEnabled(variation.pixels is not None)
        self.update()

    def nextCheckState(self) -> None:
        """Which card is checked follows the document, not the click."""

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = tokens_of(self)
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        box = QRectF(self.rect()).adjusted(3, 3, -3, -3)
        path = QPainterPath()
        path.addRoundedRect(box, _RADIUS, _RADIUS)
        painter.save()
        painter.setClipPath(path)
        painter.fillRect(box, QColor(tokens.hover))
        if self._pixmap is not None:
            side = min(self._pixmap.width(), self._pixmap.height())
            x, y = (self._pixmap.width() - side) / 2, (self._pixmap.height() - side) / 2
            painter.drawPixmap(box, self._pixmap, QRectF(x, y, side, side))
        painter.restore()
        if self._pixmap is None:
            painter.setPen(QColor(tokens.danger if self._error else tokens.dim))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.tr("failed") if self._error else "…")
        if self.isChecked() or self.hasFocus():
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRoundedRect(box.adjusted(-1.5, -1.5, 1.5, 1.5), _RADIUS + 1.5, _RADIUS + 1.5)
        if self.underMouse() or self.hasFocus():
            self._paint_seed(painter, box)

    def enterEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self.update()

    def _paint_seed(self, painter: QPainter, box: QRectF) -> None:
        painter.setFont(tabular(scaled_font(self.font(), 0.85)))
        width = painter.fontMetrics().horizontalAdvance(self.text()) + 10
        height = painter.fontMetrics().height() + 2
        pill = QRectF(box.left() + 4, box.bottom() - height - 4, min(width, box.width() - 8), height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(with_alpha("#0c0e12", 0.72))
        painter.drawRoundedRect(pill, 4, 4)
        painter.setPen(QColor("#f2f3f4"))
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, self.text())


class Filmstrip(QWidget):
    """Shows the application's variations."""

    filled = Signal(bool)  # whether there is something to show

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("PanelBody")
        self._application = application
        self._session: VariationSession | None = None
        self._cards: list[VariationCard] = []
        self._empty = QWidget()
        self.hint = Label()
        self.hint.setProperty("dim", True)
        self.make = QPushButton(self.tr("Make variations"))
        self.make.clicked.connect(application.sessions.make_variations)
        empty = QHBoxLayout(self._empty)
        empty.setContentsMargins(0, 0, 0, 0)
        empty.setSpacing(12)
        empty.addWidget(self.hint)
        empty.addWidget(self.make)
        empty.addStretch(1)
        self._strip = QWidget()
        self._row = QHBoxLayout(self._strip)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._row.addStretch(1)
        self.scroller = QScrollArea(widgetResizable=True)
        self.scroller.setWidget(self._strip)
        self.scroller.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroller.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(11, 0, 11, 6)
        layout.addWidget(self._empty)
        layout.addWidget(self.scroller, 1)
        layout.addStretch(0)
        application.variations_changed.connect(self.set_session)
        application.enabled_changed.connect(self._show_empty)
        self.set_session(application.variations)

    def sizeHint(self) -> QSize:
        return QSize(440, CARD_PX + 14)

    @property
    def needs_room(self) -> bool:
        """Whether there is more than fits into one row."""
        return self.is_filled

    @property
    def is_filled(self) -> bool:
        return bool(self._cards)

    @property
    def cards(self) -> tuple[VariationCard, ...]:
        return tuple(self._cards)

    def set_session(self, session: VariationSession | None) -> None:
        if self._session is not None:
            self._session.disconnect(self)
        self._session = session
        if session is not None:
            session.reset.connect(self._on_reset)
            session.changed.connect(self._on_changed)
            session.current_changed.connect(self._on_current_changed)
        self._on_reset()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        focused = next((i for i, card in enumerate(self._cards) if card.hasFocus()), None)
        if focused is not None and event.key() in steps:
            card = self._cards[max(0, min(len(self._cards) - 1, focused + steps[Qt.Key(event.key())]))]
            card.setFocus()
            self.scroller.ensureWidgetVisible(card)
        else:
            super().keyPressEvent(event)

    def _on_reset(self) -> None:
        for card in self._cards:
            self._row.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = []
        for index, variation in enumerate(self._session.variations if self._session is not None else ()):
            card = VariationCard(variation)
            card.clicked.connect(lambda _checked=False, index=index: self._on_clicked(index))
            self._cards.append(card)
            self._row.insertWidget(index, card)
        if self._session is not None:
            self._on_current_changed(self._session.current)
        self._show_empty()

    def _on_changed(self, index: int) -> None:
        if self._session is not None and index < len(self._cards):
            self._cards[index].set_variation(self._session.variations[index])
            self._on_current_changed(self._session.current)

    def _on_current_changed(self, current: int) -> None:
        for index, card in enumerate(self._cards):
            card.setChecked(index == current)

    def _on_clicked(self, index: int) -> None:
        if self._session is not None:
            self._session.choose(index)

    def _show_empty(self) -> None:
        possible = self._application.holds("seed")
        self.filled.emit(self.is_filled)
        self._empty.setVisible(not self._cards)
        self.scroller.setVisible(bool(self._cards))
        self.make.setVisible(possible)
        if possible:
            text = self.tr("The same prompt with other seeds.")
        elif self._application.holds("recipe"):
            text = self.tr("This edit is the same with every seed.")
        else:
            text = self.tr("Pictures made from a prompt can be varied here.")
        self.hint.setText(text)

"""What the window shows while no picture is open: three ways to start, samples, and what was open lately."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from editor.pixels.qimages import to_qimage
from inference.progress import Step
from widgets.look.icons import IconLabel, icon_for
from widgets.look.plain_text import Label, set_tip, unmarked
from widgets.look.theme import scaled_font, tokens_of

_PREVIEW_PX = 240
_SAMPLE_PX = 104
_RECENT = 10
_IN_A_ROW = 5
_SIGN_PX = 40


class Welcome(QScrollArea):
    """While the first picture is on its way, it shows that instead."""

    new_requested = Signal()
    open_requested = Signal()
    blank_requested = Signal()
    sample_requested = Signal(str)  # path
    recent_requested = Signal(str)  # path
    models_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.title = Label()
        self.title.setFont(scaled_font(self.title.font(), 1.6, bold=True))
        self.hint = Label(self.tr("You can also drop files here, or paste a picture."))
        self.hint.setProperty("dim", True)
        self.preview = Label()
        self.bar = QProgressBar(maximum=0, textVisible=False)
        self.bar.setFixedWidth(260)
        self.new = StartButton("sparkle", self.tr("New from prompt…"), self.tr("Describe a picture"))
        self.open = StartButton("open", self.tr("Open…"), self.tr("A photo or a project"))
        self.blank = StartButton("document", self.tr("New canvas…"), self.tr("Start with a blank page"))
        self.models = WideStartButton(
            "download",
            self.tr("Get a model for photos…"),
            self.tr("The built-in models draw small cartoon scenes"),
        )
        self.models.clicked.connect(self.models_requested)
        self.new.clicked.connect(self.new_requested)
        self.open.clicked.connect(self.open_requested)
        self.blank.clicked.connect(self.blank_requested)
        self.samples = _Samples(self.tr("Samples"))
        self.samples.chosen.connect(self.sample_requested)
        self.recent = _Recent(self.tr("Recent files"))
        self.recent.chosen.connect(self.recent_requested)
        self._lay_out()
        self.show_waiting("")

    def set_samples(self, samples: Sequence[tuple[str, QImage]]) -> None:
        """Paths and small pictures of what comes with the application."""
        self.samples.fill(samples)

    def set_recent(self, paths: Sequence[str], pictures: Mapping[str, QImage]) -> None:
        """The files that were opened lately, and what is known of how they look."""
        self.recent.fill(paths[:_RECENT], pictures)

    def show_models(self, *, wanted: bool) -> None:
        """Offer to get a model, as long as there are built-in ones alone."""
        self.models.setVisible(wanted)

    def show_waiting(self, text: str) -> None:
        """Say what is on its way; "" for nothing."""
        self.bar.setVisible(bool(text))
        self.bar.setRange(0, 0)
        self.preview.hide()
        self.title.setText(text or self.tr("What would you like to make?"))
        self.hint.setVisible(not text)
        self._ways.setVisible(not text)

    def show_step(self, step: Step) -> None:
        """How far it is, and what it looks like so far."""
        self.bar.setRange(0, step.total)
        self.bar.setValue(step.done)
        if step.preview is not None:
            ratio = self.devicePixelRatioF()
            side = round(_PREVIEW_PX * ratio)
            smooth = Qt.TransformationMode.SmoothTransformation
            image = to_qimage(step.preview).scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth)
            pixmap = QPixmap.fromImage(image)
            pixmap.setDevicePixelRatio(ratio)
            self.preview.setPixmap(pixmap)
            self.preview.show()

    def _lay_out(self) -> None:
        self._ways = QWidget()
        ways = QVBoxLayout(self._ways)
        ways.setContentsMargins(0, 0, 0, 0)
        ways.setSpacing(28)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        for button in (self.new, self.open, self.blank):
            buttons.addWidget(button)
        starts = QVBoxLayout()
        starts.setSpacing(12)
        starts.addLayout(buttons)
        starts.addWidget(self.models)
        ways.addLayout(starts)
        ways.addWidget(self.samples)
        ways.addWidget(self.recent)
        page = _Backdrop()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(12)
        layout.addStretch(1)
        for widget in (self.preview, self.title, self.hint, self.bar):
            layout.addWidget(widget, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(14)
        layout.addWidget(self._ways, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self.setWidget(page)


class StartButton(QToolButton):
    """One way to start: an icon, what it is, and a word more."""

    def __init__(self, icon_name: str, text: str, more: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Start")
        self.setAccessibleName(text)
        self.setAccessibleDescription(more)
        self.setFixedSize(196, 128)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        picture = IconLabel(icon_name, 28)
        title, note = Label(text), Label(more)
        title.setFont(scaled_font(title.font(), 1.05, bold=True))
        note.setProperty("dim", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 14)
        layout.setSpacing(3)
        layout.addWidget(picture)
        layout.addStretch(1)
        layout.addWidget(title)
        layout.addWidget(note)


class WideStartButton(QToolButton):
    """A way to start that is as wide as the others together: an icon beside what it is."""

    def __init__(self, icon_name: str, text: str, more: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Start")
        self.setAccessibleName(text)
        self.setAccessibleDescription(more)
        self.setFixedHeight(64)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        title, note = Label(text), Label(more)
        title.setFont(scaled_font(title.font(), 1.05, bold=True))
        note.setProperty("dim", True)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addStretch(1)
        words.addWidget(title)
        words.addWidget(note)
        words.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 0, 16, 0)
        layout.setSpacing(14)
        layout.addWidget(IconLabel(icon_name, 28))
        layout.addLayout(words, 1)


class _Samples(QWidget):
    chosen = Signal(str)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout()
        self._row.setSpacing(10)
        _titled(self, title).addLayout(self._row)
        self.buttons: list[QToolButton] = []
        self.hide()

    def fill(self, samples: Sequence[tuple[str, QImage]]) -> None:
        for path, image in samples:
            pixmap = QPixmap.fromImage(image)
            button = QToolButton()
            button.setObjectName("Sample")
            button.setIcon(QIcon(pixmap))
            button.setIconSize(QSize(_SAMPLE_PX, _SAMPLE_PX))
            name = Path(path).stem.replace("-", " ").capitalize()
            set_tip(button, name)
            button.setAccessibleName(name)
            button.clicked.connect(lambda _=False, path=path: self.chosen.emit(path))
            self._row.addWidget(button)
            self.buttons.append(button)
        self._row.addStretch(1)
        self.setVisible(bool(self.buttons))


class _Recent(QWidget):
    chosen = Signal(str)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout()
        self._grid.setSpacing(10)
        row = QHBoxLayout()
        row.addLayout(self._grid)
        row.addStretch(1)
        _titled(self, title).addLayout(row)
        self.buttons: list[QToolButton] = []
        self._shown: list[tuple[str, QImage | None]] = []
        self.hide()

    def fill(self, paths: Sequence[str], pictures: Mapping[str, QImage]) -> None:
        """Show these files; what is there already is not made again: Qt keeps each icon's pixels for long."""
        wanted = [(path, pictures.get(path)) for path in paths]
        if wanted == self._shown:
            return
        self._shown = wanted
        for button in self.buttons:
            self._grid.removeWidget(button)
            button.deleteLater()
        self.buttons = []
        for index, path in enumerate(paths):
            button = self._button(path, pictures.get(path))
            button.clicked.connect(lambda _=False, path=path: self.chosen.emit(path))
            self._grid.addWidget(button, index // _IN_A_ROW, index % _IN_A_ROW)
            self.buttons.append(button)
        self.setVisible(bool(paths))

    def _button(self, path: str, picture: QImage | None) -> QToolButton:
        """The file's picture over its name; a sign where no picture is kept."""
        button = QToolButton()
        button.setObjectName("Sample")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIconSize(QSize(_SAMPLE_PX, _SAMPLE_PX))
        ratio = self.devicePixelRatioF()
        if picture is None:
            sign = icon_for(self, "image", size_px=_SIGN_PX).pixmap(QSize(_SIGN_PX, _SIGN_PX), ratio)
            button.setIcon(QIcon(_framed(sign.toImage(), ratio)))
        else:
            button.setIcon(QIcon(_framed(_fitted(picture, ratio), ratio)))
        name = Path(path).name
        shown = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, _SAMPLE_PX)
        button.setText(unmarked(shown))
        set_tip(button, path)
        button.setAccessibleName(name)
        return button


def _fitted(image: QImage, ratio: float) -> QImage:
    """The whole picture, as large as fits into a square."""
    side = round(_SAMPLE_PX * ratio)
    smooth = Qt.TransformationMode.SmoothTransformation
    return image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, smooth)


def _framed(image: QImage, ratio: float) -> QPixmap:
    """The picture in the middle of a square, which all have."""
    side = round(_SAMPLE_PX * ratio)
    image.setDevicePixelRatio(1.0)
    square = QPixmap(side, side)
    square.fill(Qt.GlobalColor.transparent)
    painter = QPainter(square)
    painter.drawImage((side - image.width()) // 2, (side - image.height()) // 2, image)
    painter.end()
    square.setDevicePixelRatio(ratio)
    return square


class _Backdrop(QWidget):
    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), QColor(tokens_of(self).backdrop))


def _titled(widget: QWidget, title: str) -> QVBoxLayout:
    label = Label(title)
    label.setProperty("dim", True)
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    layout.addWidget(label)
    return layout

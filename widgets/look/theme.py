"""The look: named colours for dark and light, and the palette and style sheet made of them.

Custom-painted widgets ask `tokens_of(self)`, which follows the palette, so nobody passes a theme around.
"""

from dataclasses import dataclass, fields
from importlib import resources
from string import Template

from PySide6.QtCore import QDir, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QWidget

from widgets.look.stylesheet import STYLE_SHEET


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Every colour that the window uses, as #rrggbb."""

    dark: bool
    backdrop: str  # behind the picture
    panel: str  # panels, menus, bars
    raised: str  # fields and cards on a panel
    hover: str
    pressed: str
    line: str  # hairlines between panels
    control: str  # outlines and grooves, visible against `panel`
    text: str
    dim: str  # second line, labels
    faint: str  # disabled
    accent: str
    accent_text: str  # on `accent`
    selection: str  # selected row
    danger: str
    warning: str
    checker_a: str
    checker_b: str
    subjects: tuple[str, ...]

    def subject(self, index: int) -> QColor:
        """The colour of the subject with this colour index; they repeat after the last."""
        return QColor(self.subjects[index % len(self.subjects)])


DARK = Tokens(
    dark=True,
    backdrop="#101112",
    panel="#1f2124",
    raised="#292c30",
    hover="#33373c",
    pressed="#3c4147",
    line="#2b2e32",
    control="#50565e",
    text="#e8e9eb",
    dim="#a3a8ae",
    faint="#6d737b",
    accent="#4fb3a0",
    accent_text="#0c1f1b",
    selection="#2d3338",
    danger="#e5796d",
    warning="#dfa658",
    checker_a="#2a2c2f",
    checker_b="#232528",
    subjects=("#4fb3a0", "#e0a458", "#a78bdb", "#e07a6a", "#6ca8e0", "#a9c25d", "#d981b5"),
)

LIGHT = Tokens(
    dark=False,
    backdrop="#d5d6d6",
    panel="#f6f6f5",
    raised="#ffffff",
    hover="#e8e9e8",
    pressed="#dcdedd",
    line="#dfe0df",
    control="#a9aeb2",
    text="#1c1e20",
    dim="#5a6066",
    faint="#9aa0a5",
    accent="#1c7f6d",
    accent_text="#ffffff",
    selection="#e3ebe9",
    danger="#b8392b",
    warning="#946000",
    checker_a="#ffffff",
    checker_b="#ececec",
    subjects=("#1c8a76", "#b36b0d", "#7651c0", "#c04a38", "#2a74bd", "#66831a", "#b2437f"),
)


def tokens_of(widget: QWidget) -> Tokens:
    """The colours that a widget paints with.

    The application's palette decides: a style sheet changes the palettes of the widgets that it styles.
    """
    del widget
    return DARK if QGuiApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT


def tabular(font: QFont) -> QFont:
    """The same font with figures of equal width, so that values do not jump while they change."""
    figures = QFont(font)
    figures.setFeature(QFont.Tag("tnum"), 1)
    return figures


def scaled_font(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    """The font larger or smaller by `factor`, whether its size is in points or pixels."""
    changed = QFont(font)
    if font.pointSizeF() > 0:
        changed.setPointSizeF(font.pointSizeF() * factor)
    else:
        changed.setPixelSize(max(1, round(font.pixelSize() * factor)))
    if bold:
        changed.setWeight(QFont.Weight.DemiBold)
    return changed


def inset(box: QAbstractSpinBox) -> None:
    """Keep a number field's text off its edge; a style sheet's padding does not reach it."""
    box.lineEdit().setTextMargins(6, 0, 4, 0)


def mixed(first: str | QColor, second: str | QColor, share: float) -> QColor:
    """The colour `share` (0..1) of the way from `first` to `second`."""
    a, b = QColor(first), QColor(second)
    return QColor(
        round(a.red() + (b.red() - a.red()) * share),
        round(a.green() + (b.green() - a.green()) * share),
        round(a.blue() + (b.blue() - a.blue()) * share),
    )


def with_alpha(colour: str | QColor, alpha: float) -> QColor:
    """The colour with an opacity of 0..1."""
    changed = QColor(colour)
    changed.setAlphaF(alpha)
    return changed


def palette(tokens: Tokens) -> QPalette:
    """A complete palette, so that widgets without a style rule fit as well."""
    made = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, tokens.panel),
        (role.WindowText, tokens.text),
        (role.Base, tokens.raised),
        (role.AlternateBase, tokens.hover),
        (role.Text, tokens.text),
        (role.Button, tokens.raised),
        (role.ButtonText, tokens.text),
        (role.BrightText, tokens.danger),
        (role.ToolTipBase, tokens.raised),
        (role.ToolTipText, tokens.text),
        (role.PlaceholderText, tokens.faint),
        (role.Highlight, tokens.accent),
        (role.HighlightedText, tokens.accent_text),
        (role.Accent, tokens.accent),
        (role.Link, tokens.accent),
        (role.LinkVisited, tokens.accent),
        (role.Light, tokens.hover),
        (role.Midlight, tokens.hover),
        (role.Mid, tokens.control),
        (role.Dark, tokens.line),
        (role.Shadow, "#000000"),
    ):
        made.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(tokens.faint))
    return made


def style_sheet(tokens: Tokens) -> str:
    """The one style sheet with the tokens' colours in place."""
    names = {item.name: str(getattr(tokens, item.name)) for item in fields(tokens)}
    names["theme"] = "dark" if tokens.dark else "light"
    return Template(STYLE_SHEET).substitute(names)


class Theme(QObject):
    """Applies "system", "dark" or "light" to the application and follows the system."""

    changed = Signal()

    def __init__(
        self, application: QApplication, choice: str = "system", parent: QObject | None = None
    ) -> None:
        super().__init__(parent or application)
        self._application = application
        self._choice = choice
        QDir.setSearchPaths("icons", [str(resources.files("resources") / "icons")])
        if application.style().objectName() != "fusion":
            application.setStyle("Fusion")
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_changed)
        self._apply()

    @property
    def tokens(self) -> Tokens:
        if self._choice == "light":
            return LIGHT
        system_light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
        return LIGHT if self._choice == "system" and system_light else DARK

    def choose(self, choice: str) -> None:
        """Switch to "system", "dark" or "light"."""
        if choice != self._choice:
            self._choice = choice
            self._apply()

    def _on_system_changed(self) -> None:
        if self._choice == "system":
            self._apply()

    def _apply(self) -> None:
        sheet = style_sheet(self.tokens)
        if sheet != self._application.styleSheet():  # setting it polishes every widget anew
            self._application.setPalette(palette(self.tokens))
            self._application.setStyleSheet(sheet)
        self.changed.emit()

"""A new blank canvas: size, resolution, depth, what it is filled with."""

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QWidget

from editor.application import Application
from editor.layers.limits import LARGEST_SIDE_PX
from widgets.forms.dialog import Dialog
from widgets.forms.fields import ComboBox, DoubleSpinBox, SpinBox
from widgets.forms.form_layout import FormLayout
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label
from widgets.look.theme import inset

_PRESETS = ((1920, 1080), (1080, 1080), (1080, 1350), (3840, 2160), (2480, 3508), (1024, 1024), (512, 512))
_FILLS = {
    "white": (255, 255, 255, 255),
    "transparent": (0, 0, 0, 0),
    "black": (0, 0, 0, 255),
    "grey": (128, 128, 128, 255),
}


class NewCanvas(Dialog):
    """Remembers what was made last; starts with the clipboard's picture's size if there is one."""

    def __init__(self, application: Application, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("New canvas"))
        self._application = application
        kept = application.settings.state("new_canvas", {})
        kept = kept if isinstance(kept, dict) else {}
        self.preset = ComboBox()
        self.preset.setAccessibleName(self.tr("Preset"))
        self.preset.addItem(self.tr("Own size"), None)
        clipboard = QGuiApplication.clipboard().image()
        if not clipboard.isNull():
            self.preset.addItem(
                self.tr("As the clipboard"), QRect(0, 0, clipboard.width(), clipboard.height())
            )
        for width, height in _PRESETS:
            self.preset.addItem(f"{width} × {height}", QRect(0, 0, width, height))
        self.width_box = self._side(self.tr("Width"), kept.get("width", 1920))
        self.height_box = self._side(self.tr("Height"), kept.get("height", 1080))
        self.swap = IconButton("refresh", self.tr("Swap width and height"))
        self.dpi = DoubleSpinBox()
        self.dpi.setRange(1, 10_000)
        self.dpi.setDecimals(0)
        self.dpi.setSuffix(self.tr(" px/in"))
        self.dpi.setValue(_number(kept.get("dpi"), 72))
        self.dpi.setAccessibleName(self.tr("Resolution"))
        inset(self.dpi)
        self.bits = ComboBox()
        self.bits.setAccessibleName(self.tr("Bits per channel"))
        for bits in (8, 16):
            self.bits.addItem(str(bits), bits)
        self.bits.setCurrentIndex(max(0, self.bits.findData(kept.get("depth", 8))))
        self.fill = ComboBox()
        self.fill.setAccessibleName(self.tr("Background"))
        for text, key in (
            (self.tr("White"), "white"),
            (self.tr("Transparent"), "transparent"),
            (self.tr("Black"), "black"),
            (self.tr("Grey"), "grey"),
        ):
            self.fill.addItem(text, key)
        self.fill.setCurrentIndex(max(0, self.fill.findData(kept.get("fill", "white"))))
        self._lay_out()
        self.add_cancel()
        self.make = self.add_button(self.tr("Create"), primary=True)
        self.make.clicked.connect(self._on_create)
        self.preset.activated.connect(self._on_preset)
        self.swap.clicked.connect(self._on_swap)
        if not clipboard.isNull():
            self.preset.setCurrentIndex(1)
            self._on_preset()
        self.begin_with(self.width_box)

    def _lay_out(self) -> None:
        size = QHBoxLayout()
        size.addWidget(self.width_box)
        size.addWidget(Label("×"))
        size.addWidget(self.height_box)
        size.addWidget(self.swap)
        form = FormLayout()
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(18)
        form.addRow(self.tr("Preset"), self.preset)
        form.addRow(self.tr("Size"), size)
        form.addRow(self.tr("Resolution"), self.dpi)
        form.addRow(self.tr("Bits per channel"), self.bits)
        form.addRow(self.tr("Background"), self.fill)
        self.column.addLayout(form)
        self.setMinimumWidth(420)

    def _side(self, name: str, value: object) -> QSpinBox:
        box = SpinBox()
        box.setRange(1, LARGEST_SIDE_PX)
        box.setSuffix(self.tr(" px"))
        box.setValue(round(_number(value, 1000)))
        box.setAccessibleName(name)
        box.setMinimumWidth(110)
        inset(box)
        return box

    def _on_preset(self) -> None:
        size = self.preset.currentData()
        if isinstance(size, QRect):
            self.width_box.setValue(size.width())
            self.height_box.setValue(size.height())

    def _on_swap(self) -> None:
        width, height = self.height_box.value(), self.width_box.value()
        self.width_box.setValue(width)
        self.height_box.setValue(height)

    def _on_create(self) -> None:
        made = self._application.starts.new_canvas(
            self.width_box.value(),
            self.height_box.value(),
            fill=_FILLS[self.fill.currentData()],
            depth=self.bits.currentData(),
            dpi=self.dpi.value(),
        )
        if made is not None:
            kept = {
                "width": made.width,
                "height": made.height,
                "dpi": self.dpi.value(),
                "depth": self.bits.currentData(),
                "fill": self.fill.currentData(),
            }
            self._application.settings.set_state("new_canvas", kept)
            self.close()


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise

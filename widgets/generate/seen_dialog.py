"""What the model sees in a picture, by place of the network, with a slider over the steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QScrollArea, QWidget

from editor.application import Application
from editor.controllers.translation import Looked
from editor.pixels.qimages import to_qimage
from widgets.forms.dialog import Dialog
from widgets.forms.fields import Slider
from widgets.look.plain_text import Label
from widgets.look.theme import scaled_font, tabular

_PICTURE_PX = 132
_COLUMNS = 4


class SeenDialog(Dialog):
    """Asks for it when it opens. Parts of the picture that the model takes for alike have one colour."""

    def __init__(
        self, application: Application, values: Mapping[str, Any], parent: QWidget | None = None
    ) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("What the model sees"))
        self._translation = application.translation
        self._looked: Looked | None = None
        self._steps: tuple[int, ...] = ()
        self.hint = Label(
            self.tr("Principal components of features and self-attention: alike things have one colour.")
        )
        self.hint.setWordWrap(True)
        self.hint.setProperty("dim", True)
        self.slider = Slider()
        self.slider.setAccessibleName(self.tr("Step"))
        self.slider.setEnabled(False)
        self.step = Label(self.tr("Looking…"))
        self.step.setFont(tabular(self.step.font()))
        self.pictures: dict[str, Label] = {}
        self._holder = QWidget()
        self._grid = QGridLayout(self._holder)
        self._lay_out()
        self.add_button(self.tr("Close")).clicked.connect(self.close)
        self.export = self.add_button(self.tr("Export…"), primary=True)
        self.export.setEnabled(False)
        self.export.clicked.connect(self._on_export)
        self.slider.valueChanged.connect(self._show_step)
        self._translation.seen.connect(self.show_seen)
        self._translation.looking_changed.connect(self._on_looking)
        self.resize(660, 620)
        self._translation.look(values)

    def show_seen(self, looked: Looked) -> None:
        """Show what came, at its last step."""
        self._looked, self._steps = looked, tuple(looked.pictures)
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self.pictures = {}
        places = list(dict.fromkeys(place for seen in looked.pictures.values() for place in seen))
        for number, place in enumerate(places):
            row, column = divmod(number, _COLUMNS)
            picture, name = Label(), Label(place.replace(".", ".\u200b"))  # may be broken there
            picture.setAccessibleName(place)
            picture.setFixedSize(_PICTURE_PX, _PICTURE_PX)
            name.setWordWrap(True)
            name.setFixedWidth(_PICTURE_PX)
            name.setFont(scaled_font(name.font(), 0.82))
            name.setProperty("dim", True)
            self._grid.addWidget(picture, 2 * row, column)
            self._grid.addWidget(name, 2 * row + 1, column, Qt.AlignmentFlag.AlignTop)
            self.pictures[place] = picture
        self._grid.setRowStretch(2 * (len(places) // _COLUMNS + 1), 1)
        self._grid.setColumnStretch(_COLUMNS, 1)
        self.slider.setRange(0, max(0, len(self._steps) - 1))
        self.slider.setEnabled(len(self._steps) > 1)
        self.export.setEnabled(bool(self._steps))
        self.slider.setValue(len(self._steps) // 2)
        self._show_step()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.slider, 1)
        row.addWidget(self.step)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setWidget(self._holder)
        self.column.addWidget(self.hint)
        self.column.addLayout(row)
        self.column.addWidget(scroll, 1)

    def _show_step(self) -> None:
        if self._looked is None or not self._steps:
            return
        step = self._steps[self.slider.value()]
        self.step.setText(self.tr("Step {step}").format(step=step))
        ratio = self.devicePixelRatioF()
        side = round(_PICTURE_PX * ratio)
        kept, fast = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
        for place, label in self.pictures.items():
            pixels = self._looked.pictures[step].get(place)
            if pixels is not None:
                pixmap = QPixmap.fromImage(to_qimage(pixels).scaled(side, side, kept, fast))
                pixmap.setDevicePixelRatio(ratio)
                label.setPixmap(pixmap)

    def _on_looking(self, on: bool) -> None:
        if on:
            self.step.setText(self.tr("Looking…"))
        elif self._looked is None:
            self.step.setText("–")

    def _on_export(self) -> None:
        if self._looked is None:
            return
        title = self.tr("Export what the model sees")
        name, _ = QFileDialog.getSaveFileName(self, title, "seen.png", self.tr("PNG (*.png)"))
        if name:
            self._translation.export_seen(self._looked, Path(name))

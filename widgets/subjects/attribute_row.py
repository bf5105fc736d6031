"""One attribute of one subject: name, link, reset, remove, value, and the slider over its keyframes."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QColor, QEnterEvent, QImage
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from editor.sliders.session import Slider
from editor.sliders.spacing import Track
from widgets.forms.value_box import ValueBox
from widgets.look.focus_within import FocusWithin
from widgets.look.icons import IconButton
from widgets.look.plain_text import Label, set_tip
from widgets.subjects.keyframe_slider import Keyframe, KeyframeSlider


class AttributeRow(QWidget):
    """Shows a `Slider` and reports what the hand does to it."""

    moved = Signal(float, bool)  # value, dragging
    reset_requested = Signal()
    remove_requested = Signal()
    link_toggled = Signal(bool)

    def __init__(self, slider: Slider, subject: str, colour: QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.attribute = slider.attribute
        self.name = Label(slider.label)
        self.track = KeyframeSlider()
        self.track.set_range(slider.minimum, slider.maximum)
        self.track.set_colour(colour)
        full_name = self.tr("{attribute} of {subject}").format(attribute=slider.label, subject=subject)
        self.track.setAccessibleName(full_name)
        set_tip(
            self.track,
            self.tr("{name}: drag, or use the arrow keys; double click sets it to zero").format(
                name=full_name
            ),
        )
        self.value = ValueBox(slider.minimum, slider.maximum)
        self.value.setAccessibleName(full_name)
        self.link = IconButton(
            "link", self.tr("Move this attribute of all subjects together"), checkable=True
        )
        self.reset = IconButton("reset", self.tr("Set to zero"))
        self.remove = IconButton("minus", self.tr("Remove this attribute"))
        self._lay_out()
        self._focus = FocusWithin(self)
        self._focus.changed.connect(self._show_buttons)
        self.track.moved.connect(self._on_track_moved)
        self.track.reset_requested.connect(self.reset_requested)
        self.value.valueChanged.connect(self._on_value_typed)
        self.value.reset_requested.connect(self.reset_requested)
        self.reset.clicked.connect(self.reset_requested)
        self.remove.clicked.connect(self.remove_requested)
        self.link.clicked.connect(self.link_toggled)
        self.show_slider(slider)

    def show_slider(self, slider: Slider) -> None:
        """Take value and link from the session."""
        self.set_number(slider.value)
        self.link.setChecked(slider.linked)
        self._show_buttons()

    def set_number(self, value: float) -> None:
        if not self.track.isSliderDown() or abs(self.track.number - value) > 1e-6:
            self.track.set_number(value)
        blocked = self.value.blockSignals(True)
        self.value.setValue(value)
        self.value.blockSignals(blocked)
        self._show_buttons()

    def set_track(self, track: Track) -> None:
        self.track.set_track(track)

    def set_keyframes(self, keyframes: Sequence[Keyframe], *, waiting: bool) -> None:
        self.track.set_keyframes(keyframes, waiting=waiting)

    def set_current(self, image: QImage | None) -> None:
        self.track.set_current(image)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._show_buttons()

    def leaveEvent(self, event: QEvent) -> None:
        self._show_buttons()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(1)
        top.addWidget(self.name)
        top.addStretch(1)
        for button in (self.reset, self.link, self.remove):
            keep = button.sizePolicy()
            keep.setRetainSizeWhenHidden(True)
            button.setSizePolicy(keep)
            top.addWidget(button)
        top.addSpacing(3)
        top.addWidget(self.value)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addLayout(top)
        layout.addWidget(self.track)

    def _show_buttons(self) -> None:
        """Rarely used buttons appear under the pointer or with the keyboard, so that the panel stays calm."""
        near = self.underMouse() or self._focus.inside
        self.link.setVisible(near or self.link.isChecked())
        self.reset.setVisible(near and abs(self.track.number) > 1e-6)
        self.remove.setVisible(near)

    def _on_track_moved(self, value: float, dragging: bool) -> None:
        blocked = self.value.blockSignals(True)
        self.value.setValue(value)
        self.value.blockSignals(blocked)
        self.moved.emit(value, dragging)

    def _on_value_typed(self, value: float) -> None:
        self.track.set_number(value)
        self.moved.emit(value, False)

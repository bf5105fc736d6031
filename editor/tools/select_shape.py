"""Rectangle and ellipse: selections that a drag spans."""

from __future__ import annotations

from dataclasses import dataclass

from editor.layers.layer import Mask
from editor.selection import ellipse, rectangle
from editor.tools.base import ALT, SHIFT, translate
from editor.tools.geometry import Rectangle, dragged_box
from editor.tools.overlay import Box, Ellipse, Label, Shape
from editor.tools.selecting import SelectSettings, SelectTool
from inference.parameters import N_, param

FREE, RATIO, SIZE = "free", "ratio", "size"


@dataclass(frozen=True, kw_only=True)
class ShapeSettings(SelectSettings):
    form: str = param(FREE, N_("Tools", "Form"), choices=(FREE, RATIO, SIZE))
    width: float = param(1.0, N_("Tools", "Width"), min=0.01, max=100_000)
    height: float = param(1.0, N_("Tools", "Height"), min=0.01, max=100_000)


class SelectShape(SelectTool):
    """Shift keeps width and height the same, Alt draws from the centre; both pressed after the button."""

    Settings = ShapeSettings

    def box(self) -> Rectangle | None:
        """The rectangle that the drag spans so far, to whole pixels of the document."""
        start, last = self.start, self.last
        if start is None or last is None:
            return None
        settings, held = self.settings, self.held(last)
        if settings.form == SIZE:
            return (round(last.x), round(last.y), settings.width, settings.height)
        ratio = settings.width / settings.height if settings.form == RATIO else None
        ratio = 1.0 if SHIFT in held else ratio
        a, b = (float(round(start.x)), float(round(start.y))), (float(round(last.x)), float(round(last.y)))
        return dragged_box(a, b, ratio=ratio, from_centre=ALT in held)

    def shaped(self) -> Mask | None:
        box = self.box()
        if box is None or box[2] <= 0 or box[3] <= 0:
            return None
        return self.mask_of(box)

    def mask_of(self, box: Rectangle) -> Mask:
        raise NotImplementedError

    def size_label(self, box: Rectangle) -> Label:
        text = translate("Tools", "{width} × {height}").format(width=round(box[2]), height=round(box[3]))
        return Label(box[0] + box[2], box[1] + box[3], text)


class SelectRectangle(SelectShape):
    id = "select-rectangle"
    label = N_("Tools", "Select rectangle")
    icon = "tool-select-rectangle"

    def mask_of(self, box: Rectangle) -> Mask:
        return rectangle(*box, self.document.state.area, antialias=self.settings.antialias)

    def drawn(self) -> tuple[Shape, ...]:
        box = self.box()
        return () if box is None else (Box(*box, ants=True), self.size_label(box))


class SelectEllipse(SelectShape):
    id = "select-ellipse"
    label = N_("Tools", "Select ellipse")
    icon = "tool-select-ellipse"

    def mask_of(self, box: Rectangle) -> Mask:
        return ellipse(*box, self.document.state.area, antialias=self.settings.antialias)

    def drawn(self) -> tuple[Shape, ...]:
        box = self.box()
        if box is None:
            return ()
        x, y, width, height = box
        oval = Ellipse(x + width / 2, y + height / 2, width / 2, height / 2, ants=True)
        return (oval, self.size_label(box))

"""What the Image menu calls: the controller "image"."""

import math
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QCoreApplication

from editor.colour import conversion as colour
from editor.controllers.base import Controller
from editor.edits import geometry, profiles, resampling
from editor.layers.state import DocumentState
from editor.pixels.raster import Area

translate = QCoreApplication.translate

USUAL_DPI = 72.0  # of a picture that says none


class ImageController(Controller):
    """Changes the current document as a whole."""

    def crop_to_selection(self) -> None:
        self._beside(geometry.cropped_to_selection, translate("Commands", "Crop to the selection"))

    def crop(self, area: Area, *, keep_outside: bool = False) -> None:
        """Cut the picture to an area of it; the crop tool calls this."""
        text = translate("Commands", "Crop")
        self._beside(lambda state: geometry.cropped_to(state, area, keep_outside=keep_outside), text)

    def trim(self) -> None:
        self._beside(geometry.trimmed, translate("Commands", "Trim to what shows"))

    def reveal_all(self) -> None:
        self._now(geometry.revealed, translate("Commands", "Show all of every layer"))

    def resize_canvas(self, width: int, height: int, anchor: str) -> None:
        text = translate("Commands", "Canvas size {width} × {height}").format(width=width, height=height)

        def edit(state: DocumentState) -> DocumentState:
            same = (width, height) == (state.width, state.height)
            return state if same else geometry.resized_canvas(state, width, height, anchor)

        self._now(edit, text)

    def resize(self, width: int, height: int, method: str, dpi: float | None = None) -> None:
        """Another number of pixels, and another resolution if `dpi` is given."""
        text = translate("Commands", "Picture size {width} × {height}").format(width=width, height=height)

        def edit(state: DocumentState) -> DocumentState:
            if (width, height) != (state.width, state.height):
                state = resampling.resized(state, width, height, method)
            known = state.dpi[0] if state.dpi is not None else USUAL_DPI
            return state if dpi is None or math.isclose(dpi, known) else replace(state, dpi=(dpi, dpi))

        self._beside(edit, text)

    def rotate(self, quarters: str) -> None:
        """Turn the picture clockwise by quarters of a turn."""
        text = translate("Commands", "Rotate picture")
        self._beside(lambda state: geometry.turned(state, int(quarters)), text)

    def flip(self, way: str) -> None:
        """Mirror the picture: "across" (left and right change places) or "down"."""
        text = translate("Commands", "Flip picture")
        self._beside(lambda state: geometry.flipped(state, across=way == "across"), text)

    def straighten(self, degrees: float, *, crop: bool = True) -> None:
        """Turn the picture clockwise by an angle; `crop` cuts the empty corners off."""
        text = translate("Commands", "Rotate picture by {degrees}°").format(degrees=round(degrees, 2))
        self._beside(lambda state: resampling.straightened(state, degrees, crop=crop), text)

    def convert_profile(self, name: str) -> None:
        """Same look in another of the built-in profiles."""
        self._with_profile(name, profiles.converted, translate("Commands", "Convert to {profile}"))

    def assign_profile(self, name: str) -> None:
        """Same numbers in another of the built-in profiles."""
        self._with_profile(name, profiles.assigned, translate("Commands", "Assign {profile}"))

    def _with_profile(
        self, name: str, edit: Callable[[DocumentState, bytes], DocumentState], text: str
    ) -> None:
        label = translate("Colour", colour.PROFILES[name])
        profile = b"" if name == "srgb" else colour.built_in_profile(name)
        self._beside(lambda state: edit(state, profile), text.format(profile=label))

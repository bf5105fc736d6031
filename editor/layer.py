"""One layer of a document: a frozen value whose pixels are never written to."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from editor.pixels import to_rgba
from editor.recipes import Recipe
from inference.errors import EditorError
from inference.parameters import N_
from inference.request import Pixels

if TYPE_CHECKING:
    from PySide6.QtCore import QRect


class BlendMode(Enum):
    """Blend modes; the value is OpenRaster's `composite-op`."""

    NORMAL = "svg:src-over"
    MULTIPLY = "svg:multiply"
    SCREEN = "svg:screen"
    OVERLAY = "svg:overlay"
    DARKEN = "svg:darken"
    LIGHTEN = "svg:lighten"
    COLOUR_DODGE = "svg:color-dodge"
    COLOUR_BURN = "svg:color-burn"
    HARD_LIGHT = "svg:hard-light"
    SOFT_LIGHT = "svg:soft-light"
    DIFFERENCE = "svg:difference"
    EXCLUSION = "krita:exclusion"
    PLUS = "svg:plus"

    @property
    def label(self) -> str:
        """English name under the translation context "BlendMode"."""
        return _LABELS[self]


_LABELS = {
    BlendMode.NORMAL: N_("BlendMode", "Normal"),
    BlendMode.MULTIPLY: N_("BlendMode", "Multiply"),
    BlendMode.SCREEN: N_("BlendMode", "Screen"),
    BlendMode.OVERLAY: N_("BlendMode", "Overlay"),
    BlendMode.DARKEN: N_("BlendMode", "Darken"),
    BlendMode.LIGHTEN: N_("BlendMode", "Lighten"),
    BlendMode.COLOUR_DODGE: N_("BlendMode", "Colour dodge"),
    BlendMode.COLOUR_BURN: N_("BlendMode", "Colour burn"),
    BlendMode.HARD_LIGHT: N_("BlendMode", "Hard light"),
    BlendMode.SOFT_LIGHT: N_("BlendMode", "Soft light"),
    BlendMode.DIFFERENCE: N_("BlendMode", "Difference"),
    BlendMode.EXCLUSION: N_("BlendMode", "Exclusion"),
    BlendMode.PLUS: N_("BlendMode", "Plus"),
}


def new_layer_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A raster layer at (`x`, `y`) of its document.

    Args:
        pixels: read-only uint8 RGBA [H, W, 4], sRGB, straight alpha.
        opacity: 0..1.
        recipe: how the pixels were made; a layer with one is editable by its sliders.
        maps: what the run left beside the pixels, such as {"attention/4-7": float32 [h, w] in 0..1}.
    """

    name: str
    pixels: Pixels
    id: str = field(default_factory=new_layer_id)
    x: int = 0
    y: int = 0
    visible: bool = True
    opacity: float = 1.0
    blend_mode: BlendMode = BlendMode.NORMAL
    locked: bool = False
    recipe: Recipe | None = None
    maps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict[str, NDArray[np.float32]])

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] not in (3, 4) or 0 in self.pixels.shape:
            raise EditorError(f"A layer cannot hold pixels of shape {self.pixels.shape}.")
        if not 0 <= self.opacity <= 1:
            raise EditorError(f"Opacity is {self.opacity:g}: allowed is 0 to 1.")
        object.__setattr__(self, "pixels", to_rgba(self.pixels))

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def rect(self) -> "QRect":
        """The pixels' place in the document."""
        from PySide6.QtCore import QRect  # here, so that files are written where Qt's libraries are missing

        return QRect(self.x, self.y, self.width, self.height)

    @property
    def editable(self) -> bool:
        """Whether the layer carries a recipe that can be changed and run again."""
        return self.recipe is not None

    def changed(self, **fields: Any) -> Self:
        """The same layer (same id) with some fields replaced."""
        return replace(self, **fields)

    def copy(self, name: str) -> Self:
        """A new layer with an id of its own over the same pixels."""
        return replace(self, id=new_layer_id(), name=name)
